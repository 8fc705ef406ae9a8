/*
 * test_forest.c
 *		Random forests, extra trees and decision trees, from rows to payload.
 *
 * Single trees are compared with an exhaustive search over the rows; forests
 * with what they must be by definition, and with each other where the bytes
 * must be equal.
 */
#include "boost_data.h"

static uint32_t
count_leaves(const BoostCase *test)
{
	uint32_t	n = 0;

	for (uint64_t i = 0; i < boost_case_trees(test)->n_nodes; i++)
		n += (boost_case_nodes(test)[i].feature & NODE_LEAF) != 0;
	return n;
}

/* A fit of an algorithm on the mixed rows. */
static BoostCase
forest_case(const char *algorithm, Task task)
{
	BoostCase	test = mixed_case(task);

	test.algorithm = algorithm;
	test.params[0] = (BoostParam) {"n_estimators", 10};
	test.params[1] = (BoostParam) {NULL, 0};
	if (strcmp(algorithm, "decision_tree") == 0)
		test.params[0] = (BoostParam) {"min_samples_leaf", 1};
	return test;
}

/* ---- Against an exhaustive search ---- */

#define GREEDY_ROWS 90
#define GREEDY_CLASSES 3

static double
greedy_x(size_t row, uint32_t column)
{
	return column == 1 && row % 7 == 0 ? NAN : floor(20 * boost_number(row, column));
}

static double
greedy_value(size_t row)
{
	return floor(64 * (sin(greedy_x(row, 0)) + number_or(greedy_x(row, 1), 9) * greedy_x(row, 2) / 100 + 0.3 * boost_number(row, 9)));
}

static double
greedy_class(size_t row)
{
	return fmin(2, floor(fabs(greedy_value(row)) / 40));
}

static double
greedy_weight(size_t row)
{
	return (double) (1 + row % 3);
}

/* What the search is told. */
typedef struct Greedy
{
	bool		classes;
	bool		entropy;
	bool		weighted;
	size_t		min_leaf;
	int			max_depth;
	uint32_t	n_leaves;
	double		impurity;		/* of all leaves: weight times impurity */
} Greedy;

/* Weight times impurity of some rows, by definition. */
static double
greedy_impurity(const Greedy *greedy, const bool *in, size_t *n)
{
	double		sums[GREEDY_CLASSES] = {0};
	double		weight = 0;
	double		sum = 0;
	double		impurity = 0;

	*n = 0;
	for (size_t i = 0; i < GREEDY_ROWS; i++)
	{
		double		w = greedy->weighted ? greedy_weight(i) : 1;

		if (!in[i])
			continue;
		(*n)++;
		weight += w;
		sum += w * greedy_value(i);
		sums[(int) greedy_class(i)] += w;
	}
	for (size_t i = 0; i < GREEDY_ROWS && !greedy->classes; i++)
		impurity += in[i] ? (greedy->weighted ? greedy_weight(i) : 1) * pow(greedy_value(i) - sum / weight, 2) : 0;
	for (int k = 0; k < GREEDY_CLASSES && greedy->classes; k++)
	{
		double		p = sums[k] / weight;

		impurity += weight * (greedy->entropy ? (p > 0 ? -p * log(p) : 0) : p * (1 - p));
	}
	return impurity;
}

/* The tree that takes the split of least impurity at each node; of equal ones any gives the same impurity there, if not below. */
static void
greedy_tree(Greedy *greedy, const bool *in, int depth)
{
	size_t		n;
	double		own = greedy_impurity(greedy, in, &n);
	double		best = INFINITY;
	bool		best_left[GREEDY_ROWS];
	bool		best_right[GREEDY_ROWS];

	for (uint32_t c = 0; c < 3 && depth < greedy->max_depth && own > 1e-9; c++)
	{
		for (size_t k = 0; k < 2 * GREEDY_ROWS; k++)
		{
			bool		left[GREEDY_ROWS];
			bool		right[GREEDY_ROWS];
			double		cut = greedy_x(k / 2, c);
			size_t		n_left;
			size_t		n_right;

			for (size_t i = 0; i < GREEDY_ROWS; i++)
			{
				double		x = greedy_x(i, c);

				left[i] = in[i] && (x != x ? k % 2 == 1 : x <= cut);
				right[i] = in[i] && !left[i];
			}

			double		impurity = greedy_impurity(greedy, left, &n_left) + greedy_impurity(greedy, right, &n_right);

			if (n_left >= greedy->min_leaf && n_right >= greedy->min_leaf && impurity < best - 1e-9)
			{
				best = impurity;
				memcpy(best_left, left, sizeof(left));
				memcpy(best_right, right, sizeof(right));
			}
		}
	}
	if (best == INFINITY)
	{
		greedy->n_leaves++;
		greedy->impurity += own;
		return;
	}
	greedy_tree(greedy, best_left, depth + 1);
	greedy_tree(greedy, best_right, depth + 1);
}

