/*
 * test_explain.c
 *		Contributions and interactions against the definition of Shapley values, over all subsets.
 */
#include "core/cpu.h"
#include "core/model/linear_model.h"
#include "core/statistics/quadrature.h"

#include "explain_case.h"
#include "support.h"

#define PLAYERS 10

/* How many rows of each case. */
#define ROWS 6

static double
factorial(int n)
{
	return n <= 1 ? 1 : n * factorial(n - 1);
}

/* Shapley values of the columns, and their interaction values, from the values of all sets of features. */
static void
by_definition(const ExplainCase *test, const double *values, double *contributions, double *matrix)
{
	uint32_t	n = test->n_features;
	uint32_t	n_columns = test->model.n_columns;
	uint32_t	columns[PLAYERS];

	memset(contributions, 0, n_columns * sizeof(double));
	memset(matrix, 0, (size_t) n_columns * n_columns * sizeof(double));
	for (uint32_t c = 0; c < n_columns; c++)
	{
		for (uint32_t part = 0; part < test->model.columns[c].n_features; part++)
			columns[test->model.columns[c].first_feature + part] = c;
	}
	for (uint32_t set = 0; set < 1u << n; set++)
	{
		int			size = __builtin_popcount(set);

		for (uint32_t i = 0; i < n; i++)
		{
			if (set >> i & 1)
				continue;
			contributions[columns[i]] += factorial(size) * factorial((int) n - size - 1) / factorial((int) n) *
				(values[set | 1u << i] - values[set]);
			for (uint32_t j = 0; j < n; j++)
			{
				if ((set >> j & 1) || j == i || columns[i] == columns[j])
					continue;
				matrix[columns[i] * n_columns + columns[j]] += factorial(size) * factorial((int) n - size - 2) / (2 * factorial((int) n - 1)) *
					(values[set | 1u << i | 1u << j] - values[set | 1u << i] - values[set | 1u << j] + values[set]);
			}
		}
	}
	for (uint32_t c = 0; c < n_columns; c++)
	{
		double		shared = 0;

		for (uint32_t other = 0; other < n_columns; other++)
			shared += matrix[c * n_columns + other];
		matrix[c * n_columns + c] = contributions[c] - shared;
	}
}

/* One output of a case on some rows. */
static void
check_output(ExplainCase *test, uint32_t output)
{
	static double values[1 << PLAYERS];
	double		features[PLAYERS];
	double		expected[PLAYERS];
	double		contributions[PLAYERS];
	double		expected_matrix[PLAYERS * PLAYERS];
	double		matrix[PLAYERS * PLAYERS];
	uint32_t	n_columns = test->model.n_columns;
	uint32_t	all = (1u << test->n_features) - 1;
	Error		error;
	Explainer  *explainer = explainer_create(&test->model, output, NULL, &error);

	if (!CHECK_OK(explainer != NULL, &error))
		return;
	for (int row = 0; row < ROWS; row++)
	{
		double		sum = explainer_base(explainer);

		case_row(test, features);
		for (uint32_t set = 0; set <= all; set++)
			values[set] = case_total(test, output, features, set);
		by_definition(test, values, expected, expected_matrix);
		explain_row(explainer, features, contributions);
		explain_row_pairs(explainer, features, matrix);
		CHECK_NEAR(explainer_base(explainer), values[0], 1e-12);
		for (uint32_t c = 0; c < n_columns; c++)
		{
			CHECK_NEAR(contributions[c], expected[c], 1e-12);
			sum += contributions[c];
		}
		CHECK_NEAR(sum, values[all], 1e-12);
		for (uint32_t i = 0; i < n_columns * n_columns; i++)
			CHECK_NEAR(matrix[i], expected_matrix[i], 1e-11);
	}
	explainer_free(explainer);
}

static void
check_case(ExplainCase test)
{
	case_open(&test);
	CHECK(test.n_features <= PLAYERS);
	for (uint32_t output = 0; output < test.model.n_outputs; output++)
		check_output(&test, output);
	case_close(&test);
}

/* What every case below is made from. */
static const ExplainCase regression = {
	.task = TASK_REGRESSION,.link = LINK_IDENTITY,.algorithm = ALGORITHM_GRADIENT_BOOSTING,.n_outputs = 1,.n_groups = 1
};

/* Numbers, categories, one-hot columns, repeated features, sides without cover. */
static void
test_columns(void)
{
	ExplainCase test = regression;

	test.n_trees = 4;
	for (int kind = 0; kind < 5; kind++)
	{
		test.seed = 100 + (uint64_t) kind;
		test.n_numbers = (uint32_t[]) {5, 2, 1, 3, 2}[kind];
		test.n_categories = (uint32_t[]) {0, 3, 1, 1, 0}[kind];
		test.n_onehot = (uint32_t[]) {0, 0, 2, 1, 0}[kind];
		test.narrow_covers = kind == 3;
		test.depth = (uint32_t[]) {5, 5, 6, 6, 8}[kind];
		test.stop = 0.15;
		check_case(test);
	}
}

