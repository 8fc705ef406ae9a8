/*
 * test_bin_source.c
 *		Bins straight from the matrix, against values in the order of the table.
 *
 * Every layout is held against the definition: the bin of a row is the number
 * of cuts below its encoded value, as recipe_encode() gives it, and the
 * cuts are those of the training rows' values.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/fit/trees/bins.h"
#include "core/hash.h"
#include "support_matrix.h"

#define COLUMNS 6

typedef struct Rows
{
	TestMatrix	matrix;
	Arena		arena;
	ThreadPool *pool;
	Table		table;
	FittedRecipe recipe;
	Error		error;
} Rows;

/* A number in [0, 1). */
static double
draw(uint64_t row, uint32_t column)
{
	return (double) (hash64_combine(row, column) >> 40) / 16777216.0;
}

/* Floats, doubles with gaps, few and many categories, a target that some rows lack, which alone have some of these. */
static void
write_rows(Rows *rows, uint32_t n)
{
	MatrixColumn columns[COLUMNS] = {
		test_column("float", KIND_NUMBER, STORAGE_FLOAT32, ROLE_FEATURE),
		test_column("double", KIND_NUMBER, STORAGE_FLOAT64, ROLE_FEATURE),
		test_column("few", KIND_CATEGORY, STORAGE_CODE, ROLE_FEATURE),
		test_column("target", KIND_NUMBER, STORAGE_FLOAT64, ROLE_TARGET),
		test_column("many", KIND_CATEGORY, STORAGE_CODE, ROLE_FEATURE),
		test_column("constant", KIND_NUMBER, STORAGE_FLOAT32, ROLE_FEATURE)
	};

	test_matrix_begin(&rows->matrix, 0, columns, COLUMNS);
	for (uint32_t i = 0; i < n; i++)
	{
		char		text[32];

		test_matrix_row(&rows->matrix);
		test_matrix_number(&rows->matrix, 0, i % 9 == 0 ? -0.0 : draw(i, 0) - 0.5);
		test_matrix_number(&rows->matrix, 1, i % 11 == 0 ? NAN : floor(draw(i, 1) * 5000));
		snprintf(text, sizeof(text), "colour %d", (int) (draw(i, 2) * 5));
		test_matrix_text(&rows->matrix, 2, i % 13 == 0 ? NULL : text);
		test_matrix_number(&rows->matrix, 3, i % 101 == 0 ? NAN : draw(i, 3));
		snprintf(text, sizeof(text), i % 101 == 0 ? "lost %d" : "town %d", (int) (draw(i, 4) * draw(i, 5) * 600));
		test_matrix_text(&rows->matrix, 4, text);
		test_matrix_number(&rows->matrix, 5, 7);
	}
	test_matrix_open(&rows->matrix);
}

/* The table with a validation and a test part, and a recipe of these plans for numbers and categories. */
static bool
begin(Rows *rows, uint32_t n, RecipePlan numbers, RecipePlan categories, int n_threads)
{
	SplitPlan	split = {.kind = SPLIT_RANDOM,.test = 0.2,.validation = 0.1,.seed = 5};
	RecipePlan	plans[] = {numbers, numbers, categories, categories, numbers};

	arena_init(&rows->arena);
	rows->pool = pool_create(n_threads, &rows->error);
	write_rows(rows, n);
	return CHECK_OK(table_build(&rows->table, &rows->matrix.matrix, NULL, &split, rows->pool, &rows->arena, &rows->error), &rows->error) &&
		CHECK_OK(recipe_fit(&rows->recipe, &rows->table, plans, rows->pool, &rows->arena, &rows->error), &rows->error);
}

static void
end(Rows *rows)
{
	test_matrix_free(&rows->matrix);
	arena_free(&rows->arena);
	pool_destroy(rows->pool);
}

/* The bin of a value by definition. */
static uint32_t
bin_of(const BinFeature *feature, double value)
{
	uint32_t	bin = 1;

	if (value != value)
		return BIN_MISSING;
	if (feature->categorical)
		return (uint32_t) value + 1;
	while (bin <= feature->n_cuts && feature->cuts[bin - 1] < value)
		bin++;
	return bin;
}

