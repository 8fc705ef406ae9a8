/*
 * job_memory.c
 *		What the processes that run jobs share: databases with work due, and a slot for each worker.
 *
 * A slot passes through ASSIGNED (by the scheduler), STARTING (by the
 * launcher) and RUNNING (by the worker), and is freed by the worker's exit,
 * whatever that is; the death of a process that cannot even exit restarts the
 * server, and everything here begins anew.  So a run that the table calls
 * running and that no slot has is one whose worker died.
 */
#include "job_memory.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#define MEMORY_NAME "mlops jobs"
#define RETRY_FIRST_MS 1000		/* of a scheduler that failed, doubled each time */
#define RETRY_LAST_MS (5 * 60 * 1000)
#define MOST_JOBS 64

JobMemory  *job_memory;

static int	job_memory_max_jobs;	/* mlops.max_jobs */
static bool wake_wanted;		/* when the transaction commits */
static bool is_scheduler;		/* this process */

static shmem_request_hook_type earlier_shmem_request;
static shmem_startup_hook_type earlier_shmem_startup;

static size_t
memory_size(void)
{
	return add_size(offsetof(JobMemory, slots), mul_size(job_memory_max_jobs, sizeof(JobSlot)));
}

/* Asks for shared memory while the server starts. */
static void
request_memory(void)
{
	if (earlier_shmem_request != NULL)
		earlier_shmem_request();
	RequestAddinShmemSpace(MAXALIGN(memory_size()));
	RequestNamedLWLockTranche(MEMORY_NAME, 1);
}

/* Lays out shared memory, or finds it. */
static void
start_memory(void)
{
	bool		found;

	if (earlier_shmem_startup != NULL)
		earlier_shmem_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	job_memory = ShmemInitStruct(MEMORY_NAME, memory_size(), &found);
	if (!found)
	{
		memset(job_memory, 0, memory_size());
		job_memory->lock = &GetNamedLWLockTranche(MEMORY_NAME)->lock;
		ConditionVariableInit(&job_memory->changed);
		job_memory->n_slots = job_memory_max_jobs;
	}
	LWLockRelease(AddinShmemInitLock);
}

/* The entry of a database. */
JobDatabase *
job_database(Oid database, bool make)
{
	JobDatabase *unused = NULL;

	for (int i = 0; i < job_memory->n_databases; i++)
	{
		JobDatabase *entry = &job_memory->databases[i];

		if (entry->database == database)
			return entry;
		if (!OidIsValid(entry->database))
			unused = entry;
	}
	if (!make)
		return NULL;
	if (unused == NULL && job_memory->n_databases < JOB_DATABASES)
		unused = &job_memory->databases[job_memory->n_databases++];
	if (unused != NULL)
		*unused = (JobDatabase){.database = database, .due = DT_NOBEGIN, .listed = true};
	return unused;
}

/* A slot that is free may be wanted in any database. */
static void
wake_waiting(void)
{
	for (int i = 0; i < job_memory->n_databases; i++)
	{
		if (job_memory->databases[i].waiting)
			job_memory->databases[i].due = DT_NOBEGIN;
	}
}

static void
wake_launcher(void)
{
	if (job_memory->launcher != NULL)
		SetLatch(job_memory->launcher);
}

/* Frees slots that nothing runs in. */
void
job_slots_withdraw(Oid database)
{
	for (int i = 0; i < job_memory->n_slots; i++)
	{
		JobSlot    *slot = &job_memory->slots[i];

		if (slot->database == database && (slot->state == JOB_SLOT_ASSIGNED || slot->state == JOB_SLOT_FAILED))
			slot->state = JOB_SLOT_FREE;
	}
	wake_waiting();
	wake_launcher();
}

/* Forgets a database that is gone, and what was to run there. */
void
job_database_forget(JobDatabase *database)
{
	job_slots_withdraw(database->database);
	database->database = InvalidOid;
}

/* Makes a database due now. */
void
job_database_wake(Oid database)
{
	JobDatabase *entry = job_database(database, true);

	if (entry != NULL)
		entry->due = DT_NOBEGIN;
	wake_launcher();
}

