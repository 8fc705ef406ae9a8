/*
 * objective_cases.h
 *		The objectives of regressions, and the rows on which they are compared with XGBoost's.
 */
#ifndef MLOPS_TEST_OBJECTIVE_CASES_H
#define MLOPS_TEST_OBJECTIVE_CASES_H

#include "boost_data.h"
#include "core/fit/trees/objective.h"
#include "fixtures/boosting.h"

/* ---- Losses by definition, of a prediction ---- */

static inline double
absolute_loss(double y, double m)
{
	return fabs(y - m);
}

static inline double
huber_loss(double y, double m)
{
	double		z = (m - y) / XGBOOST_DELTA;

	return XGBOOST_DELTA * XGBOOST_DELTA * (sqrt(1 + z * z) - 1);
}

static inline double
pinball_loss(double y, double m)
{
	return m > y ? (1 - XGBOOST_ALPHA) * (m - y) : XGBOOST_ALPHA * (y - m);
}

static inline double
poisson_loss(double y, double m)
{
	return 2 * ((y > 0 ? y * log(y / m) : 0) - (y - m));
}

static inline double
gamma_loss(double y, double m)
{
	return 2 * (log(m / y) + y / m - 1);
}

static inline double
tweedie_loss(double y, double m)
{
	double		p = XGBOOST_POWER;

	return 2 * (pow(y, 2 - p) / ((1 - p) * (2 - p)) - y * pow(m, 1 - p) / (1 - p) + pow(m, 2 - p) / (2 - p));
}

/* ---- The rows of the fixtures ---- */

static inline double
fixture_x(size_t row, uint32_t column)
{
	return floor(32 * boost_number(row, column)) / 32;
}

static inline double
fixture_signal(size_t row)
{
	return 0.5 + 2 * fixture_x(row, 0) + 3 * fixture_x(row, 1) * fixture_x(row, 2) + (fixture_x(row, 3) > 0.5);
}

static inline double
fixture_value(size_t row)
{
	return fixture_signal(row) * (0.25 + 1.5 * boost_number(row, 50));
}

static inline double
fixture_count(size_t row)
{
	return floor(fixture_signal(row) * 2 * boost_number(row, 50));
}

static inline double
fixture_claim(size_t row)
{
	double		u = boost_number(row, 50);

	return u < 0.3 ? 0 : fixture_signal(row) * u;
}

static inline double
fixture_weight(size_t row)
{
	return 0.5 + boost_number(row, 51);
}

/* Everything about an objective. */
typedef struct ObjectiveCase
{
	const char *name;
	ObjectiveId id;
	double		shape;			/* as ScoredRows have it */
	double		(*y) (size_t row);
	double		(*loss) (double y, double m);
	BoostParam	param;			/* its own */
	const double (*xgboost)[XGBOOST_ROUNDS];
	double		per_loss;		/* what the derivatives are multiplied by, against those of the loss shown */
	double		h_per_loss;		/* and the second ones; 0: none */
	double		limit;			/* least allowed target */
} ObjectiveCase;

static const ObjectiveCase cases[] = {
	{"squared_error", OBJECTIVE_SQUARED_ERROR, 0, fixture_value, NULL, {NULL, 0}, xgboost_squared_error, 0.5, 0.5, -INFINITY},
	{"absolute_error", OBJECTIVE_ABSOLUTE_ERROR, 0.5, fixture_value, absolute_loss, {NULL, 0}, xgboost_absolute_error, 1, 0, -INFINITY},
	{"huber", OBJECTIVE_HUBER, XGBOOST_DELTA, fixture_value, huber_loss, {"huber_delta", XGBOOST_DELTA}, xgboost_huber, 1, 1, -INFINITY},
	{"quantile", OBJECTIVE_QUANTILE, XGBOOST_ALPHA, fixture_value, pinball_loss, {"quantile_alpha", XGBOOST_ALPHA}, xgboost_quantile, 1, 0, -INFINITY},
	{"poisson", OBJECTIVE_POISSON, 2.0137527074704766, fixture_count, poisson_loss, {NULL, 0}, xgboost_poisson, 0.5, 0.5 * 2.0137527074704766, 0},
	{"gamma", OBJECTIVE_GAMMA, 0, fixture_value, gamma_loss, {NULL, 0}, xgboost_gamma, 0.5, 0.5, 0},
	{"tweedie", OBJECTIVE_TWEEDIE, XGBOOST_POWER, fixture_claim, tweedie_loss, {"tweedie_variance_power", XGBOOST_POWER}, xgboost_tweedie, 0.5, 0.5, 0}
};

#define N_CASES (sizeof(cases) / sizeof(cases[0]))

/* A fit as the fixtures have it. */
static inline BoostCase
fixture_case(const ObjectiveCase *c, bool weighted)
{
	return (BoostCase)
	{
		.task = TASK_REGRESSION,.n_rows = XGBOOST_ROWS,.n_columns = XGBOOST_COLUMNS,.x = fixture_x,.y = c->y,.loss = c->loss,
		.weight = weighted ? fixture_weight : NULL,.seed = 42,
		.words = {{"objective", c->name}},
		.params = {{"n_estimators", XGBOOST_ROUNDS}, {"learning_rate", 0.3}, {"max_depth", 4}, c->param}
	};
}

#endif
