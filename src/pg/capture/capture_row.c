/*
 * capture_row.c
 *		One predicted row into the queue.
 *
 * What was asked is encoded from the raw values that the model got, and from
 * the texts of categories that it does not know; the key and the columns that
 * are kept "also" come from the row itself, of whatever type it is.  All that
 * can fail is done before room in the queue is taken.
 *
 * The buffers belong to the site; texts of output functions and of unseen
 * categories to the current context, which the executor resets.
 */
#include "capture.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "executor/tuptable.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "capture_codec.h"


/* Length of a text after cutting. */
static size_t
cut(const char *text, size_t length, int longest)
{
	return length <= (size_t) longest ? length : (size_t) pg_mbcliplen(text, (int) Min(length, INT_MAX), longest);
}

void
capture_note_unseen(const Predictor *predictor, uint32 column, const char *text, size_t length)
{
	UnseenCategories *unseen = predictor->unseen;
	UnseenCategory *noted;

	if (unseen->n == unseen->most)
	{
		/* one a column and row at most; an array in the context of the site, for the next rows */
		unseen->most = unseen->most == 0 ? 8 : unseen->most * 2;
		unseen->noted = unseen->noted == NULL
			? MemoryContextAlloc(predictor->capture_site->context, unseen->most * sizeof(UnseenCategory))
			: repalloc(unseen->noted, unseen->most * sizeof(UnseenCategory));
	}
	noted = &unseen->noted[unseen->n++];
	noted->column = column;
	noted->length = (uint32) cut(text, length, CAPTURED_TEXT_MAX);
	noted->text = pnstrdup(text, noted->length);
}

void
capture_begin_row(Predictor *predictor, CaptureSite *site)
{
	site->unseen.n = 0;
	predictor->unseen = &site->unseen;
	INSTR_TIME_SET_CURRENT(site->start);
}

/* ---- Columns of the row beside the model's ---- */

/* How columns of a row type are captured. */
static CaptureColumns *
make_columns(CaptureSite *site, TupleDesc row_type)
{
	MemoryContext context = AllocSetContextCreate(site->context, "mlops captured columns", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	CaptureColumns *columns = palloc0(sizeof(CaptureColumns));
	int			n = site->settings->n_also + 1;

	columns->context = context;
	columns->row_type = CreateTupleDescCopy(row_type);
	columns->numbers = palloc0(n * sizeof(AttrNumber));
	columns->types = palloc0(n * sizeof(Oid));
	columns->outputs = palloc0(n * sizeof(FmgrInfo));
	for (int i = 0; i < n; i++)
	{
		const char *name = i == 0 ? site->settings->key : site->settings->also[i - 1];

		for (int j = 0; name != NULL && j < columns->row_type->natts; j++)
		{
			Form_pg_attribute attribute = TupleDescAttr(columns->row_type, j);
			Oid			output;
			bool		is_varlena;

			if (attribute->attisdropped || strcmp(NameStr(attribute->attname), name) != 0)
				continue;
			columns->numbers[i] = attribute->attnum;
			columns->types[i] = getBaseType(attribute->atttypid);
			getTypeOutputInfo(attribute->atttypid, &output, &is_varlena);
			fmgr_info_cxt(output, &columns->outputs[i], context);
			break;
		}
	}
	MemoryContextSwitchTo(old);
	return columns;
}

/* The same, of the latest row type. */
static CaptureColumns *
find_columns(CaptureSite *site, HeapTupleHeader record)
{
	Oid			type = HeapTupleHeaderGetTypeId(record);
	int32		typmod = HeapTupleHeaderGetTypMod(record);
	uint64		identifier = assign_record_type_identifier(type, typmod);
	CaptureColumns *columns = site->columns;

	if (columns == NULL || columns->type != type || columns->typmod != typmod || columns->identifier != identifier)
	{
		TupleDesc	row_type = lookup_rowtype_tupdesc(type, typmod);

		if (columns != NULL)
			MemoryContextDelete(columns->context);
		site->columns = NULL;
		site->columns = columns = make_columns(site, row_type);
		ReleaseTupleDesc(row_type);
		columns->type = type;
		columns->typmod = typmod;
		columns->identifier = identifier;
	}
	return columns;
}

/* A value of the row as a text, and what it is; NULL where it is NULL, or the row has no such column. */
static char *
column_text(CaptureColumns *columns, int i, Datum value, bool null, CaptureCode *code)
{
	if (null)
		return NULL;
	switch (columns->types[i])
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			*code = CAPTURED_NUMERIC;
			break;
		case BOOLOID:
			*code = DatumGetBool(value) ? CAPTURED_TRUE : CAPTURED_FALSE;
			break;
		default:
			*code = CAPTURED_TEXT;
			break;
	}
	return OutputFunctionCall(&columns->outputs[i], value);
}

