/*
 * quantile.h
 *		Exact weighted quantiles.
 *
 * The quantile of a share a (0 < a < 1) is the smallest value up to which at
 * least a of the weight lies; where exactly a of it does, the mean of that
 * value and the next larger one.  So the median of two values is their mean,
 * a weight of 3 is the value three times, and the quantile minimises the
 * pinball loss.
 */
#ifndef MLOPS_CORE_FIT_QUANTILE_H
#define MLOPS_CORE_FIT_QUANTILE_H

#include <stddef.h>

typedef struct QuantileItem
{
	double		value;			/* finite */
	double		weight;			/* > 0 */
} QuantileItem;

/* Of n >= 1 items, which are put into another order; the result depends on the order they came in by rounding alone. */
extern double weighted_quantile(QuantileItem *items, size_t n, double share);

#endif
