/*
 * submit.c
 *		Making jobs: mlops.submit(), mlops.schedule_job(), mlops.unschedule_job().
 *
 * Whoever makes a job is its owner.  The caller's rights are checked here,
 * then the rows are written as the extension's owner: nobody can make a job
 * of somebody else's.
 *
 * Where a function has its definer's rights, session_user has not agreed to
 * what it does; the job then has nothing of session_user's.
 */
#include "submit.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "../pg/clock.h"
#include "../pg/compat.h"
#include "../pg/json_fields.h"
#include "../pg/registry/registry.h"
#include "../pg/report.h"
#include "../pg/settings.h"
#include "../pg/source/source.h"
#include "job_memory.h"
#include "kinds.h"
#include "schedule.h"

#define NAME_CHARACTERS 200
#define DEFAULT_ATTEMPTS 3
#define MOST_ATTEMPTS 100

PG_FUNCTION_INFO_V1(mlops_submit);
PG_FUNCTION_INFO_V1(mlops_schedule_job);
PG_FUNCTION_INFO_V1(mlops_unschedule_job);
PG_FUNCTION_INFO_V1(mlops_wake_jobs);
PG_FUNCTION_INFO_V1(mlops_job_session);

/* A job to be made. */
typedef struct NewJob
{
	const char *name;			/* NULL: to run once */
	const char *schedule;		/* the same */
	const char *kind;
	Jsonb	   *args;
	int64		project_id;		/* 0: none */
	int32		max_attempts;
	Interval   *retry_delay;
} NewJob;

/* Raises where a role cannot connect to this database. */
static void
check_role(Oid role)
{
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	char	   *name = GetUserNameFromId(role, false);
	bool		can_log_in;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "role %u does not exist", role);
	can_log_in = ((Form_pg_authid) GETSTRUCT(tuple))->rolcanlogin;
	ReleaseSysCache(tuple);
	if (!can_log_in)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("role \"%s\" cannot log in, so no job can run as this role", name),
				 errhint("Make the job as a role with LOGIN; it may SET ROLE to this one before.")));
	if (!compat_may_connect(MyDatabaseId, role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" may not connect to database \"%s\", so no job can run as this role", name,
						get_database_name(MyDatabaseId))));
}

/* Whom a worker is to connect as, on behalf of the caller. */
static Oid
session_role(void)
{
	Oid			role = GetUserId() == GetOuterUserId() ? GetSessionUserId() : GetUserId();

	if (InSecurityRestrictedOperation())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot make a job within a security-restricted operation")));
	check_role(role);
	return role;
}

/* The settings that a job's runs have. */
static Jsonb *
job_settings(void)
{
	JsonbParseState *state = NULL;
	Jsonb	   *settings = source_settings();
	JsonField  *fields;
	int			n;

	fields = json_fields(settings, "settings", &n);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < n; i++)
	{
		json_push_key(&state, fields[i].key);
		json_push_text(&state, WJB_VALUE, json_text(&fields[i], "settings"));
	}
	json_push_key(&state, "mlops.project");
	json_push_text(&state, WJB_VALUE, settings_project);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Writes a job of the caller's, or writes over the one of its name; its id. */
static int64
write_job(const NewJob *job)
{
	TimestampTz now = clock_now();
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, JSONBOID, TIMESTAMPTZOID, OIDOID, OIDOID, JSONBOID, INT8OID, INT4OID, INTERVALOID};
	Datum		values[] = {
		job->name != NULL ? CStringGetTextDatum(job->name) : (Datum) 0,
		CStringGetTextDatum(job->kind),
		job->schedule != NULL ? CStringGetTextDatum(job->schedule) : (Datum) 0,
		JsonbPGetDatum(job->args),
		job->schedule != NULL ? TimestampTzGetDatum(schedule_next(job->schedule, now, now, session_timezone)) : (Datum) 0,
		ObjectIdGetDatum(GetUserId()),
		ObjectIdGetDatum(session_role()),
		JsonbPGetDatum(job_settings()),
		Int64GetDatum(job->project_id),
		Int32GetDatum(job->max_attempts),
		IntervalPGetDatum(job->retry_delay)
	};
	bool		nulls[] = {job->name == NULL, false, job->schedule == NULL, false, job->schedule == NULL, false, false, false, job->project_id == 0,
	false, false};
	Datum		id;

	id = registry_execute("insert into mlops.job (name, kind, schedule, args, next_run, owner, session_role, settings, project_id, max_attempts, retry_delay) "
						  "values ($1, $2, $3, $4, $5, $6::regrole, $7::regrole, $8, $9, $10, $11) "
						  "on conflict (owner, name) do update set kind = excluded.kind, schedule = excluded.schedule, args = excluded.args, "
						  "next_run = excluded.next_run, enabled = true, session_role = excluded.session_role, settings = excluded.settings, "
						  "project_id = excluded.project_id, max_attempts = excluded.max_attempts, retry_delay = excluded.retry_delay "
						  "returning id", lengthof(types), types, values, nulls, NULL);
	return DatumGetInt64(id);
}

