/*
 * test_objectives.c
 *		Objectives of gradient boosting: derivatives, quantiles, what is refused.
 */
#include "core/fit/quantile.h"
#include "objective_cases.h"

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
	test_refusals();
	return check_done();
}
