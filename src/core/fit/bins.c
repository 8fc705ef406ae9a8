/*
 * bins.c
 *		Features as bins: sampling, binning, and the layouts.
 *
 * Features are cut one by one (a task each) on up to SAMPLE_ROWS training
 * rows at equal distances in canonical order; then it is known which are
 * wide.  Then blocks of rows (a task each) are binned into the columns and,
 * while they are in cache, copied into the rows.  All memory is the arena's.
 */
#include "bins.h"

#include <math.h>
#include <string.h>

#include "kept_cuts.h"

#define SAMPLE_ROWS 200000
#define BLOCK_ROWS	1024

/* ---- Values ---- */

/* A raw value as feature `slot` of its column; what recipe_encode() gives there. */
static double
encoded_value(const RecipeColumn *column, uint32_t slot, double raw)
{
	double		features[2] = {NAN, NAN};	/* what a validation row that the recipe refuses keeps */

	if (column->encoding != ENCODING_ONEHOT)
	{
		recipe_encode(column, raw, features);
		return features[slot];
	}

	/* one of many: the index of the level decides, found by the same encoder */
	RecipeColumn ordinal = *column;

	ordinal.encoding = ENCODING_ORDINAL;
	ordinal.scaling = SCALING_NONE;
	recipe_encode(&ordinal, raw, features);
	return slot == column->n_categories ? features[1] : features[0] == (double) slot;
}

/* The values are those of the table: nothing is filled, scaled or spread. */
static bool
is_plain_number(const BinFeature *feature)
{
	const RecipeColumn *recipe = &feature->column->recipe;

	return feature->slot == 0 && recipe->kind != KIND_CATEGORY && recipe->missing == MISSING_NATIVE &&
		recipe->encoding == ENCODING_NATIVE && recipe->scaling == SCALING_NONE;
}

/* A category whose level index is its value; a missing one may have been filled. */
static bool
is_native_category(const RecipeColumn *recipe, uint32_t slot)
{
	return slot == 0 && recipe->kind == KIND_CATEGORY && recipe->encoding == ENCODING_NATIVE;
}

/* One value at a time through the encoder, unless the table has what is wanted. */
void
bins_values(const BinFeature *feature, size_t begin, size_t n, double *out)
{
	const FittedColumn *column = feature->column;

	if (is_plain_number(feature))
	{
		for (size_t i = 0; i < n; i++)
			out[i] = table_number(column->table, begin + i);
	}
	else
	{
		for (size_t i = 0; i < n; i++)
			out[i] = encoded_value(&column->recipe, feature->slot, recipe_raw(column, begin + i));
	}
}

/* ---- Cuts ---- */

/* A category has a bin for each level; a number has those that its values need. */
uint32_t
bins_at_most(const RecipeColumn *column, uint32_t max_bin)
{
	return 1 + (column->kind == KIND_CATEGORY && column->encoding == ENCODING_NATIVE ? column->n_categories : max_bin);
}

/* Cuts that a number has room for: those of a wide one need no infinities behind them. */
static inline size_t
cut_room(uint32_t max_bin)
{
	return max_bin < BINS_MAX ? BINS_MAX : max_bin;
}

/* One feature's part of the memory, at the places that its number implies. */
static bool
describe_features(BinnedMatrix *bins, const FitInput *input, uint32_t max_bin, Error *error)
{
	uint32_t	n = input->recipe->n_features;
	size_t		room = cut_room(max_bin);

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
		}
	}
	return true;
}

