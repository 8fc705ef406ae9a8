/*
 * number_rows.c
 *		Rows of numbers as the state of an aggregate: transition and combination.
 */
#include "number_rows.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "../compat.h"

#define FIRST_CAPACITY 32		/* rows */
#define WIDTH_MAX 8

PG_FUNCTION_INFO_V1(mlops_rows_count);
PG_FUNCTION_INFO_V1(mlops_rows_merge);

static uint64
rows_size(uint64 width, uint64 capacity)
{
	return offsetof(NumberRows, values) + width * capacity * sizeof(double);
}

/* A state with room for so many rows, and the rows of another in it. */
static NumberRows *
rows_new(uint32 width, uint64 capacity, const NumberRows *from)
{
	NumberRows *rows;

	if (capacity > PG_UINT32_MAX || rows_size(width, capacity) > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("an aggregate of this kind cannot hold " UINT64_FORMAT " rows", capacity),
				 errhint("Take a sample of the rows.")));
	rows = palloc(rows_size(width, capacity));
	SET_VARSIZE(rows, rows_size(width, capacity));
	rows->width = width;
	rows->capacity = (uint32) capacity;
	rows->n = from != NULL ? from->n : 0;
	if (from != NULL)
		memcpy(rows->values, from->values, (Size) from->n * width * sizeof(double));
	return rows;
}

/* A state as an argument, checked. */
static NumberRows *
rows_argument(FunctionCallInfo fcinfo, int argument)
{
	NumberRows *rows = (NumberRows *) PG_DETOAST_DATUM(PG_GETARG_DATUM(argument));
	Size		size = VARSIZE(rows);

	if (size < offsetof(NumberRows, values) || rows->width < 1 || rows->width > WIDTH_MAX || rows->n > rows->capacity ||
		size != rows_size(rows->width, rows->capacity))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the bytes are no valid state of an aggregate over rows of numbers")));
	return rows;
}

/* One that may be changed, with room for so many more rows: an aggregate's own is, anybody else's is copied. */
static NumberRows *
rows_writable(FunctionCallInfo fcinfo, uint32 width, uint64 more)
{
	NumberRows *rows;
	uint64		needed;

	if (PG_ARGISNULL(0))
		return rows_new(width, Max(more, FIRST_CAPACITY), NULL);
	rows = rows_argument(fcinfo, 0);
	if (rows->width != width)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("rows of %u numbers cannot be added to rows of %u", width, rows->width)));
	needed = rows->n + more;
	if (needed > rows->capacity)
		return rows_new(width, Max(needed, (uint64) rows->capacity * 2), rows);
	return AggCheckCallContext(fcinfo, NULL) ? rows : rows_new(width, rows->capacity, rows);
}

/* Which of the arguments are booleans, as bits; found at the first call. */
static uint32
boolean_arguments(FunctionCallInfo fcinfo)
{
	uint32	   *bits = fcinfo->flinfo->fn_extra;

	if (bits != NULL)
		return *bits;
	bits = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(uint32));
	for (int i = 1; i < PG_NARGS(); i++)
	{
		if (get_fn_expr_argtype(fcinfo->flinfo, i) == BOOLOID)
			*bits |= 1u << i;
	}
	fcinfo->flinfo->fn_extra = bits;
	return *bits;
}

/* The transition: a row, its booleans as 0 and 1.  One with a NULL or with a number that is not finite counts for nothing. */
Datum
mlops_rows_count(PG_FUNCTION_ARGS)
{
	uint32		width = (uint32) PG_NARGS() - 1;
	uint32		booleans = boolean_arguments(fcinfo);
	NumberRows *rows = rows_writable(fcinfo, width, 1);
	double	   *row = rows->values + (Size) rows->n * width;

	for (uint32 i = 1; i <= width; i++)
	{
		if (PG_ARGISNULL(i))
			PG_RETURN_POINTER(rows);
		row[i - 1] = booleans & 1u << i ? PG_GETARG_BOOL(i) : PG_GETARG_FLOAT8(i);
		if (!isfinite(row[i - 1]))
			PG_RETURN_POINTER(rows);
	}
	rows->n++;
	PG_RETURN_POINTER(rows);
}

/* The states of two workers as one. */
Datum
mlops_rows_merge(PG_FUNCTION_ARGS)
{
	NumberRows *rows;
	NumberRows *part;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	part = rows_argument(fcinfo, 1);
	rows = rows_writable(fcinfo, part->width, part->n);
	memcpy(rows->values + (Size) rows->n * rows->width, part->values, (Size) part->n * part->width * sizeof(double));
	rows->n += part->n;
	PG_RETURN_POINTER(rows);
}

NumberRows *
number_rows_final(FunctionCallInfo fcinfo, uint32 least, uint32 most)
{
	NumberRows *rows;

	if (PG_ARGISNULL(0))
		return NULL;
	rows = rows_argument(fcinfo, 0);
	if (rows->width < least || rows->width > most)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("rows of %u numbers are no state of this aggregate", rows->width)));
	return rows;
}

double *
number_rows_column(const NumberRows *rows, uint32 column)
{
	double	   *values;

	if (column >= rows->width)
		return NULL;
	values = palloc_extended(Max(rows->n, 1) * sizeof(double), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < rows->n; i++)
		values[i] = rows->values[(Size) i * rows->width + column];
	return values;
}

double *
number_rows_range(const NumberRows *rows, uint32 column, const char *name, double least, double most)
{
	double	   *values = number_rows_column(rows, column);

	for (uint32 i = 0; values != NULL && i < rows->n; i++)
	{
		if (!(values[i] >= least && values[i] <= most))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 most < DBL_MAX
					 ? errmsg("%s %g is not between %g and %g", name, values[i], least, most)
					 : errmsg("%s %g is less than %g", name, values[i], least)));
	}
	return values;
}
