/*
 * boost_case.h
 *		One fit of an algorithm of trees on columns given as functions.
 */
#ifndef MLOPS_TEST_BOOST_CASE_H
#define MLOPS_TEST_BOOST_CASE_H

#include <stdlib.h>

#include "core/cpu.h"
#include "core/fit/fit.h"
#include "core/fit/metrics.h"
#include "core/hash.h"
#include "core/model/tree_model.h"

#include "check.h"
#include "support_matrix.h"

#define BOOST_CASE_PARAMS 12
#define BOOST_CASE_WORDS 4
#define BOOST_CASE_ROUNDS 1000

typedef struct BoostParam
{
	const char *name;
	double		value;			/* of a boolean 0 or 1, of a word its number */
} BoostParam;

typedef struct BoostMap
{
	const char *name;
	uint32_t	n;
	ParamEntry	entries[4];
} BoostMap;

typedef struct BoostWord
{
	const char *name;
	const char *word;
} BoostWord;

typedef struct BoostCase
{
	/* what is asked */
	const char *algorithm;		/* NULL: gradient_boosting */
	Task		task;
	uint32_t	n_classes;		/* 0 for regression */
	size_t		n_rows;
	uint32_t	n_columns;
	double		(*x) (size_t row, uint32_t column); /* NaN: missing */
	double		(*y) (size_t row);
	double		(*weight) (size_t row); /* or NULL */
	uint32_t	n_categories;	/* the first so many columns are categories named by their number */
	uint32_t	n_floats;		/* the last so many columns are float32 */
	BoostParam	params[BOOST_CASE_PARAMS];	/* the first without a name ends them */
	BoostWord	words[BOOST_CASE_WORDS];	/* those that are words; the same */
	BoostMap	map;			/* one that is an object, or none */
	const char *const *labels;	/* n_classes, or NULL */
	double		(*loss) (double y, double prediction);	/* of a regression; NULL: squared error, shown as its root */
	double		validation;
	uint64_t	seed;
	int			n_threads;		/* 0: one */
	CpuLevel	level;			/* with limited: the widest vectors */
	bool		limited;
	bool		reversed;		/* rows are written last to first */
	RecipePlan	plan;			/* for all columns; zeros: the defaults */
	const struct BoostCase *init;	/* a case of the same recipe to go on from, not freed yet; or NULL */

	/* what came of it */
	Buffer		payload;		/* freed by boost_case_free() */
	int			iterations;
	int			n_losses;
	double		train_losses[BOOST_CASE_ROUNDS];
	double		validation_losses[BOOST_CASE_ROUNDS];
	int			n_metrics;		/* rounds whose metric was told */
	char		metric[METRIC_NAME_MAX];
	double		train_metrics[BOOST_CASE_ROUNDS];
	double		validation_metrics[BOOST_CASE_ROUNDS];
	char		notices[2048];
	Metrics		metrics;		/* the algorithm's own */
	Metrics		baseline;
	double		train_loss;		/* of the model, by its predictions: rmse (or the loss given) or log loss */
	double		validation_loss;
	double		auc;			/* on the training rows, unweighted; binary */
	double		validation_auc;
	uint64_t	prediction_hash;
} BoostCase;

static inline void
boost_case_iteration(void *context, int iteration, int total, double train_loss, double validation_loss)
{
	BoostCase  *test = context;

	CHECK(iteration == test->n_losses + 1 && iteration <= total);
	if (test->n_losses < BOOST_CASE_ROUNDS)
	{
		test->train_losses[test->n_losses] = train_loss;
		test->validation_losses[test->n_losses] = validation_loss;
		test->n_losses++;
	}
}

static inline void
boost_case_notice(void *context, const char *text)
{
	BoostCase  *test = context;

	snprintf(test->notices + strlen(test->notices), sizeof(test->notices) - strlen(test->notices), "%s\n", text);
}

static inline void
boost_case_metric(void *context, const char *name, double train_value, double validation_value)
{
	BoostCase  *test = context;

	CHECK(test->n_metrics + 1 == test->n_losses);
	snprintf(test->metric, sizeof(test->metric), "%s", name);
	if (test->n_metrics < BOOST_CASE_ROUNDS)
	{
		test->train_metrics[test->n_metrics] = train_value;
		test->validation_metrics[test->n_metrics] = validation_value;
		test->n_metrics++;
	}
}

