/*
 * test_tree_inspect.c
 *		What is said about trees, against what prediction does with them.
 */
#include <float.h>

#include "check.h"
#include "core/algorithm.h"
#include "core/model/tree_inspect.h"
#include "support.h"

static const char *const colours[] = {"blue", "green", "red"};
static const size_t colour_lengths[] = {4, 5, 3};

/* What the columns of the model below have in common. */
static const RecipeColumn plain = {
	.n_features = 1, .kind = KIND_NUMBER, .storage = STORAGE_FLOAT64, .missing = MISSING_NATIVE, .encoding = ENCODING_NATIVE,
	.scaling = SCALING_NONE, .unseen = UNSEEN_MISSING, .scale = 1
};

#define COLUMNS 9

/* A column of each recipe; the features that they make. */
static uint32_t
write_columns(ModelWriter *writer)
{
	RecipeColumn columns[COLUMNS];
	uint32_t	first = 0;

	for (int i = 0; i < COLUMNS; i++)
		columns[i] = plain;
	columns[1].storage = STORAGE_FLOAT32;
	columns[2].scaling = SCALING_STANDARD;
	columns[2].center = 0.1;
	columns[2].scale = 0.3;
	columns[3].storage = STORAGE_FLOAT32;
	columns[3].scaling = SCALING_MINMAX;
	columns[3].center = -7;
	columns[3].scale = 3e5;
	columns[3].missing = MISSING_MEDIAN;
	columns[3].fill = 12.25;
	columns[3].indicator = 1;
	columns[3].n_features = 2;
	columns[4].missing = MISSING_ERROR;
	columns[5].scaling = SCALING_STANDARD;
	columns[5].center = 2;
	columns[5].scale = -0.7;
	for (int i = 6; i < COLUMNS; i++)
	{
		columns[i].kind = KIND_CATEGORY;
		columns[i].storage = STORAGE_CODE;
	}
	columns[7].encoding = ENCODING_ONEHOT;
	columns[7].n_features = 3;
	columns[8].encoding = ENCODING_ORDINAL;
	columns[8].missing = MISSING_MOST_FREQUENT;
	columns[8].fill = 1;
	columns[8].scaling = SCALING_STANDARD;
	columns[8].center = 1.5;
	columns[8].scale = 0.5;

	for (int i = 0; i < COLUMNS; i++)
	{
		char		name[2] = {(char) ('a' + i), '\0'};
		bool		category = columns[i].kind == KIND_CATEGORY;

		columns[i].first_feature = first;
		first += columns[i].n_features;
		model_writer_column(writer, &columns[i], name, "text", category ? colours : NULL, category ? colour_lengths : NULL, category ? 3 : 0);
	}
	return first;
}

static const double thresholds[] = {
	0.5, 0.25, -0.1, 0, 0.1, 1, 1.0000000001, 1e-300, 16777217, -16777217, 3.5e37, DBL_MAX, -DBL_MAX, 0.30000000447034836, 1e9
};

#define THRESHOLDS (sizeof(thresholds) / sizeof(thresholds[0]))

/* A tree of one split for each feature, threshold and side of missing values; each feature also by the set {0, 2}. */
static bool
write_model(Buffer *out, Error *error)
{
	ModelWriter writer;
	TreeWriter	trees;
	const double base = 0;

	model_writer_init(&writer);
	writer.header.algorithm = ALGORITHM_GRADIENT_BOOSTING;
	writer.header.task = TASK_REGRESSION;
	writer.header.target_name = model_writer_string(&writer, "y", 1);
	writer.header.target_type = model_writer_string(&writer, "real", 4);

	uint32_t	n_features = write_columns(&writer);
	TreeNode	nodes[3] = {{.left = 1}, {.u.leaf = 1,.feature = NODE_LEAF}, {.u.leaf = 2,.feature = NODE_LEAF}};
	TreeNodeStat stats[3] = {{1, 2}, {0, 1}, {0, 1}};
	const uint32_t set[2] = {1, 1u << 0 | 1u << 2};

	tree_writer_init(&trees, LINK_IDENTITY, 1, &base);
	for (uint32_t feature = 0; feature < n_features; feature++)
	{
		for (int left = 0; left < 2; left++)
		{
			nodes[0].feature = feature | (left ? NODE_MISSING_LEFT : 0);
			for (size_t i = 0; i < THRESHOLDS; i++)
			{
				nodes[0].u.threshold = thresholds[i];
				tree_writer_tree(&trees, nodes, stats, 3, NULL, 0, 1);
			}
			nodes[0].feature |= NODE_CATEGORICAL;
			nodes[0].u.set = 0;
			tree_writer_tree(&trees, nodes, stats, 3, set, 2, 1);
		}
	}

	bool		done = tree_writer_finish(&trees, &writer.sections[SECTION_PAYLOAD], error) && model_writer_finish(&writer, out, error);

	tree_writer_free(&trees);
	model_writer_free(&writer);
	return done;
}

