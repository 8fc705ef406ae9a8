/*
 * test_objectives.c
 *		Objectives of gradient boosting: derivatives, quantiles, whole fits beside XGBoost's, what is refused.
 */
#include <stdlib.h>

#include "boost_data.h"
#include "core/fit/objective.h"
#include "core/fit/quantile.h"
#include "fixtures/boosting.h"

/* How far losses may lie from XGBoost's, relative to them; its quantiles of rows without weights are interpolated. */
#define TOLERANCE 1e-5
#define TOLERANCE_INTERPOLATED 1e-2

/* ---- Losses by definition, of a prediction ---- */

static double
absolute_loss(double y, double m)
{
	return fabs(y - m);
}

static double
huber_loss(double y, double m)
{
	double		z = (m - y) / XGBOOST_DELTA;

	return XGBOOST_DELTA * XGBOOST_DELTA * (sqrt(1 + z * z) - 1);
}

static double
pinball_loss(double y, double m)
{
	return m > y ? (1 - XGBOOST_ALPHA) * (m - y) : XGBOOST_ALPHA * (y - m);
}

static double
poisson_loss(double y, double m)
{
	return 2 * ((y > 0 ? y * log(y / m) : 0) - (y - m));
}

static double
gamma_loss(double y, double m)
{
	return 2 * (log(m / y) + y / m - 1);
}

static double
tweedie_loss(double y, double m)
{
	double		p = XGBOOST_POWER;

	return 2 * (pow(y, 2 - p) / ((1 - p) * (2 - p)) - y * pow(m, 1 - p) / (1 - p) + pow(m, 2 - p) / (2 - p));
}

/* ---- The rows of the fixtures ---- */

static double
fixture_x(size_t row, uint32_t column)
{
	return floor(32 * boost_number(row, column)) / 32;
}

static double
fixture_signal(size_t row)
{
	return 0.5 + 2 * fixture_x(row, 0) + 3 * fixture_x(row, 1) * fixture_x(row, 2) + (fixture_x(row, 3) > 0.5);
}

static double
fixture_value(size_t row)
{
	return fixture_signal(row) * (0.25 + 1.5 * boost_number(row, 50));
}

static double
fixture_count(size_t row)
{
	return floor(fixture_signal(row) * 2 * boost_number(row, 50));
}

static double
fixture_claim(size_t row)
{
	double		u = boost_number(row, 50);

	return u < 0.3 ? 0 : fixture_signal(row) * u;
}

static double
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
static BoostCase
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

/* ---- Derivatives ---- */

/* Against differences of the loss that is shown. */
static void
test_derivatives(void)
{
	for (size_t k = 0; k < N_CASES; k++)
	{
		const ObjectiveCase *c = &cases[k];
		const Objective *objective = objective_find(c->id, TASK_REGRESSION);
		double		base;
		float		score;
		double		target;
		ScoredRows	row = {.n = 1,.n_groups = 1,.target = &target,.base = &base,.tree_scores = &score,.shape = c->shape};

		CHECK_TEXT(objective->name, c->name);
		for (uint64_t round = 0; round < 300; round++)
		{
			double		losses[3];
			double		middle = 4 * boost_number(round, 1) - 2;
			double		step = 1e-3;
			float		g;
			float		h;

			score = (float) (2 * boost_number(round, 2) - 1);
			target = c->limit == 0 ? floor(8 * boost_number(round, 3)) + (c->id == OBJECTIVE_GAMMA) : 8 * boost_number(round, 3) - 4;
			if (fabs(middle + (double) score - target) < 2 * step)
				continue;
			for (int s = 0; s < 3; s++)
			{
				base = middle + (s - 1) * step;
				objective->losses(&row, 0, 1, &losses[s]);
			}
			base = middle;
			objective->gradients(&row, 0, 0, 1, &g, &h);

			double		first = (losses[2] - losses[0]) / (2 * step) * c->per_loss;
			double		second = (losses[2] - 2 * losses[1] + losses[0]) / (step * step) * c->h_per_loss;

			CHECK_NEAR((double) g, first, 1e-5 * fmax(1, fabs(first)));
			CHECK_NEAR((double) h, c->h_per_loss == 0 ? 1 : second, 1e-5 * fmax(1, fabs(second)));
			if (c->loss != NULL)
			{
				double		m = objective->link == LINK_LOG ? exp(middle + (double) score) : middle + (double) score;

				CHECK_NEAR(losses[1], c->loss(target, m), 1e-9 * fmax(1, losses[1]));
			}
		}
	}
}

