/*
 * capture_launcher.c
 *		The process that has captured predictions written.
 *
 * It is connected to no database, for a connection would be in the way of
 * DROP DATABASE and others.  While the queue is empty it sleeps; the first
 * row wakes it.  It gives rows a moment to come together, then starts a
 * writer (capture_writer.c) for the database of the oldest one, waits for
 * its end, and looks again: one writer at a time goes around the databases.
 *
 * Where a writer fails, its database waits, each time twice as long, and the
 * others go on.  Its rows stay in the queue, unless that has gone on for some
 * time and they take three quarters of it: then the oldest are given up, so
 * that the others have room.  Where no process can be started, all wait.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "../pg/capture/capture_ring.h"
#include "capture_launcher.h"
#include "capture_writer.h"

#define GATHER_MS 1000			/* how long the first row waits for others */
#define LOOK_MS 50				/* between looks, while rows wait */
#define REST_MS 60000			/* between looks, while none do */
#define SHORTEST_PAUSE_MS 1000	/* after a failure */
#define LONGEST_PAUSE_MS 60000
#define HOPE_MS 10000			/* how long rows of a database that cannot be written are kept in any case */
#define RESTART_S 5

extern PGDLLEXPORT void mlops_capture_launcher_main(Datum argument);

/* A database whose writer failed. */
typedef struct Pause
{
	Oid			database;
	int			length_ms;
	TimestampTz start;			/* of the first of those that followed each other */
	TimestampTz end;
	bool		said;			/* the log says that rows are given up */
} Pause;

static List *pauses = NIL;		/* of Pause */
static bool said_no_process;	/* the log says that no process could be started */

/* The pause of a database, or NULL. */
static Pause *
find_pause(Oid database)
{
	ListCell   *cell;

	foreach(cell, pauses)
	{
		Pause	   *pause = lfirst(cell);

		if (pause->database == database)
			return pause;
	}
	return NULL;
}

/* Makes a database wait, longer than the last time. */
static void
pause_database(Oid database)
{
	Pause	   *pause = find_pause(database);

	if (pause == NULL)
	{
		pause = palloc0(sizeof(Pause));
		pause->database = database;
		pause->start = GetCurrentTimestamp();
		pauses = lappend(pauses, pause);
	}
	pause->length_ms = pause->length_ms == 0 ? SHORTEST_PAUSE_MS : Min(pause->length_ms * 2, LONGEST_PAUSE_MS);
	pause->end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), pause->length_ms);
}

/* A database's writer succeeded. */
static void
forget_pause(Oid database)
{
	Pause	   *pause = find_pause(database);

	if (pause == NULL)
		return;
	pauses = list_delete_ptr(pauses, pause);
	pfree(pause);
}

/* Whether a database could not be written for so long that its rows are given up where others need their room. */
static bool
cannot_write(Oid database)
{
	const Pause *pause = find_pause(database);

	return pause != NULL && TimestampDifferenceExceeds(pause->start, GetCurrentTimestamp(), HOPE_MS);
}

/* Makes room in a queue that databases fill which cannot be written. */
static void
make_room(void)
{
	ListCell   *cell;

	if (capture_ring_make_room(cannot_write) == 0)
		return;
	foreach(cell, pauses)
	{
		Pause	   *pause = lfirst(cell);

		if (pause->said || !cannot_write(pause->database))
			continue;
		ereport(LOG,
				(errmsg("captured predictions of database %u are given up, because they cannot be written and the queue is full", pause->database),
				 errhint("Errors of the mlops capture writer say why. mlops.capture_status counts the rows as lost.")));
		pause->said = true;
	}
}

/* The database of the oldest row that can be written now, or InvalidOid; and the row's position. */
static Oid
find_work(uint64 *place)
{
	TimestampTz now = GetCurrentTimestamp();
	Oid			found = InvalidOid;
	uint64		position;
	uint64		head;

	LWLockAcquire(capture_shared->lock, LW_SHARED);
	capture_ring_bounds(&position, &head);
	while (position < head && !OidIsValid(found))
	{
		const Pause *pause;
		CaptureRow *row;

		*place = position;
		row = capture_ring_next(&position);
		if (pg_atomic_read_u32(&row->state) != CAPTURE_READY)
			continue;
		pg_read_barrier();
		pause = find_pause(row->database);
		if (pause == NULL || pause->end <= now)
			found = row->database;
	}
	LWLockRelease(capture_shared->lock);
	return found;
}

