/*
 * test_recipe.c
 *		Fitting recipes: statistics, levels, policies.
 */
#include "core/cpu.h"
#include "core/fit/table/recipe_measure.h"
#include "core/hash.h"
#include "recipe_case.h"

/* A table of one numeric column. */
static void
number_table(Bench *bench, ColumnStorage storage, const double *values, uint32_t n)
{
	MatrixColumn columns[] = {
		test_column("x", KIND_NUMBER, storage, ROLE_FEATURE),
		test_column("y", KIND_NUMBER, STORAGE_FLOAT64, ROLE_TARGET)
	};

	begin(bench, columns, 2);
	for (uint32_t i = 0; i < n; i++)
	{
		test_matrix_row(&bench->matrix);
		test_matrix_number(&bench->matrix, 0, values[i]);
		test_matrix_number(&bench->matrix, 1, i);
	}
	CHECK_OK(make_table(bench, 0), &bench->error);
}

/* A table of one text column. */
static void
text_table(Bench *bench, const char *const *texts, uint32_t n)
{
	MatrixColumn columns[] = {
		test_column("job", KIND_CATEGORY, STORAGE_CODE, ROLE_FEATURE),
		test_column("y", KIND_NUMBER, STORAGE_FLOAT64, ROLE_TARGET)
	};

	begin(bench, columns, 2);
	for (uint32_t i = 0; i < n; i++)
	{
		test_matrix_row(&bench->matrix);
		test_matrix_text(&bench->matrix, 0, texts[i]);
		test_matrix_number(&bench->matrix, 1, i);
	}
	CHECK_OK(make_table(bench, 0), &bench->error);
}

static bool
fit(Bench *bench, RecipePlan one)
{
	return recipe_fit(&bench->recipe, &bench->table, &one, bench->pool, &bench->arena, &bench->error);
}

