/*
 * test_cuts.c
 *		What a split certainly held out, asked of the rows of another table.
 *
 * A table's cuts must hold for the keys of a larger one: rows below are in the
 * smaller one's test part wherever it has them.
 */
#include "check.h"
#include "core/fit/table/table.h"
#include "core/hash.h"
#include "support_matrix.h"

typedef struct Built
{
	TestMatrix	matrix;
	ThreadPool *pool;
	Arena		arena;
	Table		table;
} Built;

/* Rows 0 to n - 1 of one and the same made-up data: feature x (the row's number), three classes, a time, a group. */
static void
build(Built *built, uint32_t n, SplitPlan plan)
{
	MatrixColumn columns[3];
	Error		error;

	columns[0] = test_column("x", KIND_NUMBER, STORAGE_FLOAT64, ROLE_FEATURE);
	columns[1] = test_column("y", KIND_NUMBER, STORAGE_FLOAT64, ROLE_TARGET);
	columns[2] = test_column("part", KIND_NUMBER, STORAGE_FLOAT64, ROLE_SPLIT);
	arena_init(&built->arena);
	built->pool = pool_create(1, &error);
	test_matrix_begin(&built->matrix, 0, columns, plan.kind == SPLIT_RANDOM ? 2 : 3);
	for (uint32_t i = 0; i < n; i++)
	{
		test_matrix_row(&built->matrix);
		test_matrix_number(&built->matrix, 0, i);
		test_matrix_number(&built->matrix, 1, (double) (hash64_combine(i, 5) % 3));
		if (plan.kind != SPLIT_RANDOM)
			test_matrix_number(&built->matrix, 2, plan.kind == SPLIT_GROUP ? i / 7 : plan.kind == SPLIT_COLUMN ? i % 3 == 0 : i);
	}
	test_matrix_open(&built->matrix);
	CHECK_OK(table_build(&built->table, &built->matrix.matrix, NULL, &plan, built->pool, &built->arena, &error), &error);
}

static void
drop(Built *built)
{
	test_matrix_free(&built->matrix);
	arena_free(&built->arena);
	pool_destroy(built->pool);
}

/* The cut of a row's class. */
static uint64_t
cut_of(const Table *table, double target)
{
	for (uint32_t c = 0; c < table->n_cuts; c++)
	{
		if (isnan(table->cuts[c].target) || table->cuts[c].target == target)
			return table->cuts[c].below;
	}
	return 0;
}

/* Of the larger table's test part, how many rows the smaller one's cuts hold; none of them may train there. */
static size_t
held_out(SplitPlan plan, uint32_t small, uint32_t large)
{
	Built		first;
	Built		second;
	bool		trained[1000] = {false};
	size_t		n = 0;

	plan.keep_keys = true;
	build(&first, small, plan);
	build(&second, large, plan);
	for (size_t row = first.table.train.begin; row < first.table.validation.end; row++)
		trained[(int) table_number(&first.table.features[0], row)] = true;
	for (size_t row = second.table.test.begin; row < second.table.test.end; row++)
	{
		if (second.table.test_keys[row - second.table.test.begin] >= cut_of(&first.table, table_number(second.table.target, row)))
			continue;
		CHECK(!trained[(int) table_number(&second.table.features[0], row)]);
		n++;
	}
	drop(&first);
	drop(&second);
	return n;
}

int
main(void)
{
	SplitPlan	plan = {.kind = SPLIT_RANDOM,.test = 0.2,.validation = 0.1,.seed = 3};

	/* a row's key does not depend on the others: all but a few at the border are held */
	CHECK(held_out(plan, 500, 500) == 100);
	CHECK(held_out(plan, 500, 900) > 150);
	plan.stratified = true;
	CHECK(held_out(plan, 500, 500) == 100);
	CHECK(held_out(plan, 500, 900) > 150);
	plan.stratified = false;

	plan.kind = SPLIT_TIME;
	CHECK(held_out(plan, 500, 500) == 100);
	CHECK(held_out(plan, 500, 900) == 180);
	plan.kind = SPLIT_COLUMN;
	CHECK(held_out(plan, 500, 900) == 300);
	plan.kind = SPLIT_GROUP;
	CHECK(held_out(plan, 500, 900) > 50);

	plan.kind = SPLIT_RANDOM;
	plan.test = 0;
	Built		built;

	build(&built, 100, plan);
	CHECK(built.table.n_cuts == 0);
	drop(&built);
	return check_done();
}
