/*
 * describe.c
 *		mlops.describe(): one row a column of a table or query.
 *
 * The source runs with the caller's rights, like that of train(); a receiver
 * counts each row into one profile a column.  Columns whose type cannot be
 * profiled are only counted.
 *
 * Memory: the profiles live in the call's context, what counting a value
 * allocates in row_context, reset every few rows.
 */
#include "distribution_show.h"

#include <math.h>

#include "executor/tuptable.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "compat.h"
#include "interrupt.h"
#include "report.h"
#include "result_row.h"
#include "source.h"

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

typedef struct DescribeScan
{
	DestReceiver receiver;		/* first: the executor's view */
	DescribedColumn *columns;
	int			n_columns;
	uint64		n_rows;
	MemoryContext row_context;
} DescribeScan;

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
static DescribeScan *
scan_columns(const Source *source)
{
	DescribeScan *scan = palloc0(sizeof(DescribeScan));
	const SourceColumn **picked = palloc(source->n_columns * sizeof(SourceColumn *));

	scan->receiver = (DestReceiver) {describe_receive, describe_startup, describe_end, describe_end, DestNone};
	scan->n_columns = source->n_columns;
	scan->columns = palloc0(source->n_columns * sizeof(DescribedColumn));
	scan->row_context = AllocSetContextCreate(CurrentMemoryContext, "mlops row", ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < source->n_columns; i++)
	{
		DescribedColumn *column = &scan->columns[i];

		picked[i] = column->source = &source->columns[i];
		if (value_counter(&column->counter, column->source->type, CurrentMemoryContext))
			column->object = profile_object_new(CurrentMemoryContext, column->counter.kind, NULL);
	}
	(void) source_run(source, picked, source->n_columns, &scan->receiver, describe_planned, NULL);
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
	scan = scan_columns(source);
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
