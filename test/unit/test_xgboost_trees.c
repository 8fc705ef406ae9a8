/*
 * test_xgboost_trees.c
 *		The first tree of each objective and of rules beside it, node by node, against XGBoost's.
 *
 * Splits, sides of missing values, gains, covers and leaves: that fixes first
 * and second derivatives, penalties, constraints and the constants that
 * boosting starts from.
 */
#include "objective_cases.h"
#include "fixtures/trees.h"

#define STEP (1.0 / 32)			/* between values of a feature */
#define MAX_NODES 15

static double
missing_x(size_t row, uint32_t column)
{
	return column < 2 && boost_number(row, 200 + column) < 0.15 ? NAN : fixture_x(row, column);
}

static double
fixture_yes(size_t row)
{
	return fixture_signal(row) * boost_number(row, 50) > 1.5;
}

static double
fixture_class(size_t row)
{
	return fmin(floor(fixture_value(row) / 1.5), XGBOOST_CLASSES - 1);
}

/* XGBoost's tree and what makes ours. */
typedef struct TreeCase
{
	const char *name;
	const char *objective;
	double		(*y) (size_t row);
	const XGBoostNode *nodes;
	BoostParam	params[4];
	BoostMap	map;
	bool		unweighted;
	double		tolerance;		/* 0: the usual one */
	uint32_t	n_classes;
} TreeCase;

static const TreeCase tree_cases[] = {
	{.name = "squared_error",.objective = "squared_error",.y = fixture_value,.nodes = xgboost_tree_squared_error},
	{.name = "absolute_error",.objective = "absolute_error",.y = fixture_value,.nodes = xgboost_tree_absolute_error},
	{.name = "huber",.objective = "huber",.y = fixture_value,.nodes = xgboost_tree_huber,.params = {{"huber_delta", XGBOOST_DELTA}, {"base_score", 2.5}}},
	{.name = "quantile",.objective = "quantile",.y = fixture_value,.nodes = xgboost_tree_quantile,.params = {{"quantile_alpha", XGBOOST_ALPHA}}},
	{.name = "poisson",.objective = "poisson",.y = fixture_count,.nodes = xgboost_tree_poisson},
	{.name = "gamma",.objective = "gamma",.y = fixture_value,.nodes = xgboost_tree_gamma},
	{.name = "tweedie",.objective = "tweedie",.y = fixture_claim,.nodes = xgboost_tree_tweedie,.params = {{"tweedie_variance_power", XGBOOST_POWER}}},
	{.name = "logistic",.objective = "logistic",.y = fixture_yes,.nodes = xgboost_tree_logistic,.n_classes = 2},
	{.name = "softmax, class 0",.objective = "softmax",.y = fixture_class,.nodes = xgboost_tree_softmax_0,.n_classes = XGBOOST_CLASSES},
	{.name = "softmax, class 1",.objective = "softmax",.y = fixture_class,.nodes = xgboost_tree_softmax_1,.n_classes = XGBOOST_CLASSES},
	{.name = "softmax, class 2",.objective = "softmax",.y = fixture_class,.nodes = xgboost_tree_softmax_2,.n_classes = XGBOOST_CLASSES},
	{.name = "no weights",.objective = "squared_error",.y = fixture_value,.nodes = xgboost_tree_plain,.unweighted = true,.tolerance = 1e-4},
	{.name = "monotone",.objective = "squared_error",.y = fixture_value,.nodes = xgboost_tree_monotone,
	.map = {"monotone_constraints", 2, {{"x0", -1}, {"x2", 1}}}},
	{.name = "steps",.objective = "logistic",.y = fixture_yes,.nodes = xgboost_tree_steps,.params = {{"max_delta_step", 0.3}},.n_classes = 2},
	{.name = "penalised",.objective = "squared_error",.y = fixture_value,.nodes = xgboost_tree_penalised,
	.params = {{"reg_lambda", 5}, {"reg_alpha", 20}, {"gamma", 30}, {"min_child_weight", 150}}}
};

#define N_TREE_CASES (sizeof(tree_cases) / sizeof(tree_cases[0]))

/* Nodes from one of ours and one of theirs down. */
static void
compare_nodes(const TreeCase *c, const TreeNode *nodes, const TreeNodeStat *stats, uint32_t own, int other, double *furthest)
{
	const XGBoostNode *theirs = &c->nodes[other];
	double		tolerance = c->tolerance > 0 ? c->tolerance : 1e-5;
	uint32_t	feature = nodes[own].feature & NODE_FEATURE_MASK;

	CHECK_NEAR((double) stats[own].cover, theirs->cover, tolerance * theirs->cover);
	if (theirs->feature < 0)
	{
		if (!CHECK(nodes[own].feature & NODE_LEAF))
			return;
		CHECK_NEAR(nodes[own].u.leaf, theirs->value, tolerance);
		*furthest = fmax(*furthest, fabs(nodes[own].u.leaf - theirs->value));
		return;
	}
	if (!CHECK(!(nodes[own].feature & NODE_LEAF) && feature == (uint32_t) theirs->feature))
		return;
	/* the same rows go left: "x <= threshold" is "x < value" */
	CHECK(nodes[own].u.threshold < theirs->value && nodes[own].u.threshold >= theirs->value - STEP);
	if (feature < 2)
		CHECK(((nodes[own].feature & NODE_MISSING_LEFT) != 0) == theirs->missing_left);
	CHECK_NEAR((double) stats[own].gain, theirs->gain, 10 * tolerance * fmax(theirs->gain, theirs->cover / 100));
	compare_nodes(c, nodes, stats, nodes[own].left, theirs->left, furthest);
	compare_nodes(c, nodes, stats, nodes[own].left + 1, theirs->left + 1, furthest);
}

static void
test_trees(void)
{
	for (size_t k = 0; k < N_TREE_CASES; k++)
	{
		const TreeCase *c = &tree_cases[k];
		BoostCase	test = {
			.task = c->n_classes == 0 ? TASK_REGRESSION : c->n_classes == 2 ? TASK_BINARY : TASK_MULTICLASS,.n_classes = c->n_classes,
			.n_rows = XGBOOST_ROWS,.n_columns = XGBOOST_COLUMNS,.x = missing_x,.y = c->y,.weight = c->unweighted ? NULL : fixture_weight,
			.words = {{"objective", c->objective}},.map = c->map,.seed = 42,
			.params = {{"n_estimators", 1}, {"learning_rate", 0.3}, {"max_depth", 3}}
		};
		double		furthest = 0;
		Error		error;

		for (int i = 0; i < 4; i++)
			test.params[3 + i] = c->params[i];
		if (!CHECK_OK(boost_case_run(&test, &error), &error))
			return;

		/* trees of classes follow each other */
		const uint64_t *starts = (const uint64_t *) (test.payload.data + boost_case_trees(&test)->starts_offset);
		int			group = c->n_classes > 2 ? c->name[strlen(c->name) - 1] - '0' : 0;

		compare_nodes(c, boost_case_nodes(&test) + starts[group], boost_case_stats(&test) + starts[group], 0, 0, &furthest);
		printf("%s: leaves within %.1e of XGBoost's\n", c->name, furthest);
		boost_case_free(&test);
	}
}

int
main(void)
{
	test_trees();
	return check_done();
}
