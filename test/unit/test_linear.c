/*
 * test_linear.c
 *		Least squares: against scikit-learn, NIST's certified values, and itself.
 */
#include "fit_case.h"

#include "core/cpu.h"

#include "fixtures/linear.h"
#include "fixtures/nist.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static double fixture_x[FIXTURE_ROWS * FIXTURE_COLUMNS];
static double fixture_y[FIXTURE_ROWS];
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
		fixture_y[i] = 2 * x[0] - 3 * x[1] + 0.5 * x[2] + 0.25 * x[3] + x[5] + 4 * (u[6] - 0.5);
		fixture_weight[i] = 1 + (int) (4 * u[10]) * 0.5;
	}
}

static FitCase
fixture_case(double reg_lambda, bool weighted)
{
	return (FitCase) {
		.algorithm = "linear_regression",.task = TASK_REGRESSION,.n_rows = FIXTURE_ROWS,.n_columns = FIXTURE_COLUMNS,
		.x = fixture_x,.y = fixture_y,.weight = weighted ? fixture_weight : NULL,.reg_lambda = reg_lambda
	};
}

/* Coefficients as scikit-learn's. */
static void
check_fixture(const char *name, double reg_lambda, bool weighted, const double *intercept, const double *weights)
{
	FitCase		test = fixture_case(reg_lambda, weighted);
	Error		error;

	if (!CHECK_OK(fit_case_run(&test, &error), &error))
		return;

	double		distance = relative_distance(test.weights, weights, FIXTURE_COLUMNS);

	printf("%s: |w - w'| / |w'| = %.1e, intercept %.1e\n", name, distance, fabs(test.intercept[0] / intercept[0] - 1));
	CHECK(test.header.link == LINEAR_IDENTITY && test.header.n_scores == 1 && test.header.n_features == FIXTURE_COLUMNS);
	CHECK(distance <= 1e-11);
	CHECK_NEAR(test.intercept[0] / intercept[0], 1, 1e-11);
	CHECK_TEXT(test.notices, "");
	fit_case_free(&test);
}

/* Correct decimal digits of the worst coefficient (log relative error, as NIST defines it). */
static double
worst_digits(const FitCase *test, const double *certified)
{
	double		worst = fabs(test->intercept[0] - certified[0]) / fabs(certified[0]);

	for (uint32_t j = 0; j < test->n_columns; j++)
		worst = fmax(worst, fabs(test->weights[j] - certified[j + 1]) / fabs(certified[j + 1]));
	return worst > 0 ? fmin(15, -log10(worst)) : 15;
}

static void
check_nist(const char *name, size_t n_rows, uint32_t n_columns, const double *x, const double *y, const double *certified, double digits)
{
	FitCase		test = {
		.algorithm = "linear_regression",.task = TASK_REGRESSION,.n_rows = n_rows,.n_columns = n_columns,.x = x,.y = y
	};
	Error		error;

	if (!CHECK_OK(fit_case_run(&test, &error), &error))
		return;

	double		reached = worst_digits(&test, certified);

	printf("%s: %.1f digits\n", name, reached);
	if (!CHECK(reached >= digits))
		printf("\t%s: %.2f digits, not %.1f; %s\n", name, reached, digits, test.notices);
	CHECK_TEXT(test.notices, "");
	fit_case_free(&test);
}

/* A polynomial in x, by its powers. */
static void
check_polynomial(const char *name, size_t n_rows, uint32_t degree, const double *x, const double *y, const double *certified, double digits)
{
	double		powers[82 * 10];

	for (size_t i = 0; i < n_rows; i++)
		for (uint32_t j = 0; j < degree; j++)
			powers[i * degree + j] = (j == 0 ? 1 : powers[i * degree + j - 1]) * x[i];
	check_nist(name, n_rows, degree, powers, y, certified, digits);
}

