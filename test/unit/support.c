/*
 * support.c
 *		Small models that tests and fuzzers share.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "core/algorithm.h"
#include "core/crc32c.h"
#include "core/model/linear_model.h"
#include "core/model/tree_model.h"

static const char *const jobs[] = {"admin", "clerk", "retired"};
static const size_t job_lengths[] = {5, 5, 7};

static const RecipeColumn number = {
	.n_features = 1, .kind = KIND_NUMBER, .storage = STORAGE_FLOAT64, .missing = MISSING_NATIVE, .encoding = ENCODING_NATIVE,
	.scaling = SCALING_NONE, .unseen = UNSEEN_MISSING, .scale = 1, .lowest = -1, .highest = 90, .mean = 2
};

static const RecipeColumn category = {
	.n_features = 1, .kind = KIND_CATEGORY, .storage = STORAGE_CODE, .missing = MISSING_NATIVE, .encoding = ENCODING_NATIVE,
	.scaling = SCALING_NONE, .unseen = UNSEEN_MISSING, .scale = 1, .lowest = NAN, .highest = NAN, .mean = NAN
};

/* Starts a model: what all examples have. */
static void
start(ModelWriter *writer, AlgorithmId algorithm, Task task, LabelKind labels)
{
	model_writer_init(writer);
	writer->header.algorithm = algorithm;
	writer->header.task = task;
	writer->header.label_kind = labels;
	writer->header.n_training_rows = 1000;
	writer->header.target_name = model_writer_string(writer, "y", 1);
	writer->header.target_type = model_writer_string(writer, "double precision", 16);
	model_writer_param(writer, "reg_lambda", "1");
	model_writer_metric(writer, "score", 0.75, NAN);
}

/* Writes the model, where its payload is written, and frees the writer. */
static bool
finish(ModelWriter *writer, bool payload_written, Buffer *out, Error *error)
{
	bool		done = payload_written && model_writer_finish(writer, out, error);

	model_writer_free(writer);
	return done;
}

static void
add_number(ModelWriter *writer, RecipeColumn column, const char *name, uint32_t *first_feature)
{
	column.first_feature = *first_feature;
	*first_feature += column.n_features;
	model_writer_column(writer, &column, name, "double precision", NULL, NULL, 0);
}

static void
add_job(ModelWriter *writer, RecipeColumn column, uint32_t *first_feature)
{
	column.first_feature = *first_feature;
	*first_feature += column.n_features;
	model_writer_column(writer, &column, "job", "text", jobs, job_lengths, 3);
}

static TreeNode
leaf(double value)
{
	return (TreeNode) {.u.leaf = value, .feature = NODE_LEAF};
}

static TreeNode
split(uint32_t feature, double threshold, uint32_t left)
{
	return (TreeNode) {.u.threshold = threshold, .feature = feature, .left = left};
}

/* The three columns and two trees of the examples. */
static bool
three_columns(ModelWriter *writer, TreeLink link, double base, double shift, Error *error)
{
	RecipeColumn age = number;
	uint32_t	first = 0;

	age.storage = STORAGE_FLOAT32;
	age.missing = MISSING_MEAN;
	age.fill = 40;
	add_number(writer, number, "x", &first);
	add_number(writer, age, "age", &first);
	add_job(writer, category, &first);

	/* the children of the root are given last, to be put in order by the writer */
	TreeNode	by_job[5] = {
		split(0 | NODE_MISSING_LEFT, 0.5, 3),
		leaf(1 + shift),
		leaf(2 + shift),
		{.u.set = 0, .feature = 2 | NODE_CATEGORICAL, .left = 1},
		leaf(3 + shift)
	};
	TreeNode	by_age[3] = {split(1 | NODE_MISSING_LEFT, 30.5, 1), leaf(0.25), leaf(-0.25)};
	TreeNodeStat stats[5] = {{10, 100}, {0, 20}, {0, 30}, {5, 50}, {0, 50}};
	uint32_t	set[2] = {1, 1u << 0 | 1u << 2};
	TreeWriter	trees;

	tree_writer_init(&trees, link, 1, &base);
	tree_writer_tree(&trees, by_job, stats, 5, set, 2, 2);
	tree_writer_tree(&trees, by_age, stats, 3, NULL, 0, 1);

	bool		done = tree_writer_finish(&trees, &writer->sections[SECTION_PAYLOAD], error);

	tree_writer_free(&trees);
	return done;
}

