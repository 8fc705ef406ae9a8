/*
 * test_continue.c
 *		Boosting that goes on from a version: equal to one long training, bins kept, nothing lost.
 *
 * On the same rows, with the same seed, scores, bins and samples are those
 * that one training would have had at that round.  So the payloads must be
 * equal byte for byte, whatever the parameters.
 */
#include <float.h>

#include "boost_data.h"
#include "core/fit/trees/kept_cuts.h"

/* ---- Equal to one training ---- */

/* 12 rounds at once, and 5 and then 7 of them. */
static void
check_continued(BoostCase whole)
{
	BoostCase	first = whole;
	BoostCase	rest = whole;
	Error		error;

	first.params[0].value = 5;
	rest.params[0].value = 7;
	rest.init = &first;
	if (CHECK_OK(boost_case_run(&whole, &error), &error) && CHECK_OK(boost_case_run(&first, &error), &error) &&
		CHECK_OK(boost_case_run(&rest, &error), &error))
	{
		CHECK(whole.iterations == 12 && first.iterations == 5 && rest.iterations == 12);
		CHECK(rest.n_losses == 7);
		for (int i = 0; i < 7; i++)
		{
			CHECK_SAME(rest.train_losses[i], whole.train_losses[5 + i]);
			CHECK_SAME(rest.validation_losses[i], whole.validation_losses[5 + i]);
		}
		CHECK(whole.payload.size == rest.payload.size && memcmp(whole.payload.data, rest.payload.data, whole.payload.size) == 0);
		CHECK(whole.prediction_hash == rest.prediction_hash);
	}
	boost_case_free(&whole);
	boost_case_free(&first);
	boost_case_free(&rest);
}

static void
test_tasks(void)
{
	for (Task task = TASK_REGRESSION; task <= TASK_MULTICLASS; task++)
	{
		check_continued(mixed_case(task));

		BoostCase	sampled = mixed_case(task);

		sampled.weight = mixed_weight;
		sampled.n_threads = 2;
		sampled.params[2] = (BoostParam) {"subsample", 0.6};
		sampled.params[3] = (BoostParam) {"colsample_bytree", 0.7};
		sampled.params[4] = (BoostParam) {"colsample_bynode", 0.7};
		check_continued(sampled);

		BoostCase	by_gain = mixed_case(task);

		by_gain.params[2] = (BoostParam) {"max_leaves", 12};
		by_gain.params[3] = (BoostParam) {"max_bin", 9};
		by_gain.words[0] = (BoostWord) {"grow_policy", "lossguide"};
		check_continued(by_gain);

		BoostCase	wide = mixed_case(task);

		wide.params[2] = (BoostParam) {"max_bin", 1500};
		check_continued(wide);

		BoostCase	spread = mixed_case(task);

		spread.plan = (RecipePlan) {.encoding = ENCODING_ORDINAL,.missing = MISSING_MOST_FREQUENT,.scaling = SCALING_STANDARD};
		check_continued(spread);
	}
}

/* All of them positive. */
static double
positive_value(size_t row)
{
	return 1 + mixed_signal(row);
}

static void
test_objectives(void)
{
	static const char *const objectives[] = {"absolute_error", "huber", "quantile", "poisson", "gamma", "tweedie"};

	for (size_t i = 0; i < sizeof(objectives) / sizeof(objectives[0]); i++)
	{
		BoostCase	test = mixed_case(TASK_REGRESSION);

		test.y = positive_value;
		test.words[0] = (BoostWord) {"objective", objectives[i]};
		check_continued(test);
	}
}

/* ---- Early stopping ---- */

static double
noise(size_t row)
{
	return boost_number(row, 500);
}

