/*
 * test_model.c
 *		Models written, opened, encoded and predicted, against values by hand.
 */
#include <stdlib.h>

#include "core/algorithm.h"
#include "core/crc32c.h"
#include "core/model/linear_model.h"
#include "core/model/model.h"
#include "core/model/tree_model.h"
#include "check.h"
#include "support.h"

/* One output of a row. */
static double
output(const Model *model, const double *raw, uint32_t which)
{
	double		features[16];
	double		out[16];
	Error		error;

	if (!CHECK_OK(model_predict(model, raw, features, out, &error), &error))
		return NAN;
	return out[which];
}

static void
test_trees(void)
{
	Buffer		bytes;
	Model		model;
	Error		error;

	buffer_init(&bytes);
	if (!CHECK_OK(example_regression_trees(&bytes, &error), &error) || !CHECK_OK(model_open(&model, bytes.data, bytes.size, &error), &error))
		return;
	CHECK(model.task == TASK_REGRESSION);
	CHECK(model.n_columns == 3 && model.n_features == 3 && model.n_outputs == 1);
	CHECK(model_find_label(&model, "yes") == -1);
	CHECK_TEXT(model_string(&model, model.header->target_type), "double precision");
	CHECK_TEXT(model_string(&model, model.params[0].name), "reg_lambda");
	CHECK_TEXT(model_string(&model, model.params[0].value), "1");
	CHECK_SAME(model.metrics[0].value, 0.75);
	CHECK_SAME(model.metrics[0].baseline, NAN);
	CHECK(((const TreePayload *) model.payload)->max_depth == 2);

	const RecipeColumn *job = &model.columns[2];
	double		admin = model_category(&model, job, "admin", 5);
	double		clerk = model_category(&model, job, "clerkXX", 5);
	double		retired = model_category(&model, job, "retired", 7);

	CHECK_SAME(admin, 0);
	CHECK_SAME(clerk, 1);
	CHECK_SAME(retired, 2);
	CHECK_SAME(model_category(&model, job, "cler", 4), NAN);
	CHECK_SAME(model_category(&model, job, "clerk\0", 6), NAN);
	CHECK_SAME(model_category(&model, job, "", 0), NAN);
	CHECK_SAME(model_category(&model, &model.columns[0], "admin", 5), NAN);
	CHECK(!recipe_unseen_is_error(job));

	CHECK_SAME(output(&model, (double[]) {0.5, 20, admin}, 0), 11.25);
	CHECK_SAME(output(&model, (double[]) {0.4, 31, clerk}, 0), 11.75);
	CHECK_SAME(output(&model, (double[]) {0.6, 30.5, admin}, 0), 13.25);
	CHECK_SAME(output(&model, (double[]) {NAN, 30.5, retired}, 0), 11.25);
	CHECK_SAME(output(&model, (double[]) {NAN, 30.5, NAN}, 0), 12.25);

	/* age: missing is 40; 30.5 + 1e-7 rounds to 30.5 in float32 */
	CHECK_SAME(output(&model, (double[]) {1, NAN, admin}, 0), 12.75);
	CHECK_SAME(output(&model, (double[]) {1, 30.5 + 1e-7, admin}, 0), 13.25);
	CHECK_SAME(output(&model, (double[]) {INFINITY, -INFINITY, admin}, 0), 13.25);
	buffer_free(&bytes);

	if (!CHECK_OK(example_binary_trees(&bytes, &error), &error) || !CHECK_OK(model_open(&model, bytes.data, bytes.size, &error), &error))
		return;
	CHECK(model.n_outputs == 2 && model_find_label(&model, "yes") == 1);
	CHECK_TEXT(model_label(&model, 0), "no");
	CHECK_NEAR(output(&model, (double[]) {0.6, 30.5, admin}, 1), 1 / (1 + exp(-1.25)), 1e-15);
	CHECK_NEAR(output(&model, (double[]) {0.6, 30.5, admin}, 0), 1 / (1 + exp(1.25)), 1e-15);
	buffer_free(&bytes);
}

