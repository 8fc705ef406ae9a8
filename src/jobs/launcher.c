/*
 * launcher.c
 *		The process that starts the others.
 *
 * It connects to no database, so it is in nobody's way.  It sleeps until a
 * database has work due by what shared memory says, a transaction that made
 * some has committed, or a slot was assigned or freed.  It runs nothing
 * itself: a scheduler looks into the database, and workers do the work.
 *
 * Every LOOK_MS, at its start and when settings were reloaded it lists the
 * databases and has each looked into: that finds those that were created as
 * copies, and what was prepared in one session and committed in another.
 *
 * What time it has left it gives to the memory that models are shared in: it
 * provides pages there before somebody has to wait for them.
 *
 * Where the postmaster has no room for another process, it is asked again
 * after a pause that doubles, and the log says so once an hour.
 */
#include "launcher.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "../pg/cache/shared_memory.h"
#include "../pg/clock.h"
#include "../pg/compat.h"
#include "job_memory.h"

#define LOOK_MS (5 * 60 * 1000)
#define RESTART_SECONDS 5		/* after the launcher's own failure */
#define PAUSE_FIRST_MS 1000		/* where there is no room for a process */
#define PAUSE_LAST_MS (60 * 1000)
#define COMPLAIN_MS (60 * 60 * 1000)

extern PGDLLEXPORT void mlops_launcher_main(Datum argument);

/* What the launcher knows. */
typedef struct Launcher
{
	BackgroundWorkerHandle *scheduler;	/* of processes that were asked for; NULL: not by this launcher */
	BackgroundWorkerHandle **workers;
	int			last;			/* the database that a scheduler was asked for last */
	TimestampTz looked;			/* when the databases were listed */
	TimestampTz not_before;		/* no process is asked for before */
	int			pause_ms;		/* 0: the last one was granted */
	TimestampTz complained;		/* in the log, that there was no room */
	bool		full;			/* there are more databases than entries for them, and the log says so */
} Launcher;

/* Ends the launcher's entry in shared memory. */
static void
leave(int code, Datum unused)
{
	LWLockAcquire(job_memory->lock, LW_EXCLUSIVE);
	job_memory->launcher = NULL;
	LWLockRelease(job_memory->lock);
}

/* Enters shared memory.  What an earlier launcher asked for and nobody has claimed is asked for anew. */
static void
enter(void)
{
	on_shmem_exit(leave, (Datum) 0);
	LWLockAcquire(job_memory->lock, LW_EXCLUSIVE);
	job_memory->launcher = MyLatch;
	if (job_memory->scheduler.state == JOB_SLOT_STARTING)
		job_memory->scheduler.state = JOB_SLOT_FREE;
	for (int i = 0; i < job_memory->n_slots; i++)
	{
		if (job_memory->slots[i].state == JOB_SLOT_STARTING)
			job_memory->slots[i].state = JOB_SLOT_ASSIGNED;
	}
	LWLockRelease(job_memory->lock);
}

/* Forgets databases that are gone, and what was to run there. */
static void
forget_dropped(void)
{
	for (int i = 0; i < job_memory->n_databases; i++)
	{
		JobDatabase *entry = &job_memory->databases[i];

		if (OidIsValid(entry->database) && !entry->listed)
			job_database_forget(entry);
	}
}

/* Notes a database that can be connected to; false where there is no room. */
static bool
note_database(Oid database)
{
	JobDatabase *entry = job_database(database, true);

	if (entry == NULL)
		return false;
	entry->listed = true;
	entry->due = DT_NOBEGIN;
	return true;
}

/* Lists the databases, and makes all of them due. */
static void
look(Launcher *launcher)
{
	int			n_left_out = 0;
	Relation	catalog;
	TableScanDesc scan;
	HeapTuple	tuple;

	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	catalog = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(catalog, 0, NULL);
	LWLockAcquire(job_memory->lock, LW_EXCLUSIVE);
	for (int i = 0; i < job_memory->n_databases; i++)
		job_memory->databases[i].listed = false;
	LWLockRelease(job_memory->lock);
	while (HeapTupleIsValid(tuple = heap_getnext(scan, ForwardScanDirection)))
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(tuple);

		if (!database->datallowconn || database->datistemplate || compat_database_is_invalid(database))
			continue;
		LWLockAcquire(job_memory->lock, LW_EXCLUSIVE);
		if (!note_database(database->oid))
			n_left_out++;
		LWLockRelease(job_memory->lock);
	}
	table_endscan(scan);
	table_close(catalog, AccessShareLock);
	CommitTransactionCommand();

	LWLockAcquire(job_memory->lock, LW_EXCLUSIVE);
	forget_dropped();
	LWLockRelease(job_memory->lock);
	if (n_left_out > 0 && !launcher->full)
		ereport(LOG,
				(errmsg("mlops looks for jobs in %d databases, and not in %d more", JOB_DATABASES, n_left_out)));
	launcher->full = n_left_out > 0;
	launcher->looked = GetCurrentTimestamp();
}

