/*
 * test_split.c
 *		Splits: exact shares, strata, columns, times, groups, tiny tables.
 */
#include <stdlib.h>

#include "check.h"
#include "core/fit/table/table.h"
#include "core/hash.h"
#include "support_matrix.h"

/* A matrix of one feature x (the row's number unless said otherwise), a target and perhaps a split column. */
typedef struct Case
{
	uint32_t	n;
	bool		text_target;
	bool		text_split;
	ColumnKind	split_kind;		/* 0: no split column */
	double		x[400];
	double		target[400];	/* of texts: the first letter's distance from 'a' */
	double		split[400];
	const char *split_text[400];
} Case;

typedef struct Built
{
	TestMatrix	matrix;
	ThreadPool *pool;
	Arena		arena;
	Table		table;
	bool		success;
	Error		error;
} Built;

static void
build(Built *built, const Case *rows, SplitPlan plan)
{
	MatrixColumn columns[3];

	columns[0] = test_column("x", KIND_NUMBER, STORAGE_FLOAT64, ROLE_FEATURE);
	columns[1] = test_column("y", rows->text_target ? KIND_CATEGORY : KIND_NUMBER,
							 rows->text_target ? STORAGE_CODE : STORAGE_FLOAT64, ROLE_TARGET);
	columns[2] = test_column("part", rows->text_split ? KIND_CATEGORY : rows->split_kind,
							 rows->text_split ? STORAGE_CODE : STORAGE_FLOAT64, ROLE_SPLIT);
	arena_init(&built->arena);
	built->pool = pool_create(1, &built->error);
	test_matrix_begin(&built->matrix, 0, columns, rows->split_kind ? 3 : 2);
	for (uint32_t i = 0; i < rows->n; i++)
	{
		char		label[] = {(char) ('a' + (int) rows->target[i]), '\0'};

		test_matrix_row(&built->matrix);
		test_matrix_number(&built->matrix, 0, rows->x[i]);
		if (rows->text_target)
			test_matrix_text(&built->matrix, 1, label);
		else
			test_matrix_number(&built->matrix, 1, rows->target[i]);
		if (rows->split_kind && rows->text_split)
			test_matrix_text(&built->matrix, 2, rows->split_text[i]);
		else if (rows->split_kind)
			test_matrix_number(&built->matrix, 2, rows->split[i]);
	}
	test_matrix_open(&built->matrix);
	built->success = table_build(&built->table, &built->matrix.matrix, NULL, &plan, built->pool, &built->arena, &built->error);
}

static void
drop(Built *built)
{
	test_matrix_free(&built->matrix);
	arena_free(&built->arena);
	pool_destroy(built->pool);
}

/* Rows of a class (by number, or by letter) in a range. */
static size_t
count_class(const Table *table, RowRange range, int class)
{
	size_t		n = 0;

	for (size_t row = range.begin; row < range.end; row++)
	{
		if (table->target->source->storage == STORAGE_CODE)
			n += table->target->levels[table_code(table->target, row)][0] == 'a' + class;
		else
			n += table_number(table->target, row) == class;
	}
	return n;
}

/* Lowest and highest number of the split column in a range. */
static double
split_bound(const Table *table, RowRange range, bool highest)
{
	double		bound = table_number(table->split, range.begin);

	for (size_t row = range.begin; row < range.end; row++)
	{
		double		value = table_number(table->split, row);

		bound = highest ? fmax(bound, value) : fmin(bound, value);
	}
	return bound;
}

/* Every class gives its share; the total is exact; single rows train. */
static void
stratified(bool text)
{
	static const uint32_t sizes[] = {50, 30, 15, 4, 1};
	static const size_t test_sizes[] = {10, 6, 3, 1, 0};
	static Case rows;
	Built		built;

	rows = (Case) {.text_target = text};
	for (int c = 0; c < 5; c++)
	{
		for (uint32_t i = 0; i < sizes[c]; i++, rows.n++)
		{
			rows.x[rows.n] = rows.n;
			rows.target[rows.n] = c;
		}
	}
	build(&built, &rows, (SplitPlan) {.kind = SPLIT_RANDOM,.test = 0.2,.validation = 0.1,.seed = 1,.stratified = true});
	if (CHECK_OK(built.success, &built.error))
	{
		CHECK(range_rows(built.table.test) == 20);
		CHECK(range_rows(built.table.validation) == 10);
		for (int c = 0; c < 5; c++)
		{
			CHECK(count_class(&built.table, built.table.test, c) == test_sizes[c]);
			CHECK(count_class(&built.table, built.table.train, c) > 0);
		}
		CHECK(count_class(&built.table, built.table.validation, 0) == 5);
		CHECK(count_class(&built.table, built.table.validation, 1) == 3);
	}
	drop(&built);
}

