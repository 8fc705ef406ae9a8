/*
 * train_background.c
 *		The arguments of train() as a jsonb object: how a job keeps them.
 */
#include "train_job.h"

#include "catalog/pg_type.h"
#include "parser/parse_relation.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "../json_fields.h"
#include "../report.h"

#define KIND "train"
#define N_ARGUMENTS 15			/* all but the last one, background */

TrainBackground train_background;

/* The arguments in their order. */
static const struct
{
	const char *name;
	Oid			type;
}			train_arguments[N_ARGUMENTS] = {
	{"model", TEXTOID},
	{"source", TEXTOID},
	{"target", TEXTOID},
	{"algorithm", TEXTOID},
	{"params", JSONBOID},
	{"task", TEXTOID},
	{"features", TEXTARRAYOID},
	{"exclude", TEXTARRAYOID},
	{"preprocess", JSONBOID},
	{"split", JSONBOID},
	{"weight", TEXTOID},
	{"seed", INT8OID},
	{"project", TEXTOID},
	{"experiment", TEXTOID},
	{"device", TEXTOID},
};

static void
push_names(JsonbParseState **state, const char *key, ArrayType *names)
{
	Datum	   *elements;
	int			n;

	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &n);
	json_push_key(state, key);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < n; i++)
		json_push_text(state, WJB_ELEM, TextDatumGetCString(elements[i]));
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* The arguments of a call that were checked; the source with qualified names. */
Jsonb *
train_call_to_json(FunctionCallInfo fcinfo, const TrainRequest *request)
{
	JsonbParseState *state = NULL;

	if (isQueryUsingTempRelation(request->source->query))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("training in the background cannot read temporary tables"),
				 errhint("Copy the rows to a table, or train without \"background\".")));
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < N_ARGUMENTS; i++)
	{
		const char *key = train_arguments[i].name;

		if (PG_ARGISNULL(i))
			continue;
		if (train_arguments[i].type == JSONBOID)
			json_push_jsonb(&state, key, PG_GETARG_JSONB_P(i));
		else if (train_arguments[i].type == TEXTARRAYOID)
			push_names(&state, key, PG_GETARG_ARRAYTYPE_P(i));
		else
		{
			json_push_key(&state, key);
			if (train_arguments[i].type == INT8OID)
				json_push_integer(&state, WJB_VALUE, PG_GETARG_INT64(i));
			else
				json_push_text(&state, WJB_VALUE, strcmp(key, "source") == 0 ? request->source->qualified : TextDatumGetCString(PG_GETARG_DATUM(i)));
		}
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Raises: an argument has a value of another type. */
static void
report_type(const JsonField *field, const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" of a job of kind %s must be %s, not %s", field->key, KIND, wanted, json_type(&field->value))));
}

/* An array of strings. */
static Datum
names_value(const JsonField *field)
{
	JsonbContainer *container = field->value.type == jbvBinary ? field->value.val.binary.data : NULL;
	Datum	   *names;
	int			n;

	if (container == NULL || !JsonContainerIsArray(container))
		report_type(field, "an array of names");
	n = (int) JsonContainerSize(container);
	names = palloc((n + 1) * sizeof(Datum));
	for (int i = 0; i < n; i++)
	{
		JsonbValue *name = getIthJsonbValueFromContainer(container, (uint32) i);

		if (name->type != jbvString)
			report_type(field, "an array of names");
		names[i] = PointerGetDatum(cstring_to_text_with_len(name->val.string.val, name->val.string.len));
	}
	return PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* A value of an argument's type. */
static Datum
argument_value(const JsonField *field, Oid type)
{
	switch (type)
	{
		case JSONBOID:
			return JsonbPGetDatum(JsonbValueToJsonb(unconstify(JsonbValue *, &field->value)));
		case TEXTARRAYOID:
			return names_value(field);
		case INT8OID:
			if (field->value.type != jbvNumeric)
				report_type(field, "a number");
			return DirectFunctionCall1(numeric_int8, NumericGetDatum(field->value.val.numeric));
		default:
			return CStringGetTextDatum(json_text(field, "args"));
	}
}

/* Reads one field into the arguments of a call. */
static void
read_field(FunctionCallInfo fcinfo, const JsonField *field)
{
	const char *names[N_ARGUMENTS];

	for (int i = 0; i < N_ARGUMENTS; i++)
	{
		names[i] = train_arguments[i].name;
		if (strcmp(field->key, names[i]) != 0)
			continue;
		fcinfo->args[i].isnull = field->value.type == jbvNull;
		if (!fcinfo->args[i].isnull)
			fcinfo->args[i].value = argument_value(field, train_arguments[i].type);
		return;
	}
	report_unknown_name(ERRCODE_INVALID_PARAMETER_VALUE, psprintf("a job of kind %s has no argument \"%s\"", KIND, field->key), "arguments",
						field->key, names, N_ARGUMENTS);
}

/* Reads and checks arguments from an object; *stored becomes them as train_call_to_json() has them, where it is not NULL. */
TrainRequest *
train_request_from_json(Jsonb *args, Jsonb **stored, Oid source_role)
{
	LOCAL_FCINFO(fcinfo, N_ARGUMENTS + 1);
	TrainRequest *request;
	JsonField  *fields;
	int			n;

	InitFunctionCallInfoData(*fcinfo, NULL, N_ARGUMENTS + 1, InvalidOid, NULL, NULL);
	for (int i = 0; i <= N_ARGUMENTS; i++)
		fcinfo->args[i] = (NullableDatum){.isnull = true};
	fields = json_fields(args, "args", &n);
	for (int i = 0; i < n; i++)
		read_field(fcinfo, &fields[i]);
	request = train_read_arguments(fcinfo, source_role);
	if (stored != NULL)
		*stored = train_call_to_json(fcinfo, request);
	return request;
}