/* Scores and targets at the ends of what there is give finite numbers. */
static void
test_extreme_derivatives(void)
{
	static const float scores[] = {0, 1e30f, -1e30f, 800, -800, 50, -50};
	static const double targets[] = {0, 1e-300, 1, 1e14};

	for (size_t k = 0; k < N_CASES; k++)
	{
		const Objective *objective = objective_find(cases[k].id, TASK_REGRESSION);

		for (size_t s = 0; s < sizeof(scores) / sizeof(scores[0]); s++)
		{
			for (size_t t = objective->lowest_open; t < sizeof(targets) / sizeof(targets[0]); t++)
			{
				double		base = 0;
				float		score = scores[s];
				ScoredRows	row = {.n = 1,.n_groups = 1,.target = &targets[t],.base = &base,.tree_scores = &score,.shape = cases[k].shape};
				float		g;
				float		h;

				objective->gradients(&row, 0, 0, 1, &g, &h);
				CHECK(isfinite(g) && isfinite(h) && h >= 0);
			}
		}
	}
}

/* ---- Quantiles ---- */

static int
compare_items(const void *a, const void *b)
{
	double		x = ((const QuantileItem *) a)->value;
	double		y = ((const QuantileItem *) b)->value;

	return x < y ? -1 : x > y;
}

/* By sorting. */
static double
sorted_quantile(QuantileItem *items, size_t n, double share)
{
	double		whole = 0;
	double		sum = 0;

	qsort(items, n, sizeof(QuantileItem), compare_items);
	for (size_t i = 0; i < n; i++)
		whole += items[i].weight;
	for (size_t i = 0; i < n; i++)
	{
		sum += items[i].weight;
		if ((i + 1 < n && items[i + 1].value == items[i].value) || sum < share * whole)
			continue;
		return sum == share * whole && i + 1 < n ? (items[i].value + items[i + 1].value) / 2 : items[i].value;
	}
	return NAN;
}

static void
test_quantiles(void)
{
	static QuantileItem items[500];
	static QuantileItem sorted[500];
	static const double shares[] = {0.5, 0.25, 0.1, 0.9, 0.001, 0.999, 0.75};

	for (uint64_t round = 0; round < 700; round++)
	{
		size_t		n = 1 + (size_t) (boost_number(round, 0) * (round % 2 ? 20 : 500));
		double		range = round % 3 == 0 ? 5 : 1e6;

		for (size_t i = 0; i < n; i++)
		{
			items[i].value = floor(range * boost_number(round, i + 10)) - range / 2;
			items[i].weight = round % 4 == 0 ? 1 + floor(3 * boost_number(round, i + 1000)) : 1;
		}
		memcpy(sorted, items, sizeof(items));
		CHECK_SAME(weighted_quantile(items, n, shares[round % 7]), sorted_quantile(sorted, n, shares[round % 7]));
	}

	QuantileItem two[2] = {{1, 1}, {4, 1}};

	CHECK_SAME(weighted_quantile(two, 2, 0.5), 2.5);
	CHECK_SAME(weighted_quantile(two, 2, 0.6), 4);
	CHECK_SAME(weighted_quantile(two, 1, 0.6), two[0].value);
}

/* ---- Whole fits ---- */

static void
test_xgboost(void)
{
	for (size_t k = 0; k < N_CASES; k++)
	{
		for (int weighted = 0; weighted < 2; weighted++)
		{
			BoostCase	test = fixture_case(&cases[k], weighted);
			const double *wanted = cases[k].xgboost[weighted];
			double		tolerance = cases[k].id == OBJECTIVE_QUANTILE && !weighted ? TOLERANCE_INTERPOLATED : TOLERANCE;
			double		furthest = 0;
			Error		error;

			if (!CHECK_OK(boost_case_run(&test, &error), &error))
				return;
			CHECK(test.n_losses == XGBOOST_ROUNDS);
			for (int i = 0; i < test.n_losses; i++)
			{
				CHECK_NEAR(test.train_losses[i], wanted[i], tolerance * wanted[i]);
				furthest = fmax(furthest, fabs(test.train_losses[i] / wanted[i] - 1));
			}
			printf("%s%s: losses within %.1e of XGBoost's\n", cases[k].name, weighted ? ", weighted" : "", furthest);
			CHECK_NEAR(test.train_losses[test.n_losses - 1], test.train_loss, 1e-5 * test.train_loss);
			boost_case_free(&test);
		}
	}
}

static double
fixture_yes(size_t row)
{
	return fixture_signal(row) * boost_number(row, 50) > 1.5;
}