/* Two features of few values: the copies of a row fall on both sides, in the shares asked for. */
static void
copies_straddle(void)
{
	static Case rows;
	Built		built;
	size_t		in_test[2] = {0};

	rows = (Case) {.n = 400};
	for (uint32_t i = 0; i < rows.n; i++)
	{
		rows.x[i] = i % 2;
		rows.target[i] = i % 2;
	}
	build(&built, &rows, (SplitPlan) {.kind = SPLIT_RANDOM,.test = 0.25,.seed = 7});
	if (CHECK_OK(built.success, &built.error))
	{
		CHECK(range_rows(built.table.test) == 100);
		for (size_t row = built.table.test.begin; row < built.table.test.end; row++)
			in_test[(int) table_number(&built.table.features[0], row)]++;
		CHECK(in_test[0] > 30 && in_test[1] > 30);
	}
	drop(&built);
}

/* 1, 2 and 3 rows; a share that would take all. */
static void
tiny(void)
{
	static Case rows;
	static const size_t tests[] = {0, 0, 0, 1};

	for (uint32_t n = 1; n <= 3; n++)
	{
		Built		built;

		rows = (Case) {.n = n};
		for (uint32_t i = 0; i < n; i++)
			rows.x[i] = rows.target[i] = i;
		build(&built, &rows, (SplitPlan) {.kind = SPLIT_RANDOM,.test = 0.2,.seed = 1});
		CHECK_OK(built.success, &built.error);
		CHECK(range_rows(built.table.test) == tests[n]);
		drop(&built);
		build(&built, &rows, (SplitPlan) {.kind = SPLIT_RANDOM,.test = 0.6,.validation = 0.39,.seed = 1});
		CHECK_OK(built.success, &built.error);
		CHECK(range_rows(built.table.train) >= 1);
		drop(&built);
		build(&built, &rows, (SplitPlan) {.kind = SPLIT_RANDOM,.test = 0.9,.seed = 1,.stratified = true});
		CHECK_OK(built.success, &built.error);
		CHECK(range_rows(built.table.train) == n);
		drop(&built);
	}
}

/* A column decides: numbers, words, and what is refused. */
static void
by_column(void)
{
	static const char *const words[] = {"train", "test", "validation"};
	static Case rows;
	SplitPlan	plan = {.kind = SPLIT_COLUMN,.test = 0.2,.seed = 1};
	Built		built;
	bool		right = true;

	rows = (Case) {.n = 90,.split_kind = KIND_BOOLEAN};
	for (uint32_t i = 0; i < rows.n; i++)
	{
		rows.x[i] = i;
		rows.split[i] = i % 3 == 1;
		rows.split_text[i] = words[i % 3];
	}
	build(&built, &rows, plan);
	if (CHECK_OK(built.success, &built.error))
	{
		CHECK(range_rows(built.table.test) == 30);
		CHECK(built.table.n_features == 1);
		for (size_t row = built.table.test.begin; row < built.table.test.end; row++)
			right = right && (int) table_number(&built.table.features[0], row) % 3 == 1;
		CHECK(right);
	}
	drop(&built);

	plan.validation = 0.25;
	build(&built, &rows, plan);
	CHECK_OK(built.success, &built.error);
	CHECK(range_rows(built.table.test) == 30 && range_rows(built.table.validation) == 15);
	drop(&built);

	rows.text_split = true;
	build(&built, &rows, plan);
	CHECK_ERROR(built.success, &built.error, ERROR_PARAMETER, "validation");
	drop(&built);

	plan.validation = 0;
	build(&built, &rows, plan);
	CHECK_OK(built.success, &built.error);
	CHECK(range_rows(built.table.test) == 30 && range_rows(built.table.validation) == 30);
	drop(&built);

	rows.split_text[4] = "Test";
	build(&built, &rows, plan);
	CHECK_ERROR(built.success, &built.error, ERROR_DATA, "\"Test\"");
	drop(&built);

	rows.split_text[4] = NULL;
	build(&built, &rows, plan);
	CHECK_ERROR(built.success, &built.error, ERROR_DATA, "\"part\" is NULL in 1 row");
	drop(&built);

	for (uint32_t i = 0; i < rows.n; i++)
		rows.split_text[i] = "test";
	build(&built, &rows, plan);
	CHECK_ERROR(built.success, &built.error, ERROR_DATA, "training");
	drop(&built);
}

