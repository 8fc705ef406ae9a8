/*
 * test_boosting_params.c
 *		Parameters of gradient boosting: weights by class, constraints, samples of columns, what stops the training.
 */
#include "boost_data.h"

static const char *const two_labels[] = {"no", "yes"};
static const char *const five_labels[] = {"a", "b", "c", "d", "e"};

static void
check_equal(BoostCase *a, BoostCase *b)
{
	Error		error;

	if (CHECK_OK(boost_case_run(a, &error), &error) && CHECK_OK(boost_case_run(b, &error), &error))
		CHECK(a->payload.size == b->payload.size && memcmp(a->payload.data, b->payload.data, a->payload.size) == 0);
	boost_case_free(a);
	boost_case_free(b);
}

/* ---- Weights by class ---- */

static double
weight_of_yes(size_t row)
{
	return mixed_yes(row) == 1 ? 3 : 0.5;
}

static double
twice_that(size_t row)
{
	return mixed_weight(row) * (mixed_yes(row) == 1 ? 6 : 0.5);
}

static double
balanced_weight(size_t row)
{
	static double factors[5];

	if (factors[0] == 0)
	{
		double		counts[5] = {0};

		for (size_t i = 0; i < 3000; i++)
			counts[(int) mixed_class(i)]++;
		for (int k = 0; k < 5; k++)
			factors[k] = 3000 / (5 * counts[k]);
	}
	return factors[(int) mixed_class(row)];
}

static void
test_class_weights(void)
{
	BoostCase	by_param = mixed_case(TASK_BINARY);
	BoostCase	by_weight = mixed_case(TASK_BINARY);
	Error		error;

	by_param.labels = two_labels;
	by_param.map = (BoostMap) {"class_weight", 2, {{"yes", 3}, {"no", 0.5}}};
	by_weight.weight = weight_of_yes;

	/* the column of weights must not change which rows are held out */
	by_param.validation = by_weight.validation = 0;
	check_equal(&by_param, &by_weight);

	by_param.weight = mixed_weight;
	by_param.params[2] = (BoostParam) {"scale_pos_weight", 2};
	by_weight.weight = twice_that;
	if (CHECK_OK(boost_case_run(&by_param, &error), &error) && CHECK_OK(boost_case_run(&by_weight, &error), &error))
		CHECK_NEAR(by_param.train_losses[0], by_weight.train_losses[0], 1e-5);
	boost_case_free(&by_param);
	boost_case_free(&by_weight);

	BoostCase	balanced = mixed_case(TASK_MULTICLASS);
	BoostCase	weighted = mixed_case(TASK_MULTICLASS);

	balanced.validation = weighted.validation = 0;
	balanced.labels = five_labels;
	balanced.words[0] = (BoostWord) {"class_weight", "balanced"};
	weighted.weight = balanced_weight;
	if (CHECK_OK(boost_case_run(&balanced, &error), &error) && CHECK_OK(boost_case_run(&weighted, &error), &error))
		CHECK_NEAR(balanced.train_losses[0], weighted.train_losses[0], 1e-5);
	boost_case_free(&balanced);
	boost_case_free(&weighted);
}

/* ---- Constraints ---- */

typedef struct Span
{
	double		lowest;
	double		highest;
} Span;

/* The values below a node; checks that those left and right of each constrained split are in order. */
static Span
check_order(const TreeNode *tree, uint32_t i, const int *directions, int *n_checked)
{
	const TreeNode *node = &tree[i];

	if (node->feature & NODE_LEAF)
		return (Span) {node->u.leaf, node->u.leaf};

	Span		left = check_order(tree, node->left, directions, n_checked);
	Span		right = check_order(tree, node->left + 1, directions, n_checked);
	int			direction = directions[node->feature & NODE_FEATURE_MASK];

	if (direction > 0)
		CHECK(left.highest <= right.lowest);
	if (direction < 0)
		CHECK(left.lowest >= right.highest);
	*n_checked += direction != 0;
	return (Span) {fmin(left.lowest, right.lowest), fmax(left.highest, right.highest)};
}

