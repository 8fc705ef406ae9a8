/*
 * tree_model.c
 *		Tree ensembles: prediction.
 *
 * A walk is a chain of dependent loads, so one tree alone leaves the machine
 * waiting: several trees are walked side by side, a step at a time, and a
 * tree that is at its leaf stays there.  Steps are without branches but for
 * splits on categories; rows without missing values take a shorter step.
 */
#include "tree_view.h"

#include <math.h>

#include "../link.h"

#define WALKS 8					/* trees side by side: enough loads in flight, pointers still in registers */

/* Whether a category goes right: it is not in the node's set. */
static inline uint32_t
category_right(const TreeNode *node, const uint32_t *sets, double x)
{
	const uint32_t *set = sets + node->u.set;
	uint64_t	n_bits = (uint64_t) set[0] * 32;

	if (x != x)
		return !(node->feature & NODE_MISSING_LEFT);
	if (!(x >= 0 && x < (double) n_bits))
		return 1;

	uint64_t	bit = (uint64_t) x;

	return !((set[1 + bit / 32] >> (bit % 32)) & 1);
}

/* The node behind this one; a leaf stays where it is. */
static inline const TreeNode *
walk_step(const TreeNode *tree, const TreeNode *node, const double *features, const uint32_t *sets, bool any_missing)
{
	uint32_t	flags = node->feature;
	double		x = features[flags & NODE_FEATURE_MASK];
	uint32_t	right = x > node->u.threshold;

	if (any_missing)
		right |= (uint32_t) (x != x) & !(flags & NODE_MISSING_LEFT);
	if (__builtin_expect((flags & NODE_CATEGORICAL) != 0, 0))
		right = category_right(node, sets, x);

	const TreeNode *next = tree + node->left + right;

	return (flags & NODE_LEAF) ? node : next;
}

/* The leaf of one tree. */
static inline const TreeNode *
walk_one(const TreeNode *tree, const double *features, const uint32_t *sets)
{
	const TreeNode *node = tree;

	while (!(node->feature & NODE_LEAF))
		node = walk_step(tree, node, features, sets, true);
	return node;
}

/* The leaves of WALKS trees, side by side. */
static inline void
walk_many(const TreeView *trees, uint32_t first, const double *features, bool any_missing, const TreeNode **nodes)
{
	const TreeNode *roots[WALKS];
	uint32_t	all_leaves = NODE_LEAF;

	for (int k = 0; k < WALKS; k++)
	{
		roots[k] = nodes[k] = trees->nodes + trees->starts[first + k];
		all_leaves &= nodes[k]->feature;
	}

	/* trees that are all leaves read no feature: there may be none */
	while (!all_leaves)
	{
		all_leaves = NODE_LEAF;
		for (int k = 0; k < WALKS; k++)
		{
			nodes[k] = walk_step(roots[k], nodes[k], features, trees->sets, any_missing);
			all_leaves &= nodes[k]->feature;
		}
	}
}

/* Whether any feature is missing. */
static inline bool
any_nan(const double *features, uint32_t n_features)
{
	bool		any = false;

	for (uint32_t j = 0; j < n_features; j++)
		any |= features[j] != features[j];
	return any;
}

/* Adds the leaves of all trees to the scores, in the order of the trees. */
static inline void
add_leaves(const TreeView *trees, const double *features, bool any_missing, double *scores)
{
	uint32_t	n_trees = trees->head->n_trees;
	uint32_t	n_groups = trees->head->n_groups;
	uint32_t	group = 0;
	uint32_t	t = 0;

	for (; n_trees - t >= WALKS; t += WALKS)
	{
		const TreeNode *leaves[WALKS];

		walk_many(trees, t, features, any_missing, leaves);
		for (int k = 0; k < WALKS; k++)
		{
			scores[group] += leaves[k]->u.leaf;
			group = group + 1 == n_groups ? 0 : group + 1;
		}
	}
	for (; t < n_trees; t++)
	{
		scores[group] += walk_one(trees->nodes + trees->starts[t], features, trees->sets)->u.leaf;
		group = group + 1 == n_groups ? 0 : group + 1;
	}
}

