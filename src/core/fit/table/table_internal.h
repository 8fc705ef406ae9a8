/*
 * table_internal.h
 *		The steps of table_build(), in this order: hash, order, split, levels.
 */
#ifndef MLOPS_CORE_FIT_TABLE_INTERNAL_H
#define MLOPS_CORE_FIT_TABLE_INTERNAL_H

#include "sort_by_key.h"
#include "table.h"

typedef enum Part
{
	PART_TRAIN = 0,
	PART_VALIDATION = 1,
	PART_TEST = 2
} Part;

/* The rows on their way from the matrix to the table. */
typedef struct RowSet
{
	const Matrix *matrix;
	HashedBlocks *hashed;		/* NULL: nothing yet */
	ThreadPool *pool;
	Arena	   *scratch;		/* freed when the table is built */
	int			target;			/* columns of the matrix; -1: none */
	int			weight;
	int			split;
	size_t		n;				/* rows used */
	SortItem   *items;			/* n: hash and row of the matrix; in canonical order once ordered */
	SortItem   *spare;			/* n: room for sorts */
	uint32_t   *rows;			/* n: row of the matrix at each canonical position */
	uint8_t    *parts;			/* n: Part at each canonical position */
	uint64_t   *keys;			/* n: membership key at each canonical position; NULL unless they are kept */
	uint32_t	n_cuts;
	TestCut    *cuts;			/* in the scratch arena, too */
	uint64_t	n_dropped;
	uint64_t	fingerprint[2];
} RowSet;

/* Fills items, n, n_dropped and fingerprint; refuses targets and weights that cannot be used. */
extern bool table_hash_rows(RowSet *rows, Error *error);

/* Puts items in canonical order and fills rows. */
extern bool table_order_rows(RowSet *rows, Error *error);

/* Fills parts, cuts and, where they are kept, keys; items hold hashes on entry and nothing of use afterwards. */
extern bool split_rows(RowSet *rows, const SplitPlan *plan, Error *error);

/* Describes all columns of the table, with the levels of those that are coded. */
extern bool table_describe_columns(Table *table, RowSet *rows, Arena *arena, Error *error);

#endif
