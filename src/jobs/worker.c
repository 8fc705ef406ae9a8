/*
 * worker.c
 *		The process that executes one run.
 *
 * It connects as the job's session role and takes on the owner's by SET ROLE,
 * so it has neither more nor fewer rights than whoever made the job had.
 *
 * First it says that the run is running, in a transaction of its own: a run
 * whose worker dies behind that is one that began, and the scheduler finds it.
 * How the run ends is written in the transaction that did the work, so that a
 * run succeeded if and only if what it did is there; a failure, in the next
 * one.  What the worker writes into the tables, it writes as their owner.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "../pg/json_fields.h"
#include "../pg/progress.h"
#include "../pg/registry/registry.h"
#include "job_memory.h"
#include "kinds.h"

extern PGDLLEXPORT void mlops_worker_main(Datum argument);

/* What the table says of the run. */
typedef struct Assignment
{
	JobRun		run;
	const char *kind;
	Jsonb	   *settings;
	Oid			owner;
} Assignment;

/* Runs one statement of ours whose parameters are the run's id and perhaps others; what it returns, or 0. */
static Datum
write_run(const char *statement, int n, const Oid *types, const Datum *values, const bool *nulls, bool *is_null)
{
	Datum		result;

	XactReadOnly = false;		/* what the role reads and writes is its affair, this is ours */
	PushActiveSnapshot(GetTransactionSnapshot());
	result = registry_execute(statement, n, types, values, nulls, is_null);
	PopActiveSnapshot();
	return result;
}

static const JsonField *
find_field(const JsonField *fields, int n, const char *key)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(fields[i].key, key) == 0)
			return &fields[i];
	}
	elog(ERROR, "a run came without %s", key);
}

/*
 * Says that the run is running; false where it is not to be: it was cancelled,
 * or its job was switched off, or replaced by one for which somebody else connects.
 */
static bool
begin_run(Assignment *assignment)
{
	JobRun	   *run = &assignment->run;
	Oid			types[] = {INT8OID, OIDOID};
	Datum		values[] = {Int64GetDatum(run->run_id), ObjectIdGetDatum(GetSessionUserId())};
	bool		is_null;
	Datum		row;
	JsonField  *fields;
	int			n;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	row = write_run("update mlops.job_run r set state = 'running', attempts = r.attempts + 1, started_at = mlops.clock(), message = null "
					"from mlops.job j where j.id = r.job_id and r.id = $1 and r.state = 'queued' and j.enabled and j.session_role = $2 "
					"returning jsonb_build_object('job_id', j.id, 'kind', j.kind, 'args', j.args, 'settings', j.settings, "
					"'owner', j.owner::oid::bigint, 'checkpoint', r.checkpoint)",
					lengthof(types), types, values, NULL, &is_null);
	if (is_null)
	{
		CommitTransactionCommand();
		return false;
	}

	MemoryContextSwitchTo(run->context);
	fields = json_fields((Jsonb *) PG_DETOAST_DATUM_COPY(row), "run", &n);
	run->job_id = (int64) json_number(find_field(fields, n, "job_id"), "run");
	assignment->kind = json_text(find_field(fields, n, "kind"), "run");
	assignment->owner = (Oid) json_number(find_field(fields, n, "owner"), "run");
	run->args = JsonbValueToJsonb(unconstify(JsonbValue *, &find_field(fields, n, "args")->value));
	assignment->settings = JsonbValueToJsonb(unconstify(JsonbValue *, &find_field(fields, n, "settings")->value));
	if (find_field(fields, n, "checkpoint")->value.type != jbvNull)
		run->checkpoint = JsonbValueToJsonb(unconstify(JsonbValue *, &find_field(fields, n, "checkpoint")->value));
	CommitTransactionCommand();
	MemoryContextSwitchTo(run->context);
	return true;
}

