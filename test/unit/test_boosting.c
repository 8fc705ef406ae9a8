/*
 * test_boosting.c
 *		Gradient boosting from rows to payload.
 *
 * Trees are compared with a greedy search over the rows; reported losses with
 * those of the model's own predictions (so bins and thresholds, sets and
 * missing values agree); payloads with each other where they must be equal.
 */
#include "boost_data.h"

/* ---- Predictions and reports agree ---- */

static void
check_losses(BoostCase *test)
{
	Error		error;

	if (!CHECK_OK(boost_case_run(test, &error), &error))
		return;
	CHECK(test->n_losses == test->iterations);
	CHECK_NEAR(test->train_losses[test->n_losses - 1], test->train_loss, 1e-5 * test->train_loss);
	CHECK_NEAR(test->validation_losses[test->n_losses - 1], test->validation_loss, 1e-5 * test->validation_loss);
	for (int i = 1; i < test->n_losses; i++)
		CHECK(test->train_losses[i] <= test->train_losses[i - 1] * 1.02);
	CHECK(test->train_losses[test->n_losses - 1] < test->train_losses[0]);
	boost_case_free(test);
}

static void
test_losses(void)
{
	for (Task task = TASK_REGRESSION; task <= TASK_MULTICLASS; task++)
	{
		for (int variant = 0; variant < 6; variant++)
		{
			BoostCase	test = mixed_case(task);

			if (variant == 1)
				test.weight = mixed_weight;
			if (variant == 2)
			{
				test.params[2] = (BoostParam) {"subsample", 0.5};
				test.params[3] = (BoostParam) {"colsample_bytree", 0.6};
			}
			if (variant == 3)
			{
				test.params[2] = (BoostParam) {"max_leaves", 12};
				test.words[0] = (BoostWord) {"grow_policy", "lossguide"};
			}
			if (variant == 4)
			{
				test.plan = (RecipePlan) {.encoding = ENCODING_ORDINAL,.missing = MISSING_MOST_FREQUENT};
				test.params[2] = (BoostParam) {"max_bin", 20};
			}
			if (variant == 5)
			{
				test.params[2] = (BoostParam) {"reg_alpha", 2};
				test.params[3] = (BoostParam) {"gamma", 1};
				test.params[4] = (BoostParam) {"min_child_weight", 20};
				test.params[5] = (BoostParam) {"reg_lambda", 0};
			}
			check_losses(&test);
		}
	}
}

/* One-hot, filled and scaled features are cut as recipe_encode() makes them. */
static double
scaled_x(size_t row, uint32_t column)
{
	return column == 0 ? mixed_x(row, 0) : mixed_x(row, column + 2);
}

static void
test_recipes(void)
{
	BoostCase	test = mixed_case(TASK_REGRESSION);

	test.x = scaled_x;
	test.n_columns = 4;
	test.n_categories = 1;
	test.n_floats = 1;
	test.plan = (RecipePlan) {.encoding = ENCODING_ONEHOT,.missing = MISSING_MOST_FREQUENT,.scaling = SCALING_STANDARD,.indicator = INDICATOR_AUTO};
	test.n_columns = 1;
	check_losses(&test);
	test.n_columns = 4;
	test.n_categories = 0;
	test.n_floats = 2;
	test.plan = (RecipePlan) {.missing = MISSING_MEDIAN,.scaling = SCALING_MINMAX,.indicator = INDICATOR_AUTO};
	check_losses(&test);
}

/* ---- Against a greedy search over the rows ---- */

#define GREEDY_ROWS 120

static double
greedy_x(size_t row, uint32_t column)
{
	return column == 1 && row % 7 == 0 ? NAN : boost_number(row, column);
}

static double
greedy_y(size_t row)
{
	return floor(64 * (sin(6 * greedy_x(row, 0)) + number_or(greedy_x(row, 1), 0.9) * greedy_x(row, 2) + 0.3 * boost_number(row, 9)));
}

