/*
 * scoring.c
 *		How good a model is on rows: predictions and metrics.
 *
 * Rows are predicted by the opened model itself, by the same code that
 * answers predict(); each row is independent, so any number of threads gives
 * the same outputs.
 */
#include "trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../core/fit/linear/linalg.h"
#include "../core/fit/table/encode.h"
#include "../core/model/linear_model.h"
#include "../core/ready/ready.h"

#define SCORE_BLOCK_ROWS 1024
#define SCORE_TILE_ROWS 256		/* predicted at a time, where the model takes many */
#define READY_MIN_ROWS 1024		/* fewer are predicted before trees are ready */

typedef struct ScoreWork
{
	const Model *model;
	const RowSource *source;
	RowRange	range;
	double	   *outputs;
	double	   *scratch;		/* for each thread: a raw row and its features, or a feature and the scores of a tile */
	size_t		scratch_size;	/* doubles a thread */
	const Ready *ready;			/* of trees, or NULL */
	uint8_t    *lanes;			/* lanes_size for each thread: binned rows and the scratch of ready_block() */
	size_t		lanes_size;
	uint8_t    *failed;			/* for each block */
} ScoreWork;

/* The model's raw values of a feature's categories; NaN for those it does not know. */
static double *
translate_codes(const TableColumn *column, const Model *model, const RecipeColumn *wanted, Arena *arena, Error *error)
{
	double	   *raw = arena_alloc(arena, column->n_levels, sizeof(double), error);

	if (raw != NULL)
		for (uint32_t code = 0; code < column->n_levels; code++)
			raw[code] = model_category(model, wanted, column->levels[code], column->level_lengths[code]);
	return raw;
}

bool
row_source_init(RowSource *source, const Table *table, const Model *model, Arena *arena, Error *error)
{
	if (table->n_features != model->n_columns)
		return error_set(error, ERROR_COLUMN, "the rows have %u feature columns, but the model needs %u", table->n_features, model->n_columns);
	source->table = table;
	source->shuffled = NULL;
	source->raw_of_code = arena_zeroed(arena, table->n_features, sizeof(double *), error);
	if (source->raw_of_code == NULL)
		return false;

	for (uint32_t i = 0; i < table->n_features; i++)
	{
		const TableColumn *column = &table->features[i];
		const RecipeColumn *wanted = &model->columns[i];
		bool		coded = column->source->storage == STORAGE_CODE;

		if (strcmp(column->source->name, model_string(model, wanted->name)) != 0)
			return error_set(error, ERROR_COLUMN, "feature column %u is \"%s\", but the model needs \"%s\" there", i + 1,
							 column->source->name, model_string(model, wanted->name));
		if (coded != (wanted->storage == STORAGE_CODE))
			return error_set(error, ERROR_TYPE, "column \"%s\" is of type %s, but the model was trained with type %s",
							 column->source->name, column->source->type_name, model_string(model, wanted->type_name));
		if (coded)
		{
			source->raw_of_code[i] = translate_codes(column, model, wanted, arena, error);
			if (source->raw_of_code[i] == NULL)
				return false;
		}
	}
	return true;
}

/* The raw value of a feature as the model wants it. */
static inline double
raw_value(const RowSource *source, uint32_t feature, size_t row)
{
	const TableColumn *column = &source->table->features[feature];

	if (source->raw_of_code[feature] == NULL)
		return table_number(column, row);

	uint32_t	code = table_code(column, row);

	return code == CODE_MISSING ? NAN : source->raw_of_code[feature][code];
}

/* A category that training never saw, where the recipe refuses those. */
static bool
check_unseen(const Model *model, const RowSource *source, uint32_t feature, size_t row, Error *error)
{
	const TableColumn *column = &source->table->features[feature];
	uint32_t	code = table_code(column, row);

	if (code == CODE_MISSING || !isnan(source->raw_of_code[feature][code]) || !recipe_unseen_is_error(&model->columns[feature]))
		return true;
	error_set(error, ERROR_DATA, "column \"%s\" holds the category \"%.*s\", which the model does not know",
			  model_string(model, model->columns[feature].name),
			  (int) (column->level_lengths[code] < 200 ? column->level_lengths[code] : 200), column->levels[code]);
	error_detail(error, "Its recipe says \"unseen\": \"error\"; the training rows lack this category, or more frequent ones took its place.");
	return error_hint(error, "Leave these rows out of the source query, or use \"unseen\": \"missing\".");
}