static void
test_monotone(void)
{
	static const int directions[8] = {0, 0, 1, -1, 0, 1, 1, 0};

	for (Task task = TASK_REGRESSION; task <= TASK_MULTICLASS; task++)
	{
		BoostCase	test = mixed_case(task);
		Error		error;
		int			n_checked = 0;

		test.map = (BoostMap) {"monotone_constraints", 4, {{"x2", 1}, {"x3", -1}, {"x5", 1}, {"x6", 1}}};
		test.params[2] = (BoostParam) {"reg_alpha", 0.5};
		if (task == TASK_BINARY)
		{
			test.params[3] = (BoostParam) {"max_leaves", 20};
			test.words[0] = (BoostWord) {"grow_policy", "lossguide"};
		}
		if (!CHECK_OK(boost_case_run(&test, &error), &error))
			return;

		const uint64_t *starts = (const uint64_t *) (test.payload.data + boost_case_trees(&test)->starts_offset);

		for (uint32_t t = 0; t < boost_case_trees(&test)->n_trees; t++)
			check_order(boost_case_nodes(&test) + starts[t], 0, directions, &n_checked);
		CHECK(n_checked > 20);
		CHECK_NEAR(test.validation_losses[test.n_losses - 1], test.validation_loss, 1e-5 * test.validation_loss);
		boost_case_free(&test);
	}
}

/* ---- Rows of leaves ---- */

/* The fewest training rows that a leaf of any tree has; columns are numbers without missing values. */
static size_t
fewest_rows(const BoostCase *test)
{
	const uint64_t *starts = (const uint64_t *) (test->payload.data + boost_case_trees(test)->starts_offset);
	size_t		fewest = test->n_rows;

	for (uint32_t t = 0; t < boost_case_trees(test)->n_trees; t++)
	{
		const TreeNode *nodes = boost_case_nodes(test) + starts[t];
		size_t		counts[256] = {0};

		for (size_t row = 0; row < test->n_rows; row++)
		{
			uint32_t	i = 0;

			while (!(nodes[i].feature & NODE_LEAF))
				i = nodes[i].left + (test->x(row, nodes[i].feature & NODE_FEATURE_MASK) > nodes[i].u.threshold);
			counts[i]++;
		}
		for (uint64_t i = 0; i < starts[t + 1] - starts[t]; i++)
		{
			if ((nodes[i].feature & NODE_LEAF) && counts[i] < fewest)
				fewest = counts[i];
		}
	}
	return fewest;
}

static double
wide_yes(size_t row)
{
	return wide_x(row, 0) + wide_x(row, 1) * wide_x(row, 2) > 0.9;
}

/* Few rows of the first half of a column have nearly all of the weight. */
static double
uneven_weight(size_t row)
{
	return wide_x(row, 0) < 0.1 ? 20 : 0.1;
}

static double
equal_weight(size_t row)
{
	(void) row;
	return 1;
}

static void
test_min_samples(void)
{
	Error		error;

	for (int variant = 0; variant < 4; variant++)
	{
		BoostCase	test = {
			.task = TASK_BINARY,.n_classes = 2,.n_rows = variant == 3 ? 20000 : 2000,.n_columns = 12,.x = wide_x,.y = wide_yes,.seed = 42,
			.params = {{"n_estimators", 6}, {"max_depth", 6}, {"min_samples_leaf", 37}, {"min_child_weight", 0}},
			.weight = variant > 0 ? uneven_weight : NULL,.n_threads = 2
		};
		BoostCase	alone;

		if (variant == 2)
		{
			test.params[4] = (BoostParam) {"max_leaves", 25};
			test.words[0] = (BoostWord) {"grow_policy", "lossguide"};
		}
		alone = test;
		alone.n_threads = 1;
		if (CHECK_OK(boost_case_run(&test, &error), &error))
			CHECK(fewest_rows(&test) >= 37 && fewest_rows(&test) < 200);
		boost_case_free(&test);
		check_equal(&test, &alone);
	}

	/* counted rows and weights of 1 agree; and without it leaves are smaller */
	BoostCase	by_weight = {
		.task = TASK_REGRESSION,.n_rows = 2000,.n_columns = 12,.x = wide_x,.y = wide_yes,.seed = 42,
		.params = {{"n_estimators", 6}, {"max_depth", 6}, {"min_samples_leaf", 37}}
	};
	BoostCase	by_count = by_weight;

	by_count.weight = equal_weight;
	check_equal(&by_weight, &by_count);
	by_weight.params[2].name = NULL;
	if (CHECK_OK(boost_case_run(&by_weight, &error), &error))
		CHECK(fewest_rows(&by_weight) < 10);
	boost_case_free(&by_weight);
}