/* All depths to 12: the shallow ones are whole trees, the deep ones thin. */
static void
test_depths(void)
{
	ExplainCase test = regression;

	test.n_numbers = 9;
	test.n_trees = 2;
	for (test.depth = 0; test.depth <= 12; test.depth++)
	{
		test.seed = 200 + test.depth;
		test.stop = test.depth <= 4 ? 0 : 0.3;
		check_case(test);
	}
}

/* Both classes of two; each class of more; means and shares of forests; rates. */
static void
test_outputs(void)
{
	ExplainCase test = regression;

	test.seed = 300;
	test.n_numbers = 4;
	test.n_categories = 1;
	test.depth = 4;
	test.stop = 0.2;
	test.n_trees = 6;
	test.link = LINK_LOG;
	check_case(test);
	test.task = TASK_BINARY;
	test.n_outputs = 2;
	test.link = LINK_LOGISTIC;
	check_case(test);
	test.task = TASK_MULTICLASS;
	test.n_outputs = test.n_groups = 3;
	test.link = LINK_SOFTMAX;
	check_case(test);
	test.algorithm = ALGORITHM_RANDOM_FOREST;
	test.n_groups = 1;
	test.link = LINK_SHARES;
	check_case(test);
	test.link = LINK_MEAN;
	test.task = TASK_BINARY;
	test.n_outputs = 2;
	check_case(test);
	test.task = TASK_REGRESSION;
	test.n_outputs = 1;
	check_case(test);
}

/* Many trees, so many blocks; and models of a leaf, or of nothing. */
static void
test_sizes(void)
{
	ExplainCase test = regression;

	test.seed = 400;
	test.n_numbers = 3;
	test.depth = 4;
	test.stop = 0.1;
	test.n_trees = 70;
	check_case(test);
	test.depth = 0;
	check_case(test);
	test.n_trees = 0;
	check_case(test);
}

/* All widths of vectors give the same bits, in both widths of quadrature. */
static void
test_vectors(void)
{
	for (int wide = 0; wide < 2; wide++)
	{
		ExplainCase test = regression;
		double		features[CASE_COLUMNS];
		double		contributions[3][CASE_COLUMNS];
		static double matrices[3][CASE_COLUMNS * CASE_COLUMNS];
		Error		error;

		test.seed = 500;
		test.n_numbers = wide ? 30 : 6;
		test.n_categories = 2;
		test.depth = wide ? 14 : 6;
		test.stop = wide ? 0.25 : 0.05;
		test.n_trees = 20;
		case_open(&test);

		Explainer  *explainer = explainer_create(&test.model, 0, NULL, &error);

		if (!CHECK_OK(explainer != NULL, &error))
			return;
		for (int row = 0; row < 20; row++)
		{
			case_row(&test, features);
			for (int level = CPU_PLAIN; level <= CPU_AVX512; level++)
			{
				cpu_limit((CpuLevel) level);
				explain_row(explainer, features, contributions[level]);
				explain_row_pairs(explainer, features, matrices[level]);
			}
			for (int level = CPU_AVX2; level <= CPU_AVX512; level++)
			{
				CHECK(memcmp(contributions[level], contributions[0], test.model.n_columns * sizeof(double)) == 0);
				CHECK(memcmp(matrices[level], matrices[0], (size_t) test.model.n_columns * test.model.n_columns * sizeof(double)) == 0);
			}
		}
		explainer_free(explainer);
		case_close(&test);
	}
}

/* Weights of training rows that no fit writes: shares stay shares. */
static void
test_hostile_covers(void)
{
	static const float covers[] = {0, -1, NAN, INFINITY, 1e-45f, 3e38f, -0.0f, 5};
	ExplainCase test = regression;
	double		features[PLAYERS];
	double		contributions[PLAYERS];
	Error		error;

	test.seed = 600;
	test.n_numbers = 4;
	test.depth = 5;
	test.n_trees = 3;
	case_open(&test);
	for (uint32_t t = 0; t < test.n_trees; t++)
	{
		TreeNodeStat *stats = (TreeNodeStat *) case_stats(&test, t);

		for (uint32_t i = 0; i < tree_n_nodes(&test.model, t); i++)
			stats[i].cover = covers[case_below(&test, 8)];
	}

	Explainer  *explainer = explainer_create(&test.model, 0, NULL, &error);

	if (CHECK_OK(explainer != NULL, &error))
	{
		double		sum = explainer_base(explainer);

		case_row(&test, features);
		explain_row(explainer, features, contributions);
		for (uint32_t c = 0; c < test.model.n_columns; c++)
			sum += contributions[c];
		CHECK_NEAR(sum, case_total(&test, 0, features, UINT64_MAX), 1e-12);
		explainer_free(explainer);
	}
	case_close(&test);
}

