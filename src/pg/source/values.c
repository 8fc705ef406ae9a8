/*
 * values.c
 *		SQL values as cells of a matrix.
 *
 * A converter writes one row's values of neighbouring columns of one type, so
 * that the type is decided once a run and not once a value.  Memory of
 * detoasted values and of output functions belongs to the current context,
 * which the scan resets.
 */
#include "values.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "../compat.h"
#include "../report.h"
#include "scan.h"
#include "value_cells.h"

#define EXACT_DIGITS 15			/* and every decimal number of so many digits */

static void
convert_int2(ValueRun *run, const Datum *values, const bool *nulls, uint32 row)
{
	RowCells	cells = row_cells(run, row);

	for (uint32 i = 0; i < cells.n; i++)
	{
		if (unlikely(nulls[i]))
			column_of(run, i)->n_missing++;
		*cell_float(cells, i) = nulls[i] ? MATRIX_NULL_FLOAT : (float) DatumGetInt16(values[i]);
	}
}

static void
convert_float4(ValueRun *run, const Datum *values, const bool *nulls, uint32 row)
{
	RowCells	cells = row_cells(run, row);

	for (uint32 i = 0; i < cells.n; i++)
	{
		float		value = DatumGetFloat4(values[i]);

		if (unlikely(nulls[i]))
		{
			column_of(run, i)->n_missing++;
			value = MATRIX_NULL_FLOAT;
		}
		else if (unlikely(!isfinite(value)))
			count_special(run, i, value);
		*cell_float(cells, i) = value;
	}
}

static void
convert_int4(ValueRun *run, const Datum *values, const bool *nulls, uint32 row)
{
	RowCells	cells = row_cells(run, row);

	for (uint32 i = 0; i < cells.n; i++)
	{
		if (unlikely(nulls[i]))
			column_of(run, i)->n_missing++;
		*cell_double(cells, i) = nulls[i] ? MATRIX_NULL : (double) DatumGetInt32(values[i]);
	}
}

static void
convert_int8(ValueRun *run, const Datum *values, const bool *nulls, uint32 row)
{
	RowCells	cells = row_cells(run, row);

	for (uint32 i = 0; i < cells.n; i++)
	{
		if (unlikely(nulls[i]))
			column_of(run, i)->n_missing++;
		*cell_double(cells, i) = nulls[i] ? MATRIX_NULL : exact_integer(run, i, DatumGetInt64(values[i]));
	}
}

static void
convert_float8(ValueRun *run, const Datum *values, const bool *nulls, uint32 row)
{
	RowCells	cells = row_cells(run, row);

	for (uint32 i = 0; i < cells.n; i++)
	{
		double		value = nulls[i] ? MATRIX_NULL : DatumGetFloat8(values[i]);

		if (unlikely(nulls[i]))
			column_of(run, i)->n_missing++;
		else if (unlikely(!isfinite(value)))
			count_special(run, i, value);
		*cell_double(cells, i) = value;
	}
}

/* Digits of a decimal number between its first and its last that is not 0. */
static int
significant_digits(const char *text)
{
	int			digits = 0;
	int			zeros = 0;

	for (; *text != '\0'; text++)
	{
		if (*text == '0')
			zeros++;
		else if (*text >= '1' && *text <= '9')
		{
			digits += (digits > 0 ? zeros : 0) + 1;
			zeros = 0;
		}
	}
	return digits;
}

/* A numeric as the nearest double; *rounded where the double's shortest text is another number. */
double
value_numeric(Datum numeric, bool *rounded)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, numeric));
	double		value = strtod(text, NULL);	/* as float8in: reads NaN and Infinity, too */
	int			digits = numeric_is_nan(DatumGetNumeric(numeric)) || numeric_is_inf(DatumGetNumeric(numeric))
		? 0 : significant_digits(text);

	*rounded = digits > 0 && (value == 0 || isinf(value));
	if (digits > EXACT_DIGITS && !*rounded)
	{
		char		shortest[DOUBLE_SHORTEST_DECIMAL_LEN];
		Datum		again;

		double_to_shortest_decimal_buf(value, shortest);
		again = DirectFunctionCall3(numeric_in, CStringGetDatum(shortest), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
		*rounded = !DatumGetBool(DirectFunctionCall2(numeric_eq, again, numeric));
	}
	pfree(text);
	return value;
}

static void
convert_numeric(ValueRun *run, const Datum *values, const bool *nulls, uint32 row)
{
	RowCells	cells = row_cells(run, row);

	for (uint32 i = 0; i < cells.n; i++)
	{
		double		value = MATRIX_NULL;

		if (unlikely(nulls[i]))
			column_of(run, i)->n_missing++;
		else
		{
			bool		rounded;

			value = value_numeric(values[i], &rounded);
			if (unlikely(rounded))
				column_of(run, i)->n_rounded++;
			if (unlikely(!isfinite(value)))
				count_special(run, i, value);
		}
		*cell_double(cells, i) = value;
	}
}

static void
convert_boolean(ValueRun *run, const Datum *values, const bool *nulls, uint32 row)
{
	RowCells	cells = row_cells(run, row);

	for (uint32 i = 0; i < cells.n; i++)
	{
		if (unlikely(nulls[i]))
			column_of(run, i)->n_missing++;
		*cell_double(cells, i) = nulls[i] ? MATRIX_NULL : DatumGetBool(values[i]) ? 1.0 : 0.0;
	}
}

static void
convert_date(ValueRun *run, const Datum *values, const bool *nulls, uint32 row)
{
	RowCells	cells = row_cells(run, row);

	for (uint32 i = 0; i < cells.n; i++)
	{
		double		value = MATRIX_NULL;

		if (unlikely(nulls[i]))
			column_of(run, i)->n_missing++;
		else
		{
			DateADT		date = DatumGetDateADT(values[i]);

			value = DATE_IS_NOBEGIN(date) ? -INFINITY : DATE_IS_NOEND(date) ? INFINITY : (double) date;
			if (unlikely(isinf(value)))
				count_special(run, i, value);
		}
		*cell_double(cells, i) = value;
	}
}