typedef struct CutWork
{
	BinnedMatrix *bins;
	RowRange	train;
	size_t		n_sample;
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

/* Task: the cuts of one feature. */
static void
cut_feature(void *argument, size_t task, int thread)
{
	const CutWork *work = argument;
	BinFeature *feature = &work->bins->features[task];

	feature->wide = feature->n_bins > BINS_MAX;
	if (feature->categorical)
		return;

	double	   *sample = work->samples + (size_t) thread * work->n_sample;
	size_t		n_rows = range_rows(work->train);

	if (work->n_sample == n_rows)
		bins_values(feature, work->train.begin, n_rows, sample);
	else
	{
		for (size_t i = 0; i < work->n_sample; i++)
			bins_values(feature, work->train.begin + (size_t) ((unsigned __int128) i * n_rows / work->n_sample), 1, &sample[i]);
	}
	bins_find_cuts(feature, sample, work->n_sample, work->max_bin, work->work + (size_t) thread * 2 * work->n_sample);
	if (work->kept != NULL)
		bins_keep_cuts(feature, kept_cuts_of(work->kept, (uint32_t) task), sample, work->n_sample, work->max_bin);
	feature->wide = feature->n_bins > BINS_MAX;
	for (uint32_t i = 0; i < BINS_MAX && !feature->wide; i++)
	{
		if (i >= feature->n_cuts)
			feature->cuts[i] = INFINITY;
		feature->float_cuts[i] = float_below(feature->cuts[i]);
	}
}

/* Cuts of all features. */
static bool
find_cuts(BinnedMatrix *bins, const FitInput *input, uint32_t max_bin, Error *error)
{
	size_t		n_rows = range_rows(input->table->train);
	size_t		n_threads = (size_t) pool_threads(input->pool);
	Arena		scratch;
	CutWork		work = {
		.bins = bins,
		.train = input->table->train,
		.n_sample = n_rows < SAMPLE_ROWS ? n_rows : SAMPLE_ROWS,
		.max_bin = max_bin,
		.kept = input->kept_cuts
	};

	arena_init(&scratch);
	work.samples = arena_alloc(&scratch, n_threads * work.n_sample, sizeof(double), error);
	work.work = arena_alloc(&scratch, n_threads * work.n_sample, 2 * sizeof(uint64_t), error);
	if (work.samples != NULL && work.work != NULL)
		pool_for_thread(input->pool, bins->n_features, cut_feature, &work);
	arena_free(&scratch);
	return work.samples != NULL && work.work != NULL;
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

/* Places groups and columns. */
static bool
lay_out(BinnedMatrix *bins, const FitInput *input, Error *error)
{
	bins->n_train = range_rows(input->table->train);
	bins->n_rows = bins->n_train + range_rows(input->table->validation);

	/* no multiple of 4096, or the same row of many columns falls on the same cache sets */
	bins->column_stride = (bins->n_rows + 4095) / 4096 * 4096 + 64;
	bins->columns = arena_alloc(input->arena, bins->column_stride, bins->n_narrow, error);
	bins->wide_columns = arena_alloc(input->arena, bins->column_stride * sizeof(uint16_t), bins->n_wide, error);
	bins->n_groups = (bins->n_narrow + GROUP_FEATURES - 1) / GROUP_FEATURES;
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
	const Table *table;
	size_t		train_blocks;
} FillWork;

/* Bins n rows, `table_row` first, of one feature. */
static void
fill_column(const BinFeature *feature, size_t table_row, size_t n, uint8_t *out)
{
	double		values[BLOCK_ROWS];
	const TableColumn *source = feature->column->table;

	if (is_plain_number(feature) && source->source->storage == STORAGE_FLOAT32)
	{
		bins_search_float(feature, source->u.f32 + table_row, n, out);
		return;
	}
	if (is_plain_number(feature) && source->source->storage == STORAGE_FLOAT64)
	{
		bins_search_double(feature, source->u.f64 + table_row, n, out);
		return;
	}
	bins_values(feature, table_row, n, values);
	if (!feature->categorical)
	{
		bins_search_double(feature, values, n, out);
		return;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = values[i] == values[i] ? (uint8_t) (values[i] + 1) : BIN_MISSING;
}

/* The same of a wide one. */
static void
fill_wide_column(const BinFeature *feature, size_t table_row, size_t n, uint16_t *out)
{
	double		values[BLOCK_ROWS];

	bins_values(feature, table_row, n, values);
	if (!feature->categorical)
	{
		bins_search_wide(feature, values, n, out);
		return;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = values[i] == values[i] ? (uint16_t) (values[i] + 1) : BIN_MISSING;
}

/* Task: one block of rows, all features, all layouts. */
static void
fill_block(void *argument, size_t task)
{
	const FillWork *work = argument;
	BinnedMatrix *bins = work->bins;
	bool		is_train = task < work->train_blocks;
	RowRange	range = is_train ? work->table->train : work->table->validation;
	size_t		offset = (is_train ? task : task - work->train_blocks) * BLOCK_ROWS;
	size_t		row = (is_train ? 0 : bins->n_train) + offset;
	size_t		n = range_rows(range) - offset < BLOCK_ROWS ? range_rows(range) - offset : BLOCK_ROWS;

	for (uint32_t g = 0; g < bins->n_groups; g++)
	{
		const BinGroup *group = &bins->groups[g];
		size_t		stride = group->stride;
		uint8_t    *rows = group->rows + row * stride;

		memset(rows, 0, n * stride);
		for (uint32_t k = 0; k < group->n_features; k++)
		{
			uint32_t	place = group->first_place + k;
			uint8_t    *column = bins->columns + place * bins->column_stride + row;

			fill_column(&bins->features[bins->narrow[place]], range.begin + offset, n, column);
			for (size_t i = 0; i < n; i++)
				rows[i * stride + k] = column[i];
		}
	}
	for (uint32_t place = 0; place < bins->n_wide; place++)
		fill_wide_column(&bins->features[bins->wide[place]], range.begin + offset, n,
						 bins->wide_columns + place * bins->column_stride + row);
}

/* Describes, cuts, lays out, fills. */
bool
bins_build(BinnedMatrix *bins, const FitInput *input, uint32_t max_bin, Error *error)
{
	if (!describe_features(bins, input, max_bin, error) || !find_cuts(bins, input, max_bin, error) ||
		!place_features(bins, input->arena, error) || !lay_out(bins, input, error))
		return false;

	FillWork	work = {
		.bins = bins,
		.table = input->table,
		.train_blocks = (bins->n_train + BLOCK_ROWS - 1) / BLOCK_ROWS
	};
	size_t		validation_blocks = (bins->n_rows - bins->n_train + BLOCK_ROWS - 1) / BLOCK_ROWS;

	pool_for(input->pool, work.train_blocks + validation_blocks, fill_block, &work);
	return true;
}

/* Rows in all layouts, and the cuts; a number is as wide as it may become. */
uint64_t
bins_memory(const FittedRecipe *recipe, uint64_t n_rows, uint32_t max_bin)
{
	uint64_t	n_wide = 0;

	for (uint32_t c = 0; c < recipe->n_columns; c++)
	{
		if (bins_at_most(&recipe->columns[c].recipe, max_bin) > BINS_MAX)
			n_wide += recipe->columns[c].recipe.n_features;
	}

	uint64_t	n_narrow = recipe->n_features - n_wide;
	uint64_t	rest = n_narrow % GROUP_FEATURES;
	uint64_t	row_bytes = n_narrow - rest + (rest > 0 ? group_stride((uint32_t) rest) : 0);
	uint64_t	padding = 2 * 4160;
	uint64_t	of_feature = sizeof(BinFeature) + 2 * sizeof(uint32_t) + cut_room(max_bin) * sizeof(double) + BINS_MAX * sizeof(float);

	return n_rows * (row_bytes + n_narrow + 2 * n_wide) + recipe->n_features * (of_feature + padding);
}