/* Trees on noise make it worse: none is added, and none is lost. */
static void
test_none_added(void)
{
	BoostCase	first = mixed_case(TASK_REGRESSION);
	Error		error;

	first.y = noise;
	first.params[0].value = 60;

	BoostCase	rest = first;

	rest.params[2] = (BoostParam) {"early_stopping_rounds", 4};
	rest.params[3] = (BoostParam) {"learning_rate", 0.5};
	rest.init = &first;
	if (CHECK_OK(boost_case_run(&first, &error), &error) && CHECK_OK(boost_case_run(&rest, &error), &error))
	{
		CHECK(rest.iterations == 60 && rest.n_losses == 4);
		CHECK(rest.payload.size == first.payload.size && memcmp(rest.payload.data, first.payload.data, first.payload.size) == 0);
		CHECK(strstr(rest.notices, "no tree is added") != NULL);
	}
	boost_case_free(&first);
	boost_case_free(&rest);
}

/* The best round is counted from the version's last one. */
static void
test_best_kept(void)
{
	BoostCase	first = mixed_case(TASK_BINARY);
	Error		error;

	first.params[0].value = 3;

	BoostCase	rest = first;

	rest.params[0].value = 400;
	rest.params[2] = (BoostParam) {"early_stopping_rounds", 5};
	rest.params[3] = (BoostParam) {"learning_rate", 0.3};
	rest.init = &first;
	if (CHECK_OK(boost_case_run(&first, &error), &error) && CHECK_OK(boost_case_run(&rest, &error), &error))
	{
		int			best = 0;

		for (int i = 1; i < rest.n_losses; i++)
			best = rest.validation_losses[i] < rest.validation_losses[best] ? i : best;
		CHECK(rest.n_losses < 400 && rest.n_losses == best + 1 + 5);
		CHECK(rest.iterations == 3 + best + 1 && boost_case_trees(&rest)->n_trees == (uint32_t) rest.iterations);
		CHECK_NEAR(rest.validation_loss, rest.validation_losses[best], 1e-6);
	}
	boost_case_free(&first);
	boost_case_free(&rest);
}

/* The curves of a metric: of the same rows as the loss where there are as many to train as to validate. */
static void
test_curves(void)
{
	BoostCase	test = mixed_case(TASK_REGRESSION);
	Error		error;

	test.validation = 0.5;
	test.params[2] = (BoostParam) {"early_stopping_rounds", 50};
	test.words[0] = (BoostWord) {"early_stopping_metric", "rmse"};
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	CHECK(test.n_losses == 12 && test.n_metrics == 12);
	CHECK_TEXT(test.metric, "rmse");
	for (int i = 0; i < test.n_metrics; i++)
	{
		CHECK_NEAR(test.train_metrics[i], test.train_losses[i], 0.03 * test.train_losses[i]);
		CHECK_NEAR(test.validation_metrics[i], test.validation_losses[i], 1e-6 * test.validation_losses[i]);
	}
	boost_case_free(&test);
}

/* ---- Bins ---- */

#define CUTS_MAX 64

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static bool
has(const double *numbers, size_t n, double x)
{
	return bsearch(&x, numbers, n, sizeof(double), compare) != NULL;
}

/* Random cuts, found and kept, in halves from 0 to 20; values from 3 to 15. */
static void
check_kept_cuts(uint64_t trial)
{
	double		cuts[CUTS_MAX];
	double		found[CUTS_MAX];
	double		kept[CUTS_MAX];
	double		sample[] = {7, 15, NAN, 3, 9};
	bool		missing = trial % 3 == 0;
	uint32_t	max_bin = 3 + (uint32_t) (boost_number(trial, 1) * 30);
	BinFeature	feature = {.cuts = cuts};
	CutList		list = {kept, 0};
	size_t		n_within = 0;

	for (int i = 0; i <= 40; i++)
	{
		double		x = i / 2.0;
		bool		within = x >= 3 && x < 15;

		if (within && feature.n_cuts + 1 + missing < max_bin && boost_number(trial, 100 + (uint64_t) i) < 0.5)
			cuts[feature.n_cuts++] = x;
		if (boost_number(trial, 200 + (uint64_t) i) < 0.4)
		{
			kept[list.n++] = x;
			n_within += within;
		}
	}
	if (missing)
		cuts[feature.n_cuts++] = DBL_MAX;

	size_t		n_found = feature.n_cuts;

	memcpy(found, cuts, sizeof(found));
	bins_keep_cuts(&feature, list, sample, 5, max_bin);

	size_t		n_of_kept = 0;

	CHECK(feature.n_bins == feature.n_cuts + 2 && feature.n_cuts <= max_bin - 1);
	CHECK(!missing || cuts[feature.n_cuts - 1] == DBL_MAX);
	for (uint32_t i = 0; i < feature.n_cuts; i++)
	{
		CHECK(i == 0 || cuts[i - 1] < cuts[i]);
		CHECK(has(found, n_found, cuts[i]) || has(kept, list.n, cuts[i]));
		CHECK((cuts[i] >= 3 && cuts[i] < 15) || (missing && cuts[i] == DBL_MAX));
		n_of_kept += has(kept, list.n, cuts[i]);
	}
	if (n_within <= max_bin - 1 - missing)
		CHECK(n_of_kept >= n_within);
	CHECK(feature.n_cuts >= n_found);
}

