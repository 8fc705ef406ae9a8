/*
 * fit_case.h
 *		One fit of a linear model on numbers given as arrays.
 */
#ifndef MLOPS_TEST_FIT_CASE_H
#define MLOPS_TEST_FIT_CASE_H

#include <stdlib.h>

#include "core/fit/fit.h"
#include "core/hash.h"
#include "core/model/linear_model.h"

#include "check.h"
#include "support_matrix.h"

#define FIT_CASE_MAX_COLUMNS	1100
#define FIT_CASE_MAX_SCORES	40

typedef struct FitCase
{
	/* what is asked */
	const char *algorithm;
	Task		task;
	uint32_t	n_classes;
	size_t		n_rows;
	uint32_t	n_columns;
	const double *x;			/* n_rows x n_columns */
	const double *y;
	const double *weight;		/* or NULL */
	const char *const *texts;	/* one more column "t", n_rows; or NULL */
	Scaling		scaling;		/* 0: none */
	double		reg_lambda;
	int			n_threads;		/* 0: one */

	/* what came of it */
	LinearPayload header;
	double		intercept[FIT_CASE_MAX_SCORES];
	double		weights[FIT_CASE_MAX_SCORES * FIT_CASE_MAX_COLUMNS];	/* [score][feature] */
	RecipeColumn recipe[FIT_CASE_MAX_COLUMNS];
	Buffer		payload;		/* freed by fit_case_free() */
	int			iterations;
	char		notices[4096];
	double		last_loss;
} FitCase;

static inline void
fit_case_iteration(void *context, int iteration, int total, double train_loss, double validation_loss)
{
	FitCase    *test = context;

	(void) iteration;
	(void) total;
	(void) validation_loss;
	test->last_loss = train_loss;
}

static inline void
fit_case_notice(void *context, const char *text)
{
	FitCase    *test = context;

	snprintf(test->notices + strlen(test->notices), sizeof(test->notices) - strlen(test->notices), "%s\n", text);
}

/* The rows as a matrix. */
static inline void
fit_case_matrix(const FitCase *test, TestMatrix *matrix)
{
	MatrixColumn columns[FIT_CASE_MAX_COLUMNS + 3];
	uint32_t	n = 0;

	for (uint32_t j = 0; j < test->n_columns; j++)
	{
		char		name[16];

		snprintf(name, sizeof(name), "x%u", j);
		columns[n++] = test_column(name, KIND_NUMBER, STORAGE_FLOAT64, ROLE_FEATURE);
	}
	if (test->texts != NULL)
		columns[n++] = test_column("t", KIND_CATEGORY, STORAGE_CODE, ROLE_FEATURE);
	columns[n++] = test_column("y", KIND_NUMBER, STORAGE_FLOAT64, ROLE_TARGET);
	if (test->weight != NULL)
		columns[n++] = test_column("w", KIND_NUMBER, STORAGE_FLOAT64, ROLE_WEIGHT);

	test_matrix_begin(matrix, 0, columns, n);
	for (size_t row = 0; row < test->n_rows; row++)
	{
		uint32_t	column = test->n_columns;

		test_matrix_row(matrix);
		for (uint32_t j = 0; j < test->n_columns; j++)
			test_matrix_number(matrix, j, test->x[row * test->n_columns + j]);
		if (test->texts != NULL)
			test_matrix_text(matrix, column++, test->texts[row]);
		test_matrix_number(matrix, column++, test->y[row]);
		if (test->weight != NULL)
			test_matrix_number(matrix, column++, test->weight[row]);
	}
	test_matrix_open(matrix);
}

/* Takes the payload apart. */
static inline void
fit_case_read(FitCase *test)
{
	const double *values = (const double *) (test->payload.data + sizeof(LinearPayload));

	memcpy(&test->header, test->payload.data, sizeof(LinearPayload));
	memcpy(test->intercept, values, test->header.n_scores * sizeof(double));
	memcpy(test->weights, values + test->header.n_scores, (size_t) test->header.n_scores * test->header.n_features * sizeof(double));
}