static double
greedy_weight(size_t row)
{
	return (double) (1 + row % 3);
}

/* Least squares with lambda 1, like the engine: fills value[] of the rows marked `in`. */
static void
greedy_tree(const bool *in, const double *residual, const double *weight, int depth, double *value)
{
	double		best = 1e-9;
	bool		best_left[GREEDY_ROWS];
	double		g = 0;
	double		h = 0;

	for (size_t i = 0; i < GREEDY_ROWS; i++)
	{
		g += in[i] ? weight[i] * residual[i] : 0;
		h += in[i] ? weight[i] : 0;
	}
	for (uint32_t c = 0; c < 3 && depth > 0; c++)
	{
		for (size_t k = 0; k < GREEDY_ROWS; k++)
		{
			for (int missing_left = 0; missing_left < 2; missing_left++)
			{
				double		left_g = 0;
				double		left_h = 0;
				bool		left[GREEDY_ROWS];

				if (!in[k] || greedy_x(k, c) != greedy_x(k, c))
					continue;
				for (size_t i = 0; i < GREEDY_ROWS; i++)
				{
					double		x = greedy_x(i, c);

					left[i] = in[i] && (x != x ? missing_left : x <= greedy_x(k, c));
					left_g += left[i] ? weight[i] * residual[i] : 0;
					left_h += left[i] ? weight[i] : 0;
				}

				double		gain = left_g * left_g / (left_h + 1) + (g - left_g) * (g - left_g) / (h - left_h + 1) - g * g / (h + 1);

				if (left_h >= 1 && h - left_h >= 1 && gain > best * (1 + 1e-9))
				{
					best = gain;
					memcpy(best_left, left, sizeof(left));
				}
			}
		}
	}
	if (best <= 1e-9)
	{
		for (size_t i = 0; i < GREEDY_ROWS; i++)
			value[i] = in[i] ? g / (h + 1) : value[i];
		return;
	}

	bool		right[GREEDY_ROWS];

	for (size_t i = 0; i < GREEDY_ROWS; i++)
		right[i] = in[i] && !best_left[i];
	greedy_tree(best_left, residual, weight, depth - 1, value);
	greedy_tree(right, residual, weight, depth - 1, value);
}

static void
test_greedy(int depth, bool weighted)
{
	BoostCase	test = {
		.task = TASK_REGRESSION,.n_rows = GREEDY_ROWS,.n_columns = 3,.x = greedy_x,.y = greedy_y,
		.weight = weighted ? greedy_weight : NULL,
		.params = {{"n_estimators", 1}, {"learning_rate", 1}, {"max_depth", depth}}
	};
	Error		error;
	double		weight[GREEDY_ROWS];
	double		residual[GREEDY_ROWS];
	double		value[GREEDY_ROWS];
	bool		in[GREEDY_ROWS];
	double		mean = 0;
	double		weights = 0;
	double		sum = 0;

	for (size_t i = 0; i < GREEDY_ROWS; i++)
	{
		weight[i] = weighted ? greedy_weight(i) : 1;
		mean += weight[i] * greedy_y(i);
		weights += weight[i];
		in[i] = true;
	}
	mean /= weights;
	for (size_t i = 0; i < GREEDY_ROWS; i++)
		residual[i] = greedy_y(i) - mean;
	greedy_tree(in, residual, weight, depth, value);
	for (size_t i = 0; i < GREEDY_ROWS; i++)
		sum += weight[i] * (residual[i] - value[i]) * (residual[i] - value[i]);
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	CHECK_NEAR(test.train_loss, sqrt(sum / weights), 1e-4 * sqrt(sum / weights));
	boost_case_free(&test);
}

/* ---- Same rows, same bytes ---- */

