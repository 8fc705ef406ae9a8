/*
 * matrix.c
 *		Opening a finished matrix, and reading it.
 *
 * matrix_open() checks everything that the accessors rely on, so that these
 * need no checks: they only add offsets.  The bytes belong to the caller.
 */
#include "matrix.h"

#include <string.h>

/* All failures of matrix_open() look alike to a user; `what` is for whoever debugs. */
static bool
matrix_damaged(Error *error, const char *what)
{
	error_set(error, ERROR_CORRUPTED, "the rows handed to the trainer are damaged");
	return error_detail(error, "Invalid %s.", what);
}

/* Bytes of one value. */
static inline uint64_t
storage_width(uint32_t storage)
{
	return storage == STORAGE_FLOAT64 ? 8 : 4;
}

uint64_t
matrix_blocks(const Matrix *matrix)
{
	uint64_t	n_rows = matrix->header->n_rows;

	return n_rows / MATRIX_BLOCK_ROWS + (n_rows % MATRIX_BLOCK_ROWS != 0);
}

uint32_t
matrix_block_rows(const Matrix *matrix, uint64_t block)
{
	uint64_t	rows = matrix->header->n_rows - block * MATRIX_BLOCK_ROWS;

	return rows < MATRIX_BLOCK_ROWS ? (uint32_t) rows : MATRIX_BLOCK_ROWS;
}

const void *
matrix_values(const Matrix *matrix, uint32_t column, uint64_t block)
{
	return matrix->base + matrix->header->blocks_offset + block * matrix->header->block_size +
		matrix->columns[column].offset;
}

const char *
matrix_text(const Matrix *matrix, uint32_t column, uint32_t code, size_t *length)
{
	const MatrixColumn *c = &matrix->columns[column];
	const uint64_t *offsets = (const uint64_t *) (matrix->base + c->dictionary_offset);
	const char *text = (const char *) (offsets + c->n_codes + 1);

	*length = (size_t) (offsets[code + 1] - offsets[code]);
	return text + offsets[code];
}

int
matrix_find_role(const Matrix *matrix, ColumnRole role)
{
	for (uint32_t i = 0; i < matrix->header->n_columns; i++)
	{
		if (matrix->columns[i].role == role)
			return (int) i;
	}
	return -1;
}

/* The header and where the blocks end; *blocks_end is an offset. */
static bool
check_header(const MatrixHeader *header, size_t size, uint64_t *blocks_end, Error *error)
{
	if (memcmp(header->magic, MATRIX_MAGIC, sizeof(header->magic)) != 0)
		return matrix_damaged(error, "magic");
	if (header->size > size || header->size < sizeof(MatrixHeader))
		return matrix_damaged(error, "size");
	if (header->n_columns == 0 ||
		header->n_columns > (header->size - sizeof(MatrixHeader)) / sizeof(MatrixColumn))
		return matrix_damaged(error, "number of columns");
	if (header->blocks_offset % 8 != 0 || header->blocks_offset > header->size ||
		header->blocks_offset < sizeof(MatrixHeader) + header->n_columns * sizeof(MatrixColumn))
		return matrix_damaged(error, "offset of the blocks");
	if (header->block_size % 8 != 0 || header->block_size == 0)
		return matrix_damaged(error, "size of a block");

	uint64_t	n_blocks = header->n_rows / MATRIX_BLOCK_ROWS + (header->n_rows % MATRIX_BLOCK_ROWS != 0);

	if (n_blocks > (header->size - header->blocks_offset) / header->block_size)
		return matrix_damaged(error, "number of rows");
	*blocks_end = header->blocks_offset + n_blocks * header->block_size;
	return true;
}

/* Offsets of a dictionary: inside the region behind the blocks, ascending, within its text. */
static bool
check_dictionary(const Matrix *matrix, const MatrixColumn *column, uint64_t blocks_end, Error *error)
{
	uint64_t	size = matrix->header->size;

	if (column->dictionary_offset % 8 != 0 || column->dictionary_offset < blocks_end ||
		column->dictionary_offset > size || column->dictionary_size > size - column->dictionary_offset)
		return matrix_damaged(error, "place of a dictionary");

	uint64_t	offsets_size = ((uint64_t) column->n_codes + 1) * sizeof(uint64_t);

	if (column->n_codes == CODE_MISSING || offsets_size > column->dictionary_size)
		return matrix_damaged(error, "size of a dictionary");

	const uint64_t *offsets = (const uint64_t *) (matrix->base + column->dictionary_offset);
	uint64_t	text_size = column->dictionary_size - offsets_size;

	if (offsets[0] != 0 || offsets[column->n_codes] > text_size)
		return matrix_damaged(error, "text of a dictionary");
	for (uint32_t i = 0; i < column->n_codes; i++)
	{
		if (offsets[i] > offsets[i + 1])
			return matrix_damaged(error, "entry of a dictionary");
	}
	return true;
}