/* Whether a slot's process may be asked for: it was assigned, and nobody wants to be alone in its database. */
static bool
may_start(const JobSlot *slot, TimestampTz now)
{
	const JobDatabase *database = job_database(slot->database, false);

	return slot->state == JOB_SLOT_ASSIGNED && (database == NULL || database->not_before <= now);
}

/* Whether a process has given its slot back and is not gone yet. */
static bool
is_leaving(const JobSlot *slot, BackgroundWorkerHandle *handle)
{
	pid_t		pid;

	return handle != NULL && (slot->state == JOB_SLOT_FREE || slot->state == JOB_SLOT_FAILED) &&
		GetBackgroundWorkerPid(handle, &pid) != BGWH_STOPPED;
}

/* Whether there will be room for another process in a moment; the postmaster tells us when. */
static bool
room_is_coming(const Launcher *launcher)
{
	bool		coming;

	LWLockAcquire(job_memory->lock, LW_SHARED);
	coming = is_leaving(&job_memory->scheduler, launcher->scheduler);
	for (int i = 0; i < job_memory->n_slots && !coming; i++)
		coming = is_leaving(&job_memory->slots[i], launcher->workers[i]);
	LWLockRelease(job_memory->lock);
	return coming;
}

/* Says that there is no room for another process, now and then. */
static void
complain(Launcher *launcher)
{
	TimestampTz now = GetCurrentTimestamp();

	if (!TimestampDifferenceExceeds(launcher->complained, now, COMPLAIN_MS))
		return;
	launcher->complained = now;
	ereport(LOG,
			(errmsg("mlops has to wait for a free background worker"),
			 errdetail("All of max_worker_processes (%d) are in use.", max_worker_processes),
			 errhint("Increase max_worker_processes, or lower mlops.max_jobs.")));
}

/* Asks the postmaster for the process of a slot; false where it has no room. */
static bool
ask_for_process(Launcher *launcher, JobSlot *slot, int number, BackgroundWorkerHandle **handle)
{
	BackgroundWorker worker;
	BackgroundWorkerHandle *started;
	JobTicket	ticket = {.slot = number};

	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_notify_pid = MyProcPid;
	strlcpy(worker.bgw_library_name, "mlops", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, number < 0 ? "mlops_scheduler_main" : "mlops_worker_main", BGW_MAXLEN);
	strlcpy(worker.bgw_type, number < 0 ? "mlops scheduler" : "mlops worker", BGW_MAXLEN);

	LWLockAcquire(job_memory->lock, LW_EXCLUSIVE);
	ticket.generation = slot->generation = ++job_memory->generation;
	slot->state = JOB_SLOT_STARTING;
	slot->marked = slot->finished = slot->cancelled = false;
	if (number < 0)
		snprintf(worker.bgw_name, BGW_MAXLEN, "mlops scheduler for database %u", slot->database);
	else
		snprintf(worker.bgw_name, BGW_MAXLEN, "mlops worker for job " INT64_FORMAT, slot->job_id);
	LWLockRelease(job_memory->lock);
	memcpy(worker.bgw_extra, &ticket, sizeof(ticket));

	if (RegisterDynamicBackgroundWorker(&worker, &started))
	{
		if (*handle != NULL)
			pfree(*handle);
		*handle = started;
		launcher->pause_ms = 0;
		return true;
	}

	LWLockAcquire(job_memory->lock, LW_EXCLUSIVE);
	slot->state = number < 0 ? JOB_SLOT_FREE : JOB_SLOT_ASSIGNED;
	LWLockRelease(job_memory->lock);
	if (room_is_coming(launcher))
		return false;
	complain(launcher);
	launcher->pause_ms = launcher->pause_ms == 0 ? PAUSE_FIRST_MS : Min(launcher->pause_ms * 2, PAUSE_LAST_MS);
	launcher->not_before = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), launcher->pause_ms);
	return false;
}

/* Whether a process that was asked for ended before it could claim its slot: the server could not start it. */
static bool
did_not_start(const JobSlot *slot, BackgroundWorkerHandle *handle)
{
	pid_t		pid;

	return slot->state == JOB_SLOT_STARTING && handle != NULL && GetBackgroundWorkerPid(handle, &pid) == BGWH_STOPPED &&
		slot->state == JOB_SLOT_STARTING;
}