bool
example_regression_trees(Buffer *out, Error *error)
{
	ModelWriter writer;

	start(&writer, ALGORITHM_GRADIENT_BOOSTING, TASK_REGRESSION, LABEL_NONE);
	return finish(&writer, three_columns(&writer, LINK_IDENTITY, 10, 0, error), out, error);
}

bool
example_binary_trees(Buffer *out, Error *error)
{
	ModelWriter writer;

	start(&writer, ALGORITHM_GRADIENT_BOOSTING, TASK_BINARY, LABEL_TEXT);
	model_writer_label(&writer, "no");
	model_writer_label(&writer, "yes");
	return finish(&writer, three_columns(&writer, LINK_LOGISTIC, 0, -2, error), out, error);
}

bool
example_multiclass_trees(Buffer *out, Error *error)
{
	ModelWriter writer;
	uint32_t	first = 0;

	start(&writer, ALGORITHM_GRADIENT_BOOSTING, TASK_MULTICLASS, LABEL_NUMBER);
	model_writer_label(&writer, "1");
	model_writer_label(&writer, "2");
	model_writer_label(&writer, "10");
	add_number(&writer, number, "x", &first);

	const double base[3] = {0.1, 0.2, 0.3};
	TreeNodeStat stats[3] = {{1, 10}, {0, 5}, {0, 5}};
	TreeWriter	trees;

	tree_writer_init(&trees, LINK_SOFTMAX, 3, base);
	for (int t = 0; t < 9; t++)
	{
		TreeNode	nodes[3] = {split(0, t, 1), leaf(0.5 * t), leaf(-0.5 * t)};

		tree_writer_tree(&trees, nodes, stats, 3, NULL, 0, 1);
	}
	tree_writer_truncate(&trees, 6);

	bool		done = tree_writer_finish(&trees, &writer.sections[SECTION_PAYLOAD], error);

	tree_writer_free(&trees);
	return finish(&writer, done, out, error);
}

bool
example_binary_forest(Buffer *out, Error *error)
{
	ModelWriter writer;
	uint32_t	first = 0;
	const double base = 0;
	TreeNode	nodes[3] = {split(0, 1.5, 1), leaf(0.25), leaf(1)};
	TreeNode	alone = leaf(0.5);
	TreeNodeStat stats[3] = {{1, 10}, {0, 5}, {0, 5}};
	TreeWriter	trees;

	start(&writer, ALGORITHM_RANDOM_FOREST, TASK_BINARY, LABEL_TEXT);
	model_writer_label(&writer, "no");
	model_writer_label(&writer, "yes");
	add_number(&writer, number, "x", &first);
	tree_writer_init(&trees, LINK_MEAN, 1, &base);
	tree_writer_tree(&trees, nodes, stats, 3, NULL, 0, 1);
	tree_writer_tree(&trees, &alone, stats, 1, NULL, 0, 0);

	bool		done = tree_writer_finish(&trees, &writer.sections[SECTION_PAYLOAD], error);

	tree_writer_free(&trees);
	return finish(&writer, done, out, error);
}

/* Writes a leaf's shares of two classes at words[0 .. 6]. */
static void
two_shares(uint32_t *words, uint32_t a, double share, uint32_t b)
{
	double		rest = 1 - share;

	words[0] = 2 * SHARE_WORDS;
	words[1] = a;
	memcpy(words + 2, &share, sizeof(share));
	words[4] = b;
	memcpy(words + 5, &rest, sizeof(rest));
}