/* Sum of cover times gain lost: the impurity of the root less all gains. */
static void
check_greedy(bool classes, bool entropy, bool weighted, size_t min_leaf, int max_depth)
{
	Greedy		greedy = {.classes = classes,.entropy = entropy,.weighted = weighted,.min_leaf = min_leaf,.max_depth = max_depth};
	BoostCase	test = {
		.algorithm = "decision_tree",.task = classes ? TASK_MULTICLASS : TASK_REGRESSION,.n_classes = classes ? GREEDY_CLASSES : 0,
		.n_rows = GREEDY_ROWS,.n_columns = 3,.x = greedy_x,.y = classes ? greedy_class : greedy_value,
		.weight = weighted ? greedy_weight : NULL,
		.params = {{"max_depth", max_depth}, {"min_samples_leaf", (double) min_leaf}, {"criterion", entropy ? 3 : 0}}
	};
	Error		error;
	bool		in[GREEDY_ROWS];
	double		gains = 0;
	size_t		n;

	for (size_t i = 0; i < GREEDY_ROWS; i++)
		in[i] = true;
	greedy_tree(&greedy, in, 0);
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	for (uint64_t i = 0; i < boost_case_trees(&test)->n_nodes; i++)
		gains += boost_case_stats(&test)[i].gain;

	double		impurity = greedy_impurity(&greedy, in, &n) - gains;

	CHECK_NEAR(impurity, greedy.impurity, 1e-5 * (gains + 1));
	CHECK_NEAR(boost_case_stats(&test)[0].cover, weighted ? 2 * GREEDY_ROWS : GREEDY_ROWS, 1e-6 * GREEDY_ROWS);
	boost_case_free(&test);
}

static void
test_greedy(void)
{
	for (int depth = 1; depth <= 2; depth++)
	{
		for (size_t min_leaf = 1; min_leaf <= 11; min_leaf += 10)
		{
			check_greedy(false, false, false, min_leaf, depth);
			check_greedy(false, false, true, min_leaf, depth);
			check_greedy(true, false, false, min_leaf, depth);
			check_greedy(true, false, true, min_leaf, depth);
			check_greedy(true, true, false, min_leaf, depth);
		}
	}
}

/* ---- Trees that know their rows ---- */

static double
index_x(size_t row, uint32_t column)
{
	return column == 0 ? (double) row : boost_number(row, column);
}

/* A tree without limits gives each training row its own value. */
static void
test_unlimited(void)
{
	BoostCase	test = forest_case("decision_tree", TASK_REGRESSION);
	Error		error;

	test.x = index_x;
	test.n_columns = 3;
	test.n_categories = 0;
	test.n_floats = 0;
	test.validation = 0;
	test.n_rows = 900;
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	CHECK_SAME(test.train_loss, 0);
	CHECK(count_leaves(&test) == 900);
	boost_case_free(&test);

	/* classes are told apart as well, by fewer leaves */
	for (Task task = TASK_BINARY; task <= TASK_MULTICLASS; task++)
	{
		test.task = task;
		test.n_classes = task == TASK_BINARY ? 2 : 5;
		test.y = task == TASK_BINARY ? mixed_yes : mixed_class;
		if (!CHECK_OK(boost_case_run(&test, &error), &error))
			return;
		CHECK_NEAR(test.train_loss, 0, 1e-12);
		CHECK(count_leaves(&test) < 900);
		boost_case_free(&test);
	}
}

/* No feature: the only leaf is the mean, or the shares. */
static double
constant_x(size_t row, uint32_t column)
{
	(void) row;
	return column;
}

static void
test_constant(void)
{
	for (Task task = TASK_REGRESSION; task <= TASK_MULTICLASS; task++)
	{
		BoostCase	test = forest_case("extra_trees", task);
		double		sum = 0;
		Error		error;

		test.x = constant_x;
		test.n_categories = 0;
		test.weight = mixed_weight;
		if (!CHECK_OK(boost_case_run(&test, &error), &error))
			return;
		CHECK(boost_case_trees(&test)->n_nodes == 10 && boost_case_trees(&test)->max_depth == 0);
		if (task == TASK_BINARY)
		{
			for (size_t i = 0; i < 10; i++)
				sum += boost_case_nodes(&test)[i].u.leaf;
			CHECK(sum > 0 && sum < 10);
		}
		boost_case_free(&test);
	}
}

