/*
 * test_objective_fits.c
 *		Whole fits of each objective: losses beside XGBoost's, the same bytes, weights as repeated rows.
 */
#include "objective_cases.h"

/* How far losses may lie from XGBoost's, relative to them; its quantiles of rows without weights are interpolated. */
#define TOLERANCE 1e-5
#define TOLERANCE_INTERPOLATED 1e-2

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

int
main(void)
{
	test_xgboost();
	test_xgboost_rules();
	test_determinism();
	test_weights_repeat();
	return check_done();
}
