/*
 * column_sample.h
 *		Which features a tree, a level and a node may be split on.
 *
 * Each is a share of the one before: a level's features are drawn from its
 * tree's, a node's from its level's, and at least one is.  Those with the
 * smallest hashes are drawn: of seed, tree and feature; of depth, too; and of
 * the way from the root to the node.  So neither threads nor the order in
 * which nodes are looked at matter.  Nodes are mostly looked at level by
 * level: of the levels only the last is kept.
 */
#ifndef MLOPS_CORE_FIT_COLUMN_SAMPLE_H
#define MLOPS_CORE_FIT_COLUMN_SAMPLE_H

#include "../../arena.h"
#include "../../hash.h"
#include "../../types.h"

typedef struct ColumnShares
{
	double		by_tree;
	double		by_level;
	double		by_node;
} ColumnShares;

typedef struct ColumnSample
{
	ColumnShares shares;
	uint32_t	n_features;
	uint64_t	key;			/* of the tree */
	uint32_t	level_depth;	/* of the level drawn last; UINT32_MAX: none of this tree was */
	struct RankedFeature *ranked;
	bool	   *tree;			/* n_features */
	bool	   *level;			/* the same */
} ColumnSample;

extern bool column_sample_init(ColumnSample *sample, ColumnShares shares, uint32_t n_features, Arena *arena, Error *error);

/* Draws a tree's features; NULL where the tree may be split on all. */
extern const bool *column_sample_tree(ColumnSample *sample, uint64_t seed, uint64_t tree);

/* Whether nodes have features of their own to be drawn. */
static inline bool
column_sample_narrows(const ColumnSample *sample)
{
	return sample->shares.by_level < 1 || sample->shares.by_node < 1;
}

/* Draws a node's features into used[n_features]; only where column_sample_narrows(). */
extern void column_sample_node(ColumnSample *sample, uint32_t depth, uint64_t node_key, bool *used);

/* The key of a node: the tree's at the root, and of the way to it below. */
static inline uint64_t
column_sample_child_key(uint64_t node_key, bool right)
{
	return hash64_combine(node_key, right ? 2 : 1);
}

#endif
