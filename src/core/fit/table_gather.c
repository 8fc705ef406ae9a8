/*
 * table_gather.c
 *		Last step of a table: columns as contiguous arrays in the order of the
 *		table, and categories renumbered by the bytes of their texts.
 *
 * The values are gathered column by column: a column of the matrix is small
 * enough to stay in the caches and the TLB while its rows are visited in
 * their new order.
 */
#include "table_internal.h"

#include <string.h>

#define CHUNK_ROWS 65536

typedef struct GatherWork
{
	const Matrix *matrix;
	const uint32_t *order;
	size_t		n_rows;
	size_t		n_chunks;
	TableColumn **columns;		/* of the table, by column of the matrix */
	uint32_t  **ranks;			/* of coded columns: level of each code */
} GatherWork;

typedef struct TextSort
{
	const Matrix *matrix;
	uint32_t	column;
} TextSort;

/* By text (SortCompare; index is the code). */
static int
compare_texts(const SortItem *a, const SortItem *b, const void *context)
{
	const TextSort *sort = context;
	size_t		length_a;
	size_t		length_b;
	const char *text_a = matrix_text(sort->matrix, sort->column, a->index, &length_a);
	const char *text_b = matrix_text(sort->matrix, sort->column, b->index, &length_b);

	return text_compare(text_a, length_a, text_b, length_b);
}

/* Bytes with which all texts of a dictionary begin. */
static size_t
common_prefix(const Matrix *matrix, uint32_t column)
{
	size_t		prefix;
	const char *first = matrix_text(matrix, column, 0, &prefix);

	for (uint32_t code = 1; code < matrix->columns[column].n_codes; code++)
	{
		size_t		length;
		const char *text = matrix_text(matrix, column, code, &length);
		size_t		i = 0;

		while (i < prefix && i < length && text[i] == first[i])
			i++;
		prefix = i;
	}
	return prefix;
}

/* Sorts the codes of a dictionary by their texts, by the 8 bytes behind what all have in common first. */
static bool
sort_codes(RowSet *rows, uint32_t column, SortItem *items, size_t n, Error *error)
{
	const Matrix *matrix = rows->matrix;
	TextSort	sort = {matrix, column};
	size_t		prefix = common_prefix(matrix, column);
	SortItem   *spare = arena_alloc(rows->scratch, n, sizeof(SortItem), error);

	if (spare == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		size_t		length;
		const char *text = matrix_text(matrix, column, items[i].index, &length);

		items[i].key = sort_text_key(text + prefix, length - prefix);
	}
	if (!sort_by_key(items, spare, n, rows->pool, rows->scratch, error))
		return false;
	for (size_t i = 0, end; i < n; i = end)
	{
		for (end = i + 1; end < n && items[end].key == items[i].key;)
			end++;
		sort_by_comparison(items + i, spare + i, end - i, compare_texts, &sort);
	}
	return true;
}

/* The codes of a column that the rows used have, in items; their number. */
static size_t
used_codes(const RowSet *rows, uint32_t column, bool *seen, SortItem *items)
{
	const MatrixColumn *source = &rows->matrix->columns[column];
	size_t		n = 0;

	memset(seen, rows->n_dropped == 0, source->n_codes);
	if (rows->n_dropped > 0)
	{
		for (size_t i = 0; i < rows->n; i++)
		{
			uint32_t	code = matrix_code(rows->matrix, column, rows->rows[i]);

			if (code != CODE_MISSING)
				seen[code] = true;
		}
	}
	for (uint32_t code = 0; code < source->n_codes; code++)
	{
		if (seen[code])
			items[n++].index = code;
	}
	return n;
}

/* Sets up the levels of one column, and *ranks: the level of each code of its dictionary. */
static bool
table_levels(RowSet *rows, uint32_t column, TableColumn *out, uint32_t **ranks, Arena *arena, Error *error)
{
	const Matrix *matrix = rows->matrix;
	const MatrixColumn *source = &matrix->columns[column];
	size_t		n_codes = source->n_codes;
	bool	   *seen = arena_alloc(rows->scratch, n_codes, sizeof(bool), error);
	SortItem   *items = arena_alloc(rows->scratch, n_codes, sizeof(SortItem), error);

	*ranks = arena_alloc(rows->scratch, n_codes, sizeof(uint32_t), error);
	if (seen == NULL || items == NULL || *ranks == NULL)
		return false;

	size_t		n = used_codes(rows, column, seen, items);

	if (n > 0 && !sort_codes(rows, column, items, n, error))
		return false;

	/* the texts, each ended with 0 */
	char	   *text = arena_alloc(arena, source->dictionary_size - (n_codes + 1) * sizeof(uint64_t) + n, 1, error);

	out->levels = arena_alloc(arena, n, sizeof(char *), error);
	out->level_lengths = arena_alloc(arena, n, sizeof(size_t), error);
	if (text == NULL || out->levels == NULL || out->level_lengths == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		size_t		length;
		const char *bytes = matrix_text(matrix, column, items[i].index, &length);

		(*ranks)[items[i].index] = (uint32_t) i;
		out->levels[i] = text;
		out->level_lengths[i] = length;
		memcpy(text, bytes, length);
		text[length] = '\0';
		text += length + 1;
	}
	out->n_levels = (uint32_t) n;
	return true;
}