/* Takes back slots whose processes did not start. */
static void
recover_slots(Launcher *launcher)
{
	bool		any = false;

	LWLockAcquire(job_memory->lock, LW_EXCLUSIVE);
	if (did_not_start(&job_memory->scheduler, launcher->scheduler))
	{
		job_database_wake(job_memory->scheduler.database);
		job_memory->scheduler.state = JOB_SLOT_FREE;
		any = true;
	}
	for (int i = 0; i < job_memory->n_slots; i++)
	{
		if (!did_not_start(&job_memory->slots[i], launcher->workers[i]))
			continue;
		job_memory->slots[i].state = JOB_SLOT_ASSIGNED;
		any = true;
	}
	LWLockRelease(job_memory->lock);
	if (any)
		launcher->not_before = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), PAUSE_FIRST_MS);
}

/* Asks for a process for every slot that was assigned. */
static void
start_workers(Launcher *launcher, TimestampTz now)
{
	for (int i = 0; i < job_memory->n_slots; i++)
	{
		bool		may;

		LWLockAcquire(job_memory->lock, LW_SHARED);
		may = may_start(&job_memory->slots[i], now);
		LWLockRelease(job_memory->lock);
		if (may && !ask_for_process(launcher, &job_memory->slots[i], i, &launcher->workers[i]))
			return;
	}
}

/* The next database in turn where work is due; NULL where there is none.  *wait becomes how long until there is, at most. */
static JobDatabase *
next_database(Launcher *launcher, TimestampTz now, long *wait)
{
	TimestampTz clock = clock_now();
	int			n = job_memory->n_databases;

	for (int i = 1; i <= n; i++)
	{
		int			index = (launcher->last + i) % n;
		JobDatabase *entry = &job_memory->databases[index];

		if (!OidIsValid(entry->database))
			continue;
		if (entry->not_before > now)
			*wait = Min(*wait, TimestampDifferenceMilliseconds(now, entry->not_before) + 1);
		else if (entry->due > clock && (entry->again == 0 || entry->again > now))
		{
			if (!clock_stands())
				*wait = Min(*wait, TimestampDifferenceMilliseconds(clock, entry->due) + 1);
			if (entry->again != 0)
				*wait = Min(*wait, TimestampDifferenceMilliseconds(now, entry->again) + 1);
		}
		else
		{
			launcher->last = index;
			return entry;
		}
	}
	return NULL;
}

/* Asks for a scheduler where one is due and none runs. */
static void
start_scheduler(Launcher *launcher, TimestampTz now, long *wait)
{
	JobSlot    *slot = &job_memory->scheduler;
	JobDatabase *database;

	LWLockAcquire(job_memory->lock, LW_EXCLUSIVE);
	database = slot->state == JOB_SLOT_FREE ? next_database(launcher, now, wait) : NULL;
	if (database != NULL)
	{
		slot->database = database->database;
		slot->state = JOB_SLOT_ASSIGNED;
		database->again = 0;
		database->due = DT_NOEND;	/* until the scheduler, or whoever makes work meanwhile, says when */
		database->waiting = false;
	}
	LWLockRelease(job_memory->lock);
	if (database == NULL || ask_for_process(launcher, slot, -1, &launcher->scheduler))
		return;
	LWLockAcquire(job_memory->lock, LW_EXCLUSIVE);
	database->due = DT_NOBEGIN;
	LWLockRelease(job_memory->lock);
}

/* The launcher's process. */
void
mlops_launcher_main(Datum argument)
{
	Launcher	launcher = {0};

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);

	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "mlops launcher", ALLOCSET_DEFAULT_SIZES);

	MemoryContextSwitchTo(context);
	launcher.workers = palloc0(job_memory->n_slots * sizeof(BackgroundWorkerHandle *));
	enter();
	shared_memory_attend();
	while (!ShutdownRequestPending)
	{
		TimestampTz now = GetCurrentTimestamp();
		long		wait = LOOK_MS;

		if (TimestampDifferenceExceeds(launcher.looked, now, LOOK_MS))
		{
			look(&launcher);
			MemoryContextSwitchTo(context);
		}
		recover_slots(&launcher);
		if (launcher.not_before <= now)
		{
			start_workers(&launcher, now);
			start_scheduler(&launcher, now, &wait);
		}
		if (launcher.not_before > now)
			wait = Min(wait, TimestampDifferenceMilliseconds(now, launcher.not_before) + 1);
		if (shared_memory_prepare())
			wait = 0;

		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, wait, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			launcher.looked = 0;
		}
	}
	proc_exit(1);
}

/* Has the postmaster start the launcher, behind recovery: a standby has none until it is promoted. */
void
launcher_register(void)
{
	BackgroundWorker worker;

	if (IsBinaryUpgrade)
		return;
	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = RESTART_SECONDS;
	strlcpy(worker.bgw_library_name, "mlops", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "mlops_launcher_main", BGW_MAXLEN);
	strlcpy(worker.bgw_name, "mlops launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "mlops launcher", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}