/* Every code of a column is an entry of its dictionary or CODE_MISSING. */
static bool
check_codes(const Matrix *matrix, uint32_t column, Error *error)
{
	uint32_t	n_codes = matrix->columns[column].n_codes;
	uint64_t	n_blocks = matrix_blocks(matrix);

	for (uint64_t b = 0; b < n_blocks; b++)
	{
		const uint32_t *codes = matrix_values(matrix, column, b);
		uint32_t	rows = matrix_block_rows(matrix, b);
		uint32_t	bad = 0;

		for (uint32_t i = 0; i < rows; i++)
			bad |= (codes[i] >= n_codes) & (codes[i] != CODE_MISSING);
		if (bad)
			return matrix_damaged(error, "code of a category");
	}
	return true;
}

/* What a column's header says of itself and of its place in a block. */
static bool
check_column(const Matrix *matrix, const MatrixColumn *column, Error *error)
{
	uint64_t	block_size = matrix->header->block_size;

	if (memchr(column->name, '\0', sizeof(column->name)) == NULL ||
		memchr(column->type_name, '\0', sizeof(column->type_name)) == NULL)
		return matrix_damaged(error, "name of a column");
	if (column->kind < KIND_NUMBER || column->kind > KIND_CATEGORY ||
		column->storage < STORAGE_FLOAT32 || column->storage > STORAGE_CODE ||
		column->role < ROLE_FEATURE || column->role > ROLE_SEGMENT || column->segment > 1 || column->frozen > 1 ||
		(column->kind == KIND_CATEGORY) != (column->storage == STORAGE_CODE))
		return matrix_damaged(error, "kind of a column");

	uint64_t	bytes = storage_width(column->storage) * MATRIX_BLOCK_ROWS;

	if (column->offset % 8 != 0 || bytes > block_size || column->offset > block_size - bytes)
		return matrix_damaged(error, "place of a column");
	if (column->storage != STORAGE_CODE && column->n_codes != 0)
		return matrix_damaged(error, "dictionary of a number");
	return true;
}

/* All columns, and that each role but ROLE_FEATURE is there at most once. */
static bool
check_columns(const Matrix *matrix, Error *error)
{
	uint32_t	roles_seen = 0;

	for (uint32_t i = 0; i < matrix->header->n_columns; i++)
	{
		const MatrixColumn *column = &matrix->columns[i];

		if (!check_column(matrix, column, error))
			return false;
		if (column->role != ROLE_FEATURE && column->role != ROLE_SEGMENT)
		{
			if (roles_seen & (1u << column->role))
				return matrix_damaged(error, "role of a column");
			roles_seen |= 1u << column->role;
		}
	}
	return true;
}

bool
matrix_open(Matrix *matrix, const void *base, size_t size, Error *error)
{
	uint64_t	blocks_end = 0;

	if (size < sizeof(MatrixHeader))
		return matrix_damaged(error, "size");
	matrix->base = base;
	matrix->header = base;
	matrix->columns = (const MatrixColumn *) (matrix->header + 1);
	if (!check_header(matrix->header, size, &blocks_end, error) || !check_columns(matrix, error))
		return false;

	for (uint32_t i = 0; i < matrix->header->n_columns; i++)
	{
		const MatrixColumn *column = &matrix->columns[i];

		if (column->storage == STORAGE_CODE &&
			(!check_dictionary(matrix, column, blocks_end, error) || !check_codes(matrix, i, error)))
			return false;
	}
	return true;
}

bool
matrix_open_begun(Matrix *matrix, MatrixHeader *header, const void *base, size_t size, Error *error)
{
	const MatrixHeader *begun = base;
	uint64_t	blocks_end = 0;

	if (size < sizeof(MatrixHeader))
		return matrix_damaged(error, "size");

	/* field by field: the others are written while we read */
	memset(header, 0, sizeof(*header));
	memcpy(header->magic, begun->magic, sizeof(header->magic));
	header->size = size;
	header->blocks_offset = begun->blocks_offset;
	header->block_size = begun->block_size;
	header->n_columns = begun->n_columns;
	matrix->base = base;
	matrix->header = header;
	matrix->columns = (const MatrixColumn *) (begun + 1);
	return check_header(header, size, &blocks_end, error) && check_columns(matrix, error);
}
