/*
 * progress.c
 *		How far a process is with its training or scoring, for others to see.
 *
 * Each process has an entry in shared memory that it alone writes, under the
 * entry's spinlock, and that others copy, under the same.
 */
#include "progress.h"

#include "catalog/pg_authid.h"
#include "commands/dbcommands.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "registry/registry.h"

#define MEMORY_NAME "mlops progress"
#define KIND_SIZE 16
#define PHASE_SIZE 64

PG_FUNCTION_INFO_V1(mlops_list_progress);

/* The work of a process. */
typedef struct ProgressWork
{
	int			pid;			/* 0: none */
	Oid			database;
	Oid			role;
	int64		project_id;
	int64		job_id;			/* 0: none */
	char		kind[KIND_SIZE];
	char		model[REGISTRY_NAME_SIZE];
	char		phase[PHASE_SIZE];
	uint64		done;
	uint64		total;			/* 0: nobody knows */
	TimestampTz started;
	TimestampTz phase_started;
} ProgressWork;

typedef struct ProgressEntry
{
	slock_t		lock;
	ProgressWork work;
} ProgressEntry;

/* Columns of mlops.list_progress(). */
enum
{
	COLUMN_PID,
	COLUMN_DATABASE,
	COLUMN_ROLE,
	COLUMN_JOB_ID,
	COLUMN_KIND,
	COLUMN_MODEL,
	COLUMN_PHASE,
	COLUMN_DONE,
	COLUMN_TOTAL,
	COLUMN_STARTED_AT,
	COLUMN_PHASE_STARTED_AT,
	N_COLUMNS
};

static ProgressEntry *progress_entries; /* one a process; NULL: not preloaded */
static ProgressEntry *progress_mine;	/* NULL: this process shows nothing now */
static int64 progress_job_id;

static shmem_request_hook_type earlier_shmem_request;
static shmem_startup_hook_type earlier_shmem_startup;

static size_t
memory_size(void)
{
	return mul_size(MaxBackends, sizeof(ProgressEntry));
}

/* Asks for shared memory while the server starts. */
static void
request_memory(void)
{
	if (earlier_shmem_request != NULL)
		earlier_shmem_request();
	RequestAddinShmemSpace(MAXALIGN(memory_size()));
}

/* Lays out shared memory, or finds it. */
static void
start_memory(void)
{
	bool		found;

	if (earlier_shmem_startup != NULL)
		earlier_shmem_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	progress_entries = ShmemInitStruct(MEMORY_NAME, memory_size(), &found);
	for (int i = 0; i < MaxBackends && !found; i++)
	{
		memset(&progress_entries[i], 0, sizeof(ProgressEntry));
		SpinLockInit(&progress_entries[i].lock);
	}
	LWLockRelease(AddinShmemInitLock);
}

/* Asks for memory where the server is starting. */
void
progress_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	earlier_shmem_request = shmem_request_hook;
	shmem_request_hook = request_memory;
	earlier_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = start_memory;
}

/* The job that this process works for. */
void
progress_set_job(int64 job_id)
{
	progress_job_id = job_id;
}

/* Shows nothing any more. */
static void
end_work(void *unused)
{
	SpinLockAcquire(&progress_mine->lock);
	progress_mine->work.pid = 0;
	SpinLockRelease(&progress_mine->lock);
	progress_mine = NULL;
}

/* The same where the process exits in the middle. */
static void
leave(int code, Datum unused)
{
	if (progress_mine != NULL)
		end_work(NULL);
}

/* Begins to show work. */
bool
progress_begin(const char *kind, const char *model, int64 project_id)
{
	static bool registered;
	ProgressWork work = {
		.pid = MyProcPid,
		.database = MyDatabaseId,
		.role = GetUserId(),
		.project_id = project_id,
		.job_id = progress_job_id,
		.started = GetCurrentTimestamp(),
	};
	MemoryContextCallback *callback;

	if (progress_entries == NULL || progress_mine != NULL)
		return false;
	callback = palloc0(sizeof(MemoryContextCallback));
	if (!registered)
		on_shmem_exit(leave, (Datum) 0);
	registered = true;
	work.phase_started = work.started;
	strlcpy(work.kind, kind, sizeof(work.kind));
	strlcpy(work.model, model, sizeof(work.model));
	strlcpy(work.phase, "start", sizeof(work.phase));

	progress_mine = &progress_entries[compat_process_number(MyProc)];
	SpinLockAcquire(&progress_mine->lock);
	progress_mine->work = work;
	SpinLockRelease(&progress_mine->lock);
	callback->func = end_work;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return true;
}

