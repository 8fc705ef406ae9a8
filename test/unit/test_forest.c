/*
 * test_forest.c
 *		Random forests, extra trees and decision trees, from rows to payload.
 *
 * Single trees are compared with an exhaustive search over the rows and with
 * scikit-learn's; forests with what they must be by definition.
 */
#include "forest_case.h"
#include "fixtures/forest.h"

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

/* ---- Against scikit-learn ---- */

/* The rows of fixtures/make_forest.py. */
static double
sklearn_x(size_t row, uint32_t column)
{
	return column == 1 && row % 7 == 0 ? NAN : floor(512 * boost_number(row, column)) / 512;
}

static double
sklearn_value(size_t row)
{
	return 2 * sklearn_x(row, 0) + 3 * number_or(sklearn_x(row, 1), 0.75) * sklearn_x(row, 2) + (sklearn_x(row, 3) > 0.5) +
		2 * boost_number(row, 50);
}

static double
sklearn_two(size_t row)
{
	return fmin(floor(sklearn_value(row) / 3.5), 1);
}

static double
sklearn_three(size_t row)
{
	return fmin(floor(sklearn_value(row) / 3.5 * 1.5), 2);
}

static double
sklearn_weight(size_t row)
{
	return (1 + floor(64 * boost_number(row, 51))) / 16;
}

/* Trees cut back at a path's alphas, with weights by row and by class, have the same leaves and predictions. */
static void
test_sklearn(void)
{
	static const char *const labels[] = {"no", "yes", "maybe"};
	Error		error;

	for (size_t i = 0; i < sizeof(sklearn_cases) / sizeof(sklearn_cases[0]); i++)
	{
		const SklearnCase *expected = &sklearn_cases[i];
		uint32_t	n_classes = expected->n_classes;
		BoostCase	test = {
			.algorithm = "decision_tree",.task = n_classes == 0 ? TASK_REGRESSION : n_classes == 2 ? TASK_BINARY : TASK_MULTICLASS,
			.n_classes = n_classes,.n_rows = SKLEARN_ROWS,.n_columns = SKLEARN_COLUMNS,.x = sklearn_x,
			.y = n_classes == 0 ? sklearn_value : n_classes == 2 ? sklearn_two : sklearn_three,
			.weight = expected->weighted ? sklearn_weight : NULL,.labels = labels,
			.params = {{"min_samples_leaf", expected->min_leaf}, {"criterion", expected->criterion}, {"ccp_alpha", 0}}
		};

		if (expected->class_weight == 1)
			test.words[0] = (BoostWord) {"class_weight", "balanced"};
		if (expected->class_weight == 2)
			test.map = (BoostMap) {"class_weight", 2, {{"no", 0.5}, {"yes", 3}}};
		for (int a = 0; a < SKLEARN_ALPHAS; a++)
		{
			test.params[2].value = expected->trees[a].ccp_alpha;
			if (!CHECK_OK(boost_case_run(&test, &error), &error))
				return;
			CHECK(count_leaves(&test) == expected->trees[a].n_leaves);
			CHECK_NEAR(test.train_loss, expected->trees[a].loss, 1e-7);	/* weights are whole numbers of units */
			boost_case_free(&test);
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
	test_sklearn();
	test_unlimited();
	test_constant();
	test_limits();
	test_pruning();
	test_errors();
	return check_done();
}
