/*
 * matrix.h
 *		Rows on their way from a backend to the trainer.
 *
 * One flat region (a memfd) without pointers: header, column headers, blocks
 * of MATRIX_BLOCK_ROWS rows stored by column, and at the end the dictionaries
 * of coded columns.  The backend appends through a MatrixWriter; the trainer
 * opens the finished region with matrix_open(), which trusts nothing.  Blocks
 * that are complete never change, and may be read before the others are.
 *
 * Within a block each column is contiguous; the strides are padded so that
 * the columns of a block do not fall on the same cache sets.
 */
#ifndef MLOPS_CORE_MATRIX_H
#define MLOPS_CORE_MATRIX_H

#include "error.h"
#include "types.h"

#define MATRIX_MAGIC "MLOPSMX1"
#define MATRIX_BLOCK_ROWS 4096

typedef struct MatrixHeader
{
	char		magic[8];		/* MATRIX_MAGIC */
	uint64_t	size;			/* bytes of the finished region; 0: it is not finished */
	uint64_t	n_rows;			/* 0 until it is */
	uint64_t	blocks_offset;
	uint64_t	block_size;		/* bytes */
	uint32_t	n_columns;
	uint32_t	reserved;
} MatrixHeader;

typedef struct MatrixColumn
{
	char		name[COLUMN_NAME_MAX + 1];	/* as the query names it */
	char		type_name[80];	/* SQL type, for people: "integer" */
	uint32_t	kind;			/* ColumnKind */
	uint32_t	storage;		/* ColumnStorage */
	uint32_t	role;			/* ColumnRole */
	uint32_t	n_codes;		/* entries of the dictionary */
	uint32_t	segment;		/* 1: rows are profiled by its values, too, whatever its role */
	uint32_t	frozen;			/* 1: its values go into a version's reference */
	uint64_t	offset;			/* of its values within a block, bytes */
	uint64_t	n_missing;		/* SQL NULL */
	uint64_t	n_nan;			/* NaN, not NULL */
	uint64_t	n_infinite;
	uint64_t	n_rounded;		/* integers and numerics that float64 cannot hold exactly */
	uint64_t	dictionary_offset;	/* of n_codes + 1 uint64 offsets into the text that follows them; the code is the order of first appearance */
	uint64_t	dictionary_size;	/* bytes of offsets and text */
} MatrixColumn;

/* A finished matrix, opened: pointers into the region, which the caller keeps mapped. */
typedef struct Matrix
{
	const uint8_t *base;
	const MatrixHeader *header;
	const MatrixColumn *columns;	/* n_columns */
} Matrix;

/*
 * base: 8-byte aligned.  Checks every length and offset, that coded columns
 * are those of KIND_CATEGORY, that codes lie in their dictionaries, and that
 * each role but ROLE_FEATURE and ROLE_SEGMENT is there at most once; ERROR_CORRUPTED otherwise.
 */
extern bool matrix_open(Matrix *matrix, const void *base, size_t size, Error *error);

/*
 * Opens a matrix whose rows are still being written, in another process: its
 * columns, checked likewise, but no rows and no dictionaries.  header: becomes
 * the matrix's own; the caller raises its n_rows to those that he knows to be
 * complete.
 */
extern bool matrix_open_begun(Matrix *matrix, MatrixHeader *header, const void *base, size_t size, Error *error);

/* Values of one column in block b: matrix_block_rows() of float, double or uint32_t by its storage. */
extern const void *matrix_values(const Matrix *matrix, uint32_t column, uint64_t block);
extern uint32_t matrix_block_rows(const Matrix *matrix, uint64_t block);
extern uint64_t matrix_blocks(const Matrix *matrix);

/* Text of a code: bytes (not ended with 0) and length. */
extern const char *matrix_text(const Matrix *matrix, uint32_t column, uint32_t code, size_t *length);

/* Number of the first column with this role, or -1. */
extern int	matrix_find_role(const Matrix *matrix, ColumnRole role);

/* ---- Single values ---- */

/*
 * What stands for NULL among numbers: a NaN of its own, the same as a float
 * and as a double, so that profiles can tell it from NaN.  Whoever does not
 * care takes both for missing.
 */