/* A scheduler's exit.  Where it failed, others are not to wait for slots until one here succeeds. */
static void
release_scheduler(JobSlot *slot, JobDatabase *database)
{
	if (database == NULL)
		return;
	database->failures = slot->finished ? 0 : Min(database->failures + 1, 16);
	if (database->failures > 0)
	{
		job_slots_withdraw(database->database);
		database->due = DT_NOBEGIN;
		database->not_before = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
														   Min((int64) RETRY_FIRST_MS << (database->failures - 1), RETRY_LAST_MS));
	}
}

/* The exit of a process that has a slot, by whatever way. */
static void
release_slot(int code, Datum argument)
{
	JobSlot    *slot = (JobSlot *) DatumGetPointer(argument);
	JobDatabase *database;

	LWLockAcquire(job_memory->lock, LW_EXCLUSIVE);
	database = job_database(slot->database, false);
	slot->pid = 0;
	if (slot == &job_memory->scheduler)
	{
		release_scheduler(slot, database);
		slot->state = JOB_SLOT_FREE;
	}
	else
	{
		slot->state = slot->marked || slot->finished ? JOB_SLOT_FREE : JOB_SLOT_FAILED;
		if (!slot->finished && database != NULL)
			database->due = DT_NOBEGIN;
		wake_waiting();
	}
	wake_launcher();
	LWLockRelease(job_memory->lock);
	ConditionVariableBroadcast(&job_memory->changed);
}

/* Takes the slot that a ticket names. */
JobSlot *
job_slot_claim(const JobTicket *ticket)
{
	JobSlot    *slot = ticket->slot < 0 ? &job_memory->scheduler : &job_memory->slots[ticket->slot];
	JobDatabase *database;
	bool		mine;

	LWLockAcquire(job_memory->lock, LW_EXCLUSIVE);
	mine = slot->state == JOB_SLOT_STARTING && slot->generation == ticket->generation;
	database = mine ? job_database(slot->database, false) : NULL;
	if (database != NULL && database->not_before > GetCurrentTimestamp())
	{
		/* somebody wants to be alone there since this process was asked for */
		slot->state = JOB_SLOT_FREE;
		database->due = DT_NOBEGIN;
		mine = false;
	}
	if (mine)
	{
		slot->state = JOB_SLOT_RUNNING;
		slot->pid = MyProcPid;
		is_scheduler = slot == &job_memory->scheduler;
		on_shmem_exit(release_slot, PointerGetDatum(slot));
	}
	LWLockRelease(job_memory->lock);
	return mine ? slot : NULL;
}

/* Tells launcher and waiters what a commit made visible. */
static void
end_transaction(XactEvent event, void *unused)
{
	if (event == XACT_EVENT_COMMIT && wake_wanted)
	{
		LWLockAcquire(job_memory->lock, LW_EXCLUSIVE);
		job_database_wake(MyDatabaseId);
		LWLockRelease(job_memory->lock);
		ConditionVariableBroadcast(&job_memory->changed);
	}
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		wake_wanted = false;
}

/* At commit, makes the database due.  What a scheduler writes, it has seen. */
void
job_wake_at_commit(void)
{
	wake_wanted = job_memory != NULL && !is_scheduler;
}

/* Raises where there are no workers. */
void
job_require_workers(void)
{
	if (job_memory == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("there are no background workers to run jobs"),
				 errhint("Add mlops to shared_preload_libraries and restart the server.")));
}

/* Defines the setting; asks for memory where the server is starting. */
void
job_memory_init(void)
{
	bool		preloaded = process_shared_preload_libraries_in_progress;

	DefineCustomIntVariable("mlops.max_jobs",
							"Jobs that may run at once on this server.",
							"Each takes one of max_worker_processes; so do the launcher and, for moments, a scheduler.",
							&job_memory_max_jobs, 2, 1, MOST_JOBS,
							preloaded ? PGC_POSTMASTER : PGC_SIGHUP, 0, NULL, NULL, NULL);
	if (!preloaded)
		return;
	earlier_shmem_request = shmem_request_hook;
	shmem_request_hook = request_memory;
	earlier_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = start_memory;
	RegisterXactCallback(end_transaction, NULL);
}
