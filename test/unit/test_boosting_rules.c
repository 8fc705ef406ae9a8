/*
 * test_boosting_rules.c
 *		Gradient boosting: early stopping, weights, extremes, what is refused, memory.
 */
#include "boost_data.h"

/* ---- Early stopping ---- */

static double
noise(size_t row)
{
	return boost_number(row, 5000) > 0.5;
}

static void
test_early_stopping(void)
{
	BoostCase	test = mixed_case(TASK_BINARY);
	Error		error;
	int			best = 0;

	test.y = noise;
	test.params[0].value = 200;
	test.params[2] = (BoostParam) {"early_stopping_rounds", 7};
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	for (int i = 1; i < test.n_losses; i++)
	{
		if (test.validation_losses[i] < test.validation_losses[best])
			best = i;
	}
	CHECK(test.n_losses < 200);
	CHECK(test.n_losses == best + 1 + 7);
	CHECK(test.iterations == best + 1);
	CHECK(boost_case_trees(&test)->n_trees == (uint32_t) best + 1);
	CHECK_NEAR(test.validation_losses[best], test.validation_loss, 1e-5);
	boost_case_free(&test);

	test.validation = 0;
	CHECK_ERROR(boost_case_run(&test, &error), &error, ERROR_PARAMETER, "\"validation\"");
	boost_case_free(&test);
}

/* ---- Weights ---- */

static double
one_if_signal(size_t row)
{
	return boost_number(row, 3) + 0.4 * boost_number(row, 4) > 0.7;
}

/* From 1e-4 to 1e5 */
static double
wild_weight(size_t row)
{
	return pow(10, 9 * boost_number(row, 6) - 4);
}

/* Ten rows of weight 1e6 among those of weight 1 */
static double
few_heavy(size_t row)
{
	return row % 500 == 3 ? 1e6 : 1;
}

/* Those ten say nothing; the others must be heard beside them. */
static double
misleading(size_t row)
{
	return row % 500 == 3 ? row % 1000 == 3 : one_if_signal(row);
}

static double
triple_weight(size_t row)
{
	return row % 4 == 0 ? 3 : 1;
}

static size_t
triple_source(size_t row)
{
	return row < 2000 ? row : (row - 2000) / 2 * 4;
}

/* Of few values, so that both get the same cuts. */
static double
coarse_x(size_t row, uint32_t column)
{
	return column < 2 ? mixed_x(row, column) : floor(8 * mixed_x(row, column));
}

static double
triple_x(size_t row, uint32_t column)
{
	return coarse_x(triple_source(row), column);
}

static double
triple_y(size_t row)
{
	return mixed_yes(triple_source(row));
}

static void
test_weights(void)
{
	static double (*const weights[]) (size_t) = {NULL, wild_weight, few_heavy};
	static double (*const targets[]) (size_t) = {one_if_signal, one_if_signal, misleading};
	double		auc[3];
	Error		error;

	for (int k = 0; k < 3; k++)
	{
		BoostCase	test = {
			.task = TASK_BINARY,.n_classes = 2,.n_rows = 5000,.n_columns = 6,.x = wide_x,.y = targets[k],
			.weight = weights[k],.params = {{"n_estimators", 30}, {"max_depth", 4}}
		};

		if (!CHECK_OK(boost_case_run(&test, &error), &error))
			return;
		auc[k] = test.auc;
		boost_case_free(&test);
	}
	CHECK(auc[0] > 0.99);
	CHECK(auc[1] > 0.97);
	CHECK(auc[2] > 0.97);

	/* a weight of 3 is the row three times, but where rows are counted */
	BoostCase	weighted = mixed_case(TASK_BINARY);
	BoostCase	repeated = mixed_case(TASK_BINARY);

	weighted.n_rows = 2000;
	weighted.x = coarse_x;
	weighted.weight = triple_weight;
	weighted.validation = repeated.validation = 0;
	weighted.params[2] = repeated.params[2] = (BoostParam) {"min_category_rows", 0};
	repeated.n_rows = 3000;
	repeated.x = triple_x;
	repeated.y = triple_y;
	if (!CHECK_OK(boost_case_run(&weighted, &error), &error) || !CHECK_OK(boost_case_run(&repeated, &error), &error))
		return;
	CHECK_NEAR(weighted.train_loss, repeated.train_loss, 1e-3 * repeated.train_loss);
	boost_case_free(&weighted);
	boost_case_free(&repeated);
}