static void
test_multiclass(void)
{
	Buffer		bytes;
	Model		model;
	Error		error;
	double		features[1];
	double		out[3];
	double		scores[3];

	buffer_init(&bytes);
	if (!CHECK_OK(example_multiclass_trees(&bytes, &error), &error) || !CHECK_OK(model_open(&model, bytes.data, bytes.size, &error), &error))
		return;
	CHECK(((const TreePayload *) model.payload)->n_trees == 6);
	CHECK(model_find_label(&model, "10") == 2);

	/* x = 3.5: trees 0..3 go right, 4 and 5 left */
	features[0] = 3.5;
	tree_model_scores(&model, features, scores);
	CHECK_NEAR(scores[0], 0.1 - 0 - 1.5, 1e-15);
	CHECK_NEAR(scores[1], 0.2 - 0.5 + 2, 1e-15);
	CHECK_NEAR(scores[2], 0.3 - 1 + 2.5, 1e-15);
	CHECK_OK(model_predict(&model, (double[]) {3.5}, features, out, &error), &error);

	double		sum = exp(scores[0]) + exp(scores[1]) + exp(scores[2]);

	for (int i = 0; i < 3; i++)
		CHECK_NEAR(out[i], exp(scores[i]) / sum, 1e-15);
	CHECK(model_best_class(out, 3) == 2);
	CHECK(model_best_class((double[]) {0.25, 0.5, 0.5}, 3) == 1);
	buffer_free(&bytes);
}

/* Means of leaves, and of shares of classes. */
static void
test_forests(void)
{
	Buffer		bytes;
	Model		model;
	Error		error;
	double		features[1];
	double		out[3];

	buffer_init(&bytes);
	if (!CHECK_OK(example_binary_forest(&bytes, &error), &error) || !CHECK_OK(model_open(&model, bytes.data, bytes.size, &error), &error))
		return;
	CHECK_SAME(output(&model, (double[]) {1.5}, 0), 1 - 0.375);
	CHECK_SAME(output(&model, (double[]) {1.5}, 1), 0.375);
	CHECK_SAME(output(&model, (double[]) {NAN}, 1), 0.75);
	buffer_free(&bytes);

	if (!CHECK_OK(example_multiclass_forest(&bytes, &error), &error) || !CHECK_OK(model_open(&model, bytes.data, bytes.size, &error), &error))
		return;

	/* x = 3.5: trees 0 .. 3 say class 2, tree 4 half 1 and half 2, trees 5 .. 8 a quarter 0 and the rest 1 */
	CHECK_OK(model_predict(&model, (double[]) {3.5}, features, out, &error), &error);
	CHECK_NEAR(out[0], 4 * 0.25 / 9, 1e-15);
	CHECK_NEAR(out[1], (0.5 + 4 * 0.75) / 9, 1e-15);
	CHECK_NEAR(out[2], 4.5 / 9, 1e-15);
	CHECK_OK(model_predict(&model, (double[]) {NAN}, features, out, &error), &error);
	CHECK_NEAR(out[2], 1, 1e-15);
	buffer_free(&bytes);
}

/* Writes into the shares of a forest's first tree, which model_open() then refuses. */
static void
check_shares(uint32_t word, uint32_t value)
{
	Buffer		bytes;
	Model		model;
	Error		error;

	buffer_init(&bytes);
	if (!CHECK_OK(example_multiclass_forest(&bytes, &error), &error) || !CHECK_OK(model_open(&model, bytes.data, bytes.size, &error), &error))
		return;

	const TreePayload *head = model.payload;
	size_t		sets = (size_t) ((const uint8_t *) model.payload - bytes.data) + head->sets_offset;

	memcpy(bytes.data + sets + word * sizeof(uint32_t), &value, sizeof(value));
	repair_checksum(bytes.data, bytes.size);
	CHECK_ERROR(model_open(&model, bytes.data, bytes.size, &error), &error, ERROR_CORRUPTED, "tree 0 has an invalid node");
	buffer_free(&bytes);
}

/* What a leaf's words may not be. */
static void
test_hostile_shares(void)
{
	check_shares(0, 4);			/* no whole number of classes */
	check_shares(0, 0);			/* no class: nothing adds up to 1 */
	check_shares(0, 3000000);	/* beyond the words */
	check_shares(1, 3);			/* an unknown class */
	check_shares(3, 0);			/* a share of almost 0 */
	check_shares(3, 0x7ff80000);	/* NaN */
	check_shares(3, 0x40000000);	/* 2 */
	check_shares(8, 0);			/* class 0 twice */
}