static inline bool
fit_case_fit(FitCase *test, const Table *table, ThreadPool *pool, Arena *arena, Error *error)
{
	const Algorithm *algorithm = algorithm_by_name(test->algorithm, error);
	double		values[16];
	bool		given[16];
	ParamSet	params;
	RecipePlan	plans[FIT_CASE_MAX_COLUMNS];
	FittedRecipe recipe;
	FitMonitor	monitor = {test, fit_case_iteration, fit_case_notice, NULL};
	FitOutput	output = {.iterations = 0};
	double	   *target = arena_alloc(arena, table->n_rows, sizeof(double), error);
	double	   *weight = arena_alloc(arena, table->n_rows, sizeof(double), error);

	if (algorithm == NULL || target == NULL || weight == NULL)
		return false;
	params_init(&params, algorithm->params, algorithm->n_params, values, given);
	if (params.n > 0 && !params_set_number(&params, "reg_lambda", test->reg_lambda, error))
		return false;
	for (uint32_t j = 0; j < table->n_features; j++)
		plans[j] = table->features[j].source->storage == STORAGE_CODE
			? (RecipePlan) {MISSING_MOST_FREQUENT, ENCODING_ONEHOT, SCALING_NONE, UNSEEN_MISSING, INDICATOR_NEVER, 100}
			: (RecipePlan) {MISSING_MEDIAN, ENCODING_NATIVE, test->scaling != 0 ? test->scaling : SCALING_NONE, UNSEEN_MISSING, INDICATOR_NEVER, 0};
	for (size_t row = 0; row < table->n_rows; row++)
	{
		target[row] = table_number(table->target, row);
		weight[row] = table->weight != NULL ? table_number(table->weight, row) : 1;
	}
	if (!recipe_fit(&recipe, table, plans, pool, arena, error))
		return false;
	for (uint32_t j = 0; j < recipe.n_columns; j++)
		test->recipe[j] = recipe.columns[j].recipe;

	FitInput	input = {
		.table = table,.recipe = &recipe,.task = test->task,.n_classes = test->n_classes,.target = target,
		.weight = test->weight != NULL ? weight : NULL,.params = &params,.seed = 42,.pool = pool,.arena = arena,.monitor = &monitor
	};

	uint64_t	announced = algorithm->memory(&params, table->n_rows, &recipe, test->n_classes, pool_threads(pool));
	size_t		before = arena->total;

	buffer_init(&output.payload);

	bool		fitted = algorithm->fit(&input, &output, error);

	/* what was announced is enough, but for chunks that are not full */
	if (!CHECK(arena->total - before <= announced + announced / 32 + 512 * 1024))
		printf("%s: %zu bytes, %llu announced\n", algorithm->name, arena->total - before, (unsigned long long) announced);
	test->payload = output.payload;
	test->iterations = output.iterations;
	return fitted;
}

/* Fits; the case's results are set where it succeeds. */
static inline bool
fit_case_run(FitCase *test, Error *error)
{
	TestMatrix	matrix;
	Table		table;
	Arena		arena;
	SplitPlan	split = {.kind = SPLIT_RANDOM,.seed = 42};
	ThreadPool *pool = pool_create(test->n_threads > 0 ? test->n_threads : 1, error);

	arena_init(&arena);
	buffer_init(&test->payload);
	test->notices[0] = '\0';
	fit_case_matrix(test, &matrix);

	bool		fitted = pool != NULL && table_build(&table, &matrix.matrix, NULL, &split, pool, &arena, error) &&
		table_gather_features(&table, (RowRange) {0, table.n_rows}, pool, &arena, error) &&
		fit_case_fit(test, &table, pool, &arena, error);

	if (fitted)
		fit_case_read(test);
	if (pool != NULL)
		pool_destroy(pool);
	arena_free(&arena);
	test_matrix_free(&matrix);
	return fitted;
}

static inline void
fit_case_free(FitCase *test)
{
	buffer_free(&test->payload);
}

/* |a - b| / |b|, of vectors. */
static inline double
relative_distance(const double *a, const double *b, size_t n)
{
	double		difference = 0;
	double		length = 0;

	for (size_t i = 0; i < n; i++)
	{
		difference += (a[i] - b[i]) * (a[i] - b[i]);
		length += b[i] * b[i];
	}
	return sqrt(difference / length);
}

/* A number in [0, 1) that depends on i and j alone; fixtures/make_linear.py has the same. */
static inline double
fixture_number(uint64_t i, uint64_t j)
{
	return (double) (hash64_mix(i * 64 + j + 1) >> 40) / 16777216.0;
}

#endif
