/*
 * forest_leaves.c
 *		A grown tree as a model stores it, and its votes on rows it did not see.
 *
 * Votes are added up as integers, so it does not matter which thread's tree
 * comes first.
 */
#include "forest.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- Leaves ---- */

/* Appends the shares of a leaf's classes to the sets; where. */
static uint64_t
write_shares(ForestGrower *grower, const int64_t *sums)
{
	uint32_t	n_sums = grower->forest->target.n_sums;
	double		weight = forest_weight(&grower->forest->target, sums);
	uint64_t	set = grower->sets.size / sizeof(uint32_t);
	uint32_t	n_classes = 0;
	uint32_t	last = 0;

	for (uint32_t k = 0; k < n_sums; k++)
	{
		if (sums[k] == 0)
			continue;
		n_classes++;
		last = k;
	}
	if (n_classes == 1 && grower->pure_sets[last] != 0)
		return grower->pure_sets[last] - 1;
	if (n_classes == 1)
		grower->pure_sets[last] = set + 1;
	buffer_u32(&grower->sets, n_classes * SHARE_WORDS);
	for (uint32_t k = 0; k < n_sums; k++)
	{
		if (sums[k] == 0)
			continue;
		buffer_u32(&grower->sets, k);
		buffer_f64(&grower->sets, (double) sums[k] / weight);
	}
	return set;
}

/* The mean target of a leaf: exact where all are the same. */
static double
leaf_mean(const ForestGrower *grower, const ForestNode *node, const int64_t *sums)
{
	const ForestTarget *target = &grower->forest->target;
	double		first = target->value[grower->rows[node->begin].row];
	bool		same = true;

	for (size_t i = node->begin + 1; same && i < node->end; i++)
		same = target->value[grower->rows[i].row] == first;
	return same ? first : target->center + (double) sums[1] / (double) sums[0] * target->value_unit;
}

/* A leaf as a model has it. */
static TreeNode
make_leaf(ForestGrower *grower, const ForestNode *node)
{
	const ForestTarget *target = &grower->forest->target;
	int64_t    *sums = grower->node_sums;
	TreeNode	leaf = {.feature = NODE_LEAF};

	forest_sums(target, grower->rows, node->begin, node->end, sums);
	if (!target->classes)
		leaf.u.leaf = leaf_mean(grower, node, sums);
	else if (target->n_sums == 2)
		leaf.u.leaf = (double) sums[1] / forest_weight(target, sums);
	else
	{
		leaf.feature |= NODE_SHARES;
		leaf.u.set = write_shares(grower, sums);
	}
	return leaf;
}

/* A node with children as a model has it. */
static TreeNode
make_split(const ForestGrower *grower, const ForestNode *node)
{
	const ForestSplit *split = &node->split;
	TreeNode	out = {.feature = split->feature | (split->missing_left ? NODE_MISSING_LEFT : 0),.left = node->left};

	if (split->categorical)
	{
		out.feature |= NODE_CATEGORICAL;
		out.u.set = split->set;
	}
	else
		out.u.threshold = grower->forest->bins.columns[split->feature].feature.cuts[split->bin - 1];
	return out;
}

/* ---- Votes ---- */

/* Adds a leaf to the votes on a row; threads meet here. */
static void
vote(const ForestGrower *grower, const TreeNode *leaf, size_t row)
{
	const Forest *forest = grower->forest;

	__atomic_fetch_add(&forest->n_votes[row], 1, __ATOMIC_RELAXED);
	if (!(leaf->feature & NODE_SHARES))
	{
		__atomic_fetch_add(&forest->votes[row], (int64_t) rint(leaf->u.leaf / forest->vote_unit), __ATOMIC_RELAXED);
		return;
	}

	const uint32_t *words = (const uint32_t *) grower->sets.data + leaf->u.set;

	for (uint32_t i = 1; i <= words[0]; i += SHARE_WORDS)
	{
		double		share;

		memcpy(&share, words + i + 1, sizeof(share));
		__atomic_fetch_add(&forest->votes[row * forest->target.n_sums + words[i]], (int64_t) rint(share / forest->vote_unit), __ATOMIC_RELAXED);
	}
}

/* Votes on all rows that the tree did not take. */
static void
vote_out_of_bag(const ForestGrower *grower, const TreeNode *leaves)
{
	const Forest *forest = grower->forest;
	const ForestNode *nodes = (const ForestNode *) grower->nodes.data;
	const uint32_t *sets = (const uint32_t *) grower->sets.data;

	if (grower->takes_all)
		return;
	for (size_t row = 0; row < forest->bins.n_rows; row++)
	{
		uint32_t	i = 0;

		if (forest_draws(forest, grower->tree_key, row) > 0)
			continue;
		while (nodes[i].left != 0)
			i = nodes[i].left + !forest_goes_left(&forest->bins, &nodes[i].split, sets, row);
		vote(grower, &leaves[i], row);
	}
}

/* ---- Both ---- */

void
forest_finish_tree(ForestGrower *grower, ForestTree *tree)
{
	const ForestTarget *target = &grower->forest->target;
	size_t		n = grower->nodes.size / sizeof(ForestNode);

	tree->depth = 0;
	memset(grower->pure_sets, 0, target->n_sums * sizeof(uint64_t));
	for (size_t i = 0; i < n; i++)
	{
		const ForestNode *node = (const ForestNode *) grower->nodes.data + i;
		bool		is_leaf = node->left == 0;
		TreeNode	out = is_leaf ? make_leaf(grower, node) : make_split(grower, node);
		TreeNodeStat stat = {
			.gain = is_leaf ? 0 : (float) fmin(node->split.gain * forest_gain_unit(target), FLT_MAX),
			.cover = (float) fmin(node->weight * target->weight_unit, FLT_MAX)
		};

		buffer_bytes(&tree->nodes, &out, sizeof(out));
		buffer_bytes(&tree->stats, &stat, sizeof(stat));
		tree->depth = node->depth > tree->depth ? node->depth : tree->depth;
	}
	tree->nodes.failed |= grower->nodes.failed || grower->heap.failed || grower->subtrees.failed;
	buffer_bytes(&tree->sets, grower->sets.data, grower->sets.size);
	tree->sets.failed |= grower->sets.failed;
	if (grower->forest->out_of_bag && !tree->nodes.failed && !tree->sets.failed)
		vote_out_of_bag(grower, (const TreeNode *) tree->nodes.data);
}