/* Encoded values of all rows of the plan, side by side. */
static double *
encode(const Rows *rows, size_t n_rows)
{
	const FittedRecipe *recipe = &rows->recipe;
	double	   *values = malloc(n_rows * recipe->n_features * sizeof(double));

	for (size_t row = 0; row < n_rows; row++)
		for (uint32_t c = 0; c < recipe->n_columns; c++)
			recipe_encode(&recipe->columns[c].recipe, recipe_raw(&recipe->columns[c], row),
						  values + row * recipe->n_features + recipe->columns[c].recipe.first_feature);
	return values;
}

/* The cuts of a number, from all training rows in the order of the table. */
static void
check_cuts(const Rows *rows, const BinFeature *feature, uint32_t f, const double *values, uint32_t max_bin)
{
	size_t		n = range_rows(rows->table.train);
	double	   *sample = malloc(n * sizeof(double));
	double	   *cuts = malloc((max_bin + 1) * sizeof(double));
	uint64_t   *work = malloc(2 * n * sizeof(uint64_t));
	BinFeature	expected = {.cuts = cuts};

	for (size_t row = 0; row < n; row++)
		sample[row] = values[row * rows->recipe.n_features + f];
	bins_find_cuts(&expected, sample, n, max_bin, work);
	CHECK(feature->n_cuts == expected.n_cuts && memcmp(feature->cuts, cuts, expected.n_cuts * sizeof(double)) == 0);
	free(sample);
	free(cuts);
	free(work);
}

/* Builds bins and holds them against the definition. */
static void
check_bins(Rows *rows, BinPlan plan)
{
	FitInput	input = {.table = &rows->table,.recipe = &rows->recipe,.pool = rows->pool,.arena = &rows->arena};
	BinnedMatrix bins;
	double	   *values = encode(rows, plan.n_rows);

	if (!CHECK_OK(bins_build(&bins, &input, &plan, &rows->error), &rows->error))
		return;
	CHECK(bins.n_rows == plan.n_rows && bins.n_features == rows->recipe.n_features);
	for (uint32_t f = 0; f < bins.n_features; f++)
	{
		const BinFeature *feature = &bins.features[f];
		bool		right = true;

		if (!feature->categorical)
			check_cuts(rows, feature, f, values, plan.max_bin);
		for (size_t row = 0; row < plan.n_rows && !feature->constant; row++)
		{
			uint32_t	expected = bin_of(feature, values[row * bins.n_features + f]);
			uint32_t	found = feature->wide ? bins_wide_column(&bins, feature)[row] : bins_column(&bins, feature)[row];

			right = right && found == expected && (!plan.by_row || bins_at(&bins, row, f) == expected);
		}
		CHECK(right);
	}
	free(values);
}

/* Trees' recipes and those that fill, scale and spread; narrow and wide; on any number of threads. */
static void
definition(void)
{
	static const RecipePlan numbers[] = {
		{MISSING_NATIVE, ENCODING_NATIVE, SCALING_NONE, UNSEEN_MISSING, INDICATOR_NEVER, 0},
		{MISSING_MEDIAN, ENCODING_NATIVE, SCALING_STANDARD, UNSEEN_MISSING, INDICATOR_AUTO, 0}
	};
	static const RecipePlan categories[] = {
		{MISSING_NATIVE, ENCODING_NATIVE, SCALING_NONE, UNSEEN_MISSING, INDICATOR_NEVER, 0},
		{MISSING_MOST_FREQUENT, ENCODING_ONEHOT, SCALING_NONE, UNSEEN_MISSING, INDICATOR_AUTO, 40}
	};

	for (int p = 0; p < 2; p++)
	{
		for (int threads = 1; threads <= 3; threads++)
		{
			Rows		rows;

			if (!begin(&rows, 9001, numbers[p], categories[p], threads))
				return;

			size_t		n_train = range_rows(rows.table.train);
			size_t		n_known = n_train + range_rows(rows.table.validation);

			check_bins(&rows, (BinPlan) {.n_rows = n_known,.max_bin = 255,.by_row = true});
			check_bins(&rows, (BinPlan) {.n_rows = n_train,.max_bin = 1000,.middles = true});
			check_bins(&rows, (BinPlan) {.n_rows = n_known,.max_bin = 5000,.by_row = true});
			end(&rows);
		}
	}
}

