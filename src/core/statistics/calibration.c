/*
 * calibration.c
 *		Whether probabilities mean what they say, and making them do so.
 */
#include "calibration.h"

#include <string.h>

#include "distance.h"
#include "../hash.h"
#include "performance.h"
#include "performance_internal.h"
#include "../sort.h"

#define PROBABILITY_LEAST 1e-6	/* of log odds */
#define NEWTON_STEPS 50
#define DEVIATIONS 4
#define SPLITS 10
#define AREA_MOST .999

/* Rows by their probabilities, ascending. */
typedef struct SortedRows
{
	size_t		n;
	const SortItem *items;
	const double *truth;
	const double *probability;
	const double *weight;
} SortedRows;

static bool
sort_rows(SortedRows *rows, Arena *arena, Error *error)
{
	if (rows->n > UINT32_MAX)
		return error_set(error, ERROR_LIMIT, "%zu rows are too many to calibrate", rows->n);

	SortItem   *items = arena_alloc(arena, rows->n, sizeof(SortItem), error);
	SortItem   *spare = arena_alloc(arena, rows->n, sizeof(SortItem), error);

	if (items == NULL || spare == NULL)
		return false;
	for (size_t row = 0; row < rows->n; row++)
		items[row] = (SortItem) {sort_number_key(rows->probability[row]), (uint32_t) row, 0};
	sort_items(items, spare, rows->n);
	rows->items = items;
	return true;
}

/* Sums of one bin. */
typedef struct BinSums
{
	Sum			weight;
	Sum			probability;
	Sum			truth;
	Sum			variance;		/* of the sum of calibrated outcomes */
} BinSums;

/* Sums up the rows of one probability, from *i on; *i is then behind them. */
static BinSums
tie_sums(const SortedRows *rows, size_t *i)
{
	uint64_t	key = rows->items[*i].key;
	BinSums		sums = {0};

	for (; *i < rows->n && rows->items[*i].key == key; (*i)++)
	{
		size_t		row = rows->items[*i].index;
		double		weight = weight_of(rows->weight, row);
		double		p = rows->probability[row];

		sum_add(&sums.weight, weight);
		sum_add(&sums.probability, weight * p);
		sum_add(&sums.truth, weight * rows->truth[row]);
		sum_add(&sums.variance, weight * weight * p * (1 - p));
	}
	return sums;
}

/* Cuts the rows into bins: those of one probability go where the middle of their weight lies. */
static void
make_bins(BinSums *bins, const SortedRows *rows, double total)
{
	double		passed = 0;

	for (size_t i = 0; i < rows->n;)
	{
		BinSums		ties = tie_sums(rows, &i);
		double		weight = sum_value(ties.weight);
		int			bin = (int) fmin(CALIBRATION_BINS * ratio(passed + weight / 2, total), CALIBRATION_BINS - 1);

		sum_add(&bins[bin].weight, weight);
		sum_add(&bins[bin].probability, sum_value(ties.probability));
		sum_add(&bins[bin].truth, sum_value(ties.truth));
		sum_add(&bins[bin].variance, sum_value(ties.variance));
		passed += weight;
	}
}

/* The expected calibration error, what chance makes of it, and the test. */
static void
measure_bins(Calibration *calibration, const SortedRows *rows, double total)
{
	BinSums		bins[CALIBRATION_BINS] = {0};
	double		ece = 0;
	double		expected = 0;
	double		variance = 0;
	double		statistic = 0;
	int			freedom = 0;

	make_bins(bins, rows, total);
	for (int i = 0; i < CALIBRATION_BINS; i++)
	{
		double		weight = sum_value(bins[i].weight);
		double		gap = sum_value(bins[i].truth) - sum_value(bins[i].probability);
		double		chance = sum_value(bins[i].variance);

		if (weight == 0)
			continue;
		calibration->bins[calibration->n_bins++] =
			(CalibrationBin) {weight, sum_value(bins[i].probability) / weight, sum_value(bins[i].truth) / weight};
		ece += fabs(gap) / total;

		/* of a normal variable the absolute value has mean sqrt(2 / pi) and variance 1 - 2 / pi */
		expected += sqrt(2 / M_PI * chance) / total;
		variance += (1 - 2 / M_PI) * chance / (total * total);
		if (chance > 0)
		{
			statistic += gap * gap / chance;
			freedom++;
		}
		else if (gap != 0)
			statistic = INFINITY;
	}
	calibration->ece = total > 0 ? ece : NAN;
	calibration->ece_floor = total > 0 ? expected + DEVIATIONS * sqrt(variance) : NAN;
	calibration->p_value = total > 0 ? (isinf(statistic) ? 0 : chi2_upper(statistic, freedom)) : NAN;
}

