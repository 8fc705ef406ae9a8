/*
 * predict.c
 *		The predict family: predict, predict_class, predict_proba, predict_all, predict_top.
 *
 * Each takes a model (a reference, or an artifact as a value) and features (a
 * row, jsonb, or float8[]); one C function serves all six signatures and
 * asks, once a call site, which it is called by.
 *
 * All per-row memory is the caller's context, which the executor resets.
 */
#include "predict.h"

#include "funcapi.h"
#include "utils/builtins.h"

#include "../cache/model_cache.h"
#include "../capture/capture.h"
#include "../json_fields.h"
#include "../report.h"

PG_FUNCTION_INFO_V1(mlops_predict);
PG_FUNCTION_INFO_V1(mlops_predict_class);
PG_FUNCTION_INFO_V1(mlops_predict_proba);
PG_FUNCTION_INFO_V1(mlops_predict_all);
PG_FUNCTION_INFO_V1(mlops_predict_top);

/* Reads the features of this call into predictor->raw. */
static inline void
read_features(Predictor *predictor, Datum features)
{
	switch (predictor->form)
	{
		case FEATURES_RECORD:
			predict_from_record(predictor, DatumGetHeapTupleHeader(features));
			break;
		case FEATURES_JSON:
			predict_from_json(predictor, DatumGetJsonbP(features));
			break;
		case FEATURES_ARRAY:
			predict_from_array(predictor, DatumGetArrayTypeP(features));
			break;
		case FEATURES_SLOT:
			break;
	}
}

/* Predicts the features of a call, which are not toasted. */
void
predict_features(Predictor *predictor, Datum features)
{
	read_features(predictor, features);
	predict_outputs(predictor);
}

/* Predicts a row that may be captured; known: it is predicted already.  The features are not toasted. */
static pg_noinline void
predict_and_capture(Predictor *predictor, Datum features, bool known)
{
	const void *row = DatumGetPointer(features);
	size_t		length = predictor->form == FEATURES_RECORD ? HeapTupleHeaderGetDatumLength((HeapTupleHeader) row) : VARSIZE_ANY(row);
	bool		wanted = capture_wants(predictor, row, length, known);

	if (known && !wanted)
		return;
	read_features(predictor, features);
	predict_outputs(predictor);
	if (wanted)
		capture_row(predictor, features);
}

/* The same for a row as a value, which another call of the query may have asked for just now. */
static inline void
predict_record(Predictor *predictor, HeapTupleHeader record)
{
	bool		shared = predictor->cached != NULL && predictor->cached->pins > 1;
	bool		known = shared && predict_memo_find(predictor, record);

	if (predictor->capture != NULL)
		predict_and_capture(predictor, HeapTupleHeaderGetDatum(record), known);
	else if (!known)
	{
		predict_from_record(predictor, record);
		predict_outputs(predictor);
	}
	if (shared && !known)
		predict_memo_keep(predictor, record);
}

/* Outputs of the model for the features of this call: predictor->out. */
static inline void
predict_row(FunctionCallInfo fcinfo, Predictor *predictor)
{
	if (predictor->form == FEATURES_RECORD)
		predict_record(predictor, PG_GETARG_HEAPTUPLEHEADER(1));
	else if (predictor->capture != NULL)
		predict_and_capture(predictor, PointerGetDatum(PG_DETOAST_DATUM(PG_GETARG_DATUM(1))), false);
	else
	{
		read_features(predictor, PG_GETARG_DATUM(1));
		predict_outputs(predictor);
	}
}

/* What a function of the family makes of the outputs. */
typedef Datum (*Answer) (FunctionCallInfo fcinfo, Predictor *predictor);

/* Predicts the row of this call, and answers; what fails is counted of the deployment. */
static pg_attribute_always_inline Datum
predict_answer(FunctionCallInfo fcinfo, Answer answer)
{
	Predictor  *predictor = predict_bind(fcinfo);
	ErrorWatch	watch;
	Datum		result;

	capture_watch(&watch, predictor->ref);
	predict_row(fcinfo, predictor);
	result = answer(fcinfo, predictor);
	capture_unwatch(&watch);
	return result;
}

/* DATATYPE_MISMATCH: a function that this model's task does not have. */
static void
refuse_regression(const Predictor *predictor, const char *function)
{
	if (predictor->model->task == TASK_REGRESSION)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s() needs a classification, but the model is a regression", function),
				 errhint("Use mlops.predict(), which gives its value.")));
}

