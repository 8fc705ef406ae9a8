/*
 * capture_copy.h
 *		Captured rows into their tables, by COPY.
 */
#ifndef MLOPS_JOBS_CAPTURE_COPY_H
#define MLOPS_JOBS_CAPTURE_COPY_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "../pg/capture/capture_ring.h"

/* Rows of one table, as COPY has them in its binary format. */
typedef struct CaptureCopy
{
	StringInfoData data;
	uint64		n;
} CaptureCopy;

extern void capture_copy_begin(CaptureCopy *copy);

/* Append a row of mlops.prediction, and of mlops.prediction_features. */
extern void capture_copy_prediction(CaptureCopy *copy, const CaptureRow *row, const char *user);
extern void capture_copy_features(CaptureCopy *copy, const CaptureRow *row, int64 layout_id);

/* Inserts the rows into a table of mlops, whose columns they have in this order. */
extern void capture_copy_run(CaptureCopy *copy, const char *table, const char *const *columns, int n_columns);

#endif
