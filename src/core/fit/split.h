/*
 * split.h
 *		What split.c and split_group.c share.
 */
#ifndef MLOPS_CORE_FIT_SPLIT_H
#define MLOPS_CORE_FIT_SPLIT_H

#include "table_internal.h"

/* round(share * n), but never all of them. */
extern size_t split_quota(double share, size_t n);

/* The latest times become the test, those before them the validation; no time is in two parts. */
extern bool split_by_time(RowSet *rows, const SplitPlan *plan, Error *error);

/* Whole groups, in the order of a hash of (value, seed), become the test, the next ones the validation. */
extern bool split_by_group(RowSet *rows, const SplitPlan *plan, Error *error);

#endif
