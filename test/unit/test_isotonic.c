/*
 * test_isotonic.c
 *		Isotonic regression against a published vector, scikit-learn, and what it promises.
 */
#include "check.h"
#include "core/hash.h"
#include "core/statistics/isotonic.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* Ten rows whose means are known, and what lies outside them. */
static void
golden(void)
{
	static const double x[] = {.1, .2, .3, .4, .5, .6, .7, .8, .9, 1};
	static const double y[] = {0, 0, 1, 0, 0, 1, 1, 0, 1, 1};
	static const double expected[] = {0, 0, 1. / 3, 1. / 3, 1. / 3, 2. / 3, 2. / 3, 2. / 3, 1, 1};
	Isotonic	fit;
	Arena		arena;
	Error		error;

	arena_init(&arena);
	if (CHECK_OK(isotonic_fit(&fit, N(x), x, y, NULL, &arena, &error), &error))
	{
		CHECK(fit.n == 8);
		for (size_t i = 0; i < N(x); i++)
			CHECK_NEAR(isotonic_value(&fit, x[i]), expected[i], 1e-15);
		CHECK_SAME(isotonic_value(&fit, 0), 0);
		CHECK_SAME(isotonic_value(&fit, 2), 1);
		CHECK_SAME(isotonic_value(&fit, -INFINITY), 0);
		CHECK_NEAR(isotonic_value(&fit, .25), 1. / 6, 1e-15);
		CHECK(isnan(isotonic_value(&fit, NAN)));
	}
	arena_free(&arena);
}

/* Weights and ties, out of order; figures of scikit-learn 1.9's IsotonicRegression(out_of_bounds="clip"). */
static void
weights_and_ties(void)
{
	static const double x[] = {3, 1, 2, 2, 5, 4, 3, 9};
	static const double y[] = {1, 0, 1, 0, 0, 1, 0, 7};
	static const double weight[] = {1, 2, 1, 3, .5, 2, 1, 0};
	static const double at[] = {1, 1.5, 2, 2.5, 3, 3.75, 4, 5, 8};
	static const double expected[] = {0, .125, .25, .375, .5, .725, .8, .8, .8};
	Isotonic	fit;
	Arena		arena;
	Error		error;

	arena_init(&arena);
	CHECK_OK(isotonic_fit(&fit, N(x), x, y, weight, &arena, &error), &error);
	for (size_t i = 0; i < N(at); i++)
		CHECK_NEAR(isotonic_value(&fit, at[i]), expected[i], 1e-15);
	CHECK_ERROR(isotonic_fit(&fit, 0, x, y, NULL, &arena, &error), &error, ERROR_DATA, "needs rows");
	CHECK_ERROR(isotonic_fit(&fit, 1, x + 7, y + 7, weight + 7, &arena, &error), &error, ERROR_DATA, "needs rows");
	arena_free(&arena);
}

/* Never falls, keeps the mean, is the same for any order of the rows, and is best. */
static void
promises(void)
{
	enum
	{
		n = 2000
	};
	static double x[n];
	static double y[n];
	static double x_back[n];
	static double y_back[n];
	double		sum = 0;
	double		sum_fitted = 0;
	Isotonic	fit;
	Isotonic	back;
	Arena		arena;
	Error		error;

	for (int i = 0; i < n; i++)
	{
		x[i] = (double) (hash64_mix(7 + 2 * (uint64_t) i) % 500) / 500;
		y[i] = (double) (hash64_mix(8 + 2 * (uint64_t) i) % 1000) / 1000 < x[i] * x[i];
		x_back[n - 1 - i] = x[i];
		y_back[n - 1 - i] = y[i];
	}
	arena_init(&arena);
	CHECK_OK(isotonic_fit(&fit, n, x, y, NULL, &arena, &error), &error);
	CHECK_OK(isotonic_fit(&back, n, x_back, y_back, NULL, &arena, &error), &error);
	for (uint32_t k = 1; k < fit.n; k++)
		CHECK(fit.x[k] > fit.x[k - 1] && fit.y[k] >= fit.y[k - 1]);
	CHECK(fit.n == back.n && memcmp(fit.x, back.x, fit.n * sizeof(double)) == 0 && fit.n > 4 && fit.n < 200);
	for (int i = 0; i < n; i++)
	{
		sum += y[i];
		sum_fitted += isotonic_value(&fit, x[i]);
	}
	CHECK_NEAR(sum_fitted, sum, 1e-9);

	/* best: else some block could be cut, its upper part raised and its lower part lowered */
	for (uint32_t k = 0; k < fit.n; k++)
	{
		double		lower = 0;

		for (int i = 0; i < n; i++)
		{
			if (isotonic_value(&fit, x[i]) == fit.y[k] && x[i] <= fit.x[k])
				lower += y[i] - fit.y[k];
		}
		CHECK(lower > -1e-9);
	}
	arena_free(&arena);
}

int
main(void)
{
	golden();
	weights_and_ties();
	promises();
	return check_done();
}
