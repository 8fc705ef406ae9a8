/*
 * condition.c
 *		mlops.condition_holds(), condition_names() and condition_facts(): conditions (core/condition.h) over facts in jsonb.
 *
 * A condition that is asked of many rows is read once: it is kept, with its
 * text, in the memory of the calling expression.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "../json_fields.h"
#include "../report.h"

#include "../../core/condition.h"

PG_FUNCTION_INFO_V1(mlops_condition_holds);
PG_FUNCTION_INFO_V1(mlops_condition_names);
PG_FUNCTION_INFO_V1(mlops_condition_facts);

typedef struct KeptCondition
{
	char	   *text;			/* NULL: nothing was read, or not to its end */
	size_t		length;
	Condition	condition;
} KeptCondition;

/* The condition that a text is, read unless it was the last one, too. */
static const Condition *
read_condition(FunctionCallInfo fcinfo, text *argument)
{
	KeptCondition *kept = fcinfo->flinfo->fn_extra;
	size_t		length = VARSIZE_ANY_EXHDR(argument);
	Error		error;

	if (kept == NULL)
		kept = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(KeptCondition));
	if (kept->text != NULL && kept->length == length && memcmp(kept->text, VARDATA_ANY(argument), length) == 0)
		return &kept->condition;
	if (kept->text != NULL)
		pfree(kept->text);
	kept->text = NULL;

	char	   *text = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, length + 1);

	memcpy(text, VARDATA_ANY(argument), length);
	text[length] = '\0';
	if (!condition_parse(&kept->condition, text, &error))
		report_error(&error);
	kept->text = text;
	kept->length = length;
	return &kept->condition;
}

/* A field as a fact; objects and arrays are none. */
static void
fact_of(const JsonbValue *field, ConditionValue *value)
{
	switch (field->type)
	{
		case jbvNumeric:
			value->type = CONDITION_NUMBER;
			value->number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(field->val.numeric)));
			break;
		case jbvString:
			value->type = CONDITION_TEXT;
			value->text = field->val.string.val;
			value->length = (size_t) field->val.string.len;
			break;
		case jbvBool:
			value->type = CONDITION_BOOLEAN;
			value->holds = field->val.boolean;
			break;
		default:
			break;
	}
}

/* The field of a name: "tag.team", or "team" of the object in the field "tag"; false where there is none. */
static bool
find_field(JsonbContainer *object, const char *name, JsonbValue *field)
{
	while (JsonContainerIsObject(object))
	{
		const char *dot = strchr(name, '.');

		if (getKeyJsonValueFromContainer(object, name, (int) strlen(name), field) != NULL)
			return true;
		if (dot == NULL || getKeyJsonValueFromContainer(object, name, (int) (dot - name), field) == NULL || field->type != jbvBinary)
			return false;
		object = field->val.binary.data;
		name = dot + 1;
	}
	return false;
}

static void
look_up(void *context, const char *name, ConditionValue *value)
{
	JsonbValue	field;

	if (find_field(context, name, &field))
		fact_of(&field, value);
}

/* The argument, which must be an object. */
static JsonbContainer *
read_facts(Jsonb *facts)
{
	if (!JB_ROOT_IS_OBJECT(facts))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the facts of a condition must be a jsonb object")));
	return &facts->root;
}

/* condition_holds(condition, facts): NULL where that is unknown. */
Datum
mlops_condition_holds(PG_FUNCTION_ARGS)
{
	const Condition *condition = read_condition(fcinfo, PG_GETARG_TEXT_PP(0));
	ConditionTruth truth = condition_evaluate(condition, look_up, read_facts(PG_GETARG_JSONB_P(1)));

	if (truth == TRUTH_UNKNOWN)
		PG_RETURN_NULL();
	PG_RETURN_BOOL(truth == TRUTH_TRUE);
}

/* condition_names(condition): each once, in the order in which they come. */
Datum
mlops_condition_names(PG_FUNCTION_ARGS)
{
	const Condition *condition = read_condition(fcinfo, PG_GETARG_TEXT_PP(0));
	Datum		names[CONDITION_NAMES_MAX];

	for (uint32 i = 0; i < condition->n_names; i++)
		names[i] = CStringGetTextDatum(condition_name(condition, i));
	PG_RETURN_ARRAYTYPE_P(construct_array(names, (int) condition->n_names, TEXTOID, -1, false, TYPALIGN_INT));
}

/* condition_facts(condition, facts): by name; null where there is none. */
Datum
mlops_condition_facts(PG_FUNCTION_ARGS)
{
	const Condition *condition = read_condition(fcinfo, PG_GETARG_TEXT_PP(0));
	JsonbContainer *facts = read_facts(PG_GETARG_JSONB_P(1));
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (uint32 i = 0; i < condition->n_names; i++)
	{
		JsonbValue	field;

		if (!find_field(facts, condition_name(condition, i), &field))
			field.type = jbvNull;
		json_push_key(&state, condition_name(condition, i));
		pushJsonbValue(&state, WJB_VALUE, &field);
	}
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}
