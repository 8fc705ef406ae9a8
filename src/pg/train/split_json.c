/*
 * split_json.c
 *		The argument "split" of train().
 */
#include "split_json.h"

#include "../json_fields.h"
#include "../report.h"

#define DEFAULT_TEST 0.2
#define SEGMENTS_MAX 8

static const char *const split_keys[] = {"test", "validation", "column", "time", "group", "segments", "reference_sample"};

/* A share of the rows. */
static double
share(const JsonField *field)
{
	double		value = json_number(field, "split");

	if (!(value >= 0 && value < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" in argument \"split\" is %g, which is no share of the rows", field->key, value),
				 errdetail("A share is at least 0 and less than 1.")));
	return value;
}

/* A number of rows to keep. */
static uint32
sample_rows(const JsonField *field)
{
	double		value = json_number(field, "split");

	if (!(value >= 0 && value <= SAMPLE_ROWS_MAX) || value != (double) (uint32) value)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" in argument \"split\" is %g", field->key, value),
				 errdetail("It must be an integer from 0 to %d.", SAMPLE_ROWS_MAX)));
	return (uint32) value;
}

/* The columns of segments. */
static void
take_segments(SplitRequest *split, const JsonField *field)
{
	JsonbIterator *iterator;
	JsonbValue	element;
	JsonbIteratorToken token;

	if (field->value.type != jbvBinary || !JsonContainerIsArray(field->value.val.binary.data))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" in argument \"split\" must be an array, not %s", field->key, json_type(&field->value))));
	split->segments = palloc(SEGMENTS_MAX * sizeof(char *));
	iterator = JsonbIteratorInit(field->value.val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		JsonField	name = {field->key, element};

		if (token != WJB_ELEM)
			continue;
		if (split->n_segments == SEGMENTS_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" in argument \"split\" has more than %d columns", field->key, SEGMENTS_MAX)));
		split->segments[split->n_segments++] = json_text(&name, "split");
	}
}

/* Which kind of split a key asks for; SPLIT_RANDOM for the shares. */
static SplitKind
kind_of_key(const char *key)
{
	if (strcmp(key, "column") == 0)
		return SPLIT_COLUMN;
	if (strcmp(key, "time") == 0)
		return SPLIT_TIME;
	if (strcmp(key, "group") == 0)
		return SPLIT_GROUP;
	return SPLIT_RANDOM;
}

/* Takes one field. */
static void
take_field(SplitRequest *split, const JsonField *field, bool *test_given)
{
	SplitKind	kind = kind_of_key(field->key);

	if (kind != SPLIT_RANDOM)
	{
		if (split->kind != SPLIT_RANDOM)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"split\" has both \"%s\" and \"%s\"", split->key, field->key),
					 errhint("Give one of \"column\", \"time\" and \"group\".")));
		split->kind = kind;
		split->key = field->key;
		split->column = json_text(field, "split");
	}
	else if (strcmp(field->key, "test") == 0)
	{
		split->test = share(field);
		*test_given = true;
	}
	else if (strcmp(field->key, "validation") == 0)
		split->validation = share(field);
	else if (strcmp(field->key, "segments") == 0)
		take_segments(split, field);
	else if (strcmp(field->key, "reference_sample") == 0)
		split->sample_rows = sample_rows(field);
	else
		report_unknown_name(ERRCODE_INVALID_PARAMETER_VALUE, psprintf("unknown key \"%s\" in argument \"split\"", field->key),
							"keys of \"split\"", field->key, split_keys, lengthof(split_keys));
}

/* Reads and checks the argument. */
SplitRequest
split_from_json(Jsonb *object)
{
	SplitRequest split = {.kind = SPLIT_RANDOM, .test = DEFAULT_TEST, .sample_rows = SAMPLE_ROWS_MAX};
	bool		test_given = false;
	int			n;
	JsonField  *fields = json_fields(object, "split", &n);

	for (int i = 0; i < n; i++)
	{
		if (fields[i].value.type != jbvNull)
			take_field(&split, &fields[i], &test_given);
	}
	if (split.kind == SPLIT_COLUMN)
	{
		if (test_given)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"split\" has both \"column\" and \"test\""),
					 errhint("The column says which rows are test rows.")));
		split.test = 0;
	}
	if (split.test + split.validation >= 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"split\" leaves no rows to train on"),
				 errdetail("Test takes %g and validation %g of them.", split.test, split.validation)));
	return split;
}