/* Mean, median, mode, extremes and both scalings of known numbers. */
static void
numbers(void)
{
	static const double values[] = {4, NAN, 1, 10, 4, NAN, 1, 16};
	Bench		bench;
	const RecipeColumn *column;
	int			n_missing = 0;

	number_table(&bench, STORAGE_FLOAT32, values, 8);
	CHECK_OK(fit(&bench, plan(MISSING_MEAN, ENCODING_NATIVE, SCALING_NONE, INDICATOR_AUTO, 0)), &bench.error);
	column = &bench.recipe.columns[0].recipe;
	CHECK_SAME(column->fill, 6);
	CHECK_SAME(column->mean, 6);
	CHECK_SAME(column->lowest, 1);
	CHECK_SAME(column->highest, 16);
	CHECK(column->n_missing == 2);
	CHECK(column->indicator == 1 && column->n_features == 2 && bench.recipe.n_features == 2);

	CHECK_OK(fit(&bench, plan(MISSING_MEDIAN, ENCODING_ORDINAL, SCALING_STANDARD, INDICATOR_NEVER, 0)), &bench.error);
	column = &bench.recipe.columns[0].recipe;
	CHECK_SAME(column->fill, 4);
	CHECK(column->indicator == 0 && column->n_features == 1);
	CHECK_NEAR(column->center, 44.0 / 8, 1e-15);
	CHECK_NEAR(column->scale, sqrt((390 + 32 - 44.0 * 44 / 8) / 8), 1e-14);

	CHECK_OK(fit(&bench, plan(MISSING_MOST_FREQUENT, ENCODING_NATIVE, SCALING_MINMAX, INDICATOR_AUTO, 0)), &bench.error);
	column = &bench.recipe.columns[0].recipe;
	CHECK_SAME(column->fill, 1);
	CHECK_SAME(column->center, 1);
	CHECK_SAME(column->scale, 15);

	CHECK_OK(fit(&bench, plan(MISSING_ZERO, ENCODING_NATIVE, SCALING_MINMAX, INDICATOR_AUTO, 0)), &bench.error);
	column = &bench.recipe.columns[0].recipe;
	CHECK_SAME(column->fill, 0);
	CHECK_SAME(column->center, 0);
	CHECK_SAME(column->scale, 16);

	CHECK_OK(fit(&bench, plan(MISSING_NATIVE, ENCODING_NATIVE, SCALING_NONE, INDICATOR_NEVER, 0)), &bench.error);
	for (size_t row = 0; row < 8; row++)
		n_missing += isnan(recipe_raw(&bench.recipe.columns[0], row)) != 0;
	CHECK(n_missing == 2);

	CHECK_ERROR(fit(&bench, plan(MISSING_ERROR, ENCODING_NATIVE, SCALING_NONE, INDICATOR_NEVER, 0)), &bench.error,
				ERROR_DATA, "\"x\" has no usable value in 2 rows");
	CHECK_ERROR(fit(&bench, plan(MISSING_MEAN, ENCODING_ONEHOT, SCALING_NONE, INDICATOR_NEVER, 0)), &bench.error,
				ERROR_PARAMETER, "\"encoding\": \"onehot\"");
	end(&bench);
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* The median of many numbers, by the definition: sorted. */
static void
medians(void)
{
	enum {MANY = 40001};
	static double values[MANY];
	static double sorted[MANY];

	for (int shape = 0; shape < 8; shape++)
	{
		uint32_t	n = shape % 2 ? MANY : MANY - 1;
		uint32_t	n_present = 0;
		Bench		bench;

		for (uint32_t i = 0; i < n; i++)
		{
			double		uniform = (double) (hash64_mix(i * 8 + (uint32_t) shape) >> 11) / 9007199254740992.0;
			const double shapes[] = {
				uniform, (uniform - 0.5) * 1e300, exp(40 * uniform - 20), uniform < 0.5 ? -1 : 1, floor(uniform * 3),
				i, uniform < 0.999 ? 7 : uniform, uniform < 0.9 ? NAN : -uniform
			};

			values[i] = shapes[shape];
			if (!isnan(values[i]))
				sorted[n_present++] = values[i];
		}
		qsort(sorted, n_present, sizeof(double), compare_doubles);
		number_table(&bench, STORAGE_FLOAT64, values, n);
		CHECK_OK(fit(&bench, plan(MISSING_MEDIAN, ENCODING_NATIVE, SCALING_NONE, INDICATOR_NEVER, 0)), &bench.error);
		CHECK_SAME(bench.recipe.columns[0].recipe.fill, (sorted[(n_present - 1) / 2] + sorted[n_present / 2]) / 2);
		end(&bench);
	}
}

/* Counts, ranges, means and spreads: the same bits with every width of vectors. */
static void
same_on_all_widths(void)
{
	enum {ROWS = 2500};
	double		values[ROWS];
	RecipeColumn fitted[CPU_AVX512 + 1];
	Bench		bench;

	for (int i = 0; i < ROWS; i++)
		values[i] = i % 97 == 0 ? NAN : (double) (hash64_mix((uint64_t) i) >> 11) / 7 - 1e15;
	for (CpuLevel level = CPU_PLAIN; level <= CPU_AVX512; level++)
	{
		cpu_limit(level);
		number_table(&bench, STORAGE_FLOAT64, values, ROWS);
		CHECK_OK(fit(&bench, plan(MISSING_MEDIAN, ENCODING_NATIVE, SCALING_STANDARD, INDICATOR_AUTO, 0)), &bench.error);
		fitted[level] = bench.recipe.columns[0].recipe;
		CHECK(memcmp(&fitted[level], &fitted[CPU_PLAIN], sizeof(RecipeColumn)) == 0);
		end(&bench);
	}
	cpu_limit(CPU_AVX512);
	CHECK(fitted[CPU_PLAIN].n_missing == 26 && fitted[CPU_PLAIN].scale > 0);
}

/* Constant, all missing, infinite and huge columns: a defined answer or an error that names the column. */
static void
odd_numbers(void)
{
	RecipePlan	standard = plan(MISSING_MEDIAN, ENCODING_NATIVE, SCALING_STANDARD, INDICATOR_AUTO, 0);
	double		features[2];
	Bench		bench;

	number_table(&bench, STORAGE_FLOAT64, (double[]) {.1, .1, .1, .1, .1, .1}, 6);
	CHECK_OK(fit(&bench, standard), &bench.error);
	CHECK_SAME(bench.recipe.columns[0].recipe.scale, 1);
	encode_rows(&bench.recipe, 0, 1, features, 1);
	CHECK_SAME(features[0], 0);
	end(&bench);

	number_table(&bench, STORAGE_FLOAT32, (double[]) {NAN, NAN, NAN}, 3);
	CHECK_OK(fit(&bench, standard), &bench.error);
	CHECK(isnan(bench.recipe.columns[0].recipe.lowest) && isnan(bench.recipe.columns[0].recipe.mean));
	encode_rows(&bench.recipe, 0, 1, features, 2);
	CHECK(bench.recipe.n_features == 2);
	CHECK_SAME(features[0], 0);
	CHECK_SAME(features[1], 1);
	end(&bench);

	number_table(&bench, STORAGE_FLOAT64, (double[]) {1, INFINITY, 2}, 3);
	CHECK_ERROR(fit(&bench, standard), &bench.error, ERROR_DATA, "\"x\" is infinite in 1 ");
	CHECK_OK(fit(&bench, plan(MISSING_NATIVE, ENCODING_NATIVE, SCALING_NONE, INDICATOR_NEVER, 0)), &bench.error);
	CHECK_SAME(bench.recipe.columns[0].recipe.highest, INFINITY);
	end(&bench);

	number_table(&bench, STORAGE_FLOAT64, (double[]) {1e308, -1e308, 5e307}, 3);
	CHECK_ERROR(fit(&bench, standard), &bench.error, ERROR_DATA, "\"x\" are too large");
	end(&bench);
}

/* Which levels are kept, what a missing one becomes, which features come of them. */
static void
categories(void)
{
	static const char *const texts[] = {"d", "b", "a", "b", "c", NULL, "d", "a", "e"};
	double		features[9 * 4];
	double		sums[4] = {0};
	const FittedColumn *column;
	Bench		bench;

	text_table(&bench, texts, 9);
	CHECK_OK(fit(&bench, plan(MISSING_MOST_FREQUENT, ENCODING_ONEHOT, SCALING_STANDARD, INDICATOR_AUTO, 3)), &bench.error);
	column = &bench.recipe.columns[0];
	CHECK(column->recipe.n_categories == 3 && column->recipe.n_features == 4 && column->recipe.n_missing == 1);
	CHECK_TEXT(column->levels[0], "a");
	CHECK_TEXT(column->levels[1], "b");
	CHECK_TEXT(column->levels[2], "d");
	CHECK_SAME(column->recipe.fill, 0);
	CHECK(column->recipe.scaling == SCALING_NONE);
	CHECK(isnan(column->recipe.mean));
	encode_rows(&bench.recipe, 0, 9, features, 4);
	for (int i = 0; i < 9 * 4; i++)
		sums[i % 4] += features[i];
	/* NULL, c and e are missing: they count as a, and are told */
	CHECK_SAME(sums[0], 5);
	CHECK_SAME(sums[1], 2);
	CHECK_SAME(sums[2], 2);
	CHECK_SAME(sums[3], 3);

	CHECK_OK(fit(&bench, plan(MISSING_NATIVE, ENCODING_ORDINAL, SCALING_STANDARD, INDICATOR_NEVER, 0)), &bench.error);
	CHECK(bench.recipe.columns[0].recipe.n_categories == 5);
	CHECK_SAME(bench.recipe.columns[0].recipe.center, (0 * 2 + 1 * 2 + 2 + 3 * 2 + 4) / 8.0);
	CHECK_NEAR(bench.recipe.columns[0].recipe.scale, sqrt((0 * 2 + 1 * 2 + 4 + 9 * 2 + 16) / 8.0 - 1.75 * 1.75), 1e-15);

	CHECK_ERROR(fit(&bench, plan(MISSING_MEAN, ENCODING_NATIVE, SCALING_NONE, INDICATOR_NEVER, 0)), &bench.error,
				ERROR_PARAMETER, "\"job\" is a category: \"missing\": \"mean\"");
	CHECK_ERROR(fit(&bench, plan(MISSING_ERROR, ENCODING_ONEHOT, SCALING_NONE, INDICATOR_NEVER, 0)), &bench.error,
				ERROR_DATA, "\"job\" has no usable value in 1 rows");
	end(&bench);

	text_table(&bench, (const char *const[]) {NULL, NULL}, 2);
	CHECK_OK(fit(&bench, plan(MISSING_MOST_FREQUENT, ENCODING_ONEHOT, SCALING_NONE, INDICATOR_AUTO, 3)), &bench.error);
	CHECK(bench.recipe.n_features == 1);
	end(&bench);
}

/* What measuring takes, on any number of threads, is announced. */
static void
announced_memory(void)
{
	MatrixColumn columns[] = {
		test_column("a", KIND_NUMBER, STORAGE_FLOAT64, ROLE_FEATURE),
		test_column("b", KIND_NUMBER, STORAGE_FLOAT64, ROLE_FEATURE),
		test_column("c", KIND_NUMBER, STORAGE_FLOAT64, ROLE_FEATURE),
		test_column("y", KIND_NUMBER, STORAGE_FLOAT64, ROLE_TARGET)
	};
	static const MissingPolicy policies[] = {MISSING_NATIVE, MISSING_MEDIAN, MISSING_MOST_FREQUENT};
	Bench		bench;

	begin(&bench, columns, 4);
	for (uint32_t i = 0; i < 200000; i++)
	{
		test_matrix_row(&bench.matrix);
		for (uint32_t c = 0; c < 4; c++)
			test_matrix_number(&bench.matrix, c, i % (c + 7));
	}
	if (!CHECK_OK(make_table(&bench, 0), &bench.error))
		return;
	for (int p = 0; p < 3; p++)
	{
		for (int threads = 1; threads <= 3; threads++)
		{
			RecipePlan	each = plan(policies[p], ENCODING_NATIVE, SCALING_NONE, INDICATOR_NEVER, 0);
			RecipePlan	plans[] = {each, each, each};
			ColumnMeasure measures[3] = {{.n_null = 0}};
			ThreadPool *pool = pool_create(threads, &bench.error);
			uint64_t	bytes = table_memory(&bench.matrix.matrix) + recipe_fit_memory(&bench.table, plans, threads);
			Arena		scratch;

			arena_init(&scratch);
			CHECK_OK(recipe_fit(&bench.recipe, &bench.table, plans, pool, &bench.arena, &bench.error) &&
					 measure_columns(&bench.recipe, &bench.table, measures, pool, &scratch, &bench.error), &bench.error);
			CHECK(scratch.total <= bytes + 512 * 1024);
			arena_free(&scratch);
			pool_destroy(pool);
		}
	}
	end(&bench);
}

int
main(void)
{
	numbers();
	medians();
	same_on_all_widths();
	odd_numbers();
	categories();
	announced_memory();
	return check_done();
}
