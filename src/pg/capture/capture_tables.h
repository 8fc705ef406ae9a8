/*
 * capture_tables.h
 *		The tables of captured predictions: partitions, layouts, errors, counts.
 *
 * All of it is written as the extension's owner, in the transaction under way.
 */
#ifndef MLOPS_PG_CAPTURE_TABLES_H
#define MLOPS_PG_CAPTURE_TABLES_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "capture_ring.h"

/* The layout of the features that a deployment (0: none) of a version captures, made where there is none; 0 where the version is gone. */
extern int64 capture_layout(int64 model_id, int32 version, int64 deployment_id);

/* Makes the partitions for the day of a time and, unless somebody else is at it, for the day behind. */
extern void capture_partitions(TimestampTz at);

/* Predictions that failed alike, within a minute. */
typedef struct CaptureErrors
{
	int64		model_id;
	int32		version;
	TimestampTz at;
	int			code;			/* as errcode() */
	int64		n;
} CaptureErrors;

/* Adds them to mlops.prediction_error; not where the model is gone. */
extern void capture_errors_write(const CaptureErrors *errors);

/* What is to be added to a model's row in mlops.capture_count. */
typedef struct CaptureCount
{
	int64		model_id;
	CaptureCounters *counters;	/* NULL: the model is counted among others */
	uint64		captured;
	uint64		dropped;
	uint64		lost;
	uint64		sampled;
	uint64		standby;
	uint64		uncommitted;
} CaptureCount;

/* Takes a model's counters as they are; writes them, and whether there was anything; subtracts what was written. */
extern void capture_count_read(CaptureCount *count, CaptureCounters *counters);
extern bool capture_count_write(const CaptureCount *count);
extern void capture_count_subtract(const CaptureCount *count);

#endif
