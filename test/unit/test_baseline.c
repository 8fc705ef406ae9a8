/*
 * test_baseline.c
 *		The constant predictor: means and frequencies, weighted.
 */
#include "fit_case.h"

static const double x[] = {1, 2, 3, 4};
static const double weight[] = {1, 1, 1, 5};

static void
test_mean(void)
{
	static const double y[] = {1, 2, 3, 10};
	FitCase		test = {.algorithm = "baseline",.task = TASK_REGRESSION,.n_rows = 4,.n_columns = 1,.x = x,.y = y};
	Error		error;

	if (CHECK_OK(fit_case_run(&test, &error), &error))
	{
		CHECK(test.header.link == LINEAR_CONSTANT && test.header.n_scores == 1 && test.header.n_features == 0);
		CHECK_SAME(test.intercept[0], 4);
	}
	fit_case_free(&test);

	test.weight = weight;
	if (CHECK_OK(fit_case_run(&test, &error), &error))
		CHECK_SAME(test.intercept[0], 7);
	fit_case_free(&test);
}

static void
test_frequencies(void)
{
	static const double y[] = {0, 1, 1, 2};
	FitCase		test = {.algorithm = "baseline",.task = TASK_MULTICLASS,.n_classes = 3,.n_rows = 4,.n_columns = 1,.x = x,.y = y};
	Error		error;

	if (CHECK_OK(fit_case_run(&test, &error), &error))
	{
		CHECK(test.header.link == LINEAR_CONSTANT && test.header.n_scores == 3);
		CHECK_SAME(test.intercept[0], 0.25);
		CHECK_SAME(test.intercept[1], 0.5);
		CHECK_SAME(test.intercept[2], 0.25);
	}
	fit_case_free(&test);

	test.weight = weight;
	if (CHECK_OK(fit_case_run(&test, &error), &error))
	{
		CHECK_SAME(test.intercept[0], 0.125);
		CHECK_SAME(test.intercept[2], 0.625);
	}
	fit_case_free(&test);
}

int
main(void)
{
	test_mean();
	test_frequencies();
	return check_done();
}
