/*
 * test_explain_deep.c
 *		Contributions along long paths, against the sum over set sizes of each leaf.
 */
#include "explain_case.h"

/* What one leaf of a path with n features adds to each: shares z, ways o. */
static void
leaf_by_sizes(double value, uint32_t n, const double *z, const bool *o, double *out)
{
	for (uint32_t i = 0; i < n; i++)
	{
		long double ways[CASE_COLUMNS + 1] = {1};	/* by the number of known features: sums of products */
		uint32_t	size = 0;
		long double sum = 0;
		long double weight = 1.0L / n;	/* size! (n - size - 1)! / n! */

		for (uint32_t j = 0; j < n; j++)
		{
			if (j == i)
				continue;
			size++;
			for (uint32_t k = size; k > 0; k--)
				ways[k] = ways[k] * z[j] + (o[j] ? ways[k - 1] : 0);
			ways[0] *= z[j];
		}
		for (uint32_t k = 0; k < n; k++)
		{
			sum += weight * ways[k];
			if (k + 1 < n)
				weight = weight * (k + 1) / (n - k - 1);
		}
		out[i] = (double) (value * ((o[i] ? 1 : 0) - (long double) z[i]) * sum);
	}
}

/* All leaves below a node. */
static void
walk(const ExplainCase *test, uint32_t tree, uint32_t node, const double *features, double *z, bool *o, bool *used, double *contributions)
{
	const TreeNode *split = case_nodes(test, tree) + node;

	if (split->feature & NODE_LEAF)
	{
		uint32_t	players[CASE_COLUMNS];
		double		shares[CASE_COLUMNS];
		bool		ways[CASE_COLUMNS];
		double		out[CASE_COLUMNS];
		uint32_t	n = 0;

		for (uint32_t j = 0; j < test->n_features; j++)
		{
			if (!used[j])
				continue;
			players[n] = j;
			shares[n] = z[j];
			ways[n++] = o[j];
		}
		leaf_by_sizes(case_leaf(test, tree, node, 0), n, shares, ways, out);
		for (uint32_t i = 0; i < n; i++)
			contributions[players[i]] += out[i];
		return;
	}

	uint32_t	j = split->feature & NODE_FEATURE_MASK;
	double		z_before = z[j];
	bool		o_before = o[j];
	bool		used_before = used[j];
	double		left_share = case_left_share(test, tree, node);
	bool		left = case_left(test, split, features);

	used[j] = true;
	for (uint32_t side = 0; side < 2; side++)
	{
		z[j] = z_before * (side == 0 ? left_share : 1 - left_share);
		o[j] = o_before && left == (side == 0);
		walk(test, tree, split->left + side, features, z, o, used, contributions);
	}
	z[j] = z_before;
	o[j] = o_before;
	used[j] = used_before;
}

/* Rows of a model whose columns are its features. */
static void
check_deep(ExplainCase test)
{
	Error		error;

	case_open(&test);

	Explainer  *explainer = explainer_create(&test.model, 0, NULL, &error);

	if (!CHECK_OK(explainer != NULL, &error))
		return;
	for (int row = 0; row < 4; row++)
	{
		double		features[CASE_COLUMNS];
		double		contributions[CASE_COLUMNS];
		double		expected[CASE_COLUMNS] = {0};
		static double matrix[CASE_COLUMNS * CASE_COLUMNS];
		double		sum = explainer_base(explainer);

		case_row(&test, features);
		for (uint32_t t = 0; t < test.n_trees; t++)
		{
			double		z[CASE_COLUMNS];
			bool		o[CASE_COLUMNS];
			bool		used[CASE_COLUMNS] = {false};

			for (int j = 0; j < CASE_COLUMNS; j++)
			{
				z[j] = 1;
				o[j] = true;
			}
			walk(&test, t, 0, features, z, o, used, expected);
		}
		explain_row(explainer, features, contributions);
		explain_row_pairs(explainer, features, matrix);
		for (uint32_t c = 0; c < test.model.n_columns; c++)
		{
			double		row_sum = 0;

			CHECK_NEAR(contributions[c], expected[c], 1e-12 * test.n_trees);
			sum += contributions[c];
			for (uint32_t other = 0; other < test.model.n_columns; other++)
			{
				row_sum += matrix[c * test.model.n_columns + other];
				CHECK_SAME(matrix[c * test.model.n_columns + other], matrix[other * test.model.n_columns + c]);
			}
			CHECK_NEAR(row_sum, contributions[c], 1e-12 * test.n_trees);
		}
		CHECK_NEAR(sum, case_total(&test, 0, features, UINT64_MAX), 1e-12 * test.n_trees);
	}
	explainer_free(explainer);
	case_close(&test);
}

static int	questions;			/* that were asked by stop_now() */
static int	patience;			/* questions before the answer is yes */

/* Counts, and stops. */
static bool
stop_now(void)
{
	return questions++ >= patience;
}

/* Whoever asks for an explanation may stop it at each block of trees, and ask again. */
static void
test_stops(void)
{
	ExplainCase test = {
		.task = TASK_REGRESSION,.link = LINK_IDENTITY,.algorithm = ALGORITHM_GRADIENT_BOOSTING,.n_outputs = 1,.n_groups = 1,.n_trees = 40,
		.seed = 800,.depth = 9,.n_numbers = 12
	};
	double		features[CASE_COLUMNS];
	double		contributions[2][CASE_COLUMNS];
	static double matrices[2][CASE_COLUMNS * CASE_COLUMNS];
	Explainer  *explainer;
	Error		error;

	case_open(&test);
	case_row(&test, features);
	for (patience = 0; (explainer = explainer_create(&test.model, 0, stop_now, &error)) == NULL; patience++)
	{
		CHECK(error.code == ERROR_CANCELLED);
		questions = 0;
	}
	CHECK(patience > 10);
	for (patience = questions = 0; !explain_row(explainer, features, contributions[0]); patience++)
		questions = 0;
	CHECK(patience > 10);
	for (patience = questions = 0; !explain_row_pairs(explainer, features, matrices[0]); patience++)
		questions = 0;
	CHECK(patience > 40);
	explainer_free(explainer);

	explainer = explainer_create(&test.model, 0, NULL, &error);
	CHECK(explain_row(explainer, features, contributions[1]) && explain_row_pairs(explainer, features, matrices[1]));
	CHECK(memcmp(contributions[0], contributions[1], test.model.n_columns * sizeof(double)) == 0);
	CHECK(memcmp(matrices[0], matrices[1], test.model.n_columns * test.model.n_columns * sizeof(double)) == 0);
	explainer_free(explainer);
	case_close(&test);
}

/* 4, 8, 16 nodes of quadrature and more; few features again and again, and many. */
int
main(void)
{
	ExplainCase test = {
		.task = TASK_REGRESSION,.link = LINK_IDENTITY,.algorithm = ALGORITHM_GRADIENT_BOOSTING,.n_outputs = 1,.n_groups = 1,.n_trees = 3
	};

	for (int kind = 0; kind < 7; kind++)
	{
		test.seed = 700 + (uint64_t) kind;
		test.depth = (uint32_t[]) {8, 12, 16, 20, 60, 200, 1000}[kind];
		test.n_numbers = (uint32_t[]) {20, 30, 40, 58, 58, 4, 60}[kind];
		test.n_categories = 2;
		test.stop = (double[]) {0.1, 0.3, 0.38, 0, 0, 0, 0}[kind];
		test.chain = kind >= 3;
		check_deep(test);
	}
	test_stops();
	return check_done();
}
