/*
 * bins.c
 *		Features as bins: cuts, columns, rows.
 *
 * Features are cut one by one (a task each) on training rows at equal
 * distances in canonical order; then it is known which are wide.  Then each
 * is binned into its column (bin_source.c), and blocks of rows (a task each)
 * are put together from the columns.  All memory is the arena's.
 */
#include "bins.h"

#include <math.h>
#include <string.h>

#include "bin_source.h"
#include "kept_cuts.h"

#define BLOCK_ROWS	1024

/* ---- Cuts ---- */

/* A category has a bin for each level; a number has those that its values need. */
uint32_t
bins_at_most(const RecipeColumn *column, uint32_t max_bin)
{
	return 1 + (column->kind == KIND_CATEGORY && column->encoding == ENCODING_NATIVE ? column->n_categories : max_bin);
}

/* Cuts that a number has room for, with the infinite ones behind them. */
static inline size_t
cut_room(uint32_t max_bin)
{
	return max_bin < BINS_MAX ? BINS_MAX : max_bin + WIDE_RUN;
}

/* A category whose level index is its value; a missing one may have been filled. */
static bool
is_native_category(const RecipeColumn *recipe, uint32_t slot)
{
	return slot == 0 && recipe->kind == KIND_CATEGORY && recipe->encoding == ENCODING_NATIVE;
}

/* Middles and, while they are found, the lowest and highest value of each bin. */
static inline size_t
middle_room(const BinPlan *plan)
{
	return plan->middles ? 2 * ((size_t) plan->max_bin + 2) : 0;
}

/* The features as the recipe makes them, each with its part of the memory. */
static bool
describe_features(BinnedMatrix *bins, const FitInput *input, const BinPlan *plan, Error *error)
{
	uint32_t	n = input->recipe->n_features;
	size_t		room = cut_room(plan->max_bin) + middle_room(plan);

	bins->n_features = n;
	bins->features = arena_zeroed(input->arena, n, sizeof(BinFeature), error);

	double	   *cuts = arena_alloc(input->arena, n * room, sizeof(double), error);
	float	   *float_cuts = arena_alloc(input->arena, (size_t) n * BINS_MAX, sizeof(float), error);

	if (bins->features == NULL || cuts == NULL || float_cuts == NULL)
		return false;
	for (uint32_t c = 0; c < input->recipe->n_columns; c++)
	{
		const FittedColumn *column = &input->recipe->columns[c];
		const RecipeColumn *recipe = &column->recipe;

		for (uint32_t slot = 0; slot < recipe->n_features; slot++)
		{
			uint32_t	f = recipe->first_feature + slot;
			BinFeature *feature = &bins->features[f];

			feature->column = column;
			feature->slot = slot;
			feature->categorical = is_native_category(recipe, slot);
			feature->n_bins = recipe->n_categories + 1;
			feature->cuts = cuts + f * room;
			feature->float_cuts = float_cuts + (size_t) f * BINS_MAX;
			feature->middles = plan->middles && !feature->categorical ? feature->cuts + cut_room(plan->max_bin) : NULL;
		}
	}
	return true;
}

typedef struct CutWork
{
	BinnedMatrix *bins;
	const BinSource *source;
	uint32_t	max_bin;
	const KeptCuts *kept;
	double	   *samples;		/* n_sample a thread */
	uint64_t   *work;			/* 2 n_sample a thread */
} CutWork;

/* The largest float that is not above x. */
static float
float_below(double x)
{
	float		f = (float) x;

	return (double) f > x ? nextafterf(f, -INFINITY) : f;
}