/* The same of a row as a value. */
static char *
record_text(CaptureSite *site, HeapTupleHeader record, int i, CaptureCode *code)
{
	CaptureColumns *columns = find_columns(site, record);
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(record), .t_data = record};
	bool		null = true;
	Datum		value = (Datum) 0;

	if (columns->numbers[i] != 0)
		value = heap_getattr(&tuple, columns->numbers[i], columns->row_type, &null);
	return column_text(columns, i, value, null, code);
}

/* The same of a row of a source, all of which have one type. */
static char *
slot_text(CaptureSite *site, const TupleTableSlot *slot, int i, CaptureCode *code)
{
	if (site->columns == NULL)
		site->columns = make_columns(site, slot->tts_tupleDescriptor);

	int			number = site->columns->numbers[i];

	return number == 0 ? NULL : column_text(site->columns, i, slot->tts_values[number - 1], slot->tts_isnull[number - 1], code);
}

/* The same of a JSON object. */
static char *
json_value_text(const Jsonb *features, const char *name, CaptureCode *code)
{
	JsonbValue	value;

	if (name == NULL || !JB_ROOT_IS_OBJECT(features) ||
		getKeyJsonValueFromContainer(unconstify(JsonbContainer *, &features->root), name, (int) strlen(name), &value) == NULL)
		return NULL;
	switch (value.type)
	{
		case jbvString:
			*code = CAPTURED_TEXT;
			return pnstrdup(value.val.string.val, value.val.string.len);
		case jbvNumeric:
			*code = CAPTURED_NUMERIC;
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric)));
		case jbvBool:
			*code = value.val.boolean ? CAPTURED_TRUE : CAPTURED_FALSE;
			return pstrdup(value.val.boolean ? "true" : "false");
		default:
			return NULL;
	}
}

/* Column i of those beside the model's: 0 is the key. */
static char *
beside_text(const Predictor *predictor, CaptureSite *site, Datum features, int i, CaptureCode *code)
{
	switch (predictor->form)
	{
		case FEATURES_RECORD:
			return record_text(site, DatumGetHeapTupleHeader(features), i, code);
		case FEATURES_JSON:
			return json_value_text(DatumGetJsonbP(features), i == 0 ? site->settings->key : site->settings->also[i - 1], code);
		case FEATURES_SLOT:
			return slot_text(site, (TupleTableSlot *) DatumGetPointer(features), i, code);
		case FEATURES_ARRAY:
			break;
	}
	return NULL;
}

/* ---- The row ---- */

/* Encodes a category. */
static void
encode_category(const Predictor *predictor, CaptureSite *site, uint32 column, int *next_unseen)
{
	const Model *model = predictor->model;
	double		raw = predictor->raw[column];

	if (isnan(raw) && *next_unseen < site->unseen.n && site->unseen.noted[*next_unseen].column == column)
	{
		const UnseenCategory *noted = &site->unseen.noted[(*next_unseen)++];

		capture_encode_text(&site->features, CAPTURED_TEXT, noted->text, noted->length);
	}
	else if (isnan(raw))
		capture_encode_numbers(&site->features, &model->columns[column], &raw, 1);
	else
	{
		const char *level = model_string(model, model->categories[model->columns[column].categories + (uint64) raw]);

		capture_encode_text(&site->features, CAPTURED_TEXT, level, cut(level, strlen(level), CAPTURED_TEXT_MAX));
	}
}

/* Encodes the model's columns but for those that are masked. */
static void
encode_columns(const Predictor *predictor, CaptureSite *site)
{
	const Model *model = predictor->model;
	const bool *masked = site->masked;
	int			next_unseen = 0;
	uint32		column = 0;

	while (column < model->n_columns)
	{
		uint32		first = column;

		while (column < model->n_columns && model->columns[column].kind != KIND_CATEGORY && (masked == NULL || !masked[column]))
			column++;
		if (column > first)
			capture_encode_numbers(&site->features, &model->columns[first], &predictor->raw[first], column - first);
		else if (masked != NULL && masked[column])
		{
			while (next_unseen < site->unseen.n && site->unseen.noted[next_unseen].column == column)
				next_unseen++;
			column++;
		}
		else
			encode_category(predictor, site, column++, &next_unseen);
	}
}

