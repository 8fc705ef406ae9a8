/*
 * json_fields.h
 *		Arguments given as a jsonb object.
 */
#ifndef MLOPS_PG_JSON_FIELDS_H
#define MLOPS_PG_JSON_FIELDS_H

#include "postgres.h"

#include "utils/jsonb.h"

typedef struct JsonField
{
	const char *key;
	JsonbValue	value;			/* objects and arrays as jbvBinary */
} JsonField;

/* The fields of an object, palloc'ed; INVALID_PARAMETER_VALUE naming the argument where it is no object. */
extern JsonField *json_fields(Jsonb *object, const char *argument, int *n);

/* The fields of a field that must be an object itself. */
extern JsonField *json_subfields(const JsonField *field, const char *argument, int *n);

/* "a number", "a string", ...: for errors. */
extern const char *json_type(const JsonbValue *value);

/* The value as a number or as a text; INVALID_PARAMETER_VALUE otherwise. */
extern double json_number(const JsonField *field, const char *argument);
extern const char *json_text(const JsonField *field, const char *argument);

/* Building: pushes key and value of an object. */
extern void json_push_key(JsonbParseState **state, const char *key);
extern void json_push_text(JsonbParseState **state, JsonbIteratorToken token, const char *text);
extern void json_push_integer(JsonbParseState **state, JsonbIteratorToken token, int64 value);

/* NaN and infinities become null. */
extern void json_push_number(JsonbParseState **state, JsonbIteratorToken token, double value);
extern void json_push_jsonb(JsonbParseState **state, const char *key, Jsonb *value);

#endif