static inline void
boost_case_matrix(const BoostCase *test, TestMatrix *matrix)
{
	MatrixColumn *columns = calloc(test->n_columns + 2, sizeof(MatrixColumn));
	uint32_t	n = 0;

	for (; n < test->n_columns; n++)
	{
		char		name[16];
		bool		category = n < test->n_categories;
		bool		is_float = n >= test->n_columns - test->n_floats;

		snprintf(name, sizeof(name), "x%u", n);
		columns[n] = test_column(name, category ? KIND_CATEGORY : KIND_NUMBER,
								 category ? STORAGE_CODE : is_float ? STORAGE_FLOAT32 : STORAGE_FLOAT64, ROLE_FEATURE);
	}
	columns[n++] = test_column("y", KIND_NUMBER, STORAGE_FLOAT64, ROLE_TARGET);
	if (test->weight != NULL)
		columns[n++] = test_column("w", KIND_NUMBER, STORAGE_FLOAT64, ROLE_WEIGHT);
	test_matrix_begin(matrix, 0, columns, n);
	free(columns);
	for (size_t i = 0; i < test->n_rows; i++)
	{
		size_t		row = test->reversed ? test->n_rows - 1 - i : i;

		test_matrix_row(matrix);
		for (uint32_t c = 0; c < test->n_columns; c++)
		{
			double		value = test->x(row, c);
			char		text[16];

			if (c >= test->n_categories)
			{
				test_matrix_number(matrix, c, value);
				continue;
			}
			snprintf(text, sizeof(text), "%03.0f", value);
			test_matrix_text(matrix, c, value != value ? NULL : text);
		}
		test_matrix_number(matrix, test->n_columns, test->y(row));
		if (test->weight != NULL)
			test_matrix_number(matrix, test->n_columns + 1, test->weight(row));
	}
	test_matrix_open(matrix);
}

/* Loss of predictions of some rows by definition. */
static inline double
boost_case_loss(const BoostCase *test, const double *target, const double *weight, const double *out, RowRange range)
{
	uint32_t	n_outputs = test->n_classes == 0 ? 1 : test->n_classes;
	double		sum = 0;
	double		weights = 0;

	for (size_t i = range.begin; i < range.end; i++)
	{
		double		w = weight != NULL ? weight[i] : 1;

		if (test->loss != NULL)
			sum += w * test->loss(target[i], out[i]);
		else if (test->task == TASK_REGRESSION)
			sum += w * (out[i] - target[i]) * (out[i] - target[i]);
		else
			sum -= w * log(out[i * n_outputs + (size_t) target[i]]);
		weights += w;
	}
	return test->task == TASK_REGRESSION && test->loss == NULL ? sqrt(sum / weights) : sum / weights;
}

/* One parameter, by its kind. */
static inline bool
boost_case_set(ParamSet *params, const BoostParam *param, Error *error)
{
	for (int i = 0; i < params->n; i++)
	{
		const ParamSpec *spec = &params->specs[i];
		char		word[40];

		if (strcmp(spec->name, param->name) != 0)
			continue;
		if (spec->type == PARAM_BOOLEAN)
			return params_set_boolean(params, param->name, param->value != 0, error);
		if (spec->choices == NULL || (spec->type == PARAM_FLOAT && !param_is_word(spec, param->value)))
			break;
		params_value_text(spec, param->value, word, sizeof(word));
		return params_set_text(params, param->name, word, error);
	}
	return params_set_number(params, param->name, param->value, error);
}

/* Predicts all rows by the payload, which must be valid. */
static inline void
boost_case_predict(BoostCase *test, const FitInput *input, const Algorithm *algorithm, Arena *arena)
{
	const Table *table = input->table;
	uint32_t	n_outputs = test->n_classes == 0 ? 1 : test->n_classes;
	uint32_t	n_features = input->recipe->n_features;
	Error		error;
	Model		model = {
		.task = test->task,.algorithm = algorithm,.n_features = n_features,.n_outputs = n_outputs,
		.payload = test->payload.data,.payload_size = test->payload.size
	};
	double	   *features = arena_alloc(arena, n_features, sizeof(double), &error);
	double	   *out = arena_alloc(arena, table->n_rows * n_outputs, sizeof(double), &error);
	Metrics		metrics;

	if (!CHECK(features != NULL && out != NULL) || !CHECK_OK(algorithm->validate(&model, &error), &error))
		return;
	for (size_t i = 0; i < table->n_rows; i++)
	{
		for (uint32_t c = 0; c < input->recipe->n_columns; c++)
		{
			const FittedColumn *column = &input->recipe->columns[c];

			recipe_encode(&column->recipe, recipe_raw(column, i), features + column->recipe.first_feature);
		}
		algorithm->predict(&model, features, out + i * n_outputs);
	}
	test->train_loss = boost_case_loss(test, input->target, input->weight, out, table->train);
	test->validation_loss = boost_case_loss(test, input->target, input->weight, out, table->validation);
	test->prediction_hash = hash64_bytes(out, table->n_rows * n_outputs * sizeof(double));
	if (test->task == TASK_BINARY &&
		CHECK_OK(metrics_compute(&metrics, TASK_BINARY, range_rows(table->train), input->target + table->train.begin,
								 out + table->train.begin * n_outputs, n_outputs, NULL, arena, &error), &error))
		test->auc = metrics_get(&metrics, "roc_auc");
	if (test->task == TASK_BINARY && range_rows(table->validation) > 0 &&
		CHECK_OK(metrics_compute(&metrics, TASK_BINARY, range_rows(table->validation), input->target + table->validation.begin,
								 out + table->validation.begin * n_outputs, n_outputs, NULL, arena, &error), &error))
		test->validation_auc = metrics_get(&metrics, "roc_auc");
}

