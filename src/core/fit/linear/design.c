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

#include "design_survey.h"
#include "../table/encode.h"

/* At most so many left-out features are named. */
#define NAMED_FEATURES	8

/* Slots of a wave of blocks: enough to keep threads busy, few enough to stay small. */
#define SLOTS_MAX		64
#define SLOTS_MIN		4
#define SLOTS_DOUBLES	(8 * 1024 * 1024)

/* A panel shall stay in the second-level cache. */
#define PANEL_DOUBLES	(64 * 1024)
#define PANEL_MIN_ROWS	128

/* Added to the rows of a panel, so that its columns do not fall on the same cache sets. */
#define PANEL_PADDING	LINALG_LANES

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
	const Design *design = work->design;
	double	   *slot = work->slots + task * work->size;
	RowRange	block = design_block(design, work->first_block + task);

	memset(slot, 0, work->size * sizeof(double));
	for (size_t begin = block.begin; begin < block.end; begin += design->panel_rows)
	{
		RowRange	rows = {begin, begin + design->panel_rows < block.end ? begin + design->panel_rows : block.end};
		Panel		panel = design_encode(design, rows, thread);

		work->work(work->argument, rows, &panel, slot, thread);
	}
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

/* Rows of a panel: a share of a block. */
static size_t
panel_rows(size_t stride)
{
	size_t		rows = DESIGN_BLOCK_ROWS;

	while (rows > PANEL_MIN_ROWS && rows * stride > PANEL_DOUBLES)
		rows /= 2;
	return rows;
}

/* Doubles of a panel, and behind it of the raw values of a column. */
static size_t
panel_size(size_t stride)
{
	return (panel_rows(stride) + PANEL_PADDING) * (stride + 1);
}

/* Zeros behind n values, up to the next multiple of LINALG_LANES. */
static inline void
end_with_zeros(double *values, size_t n)
{
	memset(values + n, 0, (linalg_stride(n) - n) * sizeof(double));
}

/* The column behind the features. */
static void
encode_last(const Design *design, RowRange rows, double *out)
{
	for (size_t row = rows.begin; row < rows.end; row++)
		out[row - rows.begin] = design->last == DESIGN_ONE ? 1 : design->y[row] - design->target_center;
}

/* Has a column's rows fetched while another is encoded: rows are too few at a time for the processor to foresee it. */
static inline void
prefetch_rows(const FittedColumn *column, size_t begin, size_t n)
{
	size_t		width = column->recipe.storage == STORAGE_FLOAT64 ? 8 : 4;
	const char *bytes = (const char *) column->table->u.f32 + (begin - column->table->gathered.begin) * width;

	for (size_t i = 0; i < n * width; i += 64)
		__builtin_prefetch(bytes + i);
}

Panel
design_encode(const Design *design, RowRange rows, int thread)
{
	const FittedRecipe *recipe = design->input->recipe;
	size_t		train = design->input->table->train.begin;
	size_t		ld = design->panel_rows + PANEL_PADDING;
	size_t		n = range_rows(rows);
	double	   *x = design->panels + (size_t) thread * design->panel_size;
	double	   *raw = x + design->stride * ld;
	uint32_t	column = 0;
	bool		loaded = false;

	for (uint32_t j = 0; j < design->n_columns; j++)
	{
		const FittedColumn *fitted = &recipe->columns[column];

		/* features are in the order of the columns */
		while (design->feature[j] >= fitted->recipe.first_feature + fitted->recipe.n_features)
		{
			fitted = &recipe->columns[++column];
			loaded = false;
		}
		if (!loaded)
		{
			if (column + 1 < recipe->n_columns)
				prefetch_rows(fitted + 1, train + rows.begin, n);
			encode_raw(fitted, train + rows.begin, n, raw);
		}
		loaded = true;
		encode_feature(&fitted->recipe, design->feature[j] - fitted->recipe.first_feature, raw, n, design->center[j], x + j * ld);
		end_with_zeros(x + j * ld, n);
	}
	encode_last(design, rows, x + design->n_columns * ld);
	end_with_zeros(x + design->n_columns * ld, n);
	return (Panel) {x, ld, n, design->n_columns + 1};
}