static void
test_kept_cuts(void)
{
	for (uint64_t trial = 0; trial < 300; trial++)
		check_kept_cuts(trial);
}

/* A number that grows with the rows' time, as dates do. */
static double
early_x(size_t row, uint32_t column)
{
	return 10 * boost_number(row, column);
}

static double
late_x(size_t row, uint32_t column)
{
	return 10 + 10 * boost_number(row, column);
}

static double
early_y(size_t row)
{
	return floor(early_x(row, 0)) + early_x(row, 1);
}

static double
late_y(size_t row)
{
	return floor(late_x(row, 0)) + late_x(row, 1);
}

/* Rows that lie beyond all old cuts are told apart, as well as by trees grown on them alone. */
static void
test_shifted_rows(void)
{
	BoostCase	early = {
		.task = TASK_REGRESSION,.n_rows = 2000,.n_columns = 2,.x = early_x,.y = early_y,
		.params = {{"n_estimators", 80}, {"max_depth", 4}},.validation = 0.2
	};
	BoostCase	late = early;
	BoostCase	alone = early;
	Error		error;

	alone.x = late.x = late_x;
	alone.y = late.y = late_y;
	late.init = &early;
	if (CHECK_OK(boost_case_run(&early, &error), &error) && CHECK_OK(boost_case_run(&late, &error), &error) &&
		CHECK_OK(boost_case_run(&alone, &error), &error))
		CHECK(late.validation_loss < 1.1 * alone.validation_loss);
	boost_case_free(&early);
	boost_case_free(&late);
	boost_case_free(&alone);
}

/* ---- What is refused ---- */

static void
test_other_scores(void)
{
	BoostCase	first = mixed_case(TASK_BINARY);
	BoostCase	rest = mixed_case(TASK_REGRESSION);
	Error		error;

	rest.init = &first;
	if (CHECK_OK(boost_case_run(&first, &error), &error))
		CHECK_ERROR(boost_case_run(&rest, &error), &error, ERROR_DATA, "other scores than the objective");
	boost_case_free(&first);
	boost_case_free(&rest);
}

