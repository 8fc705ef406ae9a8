/*
 * tree_validate.c
 *		Tree ensembles: what model_open() takes as a payload of trees.
 *
 * Every byte is hostile.  What passes can be walked without a further check:
 * children lie behind their parents and inside their tree, sets and shares
 * inside theirs, and numbers are finite.
 */
#include "tree_view.h"

#include <float.h>
#include <math.h>

_Static_assert(sizeof(TreeNode) == 16 && sizeof(TreeNodeStat) == 8 && sizeof(TreePayload) == 72, "trees are a file format");

/* n items of size bytes at offset lie in the payload, behind its head and aligned. */
static bool
array_fits(const Model *model, uint64_t offset, uint64_t n, size_t size)
{
	return offset % 8 == 0 && offset >= sizeof(TreePayload) && offset <= model->payload_size &&
		n <= (model->payload_size - offset) / size;
}

/* Link, groups and outputs belong together. */
static bool
link_fits(const Model *model, const TreePayload *head)
{
	switch ((TreeLink) head->link)
	{
		case LINK_IDENTITY:
		case LINK_LOG:
			return model->task == TASK_REGRESSION && head->n_groups == 1;
		case LINK_LOGISTIC:
			return model->task == TASK_BINARY && head->n_groups == 1;
		case LINK_SOFTMAX:
			return model->task == TASK_MULTICLASS && head->n_groups == model->n_outputs;
		case LINK_MEAN:
			return model->task != TASK_MULTICLASS && head->n_groups == 1 && head->n_trees > 0;
		case LINK_SHARES:
			return model->task == TASK_MULTICLASS && head->n_groups == 1 && head->n_trees > 0;
	}
	return false;
}

/*
 * The shares of a leaf: of known classes, each once, adding up to 1.  Words
 * of more than one class are nobody else's: *n_words counts them down, so
 * hostile leaves cannot make their validation long.
 */
static bool
shares_valid(const TreeView *trees, const TreeNode *leaf, uint32_t n_classes, uint64_t *n_words)
{
	uint64_t	all_words = trees->head->n_set_words;
	uint64_t	set = leaf->u.set;

	if (set >= all_words || trees->sets[set] > all_words - set - 1 || trees->sets[set] % SHARE_WORDS != 0)
		return false;

	uint32_t	n = trees->sets[set] / SHARE_WORDS;
	uint64_t	next_class = 0;
	double		sum = 0;

	if (n > 1 && trees->sets[set] > *n_words)
		return false;
	if (n > 1)
		*n_words -= trees->sets[set];
	for (uint32_t i = 0; i < n; i++)
	{
		const uint32_t *words = trees->sets + set + 1 + (size_t) i * SHARE_WORDS;

		if (words[0] < next_class || words[0] >= n_classes || !(share_at(words) >= 0 && share_at(words) <= 1))
			return false;
		next_class = (uint64_t) words[0] + 1;
		sum += share_at(words);
	}
	return fabs(sum - 1) < 1e-6;
}

/* The value of a leaf is one that the link can use. */
static bool
leaf_valid(const Model *model, const TreeView *trees, const TreeNode *leaf, uint64_t *n_words)
{
	TreeLink	link = (TreeLink) trees->head->link;

	if (leaf->left != 0)
		return false;
	if (link == LINK_SHARES)
		return leaf->feature == (NODE_LEAF | NODE_SHARES) && shares_valid(trees, leaf, model->n_outputs, n_words);
	if (link == LINK_MEAN && model->task == TASK_BINARY && !(leaf->u.leaf >= 0 && leaf->u.leaf <= 1))
		return false;
	return leaf->feature == NODE_LEAF && isfinite(leaf->u.leaf);
}

/* Flags, feature and value of a node; its children are tree_valid's matter. */
static bool
node_valid(const Model *model, const TreeView *trees, const TreeNode *node, uint64_t *n_words)
{
	if (node->feature & NODE_LEAF)
		return leaf_valid(model, trees, node, n_words);
	if ((node->feature & NODE_FEATURE_MASK) >= model->n_features)
		return false;
	if (!(node->feature & NODE_CATEGORICAL))
		return isfinite(node->u.threshold);

	uint64_t	all_words = trees->head->n_set_words;

	return node->u.set < all_words && trees->sets[node->u.set] <= all_words - node->u.set - 1;
}

/* What thresholds [0] and plain leaves [1] of a model may be. */
typedef struct ValueRange
{
	double		lowest[2];
	double		highest[2];
} ValueRange;

static ValueRange
plain_values(const Model *model, const TreePayload *head)
{
	ValueRange	range = {.lowest = {-DBL_MAX, -DBL_MAX}, .highest = {DBL_MAX, DBL_MAX}};

	if (head->link == LINK_MEAN && model->task == TASK_BINARY)
	{
		range.lowest[1] = 0;
		range.highest[1] = 1;
	}
	else if (head->link == LINK_SHARES)
		range.highest[1] = -INFINITY;	/* there are no plain leaves */
	return range;
}