/* The latest rows test; no time is on two sides. */
static void
by_time(void)
{
	static Case rows;
	SplitPlan	plan = {.kind = SPLIT_TIME,.test = 0.2,.validation = 0.1,.seed = 1};
	Built		built;

	rows = (Case) {.n = 200,.split_kind = KIND_TIMESTAMP};
	for (uint32_t i = 0; i < rows.n; i++)
	{
		rows.x[i] = i;
		rows.split[i] = (i * 37) % 200 - 100.0;
	}
	build(&built, &rows, plan);
	if (CHECK_OK(built.success, &built.error))
	{
		CHECK(range_rows(built.table.test) == 40 && range_rows(built.table.validation) == 20);
		CHECK(split_bound(&built.table, built.table.train, true) < split_bound(&built.table, built.table.validation, false));
		CHECK(split_bound(&built.table, built.table.validation, true) < split_bound(&built.table, built.table.test, false));
	}
	drop(&built);

	/* seven times of about 29 rows: one each is nearest to 40 and to 20 */
	for (uint32_t i = 0; i < rows.n; i++)
		rows.split[i] = i % 7;
	build(&built, &rows, plan);
	if (CHECK_OK(built.success, &built.error))
	{
		CHECK(range_rows(built.table.test) == 28 && range_rows(built.table.validation) == 28);
		CHECK(split_bound(&built.table, built.table.test, false) == 6);
		CHECK(split_bound(&built.table, built.table.validation, false) == 5);
		CHECK(split_bound(&built.table, built.table.train, true) == 4);
	}
	drop(&built);

	/* two times cannot be three parts */
	for (uint32_t i = 0; i < rows.n; i++)
		rows.split[i] = i > 0;
	build(&built, &rows, plan);
	CHECK_ERROR(built.success, &built.error, ERROR_DATA, "at least 3 times");
	drop(&built);

	/* but two, whatever their sizes */
	plan.validation = 0;
	build(&built, &rows, plan);
	CHECK_OK(built.success, &built.error);
	CHECK(range_rows(built.table.train) == 1);
	drop(&built);

	rows.split[3] = NAN;
	build(&built, &rows, plan);
	CHECK_ERROR(built.success, &built.error, ERROR_DATA, "\"part\" is NULL");
	drop(&built);

	rows.text_split = true;
	for (uint32_t i = 0; i < rows.n; i++)
		rows.split_text[i] = "2020-01-01";
	build(&built, &rows, plan);
	CHECK_ERROR(built.success, &built.error, ERROR_TYPE, "not a time");
	drop(&built);
}

/* Part of each group: 1 + part where all its rows are in it, -1 where they are in two. */
static void
place_groups(const Table *table, const uint32_t *group_of_x, int *places, uint32_t n_groups)
{
	RowRange	ranges[] = {table->train, table->validation, table->test};

	memset(places, 0, n_groups * sizeof(int));
	for (int part = 0; part < 3; part++)
	{
		for (size_t row = ranges[part].begin; row < ranges[part].end; row++)
		{
			int		   *place = &places[group_of_x[(int) table_number(&table->features[0], row)]];

			*place = *place == 0 || *place == 1 + part ? 1 + part : -1;
		}
	}
}

/* A group is on one side only, by number and by text alike; the share is nearly met; the seed decides. */
static void
by_group(bool text)
{
	static Case rows;
	static char names[40][8];
	uint32_t	group_of_x[400];
	int			places[40];
	int			other_places[40];
	SplitPlan	plan = {.kind = SPLIT_GROUP,.test = 0.2,.validation = 0.2,.seed = 1};
	Built		built;
	bool		whole = true;

	rows = (Case) {.n = 400,.split_kind = KIND_NUMBER,.text_split = text};
	for (uint32_t i = 0; i < rows.n; i++)
	{
		uint32_t	group = (uint32_t) (hash64_mix(i) % 40);

		snprintf(names[group], sizeof(names[group]), "g%u", group);
		rows.x[i] = i;
		rows.split[i] = group_of_x[i] = group;
		rows.split_text[i] = names[group];
	}
	build(&built, &rows, plan);
	if (CHECK_OK(built.success, &built.error))
	{
		CHECK(range_rows(built.table.test) >= 70 && range_rows(built.table.test) <= 90);
		CHECK(range_rows(built.table.validation) >= 70 && range_rows(built.table.validation) <= 90);
		place_groups(&built.table, group_of_x, places, 40);
		for (int g = 0; g < 40; g++)
			whole = whole && places[g] > 0;
		CHECK(whole);
	}
	drop(&built);
	plan.seed = 2;
	build(&built, &rows, plan);
	place_groups(&built.table, group_of_x, other_places, 40);
	CHECK(memcmp(places, other_places, sizeof(places)) != 0);
	drop(&built);

	/* one large group and two small ones: the large one trains */
	plan.validation = 0;
	for (uint32_t i = 0; i < rows.n; i++)
	{
		rows.split[i] = i < 320 ? 0 : 1 + i % 2;
		rows.split_text[i] = names[(int) rows.split[i]];
	}
	for (plan.seed = 1; plan.seed < 10; plan.seed++)
	{
		build(&built, &rows, plan);
		CHECK_OK(built.success, &built.error);
		CHECK(range_rows(built.table.train) == 320);
		drop(&built);
	}

	for (uint32_t i = 0; i < rows.n; i++)
	{
		rows.split[i] = 0;
		rows.split_text[i] = "all";
	}
	build(&built, &rows, plan);
	CHECK_ERROR(built.success, &built.error, ERROR_DATA, "too few different values");
	drop(&built);
}

int
main(void)
{
	stratified(false);
	stratified(true);
	copies_straddle();
	tiny();
	by_column();
	by_time();
	by_group(false);
	by_group(true);
	return check_done();
}
