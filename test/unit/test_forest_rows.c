/*
 * test_forest_rows.c
 *		Which rows the trees of a forest see, what they weigh, and that the same rows give the same bytes.
 */
#include "forest_case.h"

/* ---- Out of bag ---- */

static void
test_out_of_bag(void)
{
	for (Task task = TASK_REGRESSION; task <= TASK_MULTICLASS; task++)
	{
		const char *metric = task == TASK_REGRESSION ? "oob_rmse" : "oob_log_loss";
		BoostCase	test = forest_case("random_forest", task);
		Error		error;

		test.params[0].value = 60;
		test.params[1] = (BoostParam) {"min_samples_leaf", 5};
		test.weight = mixed_weight;
		if (!CHECK_OK(boost_case_run(&test, &error), &error))
			return;

		/* what rows outside say, which the trees did not see either */
		CHECK_NEAR(metrics_get(&test.metrics, metric) / test.validation_loss, 1, 0.1);
		CHECK(metrics_get(&test.metrics, metric) < metrics_get(&test.baseline, metric + 4));
		CHECK(metrics_get(&test.metrics, metric) > test.train_loss);
		boost_case_free(&test);

		test.params[2] = (BoostParam) {"oob_score", 0};
		CHECK_OK(boost_case_run(&test, &error), &error);
		CHECK(test.metrics.n == 0);
		boost_case_free(&test);
		test.params[2] = (BoostParam) {"bootstrap", 0};
		CHECK_OK(boost_case_run(&test, &error), &error);
		CHECK(test.metrics.n == 0);
		boost_case_free(&test);
		test.params[3] = (BoostParam) {"max_samples", 0.6};
		CHECK_OK(boost_case_run(&test, &error), &error);
		CHECK_NEAR(metrics_get(&test.metrics, metric) / test.validation_loss, 1, 0.1);
		boost_case_free(&test);
	}
}

/* A bootstrap of n rows weighs about n, and sees about 63 % of them; without replacement, the share. */
static void
test_samples(void)
{
	BoostCase	test = forest_case("random_forest", TASK_REGRESSION);
	Error		error;

	test.n_rows = 40000;
	test.validation = 0;
	test.params[0].value = 1;
	test.params[1] = (BoostParam) {"max_depth", 1};
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	CHECK_NEAR(boost_case_stats(&test)[0].cover, 40000, 600);
	boost_case_free(&test);
	test.params[2] = (BoostParam) {"bootstrap", 0};
	test.params[3] = (BoostParam) {"max_samples", 0.25};
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	CHECK_NEAR(boost_case_stats(&test)[0].cover, 10000, 400);
	boost_case_free(&test);
	test.params[2].value = 1;
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	CHECK_NEAR(boost_case_stats(&test)[0].cover, 10000, 500);
	boost_case_free(&test);
}

/* ---- Weights ---- */

/* Row i of the repeated case is row i / 3 of the other. */
static double
repeated_x(size_t row, uint32_t column)
{
	return mixed_x(row / 3, column);
}

static double
repeated_class(size_t row)
{
	return mixed_class(row / 3);
}

static double
three(size_t row)
{
	(void) row;
	return 3;
}

static double
three_millionths(size_t row)
{
	(void) row;
	return 3 * 0x1p-20;
}

/* A weight of 3 is a row three times, and all weights may be small. */
static void
test_weights(void)
{
	BoostCase	once = forest_case("decision_tree", TASK_MULTICLASS);
	BoostCase	thrice;
	BoostCase	small;
	Error		error;

	once.n_rows = 700;
	once.validation = 0;
	once.weight = three;
	small = once;
	small.weight = three_millionths;
	thrice = once;
	thrice.n_rows = 2100;
	thrice.weight = NULL;
	thrice.x = repeated_x;
	thrice.y = repeated_class;
	if (!CHECK_OK(boost_case_run(&once, &error), &error) || !CHECK_OK(boost_case_run(&thrice, &error), &error) ||
		!CHECK_OK(boost_case_run(&small, &error), &error))
		return;
	CHECK_NEAR(once.train_loss, thrice.train_loss, 1e-12);
	CHECK(count_leaves(&once) == count_leaves(&thrice));
	CHECK_NEAR(once.train_loss, small.train_loss, 1e-12);
	CHECK(count_leaves(&once) == count_leaves(&small));
	boost_case_free(&once);
	boost_case_free(&thrice);
	boost_case_free(&small);
}

/* What class_weight makes of a row, and of its own weight. */
static double
weight_by_class(size_t row)
{
	return mixed_yes(row) != 0 ? 3 : 0.5;
}

