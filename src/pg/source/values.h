/*
 * values.h
 *		SQL values as cells of a matrix.
 */
#ifndef MLOPS_PG_VALUES_H
#define MLOPS_PG_VALUES_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "fmgr.h"

#include "../core.h"

typedef struct ValueRun ValueRun;

/* Writes one row's values of a run of columns; NULL is missing.  values and nulls: of the run's first column on. */
typedef void (*ValueConvert) (ValueRun *run, const Datum *values, const bool *nulls, uint32 row);

/* Neighbouring columns of one type. */
struct ValueRun
{
	ValueConvert convert;
	MatrixWriter *writer;
	uint32		first_column;	/* in the matrix */
	uint32		n_columns;
	const uint64 *offsets;		/* of their values within a block */
	FmgrInfo	output;			/* of categories that are texts by their output function */
};

/* How a base type is converted to a storage; NULL where it cannot be. */
extern ValueConvert value_converter(Oid base_type, ColumnStorage storage);

/* Seconds of an interval, as extract(epoch) counts them. */
extern double value_interval_seconds(const Interval *interval);

/* A numeric as the nearest double; *rounded where digits were lost. */
extern double value_numeric(Datum numeric, bool *rounded);

#endif
