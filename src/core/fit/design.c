/*
 * design.c
 *		The encoded training rows of a linear model, centred, and sums over them.
 *
 * All memory is the fit's arena.  Blocks of rows are worked on by all
 * threads; what they sum up lies in a slot a block, and slots are added in
 * the order of the blocks.
 */
#include "design.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* At most so many left-out features are named. */
#define NAMED_FEATURES	8

/* Slots of a wave of blocks: enough to keep threads busy, few enough to stay small. */
#define SLOTS_MAX		64
#define SLOTS_MIN		4
#define SLOTS_DOUBLES	(8 * 1024 * 1024)

/* ---- Sums over blocks ---- */

typedef struct SumWork
{
	const Design *design;
	DesignSum	work;
	void	   *argument;
	size_t		first_block;
	size_t		size;
	double	   *slots;
} SumWork;

static size_t
slot_count(size_t size)
{
	size_t		n = SLOTS_DOUBLES / (size > 0 ? size : 1);

	return n < SLOTS_MIN ? SLOTS_MIN : n > SLOTS_MAX ? SLOTS_MAX : n;
}

size_t
design_slots(size_t size)
{
	return slot_count(size) * size;
}

static void
sum_block(void *argument, size_t task, int thread)
{
	const SumWork *work = argument;
	double	   *slot = work->slots + task * work->size;

	memset(slot, 0, work->size * sizeof(double));
	work->work(work->argument, design_block(work->design, work->first_block + task), slot, thread);
}

void
design_sum(const Design *design, DesignSum work, void *argument, size_t size, double *slots, double *total)
{
	size_t		n_blocks = design_blocks(design);
	size_t		n_slots = slot_count(size);
	SumWork		wave = {.design = design, .work = work, .argument = argument, .size = size, .slots = slots};

	memset(total, 0, size * sizeof(double));
	for (; wave.first_block < n_blocks; wave.first_block += n_slots)
	{
		size_t		n = n_blocks - wave.first_block < n_slots ? n_blocks - wave.first_block : n_slots;

		pool_for_thread(design->input->pool, n, sum_block, &wave);
		for (size_t slot = 0; slot < n; slot++)
			for (size_t i = 0; i < size; i++)
				total[i] += slots[slot * size + i];
	}
}

/* ---- Encoding ---- */

/* What is known of each feature before columns are chosen. */
typedef struct FeatureSums
{
	double	   *sum;			/* weighted */
	double	   *count;			/* of values other than 0 */
	double	   *lowest;
	double	   *highest;
} FeatureSums;

typedef struct EncodeWork
{
	Design	   *design;
	uint32_t	n_features;
	double	   *partial;		/* for each block: 4 x stride + 1 doubles */
} EncodeWork;

static inline double
row_weight(const Design *design, size_t row)
{
	return design->weight != NULL ? design->weight[row] : 1;
}

/* Encodes a block of rows, and sums them by feature. */
static void
encode_block(void *argument, size_t block)
{
	const EncodeWork *work = argument;
	Design	   *design = work->design;
	size_t		stride = design->stride;
	RowRange	rows = design_block(design, block);
	size_t		train = design->input->table->train.begin;
	double	   *sum = work->partial + block * (4 * stride + 1);
	double	   *count = sum + stride;
	double	   *lowest = count + stride;
	double	   *highest = lowest + stride;
	double	   *weight_sum = highest + stride;

	recipe_encode_rows(design->input->recipe, (RowRange) {train + rows.begin, train + rows.end}, design->x + rows.begin * stride, stride);
	memset(sum, 0, (4 * stride + 1) * sizeof(double));
	for (size_t row = rows.begin; row < rows.end; row++)
	{
		double	   *x = design->x + row * stride;
		double		weight = row_weight(design, row);

		for (uint32_t j = 0; j < work->n_features; j++)
		{
			sum[j] += weight * x[j];
			count[j] += x[j] != 0;
			lowest[j] = row == rows.begin || x[j] < lowest[j] ? x[j] : lowest[j];
			highest[j] = row == rows.begin || x[j] > highest[j] ? x[j] : highest[j];
		}
		memset(x + work->n_features, 0, (stride - work->n_features) * sizeof(double));
		*weight_sum += weight;
	}
}

/* Adds up the blocks, in their order. */
static void
merge_sums(const EncodeWork *work, FeatureSums *sums)
{
	size_t		stride = work->design->stride;

	for (size_t block = 0; block < design_blocks(work->design); block++)
	{
		const double *partial = work->partial + block * (4 * stride + 1);

		for (uint32_t j = 0; j < work->n_features; j++)
		{
			sums->sum[j] += partial[j];
			sums->count[j] += partial[stride + j];
			if (block == 0 || partial[2 * stride + j] < sums->lowest[j])
				sums->lowest[j] = partial[2 * stride + j];
			if (block == 0 || partial[3 * stride + j] > sums->highest[j])
				sums->highest[j] = partial[3 * stride + j];
		}
		work->design->weight_sum += partial[4 * stride];
	}
}

