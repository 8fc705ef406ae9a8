/*
 * table_levels.c
 *		Last step of a table: its columns described, and categories numbered by
 *		the bytes of their texts.
 */
#include "table_internal.h"

#include <string.h>

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

/* The codes of a column that the rows used have, in items; their number.  Counts the rows that have one. */
static size_t
used_codes(const RowSet *rows, uint32_t column, bool *seen, SortItem *items, size_t *n_present)
{
	const MatrixColumn *source = &rows->matrix->columns[column];
	size_t		n = 0;

	*n_present = 0;
	for (size_t i = 0; i < rows->n; i++)
	{
		uint32_t	code = matrix_code(rows->matrix, column, rows->n_dropped == 0 ? i : rows->rows[i]);

		if (code == CODE_MISSING)
			continue;
		seen[code] = true;
		++*n_present;
	}
	for (uint32_t code = 0; code < source->n_codes; code++)
	{
		if (seen[code])
			items[n++].index = code;
	}
	return n;
}

/* Sets up the levels of one column, and the level of each code of its dictionary. */
static bool
find_levels(RowSet *rows, uint32_t column, TableColumn *out, Arena *arena, Error *error)
{
	const Matrix *matrix = rows->matrix;
	const MatrixColumn *source = &matrix->columns[column];
	size_t		n_codes = source->n_codes;
	bool	   *seen = arena_zeroed(rows->scratch, n_codes, sizeof(bool), error);
	SortItem   *items = arena_alloc(rows->scratch, n_codes, sizeof(SortItem), error);

	out->level_of_code = arena_alloc(arena, n_codes, sizeof(uint32_t), error);
	if (seen == NULL || items == NULL || out->level_of_code == NULL)
		return false;

	/* what only rows left out have is CODE_MISSING */
	memset(out->level_of_code, 0xff, n_codes * sizeof(uint32_t));

	size_t		n = used_codes(rows, column, seen, items, &out->n_present);

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

		out->level_of_code[items[i].index] = (uint32_t) i;
		out->levels[i] = text;
		out->level_lengths[i] = length;
		memcpy(text, bytes, length);
		text[length] = '\0';
		text += length + 1;
	}
	out->n_levels = (uint32_t) n;
	return true;
}

/* Gives every column of the matrix its column of the table. */
bool
table_describe_columns(Table *table, RowSet *rows, Arena *arena, Error *error)
{
	const Matrix *matrix = rows->matrix;
	uint32_t	n_columns = matrix->header->n_columns;
	TableColumn *all = arena_zeroed(arena, n_columns, sizeof(TableColumn), error);
	TableColumn *others;

	if (all == NULL)
		return false;
	table->features = all;
	for (uint32_t c = 0; c < n_columns; c++)
		table->n_features += matrix->columns[c].role == ROLE_FEATURE;
	others = all + table->n_features;

	for (uint32_t c = 0, feature = 0; c < n_columns; c++)
	{
		const MatrixColumn *source = &matrix->columns[c];
		TableColumn *column = source->role == ROLE_FEATURE ? &all[feature++] : others++;

		column->source = source;
		column->number = c;
		column->matrix = matrix;
		column->order = table->order;
		if (source->storage == STORAGE_CODE && !find_levels(rows, c, column, arena, error))
			return false;
		if (source->role == ROLE_TARGET)
			table->target = column;
		else if (source->role == ROLE_WEIGHT)
			table->weight = column;
		else if (source->role == ROLE_SPLIT)
			table->split = column;
	}
	return true;
}