static void
test_linear(void)
{
	Buffer		bytes;
	Model		model;
	Error		error;
	double		features[8];
	double		out[3];

	buffer_init(&bytes);
	if (!CHECK_OK(example_linear(&bytes, &error), &error) || !CHECK_OK(model_open(&model, bytes.data, bytes.size, &error), &error))
		return;
	CHECK_OK(model_encode(&model, (double[]) {6, 2}, features, &error), &error);
	CHECK(memcmp(features, (double[]) {1, 0, 0, 0, 1}, 5 * sizeof(double)) == 0);
	CHECK_OK(model_encode(&model, (double[]) {NAN, NAN}, features, &error), &error);
	CHECK(memcmp(features, (double[]) {0.25, 1, 0, 1, 0}, 5 * sizeof(double)) == 0);
	CHECK_SAME(output(&model, (double[]) {6, 2}, 0), 1 + 2 + 30);
	CHECK_SAME(output(&model, (double[]) {NAN, NAN}, 0), 1 + 0.5 + 0.5 + 20);
	buffer_free(&bytes);

	if (!CHECK_OK(example_softmax(&bytes, &error), &error) || !CHECK_OK(model_open(&model, bytes.data, bytes.size, &error), &error))
		return;
	CHECK_NEAR(output(&model, (double[]) {2}, 0), exp(2) / (exp(2) + exp(1) + exp(-3)), 1e-15);
	CHECK_NEAR(output(&model, (double[]) {2}, 2), exp(-3) / (exp(2) + exp(1) + exp(-3)), 1e-15);
	CHECK_ERROR(model_predict(&model, (double[]) {NAN}, features, out, &error), &error, ERROR_DATA, "\"x\"");
	buffer_free(&bytes);

	if (!CHECK_OK(example_baseline(&bytes, &error), &error) || !CHECK_OK(model_open(&model, bytes.data, bytes.size, &error), &error))
		return;
	CHECK_SAME(output(&model, NULL, 1), 0.75);
	CHECK(model.n_columns == 0 && model.header->label_kind == LABEL_BOOLEAN);
	buffer_free(&bytes);
}

/* Many trees of all shapes: the walk side by side gives what a walk by hand gives, with and without missing values. */
static void
test_many_trees(void)
{
	enum { TREES = 37, FEATURES = 5, DEPTH = 9, NODES = 2 * DEPTH + 1 };
	static TreeNode forest[TREES][NODES];
	static const TreeNodeStat stats[NODES];
	static const uint32_t sets[3] = {2, 0xa5a5a5a5, 0x5a5a5a5a};
	uint64_t	state = 1;
	const double base = 0.5;
	TreeWriter	trees;
	Buffer		payload;
	Error		error;

	/* chains: each split has one leaf and one split, on a random side */
	tree_writer_init(&trees, LINK_IDENTITY, 1, &base);
	for (int t = 0; t < TREES; t++)
	{
		uint32_t	depth = (uint32_t) t % (DEPTH + 1);
		uint32_t	at = 0;

		for (uint32_t d = 0; d < depth; d++)
		{
			uint32_t	left = 2 * d + 1;

			state = state * UINT64_C(6364136223846793005) + 1442695040888963407;

			uint32_t	random = (uint32_t) (state >> 33);
			uint32_t	flags = random & 64 ? NODE_MISSING_LEFT : 0;

			forest[t][at] = (TreeNode) {.u.threshold = (random >> 8) % 7 - 3.0, .feature = random % FEATURES | flags, .left = left};
			if (random & 128)
				forest[t][at] = (TreeNode) {.u.set = 0, .feature = random % FEATURES | flags | NODE_CATEGORICAL, .left = left};
			forest[t][left] = forest[t][left + 1] = (TreeNode) {.u.leaf = random % 1000 / 7.0, .feature = NODE_LEAF};
			at = left + (random >> 20 & 1);
		}
		if (depth == 0)
			forest[t][0] = (TreeNode) {.u.leaf = t, .feature = NODE_LEAF};
		tree_writer_tree(&trees, forest[t], stats, 2 * depth + 1, sets, 3, depth);
	}
	buffer_init(&payload);
	CHECK_OK(tree_writer_finish(&trees, &payload, &error), &error);
	tree_writer_free(&trees);

	Model		model = {.task = TASK_REGRESSION, .n_features = FEATURES, .n_outputs = 1, .payload = payload.data, .payload_size = payload.size};

	CHECK_OK(tree_model_validate(&model, &error), &error);
	for (int row = 0; row < 2000; row++)
	{
		double		features[FEATURES];
		double		expected = base;
		double		score;

		for (int j = 0; j < FEATURES; j++)
		{
			state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
			features[j] = (double) ((state >> 40) % 17) - 4;
			if (row % 2 == 1 && (state >> 33) % 4 == 0)
				features[j] = NAN;
			if (row % 5 == 1 && j == 2)
				features[j] = 200;
		}
		for (int t = 0; t < TREES; t++)
		{
			uint32_t	at = 0;

			while (!(forest[t][at].feature & NODE_LEAF))
			{
				const TreeNode *node = &forest[t][at];
				double		x = features[node->feature & NODE_FEATURE_MASK];
				bool		left;

				if (isnan(x))
					left = (node->feature & NODE_MISSING_LEFT) != 0;
				else if (node->feature & NODE_CATEGORICAL)
					left = x >= 0 && x < 64 && (sets[1 + (int) x / 32] >> ((int) x % 32) & 1);
				else
					left = x <= node->u.threshold;
				at = node->left + !left;
			}
			expected += forest[t][at].u.leaf;
		}
		tree_model_scores(&model, features, &score);
		if (score != expected)
			CHECK_SAME(score, expected);
	}
	CHECK(true);
	buffer_free(&payload);
}