static double
tiny_weight(size_t row)
{
	(void) row;
	return 1e-6;
}

/* What one cut tells. */
static double
easy_yes(size_t row)
{
	return mixed_x(row, 0) > 0.5;
}

static void
test_weight_notice(void)
{
	BoostCase	test = mixed_case(TASK_BINARY);
	Error		error;

	if (CHECK_OK(boost_case_run(&test, &error), &error))
		CHECK_TEXT(test.notices, "");
	boost_case_free(&test);
	test.weight = tiny_weight;
	if (CHECK_OK(boost_case_run(&test, &error), &error))
		CHECK(strstr(test.notices, "min_child_weight") != NULL && strchr(test.notices, '\n') == strrchr(test.notices, '\n'));
	boost_case_free(&test);

	/* a fit so good that its second derivatives vanish is no fault of the weights */
	test = mixed_case(TASK_BINARY);
	test.n_rows = 400;
	test.y = easy_yes;
	test.params[0].value = 100;
	if (CHECK_OK(boost_case_run(&test, &error), &error))
	{
		CHECK(test.train_loss < 0.05);
		CHECK_TEXT(test.notices, "");
	}
	boost_case_free(&test);
}

/* ---- The ends of the scale ---- */

static double
row_number(size_t row)
{
	return (double) row;
}

static double
first_row(size_t row)
{
	return row == 0;
}

static double
poor_x(size_t row, uint32_t column)
{
	switch (column)
	{
		case 0:
			return 7;
		case 1:
			return NAN;
		case 2:
			return row % 3 == 0 ? INFINITY : row % 3 == 1 ? -INFINITY : NAN;
		default:
			return (double) row;
	}
}

static double
three_hundred(size_t row)
{
	return (double) (row % 300);
}

static double
three_hundred_x(size_t row, uint32_t column)
{
	return column == 0 ? (double) (row % 300) : boost_number(row, column);
}

static void
test_extremes(void)
{
	Error		error;

	for (size_t n = 1; n <= 4; n++)
	{
		BoostCase	test = {
			.task = TASK_REGRESSION,.n_rows = n,.n_columns = 4,.x = poor_x,.y = row_number,
			.params = {{"n_estimators", 50}, {"learning_rate", 1}, {"reg_lambda", 0}}
		};

		if (CHECK_OK(boost_case_run(&test, &error), &error))
			CHECK_NEAR(test.train_loss, 0, 1e-3);
		boost_case_free(&test);
		test.task = TASK_BINARY;
		test.n_classes = 2;
		test.y = first_row;
		if (CHECK_OK(boost_case_run(&test, &error), &error))
			CHECK(isfinite(test.train_loss));
		boost_case_free(&test);
	}

	/* only useless columns: the base score alone */
	BoostCase	poor = {.task = TASK_REGRESSION,.n_rows = 50,.n_columns = 2,.x = poor_x,.y = row_number,.params = {{"n_estimators", 3}}};

	if (CHECK_OK(boost_case_run(&poor, &error), &error))
	{
		CHECK(boost_case_trees(&poor)->n_nodes == 3);
		CHECK_NEAR(poor.train_loss, sqrt((50.0 * 50 - 1) / 12), 1e-3);
	}
	boost_case_free(&poor);

	BoostCase	many = {
		.task = TASK_MULTICLASS,.n_classes = 300,.n_rows = 1200,.n_columns = 3,.x = three_hundred_x,.y = three_hundred,
		.params = {{"n_estimators", 3}, {"learning_rate", 1}, {"min_child_weight", 0}},.n_threads = 2
	};

	if (CHECK_OK(boost_case_run(&many, &error), &error))
	{
		CHECK(boost_case_trees(&many)->n_trees == 900);
		CHECK(many.train_loss < 1);
		CHECK_NEAR(many.train_losses[2], many.train_loss, 1e-4);
	}
	boost_case_free(&many);
}

