/*
 * result_row.h
 *		One row of a result set, put together value by value.
 */
#ifndef MLOPS_PG_RESULT_ROW_H
#define MLOPS_PG_RESULT_ROW_H

#include "postgres.h"

#include "funcapi.h"

#define RESULT_ROW_MAX 24		/* columns */

typedef struct ResultRow
{
	Datum		values[RESULT_ROW_MAX];
	bool		nulls[RESULT_ROW_MAX];
	int			n;
} ResultRow;

/* Each adds one value; a NULL text, a number that is NaN or does not apply, is NULL. */
extern void row_add(ResultRow *row, Datum value);
extern void row_add_null(ResultRow *row);
extern void row_add_text(ResultRow *row, const char *text);
extern void row_add_number(ResultRow *row, bool applies, double number);

/* Puts the row, which must be complete, into a materialized result, and empties it. */
extern void row_put(ResultRow *row, ReturnSetInfo *result);

#endif