/* predict(): the value; of a classification the label, where labels are numbers or booleans. */
static Datum
answer_predict(FunctionCallInfo fcinfo, Predictor *predictor)
{
	if (predictor->model->task == TASK_REGRESSION)
		PG_RETURN_FLOAT8(predictor->out[0]);
	if (predictor->class_values == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("predict() gives numbers, but the model's labels are texts"),
				 errhint("Use mlops.predict_class() for the label, or mlops.predict_proba() for its probability.")));
	PG_RETURN_FLOAT8(predictor->class_values[model_best_class(predictor->out, predictor->model->n_outputs)]);
}

Datum
mlops_predict(PG_FUNCTION_ARGS)
{
	return predict_answer(fcinfo, answer_predict);
}

/* predict_class(): the most probable label. */
static Datum
answer_predict_class(FunctionCallInfo fcinfo, Predictor *predictor)
{
	const Model *model = predictor->model;

	refuse_regression(predictor, "predict_class");
	PG_RETURN_TEXT_P(cstring_to_text(model_label(model, model_best_class(predictor->out, model->n_outputs))));
}

Datum
mlops_predict_class(PG_FUNCTION_ARGS)
{
	return predict_answer(fcinfo, answer_predict_class);
}

/* Index of a class; INVALID_PARAMETER_VALUE with the list. */
static uint32
find_class(Predictor *predictor, const text *name)
{
	const Model *model = predictor->model;
	const char *known = model_label(model, predictor->asked_class);
	size_t		length = VARSIZE_ANY_EXHDR(name);

	if (likely(strlen(known) == length && memcmp(known, VARDATA_ANY(name), length) == 0))
		return predictor->asked_class;

	char	   *label = text_to_cstring(name);
	int			found = model_find_label(model, label);

	if (found < 0)
	{
		const char **labels = palloc(model->n_outputs * sizeof(char *));

		for (uint32 i = 0; i < model->n_outputs; i++)
			labels[i] = model_label(model, i);
		report_unknown_name(ERRCODE_INVALID_PARAMETER_VALUE, psprintf("the model has no class \"%s\"", label),
							"classes", label, labels, (int) model->n_outputs);
	}
	predictor->asked_class = (uint32) found;
	return predictor->asked_class;
}

/* predict_proba(): the probability of the positive class (the second of two), or of the class named. */
static Datum
answer_predict_proba(FunctionCallInfo fcinfo, Predictor *predictor)
{
	refuse_regression(predictor, "predict_proba");
	if (PG_NARGS() > 2)
		PG_RETURN_FLOAT8(predictor->out[find_class(predictor, PG_GETARG_TEXT_PP(2))]);
	if (predictor->model->task != TASK_BINARY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the model has %u classes: predict_proba() must be told which", predictor->model->n_outputs),
				 errhint("Name the class as third argument, or use mlops.predict_all().")));
	PG_RETURN_FLOAT8(predictor->out[1]);
}

Datum
mlops_predict_proba(PG_FUNCTION_ARGS)
{
	return predict_answer(fcinfo, answer_predict_proba);
}

/* predict_all(): the probabilities of all classes, as a JSON object. */
static Datum
answer_predict_all(FunctionCallInfo fcinfo, Predictor *predictor)
{
	const Model *model = predictor->model;
	JsonbParseState *state = NULL;

	refuse_regression(predictor, "predict_all");
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (uint32 i = 0; i < model->n_outputs; i++)
	{
		json_push_key(&state, model_label(model, i));
		json_push_number(&state, WJB_VALUE, predictor->out[i]);
	}
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

Datum
mlops_predict_all(PG_FUNCTION_ARGS)
{
	return predict_answer(fcinfo, answer_predict_all);
}

/* The more probable class first; of equal ones, the first. */
static int
compare_classes(const void *a, const void *b, void *out)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;
	const double *p = out;

	if (p[x] != p[y])
		return p[x] > p[y] ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* predict_top(): the n most probable classes, one a row. */
static Datum
answer_predict_top(FunctionCallInfo fcinfo, Predictor *predictor)
{
	int32		n = PG_GETARG_INT32(2);
	const Model *model = predictor->model;
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	refuse_regression(predictor, "predict_top");
	if (n < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("n must be at least 1, not %d", n)));
	InitMaterializedSRF(fcinfo, 0);

	uint32	   *order = palloc(model->n_outputs * sizeof(uint32));

	for (uint32 i = 0; i < model->n_outputs; i++)
		order[i] = i;
	qsort_arg(order, model->n_outputs, sizeof(uint32), compare_classes, predictor->out);
	for (uint32 i = 0; i < model->n_outputs && i < (uint32) n; i++)
	{
		Datum		values[] = {CStringGetTextDatum(model_label(model, order[i])), Float8GetDatum(predictor->out[order[i]])};
		bool		nulls[] = {false, false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
mlops_predict_top(PG_FUNCTION_ARGS)
{
	return predict_answer(fcinfo, answer_predict_top);
}
