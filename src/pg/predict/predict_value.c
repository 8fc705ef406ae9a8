/*
 * predict_value.c
 *		One SQL value as a raw value of a column.
 *
 * How a type is read is chosen once a row type; types that training would
 * not have taken for the column are refused then.  Reading agrees with the
 * scan (values.c) for every type, so that a row means the same in both.
 * Texts are read in place; a detoasted value or the text of an output
 * function belongs to the current context, which the executor resets.
 */
#include "predict.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "../compat.h"
#include "../report.h"
#include "../source/scan.h"
#include "../source/values.h"

#define SHOWN_CATEGORIES 10		/* levels that an error lists */

/* How numbers are read; false for other types. */
static bool
read_number_as(Oid type, ReadAs *as)
{
	switch (type)
	{
		case INT2OID:
			*as = READ_INT2;
			return true;
		case INT4OID:
			*as = READ_INT4;
			return true;
		case INT8OID:
			*as = READ_INT8;
			return true;
		case FLOAT4OID:
			*as = READ_FLOAT4;
			return true;
		case FLOAT8OID:
			*as = READ_FLOAT8;
			return true;
		case NUMERICOID:
			*as = READ_NUMERIC;
			return true;
		default:
			return false;
	}
}

/* How categories are read; false for types that have no one text. */
static bool
read_category_as(Oid type, ReadAs *as)
{
	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
			*as = READ_TEXT;
			return true;
		case BPCHAROID:
			*as = READ_PADDED_TEXT;
			return true;
		case BOOLOID:
			*as = READ_BOOLEAN_TEXT;
			return true;
		default:
			*as = READ_OUTPUT;
			return scan_category_type(type);
	}
}

/* Whether a base type can be read for a kind of column, and how. */
static bool
read_kind_as(ColumnKind kind, Oid type, ReadAs *as)
{
	switch (kind)
	{
		case KIND_NUMBER:
			return read_number_as(type, as);
		case KIND_BOOLEAN:
			*as = READ_BOOLEAN;
			return type == BOOLOID || read_number_as(type, as);
		case KIND_DATE:
			*as = READ_DATE;
			return type == DATEOID;
		case KIND_TIMESTAMP:
			*as = type == DATEOID ? READ_DATE_AS_TIMESTAMP : READ_TIMESTAMP;
			return type == DATEOID || type == TIMESTAMPOID;
		case KIND_TIMESTAMPTZ:
			*as = READ_TIMESTAMP;
			return type == TIMESTAMPTZOID;
		case KIND_INTERVAL:
			*as = READ_INTERVAL;
			return type == INTERVALOID;
		case KIND_CATEGORY:
			return read_category_as(type, as);
	}
	return false;
}

/* Chooses how values of a type are read for a column. */
void
value_reader_init(ValueReader *reader, const Predictor *predictor, uint32 column, Oid type)
{
	Oid			base_type = getBaseType(type);
	ColumnKind	kind = (ColumnKind) predictor->model->columns[column].kind;

	memset(reader, 0, sizeof(*reader));
	reader->column = column;
	if (!read_kind_as(kind, base_type, &reader->as))
		predict_wrong_type(predictor, column, psprintf("of type %s", format_type_be(type)), "Cast it to that type.");
	reader->check_boolean = kind == KIND_BOOLEAN && reader->as != READ_BOOLEAN;
	if (reader->as == READ_OUTPUT)
	{
		Oid			output;
		bool		is_varlena;

		getTypeOutputInfo(base_type, &output, &is_varlena);
		fmgr_info_cxt(output, &reader->output, CurrentMemoryContext);
		if (get_typbyval(base_type))
			reader->memo = palloc0(sizeof(ValueMemo));
	}
}

/* A category that training never saw, where the recipe refuses it. */
static void
refuse_unseen(const Predictor *predictor, uint32 column, const char *text, size_t length)
{
	const Model *model = predictor->model;
	const RecipeColumn *recipe = &model->columns[column];
	int			n = (int) recipe->n_categories;
	const char **levels = palloc((n + 1) * sizeof(char *));

	for (int i = 0; i < n; i++)
		levels[i] = model_string(model, model->categories[recipe->categories + i]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("column \"%s\" holds \"%s\", which training never saw", predictor->names[column],
					pnstrdup(text, pg_mbcliplen(text, (int) length, 100))),
			 errdetail("The model knows %s.", report_list(levels, n, SHOWN_CATEGORIES)),
			 errhint("The model was trained with \"unseen\": \"error\" for this column; \"missing\" would take such a value as missing.")));
}

/* The raw value of a category. */
double
predict_category(const Predictor *predictor, uint32 column, const char *text, size_t length)
{
	const RecipeColumn *recipe = &predictor->model->columns[column];
	double		raw = model_category(predictor->model, recipe, text, length);

	if (unlikely(isnan(raw)))
	{
		if (recipe_unseen_is_error(recipe))
			refuse_unseen(predictor, column, text, length);
		if (predictor->unseen != NULL)
			capture_note_unseen(predictor, column, text, length);
	}
	return raw;
}

/* A number for a boolean column. */
double
predict_boolean(const Predictor *predictor, uint32 column, double number)
{
	if (number != 0 && number != 1 && !isnan(number))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" holds %g, but the model expects a boolean", predictor->names[column], number),
				 errhint("As a number, a boolean is 0 or 1.")));
	return number;
}

