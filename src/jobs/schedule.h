/*
 * schedule.h
 *		When a schedule is due: cron expressions and intervals in a time zone.
 */
#ifndef MLOPS_JOBS_SCHEDULE_H
#define MLOPS_JOBS_SCHEDULE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "pgtime.h"

/*
 * The first time after `after` that a schedule is due; an interval counts from
 * `from`.  INVALID_PARAMETER_VALUE for what is neither a cron expression nor
 * an interval of at least a second, and for an expression that no date of the
 * coming years fulfils.
 */
extern TimestampTz schedule_next(const char *schedule, TimestampTz after, TimestampTz from, pg_tz *zone);

#endif
