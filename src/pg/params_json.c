/*
 * params_json.c
 *		Parameters of an algorithm as jsonb.
 */
#include "params_json.h"

#include <math.h>

#include "json_fields.h"
#include "report.h"

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
		default:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("parameter \"%s\" must be a number, a boolean or a string, not %s", field->key, json_type(&field->value))));
	}
	if (!done)
		report_error(&error);
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

/* All parameters. */
Jsonb *
params_to_json(const ParamSet *params)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < params->n; i++)
	{
		const ParamSpec *spec = &params->specs[i];
		char		text[256];

		json_push_key(&state, spec->name);
		if (spec->type == PARAM_BOOLEAN)
		{
			JsonbValue	value = {.type = jbvBool};

			value.val.boolean = params->values[i] != 0;
			pushJsonbValue(&state, WJB_VALUE, &value);
		}
		else if (spec->type == PARAM_CHOICE)
		{
			params_value_text(spec, params->values[i], text, sizeof(text));
			json_push_text(&state, WJB_VALUE, text);
		}
		else
			json_push_number(&state, WJB_VALUE, params->values[i]);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}
