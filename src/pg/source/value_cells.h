/*
 * value_cells.h
 *		Where converters put a row's numbers, and what they count.
 */
#ifndef MLOPS_PG_VALUE_CELLS_H
#define MLOPS_PG_VALUE_CELLS_H

#include "postgres.h"

#include <math.h>

#include "values.h"

#define EXACT_INTEGER (INT64CONST(1) << 53)	/* doubles hold every integer up to here */

/* Where a row's values go; a copy, because the compiler must think that storing a value changes the run. */
typedef struct RowCells
{
	uint8	   *block;
	const uint64 *offsets;
	size_t		row;
	uint32		n;
} RowCells;

static inline RowCells
row_cells(const ValueRun *run, uint32 row)
{
	return (RowCells) {run->writer->block, run->offsets, row, run->n_columns};
}

static inline float *
cell_float(RowCells cells, uint32 i)
{
	return (float *) (cells.block + cells.offsets[i]) + cells.row;
}

static inline double *
cell_double(RowCells cells, uint32 i)
{
	return (double *) (cells.block + cells.offsets[i]) + cells.row;
}

static inline MatrixColumn *
column_of(const ValueRun *run, uint32 i)
{
	return &run->writer->columns[run->first_column + i];
}

/* Counts what a column's profile tells: NaN and infinities. */
static inline void
count_special(const ValueRun *run, uint32 i, double value)
{
	if (isnan(value))
		column_of(run, i)->n_nan++;
	else
		column_of(run, i)->n_infinite++;
}

/* An integer as a double, counted where it is not the same. */
static inline double
exact_integer(const ValueRun *run, uint32 i, int64 value)
{
	double		number = (double) value;

	if (unlikely(value > EXACT_INTEGER || value < -EXACT_INTEGER) &&
		(number >= 0x1p63 || (int64) number != value))
		column_of(run, i)->n_rounded++;
	return number;
}

#endif
