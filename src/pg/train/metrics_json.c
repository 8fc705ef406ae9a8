/*
 * metrics_json.c
 *		Metrics as jsonb, and as rows.
 */
#include "metrics_json.h"

#include <math.h>

#include "utils/builtins.h"

#include "../json_fields.h"

/* Precision, recall, F1 and support of one class, from sums of weights [truth][prediction]. */
typedef struct ClassMetrics
{
	double		precision;
	double		recall;
	double		f1;
	double		support;
} ClassMetrics;

/* A quotient where the denominator is not 0; 0 otherwise, as scikit-learn has it. */
static double
ratio(double numerator, double denominator)
{
	return denominator > 0 ? numerator / denominator : 0;
}

static ClassMetrics
class_metrics(const JobResult *result, uint32 class)
{
	ClassMetrics metrics = {0};
	double		hits = result->confusion[class * result->n_classes + class];
	double		predicted = 0;

	for (uint32 other = 0; other < result->n_classes; other++)
	{
		metrics.support += result->confusion[class * result->n_classes + other];
		predicted += result->confusion[other * result->n_classes + class];
	}
	metrics.precision = ratio(hits, predicted);
	metrics.recall = ratio(hits, metrics.support);
	metrics.f1 = ratio(2 * metrics.precision * metrics.recall, metrics.precision + metrics.recall);
	return metrics;
}

/* "per_class" */
static void
push_per_class(JsonbParseState **state, const JobResult *result, const Model *model)
{
	json_push_key(state, "per_class");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (uint32 class = 0; class < result->n_classes; class++)
	{
		ClassMetrics metrics = class_metrics(result, class);

		json_push_key(state, model_label(model, class));
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		json_push_key(state, "precision");
		json_push_number(state, WJB_VALUE, metrics.precision);
		json_push_key(state, "recall");
		json_push_number(state, WJB_VALUE, metrics.recall);
		json_push_key(state, "f1");
		json_push_number(state, WJB_VALUE, metrics.f1);
		json_push_key(state, "support");
		json_push_number(state, WJB_VALUE, metrics.support);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* "confusion_matrix" */
static void
push_confusion(JsonbParseState **state, const JobResult *result, const Model *model)
{
	json_push_key(state, "confusion_matrix");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	json_push_key(state, "labels");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (uint32 class = 0; class < result->n_classes; class++)
		json_push_text(state, WJB_ELEM, model_label(model, class));
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	json_push_key(state, "rows");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (uint32 truth = 0; truth < result->n_classes; truth++)
	{
		pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
		for (uint32 prediction = 0; prediction < result->n_classes; prediction++)
			json_push_number(state, WJB_ELEM, result->confusion[truth * result->n_classes + prediction]);
		pushJsonbValue(state, WJB_END_ARRAY, NULL);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Metrics of a job as jsonb. */
Jsonb *
metrics_to_json(const JobResult *result, const Model *model)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (uint32 i = 0; i < result->n_metrics; i++)
	{
		json_push_key(&state, result->metrics[i].name);
		json_push_number(&state, WJB_VALUE, result->metrics[i].value);
	}
	json_push_key(&state, "baseline");
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (uint32 i = 0; i < result->n_metrics; i++)
	{
		json_push_key(&state, result->metrics[i].name);
		json_push_number(&state, WJB_VALUE, result->metrics[i].baseline);
	}
	pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	if (result->n_classes > 0 && result->n_classes == model->n_outputs)
	{
		push_confusion(&state, result, model);
		if (model->task == TASK_MULTICLASS)
			push_per_class(&state, result, model);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* One row; null is NULL. */
static void
put_row(ReturnSetInfo *rows, const char *metric, const JsonField *field)
{
	Datum		values[2];
	bool		nulls[2] = {false, field->value.type == jbvNull};

	values[0] = CStringGetTextDatum(metric);
	values[1] = nulls[1] ? (Datum) 0 : Float8GetDatum(json_number(field, "metrics"));
	tuplestore_putvalues(rows->setResult, rows->setDesc, values, nulls);
}

/* Rows of "baseline". */
static void
put_baseline(ReturnSetInfo *rows, const JsonField *object)
{
	int			n;
	JsonField  *fields = json_subfields(object, "metrics", &n);

	for (int i = 0; i < n; i++)
		put_row(rows, psprintf("baseline_%s", fields[i].key), &fields[i]);
}

/* Rows of "per_class". */
static void
put_classes(ReturnSetInfo *rows, const JsonField *object)
{
	int			n;
	JsonField  *classes = json_subfields(object, "metrics", &n);

	for (int i = 0; i < n; i++)
	{
		int			n_metrics;
		JsonField  *metrics = json_subfields(&classes[i], "metrics", &n_metrics);

		for (int j = 0; j < n_metrics; j++)
			put_row(rows, psprintf("%s[%s]", metrics[j].key, classes[i].key), &metrics[j]);
	}
}

/* Metrics as rows: the model's own first, then those of the baseline and of the classes. */
void
metrics_to_rows(Jsonb *metrics, ReturnSetInfo *rows)
{
	int			n;
	JsonField  *fields = json_fields(metrics, "metrics", &n);

	for (int i = 0; i < n; i++)
	{
		if (fields[i].value.type == jbvNumeric || fields[i].value.type == jbvNull)
			put_row(rows, fields[i].key, &fields[i]);
	}
	for (int i = 0; i < n; i++)
	{
		if (strcmp(fields[i].key, "baseline") == 0)
			put_baseline(rows, &fields[i]);
		else if (strcmp(fields[i].key, "per_class") == 0)
			put_classes(rows, &fields[i]);
	}
}
