/*
 * capture_codec.c
 *		Captured features as bytes, and the bytes as jsonb.
 *
 * What decode_features() is given comes from anybody, so every length is
 * checked.
 */
#include "capture_codec.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "../json_fields.h"

PG_FUNCTION_INFO_V1(mlops_decode_features);

/* Bytes that are being read. */
typedef struct Bytes
{
	const uint8 *next;
	const uint8 *end;
} Bytes;

void
capture_encode_numbers(StringInfo out, const RecipeColumn *columns, const double *raw, uint32 n)
{
	uint8_t    *place;

	enlargeStringInfo(out, (int) n * CAPTURED_NUMBER_SIZE);
	place = (uint8_t *) out->data + out->len;
	for (uint32 i = 0; i < n; i++)
		place += captured_number(place, (ColumnKind) columns[i].kind, (ColumnStorage) columns[i].storage, raw[i]);
	out->len = (int) ((char *) place - out->data);
}

void
capture_encode_text(StringInfo out, CaptureCode code, const char *text, size_t length)
{
	enlargeStringInfo(out, CAPTURED_TEXT_HEAD);
	out->len += (int) captured_text_head((uint8_t *) out->data + out->len, code, length);
	appendBinaryStringInfo(out, text, (int) length);
}

/* DATA_CORRUPTED */
static void
refuse_bytes(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("captured features are not whole")));
}

/* The next bytes. */
static const uint8 *
take(Bytes *bytes, size_t n)
{
	const uint8 *taken = bytes->next;

	if (n > (size_t) (bytes->end - bytes->next))
		refuse_bytes();
	bytes->next += n;
	return taken;
}

static uint64
take_varint(Bytes *bytes)
{
	uint64		value = 0;

	for (int shift = 0; shift < 63; shift += 7)
	{
		uint8		byte = *take(bytes, 1);

		value |= (uint64) (byte & 0x7F) << shift;
		if ((byte & 0x80) == 0)
			return value;
	}
	refuse_bytes();
	return 0;
}

static double
take_double(Bytes *bytes)
{
	double		value;

	memcpy(&value, take(bytes, sizeof(value)), sizeof(value));
	return value;
}

static float
take_float(Bytes *bytes)
{
	float		value;

	memcpy(&value, take(bytes, sizeof(value)), sizeof(value));
	return value;
}

/* Pushes a number given as a text; what JSON has no number for, as to_jsonb() does. */
static void
push_numeric(JsonbParseState **state, char *text)
{
	JsonbValue	value = {.type = jbvNumeric};

	value.val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	if (numeric_is_nan(value.val.numeric) || numeric_is_inf(value.val.numeric))
		json_push_text(state, WJB_VALUE, text);
	else
		pushJsonbValue(state, WJB_VALUE, &value);
}

