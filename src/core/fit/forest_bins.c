/*
 * forest_bins.c
 *		Features as bins of 8 or 16 bits, by column.
 *
 * Cuts are those of bins_find_cuts(), but more of them: trees of unlimited
 * depth use fine ones.  A node looks at few features, so columns are all
 * there is: dense nodes stream through them, and those of sparse ones stay in
 * the cache.  All memory is the arena's.
 */
#include "forest.h"

#include <math.h>

#include "../cpu.h"

#define SAMPLE_ROWS 200000
#define BLOCK_ROWS	1024
#define RUN			32			/* cuts that are compared at once */

/* The features as the recipe makes them. */
static void
describe_columns(ForestBins *bins, const FitInput *input)
{
	for (uint32_t c = 0; c < input->recipe->n_columns; c++)
	{
		const FittedColumn *column = &input->recipe->columns[c];
		const RecipeColumn *recipe = &column->recipe;

		for (uint32_t slot = 0; slot < recipe->n_features; slot++)
		{
			BinFeature *feature = &bins->columns[recipe->first_feature + slot].feature;

			feature->column = column;
			feature->slot = slot;
			feature->categorical = slot == 0 && recipe->kind == KIND_CATEGORY && recipe->encoding == ENCODING_NATIVE;
			feature->n_bins = recipe->n_categories + 1;
		}
	}
}

/*
 * The bins of n numbers among up to RUN x RUN cuts: how many runs of cuts end
 * below the value, and how many cuts of the next run are below it.
 */
CPU_BODY void
search_runs_body(const double *restrict cuts, const double *restrict ends, const double *restrict values, size_t n, uint32_t *restrict out)
{
	for (size_t i = 0; i < n; i++)
	{
		double		value = values[i];
		uint64_t	run = 0;
		uint64_t	below = 0;

		for (int k = 0; k < RUN; k++)
			run += value > ends[k];
		for (int k = 0; k < RUN; k++)
			below += value > cuts[RUN * run + k];
		out[i] = (uint32_t) (value == value ? RUN * run + below + 1 : BIN_MISSING);
	}
}

CPU_DISPATCH(search_runs, (const double *cuts, const double *ends, const double *values, size_t n, uint32_t *out),
			 (cuts, ends, values, n, out))

/* The bins of n numbers, at most BLOCK_ROWS. */
static void
search_cuts(const BinFeature *feature, const double *values, size_t n, uint32_t *out)
{
	double		ends[RUN + 1];

	if (feature->n_cuts > RUN * RUN)
	{
		uint16_t	found[BLOCK_ROWS];

		bins_search_wide(feature, values, n, found);
		for (size_t i = 0; i < n; i++)
			out[i] = found[i];
		return;
	}
	for (uint32_t k = 0; k < RUN; k++)
		ends[k] = RUN * (k + 1) <= feature->n_cuts ? feature->cuts[RUN * (k + 1) - 1] : INFINITY;
	search_runs(feature->cuts, ends, values, n, out);
}

/* The middle of the sample's values in each bin; of a bin without any, the cut below it. */
static void
find_middles(ForestColumn *column, const double *sample, size_t n)
{
	const BinFeature *feature = &column->feature;
	double	   *lowest = column->middles;
	double	   *highest = column->middles + feature->n_bins;
	uint32_t	found[BLOCK_ROWS];

	for (uint32_t b = 0; b < feature->n_bins; b++)
	{
		lowest[b] = INFINITY;
		highest[b] = -INFINITY;
	}
	for (size_t first = 0; first < n; first += BLOCK_ROWS)
	{
		size_t		n_block = n - first < BLOCK_ROWS ? n - first : BLOCK_ROWS;

		search_cuts(feature, sample + first, n_block, found);
		for (size_t i = 0; i < n_block; i++)
		{
			lowest[found[i]] = fmin(lowest[found[i]], sample[first + i]);
			highest[found[i]] = fmax(highest[found[i]], sample[first + i]);
		}
	}
	for (uint32_t b = 1; b < feature->n_bins; b++)
	{
		if (lowest[b] <= highest[b])
			lowest[b] = lowest[b] / 2 + highest[b] / 2;
		else if (feature->n_cuts > 0)
			lowest[b] = feature->cuts[b > 1 ? b - 2 : 0];
	}
}

typedef struct CutWork
{
	ForestBins *bins;
	RowRange	train;
	size_t		n_sample;
	uint32_t	max_bin;
	double	   *samples;		/* n_sample a thread */
	uint64_t   *work;			/* 2 n_sample a thread */
} CutWork;

/* Task: the cuts of one feature. */
static void
cut_column(void *argument, size_t task, int thread)
{
	const CutWork *work = argument;
	ForestColumn *column = &work->bins->columns[task];
	BinFeature *feature = &column->feature;
	double	   *sample = work->samples + (size_t) thread * work->n_sample;
	size_t		n_rows = range_rows(work->train);

	if (feature->categorical)
		return;
	if (work->n_sample == n_rows)
		bins_values(feature, work->train.begin, n_rows, sample);
	else
	{
		for (size_t i = 0; i < work->n_sample; i++)
			bins_values(feature, work->train.begin + (size_t) ((unsigned __int128) i * n_rows / work->n_sample), 1, &sample[i]);
	}
	bins_find_cuts(feature, sample, work->n_sample, work->max_bin, work->work + (size_t) thread * 2 * work->n_sample);
	for (uint32_t i = 0; i < 2 * RUN; i++)
		feature->cuts[feature->n_cuts + i] = INFINITY;
	if (column->middles != NULL)
		find_middles(column, sample, work->n_sample);
}