static void
test_nist(void)
{
	check_nist("Norris", COUNT(norris_y), 1, norris_x, norris_y, norris_certified, 12);
	check_nist("Longley", COUNT(longley_y), 6, longley_x, longley_y, longley_certified, 11);
	check_polynomial("Pontius", COUNT(pontius_y), 2, pontius_x, pontius_y, pontius_certified, 11);
	check_polynomial("Filip", COUNT(filip_y), 10, filip_x, filip_y, filip_certified, 7);
	check_polynomial("Wampler1", COUNT(wampler1_y), 5, wampler_x, wampler1_y, wampler_ones_certified, 9);
	check_polynomial("Wampler2", COUNT(wampler2_y), 5, wampler_x, wampler2_y, wampler2_certified, 11);
	check_polynomial("Wampler3", COUNT(wampler3_y), 5, wampler_x, wampler3_y, wampler_ones_certified, 9);
	check_polynomial("Wampler4", COUNT(wampler4_y), 5, wampler_x, wampler4_y, wampler_ones_certified, 7);
	check_polynomial("Wampler5", COUNT(wampler5_y), 5, wampler_x, wampler5_y, wampler_ones_certified, 5);
}

/* One thread and several: the same bytes; and rows in another order. */
static void
test_determinism(void)
{
	static double x[FIXTURE_ROWS * FIXTURE_COLUMNS];
	static double y[FIXTURE_ROWS];
	FitCase		one = fixture_case(1, false);
	FitCase		three = fixture_case(1, false);
	FitCase		reversed = fixture_case(1, false);
	Error		error;

	for (size_t i = 0; i < FIXTURE_ROWS; i++)
	{
		memcpy(x + i * FIXTURE_COLUMNS, fixture_x + (FIXTURE_ROWS - 1 - i) * FIXTURE_COLUMNS, FIXTURE_COLUMNS * sizeof(double));
		y[i] = fixture_y[FIXTURE_ROWS - 1 - i];
	}
	three.n_threads = 3;
	reversed.n_threads = 2;
	reversed.x = x;
	reversed.y = y;
	if (CHECK_OK(fit_case_run(&one, &error), &error) && CHECK_OK(fit_case_run(&three, &error), &error) &&
		CHECK_OK(fit_case_run(&reversed, &error), &error))
	{
		CHECK(one.payload.size == three.payload.size && memcmp(one.payload.data, three.payload.data, one.payload.size) == 0);
		CHECK(one.payload.size == reversed.payload.size && memcmp(one.payload.data, reversed.payload.data, one.payload.size) == 0);
	}
	fit_case_free(&one);
	fit_case_free(&three);
	fit_case_free(&reversed);
}

