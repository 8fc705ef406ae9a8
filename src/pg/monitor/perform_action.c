/*
 * perform_action.c
 *		mlops.perform_action(): what follows from an alert.
 *
 * What is to be done was decided when the alert was raised, and is written
 * down where nobody else can write (mlops.action_run).  It is done by a job
 * with the rights of the action's owner; that it was done, and what came of
 * it, is recorded in the same transaction as the extension's owner.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "../json_fields.h"
#include "../registry/registry.h"

PG_FUNCTION_INFO_V1(mlops_perform_action);

/* What mlops.plan_action() says. */
typedef struct ActionPlan
{
	const char *statement;		/* NULL: it is refused */
	Jsonb	   *refusal;
} ActionPlan;

/* Reads the plan; false where there is nothing to do for the caller: others' actions are not told of. */
static bool
read_plan(int64 run_id, ActionPlan *plan)
{
	Oid			types[] = {INT8OID, OIDOID};
	Datum		values[] = {Int64GetDatum(run_id), ObjectIdGetDatum(GetUserId())};
	bool		is_null;
	Datum		planned = registry_execute("select mlops.plan_action($1, $2)", lengthof(types), types, values, NULL, &is_null);
	JsonField  *fields;
	int			n;

	if (is_null)
		return false;
	plan->refusal = DatumGetJsonbP(planned);
	fields = json_fields(plan->refusal, "plan", &n);
	for (int i = 0; i < n; i++)
	{
		if (strcmp(fields[i].key, "statement") == 0)
			plan->statement = json_text(&fields[i], "plan");
	}
	return true;
}

/* Runs the statement as the caller; its jsonb, in the caller's memory. */
static Jsonb *
run_statement(const char *statement)
{
	MemoryContext caller = CurrentMemoryContext;
	Jsonb	   *result;
	bool		is_null;
	Datum		value;

	if (SPI_connect() != SPI_OK_CONNECT || SPI_execute(statement, false, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "the action could not be done");
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
	MemoryContextSwitchTo(caller);
	result = DatumGetJsonbPCopy(value);
	SPI_finish();
	return result;
}

/* mlops.perform_action(run_id) */
Datum
mlops_perform_action(PG_FUNCTION_ARGS)
{
	int64		run_id = PG_GETARG_INT64(0);
	Oid			types[] = {INT8OID, JSONBOID};
	Datum		values[] = {Int64GetDatum(run_id), (Datum) 0};
	ActionPlan	plan = {0};
	Jsonb	   *result;

	PreventCommandIfReadOnly("mlops.perform_action()");
	if (!read_plan(run_id, &plan))
		PG_RETURN_TEXT_P(cstring_to_text("there was nothing to do"));
	result = plan.statement != NULL ? run_statement(plan.statement) : plan.refusal;
	values[1] = JsonbPGetDatum(result);
	(void) registry_execute("select mlops.finish_action($1, $2)", lengthof(types), types, values, NULL, NULL);
	PG_RETURN_TEXT_P(cstring_to_text(JsonbToCString(NULL, &result->root, VARSIZE(result))));
}
