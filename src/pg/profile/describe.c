/*
 * describe.c
 *		mlops.describe(): one row a column of a table or query; the same as jsonb for snapshots.
 *
 * The source runs with the caller's rights, like that of train(); a receiver
 * counts each row into one profile a column.  Columns whose type cannot be
 * profiled are only counted.
 *
 * Memory: the profiles live in the call's context, what counting a value
 * allocates in row_context, reset every few rows.
 */
#include "describe.h"

#include <math.h>

#include "executor/tuptable.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "../compat.h"
#include "distribution_show.h"
#include "../interrupt.h"
#include "../json_fields.h"
#include "../report.h"
#include "../result_row.h"
#include "../source/source.h"

#define FUNCTION		"mlops.describe()"
#define RESET_ROWS		64		/* rows between resets of row_context */
#define INTERRUPT_ROWS	4096
#define N_TOP			5		/* values that are shown */
#define QUANTILE_DIGITS	5		/* of quantiles from wide cells, which are good to 0.4 % */
#define MEAN_DIGITS		12

PG_FUNCTION_INFO_V1(mlops_describe);

typedef struct DescribedColumn
{
	const SourceColumn *source;
	ValueCounter counter;
	ProfileObject *object;		/* NULL: only counted */
	uint64		n_null;			/* then */
} DescribedColumn;

struct DescribeScan
{
	DestReceiver receiver;		/* first: the executor's view */
	DescribedColumn *columns;
	int			n_columns;
	uint64		n_rows;
	bool		row_security;
	MemoryContext row_context;
	DescribeRow each;			/* or NULL */
	void	   *context;		/* its own */
};

