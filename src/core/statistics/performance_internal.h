/*
 * performance_internal.h
 *		What the files of performance.h share.
 */
#ifndef MLOPS_CORE_PERFORMANCE_INTERNAL_H
#define MLOPS_CORE_PERFORMANCE_INTERNAL_H

#include "performance.h"
#include "../sum.h"

static inline double
weight_of(const double *weight, size_t row)
{
	return weight == NULL ? 1 : weight[row];
}

/* Appends a metric; `squares` is the weighted sum of its influences squared. */
extern void performance_add(Performance *performance, const char *name, double value, double squares);

/* Empties it, and sums up the weights. */
extern void performance_start(Performance *performance, size_t n, const double *weight);

/* A quotient that is NaN where there is nothing to divide by. */
static inline double
share(double part, double whole)
{
	return whole > 0 ? part / whole : NAN;
}

#endif