/* Weights by class are weights by row. */
static void
test_class_weights(void)
{
	static const char *const labels[] = {"no", "yes"};
	static const char *const names[] = {"extra_trees", "decision_tree"};
	Error		error;

	for (int a = 0; a < 2; a++)
	{
		BoostCase	by_class = forest_case(names[a], TASK_BINARY);
		BoostCase	by_row = forest_case(names[a], TASK_BINARY);

		/* the column of weights must not change which rows are held out */
		by_class.validation = by_row.validation = 0;
		by_class.labels = labels;
		by_class.map = (BoostMap) {"class_weight", 2, {{"yes", 3}, {"no", 0.5}}};
		by_row.weight = weight_by_class;
		if (CHECK_OK(boost_case_run(&by_class, &error), &error) && CHECK_OK(boost_case_run(&by_row, &error), &error))
			CHECK(by_class.payload.size == by_row.payload.size &&
				  memcmp(by_class.payload.data, by_row.payload.data, by_row.payload.size) == 0);
		boost_case_free(&by_class);
		boost_case_free(&by_row);
	}

	BoostCase	regression = forest_case("random_forest", TASK_REGRESSION);

	regression.words[0] = (BoostWord) {"class_weight", "balanced"};
	CHECK_ERROR(boost_case_run(&regression, &error), &error, ERROR_PARAMETER, "the task is regression");
	boost_case_free(&regression);
}

/* ---- Same rows, same bytes ---- */

static void
test_determinism(void)
{
	static const char *const names[] = {"random_forest", "extra_trees", "decision_tree"};

	for (int a = 0; a < 3; a++)
	{
		for (Task task = TASK_REGRESSION; task <= TASK_MULTICLASS; task++)
		{
			BoostCase	first = forest_case(names[a], task);
			Error		error;

			first.weight = task == TASK_BINARY ? mixed_weight : NULL;
			if (!CHECK_OK(boost_case_run(&first, &error), &error))
				return;
			for (int other = 0; other < 5; other++)
			{
				BoostCase	test = first;

				test.n_threads = other < 2 ? other + 2 : 1;
				test.reversed = other >= 1;
				test.limited = other >= 3;
				test.level = other == 3 ? CPU_PLAIN : CPU_AVX2;
				if (CHECK_OK(boost_case_run(&test, &error), &error))
				{
					CHECK(first.payload.size == test.payload.size &&
						  memcmp(first.payload.data, test.payload.data, first.payload.size) == 0);
					CHECK(first.prediction_hash == test.prediction_hash);
					CHECK(first.metrics.n == test.metrics.n);
					for (int i = 0; i < first.metrics.n; i++)
						CHECK_SAME(first.metrics.values[i], test.metrics.values[i]);
				}
				boost_case_free(&test);
			}

			BoostCase	other_seed = first;

			other_seed.seed = 43;
			if (CHECK_OK(boost_case_run(&other_seed, &error), &error) && a < 2)
				CHECK(other_seed.prediction_hash != first.prediction_hash);
			boost_case_free(&other_seed);
			boost_case_free(&first);
		}
	}
}

/* Fits the case by other numbers of threads; the payloads must be equal. */
static void
check_threads(BoostCase first)
{
	Error		error;

	if (!CHECK_OK(boost_case_run(&first, &error), &error))
		return;
	for (int n_threads = 2; n_threads <= 3; n_threads++)
	{
		BoostCase	test = first;

		test.n_threads = n_threads;
		test.reversed = n_threads == 3;
		if (CHECK_OK(boost_case_run(&test, &error), &error))
		{
			CHECK(first.payload.size == test.payload.size && memcmp(first.payload.data, test.payload.data, first.payload.size) == 0);
			CHECK(first.metrics.n == test.metrics.n);
			for (int i = 0; i < first.metrics.n; i++)
				CHECK_SAME(first.metrics.values[i], test.metrics.values[i]);
		}
		boost_case_free(&test);
	}
	boost_case_free(&first);
}

/* Fewer trees than threads, with nodes large enough to be shared, are the same as those that one thread grows. */
static void
test_lone_trees(void)
{
	static const char *const names[] = {"random_forest", "extra_trees", "decision_tree"};

	for (int a = 0; a < 3; a++)
	{
		BoostCase	test = forest_case(names[a], a == 0 ? TASK_MULTICLASS : a == 1 ? TASK_BINARY : TASK_REGRESSION);

		test.n_rows = 22000;
		test.validation = 0;
		if (a < 2)
			test.params[0].value = 2 - a;
		check_threads(test);
		test.params[1] = (BoostParam) {"max_leaves", 40};
		check_threads(test);
	}
}

/* ---- Missing values ---- */

static double
one_or_missing(size_t row, uint32_t column)
{
	(void) column;
	return row % 5 == 0 ? NAN : 1;
}

static double
by_missing(size_t row)
{
	return row % 5 == 0 ? 2 : boost_number(row, 1) < 0.5;
}

/* Extra trees draw the side of missing values: where all others are the same, half of the draws split nothing. */
static void
test_missing_sides(void)
{
	for (uint32_t n_categories = 0; n_categories <= 1; n_categories++)
	{
		BoostCase	test = forest_case("extra_trees", TASK_REGRESSION);
		Error		error;

		test.x = one_or_missing;
		test.y = by_missing;
		test.n_rows = 200;
		test.n_columns = 1;
		test.n_categories = n_categories;
		test.n_floats = 0;
		test.validation = 0;
		test.params[0].value = 400;
		if (!CHECK_OK(boost_case_run(&test, &error), &error))
			return;

		uint64_t	n_split = (boost_case_trees(&test)->n_nodes - 400) / 2;

		CHECK(n_split > 160 && n_split < 240);
		boost_case_free(&test);
	}
}

int
main(void)
{
	test_out_of_bag();
	test_samples();
	test_weights();
	test_class_weights();
	test_determinism();
	test_lone_trees();
	test_missing_sides();
	return check_done();
}