/* ---- Samples of columns ---- */

/* Marks the features of each tree by level; seen[tree][level] as bits. */
static void
see_features(const BoostCase *test, uint32_t seen[][8])
{
	const uint64_t *starts = (const uint64_t *) (test->payload.data + boost_case_trees(test)->starts_offset);

	for (uint32_t t = 0; t < boost_case_trees(test)->n_trees; t++)
	{
		uint32_t	depth[256] = {0};
		const TreeNode *nodes = boost_case_nodes(test) + starts[t];

		memset(seen[t], 0, sizeof(seen[t]));
		for (uint64_t i = 0; i < starts[t + 1] - starts[t]; i++)
		{
			if (nodes[i].feature & NODE_LEAF)
				continue;
			seen[t][depth[i]] |= UINT32_C(1) << (nodes[i].feature & NODE_FEATURE_MASK);
			depth[nodes[i].left] = depth[nodes[i].left + 1] = depth[i] + 1;
		}
	}
}

static void
test_column_samples(void)
{
	uint32_t	seen[12][8];
	Error		error;

	/* 4 of 8 a tree, 2 of those a level */
	BoostCase	test = mixed_case(TASK_REGRESSION);
	uint32_t	all = 0;
	int			n_differ = 0;

	test.params[2] = (BoostParam) {"colsample_bytree", 0.5};
	test.params[3] = (BoostParam) {"colsample_bylevel", 0.5};
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	see_features(&test, seen);
	for (int t = 0; t < 12; t++)
	{
		uint32_t	tree = 0;

		for (int level = 0; level < 5; level++)
		{
			CHECK(__builtin_popcount(seen[t][level]) <= 2);
			tree |= seen[t][level];
			n_differ += level > 0 && seen[t][level] != seen[t][level - 1];
		}
		CHECK(__builtin_popcount(tree) <= 4);
		all |= tree;
	}
	CHECK(__builtin_popcount(all) >= 7 && n_differ > 20);
	boost_case_free(&test);

	/* one of 8 a node: a level has several */
	int			n_several = 0;

	test = mixed_case(TASK_REGRESSION);
	test.params[2] = (BoostParam) {"colsample_bynode", 0.125};
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	see_features(&test, seen);
	for (int t = 0; t < 12; t++)
		n_several += __builtin_popcount(seen[t][3]) > 1;
	CHECK(n_several > 8);
	boost_case_free(&test);
}

/* ---- Early stopping ---- */

static double
nearly_noise(size_t row)
{
	return boost_number(row, 5000) + 0.2 * boost_number(row, 3) > 0.6;
}

static void
test_stop_by_metric(void)
{
	BoostCase	test = mixed_case(TASK_BINARY);
	Error		error;

	test.y = nearly_noise;
	test.weight = NULL;
	test.params[0].value = 200;
	test.params[2] = (BoostParam) {"early_stopping_rounds", 9};
	test.words[0] = (BoostWord) {"early_stopping_metric", "roc_auc"};
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	CHECK(test.n_losses < 200 && test.n_losses == test.iterations + 9);

	/* the rounds before and behind it are no better */
	for (int n = test.iterations - 3; n <= test.iterations + 9; n++)
	{
		BoostCase	other = test;

		if (n < 1)
			continue;
		other.params[0].value = n;
		other.params[2].name = NULL;
		other.words[0].name = NULL;
		if (CHECK_OK(boost_case_run(&other, &error), &error))
			CHECK(n == test.iterations ? other.validation_auc == test.validation_auc : other.validation_auc <= test.validation_auc);
		boost_case_free(&other);
	}
	boost_case_free(&test);

	/* all tasks have one */
	static const char *const metrics[] = {"mae", "brier", "macro_f1"};

	for (Task task = TASK_REGRESSION; task <= TASK_MULTICLASS; task++)
	{
		BoostCase	fit = mixed_case(task);

		fit.params[2] = (BoostParam) {"early_stopping_rounds", 5};
		fit.words[0] = (BoostWord) {"early_stopping_metric", metrics[task - 1]};
		if (CHECK_OK(boost_case_run(&fit, &error), &error))
			CHECK(fit.iterations >= 1 && fit.iterations <= fit.n_losses);
		boost_case_free(&fit);
	}
}

