/*
 * what_if.c
 *		what_if(): what would be predicted if some values were others.
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "explanation.h"
#include "../result_row.h"

PG_FUNCTION_INFO_V1(mlops_what_if);

/* Puts the prediction of the row in predictor->raw. */
static void
put_scenario(ReturnSetInfo *result, Predictor *predictor, int scenario, const Jsonb *changes)
{
	const Model *model = predictor->model;
	bool		classes = model->task != TASK_REGRESSION;
	ResultRow	row = {.n = 0};

	predict_outputs(predictor);

	uint32		best = classes ? model_best_class(predictor->out, model->n_outputs) : 0;

	row_add(&row, Int32GetDatum(scenario));
	if (changes == NULL)
		row_add_null(&row);
	else
		row_add(&row, JsonbPGetDatum(changes));
	row_add_number(&row, !classes || predictor->class_values != NULL, classes && predictor->class_values != NULL
				   ? predictor->class_values[best] : predictor->out[0]);
	row_add_text(&row, classes ? model_label(model, best) : NULL);
	row_add_number(&row, classes, predictor->out[model->task == TASK_BINARY ? 1 : best]);
	row_put(&row, result);
}

/* Puts the prediction of the row with changes; the row is as before then. */
static void
put_changed(ReturnSetInfo *result, Predictor *predictor, int scenario, const Jsonb *changes)
{
	size_t		size = predictor->model->n_columns * sizeof(double);
	double	   *given = palloc(size + 1);

	if (!JB_ROOT_IS_OBJECT(changes))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("changes must be a JSON object, or an array of them"),
				 errhint("Write {\"age\": 40}, or [{\"age\": 40}, {\"age\": 50}].")));
	memcpy(given, predictor->raw, size);
	predict_change_from_json(predictor, changes);
	put_scenario(result, predictor, scenario, changes);
	memcpy(predictor->raw, given, size);
	pfree(given);
}

/* mlops.what_if(model, features, changes): the row as given, then with the changes of each object. */
Datum
mlops_what_if(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Predictor  *predictor;
	Jsonb	   *changes;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(2) || !explanation_read(fcinfo, &predictor))
		return (Datum) 0;
	changes = PG_GETARG_JSONB_P(2);
	put_scenario(result, predictor, 0, NULL);
	if (!JB_ROOT_IS_ARRAY(changes) || JB_ROOT_IS_SCALAR(changes))
		put_changed(result, predictor, 1, changes);
	else
	{
		for (uint32 i = 0; i < JB_ROOT_COUNT(changes); i++)
			put_changed(result, predictor, (int) i + 1, JsonbValueToJsonb(getIthJsonbValueFromContainer(&changes->root, i)));
	}
	return (Datum) 0;
}