/* Gathers one chunk of one column; -0 becomes 0, as in the hash. */
static void
gather_chunk(void *argument, size_t task)
{
	const GatherWork *work = argument;
	uint32_t	column = (uint32_t) (task / work->n_chunks);
	size_t		begin = task % work->n_chunks * CHUNK_ROWS;
	size_t		end = begin + CHUNK_ROWS < work->n_rows ? begin + CHUNK_ROWS : work->n_rows;
	TableColumn *out = work->columns[column];
	const uint32_t *ranks = work->ranks[column];
	const uint8_t *base = matrix_values(work->matrix, column, 0);
	size_t		block_size = work->matrix->header->block_size;

	switch (out->source->storage)
	{
		case STORAGE_FLOAT32:
			for (size_t i = begin; i < end; i++)
			{
				uint32_t	row = work->order[i];
				float		value = ((const float *) (base + row / MATRIX_BLOCK_ROWS * block_size))[row % MATRIX_BLOCK_ROWS];

				out->u.f32[i] = value + 0.0f;
			}
			break;
		case STORAGE_FLOAT64:
			for (size_t i = begin; i < end; i++)
			{
				uint32_t	row = work->order[i];
				double		value = ((const double *) (base + row / MATRIX_BLOCK_ROWS * block_size))[row % MATRIX_BLOCK_ROWS];

				out->u.f64[i] = value + 0.0;
			}
			break;
		case STORAGE_CODE:
			for (size_t i = begin; i < end; i++)
			{
				uint32_t	row = work->order[i];
				uint32_t	code = ((const uint32_t *) (base + row / MATRIX_BLOCK_ROWS * block_size))[row % MATRIX_BLOCK_ROWS];

				out->u.codes[i] = code == CODE_MISSING ? CODE_MISSING : ranks[code];
			}
			break;
	}
}

/* Gives every column of the matrix its column of the table. */
static bool
lay_out(Table *table, RowSet *rows, TableColumn **columns, Arena *arena, Error *error)
{
	const Matrix *matrix = rows->matrix;
	uint32_t	n_columns = matrix->header->n_columns;
	TableColumn *all = arena_zeroed(arena, n_columns, sizeof(TableColumn), error);
	TableColumn *next;

	if (all == NULL)
		return false;
	table->features = all;
	for (uint32_t c = 0; c < n_columns; c++)
		table->n_features += matrix->columns[c].role == ROLE_FEATURE;
	next = all + table->n_features;

	for (uint32_t c = 0, feature = 0; c < n_columns; c++)
	{
		const MatrixColumn *source = &matrix->columns[c];

		columns[c] = source->role == ROLE_FEATURE ? &all[feature++] : next++;
		columns[c]->source = source;
		columns[c]->u.f64 = arena_alloc(arena, rows->n, source->storage == STORAGE_FLOAT64 ? 8 : 4, error);
		if (columns[c]->u.f64 == NULL)
			return false;
	}
	table->target = columns[rows->target];
	table->weight = rows->weight < 0 ? NULL : columns[rows->weight];
	table->split = rows->split < 0 ? NULL : columns[rows->split];
	return true;
}

bool
table_gather(Table *table, RowSet *rows, const uint32_t *order, Arena *arena, Error *error)
{
	const Matrix *matrix = rows->matrix;
	uint32_t	n_columns = matrix->header->n_columns;
	GatherWork	work = {.matrix = matrix,.order = order,.n_rows = rows->n};

	work.n_chunks = (rows->n + CHUNK_ROWS - 1) / CHUNK_ROWS;
	work.columns = arena_alloc(rows->scratch, n_columns, sizeof(TableColumn *), error);
	work.ranks = arena_zeroed(rows->scratch, n_columns, sizeof(uint32_t *), error);
	if (work.columns == NULL || work.ranks == NULL || !lay_out(table, rows, work.columns, arena, error))
		return false;
	for (uint32_t c = 0; c < n_columns; c++)
	{
		if (matrix->columns[c].storage == STORAGE_CODE &&
			!table_levels(rows, c, work.columns[c], &work.ranks[c], arena, error))
			return false;
	}
	pool_for(rows->pool, n_columns * work.n_chunks, gather_chunk, &work);
	return true;
}