/*
 * The n >= 1 nodes are one tree in breadth-first order; its depth.  Each
 * split's children are the next two nodes that nobody has claimed, so no
 * memory is needed to see that every node is reached, and reached once.
 */
static bool
tree_valid(const Model *model, const TreeView *trees, const ValueRange *range, const TreeNode *nodes, uint64_t n, uint64_t *n_words,
		   uint32_t *depth)
{
	uint64_t	claimed = 1;
	uint64_t	level_end = 1;

	*depth = 0;
	for (uint64_t i = 0; i < n; i++)
	{
		const TreeNode *node = &nodes[i];

		if (i == level_end)
		{
			level_end = claimed;
			(*depth)++;
		}
		if (i >= claimed)
			return false;

		/* leaves and splits come at random, so what nearly all nodes are is accepted without asking which it is */
		uint64_t	leaf = node->feature >> 31;
		bool		plain_leaf = (node->feature == NODE_LEAF) & (node->left == 0);
		bool		plain_split = ((node->feature & ~NODE_MISSING_LEFT) < model->n_features) & (node->left == claimed) & (claimed + 1 < n);
		bool		within = (node->u.leaf >= range->lowest[leaf]) & (node->u.leaf <= range->highest[leaf]);

		if (__builtin_expect(!((plain_leaf | plain_split) & within), 0))
		{
			if (!node_valid(model, trees, node, n_words))
				return false;
			if (!leaf && (node->left != claimed || n - claimed < 2))
				return false;
		}
		claimed += 2 * (1 - leaf);
	}
	return claimed == n;
}

bool
tree_model_validate(const Model *model, Error *error)
{
	const TreePayload *head = model->payload;

	if (model->payload_size < sizeof(TreePayload))
		return error_set(error, ERROR_CORRUPTED, "model is damaged: payload of %zu bytes is too short", model->payload_size);
	if (!link_fits(model, head))
		return error_set(error, ERROR_CORRUPTED, "model is damaged: link %u with %u scores does not fit the task", head->link, head->n_groups);
	if (head->n_trees % head->n_groups != 0)
		return error_set(error, ERROR_CORRUPTED, "model is damaged: %u trees for %u scores", head->n_trees, head->n_groups);
	if (!array_fits(model, head->base_offset, head->n_groups, sizeof(double)) ||
		!array_fits(model, head->starts_offset, (uint64_t) head->n_trees + 1, sizeof(uint64_t)) ||
		!array_fits(model, head->nodes_offset, head->n_nodes, sizeof(TreeNode)) ||
		!array_fits(model, head->stats_offset, head->n_nodes, sizeof(TreeNodeStat)) ||
		!array_fits(model, head->sets_offset, head->n_set_words, sizeof(uint32_t)))
		return error_set(error, ERROR_CORRUPTED, "model is damaged: its trees lie outside of it");

	TreeView	trees = tree_view(model);

	for (uint32_t g = 0; g < head->n_groups; g++)
	{
		if (!isfinite(trees.base[g]))
			return error_set(error, ERROR_CORRUPTED, "model is damaged: base score %u is not finite", g);
		if ((head->link == LINK_MEAN || head->link == LINK_SHARES) && trees.base[g] != 0)
			return error_set(error, ERROR_CORRUPTED, "model is damaged: a mean with base score %g", trees.base[g]);
	}
	if (trees.starts[0] != 0 || trees.starts[head->n_trees] != head->n_nodes)
		return error_set(error, ERROR_CORRUPTED, "model is damaged: trees do not cover the nodes");

	ValueRange	range = plain_values(model, head);
	uint32_t	max_depth = 0;
	uint64_t	n_words = head->n_set_words;

	for (uint32_t t = 0; t < head->n_trees; t++)
	{
		uint64_t	start = trees.starts[t];
		uint64_t	end = trees.starts[t + 1];
		uint32_t	depth;

		if (end <= start || end > head->n_nodes || end - start > UINT32_MAX)
			return error_set(error, ERROR_CORRUPTED, "model is damaged: tree %u has no proper nodes", t);
		if (!tree_valid(model, &trees, &range, trees.nodes + start, end - start, &n_words, &depth))
			return error_set(error, ERROR_CORRUPTED, "model is damaged: tree %u has an invalid node", t);
		if (depth > max_depth)
			max_depth = depth;
	}
	if (head->max_depth != max_depth)
		return error_set(error, ERROR_CORRUPTED, "model is damaged: trees of depth %u, expected %u", max_depth, head->max_depth);
	return true;
}
