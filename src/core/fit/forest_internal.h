/*
 * forest_internal.h
 *		What forest_split.c and forest_prefix.c share.
 */
#ifndef MLOPS_CORE_FIT_FOREST_INTERNAL_H
#define MLOPS_CORE_FIT_FOREST_INTERNAL_H

#include "forest.h"

/* Bins in some order, of which the first so many go left. */
typedef struct ForestPrefixes
{
	const uint32_t *bins;
	uint32_t	n;				/* prefixes of 1 .. n bins */
	bool		missing_left;	/* bin 0, which is not in the order, goes left as well */
	size_t		n_rows;			/* of the node */
} ForestPrefixes;

/* How good a child of these sums is: S of forest_prefix.c, in units. */
extern double forest_score(const Forest *forest, const int64_t *sums);

/* The first best prefix that leaves both children min_leaf rows, where it is better than *best, which it then becomes; its length, or 0. */
extern uint32_t forest_best_prefix(ForestGrower *grower, const ForestPrefixes *prefixes, double *best);

/* The longest prefix alone: whether it leaves both children min_leaf rows and is better than *best, which it then becomes. */
extern bool forest_prefix_improves(ForestGrower *grower, const ForestPrefixes *prefixes, double *best);

/* Whether the rows of these bins weigh as much as the others: where values go that the node does not have. */
extern bool forest_left_is_heavier(ForestGrower *grower, const uint32_t *bins, uint32_t n);

#endif