/* The row that the value of a feature comes from. */
static inline size_t
source_row(const RowSource *source, uint32_t feature, size_t row)
{
	return source->shuffled != NULL && feature == source->shuffled_feature ? source->shuffled[row] : row;
}

/* The raw values of a row; false with an error where the recipe refuses a category. */
static bool
load_row(const ScoreWork *work, size_t row, double *raw, Error *error)
{
	const RowSource *source = work->source;

	for (uint32_t feature = 0; feature < work->model->n_columns; feature++)
	{
		size_t		from = source_row(source, feature, row);

		if (source->raw_of_code[feature] != NULL && !check_unseen(work->model, source, feature, from, error))
			return false;
		raw[feature] = raw_value(source, feature, from);
	}
	return true;
}

/* Predicts rows [range) one by one; false with an error at the first one that the recipe refuses. */
static bool
score_one_by_one(const ScoreWork *work, RowRange range, double *scratch, Error *error)
{
	const Model *model = work->model;
	double	   *raw = scratch;
	double	   *features = raw + model->n_columns;

	for (size_t row = range.begin; row < range.end; row++)
	{
		if (!load_row(work, row, raw, error) ||
			!model_predict(model, raw, features, work->outputs + (row - work->range.begin) * model->n_outputs, error))
			return false;
	}
	return true;
}

/* Predicts rows [range) by trees made ready to run, READY_ROWS at a time; fails likewise. */
static bool
score_ready(const ScoreWork *work, RowRange range, int thread, double *scratch, Error *error)
{
	const Model *model = work->model;
	const Ready *ready = work->ready;
	uint8_t    *lanes = work->lanes + (size_t) thread * work->lanes_size;
	uint8_t    *sums = lanes + READY_ROWS * ready->row_size;
	double	   *raw = scratch;
	double	   *features = raw + model->n_columns;

	for (size_t begin = range.begin; begin < range.end; begin += READY_ROWS)
	{
		uint32_t	n = range.end - begin < READY_ROWS ? (uint32_t) (range.end - begin) : READY_ROWS;

		for (uint32_t i = 0; i < n; i++)
		{
			if (!load_row(work, begin + i, raw, error) || !ready_bin(ready, raw, features, lanes + i * ready->row_size, error))
				return false;
		}
		ready_block(ready, lanes, n, sums, work->outputs + (begin - work->range.begin) * model->n_outputs);
	}
	return true;
}

/* The raw values of a feature of rows [range); false where the recipe refuses one of them. */
static bool
load_raw(const ScoreWork *work, uint32_t feature, RowRange range, double *raw)
{
	const RowSource *source = work->source;
	const RecipeColumn *recipe = &work->model->columns[feature];
	bool		refused = false;

	for (size_t row = range.begin; row < range.end; row++)
	{
		double		value = raw_value(source, feature, source_row(source, feature, row));

		refused |= isnan(value) && (recipe->missing == MISSING_ERROR || recipe_unseen_is_error(recipe));
		raw[row - range.begin] = value;
	}
	encode_round(recipe, raw, range_rows(range));
	return !refused;
}

/*
 * Predicts rows [range) by a linear model, feature by feature: each row adds
 * its terms in the same order as linear_model_predict(), so the outputs are
 * the same.  False, with nothing done, where a row is to be looked at by itself.
 */
