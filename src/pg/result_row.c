/*
 * result_row.c
 *		One row of a result set, put together value by value.
 */
#include "result_row.h"

#include <math.h>

#include "utils/builtins.h"

/* Adds a value. */
void
row_add(ResultRow *row, Datum value)
{
	Assert(row->n < RESULT_ROW_MAX);
	row->nulls[row->n] = false;
	row->values[row->n++] = value;
}

/* Adds NULL. */
void
row_add_null(ResultRow *row)
{
	Assert(row->n < RESULT_ROW_MAX);
	row->nulls[row->n] = true;
	row->values[row->n++] = (Datum) 0;
}

/* Adds a text, or NULL. */
void
row_add_text(ResultRow *row, const char *text)
{
	if (text == NULL)
		row_add_null(row);
	else
		row_add(row, CStringGetTextDatum(text));
}

/* Adds a number; NULL where it is none, or does not apply. */
void
row_add_number(ResultRow *row, bool applies, double number)
{
	if (!applies || isnan(number))
		row_add_null(row);
	else
		row_add(row, Float8GetDatum(number));
}

/* Puts the row into the result, and empties it. */
void
row_put(ResultRow *row, ReturnSetInfo *result)
{
	Assert(row->n == result->setDesc->natts);
	tuplestore_putvalues(result->setResult, result->setDesc, row->values, row->nulls);
	row->n = 0;
}
