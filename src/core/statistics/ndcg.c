/*
 * ndcg.c
 *		How well an order keeps what matters at its top.
 */
#include "ndcg.h"

#include <math.h>

#include "../sort.h"

/* The sum of gains by the places that scores give. */
static double
discounted_gain(SortItem *items, SortItem *spare, size_t n, const double *gain, const double *score)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		items[i] = (SortItem) {~sort_number_key(score[i]), (uint32_t) i, 0};
	sort_items(items, spare, n);
	for (size_t i = 0; i < n;)
	{
		size_t		begin = i;
		double		gains = 0;
		double		discounts = 0;

		for (; i < n && items[i].key == items[begin].key; i++)
		{
			gains += gain[items[i].index];
			discounts += 1 / log2((double) i + 2);
		}
		sum += gains * discounts / (double) (i - begin);
	}
	return sum;
}

bool
ndcg(double *value, size_t n, const double *gain, const double *score, Arena *arena, Error *error)
{
	if (n > UINT32_MAX)
		return error_set(error, ERROR_LIMIT, "%zu scores are too many to rank", n);

	SortItem   *items = arena_alloc(arena, n, sizeof(SortItem), error);
	SortItem   *spare = arena_alloc(arena, n, sizeof(SortItem), error);

	if (items == NULL || spare == NULL)
		return false;

	double		best = discounted_gain(items, spare, n, gain, gain);

	*value = best > 0 ? discounted_gain(items, spare, n, gain, score) / best : NAN;
	return true;
}