/* Takes on the job's settings and its owner's rights. */
static void
become_owner(const Assignment *assignment)
{
	int			n;
	JsonField  *fields = json_fields(assignment->settings, "settings", &n);

	for (int i = 0; i < n; i++)
		SetConfigOption(fields[i].key, json_text(&fields[i], "settings"), PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("role", assignment->owner == GetSessionUserId() ? "none" : GetUserNameFromId(assignment->owner, false), PGC_USERSET,
					PGC_S_SESSION);
}

/* Writes how the run ended; what was done is committed with it, or nothing is. */
static void
end_run(const JobRun *run, const char *outcome, const char *message, bool again)
{
	Oid			types[] = {INT8OID, TEXTOID, TEXTOID, BOOLOID};
	Datum		values[] = {
		Int64GetDatum(run->run_id),
		CStringGetTextDatum(outcome),
		message != NULL ? CStringGetTextDatum(message) : (Datum) 0,
		BoolGetDatum(again)
	};
	bool		nulls[] = {false, false, message == NULL, false};
	bool		is_null;

	(void) write_run("select mlops.end_run($1, $2, $3, $4)", lengthof(types), types, values, nulls, &is_null);
	CommitTransactionCommand();
}

/* Whether the next attempt may succeed although nobody changes anything. */
static bool
may_pass(int sqlstate)
{
	switch (ERRCODE_TO_CATEGORY(sqlstate))
	{
		case ERRCODE_TRANSACTION_ROLLBACK:
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_CONNECTION_EXCEPTION:
			return true;
		default:
			return sqlstate == ERRCODE_LOCK_NOT_AVAILABLE;
	}
}

/* Does the work and says so. */
static void
execute(const Assignment *assignment, JobRun *run)
{
	StartTransactionCommand();
	become_owner(assignment);
	if (StatementTimeout > 0)
		enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
	MemoryContextSwitchTo(run->context);
	job_execute(job_handler(assignment->kind), run);
	disable_timeout(STATEMENT_TIMEOUT, false);
	end_run(run, "succeeded", run->message, false);
}

/* Says why the work was not done. */
static void
record_failure(const JobRun *run, const ErrorData *failure, bool cancelled)
{
	const char *message = failure->message;

	if (failure->detail != NULL)
		message = psprintf("%s (%s)", failure->message, failure->detail);
	StartTransactionCommand();
	end_run(run, cancelled ? "cancelled" : "failed", message, !cancelled && may_pass(failure->sqlerrcode));
}

/* Does the work; a failure is written down, and raised no further. */
static void
try_run(Assignment *assignment, JobSlot *mine)
{
	JobRun	   *run = &assignment->run;

	PG_TRY();
	{
		execute(assignment, run);
		mine->finished = true;
	}
	PG_CATCH();
	{
		ErrorData  *failure;

		HOLD_CANCEL_INTERRUPTS();
		disable_timeout(STATEMENT_TIMEOUT, false);
		MemoryContextSwitchTo(run->context);
		failure = CopyErrorData();
		EmitErrorReport();
		debug_query_string = NULL;
		AbortOutOfAnyTransaction();
		FlushErrorState();
		MemoryContextSwitchTo(run->context);
		record_failure(run, failure, mine->cancelled && failure->sqlerrcode == ERRCODE_QUERY_CANCELED);
		QueryCancelPending = false;
		RESUME_CANCEL_INTERRUPTS();
	}
	PG_END_TRY();
}

/* The log says of what an error is. */
static void
worker_error_context(void *argument)
{
	const Assignment *assignment = argument;

	if (assignment->kind != NULL)
		errcontext("mlops job " INT64_FORMAT ", run " INT64_FORMAT ", of kind %s", assignment->run.job_id, assignment->run.run_id,
				   assignment->kind);
}

/* Commits what was done so far. */
void
job_commit(JobRun *run, Jsonb *checkpoint, double progress)
{
	Oid			types[] = {INT8OID, JSONBOID, FLOAT8OID};
	Datum		values[] = {Int64GetDatum(run->run_id), JsonbPGetDatum(checkpoint), Float8GetDatum(progress)};
	bool		is_null;

	(void) write_run("update mlops.job_run r set checkpoint = $2, progress = $3 where r.id = $1", lengthof(types), types, values, NULL,
					 &is_null);
	CommitTransactionCommand();
	StartTransactionCommand();
	MemoryContextSwitchTo(run->context);
}

/* The worker's process. */
void
mlops_worker_main(Datum argument)
{
	JobTicket	ticket;
	JobSlot    *mine;
	Assignment	assignment = {0};
	ErrorContextCallback callback = {.callback = worker_error_context, .arg = &assignment};
	char		name[64];

	memcpy(&ticket, MyBgworkerEntry->bgw_extra, sizeof(ticket));
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	mine = job_slot_claim(&ticket);
	if (mine == NULL)
		return;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	assignment.run.run_id = mine->run_id;
	assignment.run.context = AllocSetContextCreate(TopMemoryContext, "mlops job", ALLOCSET_DEFAULT_SIZES);
	BackgroundWorkerInitializeConnectionByOid(mine->database, mine->role, 0);

	/* where it is not finished behind this, the next scheduler sees what is to be done */
	if (!begin_run(&assignment))
	{
		mine->marked = true;
		return;
	}
	mine->marked = true;
	progress_set_job(assignment.run.job_id);
	snprintf(name, sizeof(name), "mlops job " INT64_FORMAT, assignment.run.job_id);
	SetConfigOption("application_name", name, PGC_USERSET, PGC_S_SESSION);
	pgstat_report_activity(STATE_RUNNING, psprintf("%s: %s", name, assignment.kind));
	try_run(&assignment, mine);
	error_context_stack = callback.previous;
}