static bool
score_linear(const ScoreWork *work, RowRange range, double *scratch)
{
	const Model *model = work->model;
	const LinearPayload *payload = model->payload;
	double	   *raw = scratch;
	double	   *values = raw + SCORE_TILE_ROWS;
	double	   *scores = values + SCORE_TILE_ROWS;
	size_t		n = range_rows(range);
	size_t		padded = linalg_stride(n);

	for (uint32_t g = 0; g < payload->n_scores; g++)
		for (size_t i = 0; i < padded; i++)
			scores[g * SCORE_TILE_ROWS + i] = linear_intercept(payload)[g];
	for (uint32_t c = 0; c < model->n_columns && payload->n_features > 0; c++)
	{
		const RecipeColumn *column = &model->columns[c];

		if (!load_raw(work, c, range, raw))
			return false;
		for (uint32_t i = 0; i < column->n_features; i++)
		{
			encode_feature(column, i, raw, n, 0, values);
			for (uint32_t g = 0; g < payload->n_scores; g++)
				linalg_axpy(linear_weights(payload, g)[column->first_feature + i], values, scores + g * SCORE_TILE_ROWS, padded);
		}
	}
	for (size_t i = 0; i < n; i++)
	{
		double	   *out = work->outputs + (range.begin - work->range.begin + i) * model->n_outputs;

		for (uint32_t g = 0; g < payload->n_scores; g++)
			out[g] = scores[g * SCORE_TILE_ROWS + i];
		linear_model_link(model, out);
	}
	return true;
}

/* Predicts one block; false with an error at the first row that the recipe refuses. */
static bool
score_block(const ScoreWork *work, size_t block, int thread, Error *error)
{
	double	   *scratch = work->scratch + (size_t) thread * work->scratch_size;
	size_t		begin = work->range.begin + block * SCORE_BLOCK_ROWS;
	size_t		end = begin + SCORE_BLOCK_ROWS < work->range.end ? begin + SCORE_BLOCK_ROWS : work->range.end;

	for (; begin < end; begin += SCORE_TILE_ROWS)
	{
		RowRange	tile = {begin, begin + SCORE_TILE_ROWS < end ? begin + SCORE_TILE_ROWS : end};

		if (model_is_linear(work->model) && score_linear(work, tile, scratch))
			continue;
		if (work->ready != NULL)
		{
			if (!score_ready(work, tile, thread, scratch, error))
				return false;
			continue;
		}
		if (!score_one_by_one(work, tile, scratch, error))
			return false;
	}
	return true;
}

static void
score_task(void *argument, size_t block, int thread)
{
	ScoreWork  *work = argument;
	Error		error;

	work->failed[block] = !score_block(work, block, thread, &error);
}

/* Makes trees ready to run, where that is possible and there are rows enough; false only without memory. */
static bool
make_ready(ScoreWork *work, Ready *ready, int n_threads, Arena *arena, Error *error)
{
	ReadyPlan  *plan = range_rows(work->range) < READY_MIN_ROWS ? NULL : ready_plan(work->model);

	if (plan == NULL)
		return true;

	void	   *bytes = arena_alloc(arena, ready_plan_size(plan), 1, error);

	if (bytes != NULL)
		ready_plan_write(plan, bytes);
	ready_plan_free(plan);
	if (bytes == NULL)
		return false;
	ready_open(ready, work->model, bytes);
	work->ready = ready;
	work->lanes_size = (READY_ROWS * ready->row_size + ready->scratch_size + READY_ALIGN - 1) / READY_ALIGN * READY_ALIGN;
	work->lanes = arena_alloc(arena, work->lanes_size, (size_t) n_threads, error);
	return work->lanes != NULL;
}

