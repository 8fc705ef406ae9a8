/*
 * kind_function.c
 *		Jobs whose work SQL functions of the script do.
 *
 * Of a kind x these are
 *
 *	mlops.check_x_job(args jsonb, out checked jsonb, out project_id bigint)
 *	mlops.run_x_job(job_id bigint, args jsonb) returns text
 *
 * The first is called with the rights of whoever makes the job, and returns
 * the arguments that the second gets, which has those of the job's owner and
 * returns what it did.  Neither takes on other rights: both may be called by
 * anybody.
 */
#include "kinds.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* Calls a function that returns one row; the row is there until SPI_finish(). */
static HeapTuple
call(const char *statement, int n, Oid *types, Datum *values)
{
	if (SPI_execute_with_args(statement, n, types, values, NULL, false, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "unexpected result of \"%s\"", statement);
	return SPI_tuptable->vals[0];
}

/* Lets mlops.check_x_job() check. */
Jsonb *
job_function_check(const char *kind, Jsonb *args, int64 *project_id)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {JSONBOID};
	Datum		values[] = {JsonbPGetDatum(args)};
	Jsonb	   *checked;
	Datum		datum;
	HeapTuple	row;
	bool		is_null;

	SPI_connect();
	row = call(psprintf("select c.checked, c.project_id from mlops.check_%s_job($1) c", kind), lengthof(types), types, values);
	datum = SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &is_null);
	if (is_null)
		elog(ERROR, "mlops.check_%s_job() returned no arguments", kind);
	MemoryContextSwitchTo(caller);
	checked = DatumGetJsonbPCopy(datum);
	datum = SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &is_null);
	*project_id = is_null ? 0 : DatumGetInt64(datum);
	SPI_finish();
	return checked;
}

/* Lets mlops.run_x_job() work. */
void
job_function_run(const char *kind, JobRun *job)
{
	Oid			types[] = {INT8OID, JSONBOID};
	Datum		values[] = {Int64GetDatum(job->job_id), JsonbPGetDatum(job->args)};
	HeapTuple	row;
	char	   *message;

	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
	row = call(psprintf("select mlops.run_%s_job($1, $2)", kind), lengthof(types), types, values);
	message = SPI_getvalue(row, SPI_tuptable->tupdesc, 1);
	job->message = message != NULL ? MemoryContextStrdup(job->context, message) : NULL;
	SPI_finish();
	PopActiveSnapshot();
	MemoryContextSwitchTo(job->context);
}