/* Rules beside the objective, always with weights. */
static void
test_xgboost_rules(void)
{
	static const struct
	{
		const char *name;
		int			c;			/* index in cases; -1: logistic */
		const double *xgboost;
		BoostParam	params[3];
		BoostWord	word;
		BoostMap	map;
	}			rules[] = {
		{"monotone", 0, xgboost_with_monotone, {{NULL, 0}}, {NULL, NULL}, {"monotone_constraints", 2, {{"x0", -1}, {"x2", 1}}}},
		{"monotone, steps", 5, xgboost_with_monotone_steps, {{"max_delta_step", 0.4}}, {NULL, NULL},
		{"monotone_constraints", 4, {{"x0", 1}, {"x1", -1}, {"x2", 1}, {"x3", 1}}}},
		{"steps", 0, xgboost_with_steps, {{"max_delta_step", 0.5}, {"reg_lambda", 3}}, {NULL, NULL}, {NULL, 0, {{NULL, 0}}}},
		{"poisson, steps", 4, xgboost_with_poisson_steps, {{"max_delta_step", 0.2}}, {NULL, NULL}, {NULL, 0, {{NULL, 0}}}},
		{"base", 0, xgboost_with_base, {{"base_score", 3.5}}, {NULL, NULL}, {NULL, 0, {{NULL, 0}}}},
		{"poisson, base", 4, xgboost_with_poisson_base, {{"base_score", 5}}, {NULL, NULL}, {NULL, 0, {{NULL, 0}}}},
		{"leaves", 0, xgboost_with_leaves, {{"max_leaves", 7}, {"max_depth", 30}}, {"grow_policy", "lossguide"}, {NULL, 0, {{NULL, 0}}}},
		{"positive", -1, xgboost_with_positive, {{"scale_pos_weight", 3}}, {NULL, NULL}, {NULL, 0, {{NULL, 0}}}},
		{"logistic, base", -1, xgboost_with_logistic_base, {{"base_score", 0.3}}, {NULL, NULL}, {NULL, 0, {{NULL, 0}}}}
	};

	for (size_t k = 0; k < sizeof(rules) / sizeof(rules[0]); k++)
	{
		BoostCase	test = fixture_case(&cases[rules[k].c < 0 ? 0 : rules[k].c], true);
		double		furthest = 0;
		Error		error;

		if (rules[k].c < 0)
		{
			test.task = TASK_BINARY;
			test.n_classes = 2;
			test.y = fixture_yes;
			test.words[0] = (BoostWord) {"objective", "logistic"};
		}
		test.words[1] = rules[k].word;
		test.map = rules[k].map;
		for (int i = 0; i < 3; i++)
			test.params[(rules[k].c < 0 || cases[rules[k].c].param.name == NULL ? 3 : 4) + i] = rules[k].params[i];
		if (!CHECK_OK(boost_case_run(&test, &error), &error))
			return;
		for (int i = 0; i < test.n_losses; i++)
		{
			CHECK_NEAR(test.train_losses[i], rules[k].xgboost[i], TOLERANCE * rules[k].xgboost[i]);
			furthest = fmax(furthest, fabs(test.train_losses[i] / rules[k].xgboost[i] - 1));
		}
		printf("%s: losses within %.1e of XGBoost's\n", rules[k].name, furthest);
		boost_case_free(&test);
	}
}

/* Threads, order of rows and vector widths do not matter; the validation loss is that of the predictions. */
static void
test_determinism(void)
{
	for (size_t k = 0; k < N_CASES; k++)
	{
		BoostCase	first = fixture_case(&cases[k], true);
		Error		error;

		first.n_rows = 20000;
		first.validation = 0.1;
		first.params[0].value = 5;
		first.params[4] = (BoostParam) {"subsample", 0.6};
		if (first.params[3].name == NULL)
			first.params[3] = (BoostParam) {"reg_alpha", 0.5};
		if (!CHECK_OK(boost_case_run(&first, &error), &error))
			return;
		CHECK_NEAR(first.validation_losses[4], first.validation_loss, 1e-5 * first.validation_loss);
		for (int other = 0; other < 5; other++)
		{
			BoostCase	test = first;

			test.n_threads = other < 2 ? other + 2 : 1;
			test.reversed = other >= 2;
			test.limited = other >= 3;
			test.level = (CpuLevel) (other - 3);
			if (CHECK_OK(boost_case_run(&test, &error), &error))
				CHECK(first.payload.size == test.payload.size && memcmp(first.payload.data, test.payload.data, test.payload.size) == 0);
			boost_case_free(&test);
		}
		boost_case_free(&first);
	}
}