/* Begins a phase. */
void
progress_phase(const char *phase, uint64 total)
{
	TimestampTz now = GetCurrentTimestamp();
	char		name[PHASE_SIZE];

	if (progress_mine == NULL)
		return;
	strlcpy(name, phase, sizeof(name));
	SpinLockAcquire(&progress_mine->lock);
	memcpy(progress_mine->work.phase, name, sizeof(name));
	progress_mine->work.done = 0;
	progress_mine->work.total = total;
	progress_mine->work.phase_started = now;
	SpinLockRelease(&progress_mine->lock);
}

/* Steps done, and all of them. */
void
progress_set(uint64 done, uint64 total)
{
	if (progress_mine == NULL)
		return;
	SpinLockAcquire(&progress_mine->lock);
	progress_mine->work.done = done;
	progress_mine->work.total = total;
	SpinLockRelease(&progress_mine->lock);
}

/* Some more steps. */
void
progress_add(uint64 steps)
{
	if (progress_mine == NULL)
		return;
	SpinLockAcquire(&progress_mine->lock);
	progress_mine->work.done += steps;
	SpinLockRelease(&progress_mine->lock);
}

/* One row; without the model's name for those who may see the work and not the model. */
static void
put_work(ReturnSetInfo *rows, const ProgressWork *work, bool named)
{
	Datum		values[N_COLUMNS];
	bool		nulls[N_COLUMNS] = {0};
	char	   *database = get_database_name(work->database);
	char	   *role = GetUserNameFromId(work->role, true);
	NameData	database_name;
	NameData	role_name;

	namestrcpy(&database_name, database != NULL ? database : "");
	namestrcpy(&role_name, role != NULL ? role : "");
	values[COLUMN_PID] = Int32GetDatum(work->pid);
	values[COLUMN_DATABASE] = NameGetDatum(&database_name);
	nulls[COLUMN_DATABASE] = database == NULL;
	values[COLUMN_ROLE] = NameGetDatum(&role_name);
	nulls[COLUMN_ROLE] = role == NULL;
	values[COLUMN_JOB_ID] = Int64GetDatum(work->job_id);
	nulls[COLUMN_JOB_ID] = work->job_id == 0;
	values[COLUMN_KIND] = CStringGetTextDatum(work->kind);
	nulls[COLUMN_MODEL] = !named;
	values[COLUMN_MODEL] = named ? CStringGetTextDatum(work->model) : (Datum) 0;
	values[COLUMN_PHASE] = CStringGetTextDatum(work->phase);
	values[COLUMN_DONE] = Int64GetDatum((int64) work->done);
	values[COLUMN_TOTAL] = Int64GetDatum((int64) work->total);
	nulls[COLUMN_TOTAL] = work->total == 0;
	values[COLUMN_STARTED_AT] = TimestampTzGetDatum(work->started);
	values[COLUMN_PHASE_STARTED_AT] = TimestampTzGetDatum(work->phase_started);
	tuplestore_putvalues(rows->setResult, rows->setDesc, values, nulls);
}

/* mlops.list_progress() */
Datum
mlops_list_progress(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rows = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		sees_all = has_privs_of_role(GetUserId(), ROLE_PG_MONITOR);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; progress_entries != NULL && i < MaxBackends; i++)
	{
		ProgressWork work;
		bool		named;

		SpinLockAcquire(&progress_entries[i].lock);
		work = progress_entries[i].work;
		SpinLockRelease(&progress_entries[i].lock);
		if (work.pid == 0)
			continue;
		named = has_privs_of_role(GetUserId(), work.role) ||
			(work.database == MyDatabaseId && access_allowed(work.project_id, RIGHT_VIEW));
		if (named || sees_all)
			put_work(rows, &work, named);
	}
	return (Datum) 0;
}
