/*
 * explain_case.h
 *		Trees at random, and Shapley values by their definition.
 */
#ifndef MLOPS_TEST_EXPLAIN_CASE_H
#define MLOPS_TEST_EXPLAIN_CASE_H

#include <stdlib.h>

#include "core/algorithm.h"
#include "core/explain/explain.h"
#include "core/hash.h"
#include "core/model/tree_inspect.h"

#include "check.h"

#define CASE_NODES		4096	/* of a tree */
#define CASE_COLUMNS	64
#define CASE_LEVELS		40		/* of a category */

typedef struct ExplainCase
{
	/* what is asked */
	uint64_t	seed;
	Task		task;
	TreeLink	link;
	AlgorithmId algorithm;
	uint32_t	n_outputs;
	uint32_t	n_groups;
	uint32_t	n_trees;
	uint32_t	n_numbers;		/* columns of one feature each */
	uint32_t	n_categories;	/* the same */
	uint32_t	n_onehot;		/* columns of three levels and an indicator */
	uint32_t	depth;
	double		stop;			/* share of nodes above that depth that are leaves */
	bool		chain;			/* all left children are leaves */
	bool		narrow_covers;	/* some sides have no cover at all */

	/* what comes of it */
	uint64_t	state;
	Buffer		bytes;
	Model		model;
	uint32_t	n_features;
} ExplainCase;

/* The next number in [0, 1). */
static inline double
case_random(ExplainCase *test)
{
	test->state++;
	return (double) (hash64_mix(test->seed * 1000003 + test->state) >> 11) * 0x1p-53;
}

static inline uint32_t
case_below(ExplainCase *test, uint32_t n)
{
	return (uint32_t) (case_random(test) * n);
}

static inline uint32_t
case_columns(ExplainCase *test, ModelWriter *writer)
{
	static char	texts[CASE_LEVELS][8];
	const char *levels[CASE_LEVELS];
	size_t		lengths[CASE_LEVELS];
	uint32_t	first = 0;
	uint32_t	n_columns = test->n_numbers + test->n_categories + test->n_onehot;

	for (int i = 0; i < CASE_LEVELS; i++)
	{
		lengths[i] = (size_t) snprintf(texts[i], sizeof(texts[i]), "l%02d", i);
		levels[i] = texts[i];
	}
	for (uint32_t c = 0; c < n_columns; c++)
	{
		RecipeColumn column = {
			.n_features = 1, .kind = KIND_NUMBER, .storage = STORAGE_FLOAT64, .missing = MISSING_NATIVE, .encoding = ENCODING_NATIVE,
			.scaling = SCALING_NONE, .unseen = UNSEEN_MISSING, .scale = 1, .first_feature = first
		};
		uint32_t	n_levels = 0;
		char		name[16];

		if (c >= test->n_numbers)
		{
			bool		onehot = c >= test->n_numbers + test->n_categories;

			column.kind = KIND_CATEGORY;
			column.storage = STORAGE_CODE;
			n_levels = onehot ? 3 : CASE_LEVELS;
			if (onehot)
			{
				column.encoding = ENCODING_ONEHOT;
				column.indicator = 1;
				column.n_features = 4;
			}
		}
		first += column.n_features;
		snprintf(name, sizeof(name), "c%u", c);
		model_writer_column(writer, &column, name, "text", levels, lengths, n_levels);
	}
	return first;
}

