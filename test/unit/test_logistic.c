/*
 * test_logistic.c
 *		Logistic regression: against the optimum that scikit-learn finds, and itself.
 */
#include "fit_case.h"

#include "core/cpu.h"
#include "core/fit/linear/logistic.h"
#include "core/mathfun.h"
#include "fixtures/linear.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static double fixture_x[FIXTURE_ROWS * FIXTURE_COLUMNS];
static double fixture_binary[FIXTURE_ROWS];
static double fixture_classes[FIXTURE_ROWS];
static double fixture_weight[FIXTURE_ROWS];

/* The rows of make_linear.py. */
static void
make_fixture(void)
{
	for (size_t i = 0; i < FIXTURE_ROWS; i++)
	{
		double		u[12];
		double	   *x = fixture_x + i * FIXTURE_COLUMNS;

		for (size_t j = 0; j < 12; j++)
			u[j] = fixture_number(i, j);
		x[0] = 8 * u[0] - 4;
		x[1] = 8 * u[1] - 4;
		x[2] = 8 * u[2] - 4;
		x[3] = 1000 + u[3];
		x[4] = x[0] + 0.0625 * u[4];
		x[5] = u[5] < 0.125 ? 1 : 0;
		fixture_binary[i] = 0.75 * x[0] - 0.5 * x[1] + 0.5 * x[5] + 8 * (u[7] + u[8] - 1) > 0 ? 1 : 0;

		double		s = x[0] - 0.5 * x[1] + 8 * (u[9] - 0.5);

		fixture_classes[i] = s < -2 ? 0 : s < 2 ? 1 : 2;
		fixture_weight[i] = 1 + (int) (4 * u[10]) * 0.5;
	}
}

static FitCase
fixture_case(uint32_t n_classes, double reg_lambda, bool weighted)
{
	return (FitCase) {
		.algorithm = "logistic_regression",.task = n_classes == 2 ? TASK_BINARY : TASK_MULTICLASS,.n_classes = n_classes,
		.n_rows = FIXTURE_ROWS,.n_columns = FIXTURE_COLUMNS,.x = fixture_x,.y = n_classes == 2 ? fixture_binary : fixture_classes,
		.weight = weighted ? fixture_weight : NULL,.reg_lambda = reg_lambda
	};
}

static void
check_fixture(const char *name, uint32_t n_classes, double reg_lambda, bool weighted, const double *intercept, const double *weights)
{
	FitCase		test = fixture_case(n_classes, reg_lambda, weighted);
	uint32_t	n_scores = n_classes == 2 ? 1 : n_classes;
	Error		error;

	if (!CHECK_OK(fit_case_run(&test, &error), &error))
		return;

	double		distance = relative_distance(test.weights, weights, n_scores * FIXTURE_COLUMNS);
	double		shift = relative_distance(test.intercept, intercept, n_scores);

	printf("%s: |w - w'| / |w'| = %.1e, intercepts %.1e, %d steps\n", name, distance, shift, test.iterations);
	CHECK(test.header.link == (n_scores == 1 ? LINEAR_LOGISTIC : LINEAR_SOFTMAX));
	CHECK(test.header.n_scores == n_scores && test.header.n_features == FIXTURE_COLUMNS);
	CHECK(distance <= 1e-10);
	CHECK(shift <= 1e-10);
	CHECK(test.iterations >= 3 && test.iterations <= 15);
	CHECK(test.last_loss > 0 && test.last_loss < math_log(n_classes));
	CHECK_TEXT(test.notices, "");
	fit_case_free(&test);
}

/* Scores and weights of the classes sum to zero. */
static void
test_symmetric(void)
{
	FitCase		test = fixture_case(3, 1, false);
	Error		error;

	if (!CHECK_OK(fit_case_run(&test, &error), &error))
		return;
	CHECK_NEAR(test.intercept[0] + test.intercept[1] + test.intercept[2], 0, 1e-10);
	for (uint32_t j = 0; j < FIXTURE_COLUMNS; j++)
		CHECK_NEAR(test.weights[j] + test.weights[FIXTURE_COLUMNS + j] + test.weights[2 * FIXTURE_COLUMNS + j], 0, 1e-14);
	fit_case_free(&test);
}

static void
check_same(FitCase *a, FitCase *b)
{
	Error		error;

	fit_case_free(a);
	if (CHECK_OK(fit_case_run(a, &error), &error) && CHECK_OK(fit_case_run(b, &error), &error))
		CHECK(a->payload.size == b->payload.size && memcmp(a->payload.data, b->payload.data, a->payload.size) == 0);
	fit_case_free(a);
	fit_case_free(b);
}

