/*
 * recipe_measure.h
 *		What the recipe needs to know of the training rows.
 */
#ifndef MLOPS_CORE_FIT_RECIPE_MEASURE_H
#define MLOPS_CORE_FIT_RECIPE_MEASURE_H

#include <string.h>

#include "recipe_fit.h"
#include "sort_by_key.h"

#define MEASURE_BLOCK 1024		/* rows that are loaded at a time */

/* Of numbers, or of the indexes of kept levels; NaN where there is no value. */
typedef struct ColumnMeasure
{
	uint64_t   *counts;			/* rows by code; NULL for numbers */
	uint64_t	n_null;			/* NULL or NaN */
	uint64_t	n_missing;		/* these, and levels not kept */
	uint64_t	n_present;
	uint64_t	n_infinite;
	double		lowest;
	double		highest;
	double		mean;
	double		middle;			/* median or most frequent number, as the missing policy asks */
	double		squares;		/* sum of squared deviations from the mean */
} ColumnMeasure;

/* Measures all columns on the training rows, gathered or not: numbers completely, of categories the counts. */
extern bool measure_columns(const FittedRecipe *recipe, const Table *table, ColumnMeasure *measures, ThreadPool *pool,
							Arena *scratch, Error *error);

/* Measures a category whose levels are kept, from its counts. */
extern void measure_levels(const FittedColumn *column, ColumnMeasure *measure);

/*
 * Exact median of the numbers of a gathered column that are not missing, of
 * which there is one at least; n_present, lowest and highest are measured.  scratch: of
 * measure_median_scratch() doubles for the rows of the range.
 */
extern double measure_median(const TableColumn *column, RowRange range, const ColumnMeasure *measure, double *scratch);
extern size_t measure_median_scratch(size_t n_rows);

/* Copies at most MEASURE_BLOCK numbers of a gathered column from `begin` on; their number. */
static inline size_t
measure_load(const TableColumn *column, size_t begin, size_t end, double *values)
{
	size_t		n = end - begin < MEASURE_BLOCK ? end - begin : MEASURE_BLOCK;

	if (column->source->storage == STORAGE_FLOAT64)
		memcpy(values, column->u.f64 + (begin - column->gathered.begin), n * sizeof(double));
	else
	{
		const float *floats = column->u.f32 + (begin - column->gathered.begin);

		for (size_t i = 0; i < n; i++)
			values[i] = (double) floats[i];
	}
	return n;
}

#endif