/* A weight of 3 is the row three times, for what is refitted, too. */
static double
triple_weight(size_t row)
{
	return row % 4 == 0 ? 3 : 1;
}

static size_t
triple_source(size_t row)
{
	return row < 800 ? row : (row - 800) / 2 * 4;
}

static double
triple_x(size_t row, uint32_t column)
{
	return fixture_x(triple_source(row), column);
}

static double
triple_y(size_t row)
{
	return fixture_value(triple_source(row));
}

static void
test_weights_repeat(void)
{
	for (size_t k = 0; k < N_CASES; k++)
	{
		BoostCase	weighted = fixture_case(&cases[k], false);
		BoostCase	repeated = fixture_case(&cases[k], false);
		Error		error;

		weighted.y = fixture_value;
		weighted.n_rows = 800;
		weighted.weight = triple_weight;
		repeated.n_rows = 1200;
		repeated.x = triple_x;
		repeated.y = triple_y;
		if (!CHECK_OK(boost_case_run(&weighted, &error), &error) || !CHECK_OK(boost_case_run(&repeated, &error), &error))
			return;
		CHECK_NEAR(weighted.train_losses[0], repeated.train_losses[0], 1e-5 * repeated.train_losses[0]);
		CHECK_NEAR(weighted.train_loss, repeated.train_loss, 2e-2 * repeated.train_loss);
		boost_case_free(&weighted);
		boost_case_free(&repeated);
	}
}

/* ---- What is refused, and what is not ---- */

static double
with_negative(size_t row)
{
	return row == 7 ? -3 : fixture_count(row);
}

static double
all_zero(size_t row)
{
	(void) row;
	return 0;
}

static double
far_apart(size_t row)
{
	return row % 100 == 0 ? 1e14 : row % 3 == 0 ? 1e-12 : 1;
}

static double
heavy_row(size_t row)
{
	return row == 3 ? 1e31 : 1;
}

static void
test_refusals(void)
{
	Error		error;

	for (size_t k = 0; k < N_CASES; k++)
	{
		BoostCase	test = fixture_case(&cases[k], false);

		test.n_rows = 500;
		test.y = with_negative;
		if (cases[k].limit == 0)
		{
			CHECK_ERROR(boost_case_run(&test, &error), &error, ERROR_DATA, cases[k].id == OBJECTIVE_GAMMA ? "above 0" : "of at least 0");
			CHECK(strstr(error.message, cases[k].name) != NULL && strstr(error.message, "-3") != NULL);
		}
		else
			CHECK_OK(boost_case_run(&test, &error), &error);
		boost_case_free(&test);

		test.y = all_zero;
		if (cases[k].limit == 0)
			CHECK_ERROR(boost_case_run(&test, &error), &error, ERROR_DATA, "0");
		else
			CHECK_OK(boost_case_run(&test, &error), &error);
		boost_case_free(&test);

		/* 26 orders of magnitude: a model that predicts numbers */
		test.y = far_apart;
		if (CHECK_OK(boost_case_run(&test, &error), &error))
			CHECK(isfinite(test.train_loss) && isfinite(test.train_losses[test.n_losses - 1]));
		boost_case_free(&test);

		test.weight = heavy_row;
		CHECK_ERROR(boost_case_run(&test, &error), &error, ERROR_DATA, "weight");
		boost_case_free(&test);
	}

	/* 0 is no target of gamma's, and parameters belong to their objectives */
	BoostCase	gamma = fixture_case(&cases[5], false);

	gamma.y = fixture_count;
	CHECK_ERROR(boost_case_run(&gamma, &error), &error, ERROR_DATA, "of 2000 rows");
	boost_case_free(&gamma);
	gamma.y = fixture_value;
	gamma.params[3] = (BoostParam) {"huber_delta", 2};
	CHECK_ERROR(boost_case_run(&gamma, &error), &error, ERROR_PARAMETER, "belongs to the objective huber");
	boost_case_free(&gamma);

	BoostCase	classes = mixed_case(TASK_BINARY);

	classes.words[0] = (BoostWord) {"objective", "poisson"};
	CHECK_ERROR(boost_case_run(&classes, &error), &error, ERROR_PARAMETER, "is for the task regression");
	boost_case_free(&classes);
}

int
main(void)
{
	test_derivatives();
	test_extreme_derivatives();
	test_quantiles();
	test_xgboost();
	test_xgboost_rules();
	test_determinism();
	test_weights_repeat();
	test_refusals();
	return check_done();
}
