/*
 * json_fields.c
 *		Arguments given as a jsonb object: reading them, and building such objects.
 */
#include "json_fields.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

/* The fields of a container that is an object. */
static JsonField *
container_fields(JsonbContainer *container, int *n)
{
	JsonField  *fields = palloc(Max(JsonContainerSize(container), 1) * sizeof(JsonField));
	JsonbIterator *iterator = JsonbIteratorInit(container);
	JsonbValue	value;
	JsonbIteratorToken token;

	*n = 0;
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			fields[*n].key = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			fields[(*n)++].value = value;
	}
	return fields;
}

/* The fields of an object. */
JsonField *
json_fields(Jsonb *object, const char *argument, int *n)
{
	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be a jsonb object", argument)));
	return container_fields(&object->root, n);
}

/* The fields of a field that must be an object itself. */
JsonField *
json_subfields(const JsonField *field, const char *argument, int *n)
{
	if (field->value.type != jbvBinary || !JsonContainerIsObject(field->value.val.binary.data))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" in argument \"%s\" must be an object, not %s", field->key, argument, json_type(&field->value))));
	return container_fields(field->value.val.binary.data, n);
}

/* What a value is, for errors. */
const char *
json_type(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return "null";
		case jbvString:
			return "a string";
		case jbvNumeric:
			return "a number";
		case jbvBool:
			return "a boolean";
		case jbvBinary:
			return JsonContainerIsObject(value->val.binary.data) ? "an object" : "an array";
		default:
			return "something else";
	}
}

/* The value as a number. */
double
json_number(const JsonField *field, const char *argument)
{
	if (field->value.type != jbvNumeric)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" in argument \"%s\" must be a number, not %s", field->key, argument, json_type(&field->value))));
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(field->value.val.numeric)));
}

/* The value as a text. */
const char *
json_text(const JsonField *field, const char *argument)
{
	if (field->value.type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" in argument \"%s\" must be a string, not %s", field->key, argument, json_type(&field->value))));
	return pnstrdup(field->value.val.string.val, field->value.val.string.len);
}

/* Pushes a key of an object. */
void
json_push_key(JsonbParseState **state, const char *key)
{
	json_push_text(state, WJB_KEY, key);
}

/* Pushes a text, as a key, a value or an element. */
void
json_push_text(JsonbParseState **state, JsonbIteratorToken token, const char *text)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.val = pstrdup(text);
	value.val.string.len = (int) strlen(text);
	pushJsonbValue(state, token, &value);
}

/* Pushes an integer. */
void
json_push_integer(JsonbParseState **state, JsonbIteratorToken token, int64 number)
{
	JsonbValue	value = {.type = jbvNumeric};

	value.val.numeric = int64_to_numeric(number);
	pushJsonbValue(state, token, &value);
}

/* Pushes a number by its shortest text; null where it is none. */
void
json_push_number(JsonbParseState **state, JsonbIteratorToken token, double number)
{
	JsonbValue	value = {.type = jbvNull};

	if (isfinite(number))
	{
		char		text[DOUBLE_SHORTEST_DECIMAL_LEN];

		double_to_shortest_decimal_buf(number, text);
		value.type = jbvNumeric;
		value.val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
																ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	}
	pushJsonbValue(state, token, &value);
}

/* Pushes a key and a whole jsonb object or array. */
void
json_push_jsonb(JsonbParseState **state, const char *key, Jsonb *object)
{
	JsonbValue	value;

	json_push_key(state, key);
	JsonbToJsonbValue(object, &value);
	pushJsonbValue(state, WJB_VALUE, &value);
}
