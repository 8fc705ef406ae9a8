/*
 * summary.h
 *		Count, range, mean and spread of numbers, a tile of them at a time.
 */
#ifndef MLOPS_CORE_FIT_SUMMARY_H
#define MLOPS_CORE_FIT_SUMMARY_H

#include <stddef.h>

/* At most so many numbers are added at a time. */
#define SUMMARY_TILE 1024

/* Begin with {.lowest = INFINITY, .highest = -INFINITY}. */
typedef struct Summary
{
	size_t		n_missing;		/* NaN */
	size_t		n_infinite;
	size_t		n_finite;
	double		lowest;			/* of all that are not missing */
	double		highest;
	double		mean;			/* of the finite ones */
	double		squares;		/* sum of squared differences from it */
} Summary;

/*
 * Adds n numbers.  values: 64-byte aligned, with room for SUMMARY_TILE; what
 * lies behind the n numbers is overwritten.
 */
extern void summary_add(Summary *summary, double *values, size_t n);

#endif
