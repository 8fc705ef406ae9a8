/*
 * grow_internal.h
 *		What grow.c, grow_init.c, grow_build.c and grow_sets.c share.
 */
#ifndef MLOPS_CORE_FIT_GROW_INTERNAL_H
#define MLOPS_CORE_FIT_GROW_INTERNAL_H

#include "grow.h"

#define CHUNK_FEATURES	8		/* of a task that collects and searches; divides GROUP_FEATURES */

/*
 * Sums to make from rows, and others to get from them: the sibling's slot
 * then holds their parent's cells.  A node without a slot is small.
 */
typedef struct Build
{
	uint32_t	node;
	uint32_t	sibling;		/* 0: none */
	bool		search_node;
	bool		search_sibling;
	const bool *node_used;		/* features that the node may be split on; NULL: the tree's */
	const bool *sibling_used;
} Build;

/* Tasks of features that are not wide. */
static inline uint32_t
place_chunks(uint32_t n_narrow)
{
	return (n_narrow + CHUNK_FEATURES - 1) / CHUNK_FEATURES;
}

/* The rules of splits as they are for a node: within its bounds. */
static inline SplitRules
node_rules(const Grower *grower, const GrownNode *node)
{
	SplitRules	rules = grower->rules.split;

	rules.lowest = node->lowest;
	rules.highest = node->highest;
	return rules;
}

/* The list that a node's rows are in. */
static inline const RowList *
node_list(const Grower *grower, const GrownNode *node)
{
	return node->depth == 0 ? &grower->root : &grower->lists[node->depth % 2];
}

/* The same with a one for each row. */
static inline RowList
counted_list(const Grower *grower, const GrownNode *node)
{
	RowList		list = *node_list(grower, node);

	list.first = grower->ones;
	return list;
}

/* A search of a node by a feature, by one thread. */
static inline SplitSearch
node_search(const Grower *grower, uint32_t number, uint32_t feature, int thread)
{
	const GrownNode *node = &grower->nodes[number];
	SplitSearch search = {
		.rules = node_rules(grower, node),
		.scale = &grower->scale,
		.ordered = grower->ordered + (size_t) thread * 2 * grower->bins->most_bins,
		.node = node->sums,
		.n_rows = node->end - node->begin
	};

	search.rules.direction = grower->rules.directions != NULL ? grower->rules.directions[feature] : 0;
	return search;
}

/* The cells of a feature that a node's rows touch; they stay until the thread's next call. */
static inline CellList
node_touched(const Grower *grower, const GrownNode *node, uint32_t feature, int thread)
{
	CellList	list = touched_list(&grower->touched[thread], grower->bins, feature, &grower->scale, node_list(grower, node),
									node->begin, node->end);

	if (grower->rules.counts_rows)
	{
		RowList		ones = counted_list(grower, node);

		list.counts = touched_list(&grower->touched_counts[thread], grower->bins, feature, &gradient_counts, &ones, node->begin, node->end).cells;
	}
	return list;
}

/* Whether a node of so many rows touches so few cells that it needs no histogram. */
static inline bool
is_small(const Grower *grower, size_t n_rows)
{
	return 2 * n_rows * grower->bins->n_features <= grower->bins->n_cells;
}

/* Sets of the splits of n nodes, where these are on wide categories. */
extern bool grow_sets(Grower *grower, const uint32_t *nodes, size_t n, Error *error);

/* Does all builds, and finds the best splits of the nodes that want them; reorders them. */
extern void grow_build(Grower *grower, Build *builds, size_t n);

#endif