/* The widest vectors of this machine and the narrowest: the same bytes. */
static void
test_vector_widths(void)
{
	FitCase		wide = fixture_case(1, true);
	FitCase		narrow = fixture_case(1, true);
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

/* A column that is a sum of others gets 0 and a notice; predictions are those without it. */
static void
test_aliased(void)
{
	static double x[FIXTURE_ROWS * 3];
	static double two[FIXTURE_ROWS * 2];
	FitCase		aliased = {
		.algorithm = "linear_regression",.task = TASK_REGRESSION,.n_rows = FIXTURE_ROWS,.n_columns = 3,.x = x,.y = fixture_y
	};
	FitCase		plain = aliased;
	Error		error;

	for (size_t i = 0; i < FIXTURE_ROWS; i++)
	{
		two[2 * i] = x[3 * i] = fixture_x[i * FIXTURE_COLUMNS];
		two[2 * i + 1] = x[3 * i + 1] = fixture_x[i * FIXTURE_COLUMNS + 1];
		x[3 * i + 2] = 100 + x[3 * i] - 2 * x[3 * i + 1];
	}
	plain.n_columns = 2;
	plain.x = two;
	if (!CHECK_OK(fit_case_run(&aliased, &error), &error) || !CHECK_OK(fit_case_run(&plain, &error), &error))
		return;
	CHECK(strstr(aliased.notices, "coefficient 0: \"x") != NULL);

	int			zeros = 0;

	for (uint32_t j = 0; j < 3; j++)
		zeros += aliased.weights[j] == 0;
	CHECK(zeros == 1);
	for (size_t i = 0; i < 10; i++)
	{
		double		a = aliased.intercept[0];
		double		b = plain.intercept[0];

		for (uint32_t j = 0; j < 3; j++)
			a += aliased.weights[j] * x[3 * i + j];
		for (uint32_t j = 0; j < 2; j++)
			b += plain.weights[j] * two[2 * i + j];
		CHECK_NEAR(a, b, 1e-9);
	}
	fit_case_free(&aliased);
	fit_case_free(&plain);

	/* A penalty decides between them, and nothing is left out. */
	aliased.reg_lambda = 1;
	if (CHECK_OK(fit_case_run(&aliased, &error), &error))
	{
		CHECK_TEXT(aliased.notices, "");
		for (uint32_t j = 0; j < 3; j++)
			CHECK(aliased.weights[j] != 0);
	}
	fit_case_free(&aliased);
}

/* The levels of a category and the intercept determine each other: the most frequent level is the reference, silently. */
static void
test_reference_level(void)
{
	static const char *texts[] = {"a", "b", "b", "c", "b", "a", "c", "c", "b"};
	static const double y[] = {1, 5, 7, 10, 6, 3, 11, 12, 6};
	FitCase		test = {.algorithm = "linear_regression",.task = TASK_REGRESSION,.n_rows = COUNT(y),.y = y,.texts = texts};
	Error		error;

	if (!CHECK_OK(fit_case_run(&test, &error), &error))
		return;
	CHECK_TEXT(test.notices, "");
	CHECK(test.weights[1] == 0);
	CHECK_NEAR(test.intercept[0], 6, 1e-13);
	CHECK_NEAR(test.intercept[0] + test.weights[0], 2, 1e-13);
	CHECK_NEAR(test.intercept[0] + test.weights[2], 11, 1e-13);
	fit_case_free(&test);
}

/* More features than rows: the rows are met, and what cannot be known is 0. */
static void
test_wide(void)
{
	FitCase		test = fixture_case(0, false);
	Error		error;

	test.n_rows = 4;
	if (!CHECK_OK(fit_case_run(&test, &error), &error))
		return;
	CHECK(strstr(test.notices, "coefficient 0") != NULL);
	for (size_t i = 0; i < 4; i++)
	{
		double		prediction = test.intercept[0];

		for (uint32_t j = 0; j < FIXTURE_COLUMNS; j++)
			prediction += test.weights[j] * fixture_x[i * FIXTURE_COLUMNS + j];
		CHECK_NEAR(prediction, fixture_y[i], 1e-9);
	}
	fit_case_free(&test);
}

static void
test_edges(void)
{
	static const double constant[] = {5, 5, 5, 5};
	static const double infinite[] = {1, 2, INFINITY, 4};
	static const double y[] = {1, 2, 3, 6};
	FitCase		test = {.algorithm = "linear_regression",.task = TASK_REGRESSION,.n_rows = 4,.n_columns = 1,.x = constant,.y = y};
	Error		error;

	if (CHECK_OK(fit_case_run(&test, &error), &error))
	{
		CHECK(test.weights[0] == 0);
		CHECK_NEAR(test.intercept[0], 3, 1e-15);
	}
	fit_case_free(&test);
	test.x = infinite;
	CHECK_ERROR(fit_case_run(&test, &error), &error, ERROR_DATA, "\"x0\"");
	fit_case_free(&test);
}

int
main(void)
{
	make_fixture();
	check_fixture("least squares", 0, false, ols_intercept, ols_weights);
	check_fixture("least squares, weighted", 0, true, ols_weighted_intercept, ols_weighted_weights);
	check_fixture("ridge", 10, false, ridge_intercept, ridge_weights);
	check_fixture("ridge, weighted", 10, true, ridge_weighted_intercept, ridge_weighted_weights);
	test_nist();
	test_determinism();
	test_vector_widths();
	test_aliased();
	test_reference_level();
	test_wide();
	test_edges();
	return check_done();
}
