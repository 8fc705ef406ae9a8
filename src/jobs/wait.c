/*
 * wait.c
 *		Waiting for jobs, and cancelling them: mlops.wait_for(), mlops.cancel_job().
 *
 * Whoever waits sleeps on a condition variable that is broadcast when a run
 * has changed its state, and looks at the table with a snapshot of its own
 * each time: the transaction's would not see what was committed meanwhile.
 */
#include "postgres.h"

#include <signal.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "../pg/registry/registry.h"
#include "../pg/registry/registry_scan.h"
#include "job_memory.h"

#define LOOK_MS 1000			/* at the table, whether anybody said something or not: a worker may die */

PG_FUNCTION_INFO_V1(mlops_wait_for);
PG_FUNCTION_INFO_V1(mlops_cancel_job);

/* What the caller sees of a job. */
typedef struct JobView
{
	Oid			owner;
	int64		project_id;		/* 0: none */
	bool		uncommitted;	/* it was made by this transaction */
} JobView;

/* Raises where there is no such job that the caller may see. */
static void
find_job(int64 job_id, JobView *view)
{
	RegistryScan scan;
	bool		found;

	PushActiveSnapshot(GetLatestSnapshot());
	registry_scan_open(&scan, "job");
	registry_scan_key_int64(&scan, "id", job_id);
	registry_scan_start(&scan, "job_pkey");
	found = registry_scan_next(&scan);
	if (found)
	{
		bool		is_null;
		Datum		project = heap_getattr(scan.tuple, registry_scan_column(&scan, "project_id"), RelationGetDescr(scan.relation), &is_null);

		view->owner = DatumGetObjectId(registry_scan_get(&scan, registry_scan_column(&scan, "owner")));
		view->project_id = is_null ? 0 : DatumGetInt64(project);
		view->uncommitted = TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(scan.tuple->t_data));
	}
	registry_scan_close(&scan);
	PopActiveSnapshot();
	if (!found || !(has_privs_of_role(GetUserId(), view->owner) || (view->project_id != 0 && access_allowed(view->project_id, RIGHT_VIEW))))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("job " INT64_FORMAT " does not exist", job_id),
				 errhint("Those that you can see are in mlops.job.")));
}

/* The state of a job's newest run, palloc'ed; NULL where there is none. */
static char *
newest_state(int64 job_id)
{
	char	   *state = NULL;
	RegistryScan scan;

	PushActiveSnapshot(GetLatestSnapshot());
	registry_scan_open(&scan, "job_run");

	AttrNumber	column = registry_scan_column(&scan, "state");

	registry_scan_key_int64(&scan, "job_id", job_id);
	registry_scan_start(&scan, "job_run_job");
	while (registry_scan_next(&scan))
	{
		if (state != NULL)
			pfree(state);
		state = registry_scan_text(&scan, column);
	}
	registry_scan_close(&scan);
	PopActiveSnapshot();
	return state;
}

/* Whether a run in this state has ended. */
static bool
has_ended(const char *state)
{
	return state != NULL && strcmp(state, "queued") != 0 && strcmp(state, "running") != 0;
}

/* Raises: the time is over. */
static void
report_timeout(int64 job_id, const char *state, const Interval *timeout)
{
	ereport(ERROR,
			(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
			 state == NULL ? errmsg("job " INT64_FORMAT " has not been due", job_id)
			 : errmsg("job " INT64_FORMAT " is still %s", job_id, state),
			 errdetail("It was waited for %s.", DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(timeout)))),
			 errhint("It goes on; mlops.progress shows how far it is, and mlops.cancel_job() ends it.")));
}

/* mlops.wait_for(job_id, timeout) */
Datum
mlops_wait_for(PG_FUNCTION_ARGS)
{
	int64		job_id = PG_GETARG_INT64(0);
	Interval   *timeout = PG_GETARG_INTERVAL_P(1);
	TimestampTz end = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(GetCurrentTimestamp()),
															  IntervalPGetDatum(timeout)));
	JobView		view;
	char	   *state;

	job_require_workers();
	find_job(job_id, &view);
	if (view.uncommitted)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("job " INT64_FORMAT " was made by this transaction, and begins when that has committed", job_id),
				 errhint("Commit, then wait.")));

	ConditionVariablePrepareToSleep(&job_memory->changed);
	while (!has_ended(state = newest_state(job_id)))
	{
		long		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), end);

		if (left <= 0)
		{
			ConditionVariableCancelSleep();
			report_timeout(job_id, state, timeout);
		}
		(void) ConditionVariableTimedSleep(&job_memory->changed, Min(left, LOOK_MS), PG_WAIT_EXTENSION);
	}
	ConditionVariableCancelSleep();
	PG_RETURN_TEXT_P(cstring_to_text(state));
}

/* Tells the worker of a job to stop, if there is one. */
bool
job_interrupt(int64 job_id)
{
	bool		found = false;

	if (job_memory == NULL)
		return false;
	LWLockAcquire(job_memory->lock, LW_EXCLUSIVE);
	for (int i = 0; i < job_memory->n_slots; i++)
	{
		JobSlot    *slot = &job_memory->slots[i];

		if (slot->state != JOB_SLOT_RUNNING || slot->database != MyDatabaseId || slot->job_id != job_id)
			continue;
		slot->cancelled = true;
		kill(slot->pid, SIGINT);
		found = true;
	}
	LWLockRelease(job_memory->lock);
	return found;
}

/* mlops.cancel_job(job_id) */
Datum
mlops_cancel_job(PG_FUNCTION_ARGS)
{
	Datum		job_id = PG_GETARG_DATUM(0);
	JobView		view;
	bool		none;

	PreventCommandIfReadOnly("mlops.cancel_job()");
	find_job(DatumGetInt64(job_id), &view);
	if (!has_privs_of_role(GetUserId(), view.owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to cancel job " INT64_FORMAT, DatumGetInt64(job_id)),
				 errhint("It belongs to role \"%s\".", GetUserNameFromId(view.owner, true))));

	/* a worker that is about to begin it is waited for: it has the row, and then the run is running */
	(void) registry_execute("update mlops.job_run r set state = 'cancelled', message = 'cancelled before it began', finished_at = mlops.clock() "
							"where r.job_id = $1 and r.state = 'queued' returning r.id", 1, &(Oid){INT8OID}, &job_id, NULL, &none);
	if (!none)
		job_wake_at_commit();
	PG_RETURN_BOOL(!none || job_interrupt(DatumGetInt64(job_id)));
}