/* The bytes follow from the trees alone: not from the order in which nodes were grown, nor from trees that were dropped. */
static void
test_canonical_trees(void)
{
	const double base = 0;
	const uint32_t set[2] = {1, 6};
	const TreeNodeStat stats[5] = {{9, 9}, {4, 4}, {0, 5}, {0, 1}, {0, 3}};
	const TreeNodeStat other_stats[5] = {{9, 9}, {0, 1}, {0, 3}, {4, 4}, {0, 5}};
	TreeNode	nodes[5] = {
		{.u.threshold = 1, .feature = 0, .left = 1},
		{.u.set = 0, .feature = 1 | NODE_CATEGORICAL, .left = 3},
		{.u.leaf = 5, .feature = NODE_LEAF},
		{.u.leaf = 6, .feature = NODE_LEAF},
		{.u.leaf = 7, .feature = NODE_LEAF}
	};
	TreeNode	other[5] = {nodes[0], nodes[3], nodes[4], nodes[1], nodes[2]};
	Buffer		payloads[2];
	Error		error;

	other[0].left = 3;
	other[3].left = 1;
	for (int i = 0; i < 2; i++)
	{
		TreeWriter	writer;

		tree_writer_init(&writer, LINK_IDENTITY, 1, &base);
		tree_writer_tree(&writer, nodes, stats, 5, set, 2, 2);
		tree_writer_tree(&writer, i == 0 ? nodes : other, i == 0 ? stats : other_stats, 5, set, 2, 2);
		for (int extra = 0; extra < 3 * i; extra++)
			tree_writer_tree(&writer, nodes, stats, 5, set, 2, 9);
		tree_writer_truncate(&writer, 2);
		buffer_init(&payloads[i]);
		CHECK_OK(tree_writer_finish(&writer, &payloads[i], &error), &error);
		tree_writer_free(&writer);
	}
	CHECK(payloads[0].size == payloads[1].size && memcmp(payloads[0].data, payloads[1].data, payloads[0].size) == 0);
	CHECK(((const TreePayload *) payloads[0].data)->n_set_words == 4);
	buffer_free(&payloads[0]);
	buffer_free(&payloads[1]);
}

