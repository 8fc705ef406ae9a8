/*
 * tree_model.c
 *		Tree ensembles: validation and prediction.
 *
 * A walk is a chain of dependent loads, so one tree alone leaves the machine
 * waiting: several trees are walked side by side, a step at a time, and a
 * tree that is at its leaf stays there.  Steps are without branches but for
 * splits on categories; rows without missing values take a shorter step.
 */
#include "tree_model.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "link.h"

_Static_assert(sizeof(TreeNode) == 16 && sizeof(TreeNodeStat) == 8 && sizeof(TreePayload) == 72, "trees are a file format");

#define WALKS 8					/* trees side by side: enough loads in flight, pointers still in registers */

/* The arrays of a payload. */
typedef struct TreeView
{
	const TreePayload *head;
	const double *base;
	const uint64_t *starts;
	const TreeNode *nodes;
	const uint32_t *sets;
} TreeView;

static inline TreeView
tree_view(const Model *model)
{
	const uint8_t *payload = model->payload;
	const TreePayload *head = model->payload;

	return (TreeView)
	{
		.head = head,
		.base = (const double *) (payload + head->base_offset),
		.starts = (const uint64_t *) (payload + head->starts_offset),
		.nodes = (const TreeNode *) (payload + head->nodes_offset),
		.sets = (const uint32_t *) (payload + head->sets_offset)
	};
}

/* ---- Validation ---- */

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

/* A share of a leaf. */
static inline double
share_at(const uint32_t *words)
{
	double		share;

	memcpy(&share, words + 1, sizeof(share));
	return share;
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

/* ---- Prediction ---- */

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
