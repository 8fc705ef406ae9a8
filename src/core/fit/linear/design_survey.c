/*
 * design_survey.c
 *		What the features of the training rows are like, before columns are chosen.
 *
 * One pass over the rows, block by block on all threads; what a block sums up
 * is added in the order of the blocks.
 */
#include "design_survey.h"

#include <math.h>

#include "../../cpu.h"
#include "../table/encode.h"

typedef double Lanes __attribute__((vector_size(LINALG_LANES * sizeof(double)), may_alias));
typedef int64_t LaneMask __attribute__((vector_size(LINALG_LANES * sizeof(int64_t)), may_alias));

typedef struct SurveyWork
{
	Design	   *design;
	uint32_t	n_features;
	double	   *partial;		/* for each block: 4 x n_features + 1 doubles */
	double	   *scratch;		/* DESIGN_SURVEY_SCRATCH for each thread */
} SurveyWork;

/* Of n values, zeros behind them, and their weights: weighted sum, count of those other than 0, lowest and highest. */
CPU_BODY void
survey_values_body(const double *values, const double *weights, size_t n, double *sum, double *count, double *lowest, double *highest)
{
	Lanes		sums = {0};
	Lanes		low = values[0] - (Lanes) {0};
	Lanes		high = low;
	LaneMask	counts = {0};
	size_t		i = 0;

	for (; i + LINALG_LANES <= n; i += LINALG_LANES)
	{
		Lanes		value = *(const Lanes *) (values + i);
		LaneMask	lower = value < low;
		LaneMask	higher = value > high;

		sums += *(const Lanes *) (weights + i) * value;
		counts += value != 0;
		low = (Lanes) (((LaneMask) value & lower) | ((LaneMask) low & ~lower));
		high = (Lanes) (((LaneMask) value & higher) | ((LaneMask) high & ~higher));
	}
	*lowest = low[0];
	*highest = high[0];
	*count = 0;
	for (int lane = 0; lane < LINALG_LANES; lane++)
	{
		*lowest = low[lane] < *lowest ? low[lane] : *lowest;
		*highest = high[lane] > *highest ? high[lane] : *highest;
		*count -= (double) counts[lane];
	}
	for (; i < n; i++)
	{
		sums[i % LINALG_LANES] += weights[i] * values[i];
		*count += values[i] != 0;
		*lowest = values[i] < *lowest ? values[i] : *lowest;
		*highest = values[i] > *highest ? values[i] : *highest;
	}
	*sum = ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

CPU_DISPATCH(survey_values,
			 (const double *values, const double *weights, size_t n, double *sum, double *count, double *lowest, double *highest),
			 (values, weights, n, sum, count, lowest, highest))

/* Sums a block of rows by feature. */
static void
survey_block(void *argument, size_t block, int thread)
{
	const SurveyWork *work = argument;
	const Design *design = work->design;
	const FittedRecipe *recipe = design->input->recipe;
	RowRange	rows = design_block(design, block);
	size_t		n = range_rows(rows);
	uint32_t	n_features = work->n_features;
	double	   *raw = work->scratch + (size_t) thread * DESIGN_SURVEY_SCRATCH;
	double	   *values = raw + DESIGN_BLOCK_ROWS;
	double	   *weights = values + DESIGN_BLOCK_ROWS;
	double	   *partial = work->partial + block * (4 * (size_t) n_features + 1);

	partial[4 * (size_t) n_features] = 0;
	for (size_t i = 0; i < n; i++)
	{
		weights[i] = design->weight != NULL ? design->weight[rows.begin + i] : 1;
		partial[4 * (size_t) n_features] += weights[i];
	}
	for (uint32_t c = 0; c < recipe->n_columns; c++)
	{
		const FittedColumn *column = &recipe->columns[c];

		encode_raw(column, design->input->table->train.begin + rows.begin, n, raw);
		for (uint32_t i = 0; i < column->recipe.n_features; i++)
		{
			double	   *feature = partial + column->recipe.first_feature + i;

			encode_feature(&column->recipe, i, raw, n, 0, values);
			survey_values(values, weights, n, feature, feature + n_features, feature + 2 * n_features, feature + 3 * n_features);
		}
	}
}

/* Adds up the blocks, in their order. */
static void
merge_sums(const SurveyWork *work, FeatureSurvey *survey)
{
	size_t		n = work->n_features;

	for (size_t block = 0; block < design_blocks(work->design); block++)
	{
		const double *partial = work->partial + block * (4 * n + 1);

		for (size_t j = 0; j < n; j++)
		{
			survey->sum[j] += partial[j];
			survey->count[j] += partial[n + j];
			if (block == 0 || partial[2 * n + j] < survey->lowest[j])
				survey->lowest[j] = partial[2 * n + j];
			if (block == 0 || partial[3 * n + j] > survey->highest[j])
				survey->highest[j] = partial[3 * n + j];
		}
		work->design->weight_sum += partial[4 * n];
	}
}

bool
design_survey(Design *design, FeatureSurvey *survey, Error *error)
{
	const FitInput *input = design->input;
	uint32_t	n = input->recipe->n_features;
	SurveyWork	work = {.design = design, .n_features = n};

	work.partial = arena_alloc(input->arena, design_blocks(design) * (4 * (size_t) n + 1), sizeof(double), error);
	work.scratch = arena_alloc(input->arena, (size_t) pool_threads(input->pool) * DESIGN_SURVEY_SCRATCH, sizeof(double), error);
	survey->sum = arena_zeroed(input->arena, n, sizeof(double), error);
	survey->count = arena_zeroed(input->arena, n, sizeof(double), error);
	survey->lowest = arena_zeroed(input->arena, n, sizeof(double), error);
	survey->highest = arena_zeroed(input->arena, n, sizeof(double), error);
	if (work.partial == NULL || work.scratch == NULL || survey->sum == NULL || survey->count == NULL || survey->lowest == NULL || survey->highest == NULL)
		return false;

	pool_for_thread(input->pool, design_blocks(design), survey_block, &work);
	merge_sums(&work, survey);
	for (uint32_t j = 0; j < n; j++)
		if (!isfinite(survey->lowest[j]) || !isfinite(survey->highest[j]) || !isfinite(survey->sum[j]))
		{
			char		name[256];

			design_feature_name(input->recipe, j, name, sizeof(name));
			error_set(error, ERROR_DATA, "%s holds infinite or missing values, which a linear model cannot use", name);
			return error_hint(error, "Leave these rows out of the source query, or exclude the column.");
		}
	return true;
}
