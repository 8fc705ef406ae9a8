/*
 * train_arguments.c
 *		The arguments of train(): read, checked and resolved before any row is read.
 */
#include "train_job.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "../json_fields.h"
#include "../reading.h"
#include "../registry/registry.h"
#include "../report.h"

#define FUNCTION "mlops.train()"
#define DEFAULT_ALGORITHM "gradient_boosting"
#define DEFAULT_SEED 42
#define EXPERIMENT_NAME_CHARACTERS 200

/* Positions of the arguments. */
enum TrainArgument
{
	ARGUMENT_MODEL,
	ARGUMENT_SOURCE,
	ARGUMENT_TARGET,
	ARGUMENT_ALGORITHM,
	ARGUMENT_PARAMS,
	ARGUMENT_TASK,
	ARGUMENT_FEATURES,
	ARGUMENT_EXCLUDE,
	ARGUMENT_PREPROCESS,
	ARGUMENT_SPLIT,
	ARGUMENT_WEIGHT,
	ARGUMENT_SEED,
	ARGUMENT_PROJECT,
	ARGUMENT_EXPERIMENT,
	ARGUMENT_DEVICE,
	ARGUMENT_BACKGROUND
};

/* A text argument, or NULL. */
static char *
text_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* A text argument that must be given. */
static char *
required_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		report_null_argument(FUNCTION, name);
	return text_argument(fcinfo, n);
}

/* A jsonb argument; an empty object for NULL. */
static Jsonb *
json_argument(FunctionCallInfo fcinfo, int n)
{
	JsonbParseState *state = NULL;

	if (!PG_ARGISNULL(n))
		return PG_GETARG_JSONB_P(n);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* A text[] argument; NULL and 0 for NULL. */
static const char **
names_argument(FunctionCallInfo fcinfo, int n, const char *argument, int *n_names)
{
	Datum	   *elements;
	bool	   *nulls;
	const char **names;

	*n_names = 0;
	if (PG_ARGISNULL(n))
		return NULL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, n_names);
	names = palloc((*n_names + 1) * sizeof(char *));
	for (int i = 0; i < *n_names; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"%s\" must not hold NULL", argument)));
		names[i] = TextDatumGetCString(elements[i]);
	}
	return names;
}

/* Where to fit: there is the CPU. */
static void
check_device(const char *device)
{
	if (device == NULL || strcmp(device, "cpu") == 0 || strcmp(device, "auto") == 0)
		return;
	if (strcmp(device, "gpu") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("there is no GPU that can train"),
				 errhint("Use device => 'cpu' or 'auto'.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown device \"%s\"", device),
			 errhint("The devices are cpu, gpu and auto.")));
}

static void
check_experiment(const char *name)
{
	if (name != NULL && (name[0] == '\0' || pg_mbstrlen(name) > EXPERIMENT_NAME_CHARACTERS))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of an experiment must have 1 to %d characters", EXPERIMENT_NAME_CHARACTERS)));
}

/* Early stopping looks at validation rows; only a column of the split may still bring some. */
static void
check_validation(const TrainRequest *request)
{
	if (params_get(request->params, "early_stopping_rounds") > 0 && request->split.kind != SPLIT_COLUMN && request->split.validation == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("early_stopping_rounds needs validation rows, and there are none"),
				 errhint("Add a share of validation rows to the split, such as {\"validation\": 0.1}.")));
}

/* Parameters by column name features, before any row is read. */
static void
check_param_columns(const TrainRequest *request)
{
	int			n = request->columns->n_features;
	const char **names = palloc((n + 1) * sizeof(char *));
	ColumnKind *kinds = palloc((n + 1) * sizeof(ColumnKind));
	Error		error;

	for (int i = 0; i < n; i++)
	{
		names[i] = request->columns->columns[i].source->name;
		kinds[i] = request->columns->columns[i].kind;
	}
	if (!params_check_columns(request->params, names, kinds, (size_t) n, &error))
		report_error(&error);
}

/* Analyses a source, which is then run, with the rights of a role: a literal of a domain calls functions. */
static Source *
open_source(const char *text, Oid role)
{
	Rights		caller;
	Source	   *source;

	if (!OidIsValid(role) || role == GetUserId())
		return source_open(text);
	rights_lend(&caller, role);
	source = source_open(text);
	rights_restore(&caller);
	source->role = role;
	return source;
}