/* Adds the shares that lie at a set. */
static inline void
add_leaf_shares(const TreeView *trees, uint64_t set, double *out)
{
	const uint32_t *words = trees->sets + set;
	uint32_t	n_words = words[0];

	for (uint32_t i = 1; i <= n_words; i += SHARE_WORDS)
		out[words[i]] += share_at(words + i);
}

/* Adds the shares of the leaves of all trees, in the order of the trees. */
static inline void
add_shares(const TreeView *trees, const double *features, bool any_missing, double *out)
{
	uint32_t	n_trees = trees->head->n_trees;
	uint32_t	t = 0;

	for (; n_trees - t >= WALKS; t += WALKS)
	{
		const TreeNode *leaves[WALKS];

		walk_many(trees, t, features, any_missing, leaves);
		for (int k = 0; k < WALKS; k++)
			add_leaf_shares(trees, leaves[k]->u.set, out);
	}
	for (; t < n_trees; t++)
		add_leaf_shares(trees, walk_one(trees->nodes + trees->starts[t], features, trees->sets)->u.set, out);
}

void
tree_model_add_shares(const Model *model, uint64_t set, double *out)
{
	TreeView	trees = tree_view(model);

	add_leaf_shares(&trees, set, out);
}

void
tree_model_scores(const Model *model, const double *features, double *scores)
{
	TreeView	trees = tree_view(model);

	for (uint32_t g = 0; g < trees.head->n_groups; g++)
		scores[g] = trees.base[g];
	if (any_nan(features, model->n_features))
		add_leaves(&trees, features, true, scores);
	else
		add_leaves(&trees, features, false, scores);
}

double
tree_model_leaf(const Model *model, uint32_t tree, const double *features)
{
	TreeView	trees = tree_view(model);

	return walk_one(trees.nodes + trees.starts[tree], features, trees.sets)->u.leaf;
}

void
tree_model_begin(const Model *model, double *out)
{
	TreeView	trees = tree_view(model);

	if (trees.head->link == LINK_SHARES)
	{
		for (uint32_t k = 0; k < model->n_outputs; k++)
			out[k] = 0;
		return;
	}
	for (uint32_t g = 0; g < trees.head->n_groups; g++)
		out[g] = trees.base[g];
}

void
tree_model_finish(const Model *model, double *out)
{
	const TreePayload *head = model->payload;

	switch ((TreeLink) head->link)
	{
		case LINK_IDENTITY:
			break;
		case LINK_LOGISTIC:
			link_logistic(out[0], out);
			break;
		case LINK_SOFTMAX:
			link_softmax(out, head->n_groups);
			break;
		case LINK_LOG:
			out[0] = math_exp(out[0]);
			break;
		case LINK_MEAN:
			out[0] /= head->n_trees;
			if (model->task == TASK_BINARY)
			{
				out[1] = out[0];
				out[0] = 1 - out[1];
			}
			break;
		case LINK_SHARES:
			for (uint32_t k = 0; k < model->n_outputs; k++)
				out[k] /= head->n_trees;
			break;
	}
}

void
tree_model_predict(const Model *model, const double *features, double *out)
{
	TreeView	trees = tree_view(model);
	bool		any_missing = any_nan(features, model->n_features);

	tree_model_begin(model, out);
	if (trees.head->link == LINK_SHARES && any_missing)
		add_shares(&trees, features, true, out);
	else if (trees.head->link == LINK_SHARES)
		add_shares(&trees, features, false, out);
	else if (any_missing)
		add_leaves(&trees, features, true, out);
	else
		add_leaves(&trees, features, false, out);
	tree_model_finish(model, out);
}
