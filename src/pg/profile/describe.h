/*
 * describe.h
 *		One scan of a source that profiles every column.
 */
#ifndef MLOPS_PG_DESCRIBE_H
#define MLOPS_PG_DESCRIBE_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "utils/jsonb.h"

#include "../source/source.h"

typedef struct DescribeScan DescribeScan;

/* Called with each row, all of whose columns are deformed, in a memory context that is reset every few rows. */
typedef void (*DescribeRow) (TupleTableSlot *slot, void *context);

/* Scans a source, reading only, with the caller's rights; lives in the current memory context.  each may be NULL. */
extern DescribeScan *describe_source(const Source *source, DescribeRow each, void *context);

/* Rows that there were, and whether row security applied. */
extern uint64 describe_rows(const DescribeScan *scan, bool *row_security);

/* Columns with name, type and what their values are like, as mlops.snapshot has them. */
extern Jsonb *describe_columns(const DescribeScan *scan);

#endif