/* One thread and several: the same bytes. */
static void
test_determinism(void)
{
	for (uint32_t n_classes = 2; n_classes <= 3; n_classes++)
	{
		FitCase		one = fixture_case(n_classes, 1, true);
		FitCase		three = one;

		three.n_threads = 3;
		check_same(&one, &three);

		/* whose memory each takes is announced (fit_case_fit() looks) */
		three.n_threads = 16;
		check_same(&one, &three);
	}
}

/* The widest vectors of this machine and the narrowest: the same bytes. */
static void
test_vector_widths(void)
{
	FitCase		wide = fixture_case(3, 1, true);
	FitCase		narrow = wide;
	Error		error;

	if (CHECK_OK(fit_case_run(&wide, &error), &error))
	{
		cpu_limit(CPU_PLAIN);
		if (CHECK_OK(fit_case_run(&narrow, &error), &error))
			CHECK(wide.payload.size == narrow.payload.size && memcmp(wide.payload.data, narrow.payload.data, wide.payload.size) == 0);
		cpu_limit(CPU_AVX512);
	}
	fit_case_free(&wide);
	fit_case_free(&narrow);
}

/* A softmax of two classes is a logistic regression at half the penalty: w = w1 - w0 with w1 = -w0, so lambda / 2 (w0^2 + w1^2) = lambda / 4 w^2. */
static void
test_two_classes(void)
{
	FitCase		binary = fixture_case(2, 0.5, false);
	FitCase		softmax = fixture_case(2, 1, false);
	Error		error;

	softmax.task = TASK_MULTICLASS;
	if (CHECK_OK(fit_case_run(&binary, &error), &error) && CHECK_OK(fit_case_run(&softmax, &error), &error))
	{
		CHECK(softmax.header.n_scores == 2);
		for (uint32_t j = 0; j < FIXTURE_COLUMNS; j++)
			CHECK_NEAR(softmax.weights[FIXTURE_COLUMNS + j] - softmax.weights[j], binary.weights[j], 1e-10);
		CHECK_NEAR(softmax.intercept[1] - softmax.intercept[0], binary.intercept[0], 1e-7);
	}
	fit_case_free(&binary);
	fit_case_free(&softmax);
}

/* Largest entry of the gradient of the objective at the model's coefficients, written out anew. */
static double
largest_gradient(const FitCase *test)
{
	uint32_t	n_scores = test->header.n_scores;
	uint32_t	n = test->n_columns + 1;
	double	   *gradient = calloc((size_t) n_scores * n, sizeof(double));
	double		largest = 0;

	for (size_t i = 0; i < test->n_rows; i++)
	{
		const double *x = test->x + i * test->n_columns;
		double		p[FIT_CASE_MAX_SCORES];
		double		sum = n_scores == 1 ? 1 : 0;

		for (uint32_t k = 0; k < n_scores; k++)
		{
			double		z = test->intercept[k];

			for (uint32_t j = 0; j < test->n_columns; j++)
				z += test->weights[k * test->n_columns + j] * x[j];
			p[k] = exp(z);
			sum += p[k];
		}
		for (uint32_t k = 0; k < n_scores; k++)
		{
			double		residual = p[k] / sum - (n_scores == 1 ? test->y[i] : test->y[i] == k);

			for (uint32_t j = 0; j < test->n_columns; j++)
				gradient[k * n + j] += residual * x[j];
			gradient[k * n + test->n_columns] += residual;
		}
	}
	for (uint32_t k = 0; k < n_scores; k++)
		for (uint32_t j = 0; j < n; j++)
		{
			double		penalty = j < test->n_columns ? test->reg_lambda * test->weights[k * test->n_columns + j] : 0;

			largest = fmax(largest, fabs(gradient[k * n + j] + penalty));
		}
	free(gradient);
	return largest;
}

