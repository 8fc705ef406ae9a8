/*
 * tuple_values.h
 *		Numbers of stored tuples as cells of a matrix.
 */
#ifndef MLOPS_PG_TUPLE_VALUES_H
#define MLOPS_PG_TUPLE_VALUES_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "executor/tuptable.h"

#include "values.h"

typedef struct TupleRun TupleRun;

/* Writes one row's values of a run of columns, none of which is NULL.  data: of the tuple. */
typedef void (*TupleConvert) (const TupleRun *run, const char *data, uint32 row);

/* Neighbouring columns of one type, each at a place of its own that is the same in all tuples. */
struct TupleRun
{
	TupleConvert convert;
	const ValueRun *run;		/* where the values go */
	uint32	   *places;			/* bytes from the beginning of a tuple's data, one a column */
};

/*
 * Fills *run for columns [first, first + n) of a row type; false where a
 * column has no fixed place, or is of a type that is not read like this.
 */
extern bool tuple_run_init(TupleRun *run, const ValueRun *values, Oid base_type, TupleDesc row_type, int first);

/* The data of a slot's tuple where all n columns are stored in it and none is NULL, or NULL. */
extern const char *tuple_data(TupleTableSlot *slot, int n);

#endif