/* Cuts of all features. */
static bool
find_cuts(ForestBins *bins, const FitInput *input, const ForestRules *rules, Error *error)
{
	size_t		n_threads = (size_t) pool_threads(input->pool);
	size_t		n_cuts = (size_t) rules->max_bin + 1 + 2 * RUN;	/* infinite ones fill the last run */
	size_t		n_middles = rules->random_cuts ? 2 * ((size_t) rules->max_bin + 2) : 0;	/* lowest and highest values on the way */
	double	   *cuts = arena_alloc(input->arena, bins->n_features * (n_cuts + n_middles), sizeof(double), error);
	Arena		scratch;
	CutWork		work = {
		.bins = bins,
		.train = input->table->train,
		.n_sample = bins->n_rows < SAMPLE_ROWS ? bins->n_rows : SAMPLE_ROWS,
		.max_bin = rules->max_bin
	};

	if (cuts == NULL)
		return false;
	for (uint32_t f = 0; f < bins->n_features; f++)
	{
		bins->columns[f].feature.cuts = cuts + f * (n_cuts + n_middles);
		if (rules->random_cuts)
			bins->columns[f].middles = bins->columns[f].feature.cuts + n_cuts;
	}
	arena_init(&scratch);
	work.samples = arena_alloc(&scratch, n_threads * work.n_sample, sizeof(double), error);
	work.work = arena_alloc(&scratch, n_threads * work.n_sample, 2 * sizeof(uint64_t), error);
	if (work.samples != NULL && work.work != NULL)
		pool_for_thread(input->pool, bins->n_features, cut_column, &work);
	arena_free(&scratch);
	return work.samples != NULL && work.work != NULL;
}

typedef struct FillWork
{
	ForestBins *bins;
	size_t		begin;			/* table row of the first */
} FillWork;

/* Task: a block of rows, all features. */
static void
fill_block(void *argument, size_t task)
{
	const FillWork *work = argument;
	size_t		first = task * BLOCK_ROWS;
	size_t		n = work->bins->n_rows - first < BLOCK_ROWS ? work->bins->n_rows - first : BLOCK_ROWS;
	double		values[BLOCK_ROWS];
	uint32_t	found[BLOCK_ROWS];

	for (uint32_t f = 0; f < work->bins->n_features; f++)
	{
		ForestColumn *column = &work->bins->columns[f];

		bins_values(&column->feature, work->begin + first, n, values);
		if (!column->feature.categorical)
			search_cuts(&column->feature, values, n, found);
		for (size_t i = 0; i < n; i++)
		{
			uint32_t	bin = found[i];

			if (column->feature.categorical)
				bin = values[i] == values[i] ? (uint32_t) values[i] + 1 : BIN_MISSING;
			if (column->narrow != NULL)
				column->narrow[first + i] = (uint8_t) bin;
			else
				column->wide[first + i] = (uint16_t) bin;
		}
	}
}

/* Describes, cuts, allocates, fills. */
bool
forest_bins_build(ForestBins *bins, const FitInput *input, const ForestRules *rules, Error *error)
{
	Arena	   *arena = input->arena;

	bins->n_rows = range_rows(input->table->train);
	bins->n_features = input->recipe->n_features;
	bins->max_bins = 1;
	bins->columns = arena_zeroed(arena, bins->n_features, sizeof(ForestColumn), error);
	if (bins->columns == NULL)
		return false;
	describe_columns(bins, input);
	if (!find_cuts(bins, input, rules, error))
		return false;
	for (uint32_t f = 0; f < bins->n_features; f++)
	{
		ForestColumn *column = &bins->columns[f];
		uint32_t	n_bins = column->feature.n_bins;

		if (n_bins > bins->max_bins)
			bins->max_bins = n_bins;
		if (n_bins <= UINT8_MAX + 1)
			column->narrow = arena_alloc(arena, bins->n_rows, sizeof(uint8_t), error);
		else
			column->wide = arena_alloc(arena, bins->n_rows, sizeof(uint16_t), error);
		if (column->narrow == NULL && column->wide == NULL)
			return false;
	}

	FillWork	work = {.bins = bins,.begin = input->table->train.begin};

	pool_for(input->pool, (bins->n_rows + BLOCK_ROWS - 1) / BLOCK_ROWS, fill_block, &work);
	return true;
}

/* Columns and cuts; a column takes one byte a row where there are no more bins. */
uint64_t
forest_bins_memory(const FittedRecipe *recipe, uint64_t n_rows, uint32_t max_bin)
{
	uint64_t	bytes = 0;

	for (uint32_t c = 0; c < recipe->n_columns; c++)
	{
		const RecipeColumn *column = &recipe->columns[c].recipe;
		uint64_t	width = bins_at_most(column, max_bin) > UINT8_MAX + 1 ? sizeof(uint16_t) : sizeof(uint8_t);

		bytes += column->n_features * (n_rows * width + (max_bin + 2 * RUN + 2) * 3 * sizeof(double) + sizeof(ForestColumn));
	}
	return bytes;
}