static void
check_same(const BoostCase *a, const BoostCase *b)
{
	CHECK(a->payload.size == b->payload.size && memcmp(a->payload.data, b->payload.data, a->payload.size) == 0);
	CHECK(a->prediction_hash == b->prediction_hash);
	CHECK(a->n_losses == b->n_losses && memcmp(a->train_losses, b->train_losses, (size_t) a->n_losses * sizeof(double)) == 0);
}

static void
test_determinism(void)
{
	for (Task task = TASK_REGRESSION; task <= TASK_MULTICLASS; task++)
	{
		for (int variant = 0; variant < 4; variant++)
		{
			BoostCase	first = mixed_case(task);
			Error		error;

			/* enough rows for threads to share a node */
			first.n_rows = task == TASK_MULTICLASS ? 3000 : 30000;
			first.params[0].value = 4;
			if (variant == 1)
			{
				first.weight = mixed_weight;
				first.params[2] = (BoostParam) {"subsample", 0.7};
				first.params[3] = (BoostParam) {"colsample_bytree", 0.5};
			}
			if (variant == 2)
			{
				first.params[2] = (BoostParam) {"max_leaves", 20};
				first.words[0] = (BoostWord) {"grow_policy", "lossguide"};
			}
			if (variant == 3)
			{
				first.params[2] = (BoostParam) {"colsample_bytree", 0.9};
				first.params[3] = (BoostParam) {"colsample_bylevel", 0.7};
				first.params[4] = (BoostParam) {"colsample_bynode", 0.5};
				first.params[5] = (BoostParam) {"max_delta_step", 3};
				first.map = (BoostMap) {"monotone_constraints", 2, {{"x3", 1}, {"x5", -1}}};
			}
			if (!CHECK_OK(boost_case_run(&first, &error), &error))
				return;
			for (int other = 0; other < 5; other++)
			{
				BoostCase	test = first;

				test.n_threads = other < 2 ? other + 2 : 1;
				test.reversed = other >= 2;
				test.limited = other >= 3;
				test.level = (CpuLevel) (other - 3);
				if (CHECK_OK(boost_case_run(&test, &error), &error))
					check_same(&first, &test);
				boost_case_free(&test);
			}
			boost_case_free(&first);
		}
	}
}

/* The seed decides which rows and columns a tree sees, and nothing else. */
static void
test_seed(void)
{
	BoostCase	a = mixed_case(TASK_BINARY);
	BoostCase	b = mixed_case(TASK_BINARY);
	Error		error;

	b.seed = 43;
	if (!CHECK_OK(boost_case_run(&a, &error), &error) || !CHECK_OK(boost_case_run(&b, &error), &error))
		return;
	check_same(&a, &b);
	boost_case_free(&a);
	boost_case_free(&b);
	a.params[2] = b.params[2] = (BoostParam) {"subsample", 0.5};
	if (!CHECK_OK(boost_case_run(&a, &error), &error) || !CHECK_OK(boost_case_run(&b, &error), &error))
		return;
	CHECK(a.prediction_hash != b.prediction_hash);
	boost_case_free(&a);
	boost_case_free(&b);
}

/* ---- Growing ---- */

static uint32_t
count_leaves(const BoostCase *test)
{
	uint32_t	n = 0;

	for (uint64_t i = 0; i < boost_case_trees(test)->n_nodes; i++)
		n += (boost_case_nodes(test)[i].feature & NODE_LEAF) != 0;
	return n;
}

static void
test_leaf_limit(void)
{
	BoostCase	test = mixed_case(TASK_REGRESSION);
	Error		error;

	test.params[0].value = 1;
	test.params[1].value = 30;
	test.params[2] = (BoostParam) {"max_leaves", 9};
	test.words[0] = (BoostWord) {"grow_policy", "lossguide"};
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	CHECK(count_leaves(&test) == 9);
	boost_case_free(&test);

	/* a limit that the depth reaches first changes nothing */
	BoostCase	by_depth = mixed_case(TASK_REGRESSION);

	test.params[1].value = 5;
	test.params[2].value = 32;
	by_depth.params[0].value = 1;
	if (!CHECK_OK(boost_case_run(&test, &error), &error) || !CHECK_OK(boost_case_run(&by_depth, &error), &error))
		return;
	check_same(&test, &by_depth);
	boost_case_free(&test);
	boost_case_free(&by_depth);
}

