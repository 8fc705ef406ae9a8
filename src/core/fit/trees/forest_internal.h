/*
 * forest_internal.h
 *		What the parts of the search for a split share.
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

/* The same of n_left rows, of which grower->left_sums are. */
extern bool forest_left_improves(ForestGrower *grower, size_t n_left, size_t n_rows, double *best);

/* Whether the rows of left_sums, or of these bins, weigh as much as the others: where values go that the node does not have. */
extern bool forest_left_is_heavier(const ForestGrower *grower);
extern bool forest_prefix_is_heavier(ForestGrower *grower, const uint32_t *bins, uint32_t n);

/* ---- forest_category.c ---- */

/* Puts the n used bins of a category into the order whose prefixes are tried: grower->sequence. */
extern void forest_order_categories(ForestGrower *grower, uint32_t n);

/* Sorts n items of grower->ordered by their keys; their bins are the sequence. */
extern void forest_sequence(ForestGrower *grower, uint32_t n);

/* Notes that the first `length` bins of the sequence of n go left, and all that the node does not have to the heavier side. */
extern void forest_take_set(ForestGrower *grower, const BinFeature *feature, uint32_t feature_number, uint32_t n, uint32_t length,
							ForestSplit *split);

/* ---- forest_random.c ---- */

/* One random cut of a number, straight from the rows, where it is better than *best, which it then becomes; whether the number varies. */
extern bool forest_draw_number(ForestGrower *grower, const ForestNode *node, uint32_t feature_number, double *best, ForestSplit *split);

/* The same of a set of a category, whose n_used >= 2 bins are added up. */
extern void forest_draw_set(ForestGrower *grower, const ForestNode *node, const BinFeature *feature, uint32_t feature_number,
							uint32_t n_used, double *best, ForestSplit *split);

/* ---- forest_split.c ---- */

/*
 * The best split of one feature, or the drawn one, where it is better than *best, which it then becomes; whether the feature varies
 * in the node, whose sums grower->node_sums are.  Of a category, the set is in grower->set.
 */
extern bool forest_search_feature(ForestGrower *grower, const ForestNode *node, uint32_t feature_number, double *best, ForestSplit *split);

/* ---- forest_tree.c ---- */

#define FOREST_SUBTREE_ROWS 8192	/* of a subtree that is grown by one thread, at most */

/* Grows all that is below a node that can be split. */
extern void forest_grow_below(ForestGrower *grower, uint32_t number);

/* ---- forest_team.c ---- */

/* What came of looking at one feature. */
typedef struct FeatureSplit
{
	bool		varies;
	double		score;			/* -INFINITY: no split was found */
	ForestSplit split;
} FeatureSplit;

/* forest_search_feature() of the first n of grower->features, by all threads; whether any varies. */
extern bool forest_team_search(ForestGrower *grower, const ForestNode *node, uint32_t n, double *best, ForestSplit *split);

/* Grows all that is below the grower's subtrees, by all threads. */
extern void forest_team_grow(ForestGrower *grower);

#endif