/* Whether the queue, whose oldest row that can be written is here, should be written without waiting for more rows. */
static bool
is_urgent(uint64 place)
{
	static uint64 latest = UINT64_MAX;
	static TimestampTz since;
	uint64		tail;
	uint64		head;

	if (place != latest)
	{
		latest = place;
		since = GetCurrentTimestamp();
	}
	capture_ring_bounds(&tail, &head);
	return capture_shared->hurry || head - tail > capture_shared->size / 8 ||
		TimestampDifferenceExceeds(since, GetCurrentTimestamp(), GATHER_MS);
}

/* Starts a writer; NULL where there is no room for another process. */
static BackgroundWorkerHandle *
start_writer(Oid database)
{
	BackgroundWorker worker;
	BackgroundWorkerHandle *handle;

	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_notify_pid = MyProcPid;
	strlcpy(worker.bgw_library_name, "mlops", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, CAPTURE_WRITER_FUNCTION, BGW_MAXLEN);
	snprintf(worker.bgw_name, BGW_MAXLEN, "mlops capture writer for database %u", database);
	strlcpy(worker.bgw_type, "mlops capture writer", BGW_MAXLEN);
	memcpy(worker.bgw_extra, &database, sizeof(database));

	capture_shared->hurry = false;
	capture_shared->writer_failed = true;	/* until it says otherwise */
	capture_shared->writer_database = database;
	if (RegisterDynamicBackgroundWorker(&worker, &handle))
	{
		said_no_process = false;
		return handle;
	}
	if (!said_no_process)
		ereport(LOG,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("captured predictions wait, because no background worker is free"),
				 errhint("Raise max_worker_processes.")));
	said_no_process = true;
	return NULL;
}

/* Sleeps until something happens, or for so long. */
static void
rest(long milliseconds)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
}

/* Waits for the end of a writer. */
static void
await_writer(BackgroundWorkerHandle *handle, Oid database)
{
	pid_t		pid;

	while (GetBackgroundWorkerPid(handle, &pid) != BGWH_STOPPED)
		rest(REST_MS);
	pfree(handle);
	capture_shared->writer_database = InvalidOid;
	if (capture_shared->writer_failed)
		pause_database(database);
	else
		forget_pause(database);
}

/* Sleeps until there is a first row. */
static void
await_row(void)
{
	uint64		tail;
	uint64		head;

	capture_shared->hurry = false;
	pg_atomic_write_u32(&capture_shared->sleeping, 1);
	pg_memory_barrier();
	capture_ring_bounds(&tail, &head);
	rest(tail < head ? LOOK_MS : REST_MS);
	pg_atomic_write_u32(&capture_shared->sleeping, 0);
}

/* The launcher ends: nobody is to wake it. */
static void
leave(int code, Datum unused)
{
	capture_shared->launcher = NULL;
}

/* The process. */
void
mlops_capture_launcher_main(Datum argument)
{
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	if (capture_shared == NULL)
		proc_exit(0);

	/* to no database; so pg_stat_activity shows the process */
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	MemoryContextSwitchTo(TopMemoryContext);
	capture_shared->launcher = MyLatch;
	capture_shared->writer_database = InvalidOid;
	before_shmem_exit(leave, (Datum) 0);

	for (;;)
	{
		uint64		place = 0;
		Oid			database;
		BackgroundWorkerHandle *handle;

		LWLockAcquire(capture_shared->lock, LW_EXCLUSIVE);
		capture_ring_abandon();
		capture_ring_advance();
		LWLockRelease(capture_shared->lock);
		make_room();
		database = find_work(&place);
		if (!OidIsValid(database))
			await_row();
		else if (!is_urgent(place))
			rest(LOOK_MS);
		else if ((handle = start_writer(database)) != NULL)
			await_writer(handle, database);
		else
			rest(SHORTEST_PAUSE_MS);
	}
}

/* Registers the process. */
void
capture_launcher_init(void)
{
	BackgroundWorker worker;

	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
		return;
	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = RESTART_S;
	strlcpy(worker.bgw_library_name, "mlops", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "mlops_capture_launcher_main", BGW_MAXLEN);
	strlcpy(worker.bgw_name, "mlops capture launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "mlops capture launcher", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}