/* Level by level, a limit ends the last level that has room at its best splits: no leaf lies two levels above another split. */
static void
test_depthwise_limit(void)
{
	BoostCase	test = mixed_case(TASK_REGRESSION);
	Error		error;
	uint32_t	depth[64] = {0};
	uint32_t	deepest_split = 0;
	uint32_t	highest_leaf = UINT32_MAX;
	double		least_split = INFINITY;

	test.params[0].value = 1;
	test.params[1].value = 30;
	test.params[2] = (BoostParam) {"max_leaves", 11};
	test.params[3] = (BoostParam) {"min_child_weight", 20};
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	CHECK(count_leaves(&test) == 11);
	for (uint64_t i = 0; i < boost_case_trees(&test)->n_nodes; i++)
	{
		const TreeNode *node = &boost_case_nodes(&test)[i];

		if (node->feature & NODE_LEAF)
		{
			highest_leaf = depth[i] < highest_leaf ? depth[i] : highest_leaf;
			continue;
		}
		depth[node->left] = depth[node->left + 1] = depth[i] + 1;
		deepest_split = depth[i] > deepest_split ? depth[i] : deepest_split;
		least_split = fmin(least_split, (double) boost_case_stats(&test)[i].gain);
	}
	CHECK(least_split > 0);
	CHECK(deepest_split == 3 && highest_leaf == 3);
	boost_case_free(&test);
}

/* 1,600 columns; the histograms of all leaves do not fit into the pool, which must not show. */
static void
test_wide(void)
{
	BoostCase	by_depth = {
		.task = TASK_REGRESSION,.n_rows = 700,.n_columns = 1600,.x = wide_x,.y = wide_y,
		.params = {{"n_estimators", 1}, {"max_depth", 7}},.n_threads = 2
	};
	BoostCase	by_gain = by_depth;
	Error		error;

	by_gain.params[2] = (BoostParam) {"max_leaves", 128};
	by_gain.words[0] = (BoostWord) {"grow_policy", "lossguide"};
	if (!CHECK_OK(boost_case_run(&by_depth, &error), &error) || !CHECK_OK(boost_case_run(&by_gain, &error), &error))
		return;
	CHECK(count_leaves(&by_depth) > 60);
	check_same(&by_depth, &by_gain);
	boost_case_free(&by_depth);
	boost_case_free(&by_gain);
}

/* Covers of children add up to their parent's; gains are positive. */
static void
test_stats(void)
{
	BoostCase	test = mixed_case(TASK_BINARY);
	Error		error;

	test.params[0].value = 1;
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	for (uint64_t i = 0; i < boost_case_trees(&test)->n_nodes; i++)
	{
		const TreeNode *node = &boost_case_nodes(&test)[i];
		const TreeNodeStat *stats = boost_case_stats(&test);

		if (node->feature & NODE_LEAF)
			CHECK(stats[i].gain == 0 && stats[i].cover >= 1);
		else
		{
			CHECK(stats[i].gain > 0);
			CHECK_NEAR((double) stats[i].cover, (double) stats[node->left].cover + (double) stats[node->left + 1].cover, 1e-3);
		}
	}
	boost_case_free(&test);
}

int
main(void)
{
	test_losses();
	test_recipes();
	for (int depth = 1; depth <= 4; depth++)
	{
		test_greedy(depth, false);
		test_greedy(depth, true);
	}
	test_determinism();
	test_seed();
	test_leaf_limit();
	test_depthwise_limit();
	test_wide();
	test_stats();
	return check_done();
}