/* One row. */
static bool
describe_receive(TupleTableSlot *slot, DestReceiver *receiver)
{
	DescribeScan *scan = (DescribeScan *) receiver;
	MemoryContext old = MemoryContextSwitchTo(scan->row_context);

	slot_getallattrs(slot);
	for (int i = 0; i < scan->n_columns; i++)
	{
		DescribedColumn *column = &scan->columns[i];

		if (column->object == NULL)
			column->n_null += slot->tts_isnull[i];
		else if (slot->tts_isnull[i])
			profile_null(&column->object->profile);
		else
			column->counter.count(&column->object->profile, slot->tts_values[i], &column->counter);
	}
	if (scan->each != NULL)
		scan->each(slot, scan->context);
	MemoryContextSwitchTo(old);
	scan->n_rows++;
	if (scan->n_rows % RESET_ROWS == 0)
		MemoryContextReset(scan->row_context);
	if (scan->n_rows % INTERRUPT_ROWS == 0)
	{
		interrupt_check_client();
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

static void
describe_startup(DestReceiver *receiver, int operation, TupleDesc row_type)
{
}

static void
describe_end(DestReceiver *receiver)
{
}

static void
describe_planned(void *context, double rows)
{
}

/* Counts the rows of a source. */
DescribeScan *
describe_source(const Source *source, DescribeRow each, void *context)
{
	DescribeScan *scan = palloc0(sizeof(DescribeScan));
	const SourceColumn **picked = palloc(source->n_columns * sizeof(SourceColumn *));

	scan->receiver = (DestReceiver) {describe_receive, describe_startup, describe_end, describe_end, DestNone};
	scan->n_columns = source->n_columns;
	scan->each = each;
	scan->context = context;
	scan->columns = palloc0(source->n_columns * sizeof(DescribedColumn));
	scan->row_context = AllocSetContextCreate(CurrentMemoryContext, "mlops row", ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < source->n_columns; i++)
	{
		DescribedColumn *column = &scan->columns[i];

		picked[i] = column->source = &source->columns[i];
		if (value_counter(&column->counter, column->source->type, CurrentMemoryContext))
			column->object = profile_object_new(CurrentMemoryContext, column->counter.kind, NULL);
	}
	scan->row_security = source_run(source, picked, source->n_columns, &scan->receiver, describe_planned, NULL);
	return scan;
}

/* A number with no more digits than mean something. */
static double
with_digits(double number, int digits)
{
	char		text[64];

	snprintf(text, sizeof(text), "%.*g", digits, number);
	return strtod(text, NULL);
}

/* What is said of numbers: range, quartiles, mean, deviation. */
static void
add_numbers(ResultRow *row, const Distribution *d)
{
	bool		is_text = distribution_is_text(d);
	bool		is_number = d->kind == KIND_NUMBER || d->kind == KIND_BOOLEAN;

	for (int i = 0; i <= 4; i++)
	{
		double		quantile = distribution_quantile(d, i / 4.0);

		if (is_number && d->shift > 0 && i % 4 != 0)
			quantile = with_digits(quantile, QUANTILE_DIGITS);
		row_add_text(row, is_text ? NULL : distribution_number_text(d->kind, quantile));
	}
	if (is_text || d->n == 0)
		row_add_null(row);
	else if (is_number)
		row_add_text(row, distribution_number_text(KIND_NUMBER, with_digits(d->moments.mean, MEAN_DIGITS)));
	else
		row_add_text(row, distribution_number_text(d->kind, d->moments.mean));
	row_add_number(row, !is_text, moments_deviation(&d->moments) /
				   (d->kind == KIND_TIMESTAMP || d->kind == KIND_TIMESTAMPTZ ? (double) USECS_PER_SEC : 1));
}

/* A column that was profiled. */
static void
add_profiled(ResultRow *row, const DescribedColumn *column)
{
	Datum		value = EOHPGetRODatum(&column->object->header);
	Distribution *d = distribution_read(value);
	uint64		rows = distribution_rows(d);
	bool		exact;
	double		distinct = distribution_distinct(d, &exact);

	row_add(row, Int64GetDatum((int64) rows));
	row_add_number(row, rows > 0, (double) d->n_null / (double) rows);
	row_add(row, Int64GetDatum((int64) distinct));
	add_numbers(row, d);
	row_add_text(row, show_top(d, N_TOP));
	row_add_text(row, show_histogram(d));
	row_add(row, distribution_datum(d));
}

/* One that was only counted. */
static void
add_counted(ResultRow *row, const DescribedColumn *column, uint64 rows)
{
	row_add(row, Int64GetDatum((int64) rows));
	row_add_number(row, rows > 0, (double) column->n_null / (double) rows);
	for (int i = 0; i < 11; i++)
		row_add_null(row);
}

/* Rows that were counted, and whether row security applied. */
uint64
describe_rows(const DescribeScan *scan, bool *row_security)
{
	*row_security = scan->row_security;
	return scan->n_rows;
}

/* A number of a column, as a number or, of times, as a text. */
static void
push_value(JsonbParseState **state, const char *key, const Distribution *d, double value)
{
	json_push_key(state, key);
	if (d->kind == KIND_NUMBER || d->kind == KIND_BOOLEAN)
		json_push_number(state, WJB_VALUE, value);
	else
		json_push_text(state, WJB_VALUE, distribution_number_text(d->kind, value));
}

/* What is known of the values of a column. */
static void
push_profile(JsonbParseState **state, const DescribedColumn *column)
{
	Distribution *d = distribution_read(EOHPGetRODatum(&column->object->header));
	bool		exact;

	json_push_key(state, "missing");
	json_push_integer(state, WJB_VALUE, (int64) d->n_null);
	json_push_key(state, "distinct");
	json_push_integer(state, WJB_VALUE, (int64) distribution_distinct(d, &exact));
	if (distribution_is_text(d) || d->n == 0)
		return;
	push_value(state, "min", d, distribution_quantile(d, 0));
	push_value(state, "max", d, distribution_quantile(d, 1));
	if (d->kind == KIND_NUMBER || d->kind == KIND_BOOLEAN)
	{
		push_value(state, "mean", d, d->moments.mean);
		push_value(state, "stddev", d, moments_deviation(&d->moments));
	}
}

/* The columns as a snapshot keeps them. */
Jsonb *
describe_columns(const DescribeScan *scan)
{
	JsonbParseState *state = NULL;
	int			nest_level = NewGUCNestLevel();

	/* times are written as they would be under this, whatever the session has */
	(void) set_config_option("TimeZone", "UTC", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("DateStyle", "ISO, YMD", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < scan->n_columns; i++)
	{
		const DescribedColumn *column = &scan->columns[i];

		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		json_push_key(&state, "name");
		json_push_text(&state, WJB_VALUE, column->source->name);
		json_push_key(&state, "type");
		json_push_text(&state, WJB_VALUE, column->source->type_name);
		if (column->object != NULL)
			push_profile(&state, column);
		else
		{
			json_push_key(&state, "missing");
			json_push_integer(&state, WJB_VALUE, (int64) column->n_null);
		}
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	AtEOXact_GUC(false, nest_level);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/* mlops.describe(source) */
Datum
mlops_describe(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "mlops description", ALLOCSET_DEFAULT_SIZES);
	Source	   *source;
	DescribeScan *scan;

	if (PG_ARGISNULL(0))
		report_null_argument(FUNCTION, "source");
	InitMaterializedSRF(fcinfo, 0);

	MemoryContextSwitchTo(work);
	source = source_open(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	scan = describe_source(source, NULL, NULL);
	for (int i = 0; i < scan->n_columns; i++)
	{
		const DescribedColumn *column = &scan->columns[i];
		ResultRow	row = {.n = 0};

		row_add_text(&row, column->source->name);
		row_add_text(&row, column->source->type_name);
		if (column->object != NULL)
			add_profiled(&row, column);
		else
			add_counted(&row, column, scan->n_rows);
		row_put(&row, (ReturnSetInfo *) fcinfo->resultinfo);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}
