/*
 * profile_value.c
 *		SQL values as a profile counts them.
 *
 * Agrees with what training reads (values.c): numbers, booleans, dates and
 * times become the same doubles, texts are taken by their bytes.  What is
 * detoasted belongs to the current context, which the executor resets.
 */
#include "distribution.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "../compat.h"
#include "../source/scan.h"
#include "../source/values.h"

#include "../../core/hash.h"
#include "../../core/number_text.h"

static void
count_int2(Profile *profile, Datum value, ValueCounter *counter)
{
	profile_number(profile, DatumGetInt16(value));
}

static void
count_int4(Profile *profile, Datum value, ValueCounter *counter)
{
	profile_number(profile, DatumGetInt32(value));
}

static void
count_int8(Profile *profile, Datum value, ValueCounter *counter)
{
	profile_number(profile, (double) DatumGetInt64(value));
}

static void
count_float4(Profile *profile, Datum value, ValueCounter *counter)
{
	profile_number(profile, DatumGetFloat4(value));
}

static void
count_float8(Profile *profile, Datum value, ValueCounter *counter)
{
	profile_number(profile, DatumGetFloat8(value));
}

static void
count_numeric(Profile *profile, Datum value, ValueCounter *counter)
{
	bool		rounded;

	profile_number(profile, value_numeric(value, &rounded));
}

static void
count_boolean(Profile *profile, Datum value, ValueCounter *counter)
{
	profile_number(profile, DatumGetBool(value) ? 1 : 0);
}

static void
count_date(Profile *profile, Datum value, ValueCounter *counter)
{
	DateADT		date = DatumGetDateADT(value);

	profile_number(profile, DATE_IS_NOBEGIN(date) ? -INFINITY : DATE_IS_NOEND(date) ? INFINITY : (double) date);
}

static void
count_timestamp(Profile *profile, Datum value, ValueCounter *counter)
{
	Timestamp	timestamp = DatumGetTimestamp(value);

	profile_number(profile, TIMESTAMP_IS_NOBEGIN(timestamp) ? -INFINITY : TIMESTAMP_IS_NOEND(timestamp) ? INFINITY : (double) timestamp);
}

static void
count_interval(Profile *profile, Datum value, ValueCounter *counter)
{
	profile_number(profile, value_interval_seconds(DatumGetIntervalP(value)));
}

/* A text by all its bytes; what is shown of it ends with a whole character. */
static inline void
count_bytes(Profile *profile, const char *text, size_t length)
{
	size_t		shown = length <= TEXT_NAME_MAX ? length : (size_t) pg_mbcliplen(text, (int) length, TEXT_NAME_MAX);

	profile_text(profile, hash64_bytes(text, length), text, shown);
}

/* Frees what was detoasted: a context may be reset after many rows only, and texts can be long. */
static inline void
free_copy(struct varlena *text, Datum value)
{
	if (text != (struct varlena *) DatumGetPointer(value))
		pfree(text);
}

static void
count_text(Profile *profile, Datum value, ValueCounter *counter)
{
	struct varlena *text = PG_DETOAST_DATUM_PACKED(value);

	count_bytes(profile, VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
	free_copy(text, value);
}

/* char(n): without the blanks that pad it, as its cast to text. */
static void
count_bpchar(Profile *profile, Datum value, ValueCounter *counter)
{
	struct varlena *text = PG_DETOAST_DATUM_PACKED(value);

	count_bytes(profile, VARDATA_ANY(text), bpchartruelen(VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text)));
	free_copy(text, value);
}

static void
count_output(Profile *profile, Datum value, ValueCounter *counter)
{
	char	   *text = OutputFunctionCall(&counter->output, value);

	count_bytes(profile, text, strlen(text));
	pfree(text);
}

static ValueCount
count_number_type(Oid base_type)
{
	switch (base_type)
	{
		case INT2OID:
			return count_int2;
		case INT4OID:
			return count_int4;
		case INT8OID:
			return count_int8;
		case FLOAT4OID:
			return count_float4;
		case FLOAT8OID:
			return count_float8;
		case NUMERICOID:
			return count_numeric;
		case BOOLOID:
			return count_boolean;
		case DATEOID:
			return count_date;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return count_timestamp;
		case INTERVALOID:
			return count_interval;
		default:
			return NULL;
	}
}

/* How values of a type are counted. */
bool
value_counter(ValueCounter *counter, Oid type, MemoryContext context)
{
	Oid			base_type = getBaseType(type);
	ColumnStorage storage;
	Oid			output;
	bool		is_varlena;

	if (scan_number_type(base_type, &counter->kind, &storage))
	{
		counter->count = count_number_type(base_type);
		return true;
	}
	counter->kind = KIND_CATEGORY;
	if (!scan_text_type(base_type))
		return false;
	if (base_type == BPCHAROID)
		counter->count = count_bpchar;
	else if (base_type == TEXTOID || base_type == VARCHAROID)
		counter->count = count_text;
	else
	{
		counter->count = count_output;
		getTypeOutputInfo(base_type, &output, &is_varlena);
		fmgr_info_cxt(output, &counter->output, context);
	}
	return true;
}

/* A date of a number of days, kept within those that there are. */
static char *
date_text(double days)
{
	days = Min(Max(rint(days), (double) DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE), (double) DATE_END_JULIAN - POSTGRES_EPOCH_JDATE - 1);
	return DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum((DateADT) days)));
}

static char *
timestamp_text(PGFunction output, double microseconds)
{
	microseconds = Min(Max(rint(microseconds), (double) MIN_TIMESTAMP), (double) END_TIMESTAMP - 1024);
	return DatumGetCString(DirectFunctionCall1(output, TimestampGetDatum((Timestamp) microseconds)));
}

/* An interval of a number of seconds, days and time, kept within those that there are. */
static char *
interval_text(double seconds)
{
	Interval	interval = {0};
	double		days = trunc(seconds / SECS_PER_DAY);

	days = Min(Max(days, -1e9), 1e9);
	interval.day = (int32) days;
	interval.time = (TimeOffset) Min(Max(rint((seconds - days * SECS_PER_DAY) * USECS_PER_SEC), -9e18), 9e18);
	return DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(&interval)));
}

/* A number of a kind as a text. */
char *
distribution_number_text(ColumnKind kind, double number)
{
	char	   *text;

	if (isnan(number))
		return NULL;
	switch (kind)
	{
		case KIND_DATE:
			return date_text(number);
		case KIND_TIMESTAMP:
			return timestamp_text(timestamp_out, number);
		case KIND_TIMESTAMPTZ:
			return timestamp_text(timestamptz_out, number);
		case KIND_INTERVAL:
			return interval_text(number);
		case KIND_BOOLEAN:
			if (number == 0 || number == 1)
				return pstrdup(number == 1 ? "true" : "false");
			break;
		default:
			break;
	}
	text = palloc(NUMBER_TEXT_SIZE);
	number_text(number, false, text, NUMBER_TEXT_SIZE);
	return text;
}

/* The text that a cell names, or its number. */
char *
distribution_cell_text(const Distribution *distribution, const DistributionCell *cell)
{
	size_t		length;
	const char *text;

	if (!distribution_is_text(distribution))
		return distribution_number_text(distribution->kind, key_number(cell->name));
	text = cell_text(distribution, cell, &length);
	return pnstrdup(text, length);
}
