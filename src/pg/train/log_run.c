/*
 * log_run.c
 *		What people report of work that was done elsewhere: runs, and metrics
 *		of runs.
 *
 * Both go beside what was measured here, so that they are found, compared and
 * ranked together, and both are marked as reported, so that no gate takes them
 * for evidence.  Hence users cannot write these tables: the caller's access is
 * checked here, and then the registry's owner writes.
 */
#include "../registry/registry.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "../report.h"
#include "../../core/model/metric_names.h"

PG_FUNCTION_INFO_V1(mlops_log_run);
PG_FUNCTION_INFO_V1(mlops_log_metric);
PG_FUNCTION_INFO_V1(mlops_larger_is_better);

/* The arguments of log_run(), in their order. */
enum
{
	ARG_MODEL, ARG_TASK, ARG_TARGET, ARG_ALGORITHM, ARG_PARAMS, ARG_METRICS, ARG_PROJECT, ARG_EXPERIMENT, ARG_STARTED, ARG_FINISHED, N_ARGS
};

/* log_run(): a run that was done elsewhere; its id. */
Datum
mlops_log_run(PG_FUNCTION_ARGS)
{
	static const char *const required[] = {"model", "task", "target", "algorithm", "params", "metrics", NULL, NULL, "started_at", "finished_at"};
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID, JSONBOID, INT8OID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID};
	Datum		values[lengthof(types)];
	bool		nulls[lengthof(types)] = {0};

	PreventCommandIfReadOnly("mlops.log_run()");
	for (int i = 0; i < N_ARGS; i++)
	{
		if (PG_ARGISNULL(i) && required[i] != NULL)
			report_null_argument("mlops.log_run()", required[i]);
		nulls[i] = PG_ARGISNULL(i);
		values[i] = PG_GETARG_DATUM(i);
	}
	values[ARG_PROJECT] = Int64GetDatum(registry_project(PG_ARGISNULL(ARG_PROJECT) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(ARG_PROJECT))));
	nulls[ARG_PROJECT] = false;
	values[N_ARGS] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	values[N_ARGS + 1] = CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
	return registry_execute("select mlops.store_reported_run($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
							lengthof(types), types, values, nulls, NULL);
}

/* log_metric(run_id, name, value, step): a number of a run, as the caller says. */
Datum
mlops_log_metric(PG_FUNCTION_ARGS)
{
	static const char *const required[] = {"run_id", "name", NULL, "step"};
	Oid			types[] = {INT8OID, TEXTOID, FLOAT8OID, INT4OID};
	Datum		values[lengthof(types)];
	bool		nulls[lengthof(types)] = {0};
	bool		no_run;
	Datum		project;

	PreventCommandIfReadOnly("mlops.log_metric()");
	for (int i = 0; i < (int) lengthof(types); i++)
	{
		if (PG_ARGISNULL(i) && required[i] != NULL)
			report_null_argument("mlops.log_metric()", required[i]);
		nulls[i] = PG_ARGISNULL(i) || (i == 2 && isnan(PG_GETARG_FLOAT8(i)));
		values[i] = PG_GETARG_DATUM(i);
	}
	project = registry_execute("select r.project_id from mlops.run r where r.id = $1", 1, types, values, NULL, &no_run);
	if (no_run || !access_allowed(DatumGetInt64(project), RIGHT_VIEW))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no run " INT64_FORMAT, PG_GETARG_INT64(0)),
				 errhint("Runs are in mlops.runs; mlops.log_run() makes one of work that was done elsewhere.")));
	access_require(DatumGetInt64(project), RIGHT_TRAIN, NULL);
	(void) registry_execute("select mlops.store_reported_metric($1, $2, $3, $4)", lengthof(types), types, values, nulls, NULL);
	PG_RETURN_VOID();
}

/* larger_is_better(metric): NULL for a name that is none of ours. */
Datum
mlops_larger_is_better(PG_FUNCTION_ARGS)
{
	const char *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const char *known = strstr("|" METRIC_NAMES "|", psprintf("|%s|", name));

	if (known == NULL || strchr(name, '|') != NULL)
		PG_RETURN_NULL();
	PG_RETURN_BOOL(metric_larger_is_better(name));
}
