/*
 * split.h
 *		What split.c and split_group.c share.
 */
#ifndef MLOPS_CORE_FIT_SPLIT_H
#define MLOPS_CORE_FIT_SPLIT_H

#include "table_internal.h"

/* Cuts that nothing is behind yet: n classes with these targets, or one (targets NULL) of all rows. */
extern bool split_begin_cuts(RowSet *rows, const double *targets, uint32_t n, Error *error);

/* Enters the key and the part of the row at a canonical position. */
static inline void
split_note(RowSet *rows, uint32_t class, size_t position, uint64_t key)
{
	if (rows->parts[position] != PART_TEST && key < rows->cuts[class].below)
		rows->cuts[class].below = key;
	if (rows->keys != NULL)
		rows->keys[position] = key;
}

/* round(share * n), but never all of them. */
extern size_t split_quota(double share, size_t n);

/* The latest times become the test, those before them the validation; no time is in two parts. */
extern bool split_by_time(RowSet *rows, const SplitPlan *plan, Error *error);

/* Whole groups, in the order of a hash of (value, seed), become the test, the next ones the validation. */
extern bool split_by_group(RowSet *rows, const SplitPlan *plan, Error *error);

#endif