/* So many rows that the fit starts at the optimum of some of them: it ends at that of all. */
static void
test_sampled_start(void)
{
	enum {ROWS = 70000, COLUMNS = 3};
	static double x[ROWS * COLUMNS];
	static double y[ROWS];

	for (uint32_t n_classes = 2; n_classes <= 3; n_classes++)
		for (int shape = 0; shape < 3; shape++)
		{
			FitCase		test = {
				.algorithm = "logistic_regression",.task = n_classes == 2 ? TASK_BINARY : TASK_MULTICLASS,.n_classes = n_classes,
				.n_rows = ROWS,.n_columns = COLUMNS,.x = x,.y = y,.reg_lambda = shape == 1 ? 0.5 : shape == 2 && n_classes == 3 ? 0.1 : 0
			};
			FitCase		threads;
			Error		error;

			/* the last shape: a class so rare that a sample may lack it, and a column that nearly tells it */
			for (size_t i = 0; i < ROWS; i++)
			{
				double		draw = fixture_number(i, 8);

				for (size_t j = 0; j < COLUMNS; j++)
					x[i * COLUMNS + j] = fixture_number(i, j) - 0.5;
				y[i] = floor(n_classes * (0.9 * draw + 0.1 * x[i * COLUMNS] + 0.05));
				if (shape == 2)
				{
					y[i] = i % 20000 == 7 ? n_classes - 1 : draw < 0.5 && n_classes == 3;
					x[i * COLUMNS + 1] = (y[i] == n_classes - 1) != (i % 30000 == 7);
				}
			}
			threads = test;
			threads.n_threads = 3;
			if (CHECK_OK(fit_case_run(&test, &error), &error))
			{
				printf("%d rows, %u classes: largest gradient %.1e, %d steps\n", ROWS, n_classes, largest_gradient(&test), test.iterations);
				CHECK(largest_gradient(&test) < 1e-7);
				CHECK(test.iterations <= (shape < 2 ? 4 : 20));
				CHECK_TEXT(test.notices, "");
			}
			check_same(&test, &threads);
		}
}

/* More unknowns than the direct method takes: conjugate gradients reach the optimum, too, with any number of threads. */
static void
check_iterative(uint32_t n_classes, uint32_t n_columns, size_t n_rows)
{
	double	   *x = malloc(n_rows * n_columns * sizeof(double));
	double	   *y = malloc(n_rows * sizeof(double));
	FitCase		test = {
		.algorithm = "logistic_regression",.task = n_classes == 2 ? TASK_BINARY : TASK_MULTICLASS,.n_classes = n_classes,
		.n_rows = n_rows,.n_columns = n_columns,.x = x,.y = y,.reg_lambda = 0.5
	};
	FitCase		threads;
	Error		error;

	for (size_t i = 0; i < n_rows; i++)
	{
		for (size_t j = 0; j < n_columns; j++)
			x[i * n_columns + j] = (double) (hash64_mix(i * n_columns + j + 1) >> 40) / 16777216.0 - 0.5;
		y[i] = (double) ((i + (size_t) (2 * fixture_number(i, 63))) % n_classes);
	}
	threads = test;
	threads.n_threads = 2;
	if (CHECK_OK(fit_case_run(&test, &error), &error))
	{
		uint32_t	n_unknowns = test.header.n_scores * (n_columns + 1);

		printf("%u unknowns: largest gradient %.1e, %d steps\n", n_unknowns, largest_gradient(&test), test.iterations);
		CHECK(n_unknowns > (n_classes == 2 ? LOGISTIC_DIRECT_ONE : LOGISTIC_DIRECT_SEVERAL));
		CHECK_TEXT(test.notices, "");
		CHECK(largest_gradient(&test) < 1e-9);
		CHECK(test.iterations <= 10);
	}
	check_same(&test, &threads);
	free(x);
	free(y);
}

/* Without a penalty: an optimum where there is one; else an error that names what separates. */
static void
test_separated(void)
{
	static double x[200];
	static double y[200];
	static const char *texts[200];
	FitCase		test = {
		.algorithm = "logistic_regression",.task = TASK_BINARY,.n_classes = 2,.n_rows = 200,.n_columns = 1,.x = x,.y = y,.reg_lambda = 0
	};
	Error		error;

	for (size_t i = 0; i < 200; i++)
	{
		x[i] = (double) i / 100 - 1;
		y[i] = i >= 100;
		texts[i] = i % 40 == 0 ? "rare" : i % 2 == 0 ? "even" : "odd";
	}
	CHECK_ERROR(fit_case_run(&test, &error), &error, ERROR_DATA, "separate");
	CHECK(strstr(error.detail, "\"x0\"") != NULL && strstr(error.hint, "reg_lambda") != NULL);
	fit_case_free(&test);

	/* All but one row on the right side: no separation any more. */
	y[150] = 0;
	if (CHECK_OK(fit_case_run(&test, &error), &error))
		CHECK(test.weights[0] > 0 && test.weights[0] < 100);
	fit_case_free(&test);

	/* Quasi-separation: a rare level that has one class only. */
	for (size_t i = 0; i < 200; i++)
		y[i] = i % 40 == 0 ? 1 : fixture_number(i, 0) < 0.5;
	test.texts = texts;
	CHECK_ERROR(fit_case_run(&test, &error), &error, ERROR_DATA, "\"t = rare\"");
	fit_case_free(&test);

	/* A penalty makes both solvable. */
	test.reg_lambda = 1e-3;
	if (CHECK_OK(fit_case_run(&test, &error), &error))
		CHECK(isfinite(test.weights[0]) && isfinite(test.intercept[0]));
	fit_case_free(&test);
}

