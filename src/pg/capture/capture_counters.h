/*
 * capture_counters.h
 *		What is counted about captured predictions, by model, in shared memory.
 */
#ifndef MLOPS_PG_CAPTURE_COUNTERS_H
#define MLOPS_PG_CAPTURE_COUNTERS_H

#include "postgres.h"

#include "port/atomics.h"

#define CAPTURE_MODELS 1024		/* that are counted by themselves at a time */
#define CAPTURE_OTHERS CAPTURE_MODELS	/* the place of all others */

/* What is counted of a model in a database, beside what its table says. */
typedef struct CaptureCounters
{
	pg_atomic_uint32 holders;	/* sites and queries that count here; see capture_counters.c */
	Oid			database;		/* InvalidOid: not in use, or the place of others */
	int64		model_id;
	pg_atomic_uint64 waiting;	/* rows in the queue */
	pg_atomic_uint64 dropped;	/* the queue was full */
	pg_atomic_uint64 lost;		/* in the queue when the server crashed, given up, or of a model that is gone */
	pg_atomic_uint64 sampled;	/* left out by sampling */
	pg_atomic_uint64 standby;	/* asked on a standby, which writes nothing */
	pg_atomic_uint64 uncommitted;	/* answered by a deployment of the asking transaction */
} CaptureCounters;

/* Maps the memory, while the server starts. */
extern void capture_counters_map(void);

/* Whether there is any. */
extern bool capture_counters_mapped(void);

/* The server begins anew: what was waiting is lost, who held places is gone. */
extern void capture_counters_restart(void);

/*
 * The counters of a model of the current database, held until they are
 * released; those of all others where too many models are counted.
 */
extern CaptureCounters *capture_counters_hold(int64 model_id);
extern void capture_counters_release(CaptureCounters *held);

/* Those that a row of an earlier server is counted by, while the server starts. */
extern CaptureCounters *capture_counters_restore(Oid database, int64 model_id);

/* Their place, and those of a place: NULL where it is not in use.  Up to CAPTURE_OTHERS. */
extern uint32 capture_counters_place(const CaptureCounters *counters);
extern CaptureCounters *capture_counters_at(uint32 place);

/* Forgets what is counted of a database whose models are gone. */
extern void capture_counters_forget(Oid database);

#endif