/* Writes a job that runs once, and its run. */
static int64
write_submitted(const NewJob *job)
{
	int64		id = write_job(job);
	Oid			types[] = {INT8OID, TEXTOID};
	Datum		values[] = {Int64GetDatum(id), CStringGetTextDatum(job->kind)};

	(void) registry_execute("insert into mlops.job_run (job_id, kind) values ($1, $2)", lengthof(types), types, values, NULL, NULL);
	return id;
}

/* Submits a job of the caller's whose arguments were checked. */
int64
job_submit_checked(const char *kind, Jsonb *args, int64 project_id)
{
	Interval	delay = {.time = 5 * USECS_PER_SEC};
	NewJob		job = {.kind = kind, .args = args, .project_id = project_id, .max_attempts = DEFAULT_ATTEMPTS, .retry_delay = &delay};

	job_require_workers();
	return write_submitted(&job);
}

/* Reads and checks what both functions take from argument number `first` on: kind, args, max_attempts, retry_delay. */
static void
read_job(FunctionCallInfo fcinfo, int first, const char *function, NewJob *job)
{
	PreventCommandIfReadOnly(function);
	job_require_workers();
	if (PG_ARGISNULL(first))
		report_null_argument(function, "kind");
	if (PG_ARGISNULL(first + 1))
		report_null_argument(function, "args");
	if (PG_ARGISNULL(first + 2))
		report_null_argument(function, "max_attempts");
	if (PG_ARGISNULL(first + 3))
		report_null_argument(function, "retry_delay");
	job->max_attempts = PG_GETARG_INT32(first + 2);
	if (job->max_attempts < 1 || job->max_attempts > MOST_ATTEMPTS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_attempts is %d, and must be from 1 to %d", job->max_attempts, MOST_ATTEMPTS)));
	job->retry_delay = PG_GETARG_INTERVAL_P(first + 3);

	const JobHandler *kind = job_handler_to_submit(text_to_cstring(PG_GETARG_TEXT_PP(first)));

	job->kind = kind->name;
	job->args = job_check(kind, PG_GETARG_JSONB_P(first + 1), &job->project_id);
}

/* mlops.submit(kind, args, max_attempts, retry_delay) */
Datum
mlops_submit(PG_FUNCTION_ARGS)
{
	NewJob		job = {0};

	read_job(fcinfo, 0, "mlops.submit()", &job);
	PG_RETURN_INT64(write_submitted(&job));
}

/* mlops.schedule_job(name, schedule, kind, args, max_attempts, retry_delay) */
Datum
mlops_schedule_job(PG_FUNCTION_ARGS)
{
	static const char function[] = "mlops.schedule_job()";
	NewJob		job = {0};

	if (PG_ARGISNULL(0))
		report_null_argument(function, "name");
	if (PG_ARGISNULL(1))
		report_null_argument(function, "schedule");
	job.name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	job.schedule = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (job.name[0] == '\0' || pg_mbstrlen(job.name) > NAME_CHARACTERS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("the name of a job must have 1 to %d characters", NAME_CHARACTERS)));
	read_job(fcinfo, 2, function, &job);
	PG_RETURN_INT64(write_job(&job));
}

/* mlops.unschedule_job(name) */
Datum
mlops_unschedule_job(PG_FUNCTION_ARGS)
{
	Oid			types[] = {TEXTOID, OIDOID};
	Datum		values[] = {PG_GETARG_DATUM(0), ObjectIdGetDatum(GetUserId())};
	bool		is_null;
	Datum		id;

	PreventCommandIfReadOnly("mlops.unschedule_job()");
	id = registry_execute("select j.id from mlops.job j where j.name = $1 and j.owner = $2::regrole", lengthof(types), types, values, NULL, &is_null);
	if (is_null)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("you have no scheduled job \"%s\"", text_to_cstring(PG_GETARG_TEXT_PP(0))),
				 errhint("Jobs are in mlops.job; SET ROLE to the owner of one that you may remove.")));

	/* a worker that is about to begin a run is waited for */
	(void) registry_execute("delete from mlops.job j where j.id = $1", 1, &(Oid){INT8OID}, &id, NULL, NULL);
	job_interrupt(DatumGetInt64(id));
	PG_RETURN_INT64(DatumGetInt64(id));
}

/* mlops.job_session() */
Datum
mlops_job_session(PG_FUNCTION_ARGS)
{
	PG_RETURN_OID(session_role());
}

/* mlops.wake_jobs() */
Datum
mlops_wake_jobs(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("mlops.wake_jobs() is a trigger")));
	job_wake_at_commit();
	PG_RETURN_POINTER(NULL);
}