#define MATRIX_NULL			__builtin_nan("0x20000000")
#define MATRIX_NULL_FLOAT	__builtin_nanf("1")

static inline bool
matrix_is_null(double value)
{
	uint64_t	bits;

	__builtin_memcpy(&bits, &value, sizeof(bits));
	return bits == UINT64_C(0x7ff8000020000000);
}

/* Where the value of a column in a row lies. */
static inline const void *
matrix_cell(const Matrix *matrix, uint32_t column, uint64_t row)
{
	const MatrixHeader *header = matrix->header;
	const MatrixColumn *c = &matrix->columns[column];

	return matrix->base + header->blocks_offset + row / MATRIX_BLOCK_ROWS * header->block_size + c->offset +
		row % MATRIX_BLOCK_ROWS * (c->storage == STORAGE_FLOAT64 ? 8 : 4);
}

/* The value of a column that is not coded; NaN is missing. */
static inline double
matrix_number(const Matrix *matrix, uint32_t column, uint64_t row)
{
	const void *cell = matrix_cell(matrix, column, row);

	return matrix->columns[column].storage == STORAGE_FLOAT32 ? (double) *(const float *) cell : *(const double *) cell;
}

/* The value of a coded column. */
static inline uint32_t
matrix_code(const Matrix *matrix, uint32_t column, uint64_t row)
{
	return *(const uint32_t *) matrix_cell(matrix, column, row);
}

/* ---- Writing: used by the backend, one row after the other ---- */

typedef struct MatrixDictionary MatrixDictionary;

typedef struct MatrixWriter
{
	uint8_t    *base;			/* the mapped region, `limit` bytes, sparse */
	size_t		limit;			/* bytes that may be used */
	MatrixHeader *header;		/* in the region */
	MatrixColumn *columns;		/* in the region */
	uint64_t	n_rows;			/* begun so far: all but the last one are complete */
	MatrixDictionary **dictionaries;	/* n_columns: one a coded column, else NULL; malloc'ed */
	uint32_t	n_columns;
	size_t		dictionary_bytes;	/* that the dictionaries will take behind the blocks */
	uint8_t    *block;			/* the block being filled */
	uint32_t	block_row;		/* current row in it */
} MatrixWriter;

/*
 * Lays a matrix out in a zeroed region.  columns: name, type_name, kind,
 * storage, role, segment and frozen are filled in; the rest is set here.  ERROR_LIMIT where
 * not even one block fits.
 */
extern bool matrix_writer_init(MatrixWriter *writer, void *base, size_t limit, const MatrixColumn *columns, uint32_t n_columns, Error *error);

/* Begins the next block with its first row: for matrix_writer_row. */
extern bool matrix_writer_block(MatrixWriter *writer, Error *error);

/* Makes room for one more row; ERROR_LIMIT with the bytes needed where the region is full. */
static inline bool
matrix_writer_row(MatrixWriter *writer, Error *error)
{
	if (writer->block_row + 1 >= MATRIX_BLOCK_ROWS)
		return matrix_writer_block(writer, error);
	writer->block_row++;
	writer->n_rows++;
	return true;
}

/* Where the value of a column in the current row goes (valid until the next matrix_writer_row). */
static inline void *
matrix_writer_cell(const MatrixWriter *writer, uint32_t column)
{
	const MatrixColumn *c = &writer->columns[column];

	return writer->block + c->offset + (size_t) writer->block_row * (c->storage == STORAGE_FLOAT64 ? 8 : 4);
}

/* The code of a text, entered where it is new; CODE_MISSING and ERROR_MEMORY or ERROR_LIMIT on failure. */
extern uint32_t matrix_writer_code(MatrixWriter *writer, uint32_t column, const char *text, size_t length, Error *error);

/* Writes the dictionaries; header->size is then the number of bytes to keep. */
extern bool matrix_writer_finish(MatrixWriter *writer, Error *error);

/* Frees what the writer holds outside the region; safe after a failed init. */
extern void matrix_writer_free(MatrixWriter *writer);

/* Bytes that a matrix of n rows takes, dictionaries apart. */
extern uint64_t matrix_bytes(const MatrixColumn *columns, uint32_t n_columns, uint64_t n_rows);

#endif
