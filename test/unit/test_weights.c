/*
 * test_weights.c
 *		Gradient boosting with weights that span many orders of magnitude.
 *
 * What light rows have to say is learned beside rows a billion times as
 * heavy, to what doubles would keep of it.
 */
#include "boost_data.h"

#define N_GROUPS 8
#define HEAVY_GROUP 40
#define HEAVY_EVERY 101

/* How much heavier the few rows are. */
static double span;

static bool
is_heavy(size_t row)
{
	return row % HEAVY_EVERY == 0;
}

/* The group of a row, and noise. */
static double
group_x(size_t row, uint32_t column)
{
	return column == 1 ? boost_number(row, 1) : is_heavy(row) ? HEAVY_GROUP : (double) (row % N_GROUPS);
}

static double
group_weight(size_t row)
{
	return is_heavy(row) ? span : 1;
}

static double
group_value(size_t row)
{
	return is_heavy(row) ? 100 : 3 * group_x(row, 0);
}

/* The largest error of a light row. */
static double furthest;

static double
note_error(double y, double prediction)
{
	if (fabs(y) < 50)
		furthest = fmax(furthest, fabs(y - prediction));
	return (y - prediction) * (y - prediction);
}

/* A tree that tells all groups apart, and the largest error that it leaves. */
static double
fit_groups(double (*y) (size_t row), double (*weight) (size_t row))
{
	BoostCase	test = {
		.task = TASK_REGRESSION,.n_rows = 2000,.n_columns = 2,.x = group_x,.y = y,.weight = weight,.loss = note_error,
		.params = {{"n_estimators", 1}, {"learning_rate", 1}, {"reg_lambda", 0}, {"max_depth", 9}, {"min_child_weight", 0}}
	};
	Error		error;

	furthest = 0;
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return NAN;
	boost_case_free(&test);
	return furthest;
}

/* Nine orders of magnitude, and more: the leaves of light rows are their means. */
static void
test_spans(void)
{
	for (span = 10; span < 1e14; span *= 10)
		CHECK_NEAR(fit_groups(group_value, group_weight), 0, 1e-4);
}

/* Classes: few rows of any weight that say nothing do not drown the others. */

static double
yes_if_signal(size_t row)
{
	return boost_number(row, 3) + 0.4 * boost_number(row, 4) > 0.7;
}

static double
misleading(size_t row)
{
	return row % 500 == 3 ? row % 1000 == 3 : yes_if_signal(row);
}

static double
few_heavy(size_t row)
{
	return row % 500 == 3 ? span : 1;
}

static double
wild_weight(size_t row)
{
	return pow(span, boost_number(row, 6));
}

static void
test_classes(void)
{
	for (span = 1e3; span < 1e13; span *= 1e3)
	{
		BoostCase	test = {
			.task = TASK_BINARY,.n_classes = 2,.n_rows = 5000,.n_columns = 6,.x = wide_x,.y = misleading,.weight = few_heavy,
			.params = {{"n_estimators", 30}, {"max_depth", 4}}
		};
		Error		error;

		if (!CHECK_OK(boost_case_run(&test, &error), &error))
			return;
		CHECK(test.auc > 0.97);
		boost_case_free(&test);

		/* weights spread over all those orders */
		test.y = yes_if_signal;
		test.weight = wild_weight;
		if (!CHECK_OK(boost_case_run(&test, &error), &error))
			return;
		CHECK(test.auc > 0.97);
		boost_case_free(&test);
	}
}

/* Weights times any factor: the same predictions, where nothing else depends on the scale. */
static double
scaled_weight(size_t row)
{
	return span * mixed_weight(row);
}

static void
test_scale(void)
{
	BoostCase	first = mixed_case(TASK_REGRESSION);
	Error		error;

	span = 1;
	first.validation = 0;			/* the rows' hashes, weights included, choose it */
	first.weight = scaled_weight;
	first.params[2] = (BoostParam) {"reg_lambda", 0};
	first.params[3] = (BoostParam) {"min_child_weight", 0};
	first.params[4] = (BoostParam) {"cat_smooth", 0};
	if (!CHECK_OK(boost_case_run(&first, &error), &error))
		return;
	for (span = 0x1p-60; span < 0x1p61; span *= 0x1p40)
	{
		BoostCase	scaled = first;

		if (!CHECK_OK(boost_case_run(&scaled, &error), &error))
			return;
		CHECK_NEAR(scaled.train_loss, first.train_loss, 1e-6 * first.train_loss);
		boost_case_free(&scaled);
	}
	boost_case_free(&first);
}

int
main(void)
{
	test_spans();
	test_classes();
	test_scale();
	return check_done();
}
