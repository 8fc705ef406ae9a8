/*
 * tree_inspect.c
 *		Tree ensembles for people.
 *
 * The bound of a split on a raw number is found by bisection over all
 * doubles: encoding is monotonic, and nothing else would give the very number
 * at which prediction turns, whatever was scaled and rounded on the way.
 */
#include "tree_inspect.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "../algorithm.h"

bool
model_has_trees(const Model *model)
{
	return model->algorithm->validate == tree_model_validate;
}

/* The array at an offset of the payload. */
static const void *
payload_array(const Model *model, uint64_t offset)
{
	return (const uint8_t *) model->payload + offset;
}

static uint64_t
tree_start(const Model *model, uint32_t tree)
{
	return ((const uint64_t *) payload_array(model, tree_payload(model)->starts_offset))[tree];
}

/* The root of a tree. */
static const TreeNode *
tree_root(const Model *model, uint32_t tree)
{
	return (const TreeNode *) payload_array(model, tree_payload(model)->nodes_offset) + tree_start(model, tree);
}

uint32_t
tree_n_nodes(const Model *model, uint32_t tree)
{
	return (uint32_t) (tree_start(model, tree + 1) - tree_start(model, tree));
}

double
tree_base_score(const Model *model, uint32_t group)
{
	return ((const double *) payload_array(model, tree_payload(model)->base_offset))[group];
}

/* The raw column of an encoded feature: the last one that begins at it or before, and has features. */
static uint32_t
column_of_feature(const Model *model, uint32_t feature)
{
	uint32_t	low = 0;
	uint32_t	high = model->n_columns;

	while (high - low > 1)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (model->columns[middle].first_feature <= feature)
			low = middle;
		else
			high = middle;
	}
	return low;
}

TreeNodeView
tree_node_view(const Model *model, uint32_t tree, uint32_t node)
{
	const TreeNode *at = tree_root(model, tree) + node;
	const TreeNodeStat *stat = (const TreeNodeStat *) payload_array(model, tree_payload(model)->stats_offset) + tree_start(model, tree) + node;
	TreeNodeView view = {.leaf = at->feature & NODE_LEAF,.left = NO_NODE,.right = NO_NODE,.gain = stat->gain,.cover = stat->cover};

	if (view.leaf)
		view.value = at->feature & NODE_SHARES ? NAN : at->u.leaf;
	else
	{
		view.left = at->left;
		view.right = at->left + 1;
		view.column = column_of_feature(model, at->feature & NODE_FEATURE_MASK);
	}
	return view;
}

double
tree_leaf_share(const Model *model, uint32_t tree, uint32_t node, uint32_t class)
{
	const uint32_t *words = (const uint32_t *) payload_array(model, tree_payload(model)->sets_offset) + tree_root(model, tree)[node].u.set;

	for (uint32_t i = 1; i <= words[0]; i += SHARE_WORDS)
	{
		double		share;

		memcpy(&share, words + i + 1, sizeof(share));
		if (words[i] == class)
			return share;
	}
	return 0;
}

/* ---- Splits ---- */

/* Which of a column's features a part is. */
static bool
is_indicator(const RecipeColumn *column, uint32_t part)
{
	return column->indicator && part == column->n_features - 1;
}

/* One feature of a raw value that is not missing, as recipe_encode() computes it. */
static double
encode_part(const RecipeColumn *column, uint32_t part, double raw)
{
	if (is_indicator(column, part))
		return 0;
	if (column->encoding == ENCODING_ONEHOT)
		return raw == part ? 1 : 0;

	double		value = column->storage == STORAGE_FLOAT32 ? (double) (float) raw : raw;

	return column->scaling == SCALING_NONE ? value : (value - column->center) / column->scale;
}

/* Whether a feature's value goes left, as prediction decides it. */
static bool
goes_left(const TreeNode *node, const uint32_t *set, double x)
{
	if (isnan(x))
		return node->feature & NODE_MISSING_LEFT;
	if (set == NULL)
		return x <= node->u.threshold;
	if (!(x >= 0 && x < (double) ((uint64_t) set[0] * 32)))
		return false;

	uint64_t	bit = (uint64_t) x;

	return (set[1 + bit / 32] >> (bit % 32)) & 1;
}

/* The feature of a missing value; the recipe lets it through. */
static double
encode_missing(const RecipeColumn *column, uint32_t part)
{
	if (is_indicator(column, part))
		return 1;
	if (column->missing != MISSING_NATIVE)
	{
		/* what fills is not rounded again */
		RecipeColumn filled = *column;

		filled.storage = STORAGE_FLOAT64;
		return encode_part(&filled, part, column->fill);
	}
	return column->encoding == ENCODING_ONEHOT ? 0 : NAN;
}