/* A tree with nodes in breadth-first order; the depth that it has. */
static inline uint32_t
case_tree(ExplainCase *test, TreeWriter *writer)
{
	static TreeNode nodes[CASE_NODES];
	static TreeNodeStat stats[CASE_NODES];
	static uint32_t level[CASE_NODES];
	static uint32_t sets[CASE_NODES * 8];
	uint32_t	n = 1;
	uint32_t	n_words = 0;
	uint32_t	depth = 0;

	level[0] = 0;
	stats[0].cover = 1000;
	for (uint32_t i = 0; i < n; i++)
	{
		TreeNode   *node = &nodes[i];

		stats[i].gain = 0;
		node->left = 0;
		if (level[i] == test->depth || n + 2 > CASE_NODES || (level[i] > 0 && case_random(test) < test->stop) || (test->chain && i % 2 == 1))
		{
			if (test->link == LINK_SHARES)
			{
				uint32_t	a = case_below(test, test->n_outputs);
				double		share = case_random(test);
				double		rest = 1 - share;

				*node = (TreeNode) {.u.set = n_words, .feature = NODE_LEAF | NODE_SHARES};
				sets[n_words++] = a + 1 < test->n_outputs ? 2 * SHARE_WORDS : SHARE_WORDS;
				sets[n_words] = a;
				memcpy(&sets[n_words + 1], a + 1 < test->n_outputs ? &share : &(double) {1}, sizeof(double));
				n_words += SHARE_WORDS;
				if (a + 1 < test->n_outputs)
				{
					sets[n_words] = a + 1;
					memcpy(&sets[n_words + 1], &rest, sizeof(double));
					n_words += SHARE_WORDS;
				}
				continue;
			}
			node->feature = NODE_LEAF;
			node->u.leaf = test->link == LINK_MEAN ? case_random(test) : 2 * case_random(test) - 1;
			continue;
		}

		uint32_t	feature = case_below(test, test->n_features);
		double		share = 0.02 + 0.96 * case_random(test);

		if (test->narrow_covers && case_random(test) < 0.2)
			share = case_random(test) < 0.5 ? 0 : 1;
		node->feature = feature | (case_random(test) < 0.5 ? NODE_MISSING_LEFT : 0);
		node->u.threshold = case_random(test);
		if (feature >= test->n_numbers && feature < test->n_numbers + test->n_categories)
		{
			node->feature |= NODE_CATEGORICAL;
			node->u.set = n_words;
			sets[n_words] = 1 + (feature & 1);
			for (uint32_t word = 0; word < 1 + (feature & 1); word++)
				sets[n_words + 1 + word] = (uint32_t) (case_random(test) * 4294967296.0);
			n_words += 1 + sets[n_words];
		}
		node->left = n;
		for (uint32_t side = 0; side < 2; side++, n++)
		{
			level[n] = level[i] + 1;
			stats[n].cover = (float) (stats[i].cover * (side == 0 ? share : 1 - share));
		}
		depth = level[i] + 1 > depth ? level[i] + 1 : depth;
	}
	tree_writer_tree(writer, nodes, stats, n, sets, n_words, depth);
	return depth;
}

/* Makes the model. */
static inline void
case_open(ExplainCase *test)
{
	ModelWriter writer;
	TreeWriter	trees;
	double		base[16];
	Error		error;

	model_writer_init(&writer);
	writer.header.algorithm = test->algorithm;
	writer.header.task = test->task;
	writer.header.label_kind = test->task == TASK_REGRESSION ? LABEL_NONE : LABEL_TEXT;
	writer.header.n_training_rows = 1000;
	writer.header.target_name = model_writer_string(&writer, "y", 1);
	writer.header.target_type = model_writer_string(&writer, "text", 4);
	for (uint32_t i = 0; test->task != TASK_REGRESSION && i < test->n_outputs; i++)
		model_writer_label(&writer, (const char[2]) {(char) ('a' + i), '\0'});
	test->n_features = case_columns(test, &writer);
	for (int g = 0; g < 16; g++)
		base[g] = test->link == LINK_MEAN || test->link == LINK_SHARES ? 0 : 0.25 * (g + 1);
	tree_writer_init(&trees, test->link, test->n_groups, base);
	for (uint32_t t = 0; t < test->n_trees; t++)
		case_tree(test, &trees);
	buffer_init(&test->bytes);
	CHECK_OK(tree_writer_finish(&trees, &writer.sections[SECTION_PAYLOAD], &error) && model_writer_finish(&writer, &test->bytes, &error), &error);
	CHECK_OK(model_open(&test->model, test->bytes.data, test->bytes.size, &error), &error);
	tree_writer_free(&trees);
	model_writer_free(&writer);
}

static inline void
case_close(ExplainCase *test)
{
	buffer_free(&test->bytes);
}