/* Pushes a double so that the same double is read back. */
static void
push_double(JsonbParseState **state, double number)
{
	if (isfinite(number))
		json_push_number(state, WJB_VALUE, number);
	else
		json_push_text(state, WJB_VALUE, isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
}

/* Pushes a float so that the same float is read back. */
static void
push_float(JsonbParseState **state, float number)
{
	char		text[FLOAT_SHORTEST_DECIMAL_LEN];

	if (!isfinite(number))
	{
		push_double(state, number);
		return;
	}
	float_to_shortest_decimal_buf(number, text);
	push_numeric(state, text);
}

/* Pushes an interval of seconds; from PostgreSQL 17 on they may be infinite. */
static void
push_interval(JsonbParseState **state, double seconds)
{
	if (isnan(seconds))
		refuse_bytes();
	json_push_text(state, WJB_VALUE, isfinite(seconds) ? psprintf("%.6f seconds", seconds) : seconds > 0 ? "infinity" : "-infinity");
}

/* Pushes a date or a time in ISO form. */
static void
push_time(JsonbParseState **state, CaptureCode code, double raw)
{
	Datum		value;
	Oid			type = code == CAPTURED_DATE ? DATEOID : code == CAPTURED_TIMESTAMP ? TIMESTAMPOID : TIMESTAMPTZOID;
	char		text[MAXDATELEN + 1];

	if (isnan(raw))
		refuse_bytes();
	if (code == CAPTURED_DATE)
	{
		if (isfinite(raw) && !(raw >= DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE && raw < DATE_END_JULIAN - POSTGRES_EPOCH_JDATE))
			refuse_bytes();
		value = DateADTGetDatum(isfinite(raw) ? (DateADT) raw : raw > 0 ? DATEVAL_NOEND : DATEVAL_NOBEGIN);
	}
	else
	{
		if (isfinite(raw) && !(raw >= (double) MIN_TIMESTAMP && raw < (double) END_TIMESTAMP))
			refuse_bytes();
		value = TimestampGetDatum(isfinite(raw) ? (Timestamp) raw : raw > 0 ? DT_NOEND : DT_NOBEGIN);
	}
	json_push_text(state, WJB_VALUE, JsonEncodeDateTime(text, value, type, NULL));
}

/* Pushes a text, which must be one in the database's encoding. */
static void
push_text(JsonbParseState **state, Bytes *bytes, CaptureCode code)
{
	uint64		length = take_varint(bytes);
	const char *text = (const char *) take(bytes, length);

	if (!pg_verifymbstr(text, (int) length, true))
		refuse_bytes();
	if (code == CAPTURED_NUMERIC)
		push_numeric(state, pnstrdup(text, length));
	else
		json_push_text(state, WJB_VALUE, pnstrdup(text, length));
}

/* Pushes the next value. */
static void
push_value(JsonbParseState **state, Bytes *bytes)
{
	CaptureCode code = (CaptureCode) *take(bytes, 1);
	JsonbValue	simple = {.type = jbvNull};
	uint64		zigzag;

	switch (code)
	{
		case CAPTURED_NULL:
			pushJsonbValue(state, WJB_VALUE, &simple);
			return;
		case CAPTURED_INTEGER:
			zigzag = take_varint(bytes);
			json_push_integer(state, WJB_VALUE, (int64) (zigzag >> 1) ^ -(int64) (zigzag & 1));
			return;
		case CAPTURED_FLOAT:
			push_float(state, take_float(bytes));
			return;
		case CAPTURED_DOUBLE:
			push_double(state, take_double(bytes));
			return;
		case CAPTURED_SHORT_DOUBLE:
			push_double(state, take_float(bytes));
			return;
		case CAPTURED_FALSE:
		case CAPTURED_TRUE:
			simple.type = jbvBool;
			simple.val.boolean = code == CAPTURED_TRUE;
			pushJsonbValue(state, WJB_VALUE, &simple);
			return;
		case CAPTURED_TEXT:
		case CAPTURED_NUMERIC:
			push_text(state, bytes, code);
			return;
		case CAPTURED_DATE:
		case CAPTURED_TIMESTAMP:
		case CAPTURED_TIMESTAMPTZ:
			push_time(state, code, take_double(bytes));
			return;
		case CAPTURED_INTERVAL:
			push_interval(state, take_double(bytes));
			return;
	}
	refuse_bytes();
}

/* decode_features(names, features): the row as a JSON object. */
Datum
mlops_decode_features(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	bytea	   *features = PG_GETARG_BYTEA_PP(1);
	Bytes		bytes = {.next = (const uint8 *) VARDATA_ANY(features)};
	JsonbParseState *state = NULL;
	Datum	   *names;
	bool	   *nulls;
	int			n;

	bytes.end = bytes.next + VARSIZE_ANY_EXHDR(features);
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			refuse_bytes();
		json_push_key(&state, TextDatumGetCString(names[i]));
		push_value(&state, &bytes);
	}
	if (bytes.next != bytes.end)
		refuse_bytes();
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}