static void
convert_timestamp(ValueRun *run, const Datum *values, const bool *nulls, uint32 row)
{
	RowCells	cells = row_cells(run, row);

	for (uint32 i = 0; i < cells.n; i++)
	{
		double		value = MATRIX_NULL;

		if (unlikely(nulls[i]))
			column_of(run, i)->n_missing++;
		else
		{
			Timestamp	timestamp = DatumGetTimestamp(values[i]);

			if (unlikely(TIMESTAMP_NOT_FINITE(timestamp)))
			{
				value = TIMESTAMP_IS_NOBEGIN(timestamp) ? -INFINITY : INFINITY;
				count_special(run, i, value);
			}
			else
				value = exact_integer(run, i, timestamp);
		}
		*cell_double(cells, i) = value;
	}
}

/* Seconds of an interval: a month counts 30 days, 12 of them 365.25. */
double
value_interval_seconds(const Interval *interval)
{
	if (INTERVAL_IS_NOBEGIN(interval))
		return -INFINITY;
	if (INTERVAL_IS_NOEND(interval))
		return INFINITY;
	return (double) interval->time / USECS_PER_SEC +
		(double) DAYS_PER_YEAR * SECS_PER_DAY * (interval->month / MONTHS_PER_YEAR) +
		(double) DAYS_PER_MONTH * SECS_PER_DAY * (interval->month % MONTHS_PER_YEAR) +
		(double) SECS_PER_DAY * interval->day;
}

static void
convert_interval(ValueRun *run, const Datum *values, const bool *nulls, uint32 row)
{
	RowCells	cells = row_cells(run, row);

	for (uint32 i = 0; i < cells.n; i++)
	{
		double		value = MATRIX_NULL;

		if (unlikely(nulls[i]))
			column_of(run, i)->n_missing++;
		else
		{
			value = value_interval_seconds(DatumGetIntervalP(values[i]));
			if (unlikely(isinf(value)))
				count_special(run, i, value);
		}
		*cell_double(cells, i) = value;
	}
}

/* Writes the code of a text. */
static inline void
write_code(ValueRun *run, uint32 i, uint32 row, const char *text, size_t length)
{
	Error		error;
	uint32		code = matrix_writer_code(run->writer, run->first_column + i, text, length, &error);

	if (unlikely(code == CODE_MISSING))
		report_error(&error);
	((uint32 *) (run->writer->block + run->offsets[i]))[row] = code;
}

static inline void
write_missing_code(ValueRun *run, uint32 i, uint32 row)
{
	column_of(run, i)->n_missing++;
	((uint32 *) (run->writer->block + run->offsets[i]))[row] = CODE_MISSING;
}

static void
convert_text(ValueRun *run, const Datum *values, const bool *nulls, uint32 row)
{
	for (uint32 i = 0; i < run->n_columns; i++)
	{
		if (nulls[i])
			write_missing_code(run, i, row);
		else
		{
			struct varlena *text = PG_DETOAST_DATUM_PACKED(values[i]);

			write_code(run, i, row, VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
		}
	}
}

/* char(n): without the blanks that pad it, as its cast to text. */
static void
convert_bpchar(ValueRun *run, const Datum *values, const bool *nulls, uint32 row)
{
	for (uint32 i = 0; i < run->n_columns; i++)
	{
		if (nulls[i])
			write_missing_code(run, i, row);
		else
		{
			struct varlena *text = PG_DETOAST_DATUM_PACKED(values[i]);

			write_code(run, i, row, VARDATA_ANY(text), bpchartruelen(VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text)));
		}
	}
}

/* A boolean taken as a category: as its cast to text. */
static void
convert_boolean_text(ValueRun *run, const Datum *values, const bool *nulls, uint32 row)
{
	for (uint32 i = 0; i < run->n_columns; i++)
	{
		if (nulls[i])
			write_missing_code(run, i, row);
		else if (DatumGetBool(values[i]))
			write_code(run, i, row, "true", 4);
		else
			write_code(run, i, row, "false", 5);
	}
}

/* Whatever else is a text: by its output function. */
static void
convert_output(ValueRun *run, const Datum *values, const bool *nulls, uint32 row)
{
	for (uint32 i = 0; i < run->n_columns; i++)
	{
		if (nulls[i])
			write_missing_code(run, i, row);
		else
		{
			char	   *text = OutputFunctionCall(&run->output, values[i]);

			write_code(run, i, row, text, strlen(text));
		}
	}
}

/* How a base type is converted to a storage. */
ValueConvert
value_converter(Oid base_type, ColumnStorage storage)
{
	if (storage == STORAGE_CODE)
	{
		switch (base_type)
		{
			case TEXTOID:
			case VARCHAROID:
				return convert_text;
			case BPCHAROID:
				return convert_bpchar;
			case BOOLOID:
				return convert_boolean_text;
			default:
				return scan_category_type(base_type) ? convert_output : NULL;
		}
	}
	switch (base_type)
	{
		case INT2OID:
			return convert_int2;
		case FLOAT4OID:
			return convert_float4;
		case INT4OID:
			return convert_int4;
		case INT8OID:
			return convert_int8;
		case FLOAT8OID:
			return convert_float8;
		case NUMERICOID:
			return convert_numeric;
		case BOOLOID:
			return convert_boolean;
		case DATEOID:
			return convert_date;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return convert_timestamp;
		case INTERVALOID:
			return convert_interval;
		default:
			return NULL;
	}
}