static double
huge(size_t row)
{
	return row == 5 ? 1e300 : (double) row;
}

static double
huge_weight(size_t row)
{
	return row == 5 ? 1e40 : 1;
}

static double
half(size_t row)
{
	return (double) (row % 2);
}

static double
third(size_t row)
{
	return (double) (row % 3);
}

static double
large(size_t row)
{
	return 1e15 + (double) row * 1e12;
}

static void
test_refusals(void)
{
	Error		error;
	BoostCase	test = {.task = TASK_REGRESSION,.n_rows = 100,.n_columns = 3,.x = wide_x,.y = huge,.params = {{"n_estimators", 3}}};

	CHECK_ERROR(boost_case_run(&test, &error), &error, ERROR_DATA, "1e+300");
	boost_case_free(&test);

	/* what is only large is learned */
	test.y = large;
	if (CHECK_OK(boost_case_run(&test, &error), &error))
		CHECK(test.train_losses[2] < test.train_losses[0] && isfinite(test.train_loss));
	boost_case_free(&test);

}

/* Weights of which no derivative would be left as a float32 are refused, and not taken for the target. */
static void
test_weight_limit(void)
{
	static const Task tasks[] = {TASK_REGRESSION, TASK_BINARY, TASK_MULTICLASS};

	for (int t = 0; t < 3; t++)
	{
		Error		error;
		BoostCase	test = {
			.task = tasks[t],.n_classes = t == 0 ? 0 : (uint32_t) t + 1,.n_rows = 90,.n_columns = 3,.x = wide_x,.y = t == 2 ? third : half,
			.weight = huge_weight,.params = {{"n_estimators", 3}}
		};

		CHECK_ERROR(boost_case_run(&test, &error), &error, ERROR_DATA, "a weight");
		boost_case_free(&test);
	}
}

/* The estimate covers what a fit takes, and is not far from it. */
static void
test_memory(void)
{
	Error		error;
	const Algorithm *algorithm = algorithm_by_name("gradient_boosting", &error);
	double		values[64];
	bool		given[64];
	ParamSet	params;

	static FittedColumn columns[1600];
	FittedRecipe few = {.n_columns = 28,.n_features = 28,.columns = columns};
	FittedRecipe many = {.n_columns = 1600,.n_features = 1600,.columns = columns};

	for (int c = 0; c < 1600; c++)
		columns[c].recipe = (RecipeColumn) {.kind = KIND_NUMBER,.encoding = ENCODING_NATIVE,.n_features = 1};
	params_init(&params, algorithm->params, algorithm->n_params, values, given);

	uint64_t	million = algorithm->memory(&params, 1000000, &few, 2, 2);

	CHECK(million > 60 * UINT64_C(1000000) && million < 28 * 3 * UINT64_C(2000000));
	CHECK(algorithm->memory(&params, 10000, &many, 2, 2) < UINT64_C(1) << 30);
	CHECK(algorithm->memory(&params, 1000000, &few, 300, 2) > million + 299 * UINT64_C(4000000));

	/* a wide category takes two bytes a row, and at least 4 histograms of its cells */
	columns[0].recipe.kind = KIND_CATEGORY;
	columns[0].recipe.n_categories = 65534;
	CHECK(algorithm->memory(&params, 1000000, &few, 2, 2) > million);
	CHECK(algorithm->memory(&params, 1000000, &few, 2, 2) < million + UINT64_C(100000000));
}

int
main(void)
{
	test_early_stopping();
	test_weights();
	test_weight_notice();
	test_extremes();
	test_refusals();
	test_weight_limit();
	test_memory();
	return check_done();
}
