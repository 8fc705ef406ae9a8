/*
 * explain_walk.c
 *		What a tree is along its paths: levels, shares of the training rows, repeated features, means.
 */
#include "explain_prepare.h"

#include <math.h>

double
explain_leaf_value(const Preparation *work, const BlockTree *tree, uint32_t node)
{
	if (tree->nodes[node].feature & NODE_SHARES)
		return tree_leaf_share(work->model, tree->number, node, work->class);
	return tree->nodes[node].u.leaf;
}

/* Weights of training rows are stored, so they may be anything. */
static double
usable_cover(float cover)
{
	return isfinite(cover) && cover > 0 ? (double) cover : 0;
}

void
explain_split_shares(const BlockTree *tree, uint32_t node, double *shares)
{
	uint32_t	left = tree->nodes[node].left;
	double		covers[2] = {usable_cover(tree->stats[left].cover), usable_cover(tree->stats[left + 1].cover)};
	double		sum = covers[0] + covers[1];

	shares[0] = sum > 0 ? covers[0] / sum : 0.5;
	shares[1] = 1 - shares[0];
}

uint32_t
explain_walk_tree(Preparation *work, const BlockTree *tree)
{
	uint32_t	depth = 0;
	uint32_t	n_features = 0;	/* on the path */

	work->steps[0] = (Step) {.node = 0, .next = 0};
	for (uint32_t i = 0; i != UINT32_MAX;)
	{
		Step	   *step = &work->steps[i];
		const TreeNode *node = &tree->nodes[step->node];
		Place	   *place = &tree->places[step->node];

		place->level = i;
		if (is_leaf(node))
		{
			i--;
			continue;
		}

		Before	   *before = &work->before[node->feature & NODE_FEATURE_MASK];

		if (step->next == 0)
		{
			step->saved = place->before = *before;
			n_features += before->node == NO_NODE;
			depth = i + 1 > depth ? i + 1 : depth;
			if (n_features > work->trees->n_features_on_path)
				work->trees->n_features_on_path = n_features;
		}
		if (step->next == 2)
		{
			*before = step->saved;
			n_features -= before->node == NO_NODE;
			i--;
			continue;
		}

		double		shares[2];

		explain_split_shares(tree, step->node, shares);
		before->node = tree->offset + step->node;
		before->side = step->next;
		before->share = (step->saved.node == NO_NODE ? 1 : step->saved.share) * shares[step->next];
		work->steps[++i] = (Step) {.node = node->left + step->next++, .next = 0};
	}
	return depth;
}

/* Means of the leaves below each node; that of the root is the tree's. */
void
explain_add_mean(Preparation *work, const BlockTree *tree)
{
	for (uint32_t i = tree->n_nodes; i-- > 0;)
	{
		const TreeNode *node = &tree->nodes[i];
		double		shares[2];

		if (is_leaf(node))
		{
			tree->places[i].mean = explain_leaf_value(work, tree, i);
			continue;
		}
		explain_split_shares(tree, i, shares);
		tree->places[i].mean = shares[0] * tree->places[node->left].mean + shares[1] * tree->places[node->left + 1].mean;
	}
	work->explainer->base += tree->places[0].mean;
}
