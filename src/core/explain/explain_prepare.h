/*
 * explain_prepare.h
 *		Trees on their way into an explainer.
 *
 * explain_prepare.c	blocks
 * explain_walk.c		what a tree is along its paths
 */
#ifndef MLOPS_CORE_EXPLAIN_PREPARE_H
#define MLOPS_CORE_EXPLAIN_PREPARE_H

#include "explain_internal.h"
#include "../model/tree_inspect.h"

#define BLOCK_NODES	512			/* of a block, where a tree has no more */

/* The latest split on a feature above a node. */
typedef struct Before
{
	uint32_t	node;			/* of the block; NO_NODE: none */
	uint32_t	side;
	double		share;			/* product of the shares of the sides taken */
} Before;

/* A node of a block before it gets its slot. */
typedef struct Place
{
	uint32_t	level;
	uint32_t	slot;
	uint32_t	again;			/* its number among the splits on a feature again, from 1; 0: it is none */
	Before		before;			/* of a split */
	double		mean;			/* of the leaves below */
} Place;

/* On the way down a tree. */
typedef struct Step
{
	uint32_t	node;			/* of the tree */
	uint32_t	next;			/* side: 0, 1; 2 where both are done */
	Before		saved;
} Step;

/* A tree of the block that is being made. */
typedef struct BlockTree
{
	uint32_t	number;
	uint32_t	n_nodes;
	const TreeNode *nodes;
	const TreeNodeStat *stats;
	Place	   *places;
	uint32_t	offset;			/* of its first node in the block */
} BlockTree;

typedef struct Preparation
{
	const Model *model;
	uint32_t	class;			/* whose shares leaves have */
	uint32_t	n_groups;		/* every so many trees is one of the output's */
	const uint64_t *starts;
	const TreeNode *nodes;
	const TreeNodeStat *stats;
	const uint32_t *sets;
	Explainer  *explainer;
	ExplainTrees *trees;
	BlockTree	block_trees[BLOCK_NODES];	/* of the block that is being made */
	uint32_t	n_block_trees;

	Arena		scratch;		/* of what follows */
	Place	   *places;			/* of the block's nodes */
	uint32_t   *split_nodes;	/* of the block's splits, by slot: nodes of the block */
	Before	   *before;			/* of features, on the path of now */
	Step	   *steps;
	uint32_t   *counts;			/* of splits by level and kind */
} Preparation;

static inline bool
is_leaf(const TreeNode *node)
{
	return (node->feature & NODE_LEAF) != 0;
}

/* A split whose children are leaves. */
static inline bool
is_twig(const BlockTree *tree, const TreeNode *node)
{
	return is_leaf(&tree->nodes[node->left]) && is_leaf(&tree->nodes[node->left + 1]);
}

/* The value of a leaf for the output that is prepared. */
extern double explain_leaf_value(const Preparation *work, const BlockTree *tree, uint32_t node);

/* Shares of the training rows of a split that go left and right: they add up to 1. */
extern void explain_split_shares(const BlockTree *tree, uint32_t node, double *shares);

/* Goes down all paths of a tree: levels, and the splits before each split; the number of levels with splits. */
extern uint32_t explain_walk_tree(Preparation *work, const BlockTree *tree);

/* Adds the mean of a tree's leaves to the base. */
extern void explain_add_mean(Preparation *work, const BlockTree *tree);

#endif
