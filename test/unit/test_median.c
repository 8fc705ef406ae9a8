/*
 * test_median.c
 *		The exact median of long columns, however their numbers lie.
 */
#include <stdlib.h>

#include "check.h"
#include "core/fit/table/recipe_measure.h"
#include "core/hash.h"
#include "support_matrix.h"

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* A column whose sampled rows are all small: the median is found nevertheless. */
static void
misleading_sample(void)
{
	enum {ROWS = 51200};		/* a hundred rows a sample */
	static double values[ROWS];
	MatrixColumn source = test_column("x", KIND_NUMBER, STORAGE_FLOAT64, ROLE_FEATURE);
	TableColumn column = {.source = &source,.gathered = {0, ROWS},.u.f64 = values};
	ColumnMeasure measure = {.n_present = ROWS,.lowest = -511,.highest = ROWS - 1};

	for (int i = 0; i < ROWS; i++)
		values[i] = i % 100 == 0 ? -i / 100 : i;
	/* 512 values below 1, then all numbers that are no multiple of 100 */
	CHECK_SAME(measure_median(&column, (RowRange) {0, ROWS}, &measure, NULL), (25341 + 25342) / 2.0);
}

/* A long column of few numbers, of one that most rows have, and of all different ones: as a sort finds it. */
static void
long_columns(void)
{
	enum {ROWS = 70001};
	static double values[ROWS];
	static double sorted[ROWS];
	MatrixColumn source = test_column("x", KIND_NUMBER, STORAGE_FLOAT64, ROLE_FEATURE);
	TableColumn column = {.source = &source,.gathered = {0, ROWS},.u.f64 = values};
	double	   *scratch = malloc(measure_median_scratch(ROWS) * sizeof(double));

	for (int shape = 0; shape < 8; shape++)
		for (int n_missing = 0; n_missing < 2; n_missing++)
		{
			ColumnMeasure measure = {.lowest = INFINITY,.highest = -INFINITY};

			for (int i = 0; i < ROWS; i++)
			{
				double		number = (double) (hash64_mix((uint64_t) i) >> 11) * 0x1p-53;
				const double shapes[] = {number, floor(number * 4), number < 0.4, number < 0.5000001 ? 0 : number, -1 / number, i % 2, i > ROWS / 2, (i + 5) / 6 % 2};

				values[i] = i < n_missing * 7 + shape ? NAN : shapes[shape];
				if (isnan(values[i]))
					continue;
				sorted[measure.n_present++] = values[i];
				measure.lowest = fmin(measure.lowest, values[i]);
				measure.highest = fmax(measure.highest, values[i]);
			}
			qsort(sorted, measure.n_present, sizeof(double), compare_doubles);
			CHECK_SAME(measure_median(&column, (RowRange) {0, ROWS}, &measure, scratch),
					   (sorted[(measure.n_present - 1) / 2] + sorted[measure.n_present / 2]) / 2);
		}
	free(scratch);
}

int
main(void)
{
	misleading_sample();
	long_columns();
	return check_done();
}