/* In which order columns come that were noted. */
static int
compare_noted(const void *a, const void *b)
{
	uint32		x = ((const UnseenCategory *) a)->column;
	uint32		y = ((const UnseenCategory *) b)->column;

	return x < y ? -1 : x > y;
}

void
capture_encode_row(Predictor *predictor, CaptureSite *site, Datum features)
{
	const CaptureSettings *settings = site->settings;
	CaptureCode code = CAPTURED_TEXT;
	char	   *key = settings->key != NULL ? beside_text(predictor, site, features, 0, &code) : NULL;

	predictor->unseen = NULL;
	site->has_key = key != NULL;
	resetStringInfo(&site->key);
	if (key != NULL)
	{
		size_t		length = strlen(key);
		const char *stored = capture_key(key, &length);

		appendBinaryStringInfo(&site->key, stored, (int) length);
	}
	resetStringInfo(&site->features);
	if (!settings->features)
		return;
	if (site->unseen.n > 1)
		qsort(site->unseen.noted, site->unseen.n, sizeof(UnseenCategory), compare_noted);
	encode_columns(predictor, site);
	for (int i = 1; i <= settings->n_also; i++)
	{
		char	   *text = beside_text(predictor, site, features, i, &code);

		if (text == NULL)
			appendStringInfoChar(&site->features, (char) CAPTURED_NULL);
		else if (code == CAPTURED_TRUE || code == CAPTURED_FALSE)
			appendStringInfoChar(&site->features, (char) code);
		else
			capture_encode_text(&site->features, code, text, cut(text, strlen(text), CAPTURED_TEXT_MAX));
	}
}

void
capture_answer(const Predictor *predictor, const double *out, double *prediction, const char **class, double *probability)
{
	const Model *model = predictor->model;

	*class = NULL;
	*probability = NAN;
	if (model->task == TASK_REGRESSION)
	{
		*prediction = out[0];
		return;
	}

	uint32		best = model_best_class(out, model->n_outputs);

	*prediction = predictor->class_values != NULL ? predictor->class_values[best] : NAN;
	*class = model_label(model, best);
	*probability = out[model->task == TASK_BINARY ? 1 : best];
}

void
capture_put(Predictor *predictor, const double *out, const EncodedRow *encoded, const char *key, const char *features, float latency)
{
	CaptureSite *site = predictor->capture;
	const char *class;
	double		prediction;
	double		probability;

	capture_answer(predictor, out, &prediction, &class, &probability);

	size_t		class_size = class != NULL ? strlen(class) : 0;
	size_t		key_size = encoded->key_size == CAPTURE_NO_KEY ? 0 : encoded->key_size;
	CaptureRow *row = capture_ring_reserve(site->counters, site->model_id, key_size + class_size + encoded->features_size);
	char	   *data;

	if (row == NULL)
	{
		capture_pass_on(site, encoded->weight);
		return;
	}
	row->version = site->version;
	row->deployment_id = site->deployment_id;
	row->prediction = prediction;
	row->probability = probability;
	row->weight = encoded->weight;
	row->latency = latency;
	row->key_size = encoded->key_size;
	row->class_size = (uint32) class_size;
	row->features_size = encoded->features_size;
	data = row->data;
	memcpy(data, key, key_size);
	data += key_size;
	if (class_size > 0)
		memcpy(data, class, class_size);
	data += class_size;
	memcpy(data, features, encoded->features_size);
	capture_ring_publish(row);
}

void
capture_row(Predictor *predictor, Datum features)
{
	CaptureSite *site = predictor->capture;
	instr_time	duration;
	EncodedRow	encoded = {.weight = site->weight};

	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, site->start);
	capture_encode_row(predictor, site, features);
	encoded.key_size = site->has_key ? (uint32) site->key.len : CAPTURE_NO_KEY;
	encoded.features_size = (uint32) site->features.len;
	capture_put(predictor, predictor->out, &encoded, site->key.data, site->features.data, (float) (INSTR_TIME_GET_DOUBLE(duration) * 1e6));
}