/* Whether prediction takes a raw value of the split's column left; the other columns hold 0. */
static bool
predicted_left(const Model *model, const TreeSplit *split, double value)
{
	double		raw[COLUMNS] = {0};
	double		features[32];
	const TreeNode *node = split->node;
	Error		error;

	raw[split->column - model->columns] = value;
	if (!CHECK_OK(model_encode(model, raw, features, &error), &error))
		return false;

	double		x = features[node->feature & NODE_FEATURE_MASK];

	if (x != x)
		return node->feature & NODE_MISSING_LEFT;
	if (node->feature & NODE_CATEGORICAL)
		return x >= 0 && x < 3 && (uint32_t) x != 1;
	return x <= node->u.threshold;
}

/* Whether the test that is told says so, of a value that is not missing. */
static bool
told_left(const TreeSplit *split, double value)
{
	double		stored = split->column->storage == STORAGE_FLOAT32 ? (double) (float) value : value;

	switch (split->test)
	{
		case TEST_AT_MOST:
			return stored <= split->bound;
		case TEST_AT_LEAST:
			return stored >= split->bound;
		case TEST_LEVELS:
			return tree_split_level(split, (uint64_t) value);
		case TEST_PRESENT:
		case TEST_ALWAYS:
			return true;
		case TEST_NEVER:
			return false;
	}
	return false;
}

static const double values[] = {0, 1, 2, -1, 0.5, 0.1, 0.3, 1e-3, 12.25, 16777217, -1e9, 1e9, 3e38, -3e38, 1e-310};

static void
check_bound(const Model *model, const TreeSplit *split)
{
	int			wrong = 0;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		wrong += told_left(split, values[i]) != predicted_left(model, split, values[i]);
	if (split->test == TEST_AT_MOST || split->test == TEST_AT_LEAST)
	{
		bool		single = split->column->storage == STORAGE_FLOAT32;
		double		around[] = {
			split->bound, single ? nextafterf((float) split->bound, INFINITY) : nextafter(split->bound, INFINITY),
			single ? nextafterf((float) split->bound, -INFINITY) : nextafter(split->bound, -INFINITY)
		};

		CHECK(!single || split->bound == (float) split->bound);
		for (int i = 0; i < 3; i++)
			wrong += told_left(split, around[i]) != predicted_left(model, split, around[i]);
	}
	CHECK(wrong == 0);
}

/* Every split, as told and as predicted. */
static void
test_splits(void)
{
	Buffer		bytes;
	Model		model;
	Error		error;
	int			tests[TEST_NEVER + 1] = {0};

	buffer_init(&bytes);
	if (!CHECK_OK(write_model(&bytes, &error), &error) || !CHECK_OK(model_open(&model, bytes.data, bytes.size, &error), &error))
		return;
	for (uint32_t tree = 0; tree < tree_payload(&model)->n_trees; tree++)
	{
		TreeSplit	split = tree_split(&model, tree, 0);

		tests[split.test]++;
		CHECK(split.column == &model.columns[tree_node_view(&model, tree, 0).column]);
		CHECK(split.refuses_missing == (split.column->missing == MISSING_ERROR));
		if (!split.refuses_missing)
			CHECK(split.missing_left == predicted_left(&model, &split, NAN));
		if (split.column->kind == KIND_CATEGORY)
		{
			CHECK(split.test == TEST_LEVELS && split.n_levels == 3);
			for (int level = 0; level < 3; level++)
				CHECK(told_left(&split, level) == predicted_left(&model, &split, level));
		}
		else if (split.set == NULL)
			check_bound(&model, &split);
	}
	for (SplitTest test = TEST_AT_MOST; test <= TEST_NEVER; test++)
		CHECK(tests[test] > 0);
	buffer_free(&bytes);
}