/* ---- Limits ---- */

static void
test_limits(void)
{
	static const char *const names[] = {"random_forest", "extra_trees", "decision_tree"};
	Error		error;

	for (int a = 0; a < 3; a++)
	{
		BoostCase	test = forest_case(names[a], TASK_MULTICLASS);

		test.params[1] = (BoostParam) {"max_leaves", 9};
		if (!CHECK_OK(boost_case_run(&test, &error), &error))
			return;
		CHECK(count_leaves(&test) == 9 * boost_case_trees(&test)->n_trees);
		boost_case_free(&test);

		test.params[1] = (BoostParam) {"max_depth", 4};
		if (!CHECK_OK(boost_case_run(&test, &error), &error))
			return;
		CHECK(boost_case_trees(&test)->max_depth == 4);
		CHECK(count_leaves(&test) <= 16 * boost_case_trees(&test)->n_trees);
		boost_case_free(&test);

		test.params[1] = (BoostParam) {"min_samples_split", 500};
		if (!CHECK_OK(boost_case_run(&test, &error), &error))
			return;

		/* a bootstrap counts a row as often as it was drawn */
		for (uint64_t i = 0; i < boost_case_trees(&test)->n_nodes; i++)
			CHECK((boost_case_nodes(&test)[i].feature & NODE_LEAF) || boost_case_stats(&test)[i].cover >= 500);
		boost_case_free(&test);
	}
}

/* Higher alphas leave fewer leaves, and each tree is a part of the one before. */
static void
test_pruning(void)
{
	static const double alphas[] = {0, 1e-4, 1e-3, 1e-2, 1e9};
	uint32_t	before = UINT32_MAX;
	double		loss_before = 0;
	Error		error;

	for (size_t i = 0; i < sizeof(alphas) / sizeof(alphas[0]); i++)
	{
		BoostCase	test = forest_case("decision_tree", TASK_BINARY);

		test.params[1] = (BoostParam) {"ccp_alpha", alphas[i]};
		test.params[2] = (BoostParam) {"min_samples_leaf", 5};
		if (!CHECK_OK(boost_case_run(&test, &error), &error))
			return;
		CHECK(count_leaves(&test) < before && test.train_loss >= loss_before);
		before = count_leaves(&test);
		loss_before = test.train_loss;
		boost_case_free(&test);
	}
	CHECK(before == 1);
}

/* ---- Out of bag ---- */

static void
test_out_of_bag(void)
{
	for (Task task = TASK_REGRESSION; task <= TASK_MULTICLASS; task++)
	{
		const char *metric = task == TASK_REGRESSION ? "oob_rmse" : "oob_log_loss";
		BoostCase	test = forest_case("random_forest", task);
		Error		error;

		test.params[0].value = 60;
		test.params[1] = (BoostParam) {"min_samples_leaf", 5};
		test.weight = mixed_weight;
		if (!CHECK_OK(boost_case_run(&test, &error), &error))
			return;

		/* what rows outside say, which the trees did not see either */
		CHECK_NEAR(metrics_get(&test.metrics, metric) / test.validation_loss, 1, 0.1);
		CHECK(metrics_get(&test.metrics, metric) < metrics_get(&test.baseline, metric + 4));
		CHECK(metrics_get(&test.metrics, metric) > test.train_loss);
		boost_case_free(&test);

		test.params[2] = (BoostParam) {"oob_score", 0};
		CHECK_OK(boost_case_run(&test, &error), &error);
		CHECK(test.metrics.n == 0);
		boost_case_free(&test);
		test.params[2] = (BoostParam) {"bootstrap", 0};
		CHECK_OK(boost_case_run(&test, &error), &error);
		CHECK(test.metrics.n == 0);
		boost_case_free(&test);
		test.params[3] = (BoostParam) {"max_samples", 0.6};
		CHECK_OK(boost_case_run(&test, &error), &error);
		CHECK_NEAR(metrics_get(&test.metrics, metric) / test.validation_loss, 1, 0.1);
		boost_case_free(&test);
	}
}

