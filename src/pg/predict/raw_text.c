/*
 * raw_text.c
 *		Raw values as texts, as the session shows values of their columns.
 */
#include "explanation.h"

#include <math.h>

#include "datatype/timestamp.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#define INTERVAL_SECONDS_MAX 9e12	/* what an interval of microseconds holds */

/* A date or timestamp: infinite ones, too. */
static char *
time_text(ColumnKind kind, double raw)
{
	if (kind == KIND_DATE)
	{
		DateADT		date = isinf(raw) ? (raw < 0 ? DATEVAL_NOBEGIN : DATEVAL_NOEND) : (DateADT) raw;

		return DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(date)));
	}

	Timestamp	timestamp = isinf(raw) ? (raw < 0 ? DT_NOBEGIN : DT_NOEND) : (Timestamp) raw;

	return DatumGetCString(DirectFunctionCall1(kind == KIND_TIMESTAMP ? timestamp_out : timestamptz_out, TimestampGetDatum(timestamp)));
}

/* An interval of so many seconds. */
static char *
interval_text(double raw)
{
	if (fabs(raw) > INTERVAL_SECONDS_MAX)
		return float8out_internal(raw);

	Interval	interval = {.time = (TimeOffset) rint(raw * USECS_PER_SEC)};
	Datum		days = DirectFunctionCall1(interval_justify_hours, IntervalPGetDatum(&interval));

	return DatumGetCString(DirectFunctionCall1(interval_out, days));
}

/* A raw value as a text. */
char *
raw_text(const Model *model, uint32 column, double raw)
{
	const RecipeColumn *recipe = &model->columns[column];
	ColumnKind	kind = (ColumnKind) recipe->kind;

	if (isnan(raw))
		return NULL;
	switch (kind)
	{
		case KIND_NUMBER:
			break;
		case KIND_BOOLEAN:
			return pstrdup(raw != 0 ? "true" : "false");
		case KIND_DATE:
		case KIND_TIMESTAMP:
		case KIND_TIMESTAMPTZ:
			return time_text(kind, raw);
		case KIND_INTERVAL:
			return interval_text(raw);
		case KIND_CATEGORY:
			return pstrdup(model_string(model, model->categories[recipe->categories + (uint64) raw]));
	}
	if (recipe->storage == STORAGE_FLOAT32)
		return DatumGetCString(DirectFunctionCall1(float4out, Float4GetDatum((float4) raw)));
	return float8out_internal(raw);
}