static bool
encode(Design *design, FeatureSums *sums, Error *error)
{
	const FitInput *input = design->input;
	uint32_t	n = input->recipe->n_features;
	EncodeWork	work = {.design = design, .n_features = n};

	design->x = arena_alloc(input->arena, design->n_rows * design->stride, sizeof(double), error);
	work.partial = arena_alloc(input->arena, design_blocks(design) * (4 * design->stride + 1), sizeof(double), error);
	sums->sum = arena_zeroed(input->arena, n, sizeof(double), error);
	sums->count = arena_zeroed(input->arena, n, sizeof(double), error);
	sums->lowest = arena_zeroed(input->arena, n, sizeof(double), error);
	sums->highest = arena_zeroed(input->arena, n, sizeof(double), error);
	if (design->x == NULL || work.partial == NULL || sums->sum == NULL || sums->count == NULL || sums->lowest == NULL || sums->highest == NULL)
		return false;

	pool_for(input->pool, design_blocks(design), encode_block, &work);
	merge_sums(&work, sums);
	for (uint32_t j = 0; j < n; j++)
		if (!isfinite(sums->lowest[j]) || !isfinite(sums->highest[j]) || !isfinite(sums->sum[j]))
		{
			char		name[256];

			design_feature_name(input->recipe, j, name, sizeof(name));
			error_set(error, ERROR_DATA, "%s holds infinite or missing values, which a linear model cannot use", name);
			return error_hint(error, "Leave these rows out of the source query, or exclude the column.");
		}
	return true;
}

/* ---- Choosing columns ---- */

/* The most frequent level of a one-hot column whose levels add up to 1 in every row; none: n_features of the recipe. */
static uint32_t
reference_level(const Design *design, const FittedColumn *column, const FeatureSums *sums)
{
	const RecipeColumn *recipe = &column->recipe;
	uint32_t	none = design->input->recipe->n_features;
	uint32_t	n_levels = recipe->n_features - (recipe->indicator == 1);
	uint32_t	best = recipe->first_feature;
	double		total = 0;

	if (recipe->encoding != ENCODING_ONEHOT || n_levels == 0)
		return none;
	for (uint32_t j = recipe->first_feature; j < recipe->first_feature + n_levels; j++)
	{
		total += sums->count[j];
		if (sums->count[j] > sums->count[best])
			best = j;
	}
	return total == (double) design->n_rows ? best : none;
}

/* Features that vary and are no reference level. */
static bool
choose_columns(Design *design, const FeatureSums *sums, bool drop_reference, Error *error)
{
	const FittedRecipe *recipe = design->input->recipe;

	design->feature = arena_alloc(design->input->arena, recipe->n_features, sizeof(uint32_t), error);
	design->center = arena_alloc(design->input->arena, recipe->n_features, sizeof(double), error);
	design->reach = arena_alloc(design->input->arena, recipe->n_features, sizeof(double), error);
	if (design->feature == NULL || design->center == NULL || design->reach == NULL)
		return false;

	for (uint32_t i = 0; i < recipe->n_columns; i++)
	{
		const RecipeColumn *column = &recipe->columns[i].recipe;
		uint32_t	reference = drop_reference ? reference_level(design, &recipe->columns[i], sums) : recipe->n_features;

		for (uint32_t j = column->first_feature; j < column->first_feature + column->n_features; j++)
		{
			if (sums->lowest[j] == sums->highest[j] || j == reference)
				continue;

			double		center = sums->sum[j] / design->weight_sum;

			design->feature[design->n_columns] = j;
			design->center[design->n_columns] = center;
			design->reach[design->n_columns] = fmax(sums->highest[j] - center, center - sums->lowest[j]);
			design->n_columns++;
		}
	}
	return true;
}

/* Moves the chosen columns of a block to the front, centred; columns only move to the left. */
static void
center_block(void *argument, size_t block)
{
	const Design *design = argument;
	RowRange	rows = design_block(design, block);

	for (size_t row = rows.begin; row < rows.end; row++)
	{
		double	   *x = design->x + row * design->stride;

		for (uint32_t j = 0; j < design->n_columns; j++)
			x[j] = x[design->feature[j]] - design->center[j];
		memset(x + design->n_columns, 0, (design->stride - design->n_columns) * sizeof(double));
	}
}

