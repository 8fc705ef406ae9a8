/*
 * quantile.c
 *		Exact weighted quantiles.
 *
 * Hoare's selection (1961) with three parts, so that equal values cost
 * nothing, and with pivots drawn by hash, so that no order of values is a bad
 * one: linear in the expectation.
 */
#include "quantile.h"

#include <math.h>

#include "../hash.h"

static void
swap_items(QuantileItem *a, QuantileItem *b)
{
	QuantileItem spare = *a;

	*a = *b;
	*b = spare;
}

/* Items below the pivot first, then those equal to it: their numbers and weights. */
typedef struct Parts
{
	size_t		n_below;
	size_t		n_equal;
	double		weight_below;
	double		weight_equal;
} Parts;

static Parts
divide_items(QuantileItem *items, size_t n, double pivot)
{
	Parts		parts = {0, 0, 0, 0};
	size_t		n_above = 0;

	for (size_t i = 0; i + n_above < n;)
	{
		if (items[i].value < pivot)
		{
			parts.weight_below += items[i].weight;
			swap_items(&items[i++], &items[parts.n_below++]);
		}
		else if (items[i].value > pivot)
			swap_items(&items[i], &items[n - ++n_above]);
		else
		{
			parts.weight_equal += items[i++].weight;
			parts.n_equal++;
		}
	}
	return parts;
}

static double
least_value(const QuantileItem *items, size_t n, double otherwise)
{
	for (size_t i = 0; i < n; i++)
		otherwise = fmin(otherwise, items[i].value);
	return otherwise;
}

/* The part that holds the quantile becomes smaller and smaller; `before` is the weight of all smaller values. */
double
weighted_quantile(QuantileItem *items, size_t n, double share)
{
	double		whole = 0;
	double		before = 0;
	double		next = INFINITY;	/* the least value behind the part */
	double		pivot = items[0].value;

	for (size_t i = 0; i < n; i++)
		whole += items[i].weight;

	double		wanted = share * whole;

	while (n > 0)
	{
		pivot = items[hash64_mix(n) % n].value;

		Parts		parts = divide_items(items, n, pivot);
		size_t		n_upto = parts.n_below + parts.n_equal;
		double		upto = before + parts.weight_below + parts.weight_equal;

		if (parts.n_below > 0 && before + parts.weight_below >= wanted)
		{
			next = pivot;
			n = parts.n_below;
			continue;
		}
		if (upto >= wanted)
		{
			double		above = least_value(items + n_upto, n - n_upto, next);

			return upto == wanted && above < INFINITY ? pivot + (above - pivot) / 2 : pivot;
		}
		before = upto;
		items += n_upto;
		n -= n_upto;
	}

	/* by rounding the parts may add up to less than the whole: then it is the largest value, the last pivot */
	return pivot;
}