/* y = 1 + 2 x' + 0.5 [x missing] + 10 admin + 20 clerk + 30 retired, with means 0, 1/8, 1/2, 3/8, 1/8. */
static void
test_linear(void)
{
	Buffer		bytes;
	Model		model;
	Error		error;
	double		raw[2] = {10, 2};
	double		features[5];
	double		out[1];
	double		contributions[2];
	double		matrix[4];

	buffer_init(&bytes);
	CHECK_OK(example_linear(&bytes, &error) && model_open(&model, bytes.data, bytes.size, &error), &error);

	Explainer  *explainer = explainer_create(&model, 0, NULL, &error);

	if (!CHECK_OK(explainer != NULL, &error))
		return;
	CHECK_NEAR(explainer_base(explainer), 1 + 0.0625 + 5 + 7.5 + 3.75, 1e-15);
	CHECK_OK(model_predict(&model, raw, features, out, &error), &error);
	explain_row(explainer, features, contributions);
	CHECK_NEAR(contributions[0], 2 * 2 - 0.0625, 1e-15);
	CHECK_NEAR(contributions[1], 30 - 16.25, 1e-15);
	CHECK_NEAR(explainer_base(explainer) + contributions[0] + contributions[1], out[0], 1e-13);
	explain_row_pairs(explainer, features, matrix);
	CHECK_SAME(matrix[0], contributions[0]);
	CHECK_SAME(matrix[3], contributions[1]);
	CHECK(matrix[1] == 0 && matrix[2] == 0);

	raw[0] = NAN;
	CHECK_OK(model_predict(&model, raw, features, out, &error), &error);
	explain_row(explainer, features, contributions);
	CHECK_NEAR(contributions[0], 2 * 0.25 + 0.5 - 0.0625, 1e-15);
	explainer_free(explainer);
	buffer_free(&bytes);
}

/* Every example: base and contributions add up to what model_predict() is made from. */
static void
test_examples(void)
{
	for (int i = 0; example_models[i] != NULL; i++)
	{
		Buffer		bytes;
		Model		model;
		Error		error;
		double		raw[3] = {1.25, 1, 1};
		double		features[16];
		double		out[8];

		buffer_init(&bytes);
		CHECK_OK(example_models[i] (&bytes, &error) && model_open(&model, bytes.data, bytes.size, &error), &error);
		CHECK_OK(model_predict(&model, raw, features, out, &error), &error);

		double		total = 0;
		double		margins[8];

		for (uint32_t k = 0; k < model.n_outputs; k++)
		{
			Explainer  *explainer = explainer_create(&model, k, NULL, &error);
			double		contributions[4];

			if (!CHECK_OK(explainer != NULL, &error))
				return;
			explain_row(explainer, features, contributions);
			margins[k] = explainer_base(explainer);
			for (uint32_t c = 0; c < model.n_columns; c++)
				margins[k] += contributions[c];
			total += exp(margins[k]);
			explainer_free(explainer);
		}
		for (uint32_t k = 0; k < model.n_outputs; k++)
		{
			bool		softmax = model_has_trees(&model) ? tree_payload(&model)->link == LINK_SOFTMAX
				: ((const LinearPayload *) model.payload)->link == LINEAR_SOFTMAX;
			bool		logistic = model_has_trees(&model) ? tree_payload(&model)->link == LINK_LOGISTIC
				: ((const LinearPayload *) model.payload)->link == LINEAR_LOGISTIC;

			CHECK_NEAR(softmax ? exp(margins[k]) / total : logistic ? 1 / (1 + exp(-margins[k])) : margins[k], out[k], 1e-14);
		}
		buffer_free(&bytes);
	}
}

/* Exact to degree 2n - 1, and beyond as close as paths with many features need. */
static void
test_quadrature(void)
{
	for (uint32_t n = 1; n <= 64; n++)
	{
		double		nodes[64];
		double		weights[64];

		quadrature_points(n, nodes, weights);
		for (uint32_t degree = 0; degree < 2 * n; degree++)
		{
			double		sum = 0;

			for (uint32_t k = 0; k < n; k++)
				sum += weights[k] * pow(nodes[k], degree);
			CHECK_NEAR(sum, 1.0 / (degree + 1), 1e-14);
		}
		for (uint32_t k = 0; k < n; k++)
			CHECK(nodes[k] > 0 && nodes[k] < 1 && weights[k] > 0 && (k == 0 || nodes[k] > nodes[k - 1]));
	}
}

int
main(void)
{
	test_columns();
	test_depths();
	test_outputs();
	test_sizes();
	test_vectors();
	test_hostile_covers();
	test_linear();
	test_examples();
	test_quadrature();
	return check_done();
}
