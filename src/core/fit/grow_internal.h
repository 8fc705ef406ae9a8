/*
 * grow_internal.h
 *		What grow.c and grow_build.c share.
 */
#ifndef MLOPS_CORE_FIT_GROW_INTERNAL_H
#define MLOPS_CORE_FIT_GROW_INTERNAL_H

#include "grow.h"

#define CHUNK_FEATURES	8		/* of a task that collects and searches; divides GROUP_FEATURES */

/* A histogram to build from rows, and one to get from it: the sibling's slot then holds their parent's cells. */
typedef struct Build
{
	uint32_t	node;
	uint32_t	sibling;		/* 0: none */
	bool		search_node;
	bool		search_sibling;
	const bool *node_used;		/* features that the node may be split on; NULL: the tree's */
	const bool *sibling_used;
} Build;

/* Tasks of features. */
static inline uint32_t
feature_chunks(uint32_t n_features)
{
	return (n_features + CHUNK_FEATURES - 1) / CHUNK_FEATURES;
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

/* Does all builds, and finds the best splits of the nodes that want them; reorders them. */
extern void grow_build(Grower *grower, Build *builds, size_t n);

#endif
