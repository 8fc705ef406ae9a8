/*
 * artifact_summary.c
 *		What an artifact says about itself, as jsonb.
 *
 * The summary has everything but the payload: algorithm, task, target,
 * classes, columns, sizes, parameters, metrics.  Parameters and metrics alone
 * are what the registry keeps of an imported model.
 */
#include "../registry/artifact.h"

#include <math.h>

#include "utils/fmgrprotos.h"

#include "../compat.h"
#include "../json_fields.h"

PG_FUNCTION_INFO_V1(mlops_artifact_to_jsonb);

/* Pushes a key with a string. */
static void
push_string(JsonbParseState **state, const char *key, const char *text)
{
	json_push_key(state, key);
	json_push_text(state, WJB_VALUE, text);
}

/* Pushes a key with a number; null where it is not finite. */
static void
push_number(JsonbParseState **state, const char *key, double number)
{
	json_push_key(state, key);
	json_push_number(state, WJB_VALUE, number);
}

/* Whether a text is a JSON object; a parameter of a model from elsewhere may be anything. */
static bool
is_json_object(const char *text)
{
	return text[0] == '{' && pg_parse_json(compat_json_lexer(text), &nullSemAction) == JSON_SUCCESS;
}

/* Pushes a parameter, whose text says what it is. */
static void
push_param(JsonbParseState **state, const char *name, const char *text)
{
	char	   *end;
	double		number = strtod(text, &end);

	json_push_key(state, name);
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
	{
		JsonbValue	value = {.type = jbvBool, .val.boolean = text[0] == 't'};

		pushJsonbValue(state, WJB_VALUE, &value);
	}
	else if (end != text && *end == '\0' && isfinite(number))
		json_push_number(state, WJB_VALUE, number);
	else if (is_json_object(text))
	{
		JsonbValue	value;

		JsonbToJsonbValue(DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text))), &value);
		pushJsonbValue(state, WJB_VALUE, &value);
	}
	else
		json_push_text(state, WJB_VALUE, text);
}

/* Pushes the parameters as an object. */
static JsonbValue *
push_params(JsonbParseState **state, const Model *model)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (size_t i = 0; i < model->n_params; i++)
		push_param(state, model_string(model, model->params[i].name), model_string(model, model->params[i].value));
	return pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Pushes the metrics as an object, with those of the baseline in one of its own. */
static JsonbValue *
push_metrics(JsonbParseState **state, const Model *model)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (size_t i = 0; i < model->n_metrics; i++)
		push_number(state, model_string(model, model->metrics[i].name), model->metrics[i].value);
	if (model->n_metrics > 0)
	{
		json_push_key(state, "baseline");
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		for (size_t i = 0; i < model->n_metrics; i++)
			push_number(state, model_string(model, model->metrics[i].name), model->metrics[i].baseline);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	return pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Pushes the class labels as an array. */
static void
push_classes(JsonbParseState **state, const Model *model)
{
	json_push_key(state, "classes");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (uint32_t i = 0; i < model->n_outputs; i++)
		json_push_text(state, WJB_ELEM, model_label(model, i));
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* Pushes the columns as an array of objects. */
static void
push_columns(JsonbParseState **state, const Model *model)
{
	json_push_key(state, "columns");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (uint32_t i = 0; i < model->n_columns; i++)
	{
		const RecipeColumn *column = &model->columns[i];

		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		push_string(state, "name", model_string(model, column->name));
		push_string(state, "type", model_string(model, column->type_name));
		push_string(state, "role", "feature");
		push_string(state, "kind", kind_name((ColumnKind) column->kind));
		if (column->kind == KIND_CATEGORY)
			push_number(state, "categories", column->n_categories);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* Parameters of a model. */
Jsonb *
artifact_params(const Model *model)
{
	JsonbParseState *state = NULL;

	return JsonbValueToJsonb(push_params(&state, model));
}

/* Metrics of a model. */
Jsonb *
artifact_metrics(const Model *model)
{
	JsonbParseState *state = NULL;

	return JsonbValueToJsonb(push_metrics(&state, model));
}

/* Cast to jsonb: the summary. */
Datum
mlops_artifact_to_jsonb(PG_FUNCTION_ARGS)
{
	struct varlena *artifact = PG_GETARG_ARTIFACT(0);
	JsonbParseState *state = NULL;
	Model		model;

	artifact_open(&model, artifact);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_string(&state, "algorithm", model.algorithm->name);
	push_string(&state, "task", task_name(model.task));
	push_number(&state, "format", model.header->format);
	push_number(&state, "size", (double) (model.header->size - VARHDRSZ));
	push_number(&state, "n_columns", model.n_columns);
	push_number(&state, "n_features", model.n_features);
	push_number(&state, "n_training_rows", (double) model.header->n_training_rows);

	json_push_key(&state, "target");
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_string(&state, "name", model_string(&model, model.header->target_name));
	push_string(&state, "type", model_string(&model, model.header->target_type));
	push_string(&state, "role", "target");
	pushJsonbValue(&state, WJB_END_OBJECT, NULL);

	if (model.task != TASK_REGRESSION)
		push_classes(&state, &model);
	push_columns(&state, &model);
	json_push_key(&state, "params");
	(void) push_params(&state, &model);
	json_push_key(&state, "metrics");
	(void) push_metrics(&state, &model);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}
