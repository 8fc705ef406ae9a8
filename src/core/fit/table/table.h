/*
 * table.h
 *		The rows of a fit: canonical order, split, columns side by side.
 *
 * table_build() finds out where each row of the matrix belongs: rows in
 * canonical order within each part, the parts one after the other (training,
 * validation, test).  The order depends on the rows' values alone (design:
 * canonical order), so everything behind it is the same for the same rows.
 *
 * The values stay in the matrix, and are read there in one of three ways.
 * Whoever needs each value many times gathers columns into arrays in the order
 * of the table.  Whoever needs each value once goes through the matrix as it
 * lies, and puts what he makes of a row at the row's position
 * (table_positions()): reading in the order of the table would miss the caches
 * at each value.  Single values are there without any preparation.
 *
 * Codes of categories are renumbered by the bytes of their texts.
 * All memory belongs to the arena given.
 */
#ifndef MLOPS_CORE_FIT_TABLE_H
#define MLOPS_CORE_FIT_TABLE_H

#include "../../arena.h"
#include "../../matrix.h"
#include "../../threads.h"

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
	uint32_t	number;			/* of the column in the matrix */
	RowRange	gathered;		/* rows whose values lie in u */
	union
	{
		float	   *f32;
		double	   *f64;
		uint32_t   *codes;		/* index into levels, or CODE_MISSING */
	}			u;				/* by source->storage, the first of row gathered.begin */
	const Matrix *matrix;
	const uint32_t *order;		/* of the table */
	uint32_t   *level_of_code;	/* by code of the matrix, CODE_MISSING for those of rows left out; NULL unless coded */
	size_t		n_present;		/* coded: rows used that have a value */
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
	double		levels;
} TableSeconds;

/*
 * Which rows are in the test part beyond doubt: those of a class whose
 * membership key is smaller.  Keys depend on a row and the seed, or on its time
 * or group, and not on what other rows there are; so what one table's cut
 * holds of a row can be asked of a row of another table.
 */
typedef struct TestCut
{
	double		target;			/* of the class, as the matrix has it (the code of a text); NaN: of all rows */
	uint64_t	below;
} TestCut;

typedef struct Table
{
	const Matrix *matrix;
	size_t		n_rows;			/* rows used: those whose target and weight are usable */
	uint32_t   *order;			/* n_rows: which row of the matrix */
	uint32_t	n_features;		/* columns with ROLE_FEATURE, in signature order */
	TableColumn *features;
	TableColumn *target;
	TableColumn *weight;		/* or NULL */
	TableColumn *split;			/* or NULL */
	RowRange	train;
	RowRange	validation;		/* may be empty */
	RowRange	test;			/* may be empty */
	uint32_t	n_cuts;			/* 0 where there is no test part, else 1 or one a class */
	TestCut    *cuts;
	uint64_t   *test_keys;		/* membership keys of the rows of test; NULL unless the plan keeps them */
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
	bool		keep_keys;		/* the table has test_keys */
} SplitPlan;

/* The first blocks of a matrix, hashed as far as they could be before the others were there. */
typedef struct HashedBlocks
{
	uint64_t	n_blocks;		/* of MATRIX_BLOCK_ROWS rows each */
	uint64_t   *sums;			/* of table_hash_numbers(), block after block; malloc'ed */
} HashedBlocks;

#define ROW_UNUSED UINT32_MAX	/* position of a row that the table leaves out */

/* The values of single rows that were not gathered: each one a miss of the caches. */
extern double table_number_apart(const TableColumn *column, size_t row);
extern uint32_t table_code_apart(const TableColumn *column, size_t row);

/* Whether rows [range) of a column lie in its array. */
static inline bool
table_is_gathered(const TableColumn *column, RowRange range)
{
	return column->gathered.begin <= range.begin && column->gathered.end >= range.end;
}

/* Value of a numeric column as a double; NaN is missing. */
static inline double
table_number(const TableColumn *column, size_t row)
{
	size_t		i = row - column->gathered.begin;

	if (i >= range_rows(column->gathered))
		return table_number_apart(column, row);
	return column->source->storage == STORAGE_FLOAT32 ? (double) column->u.f32[i] : column->u.f64[i];
}

/* Level of a coded column, or CODE_MISSING. */
static inline uint32_t
table_code(const TableColumn *column, size_t row)
{
	size_t		i = row - column->gathered.begin;

	return i < range_rows(column->gathered) ? column->u.codes[i] : table_code_apart(column, row);
}

/*
 * Builds a table; the matrix must stay mapped as long as it is used.
 * hashed: what is hashed already, or NULL; its sums are freed as soon as they have been used.
 *
 * Rows whose target is missing, or whose weight is missing or 0, are dropped
 * and counted.  ERROR_DATA: no rows, or none left; an infinite target; a
 * negative or infinite weight; a missing or unknown value in the column that
 * the split goes by; no rows for training.
 */
extern bool table_build(Table *table, const Matrix *matrix, HashedBlocks *hashed, const SplitPlan *split, ThreadPool *pool,
						Arena *arena, Error *error);

/* The part of the numbers in the hashes of a block's rows; sums: one a row of the block. */
extern void table_hash_numbers(const Matrix *matrix, uint64_t block, uint64_t *sums);

/* Bytes that table_build() takes at most; and those of what it leaves, with the positions of the rows. */
extern uint64_t table_build_memory(const Matrix *matrix);
extern uint64_t table_memory(const Matrix *matrix);

/* ---- Gathering ---- */

/*
 * Brings the values of rows [range) of all features into arrays; those of
 * another range gathered before are forgotten.  Nothing is done where they
 * are there already.
 */
extern bool table_gather_features(Table *table, RowRange range, ThreadPool *pool, Arena *arena, Error *error);

/* The same of the target and the weight, of all rows. */
extern bool table_gather_target(Table *table, ThreadPool *pool, Arena *arena, Error *error);

/* Forgets the arrays of the target and the weight, before their arena is freed. */
extern void table_release_target(Table *table);

/* Bytes of the features of so many rows. */
extern uint64_t table_gather_memory(const Matrix *matrix, uint64_t n_rows);

/* ---- Going through the matrix ---- */

/* For each row of the matrix its row of the table, or ROW_UNUSED; NULL with an error. */
extern uint32_t *table_positions(const Table *table, ThreadPool *pool, Arena *arena, Error *error);

/*
 * A column of which rows [range) are gathered: as it is where they are;
 * else brought into room, by this thread alone.  room: 8-byte aligned, with
 * 8 bytes for each row and 8 more.
 */
extern TableColumn table_load(const TableColumn *column, RowRange range, const uint32_t *positions, void *room);

#endif