/* Codes that only rows without a target have are no level. */
static void
lost_codes(void)
{
	RecipePlan	native = {MISSING_NATIVE, ENCODING_NATIVE, SCALING_NONE, UNSEEN_MISSING, INDICATOR_NEVER, 0};
	Rows		rows;
	int			n_lost = 0;

	if (!begin(&rows, 9001, native, native, 1))
		return;

	const TableColumn *many = &rows.table.features[3];

	for (uint32_t code = 0; code < many->source->n_codes; code++)
	{
		size_t		length;
		bool		lost = matrix_text(many->matrix, many->number, code, &length)[0] == 'l';

		n_lost += lost;
		CHECK(lost ? many->level_of_code[code] == CODE_MISSING : many->level_of_code[code] < many->n_levels);
	}
	CHECK(n_lost > 20 && many->n_levels + (uint32_t) n_lost == many->source->n_codes);
	end(&rows);
}

/* Single values, gathered ones and loaded ones are the same, and a recipe is the same of any. */
static void
three_ways(void)
{
	RecipePlan	number = {MISSING_MEDIAN, ENCODING_NATIVE, SCALING_STANDARD, UNSEEN_MISSING, INDICATOR_AUTO, 0};
	RecipePlan	category = {MISSING_MOST_FREQUENT, ENCODING_ONEHOT, SCALING_NONE, UNSEEN_MISSING, INDICATOR_AUTO, 10};
	RecipePlan	plans[] = {number, number, category, category, number};
	FittedRecipe again;
	Rows		rows;
	bool		right = true;

	if (!begin(&rows, 9001, number, category, 2))
		return;

	size_t		n = rows.table.n_rows;
	double	   *apart = encode(&rows, n);
	double	   *gathered;
	double	   *room = malloc((n + 1) * sizeof(double));
	uint32_t   *positions = table_positions(&rows.table, rows.pool, &rows.arena, &rows.error);
	TableColumn loaded = table_load(&rows.table.features[1], rows.table.test, positions, room);

	CHECK(n < 9001 && positions[0] == ROW_UNUSED);
	for (size_t row = 0; row < n; row++)
	{
		double		value = table_number_apart(&rows.table.features[1], row);
		double		other = table_number(&loaded, row);

		right = right && positions[rows.table.order[row]] == row && (value == other || (value != value && other != other));
	}
	CHECK(right);

	/* some rows, then all */
	CHECK_OK(table_gather_features(&rows.table, rows.table.test, rows.pool, &rows.arena, &rows.error), &rows.error);
	CHECK(table_is_gathered(&rows.table.features[0], rows.table.test) && !table_is_gathered(&rows.table.features[0], rows.table.train));
	gathered = encode(&rows, n);
	CHECK(memcmp(apart, gathered, n * rows.recipe.n_features * sizeof(double)) == 0);
	free(gathered);
	CHECK_OK(table_gather_features(&rows.table, (RowRange) {0, n}, rows.pool, &rows.arena, &rows.error), &rows.error);
	gathered = encode(&rows, n);
	CHECK(memcmp(apart, gathered, n * rows.recipe.n_features * sizeof(double)) == 0);

	CHECK_OK(recipe_fit(&again, &rows.table, plans, rows.pool, &rows.arena, &rows.error), &rows.error);
	for (uint32_t c = 0; c < again.n_columns; c++)
		CHECK(memcmp(&again.columns[c].recipe, &rows.recipe.columns[c].recipe, sizeof(RecipeColumn)) == 0);
	free(apart);
	free(gathered);
	free(room);
	end(&rows);
}

int
main(void)
{
	definition();
	lost_codes();
	three_ways();
	return check_done();
}
