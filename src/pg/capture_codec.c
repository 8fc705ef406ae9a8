/*
 * capture_codec.c
 *		Captured features as bytes, and the bytes as jsonb.
 *
 * Whole numbers of a moderate size take one to five bytes, other numbers five
 * or nine, texts their length and a byte or two.  What decode_features() is
 * given comes from anybody, so every length is checked.
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

#include "json_fields.h"

#define LARGEST_INTEGER 134217727.0 /* takes four bytes: beyond, a float does as well */
#define LONGEST_NUMBER 10		/* bytes of a code and what follows but for texts; of a variable-length integer, too */

PG_FUNCTION_INFO_V1(mlops_decode_features);

/* Bytes that are being read. */
typedef struct Bytes
{
	const uint8 *next;
	const uint8 *end;
} Bytes;

/* Puts an unsigned integer, seven bits a byte, the lowest first; its end. */
static inline char *
put_varint(char *place, uint64 value)
{
	while (value >= 0x80)
	{
		*place++ = (char) (value | 0x80);
		value >>= 7;
	}
	*place++ = (char) value;
	return place;
}

/* Puts a code and a double. */
static inline char *
put_double(char *place, CaptureCode code, double value)
{
	*place++ = (char) code;
	memcpy(place, &value, sizeof(value));
	return place + sizeof(value);
}

/* Puts a number as short as it goes. */
static inline char *
put_number(char *place, bool single, double raw)
{
	float		as_float = (float) raw;

	if (fabs(raw) <= LARGEST_INTEGER && raw == (double) (int32) raw && !(raw == 0 && signbit(raw)))
	{
		int64		value = (int32) raw;

		*place++ = (char) CAPTURED_INTEGER;
		return put_varint(place, ((uint64) value << 1) ^ (uint64) (value >> 63));
	}
	if (single || (double) as_float == raw)
	{
		*place++ = (char) (single ? CAPTURED_FLOAT : CAPTURED_SHORT_DOUBLE);
		memcpy(place, &as_float, sizeof(as_float));
		return place + sizeof(as_float);
	}
	return put_double(place, CAPTURED_DOUBLE, raw);
}

/* Puts the raw value of a column. */
static inline char *
put_value(char *place, const RecipeColumn *column, double raw)
{
	if (isnan(raw))
	{
		*place++ = (char) CAPTURED_NULL;
		return place;
	}
	switch ((ColumnKind) column->kind)
	{
		case KIND_NUMBER:
		case KIND_CATEGORY:
			return put_number(place, column->storage == STORAGE_FLOAT32, raw);
		case KIND_BOOLEAN:
			*place++ = (char) (raw != 0 ? CAPTURED_TRUE : CAPTURED_FALSE);
			return place;
		case KIND_DATE:
			return put_double(place, CAPTURED_DATE, raw);
		case KIND_TIMESTAMP:
			return put_double(place, CAPTURED_TIMESTAMP, raw);
		case KIND_TIMESTAMPTZ:
			return put_double(place, CAPTURED_TIMESTAMPTZ, raw);
		case KIND_INTERVAL:
			return put_double(place, CAPTURED_INTERVAL, raw);
	}
	return place;
}

/* The bytes up to here are a part of the text. */
static inline void
end_at(StringInfo out, const char *end)
{
	out->len = (int) (end - out->data);
}

void
capture_encode_numbers(StringInfo out, const RecipeColumn *columns, const double *raw, uint32 n)
{
	char	   *place;

	enlargeStringInfo(out, (int) n * LONGEST_NUMBER);
	place = out->data + out->len;
	for (uint32 i = 0; i < n; i++)
		place = put_value(place, &columns[i], raw[i]);
	end_at(out, place);
}

void
capture_encode_text(StringInfo out, CaptureCode code, const char *text, size_t length)
{
	char	   *place;

	enlargeStringInfo(out, LONGEST_NUMBER);
	place = out->data + out->len;
	*place++ = (char) code;
	end_at(out, put_varint(place, length));
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
			json_push_text(state, WJB_VALUE, psprintf("%.6f seconds", take_double(bytes)));
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
