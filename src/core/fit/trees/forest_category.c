/*
 * forest_category.c
 *		The order of a node's categories, and sets of them.
 *
 * Categories are ordered by their mean target or share of a class, which
 * makes the best of all sets a prefix (Fisher 1958; Breiman et al. 1984), or,
 * of more classes, along the principal component of their shares
 * (Coppersmith, Hong & Hosking 1999).
 *
 * All memory is the grower's, which is one thread's.
 */
#include "forest_internal.h"

#include <math.h>
#include <string.h>

#define POWER_STEPS 12			/* of the iteration that finds the principal component */

/* How far a bin's shares lie along a direction, from the node's. */
static double
along(const ForestGrower *grower, uint32_t bin, const double *direction, double *weight)
{
	const ForestTarget *target = &grower->forest->target;
	const int64_t *cell = grower->cells + (size_t) bin * target->n_sums;
	const double *node_shares = grower->shares;
	double		sum = 0;

	*weight = forest_weight(target, cell);
	for (uint32_t k = 0; k < target->n_sums; k++)
		sum += ((double) cell[k] / *weight - node_shares[k]) * direction[k];
	return sum;
}

/* Orders bins along the principal component of their shares of classes, found by power iteration. */
static void
order_by_component(ForestGrower *grower, SortItem *ordered, uint32_t n)
{
	uint32_t	n_sums = grower->forest->target.n_sums;
	double	   *node_shares = grower->shares;
	double	   *direction = node_shares + n_sums;
	double	   *next = direction + n_sums;
	double		node_weight = forest_weight(&grower->forest->target, grower->node_sums);
	double		weight;

	for (uint32_t k = 0; k < n_sums; k++)
	{
		node_shares[k] = (double) grower->node_sums[k] / node_weight;
		direction[k] = (double) (k + 1) / n_sums;
	}
	for (int step = 0; step < POWER_STEPS; step++)
	{
		double		largest = 0;

		memset(next, 0, n_sums * sizeof(double));
		for (uint32_t i = 0; i < n; i++)
		{
			double		distance = along(grower, ordered[i].index, direction, &weight);
			const int64_t *cell = grower->cells + (size_t) ordered[i].index * n_sums;

			for (uint32_t k = 0; k < n_sums; k++)
				next[k] += weight * distance * ((double) cell[k] / weight - node_shares[k]);
		}
		for (uint32_t k = 0; k < n_sums; k++)
			largest = fmax(largest, fabs(next[k]));
		if (!(largest > 0))
			break;
		for (uint32_t k = 0; k < n_sums; k++)
			direction[k] = next[k] / largest;
	}
	for (uint32_t i = 0; i < n; i++)
		ordered[i].key = sort_number_key(along(grower, ordered[i].index, direction, &weight));
}

void
forest_sequence(ForestGrower *grower, uint32_t n)
{
	sort_by_key(grower->ordered, grower->ordered_spare, n, NULL, NULL, NULL);
	for (uint32_t i = 0; i < n; i++)
		grower->sequence[i] = grower->ordered[i].index;
}

void
forest_order_categories(ForestGrower *grower, uint32_t n)
{
	const ForestTarget *target = &grower->forest->target;

	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	bin = grower->used[i];
		const int64_t *cell = grower->cells + (size_t) bin * target->n_sums;

		grower->ordered[i] = (SortItem) {.key = sort_number_key((double) cell[1] / forest_weight(target, cell)),.index = bin};
	}
	if (target->n_sums > 2)
		order_by_component(grower, grower->ordered, n);
	forest_sequence(grower, n);
}

void
forest_take_set(ForestGrower *grower, const BinFeature *feature, uint32_t feature_number, uint32_t n, uint32_t length, ForestSplit *split)
{
	const uint32_t *sequence = grower->sequence;
	bool		rest_left = forest_prefix_is_heavier(grower, sequence, length);
	uint32_t	n_words = (feature->n_bins - 1 + 31) / 32;

	split->feature = feature_number;
	split->categorical = true;
	split->missing_left = rest_left;
	grower->set[0] = n_words;
	memset(grower->set + 1, rest_left ? 0xff : 0, n_words * sizeof(uint32_t));
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	level = sequence[i] - 1;

		if (sequence[i] == BIN_MISSING)
			split->missing_left = i < length;
		else if (i < length)
			grower->set[1 + level / 32] |= UINT32_C(1) << (level % 32);
		else
			grower->set[1 + level / 32] &= ~(UINT32_C(1) << (level % 32));
	}

	/* behind the last level there is nothing */
	if ((feature->n_bins - 1) % 32 != 0)
		grower->set[n_words] &= (UINT32_C(1) << ((feature->n_bins - 1) % 32)) - 1;
}
