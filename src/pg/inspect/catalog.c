/*
 * catalog.c
 *		The functions behind the views mlops.algorithm and mlops.algorithm_parameter, and the names of metrics.
 *
 * All they say comes from the tables of core.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "../../core/model/metric_names.h"
#include "../core.h"

#define TEXT_SIZE 512

PG_FUNCTION_INFO_V1(mlops_list_algorithms);
PG_FUNCTION_INFO_V1(mlops_list_parameters);
PG_FUNCTION_INFO_V1(mlops_metric_names);

/* The tasks of an algorithm as text[]. */
static Datum
task_array(unsigned tasks)
{
	Datum		names[TASK_MULTICLASS];
	int			n = 0;

	for (Task task = TASK_REGRESSION; task <= TASK_MULTICLASS; task++)
	{
		if ((tasks & TASK_BIT(task)) != 0)
			names[n++] = CStringGetTextDatum(task_name(task));
	}
	return PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* mlops.list_algorithms(): name, tasks, summary */
Datum
mlops_list_algorithms(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rows = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < n_algorithms; i++)
	{
		Datum		values[3];
		bool		nulls[3] = {0};

		values[0] = CStringGetTextDatum(algorithms[i]->name);
		values[1] = task_array(algorithms[i]->tasks);
		values[2] = CStringGetTextDatum(algorithms[i]->summary);
		tuplestore_putvalues(rows->setResult, rows->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* One parameter as a row. */
static void
put_parameter(ReturnSetInfo *rows, const Algorithm *algorithm, const ParamSpec *spec)
{
	char		initial[TEXT_SIZE];
	char		range[TEXT_SIZE];
	Datum		values[6];
	bool		nulls[6] = {0};

	params_value_text(spec, spec->initial, initial, sizeof(initial));
	params_range_text(spec, range, sizeof(range));
	values[0] = CStringGetTextDatum(algorithm->name);
	values[1] = CStringGetTextDatum(spec->name);
	values[2] = CStringGetTextDatum(params_type_name(spec));
	values[3] = CStringGetTextDatum(initial);
	values[4] = CStringGetTextDatum(range);
	values[5] = CStringGetTextDatum(spec->meaning);
	tuplestore_putvalues(rows->setResult, rows->setDesc, values, nulls);
}

/* mlops.list_parameters(): algorithm, name, type, "default", range, meaning */
Datum
mlops_list_parameters(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < n_algorithms; i++)
	{
		for (int j = 0; j < algorithms[i]->n_params; j++)
			put_parameter((ReturnSetInfo *) fcinfo->resultinfo, algorithms[i], &algorithms[i]->params[j]);
	}
	return (Datum) 0;
}

/* mlops.metric_names() returns text[] */
Datum
mlops_metric_names(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(DirectFunctionCall2Coll(text_to_array, DEFAULT_COLLATION_OID, CStringGetTextDatum(METRIC_NAMES), CStringGetTextDatum("|")));
}
