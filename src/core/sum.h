/*
 * sum.h
 *		Sums that lose no digits with many rows, and quotients of sums.
 */
#ifndef MLOPS_CORE_SUM_H
#define MLOPS_CORE_SUM_H

#include <math.h>

/* A compensated sum (Neumaier 1974). */
typedef struct Sum
{
	double		sum;
	double		lost;
} Sum;

static inline void
sum_add(Sum *sum, double value)
{
	double		next = sum->sum + value;

	sum->lost += fabs(sum->sum) >= fabs(value) ? (sum->sum - next) + value : (value - next) + sum->sum;
	sum->sum = next;
}

static inline double
sum_value(Sum sum)
{
	/* after an overflow only the sum itself says which */
	return isfinite(sum.sum) ? sum.sum + sum.lost : sum.sum;
}

/* Quotient that is 0 where there is nothing to divide by. */
static inline double
ratio(double a, double b)
{
	return b == 0 ? 0 : a / b;
}

#endif
