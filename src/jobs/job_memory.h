/*
 * job_memory.h
 *		What the processes that run jobs share: databases with work due, and a slot for each worker.
 *
 * launcher.c	starts schedulers for databases where work is due, and workers for slots that were assigned
 * scheduler.c	assigns runs that are due to free slots
 * worker.c		executes one run
 * yield.c		ends them where somebody wants the database for himself
 *
 * Everything here is NULL or does nothing where the library is not preloaded.
 */
#ifndef MLOPS_JOBS_JOB_MEMORY_H
#define MLOPS_JOBS_JOB_MEMORY_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "storage/condition_variable.h"
#include "storage/latch.h"
#include "storage/lwlock.h"

#define JOB_DATABASES 2048		/* that are looked after at most */

typedef enum JobSlotState
{
	JOB_SLOT_FREE,
	JOB_SLOT_ASSIGNED,			/* a process is to be started */
	JOB_SLOT_STARTING,			/* the postmaster was asked for it */
	JOB_SLOT_RUNNING,			/* it is there */
	JOB_SLOT_FAILED				/* it ended before it could say so in the table; the next scheduler will */
} JobSlotState;

/* A process: a worker with its run, or the scheduler. */
typedef struct JobSlot
{
	JobSlotState state;
	uint32		generation;		/* of the process that may claim it */
	Oid			database;
	Oid			role;			/* that a worker connects as; InvalidOid: the bootstrap superuser */
	int64		run_id;
	int64		job_id;
	int			pid;			/* RUNNING */
	bool		marked;			/* the table says that the run is running */
	bool		finished;		/* the table says how it ended; of a scheduler: it did its work */
	bool		cancelled;		/* mlops.cancel_job() asked for it */
} JobSlot;

/* A database that is looked after. */
typedef struct JobDatabase
{
	Oid			database;		/* InvalidOid: an unused entry */
	TimestampTz due;			/* when a scheduler is to look, by clock_now() */
	TimestampTz again;			/* the same by the real time: rows were locked when it looked; 0: none were */
	TimestampTz not_before;		/* no process is started there before, by the real time: it failed before, or somebody wants to be alone */
	uint32		failures;		/* in a row */
	bool		waiting;		/* runs wait for a slot */
	bool		listed;			/* pg_database has it */
} JobDatabase;

typedef struct JobMemory
{
	LWLock	   *lock;			/* protects all but the condition variable */
	ConditionVariable changed;	/* some run has another state */
	Latch	   *launcher;		/* NULL: there is none */
	uint32		generation;		/* that was given last */
	int			n_databases;	/* entries that were ever used */
	JobDatabase databases[JOB_DATABASES];
	JobSlot		scheduler;
	int			n_slots;
	JobSlot		slots[FLEXIBLE_ARRAY_MEMBER];	/* of workers */
} JobMemory;

extern JobMemory *job_memory;	/* NULL: not preloaded */

/* Defines mlops.max_jobs; asks for the memory where the library is preloaded. */
extern void job_memory_init(void);

/* ---- With the lock held exclusively ---- */

/* The entry of a database; NULL where there is none, or where it would have to be made and there is no room. */
extern JobDatabase *job_database(Oid database, bool make);

/* Makes a database due now, and wakes the launcher. */
extern void job_database_wake(Oid database);

/* Frees the slots of a database whose processes were not started or could not begin; the runs are still queued. */
extern void job_slots_withdraw(Oid database);

/* Forgets a database that is gone. */
extern void job_database_forget(JobDatabase *database);

/* ---- A process and its slot ---- */

/* What the launcher hands to a process. */
typedef struct JobTicket
{
	int			slot;			/* -1: the scheduler's */
	uint32		generation;
} JobTicket;

/* Takes the slot; gives it back when the process exits.  NULL where it was meant for another process. */
extern JobSlot *job_slot_claim(const JobTicket *ticket);

/* ---- Whoever changes the tables ---- */

/* When the transaction commits, makes its database due and wakes those who wait for runs. */
extern void job_wake_at_commit(void);

/* Tells the worker of a job in this database to stop; false where there is none. */
extern bool job_interrupt(int64 job_id);

/* OBJECT_NOT_IN_PREREQUISITE_STATE where the library is not preloaded. */
extern void job_require_workers(void);

#endif
