/*
 * table.c
 *		From a matrix to a table: the sequence of steps.
 *
 * Hash every row, put the rows in canonical order, decide each row's part,
 * describe the columns.  Each step has its file; what they share while the
 * table is built is a RowSet, whose memory is given back at the end.
 */
#include "table.h"

#include <string.h>

#include "../clock.h"
#include "table_internal.h"

/* Bytes a row while it is built: two sort items, row, class, target, part. */
#define BUILD_ROW (2 * sizeof(SortItem) + 2 * sizeof(uint32_t) + sizeof(double) + 1)

/* Bytes of the dictionaries, each code with `more`. */
static uint64_t
dictionaries_memory(const Matrix *matrix, uint64_t more)
{
	uint64_t	bytes = 0;

	for (uint32_t c = 0; c < matrix->header->n_columns; c++)
	{
		const MatrixColumn *column = &matrix->columns[c];

		if (column->storage == STORAGE_CODE)
			bytes += column->dictionary_size + (uint64_t) column->n_codes * (sizeof(char *) + sizeof(size_t) + sizeof(uint32_t) + more);
	}
	return bytes;
}

uint64_t
table_memory(const Matrix *matrix)
{
	return matrix->header->n_rows * 2 * sizeof(uint32_t) + dictionaries_memory(matrix, 0);
}

uint64_t
table_build_memory(const Matrix *matrix)
{
	return matrix->header->n_rows * (BUILD_ROW + sizeof(uint32_t)) +
		dictionaries_memory(matrix, 1 + 2 * sizeof(SortItem) + sizeof(uint64_t));
}

/* Sets the ranges of the parts, and the order: rows of the matrix by part and canonical position. */
static bool
arrange_parts(Table *table, const RowSet *rows, Error *error)
{
	RowRange   *ranges[] = {&table->train, &table->validation, &table->test};
	size_t		next[PART_TEST + 2] = {0};

	/* one behind its part, so that the sums are where the parts begin */
	for (size_t i = 0; i < rows->n; i++)
		next[rows->parts[i] + 1]++;
	for (Part part = PART_TRAIN; part <= PART_TEST; part++)
	{
		next[part + 1] += next[part];
		*ranges[part] = (RowRange) {next[part], next[part + 1]};
	}
	if (rows->keys != NULL)
		for (size_t i = 0, n = 0; i < rows->n; i++)
			if (rows->parts[i] == PART_TEST)
				table->test_keys[n++] = rows->keys[i];
	for (size_t i = 0; i < rows->n; i++)
		table->order[next[rows->parts[i]]++] = rows->rows[i];
	if (range_rows(table->train) == 0)
	{
		error_set(error, ERROR_DATA, "no rows are left for training");
		return error_detail(error, "Of %zu rows, the split puts %zu into validation and %zu into test.", rows->n,
							range_rows(table->validation), range_rows(table->test));
	}
	return true;
}

/* What the split leaves beside the parts. */
static bool
keep_cuts(Table *table, const RowSet *rows, Arena *arena, Error *error)
{
	table->n_cuts = rows->n_cuts;
	table->cuts = arena_alloc(arena, (size_t) rows->n_cuts + 1, sizeof(TestCut), error);
	if (table->cuts == NULL)
		return false;
	for (uint32_t c = 0; c < rows->n_cuts; c++)
		table->cuts[c] = rows->cuts[c];
	if (rows->keys == NULL)
		return true;
	table->test_keys = arena_alloc(arena, rows->n, sizeof(uint64_t), error);
	return table->test_keys != NULL;
}

/* Seconds since *start, which is set to now. */
static double
lap(double *start)
{
	double		now = clock_seconds();
	double		seconds = now - *start;

	*start = now;
	return seconds;
}

/* All steps; rows->scratch is freed by the caller. */
static bool
build(Table *table, RowSet *rows, const SplitPlan *plan, Arena *arena, Error *error)
{
	double		start = clock_seconds();

	if (!table_hash_rows(rows, error))
		return false;
	table->seconds.hash = lap(&start);
	if (!table_order_rows(rows, error))
		return false;
	table->seconds.order = lap(&start);
	if (!split_rows(rows, plan, error))
		return false;

	table->order = arena_alloc(arena, rows->n, sizeof(uint32_t), error);
	if (table->order == NULL || !keep_cuts(table, rows, arena, error) || !arrange_parts(table, rows, error))
		return false;
	table->n_rows = rows->n;
	table->n_dropped = rows->n_dropped;
	memcpy(table->fingerprint, rows->fingerprint, sizeof(table->fingerprint));
	table->seconds.split = lap(&start);
	if (!table_describe_columns(table, rows, arena, error))
		return false;
	table->seconds.levels = lap(&start);
	return true;
}

bool
table_build(Table *table, const Matrix *matrix, HashedBlocks *hashed, const SplitPlan *split, ThreadPool *pool, Arena *arena,
			Error *error)
{
	Arena		scratch;
	RowSet		rows = {.matrix = matrix,.hashed = hashed,.pool = pool,.scratch = &scratch};

	memset(table, 0, sizeof(*table));
	table->matrix = matrix;
	rows.target = matrix_find_role(matrix, ROLE_TARGET);
	rows.weight = matrix_find_role(matrix, ROLE_WEIGHT);
	rows.split = matrix_find_role(matrix, ROLE_SPLIT);
	if (rows.target < 0)
		return error_set(error, ERROR_INTERNAL, "the matrix has no target column");
	if (rows.weight >= 0 && matrix->columns[rows.weight].storage == STORAGE_CODE)
		return error_set(error, ERROR_TYPE, "weight column \"%s\" is not a number", matrix->columns[rows.weight].name);

	arena_init(&scratch);

	bool		built = build(table, &rows, split, arena, error);

	arena_free(&scratch);
	return built;
}