/* The middle of the sample's values in each bin; of a bin without any, the cut below it. */
static void
find_middles(BinFeature *feature, const double *sample, size_t n)
{
	double	   *lowest = feature->middles;
	double	   *highest = feature->middles + feature->n_bins;

	for (uint32_t b = 0; b < feature->n_bins; b++)
	{
		lowest[b] = INFINITY;
		highest[b] = -INFINITY;
	}
	for (size_t first = 0; first < n; first += BLOCK_ROWS)
	{
		size_t		n_block = n - first < BLOCK_ROWS ? n - first : BLOCK_ROWS;
		uint8_t		narrow[BLOCK_ROWS];
		uint16_t	wide[BLOCK_ROWS];

		if (feature->wide)
			bins_search_wide(feature, sample + first, n_block, wide);
		else
			bins_search_double(feature, sample + first, n_block, narrow);
		for (size_t i = 0; i < n_block; i++)
		{
			uint32_t	bin = feature->wide ? wide[i] : narrow[i];

			lowest[bin] = fmin(lowest[bin], sample[first + i]);
			highest[bin] = fmax(highest[bin], sample[first + i]);
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

/* Task: the cuts of one feature. */
static void
cut_feature(void *argument, size_t task, int thread)
{
	const CutWork *work = argument;
	BinFeature *feature = &work->bins->features[task];
	size_t		n = work->source->n_sample;
	double	   *sample = work->samples + (size_t) thread * n;

	feature->wide = feature->n_bins > BINS_MAX;
	if (feature->categorical)
		return;

	bin_source_sample(work->source, feature, sample);
	bins_find_cuts(feature, sample, n, work->max_bin, work->work + (size_t) thread * 2 * n);
	if (work->kept != NULL)
		bins_keep_cuts(feature, kept_cuts_of(work->kept, (uint32_t) task), sample, n, work->max_bin);
	feature->wide = feature->n_bins > BINS_MAX;
	for (uint32_t i = feature->n_cuts; i < (feature->wide ? feature->n_cuts + WIDE_RUN : BINS_MAX); i++)
		feature->cuts[i] = INFINITY;
	for (uint32_t i = 0; i < BINS_MAX && !feature->wide; i++)
		feature->float_cuts[i] = float_below(feature->cuts[i]);
	if (feature->middles != NULL)
		find_middles(feature, sample, n);
}

/* Cuts of all features. */
static bool
find_cuts(BinnedMatrix *bins, const FitInput *input, const BinSource *source, uint32_t max_bin, Arena *scratch, Error *error)
{
	size_t		n_threads = (size_t) pool_threads(input->pool);
	CutWork		work = {
		.bins = bins,
		.source = source,
		.max_bin = max_bin,
		.kept = input->kept_cuts,
		.samples = arena_alloc(scratch, n_threads * source->n_sample, sizeof(double), error),
		.work = arena_alloc(scratch, n_threads * source->n_sample, 2 * sizeof(uint64_t), error)
	};

	if (work.samples == NULL || work.work == NULL)
		return false;
	pool_for_thread(input->pool, bins->n_features, cut_feature, &work);
	return true;
}

/* ---- Layout ---- */

/* The smallest power of two >= n and >= 4. */
static uint32_t
group_stride(uint32_t n)
{
	uint32_t	stride = 4;

	while (stride < n)
		stride *= 2;
	return stride;
}

/* Places features among those of their width, and their cells. */
static bool
place_features(BinnedMatrix *bins, Arena *arena, Error *error)
{
	bins->narrow = arena_alloc(arena, bins->n_features, sizeof(uint32_t), error);
	bins->wide = arena_alloc(arena, bins->n_features, sizeof(uint32_t), error);
	if (bins->narrow == NULL || bins->wide == NULL)
		return false;
	bins->n_narrow = bins->n_wide = 0;
	bins->n_cells = 0;
	bins->most_bins = 0;
	for (uint32_t f = 0; f < bins->n_features; f++)
	{
		BinFeature *feature = &bins->features[f];

		feature->constant = feature->categorical ? feature->n_bins == 1 : feature->n_cuts == 0;
		if (feature->constant)
			continue;
		feature->place = feature->wide ? bins->n_wide : bins->n_narrow;
		if (feature->wide)
			bins->wide[bins->n_wide++] = f;
		else
			bins->narrow[bins->n_narrow++] = f;
		feature->first_cell = bins->n_cells;
		bins->n_cells += feature->n_bins;
		bins->most_bins = feature->n_bins > bins->most_bins ? feature->n_bins : bins->most_bins;
	}
	return true;
}

/* Places columns and, where rows are wanted, groups. */
static bool
lay_out(BinnedMatrix *bins, const FitInput *input, const BinPlan *plan, Error *error)
{
	bins->n_train = range_rows(input->table->train);
	bins->n_rows = plan->n_rows;

	/* no multiple of 4096, or the same row of many columns falls on the same cache sets; room for one row more */
	bins->column_stride = (bins->n_rows + 4095) / 4096 * 4096 + 64;
	bins->columns = arena_alloc(input->arena, bins->column_stride, bins->n_narrow, error);
	bins->wide_columns = arena_alloc(input->arena, bins->column_stride * sizeof(uint16_t), bins->n_wide, error);
	bins->n_groups = plan->by_row ? (bins->n_narrow + GROUP_FEATURES - 1) / GROUP_FEATURES : 0;
	bins->groups = arena_alloc(input->arena, bins->n_groups, sizeof(BinGroup), error);
	if (bins->columns == NULL || bins->wide_columns == NULL || bins->groups == NULL)
		return false;
	for (uint32_t g = 0; g < bins->n_groups; g++)
	{
		BinGroup   *group = &bins->groups[g];

		group->first_place = g * GROUP_FEATURES;
		group->n_features = bins->n_narrow - group->first_place < GROUP_FEATURES ? bins->n_narrow - group->first_place : GROUP_FEATURES;
		group->stride = group_stride(group->n_features);
		group->rows = arena_alloc(input->arena, bins->n_rows, group->stride, error);
		if (group->rows == NULL)
			return false;
	}
	return true;
}

typedef struct FillWork
{
	BinnedMatrix *bins;
	const BinSource *source;
} FillWork;

/* Task: the column of one feature; wide ones first. */
static void
fill_column(void *argument, size_t task, int thread)
{
	const FillWork *work = argument;
	BinnedMatrix *bins = work->bins;
	size_t		place = task < bins->n_wide ? task : task - bins->n_wide;

	if (task < bins->n_wide)
		bin_source_fill(work->source, &bins->features[bins->wide[place]], thread, bins->wide_columns + place * bins->column_stride);
	else
		bin_source_fill(work->source, &bins->features[bins->narrow[place]], thread, bins->columns + place * bins->column_stride);
}

/* Task: one block of rows of all groups. */
static void
fill_rows(void *argument, size_t task)
{
	const BinnedMatrix *bins = argument;
	size_t		row = task * BLOCK_ROWS;
	size_t		n = bins->n_rows - row < BLOCK_ROWS ? bins->n_rows - row : BLOCK_ROWS;

	for (uint32_t g = 0; g < bins->n_groups; g++)
	{
		const BinGroup *group = &bins->groups[g];
		size_t		stride = group->stride;
		uint8_t    *rows = group->rows + row * stride;

		memset(rows, 0, n * stride);
		for (uint32_t k = 0; k < group->n_features; k++)
		{
			const uint8_t *column = bins->columns + (group->first_place + k) * bins->column_stride + row;

			for (size_t i = 0; i < n; i++)
				rows[i * stride + k] = column[i];
		}
	}
}

/* Describes, cuts, lays out, fills; scratch is freed by the caller. */
static bool
build(BinnedMatrix *bins, const FitInput *input, const BinPlan *plan, Arena *scratch, Error *error)
{
	BinSource	source;
	FillWork	work = {bins, &source};

	if (!describe_features(bins, input, plan, error) || !bin_source_init(&source, input, plan->n_rows, scratch, error) ||
		!find_cuts(bins, input, &source, plan->max_bin, scratch, error) || !place_features(bins, input->arena, error) ||
		!lay_out(bins, input, plan, error))
		return false;
	pool_for_thread(input->pool, bins->n_wide + bins->n_narrow, fill_column, &work);
	if (plan->by_row)
		pool_for(input->pool, (bins->n_rows + BLOCK_ROWS - 1) / BLOCK_ROWS, fill_rows, bins);
	return true;
}

bool
bins_build(BinnedMatrix *bins, const FitInput *input, const BinPlan *plan, Error *error)
{
	Arena		scratch;

	arena_init(&scratch);

	bool		built = build(bins, input, plan, &scratch, error);

	arena_free(&scratch);
	return built;
}

/* Rows in all layouts, the cuts, and what finding them takes; a number is as wide as it may become. */
uint64_t
bins_memory(const FittedRecipe *recipe, const BinPlan *plan, int n_threads)
{
	uint64_t	n_wide = 0;

	for (uint32_t c = 0; c < recipe->n_columns; c++)
	{
		if (bins_at_most(&recipe->columns[c].recipe, plan->max_bin) > BINS_MAX)
			n_wide += recipe->columns[c].recipe.n_features;
	}

	uint64_t	n_narrow = recipe->n_features - n_wide;
	uint64_t	rest = n_narrow % GROUP_FEATURES;
	uint64_t	row_bytes = plan->by_row ? n_narrow - rest + (rest > 0 ? group_stride((uint32_t) rest) : 0) : 0;
	uint64_t	padding = 2 * 4160;
	uint64_t	of_feature = sizeof(BinFeature) + 2 * sizeof(uint32_t) + (cut_room(plan->max_bin) + middle_room(plan)) * sizeof(double) +
		BINS_MAX * sizeof(float);
	uint64_t	sampling = (uint64_t) n_threads * bin_sample_size(plan->n_rows) * 3 * sizeof(double) + plan->n_rows / 8;

	return plan->n_rows * (row_bytes + n_narrow + 2 * n_wide) + recipe->n_features * (of_feature + padding) + sampling;
}
