/*
 * monitor.h
 *		Monitors: what is watched of a model.
 */
#ifndef MLOPS_PG_MONITOR_H
#define MLOPS_PG_MONITOR_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/jsonb.h"

#include "../registry/registry.h"

/* A monitor as it is stored. */
typedef struct Monitor
{
	int64		id;
	ModelRef	ref;			/* of the model as such */
	const char *source;			/* NULL: the captured predictions */
	Jsonb	   *settings;
	Oid			owner;
	bool		enabled;
} Monitor;

/* The type of arrays of a row type of ours. */
extern Oid	monitor_array_type(const char *row_type);

/* INSUFFICIENT_PRIVILEGE where the caller can neither train nor deploy in the model's project. */
extern void monitor_require_right(const ModelRef *ref);

/* The monitor of this id that the caller may view; UNDEFINED_OBJECT. */
extern Monitor *monitor_find(int64 id);

/* Checks that the caller may run it. */
extern void monitor_check_run(const Monitor *monitor);

/* Computes the windows from since to until (NULL: open); their number, and the first and the last of them. */
extern int	monitor_run(const Monitor *monitor, const TimestampTz *since, const TimestampTz *until, Datum *first, Datum *last);

#endif