/* Parameters that were not given are the version's; those of its loss cannot be changed. */
static void
test_params(void)
{
	const Algorithm *algorithm = algorithm_by_id(ALGORITHM_GRADIENT_BOOSTING);
	double		values[2][64];
	bool		given[2][64];
	ParamSet	was;
	ParamSet	params;
	Error		error;
	static const ParamEntry directions[] = {{"x0", -1}};

	params_init(&was, algorithm->params, algorithm->n_params, values[0], given[0]);
	CHECK_OK(params_set_number(&was, "max_depth", 4, &error) && params_set_number(&was, "n_estimators", 30, &error) &&
			 params_set_number(&was, "quantile_alpha", 0.9, &error) && params_set_text(&was, "objective", "quantile", &error) &&
			 params_set_map(&was, "monotone_constraints", directions, 1, &error), &error);
	params_init(&params, algorithm->params, algorithm->n_params, values[1], given[1]);
	CHECK_OK(params_set_number(&params, "n_estimators", 7, &error) && params_set_text(&params, "init_model", "m@3", &error), &error);
	CHECK_OK(algorithm_continue(&params, &was, TASK_REGRESSION, &error), &error);
	CHECK_SAME(params_get(&params, "n_estimators"), 7);
	CHECK_SAME(params_get(&params, "max_depth"), 4);
	CHECK_SAME(params_get(&params, "quantile_alpha"), 0.9);
	CHECK(params_map(&params, "monotone_constraints")->entries[0].value == -1 && !params_is_given(&params, "max_depth"));
	CHECK_TEXT(params.model, "m@3");

	CHECK_OK(params_set_number(&params, "quantile_alpha", 0.5, &error), &error);
	CHECK_ERROR(algorithm_continue(&params, &was, TASK_REGRESSION, &error), &error, ERROR_PARAMETER, "trained with 0.9");
	params_init(&params, algorithm->params, algorithm->n_params, values[1], given[1]);
	CHECK_OK(params_set_text(&params, "objective", "squared_error", &error), &error);
	CHECK_ERROR(algorithm_continue(&params, &was, TASK_REGRESSION, &error), &error, ERROR_PARAMETER, "trained with quantile");
	params_init(&params, algorithm->params, algorithm->n_params, values[1], given[1]);
	CHECK_OK(params_set_number(&params, "base_score", 0.5, &error), &error);
	CHECK_ERROR(algorithm_continue(&params, &was, TASK_REGRESSION, &error), &error, ERROR_PARAMETER, "base_score");

	/* auto and its meaning are the same */
	params_init(&was, algorithm->params, algorithm->n_params, values[0], given[0]);
	params_init(&params, algorithm->params, algorithm->n_params, values[1], given[1]);
	CHECK_OK(params_set_text(&params, "objective", "squared_error", &error), &error);
	CHECK_OK(algorithm_continue(&params, &was, TASK_REGRESSION, &error), &error);
	CHECK_OK(params_set_text(&params, "objective", "huber", &error), &error);
	CHECK_ERROR(algorithm_continue(&params, &was, TASK_REGRESSION, &error), &error, ERROR_PARAMETER, "trained with squared_error");

	CHECK_ERROR(params_set_text(&params, "init_model", "", &error), &error, ERROR_PARAMETER, "init_model");
	CHECK_ERROR(params_set_number(&params, "init_model", 3, &error), &error, ERROR_PARAMETER, "init_model");
}

/* The trees there are were not grown for a direction that is asked for now; one may be given up. */
static void
test_directions(void)
{
	const Algorithm *algorithm = algorithm_by_id(ALGORITHM_GRADIENT_BOOSTING);
	static const ParamEntry up[] = {{"x0", 1}};
	static const ParamEntry both[] = {{"x0", 1}, {"x1", -1}};
	static const ParamEntry free_x0[] = {{"x0", 0}, {"x1", 0}};
	double		values[2][64];
	bool		given[2][64];
	ParamSet	was;
	ParamSet	params;
	Error		error;

	params_init(&was, algorithm->params, algorithm->n_params, values[0], given[0]);
	CHECK_OK(params_set_map(&was, "monotone_constraints", up, 1, &error), &error);
	params_init(&params, algorithm->params, algorithm->n_params, values[1], given[1]);
	CHECK_OK(params_set_map(&params, "monotone_constraints", both, 2, &error), &error);
	CHECK_ERROR(algorithm_continue(&params, &was, TASK_REGRESSION, &error), &error, ERROR_PARAMETER, "\"x1\"");
	params_init(&params, algorithm->params, algorithm->n_params, values[1], given[1]);
	CHECK_OK(params_set_map(&params, "monotone_constraints", up, 1, &error), &error);
	CHECK_OK(algorithm_continue(&params, &was, TASK_REGRESSION, &error), &error);
	params_init(&params, algorithm->params, algorithm->n_params, values[1], given[1]);
	CHECK_OK(params_set_map(&params, "monotone_constraints", free_x0, 2, &error), &error);
	CHECK_OK(algorithm_continue(&params, &was, TASK_REGRESSION, &error), &error);
}

int
main(void)
{
	test_tasks();
	test_objectives();
	test_none_added();
	test_best_kept();
	test_curves();
	test_kept_cuts();
	test_shifted_rows();
	test_other_scores();
	test_params();
	test_directions();
	return check_done();
}
