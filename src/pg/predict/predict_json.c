/*
 * predict_json.c
 *		Features from jsonb.
 *
 * Keys are the names of columns; null is a missing value; elements of an
 * array column come as an array under its name.  JSON has numbers, booleans
 * and strings: a number where a string stands (or the other way round) is
 * refused, except that a category may be written as a number or a boolean,
 * and NaN and infinities as the strings that to_jsonb() makes of them.
 *
 * Dates, timestamps and intervals are strings.  Dates must be in ISO form, so
 * that DateStyle has no say.  A model that comes as a value may depend on no
 * setting: there a timestamp with time zone must state its offset, and an
 * interval must not need IntervalStyle to be understood.
 */
#include "predict.h"

#include <ctype.h>
#include <math.h>

#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "../compat.h"
#include "../report.h"
#include "../source/values.h"

/* What kind of JSON value it is, for an error. */
static const char *
json_word(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return "a JSON string";
		case jbvNumeric:
			return "a JSON number";
		case jbvBool:
			return "a JSON boolean";
		default:
			return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) ? "a JSON array" : "a JSON object";
	}
}

/* DATATYPE_MISMATCH for a string that must be understood without settings and cannot. */
static void
refuse_ambiguous(const Predictor *predictor, uint32 column, const char *text, const char *how)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_DATETIME_FORMAT),
			 errmsg("column \"%s\" holds \"%s\", whose meaning depends on settings", predictor->names[column], text),
			 errhint("%s", how)));
}

/* Whether a text is "infinity" or "-infinity", which need no form. */
static bool
is_infinity(const char *text)
{
	return strcmp(text, "infinity") == 0 || strcmp(text, "-infinity") == 0;
}

/* Whether a text begins as a date in ISO form: four or more digits, "-". */
static bool
is_iso_date(const char *text)
{
	size_t		n_digits = strspn(text, "0123456789");

	return n_digits >= 4 && text[n_digits] == '-' && isdigit((unsigned char) text[n_digits + 1]);
}

/* Whether a text ends with Z or with a numeric offset behind a time. */
static bool
has_offset(const char *text)
{
	size_t		length = strlen(text);
	size_t		end = length;
	const char *time = strchr(text, ':');

	if (length > 0 && (text[length - 1] == 'Z' || text[length - 1] == 'z'))
		return true;
	while (end > 0 && (isdigit((unsigned char) text[end - 1]) || text[end - 1] == ':'))
		end--;
	return time != NULL && end > 0 && end < length && (text[end - 1] == '+' || text[end - 1] == '-') && text + end > time;
}

/* Whether IntervalStyle decides about a text: one sign in front, more fields behind. */
static bool
interval_needs_style(const char *text)
{
	const char *start = text + strspn(text, " ");

	return *start == '-' && strpbrk(start + 1, "+-") == NULL && strpbrk(start, " :") != NULL;
}

/* Raw value of a string for a column of times. */
static double
time_value(const Predictor *predictor, uint32 column, ColumnKind kind, const char *text)
{
	Datum		argument = CStringGetDatum(text);

	if (kind == KIND_INTERVAL)
	{
		if (predictor->by_value && interval_needs_style(text))
			refuse_ambiguous(predictor, column, text, "Give each part its sign.");
		return value_interval_seconds(DatumGetIntervalP(DirectFunctionCall3(interval_in, argument, ObjectIdGetDatum(InvalidOid),
																			Int32GetDatum(-1))));
	}
	if (!is_infinity(text) && !is_iso_date(text))
		refuse_ambiguous(predictor, column, text, "Write dates as 2020-12-31, and times behind them.");
	if (kind == KIND_DATE)
	{
		DateADT		date = DatumGetDateADT(DirectFunctionCall1(date_in, argument));

		return DATE_IS_NOBEGIN(date) ? -INFINITY : DATE_IS_NOEND(date) ? INFINITY : (double) date;
	}
	if (kind == KIND_TIMESTAMPTZ && predictor->by_value && !is_infinity(text) && !has_offset(text))
		refuse_ambiguous(predictor, column, text, "Give the offset from UTC, as in 2020-12-31 12:00:00+01.");

	Timestamp	timestamp = DatumGetTimestamp(DirectFunctionCall3(kind == KIND_TIMESTAMP ? timestamp_in : timestamptz_in, argument,
																  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));

	return TIMESTAMP_IS_NOBEGIN(timestamp) ? -INFINITY : TIMESTAMP_IS_NOEND(timestamp) ? INFINITY : (double) timestamp;
}

