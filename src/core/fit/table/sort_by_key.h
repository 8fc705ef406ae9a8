/*
 * sort_by_key.h
 *		Sorting rows by 64-bit keys on many threads.
 */
#ifndef MLOPS_CORE_FIT_SORT_BY_KEY_H
#define MLOPS_CORE_FIT_SORT_BY_KEY_H

#include "../../arena.h"
#include "../../sort.h"
#include "../../threads.h"

/* By key, ascending and stable; spare has room for n <= UINT32_MAX items.  Without a pool on this thread, and then it cannot fail. */
extern bool sort_by_key(SortItem *items, SortItem *spare, size_t n, ThreadPool *pool, Arena *scratch, Error *error);

#endif