static inline bool
boost_case_fit(BoostCase *test, const Table *table, ThreadPool *pool, Arena *arena, Error *error)
{
	const Algorithm *algorithm = algorithm_by_name(test->algorithm != NULL ? test->algorithm : "gradient_boosting", error);
	double		values[64];
	bool		given[64];
	ParamSet	params;
	FittedRecipe recipe;
	FitMonitor	monitor = {test, boost_case_iteration, boost_case_notice, boost_case_metric};
	FitOutput	output = {.iterations = 0};
	RecipePlan *plans = arena_alloc(arena, table->n_features, sizeof(RecipePlan), error);
	double	   *target = arena_alloc(arena, table->n_rows, sizeof(double), error);
	double	   *weight = arena_alloc(arena, table->n_rows, sizeof(double), error);

	if (algorithm == NULL || plans == NULL || target == NULL || weight == NULL)
		return false;
	params_init(&params, algorithm->params, algorithm->n_params, values, given);
	for (int i = 0; i < BOOST_CASE_PARAMS && test->params[i].name != NULL; i++)
	{
		if (!boost_case_set(&params, &test->params[i], error))
			return false;
	}
	if (test->map.name != NULL && !params_set_map(&params, test->map.name, test->map.entries, test->map.n, error))
		return false;
	for (int i = 0; i < BOOST_CASE_WORDS && test->words[i].name != NULL; i++)
	{
		if (!params_set_text(&params, test->words[i].name, test->words[i].word, error))
			return false;
	}
	for (uint32_t c = 0; c < table->n_features; c++)
		plans[c] = algorithm_recipe(algorithm, (ColumnKind) table->features[c].source->kind, test->plan);
	for (size_t row = 0; row < table->n_rows; row++)
	{
		target[row] = table_number(table->target, row);
		weight[row] = table->weight != NULL ? table_number(table->weight, row) : 1;
	}
	if (algorithm->check != NULL && !algorithm->check(&params, test->task, error))
		return false;
	if (!recipe_fit(&recipe, table, plans, pool, arena, error))
		return false;

	FitInput	input = {
		.table = table,.recipe = &recipe,.task = test->task,.n_classes = test->n_classes,.labels = test->labels,.target = target,
		.weight = test->weight != NULL ? weight : NULL,.params = &params,.seed = test->seed,.pool = pool,.arena = arena,.monitor = &monitor
	};

	Model		init = {.algorithm = algorithm,.n_features = recipe.n_features};

	if (test->init != NULL)
	{
		init.payload = test->init->payload.data;
		init.payload_size = test->init->payload.size;
		input.init = &init;
	}
	uint64_t	estimate = algorithm->memory(&params, table->n_rows - range_rows(table->test), &recipe, test->n_classes, pool_threads(pool));
	size_t		before = arena->total;

	buffer_init(&output.payload);

	bool		fitted = algorithm->fit(&input, &output, error);

	/* what was announced is enough, but for chunks that are not full */
	if (!CHECK(arena->total - before <= estimate + estimate / 32 + 512 * 1024))
		printf("%s: %zu bytes, %llu announced\n", algorithm->name, arena->total - before, (unsigned long long) estimate);

	test->payload = output.payload;
	test->iterations = output.iterations;
	test->metrics = output.metrics;
	test->baseline = output.baseline;
	if (fitted)
		boost_case_predict(test, &input, algorithm, arena);
	return fitted;
}

/* Fits; the case's results are set where it succeeds. */
static inline bool
boost_case_run(BoostCase *test, Error *error)
{
	TestMatrix	matrix;
	Table		table;
	Arena		arena;
	SplitPlan	split = {.kind = SPLIT_RANDOM,.validation = test->validation,.seed = 42};
	ThreadPool *pool = pool_create(test->n_threads > 0 ? test->n_threads : 1, error);

	arena_init(&arena);
	buffer_init(&test->payload);
	test->n_losses = 0;
	test->n_metrics = 0;
	test->notices[0] = '\0';
	boost_case_matrix(test, &matrix);
	if (test->limited)
		cpu_limit(test->level);

	bool		fitted = pool != NULL && table_build(&table, &matrix.matrix, NULL, &split, pool, &arena, error) &&
		boost_case_fit(test, &table, pool, &arena, error);

	cpu_limit(CPU_AVX512);
	pool_destroy(pool);
	arena_free(&arena);
	test_matrix_free(&matrix);
	return fitted;
}

static inline void
boost_case_free(BoostCase *test)
{
	buffer_free(&test->payload);
}

/* The payload's trees. */
static inline const TreePayload *
boost_case_trees(const BoostCase *test)
{
	return (const TreePayload *) test->payload.data;
}

static inline const TreeNode *
boost_case_nodes(const BoostCase *test)
{
	return (const TreeNode *) (test->payload.data + boost_case_trees(test)->nodes_offset);
}

static inline const TreeNodeStat *
boost_case_stats(const BoostCase *test)
{
	return (const TreeNodeStat *) (test->payload.data + boost_case_trees(test)->stats_offset);
}

/* A number in [0, 1) that depends on i and j alone. */
static inline double
boost_number(uint64_t i, uint64_t j)
{
	return (double) (hash64_combine(i, j) >> 40) / 16777216.0;
}

#endif