/* A JSON number as a double. */
static double
number_value(const JsonbValue *value)
{
	bool		rounded;

	return value_numeric(NumericGetDatum(value->val.numeric), &rounded);
}

/* What to_jsonb() writes for numbers that JSON lacks. */
static bool
special_number(const JsonbValue *value, double *number)
{
	static const struct
	{
		const char *text;
		double		number;
	}			specials[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};

	for (int i = 0; i < (int) lengthof(specials); i++)
	{
		if (value->val.string.len == (int) strlen(specials[i].text) &&
			memcmp(value->val.string.val, specials[i].text, value->val.string.len) == 0)
		{
			*number = specials[i].number;
			return true;
		}
	}
	return false;
}

/* Raw value of a category: a string, or what its cast to text would be. */
static double
category_value(const Predictor *predictor, uint32 column, const JsonbValue *value)
{
	const Model *model = predictor->model;

	if (value->type == jbvBool)
		return value->val.boolean ? predict_category(predictor, column, "true", 4) : predict_category(predictor, column, "false", 5);
	if (value->type == jbvNumeric)
	{
		char	   *text = numeric_normalize(value->val.numeric);

		return predict_category(predictor, column, text, strlen(text));
	}

	int			length = value->val.string.len;

	/* char(n) is without its padding in training, but not in to_jsonb() */
	if (strcmp(model_string(model, model->columns[column].type_name), "character") == 0)
		length = bpchartruelen(value->val.string.val, length);
	return predict_category(predictor, column, value->val.string.val, (size_t) length);
}

/* Raw value of a JSON value. */
static double
json_value(const Predictor *predictor, uint32 column, const JsonbValue *value)
{
	ColumnKind	kind = (ColumnKind) predictor->model->columns[column].kind;
	double		number;

	if (value->type == jbvNull)
		return get_float8_nan();
	switch (kind)
	{
		case KIND_NUMBER:
			if (value->type == jbvNumeric)
				return number_value(value);
			if (value->type == jbvString && special_number(value, &number))
				return number;
			break;
		case KIND_BOOLEAN:
			if (value->type == jbvBool)
				return value->val.boolean ? 1.0 : 0.0;
			if (value->type == jbvNumeric)
				return predict_boolean(predictor, column, number_value(value));
			break;
		case KIND_CATEGORY:
			if (value->type == jbvString || value->type == jbvNumeric || value->type == jbvBool)
				return category_value(predictor, column, value);
			break;
		default:
			if (value->type == jbvString)
				return time_value(predictor, column, kind, pnstrdup(value->val.string.val, value->val.string.len));
			break;
	}
	predict_wrong_type(predictor, column, json_word(value), "Write it as to_jsonb() writes a value of that type.");
}

/* The value of a key, or NULL; scalars without allocation. */
static JsonbValue *
find_key(const Jsonb *features, const char *name, size_t length, JsonbValue *value)
{
	return getKeyJsonValueFromContainer(unconstify(JsonbContainer *, &features->root), name, (int) length, value);
}