/* A bootstrap of n rows weighs about n, and sees about 63 % of them; without replacement, the share. */
static void
test_samples(void)
{
	BoostCase	test = forest_case("random_forest", TASK_REGRESSION);
	Error		error;

	test.n_rows = 40000;
	test.validation = 0;
	test.params[0].value = 1;
	test.params[1] = (BoostParam) {"max_depth", 1};
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	CHECK_NEAR(boost_case_stats(&test)[0].cover, 40000, 600);
	boost_case_free(&test);
	test.params[2] = (BoostParam) {"bootstrap", 0};
	test.params[3] = (BoostParam) {"max_samples", 0.25};
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	CHECK_NEAR(boost_case_stats(&test)[0].cover, 10000, 400);
	boost_case_free(&test);
	test.params[2].value = 1;
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	CHECK_NEAR(boost_case_stats(&test)[0].cover, 10000, 500);
	boost_case_free(&test);
}

/* ---- Weights ---- */

/* Row i of the repeated case is row i / 3 of the other. */
static double
repeated_x(size_t row, uint32_t column)
{
	return mixed_x(row / 3, column);
}

static double
repeated_class(size_t row)
{
	return mixed_class(row / 3);
}

static double
three(size_t row)
{
	(void) row;
	return 3;
}

static double
three_millionths(size_t row)
{
	(void) row;
	return 3 * 0x1p-20;
}

/* A weight of 3 is a row three times, and all weights may be small. */
static void
test_weights(void)
{
	BoostCase	once = forest_case("decision_tree", TASK_MULTICLASS);
	BoostCase	thrice;
	BoostCase	small;
	Error		error;

	once.n_rows = 700;
	once.validation = 0;
	once.weight = three;
	small = once;
	small.weight = three_millionths;
	thrice = once;
	thrice.n_rows = 2100;
	thrice.weight = NULL;
	thrice.x = repeated_x;
	thrice.y = repeated_class;
	if (!CHECK_OK(boost_case_run(&once, &error), &error) || !CHECK_OK(boost_case_run(&thrice, &error), &error) ||
		!CHECK_OK(boost_case_run(&small, &error), &error))
		return;
	CHECK_NEAR(once.train_loss, thrice.train_loss, 1e-12);
	CHECK(count_leaves(&once) == count_leaves(&thrice));
	CHECK_NEAR(once.train_loss, small.train_loss, 1e-12);
	CHECK(count_leaves(&once) == count_leaves(&small));
	boost_case_free(&once);
	boost_case_free(&thrice);
	boost_case_free(&small);
}

/* ---- Same rows, same bytes ---- */

static void
test_determinism(void)
{
	static const char *const names[] = {"random_forest", "extra_trees", "decision_tree"};

	for (int a = 0; a < 3; a++)
	{
		for (Task task = TASK_REGRESSION; task <= TASK_MULTICLASS; task++)
		{
			BoostCase	first = forest_case(names[a], task);
			Error		error;

			first.weight = task == TASK_BINARY ? mixed_weight : NULL;
			if (!CHECK_OK(boost_case_run(&first, &error), &error))
				return;
			for (int other = 0; other < 4; other++)
			{
				BoostCase	test = first;

				test.n_threads = other < 2 ? other + 2 : 1;
				test.reversed = other >= 1;
				test.limited = other == 3;
				test.level = CPU_PLAIN;
				if (CHECK_OK(boost_case_run(&test, &error), &error))
				{
					CHECK(first.payload.size == test.payload.size &&
						  memcmp(first.payload.data, test.payload.data, first.payload.size) == 0);
					CHECK(first.prediction_hash == test.prediction_hash);
					CHECK(first.metrics.n == test.metrics.n);
					for (int i = 0; i < first.metrics.n; i++)
						CHECK_SAME(first.metrics.values[i], test.metrics.values[i]);
				}
				boost_case_free(&test);
			}

			BoostCase	other_seed = first;

			other_seed.seed = 43;
			if (CHECK_OK(boost_case_run(&other_seed, &error), &error) && a < 2)
				CHECK(other_seed.prediction_hash != first.prediction_hash);
			boost_case_free(&other_seed);
			boost_case_free(&first);
		}
	}
}

/* ---- What cannot be ---- */

static void
test_errors(void)
{
	BoostCase	test = forest_case("random_forest", TASK_REGRESSION);
	Error		error;

	test.params[1] = (BoostParam) {"max_features", 9};
	CHECK_ERROR(boost_case_run(&test, &error), &error, ERROR_PARAMETER, "there are 8 features");
	boost_case_free(&test);
	test.params[1].value = 8;
	CHECK_OK(boost_case_run(&test, &error), &error);
	boost_case_free(&test);
}

int
main(void)
{
	test_greedy();
	test_unlimited();
	test_constant();
	test_limits();
	test_pruning();
	test_out_of_bag();
	test_samples();
	test_weights();
	test_determinism();
	test_errors();
	return check_done();
}
