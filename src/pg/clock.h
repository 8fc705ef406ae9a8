/*
 * clock.h
 *		The time that schedules, partitions and periods go by.
 */
#ifndef MLOPS_PG_CLOCK_H
#define MLOPS_PG_CLOCK_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* The time now, or that of the setting mlops.now, which stands still. */
extern TimestampTz clock_now(void);

/* Whether mlops.now is set. */
extern bool clock_stands(void);

/* Defines mlops.now. */
extern void clock_init(void);

#endif