/* What is not better by min_delta is not better. */
static void
test_min_delta(void)
{
	BoostCase	test = mixed_case(TASK_BINARY);
	Error		error;
	int			best = 0;

	test.params[0].value = 200;
	test.params[2] = (BoostParam) {"early_stopping_rounds", 3};
	test.params[3] = (BoostParam) {"early_stopping_min_delta", 0.02};
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	for (int i = 1; i < test.n_losses; i++)
	{
		if (test.validation_losses[i] < test.validation_losses[best] - 0.02)
			best = i;
	}
	CHECK(test.iterations == best + 1 && test.n_losses == best + 4 && test.n_losses < 200);
	boost_case_free(&test);
}

/* ---- What is refused ---- */

static void
refused(Task task, const char *name, double value, const char *word, const char *words)
{
	BoostCase	test = mixed_case(task);
	Error		error;

	test.labels = task == TASK_BINARY ? two_labels : five_labels;
	if (word != NULL)
		test.words[0] = (BoostWord) {name, word};
	else
		test.params[2] = (BoostParam) {name, value};
	CHECK_ERROR(boost_case_run(&test, &error), &error, ERROR_PARAMETER, words);
	boost_case_free(&test);
}

static void
test_refusals(void)
{
	Error		error;
	BoostCase	test = mixed_case(TASK_REGRESSION);

	refused(TASK_MULTICLASS, "base_score", 0.5, NULL, "one a class");
	refused(TASK_BINARY, "base_score", 1, NULL, "between 0 and 1");
	refused(TASK_MULTICLASS, "scale_pos_weight", 2, NULL, "class_weight");
	refused(TASK_REGRESSION, "scale_pos_weight", 2, NULL, "\"weight\"");
	refused(TASK_REGRESSION, "class_weight", 0, "balanced", "the task is regression");
	refused(TASK_REGRESSION, "early_stopping_min_delta", 2, NULL, "needs early_stopping_rounds");
	refused(TASK_REGRESSION, "early_stopping_metric", 2, "rmse", "needs early_stopping_rounds");

	test.params[2] = (BoostParam) {"early_stopping_rounds", 5};
	test.words[0] = (BoostWord) {"early_stopping_metric", "roc_auc"};
	CHECK_ERROR(boost_case_run(&test, &error), &error, ERROR_PARAMETER, "It has rmse, mae, r2");
	boost_case_free(&test);
	test.words[0] = (BoostWord) {"objective", "poisson"};
	test.params[2] = (BoostParam) {"base_score", 0};
	CHECK_ERROR(boost_case_run(&test, &error), &error, ERROR_PARAMETER, "above 0");
	boost_case_free(&test);
	test.params[2].name = NULL;
	test.words[0] = (BoostWord) {"objective", "quantile"};
	test.map = (BoostMap) {"monotone_constraints", 1, {{"x3", 1}}};
	CHECK_ERROR(boost_case_run(&test, &error), &error, ERROR_PARAMETER, "refitted");
	boost_case_free(&test);

	/* a metric that the validation rows do not define */
	BoostCase	few = mixed_case(TASK_REGRESSION);

	few.n_rows = 10;
	few.validation = 0.1;
	few.params[2] = (BoostParam) {"early_stopping_rounds", 5};
	few.words[0] = (BoostWord) {"early_stopping_metric", "r2"};
	CHECK_ERROR(boost_case_run(&few, &error), &error, ERROR_DATA, "validation rows");
	boost_case_free(&few);
}

int
main(void)
{
	test_class_weights();
	test_monotone();
	test_min_samples();
	test_column_samples();
	test_stop_by_metric();
	test_min_delta();
	test_refusals();
	return check_done();
}