/* Numbers that sort like the doubles, the infinities at the ends. */
static double
nth_double(uint64_t n)
{
	uint64_t	bits = n & (UINT64_C(1) << 63) ? n ^ (UINT64_C(1) << 63) : ~n;
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

#define FIRST_DOUBLE (~UINT64_C(0xfff0000000000000))	/* -infinity */
#define LAST_DOUBLE (UINT64_C(0x7ff0000000000000) ^ UINT64_C(1) << 63)	/* infinity */

/* The last raw number, in the order of growing features, that goes left; *found is false where none does. */
static double
last_left(const TreeSplit *split, bool *found)
{
	bool		turned = split->column->scaling != SCALING_NONE && split->column->scale < 0;
	uint64_t	left = turned ? LAST_DOUBLE : FIRST_DOUBLE;
	uint64_t	right = turned ? FIRST_DOUBLE : LAST_DOUBLE;

	*found = goes_left(split->node, NULL, encode_part(split->column, split->part, nth_double(left)));
	if (*found && goes_left(split->node, NULL, encode_part(split->column, split->part, nth_double(right))))
		return nth_double(right);
	while (left + 1 != right && left != right + 1)
	{
		uint64_t	middle = left < right ? left + (right - left) / 2 : right + (left - right) / 2;

		if (goes_left(split->node, NULL, encode_part(split->column, split->part, nth_double(middle))))
			left = middle;
		else
			right = middle;
	}
	return split->column->storage == STORAGE_FLOAT32 ? (double) (float) nth_double(left) : nth_double(left) + 0.0;
}

/* A comparison of a number: the raw bound. */
static void
find_bound(TreeSplit *split)
{
	double		most = split->column->storage == STORAGE_FLOAT32 ? FLT_MAX : DBL_MAX;
	bool		found;

	split->bound = last_left(split, &found);
	split->test = split->column->scaling != SCALING_NONE && split->column->scale < 0 ? TEST_AT_LEAST : TEST_AT_MOST;
	if (!found)
		split->test = TEST_NEVER;
	else if (split->test == TEST_AT_MOST ? split->bound >= most : split->bound <= -most)
		split->test = split->missing_left && !split->refuses_missing ? TEST_ALWAYS : TEST_PRESENT;
}

/* A comparison of "was missing", which is 0 or 1. */
static SplitTest
indicator_test(const TreeSplit *split)
{
	bool		present = goes_left(split->node, split->set, 0);
	bool		missing = goes_left(split->node, split->set, 1);

	return present ? (missing ? TEST_ALWAYS : TEST_PRESENT) : TEST_NEVER;
}

TreeSplit
tree_split(const Model *model, uint32_t tree, uint32_t node)
{
	const TreeNode *at = tree_root(model, tree) + node;
	uint32_t	feature = at->feature & NODE_FEATURE_MASK;
	const RecipeColumn *column = &model->columns[column_of_feature(model, feature)];
	TreeSplit	split = {.column = column,.node = at,.part = feature - column->first_feature};

	if (at->feature & NODE_CATEGORICAL)
		split.set = (const uint32_t *) payload_array(model, tree_payload(model)->sets_offset) + at->u.set;
	split.refuses_missing = column->missing == MISSING_ERROR;
	split.missing_left = !split.refuses_missing && goes_left(at, split.set, encode_missing(column, split.part));

	if (is_indicator(column, split.part))
		split.test = indicator_test(&split);
	else if (column->kind == KIND_CATEGORY || split.set != NULL)
	{
		split.test = TEST_LEVELS;
		split.n_levels = column->kind == KIND_CATEGORY ? column->n_categories : (uint64_t) split.set[0] * 32;
	}
	else
		find_bound(&split);
	return split;
}

bool
tree_split_level(const TreeSplit *split, uint64_t level)
{
	/* a set over a number holds features, not raw values */
	double		x = split->column->kind == KIND_CATEGORY ? encode_part(split->column, split->part, (double) level) : (double) level;

	return goes_left(split->node, split->set, x);
}

/* ---- Importance ---- */

/* What a split counts; a number that is none counts nothing, one beyond float32 the largest of those. */
static double
split_weight(TreeImportance kind, const TreeNodeView *view)
{
	double		weight = kind == IMPORTANCE_GAIN ? view->gain : kind == IMPORTANCE_COVER ? view->cover : 1;

	return weight > 0 ? fmin(weight, FLT_MAX) : 0;
}

void
tree_importance(const Model *model, TreeImportance kind, double *shares)
{
	double		total = 0;

	for (uint32_t i = 0; i < model->n_columns; i++)
		shares[i] = 0;
	for (uint32_t tree = 0; tree < tree_payload(model)->n_trees; tree++)
	{
		for (uint32_t node = 0; node < tree_n_nodes(model, tree); node++)
		{
			TreeNodeView view = tree_node_view(model, tree, node);
			double		weight = view.leaf ? 0 : split_weight(kind, &view);

			if (view.leaf)
				continue;
			shares[view.column] += weight;
			total += weight;
		}
	}
	for (uint32_t i = 0; i < model->n_columns && total > 0; i++)
		shares[i] /= total;
}
