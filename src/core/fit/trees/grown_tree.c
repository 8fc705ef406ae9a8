/*
 * grown_tree.c
 *		A grown tree: walked by binned rows, and written to a model.
 */
#include "grow.h"

#include <float.h>
#include <math.h>

/* Whether a row goes left. */
static inline bool
goes_left(const Grower *grower, const GrownNode *node, size_t row)
{
	const Split *split = &node->split;
	uint32_t	bin = bins_at(grower->bins, row, split->feature);

	if (split->categorical)
		return split_set_has(grown_set(grower, node), bin);
	return bin == BIN_MISSING ? split->missing_left : bin <= split->bin;
}

/* By bins, not by values. */
const GrownNode *
grown_leaf(const Grower *grower, size_t row)
{
	const GrownNode *node = &grower->nodes[0];

	while (node->left != 0)
		node = &grower->nodes[node->left + !goes_left(grower, node, row)];
	return node;
}

/* Words that a set of levels takes in a model. */
static inline uint32_t
set_words(const BinFeature *feature)
{
	return 1 + (feature->n_bins - 1 + 31) / 32;
}

/* Writes the levels that go left as a set of words behind their number; returns how many words that were. */
static uint32_t
write_set(const BinFeature *feature, const uint64_t *set, uint32_t *words)
{
	uint32_t	n_levels = feature->n_bins - 1;
	uint32_t	n_words = set_words(feature) - 1;

	words[0] = n_words;
	for (uint32_t w = 1; w <= n_words; w++)
		words[w] = 0;
	for (uint32_t level = 0; level < n_levels; level++)
	{
		if (split_set_has(set, level + 1))
			words[1 + level / 32] |= UINT32_C(1) << (level % 32);
	}
	return n_words + 1;
}

/* A node as the model has it; left: the new number of its left child. */
static TreeNode
model_node(const Grower *grower, const GrownNode *node, uint32_t left, uint32_t *sets, uint64_t *n_set_words)
{
	TreeNode	out = {.feature = NODE_LEAF};
	const Split *split = &node->split;

	if (node->left == 0)
	{
		out.u.leaf = node->value;
		return out;
	}
	out.left = left;
	out.feature = split->feature | (split->missing_left ? NODE_MISSING_LEFT : 0);
	if (split->categorical)
	{
		out.feature |= NODE_CATEGORICAL;
		out.u.set = *n_set_words;
		*n_set_words += write_set(&grower->bins->features[split->feature], grown_set(grower, node), sets + *n_set_words);
	}
	else
		out.u.threshold = grower->bins->features[split->feature].cuts[split->bin - 1];
	return out;
}

/* Level by level, so that children lie behind their parents and side by side. */
bool
grown_write(const Grower *grower, TreeWriter *writer, Error *error)
{
	Arena		scratch;
	uint32_t	n = grower->n_nodes;
	size_t		n_words = 0;

	for (uint32_t i = 0; i < n; i++)
	{
		const GrownNode *node = &grower->nodes[i];

		if (node->left != 0 && node->split.categorical)
			n_words += set_words(&grower->bins->features[node->split.feature]);
	}
	arena_init(&scratch);

	uint32_t   *order = arena_alloc(&scratch, n, sizeof(uint32_t), error);	/* new number -> old */
	TreeNode   *nodes = arena_alloc(&scratch, n, sizeof(TreeNode), error);
	TreeNodeStat *stats = arena_alloc(&scratch, n, sizeof(TreeNodeStat), error);
	uint32_t   *sets = arena_alloc(&scratch, n_words, sizeof(uint32_t), error);
	bool		done = order != NULL && nodes != NULL && stats != NULL && sets != NULL;

	if (done)
	{
		uint32_t	n_ordered = 1;
		uint64_t	n_set_words = 0;
		uint32_t	depth = 0;

		order[0] = 0;
		for (uint32_t i = 0; i < n; i++)
		{
			const GrownNode *node = &grower->nodes[order[i]];

			nodes[i] = model_node(grower, node, n_ordered, sets, &n_set_words);
			stats[i].gain = node->left != 0 ? (float) fmin(node->split.gain, FLT_MAX) : 0;
			stats[i].cover = (float) fmin((double) node->sums.h * grower->scale.h_unit, FLT_MAX);
			if (node->left != 0)
			{
				order[n_ordered++] = node->left;
				order[n_ordered++] = node->left + 1;
			}
			depth = node->depth > depth ? node->depth : depth;
		}
		tree_writer_tree(writer, nodes, stats, n, sets, n_set_words, depth);
	}
	arena_free(&scratch);
	return done;
}