bool
design_build(Design *design, const FitInput *input, bool drop_reference, Error *error)
{
	size_t		begin = input->table->train.begin;
	FeatureSums sums;

	memset(design, 0, sizeof(*design));
	design->input = input;
	design->n_rows = range_rows(input->table->train);
	design->stride = linalg_stride((size_t) input->recipe->n_features + 1);
	design->y = input->target + begin;
	design->weight = input->weight != NULL ? input->weight + begin : NULL;
	if (!encode(design, &sums, error) || !choose_columns(design, &sums, drop_reference, error))
		return false;
	pool_for(input->pool, design_blocks(design), center_block, design);
	return true;
}

typedef struct KeepWork
{
	const Design *design;
	const bool *keep;
	uint32_t	n_before;
} KeepWork;

static void
keep_block(void *argument, size_t block)
{
	const KeepWork *work = argument;
	RowRange	rows = design_block(work->design, block);

	for (size_t row = rows.begin; row < rows.end; row++)
	{
		double	   *x = work->design->x + row * work->design->stride;
		uint32_t	n = 0;

		for (uint32_t j = 0; j < work->n_before; j++)
			if (work->keep[j])
				x[n++] = x[j];
		memset(x + n, 0, (work->design->stride - n) * sizeof(double));
	}
}

void
design_keep(Design *design, const bool *keep)
{
	KeepWork	work = {.design = design, .keep = keep, .n_before = design->n_columns};
	uint32_t	n = 0;

	for (uint32_t j = 0; j < work.n_before; j++)
	{
		if (!keep[j])
			continue;
		design->feature[n] = design->feature[j];
		design->center[n] = design->center[j];
		design->reach[n] = design->reach[j];
		n++;
	}
	design->n_columns = n;
	pool_for(design->input->pool, design_blocks(design), keep_block, &work);
}

uint64_t
design_memory(uint64_t n_rows, uint32_t n_features)
{
	uint64_t	stride = linalg_stride((size_t) n_features + 1);
	uint64_t	n_blocks = n_rows / DESIGN_BLOCK_ROWS + 1;

	return (n_rows * stride + n_blocks * (4 * stride + 1)) * sizeof(double);
}

/* ---- Back to features ---- */

double
design_expand(const Design *design, const double *coefficients, double intercept, double *weights)
{
	memset(weights, 0, design->input->recipe->n_features * sizeof(double));
	for (uint32_t j = 0; j < design->n_columns; j++)
	{
		weights[design->feature[j]] = coefficients[j];
		intercept -= coefficients[j] * design->center[j];
	}
	return intercept;
}

void
design_means(const Design *design, double *means)
{
	memset(means, 0, design->input->recipe->n_features * sizeof(double));
	for (uint32_t j = 0; j < design->n_columns; j++)
		means[design->feature[j]] = design->center[j];
}

void
design_feature_name(const FittedRecipe *recipe, uint32_t feature, char *out, size_t out_size)
{
	uint32_t	i = 0;

	while (i + 1 < recipe->n_columns && feature >= recipe->columns[i].recipe.first_feature + recipe->columns[i].recipe.n_features)
		i++;

	const FittedColumn *column = &recipe->columns[i];
	const char *name = column->table->source->name;
	uint32_t	index = feature - column->recipe.first_feature;

	if (column->recipe.indicator == 1 && index + 1 == column->recipe.n_features)
		snprintf(out, out_size, "\"%s is missing\"", name);
	else if (column->recipe.encoding == ENCODING_ONEHOT)
		snprintf(out, out_size, "\"%s = %.*s\"", name, (int) (column->level_lengths[index] < 100 ? column->level_lengths[index] : 100),
				 column->levels[index]);
	else
		snprintf(out, out_size, "\"%s\"", name);
}

void
design_notice_aliased(const Design *design, const int *columns, uint32_t n)
{
	const FitMonitor *monitor = design->input->monitor;
	char		text[NAMED_FEATURES * 256 + 256];
	int			length;

	if (n == 0)
		return;
	length = snprintf(text, sizeof(text), "features that others determine got the coefficient 0: ");
	for (uint32_t i = 0; i < n && i < NAMED_FEATURES; i++)
	{
		char		name[250];

		design_feature_name(design->input->recipe, design->feature[columns[i]], name, sizeof(name));
		length += snprintf(text + length, sizeof(text) - (size_t) length, "%s%s", i > 0 ? ", " : "", name);
	}
	if (n > NAMED_FEATURES)
		snprintf(text + length, sizeof(text) - (size_t) length, " and %u more", n - NAMED_FEATURES);
	monitor->notice(monitor->context, text);
}