double *
score_rows(const Model *model, const RowSource *source, RowRange range, ThreadPool *pool, Arena *arena, Error *error)
{
	size_t		n = range_rows(range);
	size_t		n_blocks = (n + SCORE_BLOCK_ROWS - 1) / SCORE_BLOCK_ROWS;
	ScoreWork	work = {.model = model, .source = source, .range = range};
	Ready		ready;

	work.scratch_size = linalg_stride((size_t) model->n_columns + model->n_features);
	if (model_is_linear(model) && work.scratch_size < (2 + (size_t) model->n_outputs) * SCORE_TILE_ROWS)
		work.scratch_size = (2 + (size_t) model->n_outputs) * SCORE_TILE_ROWS;
	work.scratch = arena_alloc(arena, work.scratch_size * (size_t) pool_threads(pool), sizeof(double), error);
	work.failed = arena_zeroed(arena, n_blocks, 1, error);
	work.outputs = arena_alloc(arena, n, sizeof(double) * model->n_outputs, error);
	if (work.scratch == NULL || work.failed == NULL || work.outputs == NULL || !make_ready(&work, &ready, pool_threads(pool), arena, error))
		return NULL;

	pool_for_thread(pool, n_blocks, score_task, &work);

	/* Of blocks that failed the first one speaks, whichever thread came first. */
	for (size_t block = 0; block < n_blocks; block++)
		if (work.failed[block] && !score_block(&work, block, 0, error))
			return NULL;
	return work.outputs;
}

/* The same outputs for every row, in the arena. */
static double *
repeat_outputs(const double *constant, uint32_t n_outputs, size_t n, Arena *arena, Error *error)
{
	double	   *outputs = arena_alloc(arena, n, sizeof(double) * n_outputs, error);

	if (outputs != NULL)
		for (size_t row = 0; row < n; row++)
			memcpy(outputs + row * n_outputs, constant, n_outputs * sizeof(double));
	return outputs;
}

/* Metrics and confusion matrix into the result, which owns malloc'ed copies. */
static bool
fill_result(JobResult *result, const Metrics *metrics, const Metrics *baseline, Error *error)
{
	result->metrics = calloc(metrics->n > 0 ? (size_t) metrics->n : 1, sizeof(ResultMetric));
	if (result->metrics == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for the metrics");
	result->n_metrics = (uint32_t) metrics->n;
	for (int i = 0; i < metrics->n; i++)
	{
		memcpy(result->metrics[i].name, metrics->names[i], sizeof(result->metrics[i].name));
		result->metrics[i].value = metrics->values[i];
		result->metrics[i].baseline = metrics_get(baseline, metrics->names[i]);
	}

	if (metrics->confusion == NULL)
		return true;

	size_t		bytes = (size_t) metrics->n_classes * metrics->n_classes * sizeof(double);

	result->confusion = malloc(bytes);
	if (result->confusion == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for the confusion matrix of %u classes", metrics->n_classes);
	memcpy(result->confusion, metrics->confusion, bytes);
	result->n_classes = metrics->n_classes;
	return true;
}

bool
score_metrics(Trainer *trainer, Task task, const Target *target, RowRange range, const double *outputs, const double *constant, Error *error)
{
	uint32_t	n_outputs = target->n_classes > 0 ? target->n_classes : 1;
	size_t		n = range_rows(range);
	const double *truth = target->values + range.begin;
	const double *weights = target->weights != NULL ? target->weights + range.begin : NULL;
	double	   *repeated = repeat_outputs(constant, n_outputs, n, &trainer->arena, error);
	Metrics		metrics;
	Metrics		baseline;

	return repeated != NULL &&
		metrics_compute(&metrics, task, n, truth, outputs, n_outputs, weights, &trainer->arena, error) &&
		metrics_compute(&baseline, task, n, truth, repeated, n_outputs, weights, &trainer->arena, error) &&
		fill_result(&trainer->result, &metrics, &baseline, error);
}

bool
score_add(Trainer *trainer, const Metrics *metrics, const Metrics *baseline, Error *error)
{
	JobResult  *result = &trainer->result;

	if (metrics->n == 0)
		return true;

	ResultMetric *all = realloc(result->metrics, (result->n_metrics + (size_t) metrics->n) * sizeof(ResultMetric));

	if (all == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for the metrics");
	result->metrics = all;
	for (int i = 0; i < metrics->n; i++)
	{
		ResultMetric *metric = &all[result->n_metrics++];

		memcpy(metric->name, metrics->names[i], sizeof(metric->name));
		metric->value = metrics->values[i];
		metric->baseline = baseline->values[i];
	}
	return true;
}