/* The nodes of the first example, whose tree was given out of order. */
static void
test_nodes(void)
{
	Buffer		bytes;
	Model		model;
	Error		error;

	buffer_init(&bytes);
	if (!CHECK_OK(example_regression_trees(&bytes, &error), &error) || !CHECK_OK(model_open(&model, bytes.data, bytes.size, &error), &error))
		return;
	CHECK(model_has_trees(&model) && tree_payload(&model)->n_trees == 2);
	CHECK(tree_n_nodes(&model, 0) == 5 && tree_n_nodes(&model, 1) == 3);
	CHECK_SAME(tree_base_score(&model, 0), 10);

	TreeNodeView root = tree_node_view(&model, 0, 0);

	CHECK(!root.leaf && root.left == 1 && root.right == 2 && root.column == 0);
	CHECK_SAME(root.gain, 10);
	CHECK_SAME(root.cover, 100);
	CHECK(!tree_node_view(&model, 0, 1).leaf && tree_node_view(&model, 0, 1).column == 2);

	TreeNodeView right = tree_node_view(&model, 0, 2);

	CHECK(right.leaf && right.left == NO_NODE && right.right == NO_NODE);
	CHECK_SAME(right.value, 3);
	CHECK_SAME(tree_node_view(&model, 1, 2).value, -0.25);

	TreeSplit	by_age = tree_split(&model, 1, 0);

	CHECK(by_age.test == TEST_AT_MOST && !by_age.missing_left && !by_age.refuses_missing);
	CHECK_SAME(by_age.bound, 30.5);
	buffer_free(&bytes);
	if (CHECK_OK(example_linear(&bytes, &error), &error) && CHECK_OK(model_open(&model, bytes.data, bytes.size, &error), &error))
		CHECK(!model_has_trees(&model));
	buffer_free(&bytes);
}

/* Shares of the first example: gains 10 (x), 5 (job), 10 (age); covers 100, 50, 100. */
static void
test_importance(void)
{
	Buffer		bytes;
	Model		model;
	Error		error;
	double		shares[3];

	buffer_init(&bytes);
	if (!CHECK_OK(example_regression_trees(&bytes, &error), &error) || !CHECK_OK(model_open(&model, bytes.data, bytes.size, &error), &error))
		return;
	tree_importance(&model, IMPORTANCE_GAIN, shares);
	CHECK_SAME(shares[0], 0.4);
	CHECK_SAME(shares[1], 0.4);
	CHECK_SAME(shares[2], 0.2);
	tree_importance(&model, IMPORTANCE_COVER, shares);
	CHECK_SAME(shares[2], 0.2);
	tree_importance(&model, IMPORTANCE_SPLITS, shares);
	CHECK_SAME(shares[2], 1.0 / 3);

	/* gains are not validated: what is no number counts nothing, what is none finite the most there is */
	TreeNodeStat *stats = (TreeNodeStat *) ((uint8_t *) (uintptr_t) model.payload + tree_payload(&model)->stats_offset);

	stats[0].gain = NAN;
	stats[1].gain = INFINITY;
	tree_importance(&model, IMPORTANCE_GAIN, shares);
	CHECK_SAME(shares[0], 0);
	CHECK_NEAR(shares[2], 1, 1e-12);
	buffer_free(&bytes);
}

int
main(void)
{
	test_nodes();
	test_splits();
	test_importance();
	return check_done();
}