/* What the writer refuses. */
static void
test_malformed_trees(void)
{
	const TreeNode loop[3] = {{.feature = 0, .left = 0}, {.feature = NODE_LEAF}, {.feature = NODE_LEAF}};
	const TreeNode outside[3] = {{.feature = 0, .left = 2}, {.feature = NODE_LEAF}, {.feature = NODE_LEAF}};
	const TreeNode shallow[3] = {{.feature = 0, .left = 1}, {.feature = NODE_LEAF}, {.feature = NODE_LEAF}};
	const TreeNodeStat stats[3] = {{0}};
	const double base = 0;
	const TreeNode *const trees[] = {loop, outside, shallow};

	for (int i = 0; i < 3; i++)
	{
		TreeWriter	writer;
		Buffer		payload;
		Error		error;

		tree_writer_init(&writer, LINK_IDENTITY, 1, &base);
		buffer_init(&payload);
		tree_writer_tree(&writer, trees[i], stats, 3, NULL, 0, 0);
		CHECK_ERROR(tree_writer_finish(&writer, &payload, &error), &error, ERROR_INTERNAL, "malformed");
		tree_writer_free(&writer);
		buffer_free(&payload);
	}
}

/* A column with so many levels that slots collide, the empty text among them. */
static void
test_many_levels(void)
{
	enum { LEVELS = 5000 };
	static char texts[LEVELS][8];
	static const char *levels[LEVELS];
	static size_t lengths[LEVELS];
	RecipeColumn column = {.n_features = 1, .kind = KIND_CATEGORY, .storage = STORAGE_CODE, .missing = MISSING_NATIVE,
		.encoding = ENCODING_NATIVE, .scaling = SCALING_NONE, .unseen = UNSEEN_ERROR, .scale = 1};
	ModelWriter writer;
	Buffer		bytes;
	Model		model;
	Error		error;
	const double mean = 1;

	for (int i = 0; i < LEVELS; i++)
	{
		if (i > 0)
			snprintf(texts[i], sizeof(texts[i]), "%05d", i);
		levels[i] = texts[i];
		lengths[i] = strlen(texts[i]);
	}
	model_writer_init(&writer);
	writer.header.algorithm = ALGORITHM_BASELINE;
	writer.header.task = TASK_REGRESSION;
	model_writer_column(&writer, &column, "c", "text", levels, lengths, LEVELS);
	buffer_init(&bytes);
	CHECK_OK(linear_model_write(LINEAR_CONSTANT, 1, 0, &mean, NULL, NULL, &writer.sections[SECTION_PAYLOAD], &error), &error);
	CHECK_OK(model_writer_finish(&writer, &bytes, &error), &error);
	model_writer_free(&writer);
	if (!CHECK_OK(model_open(&model, bytes.data, bytes.size, &error), &error))
		return;

	int			wrong = 0;

	for (int i = 0; i < LEVELS; i++)
		wrong += model_category(&model, &model.columns[0], levels[i], lengths[i]) != i;
	CHECK(wrong == 0);
	CHECK_SAME(model_category(&model, &model.columns[0], "05000", 5), NAN);
	CHECK(recipe_unseen_is_error(&model.columns[0]));
	buffer_free(&bytes);
}

/* The two ways to the checksum agree with each other and with the standard's examples (RFC 3720, B.4). */
static void
test_checksum(void)
{
	uint8_t		bytes[256];
	int			differences = 0;

	memset(bytes, 0, sizeof(bytes));
	CHECK(crc32c(bytes, 32) == 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	CHECK(crc32c(bytes, 32) == 0x62a8ab43);
	for (int i = 0; i < 256; i++)
		bytes[i] = (uint8_t) i;
	CHECK(crc32c(bytes, 32) == 0x46dd794e);
	CHECK(crc32c("123456789", 9) == 0xe3069283);
	for (size_t n = 0; n < 200; n++)
		differences += crc32c(bytes + n % 7, n) != crc32c_table(bytes + n % 7, n);
	CHECK(differences == 0);

	/* long runs are taken as several streams */
	uint8_t    *many = malloc(1000003);

	CHECK(many != NULL);
	for (size_t i = 0; many != NULL && i < 1000003; i++)
		many[i] = (uint8_t) (i * i >> 7);
	for (size_t n = 1000003; many != NULL && n > 780000; n -= 36671)
		CHECK(crc32c(many, n) == crc32c_table(many, n));
	free(many);
}

int
main(void)
{
	test_trees();
	test_multiclass();
	test_forests();
	test_hostile_shares();
	test_linear();
	test_many_trees();
	test_canonical_trees();
	test_malformed_trees();
	test_many_levels();
	test_checksum();
	return check_done();
}
