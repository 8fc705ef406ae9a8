/*
 * explanation.c
 *		The contributions to one row of a call site.
 *
 * What a call site needs for it hangs on its predictor: explainers, pinned in
 * the cache until the predictor's memory ends, and room for a row.
 */
#include "explanation.h"

#include <limits.h>
#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "explainer_cache.h"
#include "../cache/model_cache.h"
#include "../report.h"

/* Gives the explainers back: the predictor's memory ends. */
static void
release_explainers(void *argument)
{
	Explanation *explanation = argument;

	for (uint32 i = 0; i < explanation->n_outputs; i++)
	{
		if (explanation->explainers[i] != NULL)
			explainer_cache_unpin(explanation->explainers[i]);
	}
}

/* Makes what a predictor needs for explanations. */
static Explanation *
begin_explanation(Predictor *predictor)
{
	MemoryContext old = MemoryContextSwitchTo(predictor->context);
	const Model *model = predictor->model;
	Explanation *explanation = palloc0(sizeof(Explanation));

	explanation->model = model;
	explanation->n_outputs = model->n_outputs;
	explanation->explainers = palloc0(model->n_outputs * sizeof(CachedExplainer *));
	explanation->contributions = palloc((model->n_columns + 1) * sizeof(double));
	explanation->order = palloc((model->n_columns + 1) * sizeof(uint32));
	MemoryContextSwitchTo(old);
	explanation->release.func = release_explainers;
	explanation->release.arg = explanation;
	MemoryContextRegisterResetCallback(predictor->context, &explanation->release);
	predictor->explanation = explanation;
	return explanation;
}

/* Reads the features of a call. */
bool
explanation_read(FunctionCallInfo fcinfo, Predictor **predictor)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return false;
	*predictor = predict_bind(fcinfo);
	switch ((*predictor)->form)
	{
		case FEATURES_RECORD:
			predict_from_record(*predictor, PG_GETARG_HEAPTUPLEHEADER(1));
			break;
		case FEATURES_JSON:
			predict_from_json(*predictor, PG_GETARG_JSONB_P(1));
			break;
		case FEATURES_ARRAY:
			predict_from_array(*predictor, PG_GETARG_ARRAYTYPE_P(1));
			break;
		case FEATURES_SLOT:
			break;
	}
	return true;
}

/* The output that EXPLAIN_PREDICTED stands for; encodes the row in any case. */
static uint32
predicted_output(Predictor *predictor, int output)
{
	const Model *model = predictor->model;
	bool		ask = output == EXPLAIN_PREDICTED && model->task == TASK_MULTICLASS;
	Error		error;

	if (ask)
		predict_outputs(predictor);
	if (!model_encode(model, predictor->raw, predictor->features, &error))
		report_error(&error);
	if (ask)
		return model_best_class(predictor->out, model->n_outputs);
	return output == EXPLAIN_PREDICTED ? model->n_outputs - 1 : (uint32) output;
}

/* The largest contribution first, whatever its sign; equal ones in the order of the signature. */
static int
compare_columns(const void *a, const void *b, void *contributions)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;
	double		left_size = fabs(((const double *) contributions)[left]);
	double		right_size = fabs(((const double *) contributions)[right]);

	if (left_size != right_size)
		return left_size > right_size ? -1 : 1;
	return left < right ? -1 : 1;
}

/* Explains the row in predictor->raw. */
Explanation *
explanation_make(Predictor *predictor, int output)
{
	Explanation *explanation = predictor->explanation;
	uint32		n_columns = predictor->model->n_columns;

	if (unlikely(explanation == NULL))
		explanation = begin_explanation(predictor);
	explanation->output = predicted_output(predictor, output);
	if (unlikely(explanation->explainers[explanation->output] == NULL))
		explanation->explainers[explanation->output] = explainer_cache_pin(predictor->cached->sha256, predictor->model, explanation->output);

	Explainer  *explainer = explanation_explainer(explanation);

	explanation->base = explainer_base(explainer);
	while (!explain_row(explainer, predictor->features, explanation->contributions))
		CHECK_FOR_INTERRUPTS();
	for (uint32 i = 0; i < n_columns; i++)
		explanation->order[i] = i;
	qsort_arg(explanation->order, n_columns, sizeof(uint32), compare_columns, explanation->contributions);
	return explanation;
}

Explainer *
explanation_explainer(const Explanation *explanation)
{
	return explanation->explainers[explanation->output]->explainer;
}

const char *
explanation_class(const Explanation *explanation)
{
	const Model *model = explanation->model;

	return model->task == TASK_REGRESSION ? NULL : model_label(model, explanation->output);
}

/* The output of a class. */
int
explanation_output(const Model *model, const char *class, const char *function)
{
	int			output;

	if (model->task == TASK_REGRESSION)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s needs a classification, but the model is a regression", function),
				 errhint("Use mlops.explain(), which explains its value.")));
	output = model_find_label(model, class);
	if (output < 0)
	{
		const char **labels = palloc(model->n_outputs * sizeof(char *));

		for (uint32 i = 0; i < model->n_outputs; i++)
			labels[i] = model_label(model, i);
		report_unknown_name(ERRCODE_INVALID_PARAMETER_VALUE, psprintf("the model has no class \"%s\"", class), "classes", class, labels,
							(int) model->n_outputs);
	}
	return output;
}

/* The argument `top`. */
int
explanation_top(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		return INT_MAX;
	if (PG_GETARG_INT32(argument) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("top must be 0 or more"),
				 errhint("Leave it out for all columns.")));
	return PG_GETARG_INT32(argument);
}
