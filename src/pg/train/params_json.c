/*
 * params_json.c
 *		Parameters of an algorithm as jsonb.
 */
#include "params_json.h"

#include <math.h>

#include "../json_fields.h"
#include "../report.h"

/* Sets a parameter that is an object of numbers. */
static bool
set_map(ParamSet *params, const JsonField *field, Error *error)
{
	const char *argument = psprintf("params\" -> \"%s", field->key);
	int			n;
	JsonField  *fields = json_subfields(field, "params", &n);
	ParamEntry *entries = palloc((n + 1) * sizeof(ParamEntry));

	for (int i = 0; i < n; i++)
		entries[i] = (ParamEntry) {.key = fields[i].key,.value = json_number(&fields[i], argument)};
	return params_set_map(params, field->key, entries, (uint32_t) n, error);
}

/* Where other algorithms have a parameter of this name and this one has not, says which. */
static void
hint_owners(const ParamSet *params, const char *name, Error *error)
{
	const char *owners[32];
	int			n = 0;

	for (int i = 0; i < n_algorithms && n < (int) lengthof(owners); i++)
	{
		for (int j = 0; j < algorithms[i]->n_params; j++)
		{
			if (strcmp(algorithms[i]->params[j].name, name) != 0)
				continue;
			if (algorithms[i]->params == params->specs)
				return;
			owners[n++] = algorithms[i]->name;
		}
	}
	if (n > 0)
		error_hint(error, "The algorithm%s that %s \"%s\": %s.", n == 1 ? "" : "s", n == 1 ? "has" : "have", name, report_list(owners, n, n));
}

/* Raises: no parameter is an array. */
static void __attribute__((noreturn))
refuse_array(const ParamSet *params, const JsonField *field)
{
	char		range[512] = "";

	for (int i = 0; i < params->n; i++)
	{
		if (strcmp(params->specs[i].name, field->key) == 0)
			params_range_text(&params->specs[i], range, sizeof(range));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("parameter \"%s\" must be a number, a boolean, a string or an object, not %s", field->key, json_type(&field->value)),
			 range[0] != '\0' ? errdetail("The value of \"%s\": %s.", field->key, range) : 0));
	pg_unreachable();
}

/* Sets one parameter; null leaves the default. */
static void
set_param(ParamSet *params, const JsonField *field)
{
	Error		error;
	bool		done;

	switch (field->value.type)
	{
		case jbvNull:
			return;
		case jbvNumeric:
			done = params_set_number(params, field->key, json_number(field, "params"), &error);
			break;
		case jbvBool:
			done = params_set_boolean(params, field->key, field->value.val.boolean, &error);
			break;
		case jbvString:
			done = params_set_text(params, field->key, json_text(field, "params"), &error);
			break;
		case jbvBinary:
			if (JsonContainerIsObject(field->value.val.binary.data))
			{
				done = set_map(params, field, &error);
				break;
			}
			/* FALLTHROUGH */
		default:
			refuse_array(params, field);
	}
	if (!done)
	{
		hint_owners(params, field->key, &error);
		report_error(&error);
	}
}

/* The parameters of an algorithm with those of an object set. */
ParamSet *
params_from_json(const Algorithm *algorithm, Jsonb *object)
{
	ParamSet   *params = palloc(sizeof(ParamSet));
	int			n_fields;
	JsonField  *fields = json_fields(object, "params", &n_fields);

	params_init(params, algorithm->params, algorithm->n_params,
				palloc((algorithm->n_params + 1) * sizeof(double)), palloc((algorithm->n_params + 1) * sizeof(bool)));
	for (int i = 0; i < n_fields; i++)
		set_param(params, &fields[i]);
	return params;
}

/* Pushes one that is no object. */
static void
push_value(JsonbParseState **state, const ParamSpec *spec, double number)
{
	char		text[256];

	params_value_text(spec, number, text, sizeof(text));
	if (spec->type == PARAM_BOOLEAN)
	{
		JsonbValue	value = {.type = jbvBool};

		value.val.boolean = number != 0;
		pushJsonbValue(state, WJB_VALUE, &value);
	}
	else if ((spec->type == PARAM_INTEGER || spec->type == PARAM_FLOAT) && !param_is_word(spec, number))
		json_push_number(state, WJB_VALUE, number);
	else
		json_push_text(state, WJB_VALUE, text);
}

/* Pushes one that is an object. */
static void
push_map(JsonbParseState **state, const ParamMap *map)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (uint32 i = 0; map != NULL && i < map->n; i++)
	{
		json_push_key(state, map->entries[i].key);
		json_push_number(state, WJB_VALUE, map->entries[i].value);
	}
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Pushes one that names a version, or null. */
static void
push_model(JsonbParseState **state, const char *model)
{
	JsonbValue	none = {.type = jbvNull};

	if (model != NULL)
		json_push_text(state, WJB_VALUE, model);
	else
		pushJsonbValue(state, WJB_VALUE, &none);
}

/* All parameters. */
Jsonb *
params_to_json(const ParamSet *params)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < params->n; i++)
	{
		const ParamSpec *spec = &params->specs[i];
		bool		is_map = spec->type == PARAM_LABEL_MAP || spec->type == PARAM_COLUMN_MAP;

		json_push_key(&state, spec->name);
		if (spec->type == PARAM_MODEL)
			push_model(&state, params->model);
		else if (is_map && params->values[i] == 0)
			push_map(&state, params_map(params, spec->name));
		else
			push_value(&state, spec, params->values[i]);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}