/* Without a penalty, a reference level is left out silently, and copies of a column with a notice. */
static void
test_aliased(void)
{
	static double x[200 * 2];
	static double y[200];
	static const char *texts[200];
	FitCase		test = {
		.algorithm = "logistic_regression",.task = TASK_BINARY,.n_classes = 2,.n_rows = 200,.n_columns = 2,.x = x,.y = y,.texts = texts
	};
	Error		error;

	for (size_t i = 0; i < 200; i++)
	{
		x[2 * i] = fixture_number(i, 0);
		x[2 * i + 1] = 7 - 3 * x[2 * i];
		y[i] = fixture_number(i, 1) < 0.5;
		texts[i] = i % 3 == 0 ? "a" : "b";
	}
	for (uint32_t n_classes = 2; n_classes <= 3; n_classes++)
	{
		test.n_classes = n_classes;
		test.task = n_classes == 2 ? TASK_BINARY : TASK_MULTICLASS;
		for (size_t i = 0; i < 200 && n_classes == 3; i++)
			y[i] = (double) (int) (3 * fixture_number(i, 1));
		if (CHECK_OK(fit_case_run(&test, &error), &error))
		{
			CHECK(strstr(test.notices, "\"x") != NULL && strstr(test.notices, "\"t") == NULL);
			CHECK((test.weights[0] == 0) != (test.weights[1] == 0));
			CHECK(test.weights[2] != 0 && test.weights[3] == 0);
		}
		fit_case_free(&test);
	}
}

/* Features that say nothing: the frequencies. */
static void
test_no_features(void)
{
	static const double x[] = {1, 1, 1, 1, 1};
	static const double y[] = {0, 1, 1, 1, 1};
	FitCase		test = {
		.algorithm = "logistic_regression",.task = TASK_BINARY,.n_classes = 2,.n_rows = COUNT(y),.n_columns = 1,.x = x,.y = y,.reg_lambda = 1
	};
	Error		error;

	if (CHECK_OK(fit_case_run(&test, &error), &error))
	{
		CHECK_NEAR(test.intercept[0], log(4), 1e-15);
		CHECK(test.weights[0] == 0);
	}
	fit_case_free(&test);
}

/* Weights so small that the penalty alone decides are told; where there is none they make no difference. */
static void
test_small_weights(void)
{
	static const double penalties[] = {1, 0};
	static double small[FIXTURE_ROWS];

	for (size_t i = 0; i < FIXTURE_ROWS; i++)
		small[i] = fixture_weight[i] * 1e-300;
	for (int i = 0; i < 2; i++)
	{
		FitCase		test = fixture_case(2, penalties[i], true);
		FitCase		usual = fixture_case(2, penalties[i], true);
		Error		error;

		test.weight = small;
		if (!CHECK_OK(fit_case_run(&test, &error), &error) || !CHECK_OK(fit_case_run(&usual, &error), &error))
			return;
		CHECK_TEXT(usual.notices, "");
		CHECK((strstr(test.notices, "the penalty outweighs the rows") != NULL) == (penalties[i] > 0));
		CHECK((fabs(test.weights[0]) > 0.1) == (penalties[i] == 0));
		if (penalties[i] == 0)
			CHECK(relative_distance(test.weights, usual.weights, FIXTURE_COLUMNS) < 1e-6);
		fit_case_free(&test);
		fit_case_free(&usual);
	}
}

int
main(void)
{
	make_fixture();
	test_small_weights();
	check_fixture("binary", 2, 1, false, binary_intercept, binary_weights);
	check_fixture("binary, weighted", 2, 0.01, true, binary_weighted_intercept, binary_weighted_weights);
	check_fixture("softmax", 3, 1, false, softmax_intercept, softmax_weights);
	check_fixture("softmax, weighted", 3, 0.01, true, softmax_weighted_intercept, softmax_weighted_weights);
	test_symmetric();
	test_determinism();
	test_vector_widths();
	test_two_classes();
	check_iterative(40, 60, 400);
	check_iterative(2, 1060, 1500);
	test_sampled_start();
	test_separated();
	test_aliased();
	test_no_features();
	return check_done();
}