/* Reads and checks all arguments. */
TrainRequest *
train_read_arguments(FunctionCallInfo fcinfo, Oid source_role)
{
	TrainRequest *request = palloc0(sizeof(TrainRequest));
	char	   *reference = required_argument(fcinfo, ARGUMENT_MODEL, "model");
	char	   *algorithm = text_argument(fcinfo, ARGUMENT_ALGORITHM);
	ColumnChoice choice = {0};
	ModelRef	target;
	Error		error;

	request->source_text = required_argument(fcinfo, ARGUMENT_SOURCE, "source");
	request->target = required_argument(fcinfo, ARGUMENT_TARGET, "target");
	request->task = text_argument(fcinfo, ARGUMENT_TASK);
	request->weight = text_argument(fcinfo, ARGUMENT_WEIGHT);
	request->experiment = text_argument(fcinfo, ARGUMENT_EXPERIMENT);
	request->features = names_argument(fcinfo, ARGUMENT_FEATURES, "features", &request->n_features);
	request->exclude = names_argument(fcinfo, ARGUMENT_EXCLUDE, "exclude", &request->n_exclude);
	request->params_json = json_argument(fcinfo, ARGUMENT_PARAMS);
	request->preprocess_json = json_argument(fcinfo, ARGUMENT_PREPROCESS);
	request->split_json = json_argument(fcinfo, ARGUMENT_SPLIT);
	request->seed = PG_ARGISNULL(ARGUMENT_SEED) ? DEFAULT_SEED : (uint64) PG_GETARG_INT64(ARGUMENT_SEED);
	check_device(text_argument(fcinfo, ARGUMENT_DEVICE));
	request->background = !PG_ARGISNULL(ARGUMENT_BACKGROUND) && PG_GETARG_BOOL(ARGUMENT_BACKGROUND);
	check_experiment(request->experiment);

	request->algorithm = algorithm_by_name(algorithm != NULL ? algorithm : DEFAULT_ALGORITHM, &error);
	if (request->algorithm == NULL)
		report_error(&error);
	request->params = params_from_json(request->algorithm, request->params_json);
	request->preprocess = preprocess_from_json(request->preprocess_json);
	request->split = split_from_json(request->split_json);
	registry_target(reference, text_argument(fcinfo, ARGUMENT_PROJECT), &target);
	request->project_id = target.project_id;
	request->model_name = pstrdup(target.model_name);

	train_init_load(request);
	check_validation(request);
	request->source = open_source(request->source_text, source_role);
	choice.target = request->target;
	choice.features = request->features;
	choice.n_features = request->n_features;
	choice.exclude = request->exclude;
	choice.n_exclude = request->n_exclude;
	choice.weight = request->weight;
	choice.split = &request->split;
	choice.init = request->init != NULL ? &request->init->model : NULL;
	request->columns = columns_choose(request->source, &choice, request->algorithm, request->preprocess);
	check_param_columns(request);
	request->task_choice = request->init != NULL ? train_init_task(request) : task_expect(request->task, request->algorithm, request->params, request->columns->target);
	return request;
}

/* A key with a text, left out where there is none. */
static void
push_optional(JsonbParseState **state, const char *key, const char *text)
{
	if (text == NULL)
		return;
	json_push_key(state, key);
	json_push_text(state, WJB_VALUE, text);
}

/* What the run keeps of the arguments. */
Jsonb *
train_arguments_json(const TrainRequest *request)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_optional(&state, "source", request->source_text);
	push_optional(&state, "target", request->target);
	push_optional(&state, "task", request->task);
	push_optional(&state, "weight", request->weight);
	json_push_key(&state, "features");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < request->columns->n_features; i++)
		json_push_text(&state, WJB_ELEM, request->columns->columns[i].source->name);
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	json_push_key(&state, "exclude");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < request->n_exclude; i++)
		json_push_text(&state, WJB_ELEM, request->exclude[i]);
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	json_push_jsonb(&state, "params", request->params_json);
	json_push_jsonb(&state, "preprocess", request->preprocess_json);
	json_push_jsonb(&state, "split", request->split_json);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}