/* ---- Choosing columns ---- */

/* The most frequent level of a one-hot column whose levels add up to 1 in every row; none: n_features of the recipe. */
static uint32_t
reference_level(const Design *design, const FittedColumn *column, const FeatureSurvey *survey)
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
		total += survey->count[j];
		if (survey->count[j] > survey->count[best])
			best = j;
	}
	return total == (double) design->n_rows ? best : none;
}

/* Features that vary and are no reference level. */
static bool
choose_columns(Design *design, const FeatureSurvey *survey, bool drop_reference, Error *error)
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
		uint32_t	reference = drop_reference ? reference_level(design, &recipe->columns[i], survey) : recipe->n_features;

		for (uint32_t j = column->first_feature; j < column->first_feature + column->n_features; j++)
		{
			if (survey->lowest[j] == survey->highest[j] || j == reference)
				continue;

			double		center = survey->sum[j] / design->weight_sum;

			design->feature[design->n_columns] = j;
			design->center[design->n_columns] = center;
			design->reach[design->n_columns] = fmax(survey->highest[j] - center, center - survey->lowest[j]);
			design->n_columns++;
		}
	}
	return true;
}

/* The mean of the target, summed block by block. */
static double
mean_target(const Design *design)
{
	double		total = 0;

	for (size_t block = 0; block < design_blocks(design); block++)
	{
		RowRange	rows = design_block(design, block);
		double		sum = 0;

		for (size_t row = rows.begin; row < rows.end; row++)
			sum += (design->weight != NULL ? design->weight[row] : 1) * design->y[row];
		total += sum;
	}
	return total / design->weight_sum;
}

bool
design_build(Design *design, const FitInput *input, DesignLast last, bool drop_reference, Error *error)
{
	size_t		begin = input->table->train.begin;
	FeatureSurvey survey;

	memset(design, 0, sizeof(*design));
	design->input = input;
	design->last = last;
	design->n_rows = range_rows(input->table->train);
	design->stride = linalg_stride((size_t) input->recipe->n_features + 1);
	design->y = input->target + begin;
	design->weight = input->weight != NULL ? input->weight + begin : NULL;
	design->panel_rows = panel_rows(design->stride);
	design->panel_size = panel_size(design->stride);
	design->panels = arena_zeroed(input->arena, (size_t) pool_threads(input->pool) * design->panel_size, sizeof(double), error);
	if (design->panels == NULL || !design_survey(design, &survey, error) || !choose_columns(design, &survey, drop_reference, error))
		return false;
	if (last == DESIGN_TARGET)
		design->target_center = mean_target(design);
	return true;
}

void
design_keep(Design *design, const bool *keep)
{
	uint32_t	n = 0;

	for (uint32_t j = 0; j < design->n_columns; j++)
	{
		if (!keep[j])
			continue;
		design->feature[n] = design->feature[j];
		design->center[n] = design->center[j];
		design->reach[n] = design->reach[j];
		n++;
	}
	design->n_columns = n;

	/* columns behind the last one are zero */
	memset(design->panels, 0, (size_t) pool_threads(design->input->pool) * design->panel_size * sizeof(double));
}

uint64_t
design_memory(uint64_t n_rows, uint32_t n_features, int n_threads)
{
	uint64_t	stride = linalg_stride((size_t) n_features + 1);
	uint64_t	n_blocks = n_rows / DESIGN_BLOCK_ROWS + 1;

	uint64_t	of_thread = panel_size(stride) + DESIGN_SURVEY_SCRATCH;

	return (n_blocks * (4 * (uint64_t) n_features + 1) + (uint64_t) n_threads * of_thread) * sizeof(double);
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