/* One row, encoded: every fifth value is missing. */
static inline void
case_row(ExplainCase *test, double *features)
{
	for (uint32_t j = 0; j < test->n_features; j++)
	{
		features[j] = case_random(test);
		if (j >= test->n_numbers && j < test->n_numbers + test->n_categories)
			features[j] = case_below(test, CASE_LEVELS);
		else if (j >= test->n_numbers)
			features[j] = features[j] < 0.5;
		if (case_random(test) < 0.2)
			features[j] = NAN;
	}
}

/* ---- By definition ---- */

static inline const TreePayload *
case_head(const ExplainCase *test)
{
	return test->model.payload;
}

static inline const TreeNode *
case_nodes(const ExplainCase *test, uint32_t tree)
{
	const uint8_t *payload = test->model.payload;
	const uint64_t *starts = (const uint64_t *) (payload + case_head(test)->starts_offset);

	return (const TreeNode *) (payload + case_head(test)->nodes_offset) + starts[tree];
}

static inline const TreeNodeStat *
case_stats(const ExplainCase *test, uint32_t tree)
{
	const uint8_t *payload = test->model.payload;
	const uint64_t *starts = (const uint64_t *) (payload + case_head(test)->starts_offset);

	return (const TreeNodeStat *) (payload + case_head(test)->stats_offset) + starts[tree];
}

static inline double
case_leaf(const ExplainCase *test, uint32_t tree, uint32_t node, uint32_t output)
{
	const TreeNode *leaf = case_nodes(test, tree) + node;

	return leaf->feature & NODE_SHARES ? tree_leaf_share(&test->model, tree, node, output) : leaf->u.leaf;
}

/* Whether the row goes left. */
static inline bool
case_left(const ExplainCase *test, const TreeNode *node, const double *features)
{
	double		x = features[node->feature & NODE_FEATURE_MASK];

	if (x != x)
		return (node->feature & NODE_MISSING_LEFT) != 0;
	if (!(node->feature & NODE_CATEGORICAL))
		return x <= node->u.threshold;

	const uint32_t *set = (const uint32_t *) ((const uint8_t *) test->model.payload + case_head(test)->sets_offset) + node->u.set;

	return x < set[0] * 32.0 && ((set[1 + (uint32_t) x / 32] >> ((uint32_t) x % 32)) & 1);
}

static inline double
case_left_share(const ExplainCase *test, uint32_t tree, uint32_t node)
{
	uint32_t	left = case_nodes(test, tree)[node].left;
	double		a = case_stats(test, tree)[left].cover;
	double		b = case_stats(test, tree)[left + 1].cover;

	return a + b > 0 ? a / (a + b) : 0.5;
}

/* The value of a set of known features. */
static inline double
case_value(const ExplainCase *test, uint32_t tree, uint32_t node, uint32_t output, const double *features, uint64_t known)
{
	const TreeNode *split = case_nodes(test, tree) + node;

	if (split->feature & NODE_LEAF)
		return case_leaf(test, tree, node, output);
	if ((known >> (split->feature & NODE_FEATURE_MASK)) & 1)
		return case_value(test, tree, split->left + !case_left(test, split, features), output, features, known);

	double		share = case_left_share(test, tree, node);

	return share * case_value(test, tree, split->left, output, features, known) +
		(1 - share) * case_value(test, tree, split->left + 1, output, features, known);
}

/* The same of all trees of an output, on the scale of the margin. */
static inline double
case_total(const ExplainCase *test, uint32_t output, const double *features, uint64_t known)
{
	const TreePayload *head = case_head(test);
	double		total = tree_base_score(&test->model, head->n_groups > 1 ? output : 0);

	for (uint32_t t = head->n_groups > 1 ? output : 0; t < head->n_trees; t += head->n_groups)
		total += case_value(test, t, 0, output, features, known);
	if (tree_leaves_are_averaged(&test->model))
		total /= head->n_trees;
	if (test->task == TASK_BINARY && output == 0)
		return head->link == LINK_MEAN ? 1 - total : -total;
	return total;
}

#endif
