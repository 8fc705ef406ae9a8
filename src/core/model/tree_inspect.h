/*
 * tree_inspect.h
 *		Tree ensembles for people: nodes one by one, what a split asks of the raw column, importance.
 *
 * A node splits an encoded feature; people know raw columns.  So a split is
 * told as a test of the raw value, exactly: whatever the recipe does to the
 * column, the test holds for a raw value if and only if prediction goes left.
 *
 * All of this reads a model that model_open() accepted; trees, nodes and
 * groups are numbered from 0, and a number out of range is a programming
 * error.
 */
#ifndef MLOPS_CORE_TREE_INSPECT_H
#define MLOPS_CORE_TREE_INSPECT_H

#include "tree_model.h"

#define NO_NODE UINT32_MAX

/* Whether the model's payload are trees. */
extern bool model_has_trees(const Model *model);

static inline const TreePayload *
tree_payload(const Model *model)
{
	return model->payload;
}

/* Nodes of a tree; node 0 is its root, and each lies before its children. */
extern uint32_t tree_n_nodes(const Model *model, uint32_t tree);

/* The score of a group before any tree. */
extern double tree_base_score(const Model *model, uint32_t group);

/* A node without its test. */
typedef struct TreeNodeView
{
	bool		leaf;
	uint32_t	left;			/* the children; NO_NODE of a leaf */
	uint32_t	right;
	uint32_t	column;			/* the raw column that a split tests */
	double		value;			/* of a leaf; NaN where it has shares of classes instead */
	float		gain;			/* of a split; as stored, so not even finite for sure */
	float		cover;			/* the same */
} TreeNodeView;

extern TreeNodeView tree_node_view(const Model *model, uint32_t tree, uint32_t node);

/* Whether predictions are the mean of the leaves of all trees, and not their sum on top of a score. */
static inline bool
tree_leaves_are_averaged(const Model *model)
{
	return tree_payload(model)->link == LINK_MEAN || tree_payload(model)->link == LINK_SHARES;
}

/* The share of a class in a leaf that has shares. */
extern double tree_leaf_share(const Model *model, uint32_t tree, uint32_t node, uint32_t class);

/* Which rows go left. */
typedef enum SplitTest
{
	TEST_AT_MOST = 1,			/* raw value <= bound */
	TEST_AT_LEAST,				/* raw value >= bound (the recipe turned the column around) */
	TEST_LEVELS,				/* categories for which tree_split_level() holds */
	TEST_PRESENT,				/* whatever is not missing */
	TEST_ALWAYS,
	TEST_NEVER
} SplitTest;

typedef struct TreeSplit
{
	SplitTest	test;
	const RecipeColumn *column;
	double		bound;			/* a value that the column can have: a float32 where it is stored so */
	bool		refuses_missing;	/* the recipe lets no missing value through */
	bool		missing_left;	/* else: where a missing value goes, filled as the recipe says */
	uint64_t	n_levels;		/* TEST_LEVELS: of the column, or numbers that the set could hold */
	/* for tree_split_level() */
	const TreeNode *node;
	const uint32_t *set;		/* NULL: the split compares */
	uint32_t	part;			/* of the column's features */
} TreeSplit;

/* The test of a split; node must not be a leaf. */
extern TreeSplit tree_split(const Model *model, uint32_t tree, uint32_t node);

/* Whether a level goes left. */
extern bool tree_split_level(const TreeSplit *split, uint64_t level);

typedef enum TreeImportance
{
	IMPORTANCE_GAIN = 1,
	IMPORTANCE_COVER,
	IMPORTANCE_SPLITS
} TreeImportance;

/* Each raw column's share of all splits' gain, cover or number: shares[n_columns], which add up to 1, or all 0 without splits. */
extern void tree_importance(const Model *model, TreeImportance kind, double *shares);

#endif
