/*
 * recipe_case.h
 *		A table to fit recipes to, made of a matrix.
 */
#ifndef MLOPS_TEST_RECIPE_CASE_H
#define MLOPS_TEST_RECIPE_CASE_H

#include <stdlib.h>

#include "core/fit/table/encode.h"
#include "core/fit/table/recipe_fit.h"

#include "check.h"
#include "support_matrix.h"

typedef struct Bench
{
	TestMatrix	matrix;
	ThreadPool *pool;
	Arena		arena;
	Table		table;
	FittedRecipe recipe;
	Error		error;
} Bench;

/* Everything stated: nothing is left to an algorithm's defaults. */
static inline RecipePlan
plan(MissingPolicy missing, Encoding encoding, Scaling scaling, IndicatorPolicy indicator, uint32_t max_categories)
{
	return (RecipePlan) {
		.missing = missing, .encoding = encoding, .scaling = scaling, .unseen = UNSEEN_MISSING, .indicator = indicator,
		.max_categories = max_categories
	};
}

/* The table of a matrix with columns, then a target; all rows train unless `test` is given. */
static inline bool
make_table(Bench *bench, double test)
{
	SplitPlan	split = {.kind = SPLIT_RANDOM,.test = test,.seed = 1};

	test_matrix_open(&bench->matrix);
	return table_build(&bench->table, &bench->matrix.matrix, NULL, &split, bench->pool, &bench->arena, &bench->error);
}

/* A matrix of columns, without rows. */
static inline void
begin(Bench *bench, const MatrixColumn *columns, uint32_t n)
{
	arena_init(&bench->arena);
	bench->pool = pool_create(2, &bench->error);
	test_matrix_begin(&bench->matrix, 0, columns, n);
}

static inline void
end(Bench *bench)
{
	test_matrix_free(&bench->matrix);
	arena_free(&bench->arena);
	pool_destroy(bench->pool);
}

/* Features of n rows from `begin` on, row by row, from those of columns. */
static inline void
encode_rows(const FittedRecipe *recipe, size_t begin, size_t n, double *out, size_t stride)
{
	size_t		room = (n + ENCODE_LANES - 1) / ENCODE_LANES * ENCODE_LANES;
	double	   *raw = aligned_alloc(64, room * sizeof(double));
	double	   *feature = aligned_alloc(64, room * sizeof(double));

	for (uint32_t c = 0; c < recipe->n_columns; c++)
	{
		const FittedColumn *column = &recipe->columns[c];

		encode_raw(column, begin, n, raw);
		encode_round(&column->recipe, raw, n);
		for (uint32_t j = 0; j < column->recipe.n_features; j++)
		{
			encode_feature(&column->recipe, j, raw, n, 0, feature);
			for (size_t i = 0; i < n; i++)
				out[i * stride + column->recipe.first_feature + j] = feature[i];
		}
	}
	free(raw);
	free(feature);
}

#endif
