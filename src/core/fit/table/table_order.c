/*
 * table_order.c
 *		Second step of a table: rows in canonical order.
 *
 * By hash; rows of equal hash by their values, column after column.  Nearly
 * always these are copies of each other: the threads compare them, and only
 * where rows differ they are sorted, by one thread.  Copies are interchangeable: which comes first has no effect.
 */
#include "table_internal.h"

#define CHUNK_ROWS 16384

typedef struct OrderWork
{
	const RowSet *rows;
	bool	   *collisions;		/* one a chunk: different rows of one hash */
} OrderWork;

/* Compares two rows in one column: missing last, texts by bytes. */
static int
compare_values(const Matrix *matrix, uint32_t column, uint32_t a, uint32_t b)
{
	if (matrix->columns[column].storage != STORAGE_CODE)
	{
		uint64_t	key_a = sort_number_key(matrix_number(matrix, column, a));
		uint64_t	key_b = sort_number_key(matrix_number(matrix, column, b));

		return (key_a > key_b) - (key_a < key_b);
	}

	uint32_t	code_a = matrix_code(matrix, column, a);
	uint32_t	code_b = matrix_code(matrix, column, b);

	if (code_a == code_b)
		return 0;
	if (code_a == CODE_MISSING || code_b == CODE_MISSING)
		return code_a == CODE_MISSING ? 1 : -1;

	size_t		length_a;
	size_t		length_b;
	const char *text_a = matrix_text(matrix, column, code_a, &length_a);
	const char *text_b = matrix_text(matrix, column, code_b, &length_b);

	return text_compare(text_a, length_a, text_b, length_b);
}

/* Compares two rows by value (SortCompare; the context is the matrix). */
static int
compare_rows(const SortItem *a, const SortItem *b, const void *context)
{
	const Matrix *matrix = context;

	for (uint32_t c = 0; c < matrix->header->n_columns; c++)
	{
		int			order = compare_values(matrix, c, a->index, b->index);

		if (order != 0)
			return order;
	}
	return 0;
}

/* First position of a chunk at which a run of equal hash begins; a run belongs to the chunk where it begins. */
static size_t
first_run(const RowSet *rows, size_t chunk)
{
	size_t		i = chunk * CHUNK_ROWS;

	while (i < rows->n && i > 0 && rows->items[i].key == rows->items[i - 1].key)
		i++;
	return i;
}

static size_t
chunk_end(const RowSet *rows, size_t chunk)
{
	size_t		end = (chunk + 1) * CHUNK_ROWS;

	return end < rows->n ? end : rows->n;
}

/* Finds out whether rows of one hash differ in any run of a chunk. */
static void
compare_chunk(void *argument, size_t chunk)
{
	OrderWork  *work = argument;
	const RowSet *rows = work->rows;
	const SortItem *items = rows->items;
	size_t		end = chunk_end(rows, chunk);
	bool		collision = false;

	for (size_t i = first_run(rows, chunk) + 1; i < rows->n; i++)
	{
		if (items[i].key == items[i - 1].key)
			collision = collision || compare_rows(&items[i - 1], &items[i], rows->matrix) != 0;
		else if (i >= end)
			break;
	}
	work->collisions[chunk] = collision;
}

/* Orders the runs of a chunk by value. */
static void
order_chunk(const RowSet *rows, size_t chunk)
{
	SortItem   *items = rows->items;
	size_t		run_end;

	for (size_t i = first_run(rows, chunk); i < chunk_end(rows, chunk); i = run_end)
	{
		for (run_end = i + 1; run_end < rows->n && items[run_end].key == items[i].key;)
			run_end++;
		sort_by_comparison(items + i, rows->spare + i, run_end - i, compare_rows, rows->matrix);
	}
}

bool
table_order_rows(RowSet *rows, Error *error)
{
	size_t		n_chunks = (rows->n + CHUNK_ROWS - 1) / CHUNK_ROWS;
	OrderWork	work = {.rows = rows};

	rows->spare = arena_alloc(rows->scratch, rows->n, sizeof(SortItem), error);
	rows->rows = arena_alloc(rows->scratch, rows->n, sizeof(uint32_t), error);
	work.collisions = arena_alloc(rows->scratch, n_chunks, sizeof(bool), error);
	if (rows->spare == NULL || rows->rows == NULL || work.collisions == NULL ||
		!sort_by_key(rows->items, rows->spare, rows->n, rows->pool, rows->scratch, error))
		return false;

	pool_for(rows->pool, n_chunks, compare_chunk, &work);
	for (size_t chunk = 0; chunk < n_chunks; chunk++)
	{
		if (work.collisions[chunk])
			order_chunk(rows, chunk);
	}
	for (size_t i = 0; i < rows->n; i++)
		rows->rows[i] = rows->items[i].index;
	return true;
}