/* Reads the elements of an array column; false where there is no such run, or no such key. */
static bool
read_elements(const Predictor *predictor, const Jsonb *features, const ElementRun *run)
{
	JsonbValue	array;

	if (run == NULL || find_key(features, run->name, run->name_length, &array) == NULL)
		return false;
	if (array.type == jbvNull)
	{
		for (uint32 i = 0; i < run->n_columns; i++)
			predictor->raw[run->first + i] = get_float8_nan();
		return true;
	}
	if (array.type != jbvBinary || !JsonContainerIsArray(array.val.binary.data))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" is %s, but the model expects an array of %d elements", run->name, json_word(&array), run->n_elements)));

	int			n = (int) JsonContainerSize(array.val.binary.data);

	if (n != run->n_elements)
		predict_wrong_length(run->name, n, run->n_elements);
	for (uint32 i = 0; i < run->n_columns; i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(array.val.binary.data, (uint32) run->positions[i]);

		predictor->raw[run->first + i] = json_value(predictor, run->first + i, element);
	}
	return true;
}

/* Raises UNDEFINED_COLUMN with the keys that the object has. */
static void
refuse_lacking(const Predictor *predictor, const Jsonb *features)
{
	uint32		n_columns = predictor->model->n_columns;
	bool	   *lacking = palloc0(n_columns * sizeof(bool));
	const char **given = palloc((JB_ROOT_COUNT(features) + 1) * sizeof(char *));
	int			n = 0;
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, &features->root));
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			given[n++] = pnstrdup(value.val.string.val, value.val.string.len);
	}
	for (uint32 column = 0; column < n_columns;)
	{
		/* in the order that they are read in: an element by its own name comes before its array */
		if (find_key(features, predictor->names[column], predictor->name_lengths[column], &value) != NULL)
			column++;
		else if (read_elements(predictor, features, predictor->runs[column]))
			column += predictor->runs[column]->n_columns;
		else
			lacking[column++] = true;
	}
	predict_missing_columns(predictor, lacking, given, n);
}

/* Reads an object. */
void
predict_from_json(Predictor *predictor, const Jsonb *features)
{
	uint32		n_columns = predictor->model->n_columns;
	uint32		column = 0;

	if (!JB_ROOT_IS_OBJECT(features))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the features must be a JSON object"),
				 errhint("Write an object with a key for each column.")));
	while (column < n_columns)
	{
		JsonbValue	value;

		if (find_key(features, predictor->names[column], predictor->name_lengths[column], &value) != NULL)
		{
			predictor->raw[column] = json_value(predictor, column, &value);
			column++;
		}
		else if (read_elements(predictor, features, predictor->runs[column]))
			column += predictor->runs[column]->n_columns;
		else
			refuse_lacking(predictor, features);
	}
}

/* The column of a key, or the first of an array's; UNDEFINED_COLUMN where there is none. */
static uint32
find_column(const Predictor *predictor, const char *key, size_t length)
{
	uint32		n_columns = predictor->model->n_columns;

	for (uint32 column = 0; column < n_columns; column++)
	{
		const ElementRun *run = predictor->runs[column];

		if (predictor->name_lengths[column] == length && memcmp(predictor->names[column], key, length) == 0)
			return column;
		if (run != NULL && run->name_length == length && memcmp(run->name, key, length) == 0)
			return column;
	}

	char	   *name = pnstrdup(key, length);

	report_unknown_name(ERRCODE_UNDEFINED_COLUMN, psprintf("the model has no column \"%s\"", name), "columns", name, predictor->names,
						(int) n_columns);
}

/* Replaces the columns that an object names. */
void
predict_change_from_json(Predictor *predictor, const Jsonb *changes)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, &changes->root));
	JsonbIteratorToken token;
	JsonbValue	key;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		JsonbValue	value;
		uint32		column;

		if (token != WJB_KEY)
			continue;
		column = find_column(predictor, key.val.string.val, (size_t) key.val.string.len);
		if (predictor->name_lengths[column] != (size_t) key.val.string.len)
			read_elements(predictor, changes, predictor->runs[column]);
		else if (find_key(changes, predictor->names[column], predictor->name_lengths[column], &value) != NULL)
			predictor->raw[column] = json_value(predictor, column, &value);
	}
}