/* ---- Slope and intercept ---- */

static double
log_odds(double p)
{
	p = p < PROBABILITY_LEAST ? PROBABILITY_LEAST : p > 1 - PROBABILITY_LEAST ? 1 - PROBABILITY_LEAST : p;
	return log(p / (1 - p));
}

/* The gradient of the log likelihood, and its negative second derivatives. */
typedef struct Newton
{
	double		gradient[2];	/* by intercept and slope */
	double		h00;
	double		h01;
	double		h11;
} Newton;

static Newton
newton_sums(const SortedRows *rows, double intercept, double slope)
{
	Newton		sums = {{0, 0}, 0, 0, 0};

	for (size_t i = 0; i < rows->n; i++)
	{
		size_t		row = rows->items[i].index;
		double		x = log_odds(rows->probability[row]);
		double		p = 1 / (1 + exp(-(intercept + slope * x)));
		double		weight = weight_of(rows->weight, row);
		double		rest = weight * (rows->truth[row] - p);
		double		h = weight * p * (1 - p);

		sums.gradient[0] += rest;
		sums.gradient[1] += rest * x;
		sums.h00 += h;
		sums.h01 += h * x;
		sums.h11 += h * x * x;
	}
	return sums;
}

/* Logistic regression of the outcomes on the log odds, by Newton's method from the calibrated answer. */
static void
fit_line(Calibration *calibration, const SortedRows *rows)
{
	double		intercept = 0;
	double		slope = 1;

	calibration->slope = calibration->intercept = calibration->slope_error = calibration->intercept_error = NAN;
	for (int step = 0; step < NEWTON_STEPS; step++)
	{
		Newton		sums = newton_sums(rows, intercept, slope);
		double		determinant = sums.h00 * sums.h11 - sums.h01 * sums.h01;

		/* nothing to find: all probabilities alike, or the fit runs off where they separate the outcomes */
		if (!(determinant > 1e-10 * sums.h00 * sums.h11) || fabs(slope) > 100 || fabs(intercept) > 100)
			return;

		double		by_intercept = (sums.h11 * sums.gradient[0] - sums.h01 * sums.gradient[1]) / determinant;
		double		by_slope = (sums.h00 * sums.gradient[1] - sums.h01 * sums.gradient[0]) / determinant;
		double		most = fmax(fabs(by_intercept), fabs(by_slope));
		double		damped = most > 2 ? 2 / most : 1;

		intercept += damped * by_intercept;
		slope += damped * by_slope;
		if (most < 1e-10)
		{
			calibration->slope = slope;
			calibration->intercept = intercept;
			calibration->slope_error = sqrt(sums.h00 / determinant);
			calibration->intercept_error = sqrt(sums.h11 / determinant);
			return;
		}
	}
}

bool
calibration_measure(Calibration *calibration, size_t n, const double *truth, const double *probability, const double *weight,
					Arena *arena, Error *error)
{
	SortedRows	rows = {.n = n,.truth = truth,.probability = probability,.weight = weight};
	Sum			total = {0};

	memset(calibration, 0, sizeof(*calibration));
	if (!sort_rows(&rows, arena, error))
		return false;
	for (size_t row = 0; row < n; row++)
		sum_add(&total, weight_of(weight, row));
	measure_bins(calibration, &rows, sum_value(total));
	fit_line(calibration, &rows);
	return true;
}

/* ---- Calibrating ---- */

