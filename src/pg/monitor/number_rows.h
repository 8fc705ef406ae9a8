/*
 * number_rows.h
 *		Rows of numbers as the state of an aggregate.
 *
 * The state is a bytea: a header, and rows of as many numbers as the
 * aggregate has arguments.  It grows by doubling, so that few rows cost a
 * copy.  As a bytea it can be sent by workers; whoever hands in one of his
 * own finds it checked.
 */
#ifndef MLOPS_PG_NUMBER_ROWS_H
#define MLOPS_PG_NUMBER_ROWS_H

#include "postgres.h"

#include "fmgr.h"

typedef struct NumberRows
{
	int32		container;		/* length word */
	uint32		width;			/* numbers of a row */
	uint32		capacity;		/* rows that fit */
	uint32		n;
	double		values[FLEXIBLE_ARRAY_MEMBER];
} NumberRows;

/* The state as a final function's only argument, NULL without rows; DATA_CORRUPTED where its rows have less than `least` or more than `most` numbers. */
extern NumberRows *number_rows_final(FunctionCallInfo fcinfo, uint32 least, uint32 most);

/* One number of each row, palloc'ed; NULL for a column that the rows do not have. */
extern double *number_rows_column(const NumberRows *rows, uint32 column);

/* The same of numbers that lie in a range (most: DBL_MAX for no limit); INVALID_PARAMETER_VALUE naming the first that does not. */
extern double *number_rows_range(const NumberRows *rows, uint32 column, const char *name, double least, double most);

#endif
