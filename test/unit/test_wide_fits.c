/*
 * test_wide_fits.c
 *		Fits on features of more than 256 bins, and on nodes of few rows.
 *
 * They are compared with their own predictions, and with each other where
 * they must be equal.
 */
#include "boost_data.h"

/* 0: a category of very many levels, 1: one of 400, 2: one of 4; the others numbers. */
static double
columns_x(size_t row, uint32_t column)
{
	double		u = boost_number(row, column);

	if (column % 2 && boost_number(row, 50 + column) < 0.1)
		return NAN;
	return column == 0 ? floor(u * 3000) : column == 1 ? floor(u * u * 400) : column == 2 ? floor(4 * u) : u;
}

static double
columns_y(size_t row)
{
	uint64_t	level = (uint64_t) columns_x(row, 0);

	return 10 * boost_number(level, 1000) + 5 * boost_number((uint64_t) number_or(columns_x(row, 1), 500), 1001) + columns_x(row, 2) +
		8 * columns_x(row, 4) * number_or(columns_x(row, 3), 0.5) + boost_number(row, 90);
}

static BoostCase
columns_case(void)
{
	return (BoostCase)
	{
		.task = TASK_REGRESSION,.n_rows = 20000,.n_columns = 6,.x = columns_x,.y = columns_y,.n_categories = 3,.n_floats = 1,
		.params = {{"n_estimators", 8}, {"max_depth", 6}, {"max_bin", 1024}},.validation = 0.2,.seed = 42,
		.plan = {.max_categories = 65534}
	};
}

static void
check_same(const BoostCase *a, const BoostCase *b)
{
	CHECK(a->payload.size == b->payload.size && memcmp(a->payload.data, b->payload.data, a->payload.size) == 0);
	CHECK(a->prediction_hash == b->prediction_hash);
}

/* Whatever the parameters: reported losses are those of the predictions, and threads and vectors do not show. */
static void
test_fits(void)
{
	static const BoostParam variants[][2] = {
		{{NULL, 0}},
		{{"max_leaves", 40}, {"subsample", 0.5}},
		{{"colsample_bytree", 0.5}, {"min_category_rows", 0}},
		{{"min_child_weight", 0.1}, {"cat_smooth", 0}},
		{{"min_samples_leaf", 7}, {"colsample_bynode", 0.5}},
		{{"max_delta_step", 2}, {"colsample_bylevel", 0.5}}
	};

	for (int variant = 0; variant < 6; variant++)
	{
		BoostCase	first = columns_case();
		Error		error;

		memcpy(first.params + 3, variants[variant], sizeof(variants[variant]));
		if (variant == 3 || variant == 4)
		{
			/* to the ends of all branches */
			first.params[1].value = 0;
			first.params[0].value = 2;
			first.weight = mixed_weight;
		}
		if (!CHECK_OK(boost_case_run(&first, &error), &error))
			return;
		CHECK_NEAR(first.train_losses[first.n_losses - 1], first.train_loss, 1e-5 * first.train_loss);
		CHECK_NEAR(first.validation_losses[first.n_losses - 1], first.validation_loss, 1e-5 * first.validation_loss);
		CHECK(first.train_losses[first.n_losses - 1] < first.train_losses[0]);
		for (int other = 0; other < 5; other++)
		{
			BoostCase	test = first;

			test.n_threads = other < 2 ? other + 2 : 1;
			test.reversed = other >= 2;
			test.limited = other >= 3;
			test.level = (CpuLevel) (other - 3);
			if (CHECK_OK(boost_case_run(&test, &error), &error))
				check_same(&first, &test);
			boost_case_free(&test);
		}
		boost_case_free(&first);
	}
}

/* The largest categories that there may be, and as many bins of numbers. */
static double
levels_x(size_t row, uint32_t column)
{
	return column == 0 ? (double) (row % 65534) : boost_number(row, column);
}

static double
levels_y(size_t row)
{
	return boost_number((uint64_t) levels_x(row, 0), 7) > 0.5 ? 3 : levels_x(row, 1);
}

static void
test_limits(void)
{
	BoostCase	test = {
		.task = TASK_REGRESSION,.n_rows = 140000,.n_columns = 2,.x = levels_x,.y = levels_y,.n_categories = 1,
		.params = {{"n_estimators", 2}, {"max_depth", 3}, {"max_bin", 65535}, {"min_category_rows", 1}, {"cat_smooth", 0},
			{"learning_rate", 1}, {"reg_lambda", 0}, {"max_cat_threshold", 0}},
		.plan = {.max_categories = 65534},.n_threads = 2
	};
	Error		error;

	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	CHECK_NEAR(test.train_losses[1], test.train_loss, 1e-5);
	/* the levels tell the two kinds of rows apart, and the number does the rest */
	CHECK(test.train_loss < 0.2);
	boost_case_free(&test);

	/* of rare levels alone nothing is learned */
	test.params[3].value = 10;
	test.n_columns = 1;
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	CHECK(boost_case_trees(&test)->n_nodes == 2);
	boost_case_free(&test);
}

/* Depth 0 is no limit: the same trees as with one that is never reached. */
static void
test_depth(void)
{
	BoostCase	unlimited = columns_case();
	BoostCase	limited = columns_case();
	Error		error;

	unlimited.params[0].value = limited.params[0].value = 1;
	unlimited.params[1].value = 0;
	limited.params[1].value = 65536;
	if (!CHECK_OK(boost_case_run(&unlimited, &error), &error) || !CHECK_OK(boost_case_run(&limited, &error), &error))
		return;
	CHECK(boost_case_trees(&unlimited)->max_depth > 8);
	check_same(&unlimited, &limited);
	boost_case_free(&unlimited);
	boost_case_free(&limited);
}

int
main(void)
{
	test_fits();
	test_limits();
	test_depth();
	return check_done();
}
