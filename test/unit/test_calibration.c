/*
 * test_calibration.c
 *		Calibration: known answers, and what chance makes of it.
 */
#include "check.h"
#include "core/hash.h"
#include "core/statistics/calibration.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define ROWS 4000

static double truth[ROWS];
static double probability[ROWS];

static double
uniform(uint64_t seed)
{
	return (double) (hash64_mix(seed) >> 11) * 0x1p-53;
}

/* Outcomes whose log odds are intercept + slope times those of the probability. */
static void
make_rows(uint64_t seed, double intercept, double slope)
{
	for (size_t i = 0; i < ROWS; i++)
	{
		double		p = .02 + .96 * uniform(seed + 2 * i);

		probability[i] = p;
		truth[i] = uniform(seed + 2 * i + 1) < 1 / (1 + exp(-(intercept + slope * log(p / (1 - p)))));
	}
}

static Calibration
measure(size_t n, const double *truths, const double *probabilities, const double *weights)
{
	Calibration calibration = {0};
	Arena		arena;
	Error		error;

	arena_init(&arena);
	CHECK_OK(calibration_measure(&calibration, n, truths, probabilities, weights, &arena, &error), &error);
	arena_free(&arena);
	return calibration;
}

/* Few rows, by hand. */
static void
few_rows(void)
{
	static const double p[] = {.1, .1, .1, .1, .8, .8, .8, .8, .8, .8};
	static const double y[] = {0, 0, 0, 1, 1, 1, 0, 1, 0, 1};
	Calibration calibration = measure(N(p), y, p, NULL);
	Calibration halves = measure(N(p), y, p, (const double[]) {.5, .5, .5, .5, .5, .5, .5, .5, .5, .5});

	CHECK(calibration.n_bins == 2);
	CHECK_SAME(calibration.bins[0].weight, 4);
	CHECK_NEAR(calibration.bins[0].probability, .1, 1e-15);
	CHECK_NEAR(calibration.bins[0].share, .25, 1e-15);
	CHECK_NEAR(calibration.bins[1].share, 4. / 6, 1e-15);
	CHECK_NEAR(calibration.ece, .4 * .15 + .6 * (.8 - 4. / 6), 1e-12);
	CHECK_NEAR(calibration.p_value, exp(-(.36 / .36 + .64 / .96) / 2), 1e-12);

	/* two points: the line goes through both */
	double		low = log(.25 / .75);
	double		high = log((4. / 6) / (2. / 6));
	double		slope = (high - low) / (log(4) - log(1. / 9));

	CHECK_NEAR(calibration.slope, slope, 1e-9);
	CHECK_NEAR(calibration.intercept, high - slope * log(4), 1e-9);
	CHECK_NEAR(halves.slope, slope, 1e-9);
	CHECK_NEAR(halves.slope_error, calibration.slope_error * sqrt(2), 1e-9);
	CHECK_NEAR(halves.ece, calibration.ece, 1e-12);
}

/* Rows that do not define it. */
static void
not_defined(void)
{
	static const double p[] = {.2, .3, .4, .9};
	Calibration none = measure(0, p, p, NULL);
	Calibration alike = measure(4, (const double[]) {0, 1, 0, 1}, (const double[]) {.5, .5, .5, .5}, NULL);
	Calibration apart = measure(4, (const double[]) {0, 0, 1, 1}, p, NULL);
	Calibration certain = measure(2, (const double[]) {0, 1}, (const double[]) {1, 1}, NULL);

	CHECK(isnan(none.ece) && isnan(none.slope) && isnan(none.p_value) && none.n_bins == 0);
	CHECK(isnan(alike.slope) && isnan(alike.intercept) && alike.ece == 0 && alike.n_bins == 1);
	CHECK(isnan(apart.slope));
	CHECK_SAME(certain.ece, .5);
	CHECK_SAME(certain.p_value, 0);
}

/* Calibrated probabilities stay below the floor as often as they should, and p is spread evenly. */
static void
chance(void)
{
	int			above = 0;
	int			small = 0;
	int			slopes = 0;

	for (uint64_t sample = 0; sample < 400; sample++)
	{
		make_rows(sample << 20, 0, 1);

		Calibration calibration = measure(400, truth, probability, NULL);

		above += calibration.ece > calibration.ece_floor;
		small += calibration.p_value < .1;
		slopes += fabs(calibration.slope - 1) > 1.96 * calibration.slope_error;
	}
	CHECK(above <= 1);
	CHECK(small > 20 && small < 62);
	CHECK(slopes > 7 && slopes < 36);
}

/* A model that is too bold, and one that is off: found, measured, and mended by a fit. */
static void
miscalibrated(void)
{
	Calibration bold;
	Calibration off;
	Calibration mended;
	Isotonic	fit;
	Arena		arena;
	Error		error;
	double		fitted[ROWS];

	make_rows(UINT64_C(1) << 40, 0, .5);
	bold = measure(ROWS, truth, probability, NULL);
	CHECK_NEAR(bold.slope, .5, 3 * bold.slope_error);
	CHECK(bold.ece > bold.ece_floor && bold.p_value < 1e-6);
	make_rows(UINT64_C(1) << 41, 1, 1);
	off = measure(ROWS, truth, probability, NULL);
	CHECK_NEAR(off.intercept, 1, 3 * off.intercept_error);

	arena_init(&arena);
	CHECK_OK(calibration_fit(&fit, ROWS, truth, probability, NULL, 42, &arena, &error), &error);
	CHECK(fit.n > 0);
	make_rows(UINT64_C(1) << 42, 1, 1);
	for (int i = 0; i < ROWS; i++)
		fitted[i] = isotonic_value(&fit, probability[i]);
	mended = measure(ROWS, truth, fitted, NULL);
	CHECK(mended.ece < off.ece / 2);
	arena_free(&arena);
}

/* No fit where there is nothing to mend or nothing to learn from. */
static void
not_fitted(void)
{
	static const double ones[] = {1, 1, 1};
	Isotonic	fit;
	Arena		arena;
	Error		error;

	arena_init(&arena);
	make_rows(UINT64_C(1) << 43, 0, 1);
	CHECK_OK(calibration_fit(&fit, ROWS, truth, probability, NULL, 42, &arena, &error), &error);
	CHECK(fit.n == 0);
	CHECK_OK(calibration_fit(&fit, 3, ones, probability, NULL, 42, &arena, &error), &error);
	CHECK(fit.n == 0);
	CHECK_OK(calibration_fit(&fit, 0, NULL, NULL, NULL, 42, &arena, &error), &error);
	CHECK(fit.n == 0);
	for (int i = 0; i < ROWS; i++)
		truth[i] = probability[i] > .5;
	CHECK_OK(calibration_fit(&fit, ROWS, truth, probability, NULL, 42, &arena, &error), &error);
	CHECK(fit.n == 0);
	arena_free(&arena);
}

int
main(void)
{
	few_rows();
	not_defined();
	chance();
	miscalibrated();
	not_fitted();
	return check_done();
}
