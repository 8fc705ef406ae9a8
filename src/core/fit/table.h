/*
 * table.h
 *		The rows of a fit: canonical order, split, columns side by side.
 *
 * table_build() takes the matrix as the backend wrote it and makes of it what
 * every algorithm sees: columns as contiguous arrays, rows in canonical order
 * within each part, the parts one after the other (training, validation,
 * test).  The order depends on the rows' values alone (design: canonical
 * order), so everything behind it is the same for the same rows.
 *
 * Codes of categories are renumbered by the bytes of their texts.
 * All memory belongs to the arena given.
 */
#ifndef MLOPS_CORE_FIT_TABLE_H
#define MLOPS_CORE_FIT_TABLE_H

#include "../arena.h"
#include "../matrix.h"
#include "../threads.h"

typedef struct RowRange
{
	size_t		begin;
	size_t		end;			/* one behind the last */
} RowRange;

static inline size_t
range_rows(RowRange range)
{
	return range.end - range.begin;
}

typedef struct TableColumn
{
	const MatrixColumn *source;	/* name, kind, storage, counts */
	union
	{
		float	   *f32;
		double	   *f64;
		uint32_t   *codes;		/* index into levels, or CODE_MISSING */
	}			u;				/* n_rows values, by source->storage */
	const char **levels;		/* texts that the rows used have, sorted by bytes, each also ended with 0; NULL unless coded */
	size_t	   *level_lengths;
	uint32_t	n_levels;
} TableColumn;

/* Seconds that building a table took, by step. */
typedef struct TableSeconds
{
	double		hash;
	double		order;
	double		split;
	double		gather;
} TableSeconds;

typedef struct Table
{
	size_t		n_rows;			/* rows used: those whose target and weight are usable */
	uint32_t	n_features;		/* columns with ROLE_FEATURE, in signature order */
	TableColumn *features;
	TableColumn *target;
	TableColumn *weight;		/* or NULL */
	TableColumn *split;			/* or NULL */
	RowRange	train;
	RowRange	validation;		/* may be empty */
	RowRange	test;			/* may be empty */
	uint64_t	n_dropped;		/* rows without a target (or with a missing or zero weight) */
	uint64_t	fingerprint[2]; /* sum of the row hashes modulo 2^128, low word first; over all rows of the query */
	TableSeconds seconds;
} Table;

/* How rows come to their part. */
typedef enum SplitKind
{
	SPLIT_RANDOM = 1,			/* by hash, stratified by class in classification */
	SPLIT_COLUMN = 2,			/* boolean: true is test; text: train | validation | test */
	SPLIT_TIME = 3,				/* the latest rows */
	SPLIT_GROUP = 4				/* by hash of the group, a group on one side only */
} SplitKind;

typedef struct SplitPlan
{
	SplitKind	kind;
	double		test;			/* share, 0 <= test < 1 */
	double		validation;		/* share of all rows, 0 <= validation, test + validation < 1; within the non-test rows for SPLIT_COLUMN without a validation word */
	uint64_t	seed;
	bool		stratified;		/* classification: by class */
} SplitPlan;

/* Value of a numeric column as a double; NaN is missing. */
static inline double
table_number(const TableColumn *column, size_t row)
{
	return column->source->storage == STORAGE_FLOAT32 ? (double) column->u.f32[row] : column->u.f64[row];
}

/*
 * Builds a table; the matrix must stay mapped as long as it is used.
 *
 * Rows whose target is missing, or whose weight is missing or 0, are dropped
 * and counted.  ERROR_DATA: no rows, or none left; an infinite target; a
 * negative or infinite weight; a missing or unknown value in the column that
 * the split goes by; no rows for training.
 */
extern bool table_build(Table *table, const Matrix *matrix, const SplitPlan *split, ThreadPool *pool, Arena *arena, Error *error);

/* Bytes that table_build will take for a matrix. */
extern uint64_t table_memory(const Matrix *matrix);

#endif
