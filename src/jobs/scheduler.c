/*
 * scheduler.c
 *		A short look into one database: which runs are due, and which workers died.
 *
 * Connects as the bootstrap superuser, lets mlops.plan_jobs() write down what
 * is due and what ended, assigns runs to free slots, says when to look again,
 * and is gone, so that it does not stand in the way of DROP DATABASE.
 *
 * It is the only one in its database, and the only one that assigns slots.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "tcop/tcopprot.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "job_memory.h"

#define LOOK_AGAIN_MS 1000		/* at what others had locked */

extern PGDLLEXPORT void mlops_scheduler_main(Datum argument);

/* Columns of mlops.plan_jobs(). */
enum
{
	COLUMN_RUNS = 1,
	COLUMN_JOBS,
	COLUMN_ROLES,
	COLUMN_NEXT_DUE,
	COLUMN_WAITING,
	COLUMN_BLOCKED
};

/* Runs of this database that have a slot: those of live workers, or those whose workers did not come to begin. */
static Datum
runs_with_slots(bool failed)
{
	Datum	   *runs = palloc((job_memory->n_slots + 1) * sizeof(Datum));
	int			n = 0;

	LWLockAcquire(job_memory->lock, LW_SHARED);
	for (int i = 0; i < job_memory->n_slots; i++)
	{
		const JobSlot *slot = &job_memory->slots[i];

		if (slot->state != JOB_SLOT_FREE && slot->database == MyDatabaseId && (slot->state == JOB_SLOT_FAILED) == failed)
			runs[n++] = Int64GetDatum(slot->run_id);
	}
	LWLockRelease(job_memory->lock);
	return PointerGetDatum(construct_array(runs, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* How many slots are free, once what failed here is written down. */
static int
free_slots(void)
{
	int			n = 0;

	LWLockAcquire(job_memory->lock, LW_SHARED);
	for (int i = 0; i < job_memory->n_slots; i++)
	{
		const JobSlot *slot = &job_memory->slots[i];

		if (slot->state == JOB_SLOT_FREE || (slot->state == JOB_SLOT_FAILED && slot->database == MyDatabaseId))
			n++;
	}
	LWLockRelease(job_memory->lock);
	return n;
}

/* What is to be done. */
typedef struct JobPlan
{
	int			n;				/* runs to assign */
	Datum	   *runs;
	Datum	   *jobs;
	Datum	   *roles;
	TimestampTz next_due;
	bool		waiting;
	bool		blocked;		/* by locks of others */
} JobPlan;

/* The elements of an array of the plan. */
static Datum *
plan_array(HeapTuple row, int column, Oid type, int length, bool by_value, char align, int *n)
{
	Datum	   *elements;
	bool		is_null;
	Datum		array = SPI_getbinval(row, SPI_tuptable->tupdesc, column, &is_null);

	*n = 0;
	if (is_null)
		return NULL;
	deconstruct_array(DatumGetArrayTypePCopy(array), type, length, by_value, align, &elements, NULL, n);
	return elements;
}

/* Lets mlops.plan_jobs() plan; the plan's arrays are made in a context that outlives SPI's. */
static void
make_plan(JobPlan *plan, MemoryContext context)
{
	Oid			types[] = {INT8ARRAYOID, INT8ARRAYOID, INT4OID};
	Datum		values[] = {runs_with_slots(false), runs_with_slots(true), Int32GetDatum(free_slots())};
	HeapTuple	row;
	bool		is_null;

	if (SPI_execute_with_args("select run_ids, job_ids, roles, next_due, waiting, blocked from mlops.plan_jobs($1, $2, $3)",
							  lengthof(types), types, values, NULL, false, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "mlops.plan_jobs() returned no plan");
	MemoryContextSwitchTo(context); /* SPI_execute leaves its own, which SPI_finish frees */
	row = SPI_tuptable->vals[0];
	plan->runs = plan_array(row, COLUMN_RUNS, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &plan->n);
	plan->jobs = plan_array(row, COLUMN_JOBS, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &plan->n);
	plan->roles = plan_array(row, COLUMN_ROLES, OIDOID, sizeof(Oid), true, TYPALIGN_INT, &plan->n);
	plan->next_due = DatumGetTimestampTz(SPI_getbinval(row, SPI_tuptable->tupdesc, COLUMN_NEXT_DUE, &is_null));
	if (is_null)
		plan->next_due = DT_NOEND;
	plan->waiting = DatumGetBool(SPI_getbinval(row, SPI_tuptable->tupdesc, COLUMN_WAITING, &is_null));
	plan->blocked = DatumGetBool(SPI_getbinval(row, SPI_tuptable->tupdesc, COLUMN_BLOCKED, &is_null));
}

/* Writes the plan into shared memory: the table has it, so it holds. */
static void
apply_plan(const JobPlan *plan, JobSlot *mine)
{
	JobDatabase *database;
	int			done = 0;
	bool		spare = false;

	LWLockAcquire(job_memory->lock, LW_EXCLUSIVE);
	for (int i = 0; i < job_memory->n_slots; i++)
	{
		JobSlot    *slot = &job_memory->slots[i];

		if (slot->state == JOB_SLOT_FAILED && slot->database == MyDatabaseId)
			slot->state = JOB_SLOT_FREE;
		if (slot->state != JOB_SLOT_FREE)
			continue;
		if (done == plan->n)
		{
			spare = true;
			continue;
		}
		slot->database = MyDatabaseId;
		slot->run_id = DatumGetInt64(plan->runs[done]);
		slot->job_id = DatumGetInt64(plan->jobs[done]);
		slot->role = DatumGetObjectId(plan->roles[done]);
		slot->state = JOB_SLOT_ASSIGNED;
		done++;
	}
	database = job_database(MyDatabaseId, true);
	if (database != NULL)
	{
		database->due = Min(database->due, plan->next_due);
		database->waiting = plan->waiting;
		if (plan->blocked)
			database->again = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), LOOK_AGAIN_MS);

		/* a slot was freed since they were counted, when nothing was known to wait */
		if (plan->waiting && spare)
			database->due = DT_NOBEGIN;
	}
	mine->finished = true;
	LWLockRelease(job_memory->lock);
	ConditionVariableBroadcast(&job_memory->changed);
}

/* Settings of the database and its role are not for what is done here. */
static void
pin_settings(void)
{
	static const char *const settings[][2] = {
		{"search_path", "pg_catalog, pg_temp"},
		{"role", "none"},
		{"row_security", "on"},
		{"default_transaction_read_only", "off"},
		{"default_transaction_isolation", "read committed"},
		{"lock_timeout", "1s"},
		{"statement_timeout", "0"},
		{"application_name", "mlops scheduler"},
	};

	for (int i = 0; i < (int) lengthof(settings); i++)
		SetConfigOption(settings[i][0], settings[i][1], PGC_SUSET, PGC_S_OVERRIDE);
}

/* Whether the extension is here, in a release that has jobs. */
static bool
has_jobs(void)
{
	Oid			schema = get_namespace_oid("mlops", true);

	return OidIsValid(get_extension_oid("mlops", true)) && OidIsValid(schema) && OidIsValid(get_relname_relid("job_run", schema));
}

/* The scheduler's process. */
void
mlops_scheduler_main(Datum argument)
{
	JobTicket	ticket;
	JobSlot    *mine;
	JobPlan		plan = {.next_due = DT_NOEND};

	memcpy(&ticket, MyBgworkerEntry->bgw_extra, sizeof(ticket));
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	mine = job_slot_claim(&ticket);
	if (mine == NULL)
		return;
	BackgroundWorkerInitializeConnectionByOid(mine->database, InvalidOid, 0);
	pin_settings();

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	pgstat_report_activity(STATE_RUNNING, "looking for jobs that are due");

	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "mlops plan", ALLOCSET_DEFAULT_SIZES);

	if (has_jobs())
	{
		SPI_connect();
		make_plan(&plan, context);
		SPI_finish();
	}
	PopActiveSnapshot();
	CommitTransactionCommand();
	apply_plan(&plan, mine);
}