/* The raw value of a category of a type that has only an output function. */
static double
read_output(ValueReader *reader, const Predictor *predictor, Datum value)
{
	uint32		slot = 0;

	if (reader->memo != NULL)
	{
		slot = murmurhash32((uint32) value) & (VALUE_MEMO_SIZE - 1);
		if (reader->memo->used[slot] && reader->memo->values[slot] == value)
			return reader->memo->raw[slot];
	}

	char	   *text = OutputFunctionCall(&reader->output, value);
	double		raw = predict_category(predictor, reader->column, text, strlen(text));

	/* what training never saw is looked at anew each time, for it may have to be captured */
	if (reader->memo != NULL && !isnan(raw))
	{
		reader->memo->used[slot] = true;
		reader->memo->values[slot] = value;
		reader->memo->raw[slot] = raw;
	}
	return raw;
}

/* What -infinity and infinity are. */
static inline double
infinite_timestamp(Timestamp timestamp)
{
	return TIMESTAMP_IS_NOBEGIN(timestamp) ? -INFINITY : INFINITY;
}

/* The raw value of a text. */
static double
read_text(const ValueReader *reader, const Predictor *predictor, Datum value, bool padded)
{
	struct varlena *text = PG_DETOAST_DATUM_PACKED(value);
	size_t		length = VARSIZE_ANY_EXHDR(text);

	if (padded)
		length = (size_t) bpchartruelen(VARDATA_ANY(text), (int) length);
	return predict_category(predictor, reader->column, VARDATA_ANY(text), length);
}

/* The number that a value is. */
static inline double
read_any(ValueReader *reader, const Predictor *predictor, Datum value)
{
	switch (reader->as)
	{
		case READ_INT2:
			return DatumGetInt16(value);
		case READ_INT4:
			return DatumGetInt32(value);
		case READ_INT8:
			return (double) DatumGetInt64(value);
		case READ_FLOAT4:
			return DatumGetFloat4(value);
		case READ_FLOAT8:
			return DatumGetFloat8(value);
		case READ_NUMERIC:
			{
				bool		rounded;

				return value_numeric(value, &rounded);
			}
		case READ_BOOLEAN:
			return DatumGetBool(value) ? 1.0 : 0.0;
		case READ_DATE:
			{
				DateADT		date = DatumGetDateADT(value);

				return DATE_IS_NOBEGIN(date) ? -INFINITY : DATE_IS_NOEND(date) ? INFINITY : (double) date;
			}
		case READ_DATE_AS_TIMESTAMP:
			{
				DateADT		date = DatumGetDateADT(value);

				return DATE_IS_NOBEGIN(date) ? -INFINITY : DATE_IS_NOEND(date) ? INFINITY
					: (double) date * (double) USECS_PER_DAY;
			}
		case READ_TIMESTAMP:
			{
				Timestamp	timestamp = DatumGetTimestamp(value);

				return TIMESTAMP_NOT_FINITE(timestamp) ? infinite_timestamp(timestamp) : (double) timestamp;
			}
		case READ_INTERVAL:
			return value_interval_seconds(DatumGetIntervalP(value));
		case READ_TEXT:
			return read_text(reader, predictor, value, false);
		case READ_PADDED_TEXT:
			return read_text(reader, predictor, value, true);
		case READ_BOOLEAN_TEXT:
			return DatumGetBool(value)
				? predict_category(predictor, reader->column, "true", 4)
				: predict_category(predictor, reader->column, "false", 5);
		case READ_OUTPUT:
			return read_output(reader, predictor, value);
	}
	return NAN;
}

/* The raw value of a column. */
double
value_read(ValueReader *reader, const Predictor *predictor, Datum value)
{
	double		raw = read_any(reader, predictor, value);

	return unlikely(reader->check_boolean) ? predict_boolean(predictor, reader->column, raw) : raw;
}

/* Takes "x[3]" apart: the length of "x" and 3; 0 where a name is no element's. */
static int
element_subscript(const char *name, size_t length, size_t *array_length)
{
	const char *bracket = memrchr(name, '[', length);

	if (bracket == NULL || bracket == name || name[length - 1] != ']')
		return 0;

	const char *digits = bracket + 1;
	size_t		n_digits = (size_t) (name + length - 1 - digits);

	if (n_digits == 0 || n_digits > 6 || digits[0] == '0' || strspn(digits, "0123456789") != n_digits)
		return 0;
	*array_length = (size_t) (bracket - name);
	return atoi(digits);
}

/* The run of elements that begins at a column; NULL where none does. */
static ElementRun *
find_run(const Predictor *predictor, uint32 column)
{
	uint32		n_columns = predictor->model->n_columns;
	size_t		length;

	if (element_subscript(predictor->names[column], predictor->name_lengths[column], &length) == 0)
		return NULL;

	ElementRun *run = palloc0(sizeof(ElementRun));

	run->name = pnstrdup(predictor->names[column], length);
	run->name_length = length;
	run->first = column;
	run->positions = palloc((n_columns - column) * sizeof(int));
	for (; column < n_columns; column++)
	{
		int			subscript = element_subscript(predictor->names[column], predictor->name_lengths[column], &length);

		if (subscript <= run->n_elements || length != run->name_length || memcmp(predictor->names[column], run->name, length) != 0)
			break;
		run->positions[run->n_columns++] = subscript - 1;
		run->n_elements = subscript;
	}
	return run;
}

/* Finds the runs among the names of the columns. */
void
predict_find_runs(Predictor *predictor)
{
	uint32		n_columns = predictor->model->n_columns;

	predictor->runs = palloc0((n_columns + 1) * sizeof(ElementRun *));
	for (uint32 column = 0; column < n_columns;)
	{
		ElementRun *run = find_run(predictor, column);

		predictor->runs[column] = run;
		column += run != NULL ? run->n_columns : 1;
	}
}