bool
example_multiclass_forest(Buffer *out, Error *error)
{
	ModelWriter writer;
	uint32_t	first = 0;
	const double base = 0;
	const double whole = 1;
	TreeNodeStat stats[5] = {{1, 10}, {0, 5}, {0, 5}, {0, 2}, {0, 3}};
	uint32_t	words[18] = {SHARE_WORDS, 2};	/* class 2 alone; classes 0 and 1; 1 and 2 */
	TreeWriter	trees;

	start(&writer, ALGORITHM_RANDOM_FOREST, TASK_MULTICLASS, LABEL_NUMBER);
	model_writer_label(&writer, "1");
	model_writer_label(&writer, "2");
	model_writer_label(&writer, "10");
	add_number(&writer, number, "x", &first);
	memcpy(words + 2, &whole, sizeof(whole));
	two_shares(words + 4, 0, 0.25, 1);
	two_shares(words + 11, 1, 0.5, 2);
	tree_writer_init(&trees, LINK_SHARES, 1, &base);
	for (int t = 0; t < 9; t++)
	{
		TreeNode	nodes[5] = {split(0, t, 1), split(0, t - 1, 3)};

		for (uint32_t k = 0; k < 3; k++)
			nodes[2 + k] = (TreeNode) {.u.set = (uint64_t[]) {0, 4, 11}[k], .feature = NODE_LEAF | NODE_SHARES};
		tree_writer_tree(&trees, nodes, stats, 5, words, 18, 2);
	}

	bool		done = tree_writer_finish(&trees, &writer.sections[SECTION_PAYLOAD], error);

	tree_writer_free(&trees);
	return finish(&writer, done, out, error);
}

bool
example_linear(Buffer *out, Error *error)
{
	ModelWriter writer;
	RecipeColumn x = number;
	RecipeColumn job = category;
	uint32_t	first = 0;

	start(&writer, ALGORITHM_LINEAR_REGRESSION, TASK_REGRESSION, LABEL_NONE);
	x.missing = MISSING_MEDIAN;
	x.fill = 3;
	x.scaling = SCALING_STANDARD;
	x.center = 2;
	x.scale = 4;
	x.indicator = 1;
	x.n_features = 2;
	add_number(&writer, x, "x", &first);
	job.missing = MISSING_MOST_FREQUENT;
	job.fill = 1;
	job.encoding = ENCODING_ONEHOT;
	job.n_features = 3;
	add_job(&writer, job, &first);

	const double intercept = 1;
	const double weights[5] = {2, 0.5, 10, 20, 30};
	const double means[5] = {0, 0.125, 0.5, 0.375, 0.125};
	bool		done = linear_model_write(LINEAR_IDENTITY, 1, 5, &intercept, weights, means, &writer.sections[SECTION_PAYLOAD], error);

	return finish(&writer, done, out, error);
}

bool
example_softmax(Buffer *out, Error *error)
{
	ModelWriter writer;
	RecipeColumn x = number;
	uint32_t	first = 0;

	start(&writer, ALGORITHM_LOGISTIC_REGRESSION, TASK_MULTICLASS, LABEL_TEXT);
	model_writer_label(&writer, "a");
	model_writer_label(&writer, "b");
	model_writer_label(&writer, "c");
	x.missing = MISSING_ERROR;
	add_number(&writer, x, "x", &first);

	const double intercept[3] = {0, 1, -1};
	const double weights[3] = {1, 0, -1};
	const double mean = 0.5;
	bool		done = linear_model_write(LINEAR_SOFTMAX, 3, 1, intercept, weights, &mean, &writer.sections[SECTION_PAYLOAD], error);

	return finish(&writer, done, out, error);
}

bool
example_baseline(Buffer *out, Error *error)
{
	ModelWriter writer;

	start(&writer, ALGORITHM_BASELINE, TASK_BINARY, LABEL_BOOLEAN);
	model_writer_label(&writer, "false");
	model_writer_label(&writer, "true");

	const double frequencies[2] = {0.25, 0.75};
	bool		done = linear_model_write(LINEAR_CONSTANT, 2, 0, frequencies, NULL, NULL, &writer.sections[SECTION_PAYLOAD], error);

	return finish(&writer, done, out, error);
}

const ExampleModel example_models[] = {
	example_regression_trees,
	example_binary_trees,
	example_multiclass_trees,
	example_binary_forest,
	example_multiclass_forest,
	example_linear,
	example_softmax,
	example_baseline,
	NULL
};

void
repair_checksum(void *bytes, size_t size)
{
	if (size < sizeof(ArtifactHeader))
		return;

	size_t		checked = offsetof(ArtifactHeader, checksum) + sizeof(uint32_t);
	uint32_t	checksum = crc32c((const uint8_t *) bytes + checked, size - checked);

	memcpy((uint8_t *) bytes + offsetof(ArtifactHeader, checksum), &checksum, sizeof(checksum));
}