/* Whether a row is left out of the fit of a split: by hash, so that the same rows give the same. */
static bool
left_out(uint64_t seed, int split, size_t row)
{
	return hash64_combine(hash64_combine(seed, (uint64_t) split), row) % SPLITS == 0;
}

/* Rows that the splits leave out, all together. */
static size_t
count_left_out(uint64_t seed, size_t n)
{
	size_t		count = 0;

	for (int split = 0; split < SPLITS; split++)
	{
		for (size_t row = 0; row < n; row++)
			count += left_out(seed, split, row);
	}
	return count;
}

/* What the rows left out say, one split behind the other. */
typedef struct LeftOut
{
	size_t		n;
	double	   *truth;
	double	   *score;
	double	   *fitted;
	double	   *weight;
} LeftOut;

static bool
left_out_init(LeftOut *out, size_t n, Arena *arena, Error *error)
{
	*out = (LeftOut) {
		.truth = arena_alloc(arena, n, sizeof(double), error),
		.score = arena_alloc(arena, n, sizeof(double), error),
		.fitted = arena_alloc(arena, n, sizeof(double), error),
		.weight = arena_alloc(arena, n, sizeof(double), error)
	};
	return out->truth != NULL && out->score != NULL && out->fitted != NULL && out->weight != NULL;
}

/* Fits all rows but those of one split, and adds what it says of these. */
static bool
fit_split(LeftOut *out, int split, size_t n, const double *truth, const double *score, const double *weight, double *kept_weight, uint64_t seed,
		  Error *error)
{
	Isotonic	fit;
	Arena		arena;
	double		kept = 0;

	for (size_t row = 0; row < n; row++)
	{
		kept_weight[row] = left_out(seed, split, row) ? 0 : weight_of(weight, row);
		kept += kept_weight[row];
	}
	if (kept == 0)
		return true;
	arena_init(&arena);

	bool		done = isotonic_fit(&fit, n, score, truth, kept_weight, &arena, error);

	for (size_t row = 0; done && row < n; row++)
	{
		if (!left_out(seed, split, row))
			continue;
		out->truth[out->n] = truth[row];
		out->score[out->n] = score[row];
		out->fitted[out->n] = isotonic_value(&fit, score[row]);
		out->weight[out->n++] = weight_of(weight, row);
	}
	arena_free(&arena);
	return done;
}

/* Whether a fit has anything to learn: both classes, and scores that do not tell them apart already. */
static bool
is_worth_fitting(bool *worth, size_t n, const double *truth, const double *score, const double *weight, Arena *arena, Error *error)
{
	BinaryRows	rows = {.n = n,.truth = truth,.predicted = truth,.score = score,.weight = weight};
	Performance ranking;

	if (!performance_ranking(&ranking, &rows, arena, error))
		return false;

	double		area = performance_find(&ranking, "roc_auc")->value;

	*worth = area <= AREA_MOST;	/* false for NaN: one class */
	return true;
}

bool
calibration_fit(Isotonic *fit, size_t n, const double *truth, const double *score, const double *weight, uint64_t seed,
				Arena *arena, Error *error)
{
	double	   *kept_weight = arena_alloc(arena, n, sizeof(double), error);
	Calibration raw;
	Calibration fitted;
	LeftOut		out;
	bool		worth;

	*fit = (Isotonic) {0};
	if (kept_weight == NULL || !is_worth_fitting(&worth, n, truth, score, weight, arena, error))
		return false;
	if (!worth)
		return true;
	if (!left_out_init(&out, count_left_out(seed, n), arena, error))
		return false;
	for (int split = 0; split < SPLITS; split++)
	{
		if (!fit_split(&out, split, n, truth, score, weight, kept_weight, seed, error))
			return false;
	}
	if (!calibration_measure(&raw, out.n, out.truth, out.score, out.weight, arena, error) ||
		!calibration_measure(&fitted, out.n, out.truth, out.fitted, out.weight, arena, error))
		return false;
	return !(fitted.ece < raw.ece) || isotonic_fit(fit, n, score, truth, weight, arena, error);
}
