/*
 * test_params.c
 *		Parameters: checks, errors, texts; the table of algorithms.
 */
#include "core/algorithm.h"
#include "check.h"

static double values[64];
static bool given[64];

static ParamSet
params_of(const char *algorithm)
{
	ParamSet	params;
	Error		error;
	const Algorithm *found = algorithm_by_name(algorithm, &error);

	CHECK(found != NULL);
	params_init(&params, found->params, found->n_params, values, given);
	return params;
}

static void
test_set(void)
{
	ParamSet	params = params_of("gradient_boosting");
	Error		error;

	CHECK_SAME(params_get(&params, "n_estimators"), 100);
	CHECK_SAME(params_get(&params, "learning_rate"), 0.1);
	CHECK_OK(params_set_number(&params, "max_depth", 8, &error), &error);
	CHECK_SAME(params_get(&params, "max_depth"), 8);
	CHECK(given[2] && !given[0]);
	CHECK_OK(params_set_text(&params, "objective", "softmax", &error), &error);
	CHECK_SAME(params_get(&params, "objective"), 3);

	/* range ends: closed, open, infinite */
	CHECK_OK(params_set_number(&params, "learning_rate", 1, &error), &error);
	CHECK_ERROR(params_set_number(&params, "learning_rate", 0, &error), &error, ERROR_PARAMETER, "number from 0 (excluded) to 1");
	CHECK_ERROR(params_set_number(&params, "learning_rate", 1.0001, &error), &error, ERROR_PARAMETER, "1.0001");
	CHECK_ERROR(params_set_number(&params, "max_depth", 6.5, &error), &error, ERROR_PARAMETER, "an integer from 1 to 30");
	CHECK_ERROR(params_set_number(&params, "max_depth", 0, &error), &error, ERROR_PARAMETER, "\"max_depth\": 0");
	CHECK_ERROR(params_set_number(&params, "reg_lambda", -1, &error), &error, ERROR_PARAMETER, "a number of at least 0");
	CHECK_ERROR(params_set_number(&params, "reg_lambda", INFINITY, &error), &error, ERROR_PARAMETER, "inf");
	CHECK_ERROR(params_set_number(&params, "reg_lambda", NAN, &error), &error, ERROR_PARAMETER, "nan");
	CHECK_SAME(params_get(&params, "reg_lambda"), 1);

	/* types */
	CHECK_ERROR(params_set_text(&params, "max_depth", "deep", &error), &error, ERROR_PARAMETER, "\"deep\"");
	CHECK_ERROR(params_set_boolean(&params, "max_depth", true, &error), &error, ERROR_PARAMETER, "must be an integer");
	CHECK_ERROR(params_set_number(&params, "objective", 1, &error), &error, ERROR_PARAMETER, "one of auto, squared_error, logistic, softmax");
	CHECK_ERROR(params_set_text(&params, "objective", "logistics", &error), &error, ERROR_PARAMETER, "Perhaps you meant \"logistic\"");
}

/* A parameter's text. */
static const char *
text_of(const ParamSet *params, const char *name)
{
	static char text[200];
	Buffer		out;

	buffer_init(&out);
	for (int i = 0; i < params->n; i++)
	{
		if (strcmp(params->specs[i].name, name) == 0)
			params_write_text(params, i, &out);
	}
	buffer_u8(&out, 0);
	snprintf(text, sizeof(text), "%s", (const char *) out.data);
	buffer_free(&out);
	return text;
}

/* Objects by label and by column, words in their place, and numbers left to the algorithm. */
static void
test_maps(void)
{
	static const ParamEntry weights[] = {{"no \"way\"\n", 0.5}, {"yes", 3}};
	static const ParamEntry zero[] = {{"yes", 0}};
	static const ParamEntry directions[] = {{"age", 1}, {"x", -1}};
	static const ParamEntry half[] = {{"age", 0.5}};
	static const char *const columns[] = {"job", "age", "x[1]", "x[2]"};
	static const ColumnKind kinds[] = {KIND_CATEGORY, KIND_NUMBER, KIND_NUMBER, KIND_NUMBER};
	static const char *const labels[] = {"no \"way\"\n", "yes"};
	ParamSet	params = params_of("gradient_boosting");
	Error		error;

	CHECK_TEXT(text_of(&params, "class_weight"), "{}");
	CHECK_TEXT(text_of(&params, "base_score"), "auto");
	CHECK(params_map(&params, "class_weight") == NULL);
	CHECK_OK(params_set_text(&params, "class_weight", "balanced", &error), &error);
	CHECK_TEXT(text_of(&params, "class_weight"), "balanced");
	CHECK_OK(params_set_map(&params, "class_weight", weights, 2, &error), &error);
	CHECK_TEXT(text_of(&params, "class_weight"), "{\"no \\\"way\\\"\\u000a\": 0.5, \"yes\": 3}");
	CHECK(params_is_given(&params, "class_weight"));
	CHECK_OK(params_set_map(&params, "monotone_constraints", directions, 2, &error), &error);
	CHECK(params_map(&params, "monotone_constraints")->n == 2);
	CHECK_OK(params_check_columns(&params, columns, kinds, 4, &error), &error);
	CHECK_OK(params_check_labels(&params, labels, 2, &error), &error);
	CHECK_ERROR(params_check_labels(&params, labels, 1, &error), &error, ERROR_PARAMETER, "\"yes\"");
	CHECK_ERROR(params_check_columns(&params, columns, kinds, 2, &error), &error, ERROR_COLUMN, "There are job, age.");

	params = params_of("gradient_boosting");
	CHECK_ERROR(params_set_map(&params, "class_weight", zero, 1, &error), &error, ERROR_PARAMETER, "0 for \"yes\"");
	CHECK_ERROR(params_set_map(&params, "monotone_constraints", half, 1, &error), &error, ERROR_PARAMETER, "an object of integers from -1 to 1 by column");
	CHECK_ERROR(params_set_map(&params, "max_depth", half, 1, &error), &error, ERROR_PARAMETER, "an object");
	CHECK_ERROR(params_set_text(&params, "class_weight", "balance", &error), &error, ERROR_PARAMETER, "Perhaps you meant \"balanced\"");
	CHECK_ERROR(params_set_text(&params, "monotone_constraints", "up", &error), &error, ERROR_PARAMETER, "object");
	CHECK_ERROR(params_set_number(&params, "monotone_constraints", 1, &error), &error, ERROR_PARAMETER, "object");
	CHECK_ERROR(params_set_number(&params, "base_score", NAN, &error), &error, ERROR_PARAMETER, "or auto");
	CHECK_OK(params_set_text(&params, "base_score", "auto", &error), &error);
	CHECK_ERROR(params_set_text(&params, "reg_lambda", "auto", &error), &error, ERROR_PARAMETER, "a number");

	static const ParamEntry category[] = {{"job", 1}};

	CHECK_OK(params_set_map(&params, "monotone_constraints", category, 1, &error), &error);
	CHECK_ERROR(params_check_columns(&params, columns, kinds, 4, &error), &error, ERROR_PARAMETER, "it is a category");
}

static void
test_unknown(void)
{
	ParamSet	params = params_of("gradient_boosting");
	Error		error;

	CHECK_ERROR(params_set_number(&params, "n_estimator", 5, &error), &error, ERROR_PARAMETER, "Perhaps you meant \"n_estimators\"");
	CHECK_ERROR(params_set_number(&params, "n_estimator", 5, &error), &error, ERROR_PARAMETER, "unrecognized parameter \"n_estimator\"");
	CHECK_ERROR(params_set_number(&params, "n_estimator", 5, &error), &error, ERROR_PARAMETER, "n_estimators, learning_rate, max_depth");
	CHECK_ERROR(params_set_number(&params, "Learning_Rate", 5, &error), &error, ERROR_PARAMETER, "\"learning_rate\"");
	CHECK_ERROR(params_set_number(&params, "zzz", 5, &error), &error, ERROR_PARAMETER, "zzz");
	CHECK_TEXT(error.hint, "");

	params = params_of("baseline");
	CHECK_ERROR(params_set_number(&params, "reg_lambda", 5, &error), &error, ERROR_PARAMETER, "no parameters");
	CHECK(algorithm_by_name("random_forest", &error) == NULL);
	CHECK_TEXT(error.hint, "");
	CHECK(algorithm_by_name("gradientboosting", &error) == NULL);
	CHECK_TEXT(error.hint, "Perhaps you meant \"gradient_boosting\".");
	CHECK(strstr(error.detail, "linear_regression, logistic_regression") != NULL);
}

static void
test_nearest(void)
{
	static const char *const names[] = {"age", "job", "max_depth", "max_bin"};
	char		long_name[300];

	CHECK_TEXT(nearest_name("aeg", names, 4), "age");
	CHECK_TEXT(nearest_name("AGE", names, 4), "age");
	CHECK_TEXT(nearest_name("maxdepth", names, 4), "max_depth");
	CHECK_TEXT(nearest_name("max_bins", names, 4), "max_bin");
	CHECK(nearest_name("income", names, 4) == NULL);
	CHECK(nearest_name("", names, 4) == NULL);
	CHECK(nearest_name("x", NULL, 0) == NULL);
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	CHECK(nearest_name(long_name, names, 4) == NULL);
	long_name[80] = '\0';
	CHECK(nearest_name(long_name, names, 4) == NULL);
}

static void
test_texts(void)
{
	static const ParamSpec specs[] = {
		{.name = "i", .type = PARAM_INTEGER, .lowest = 1, .highest = 100000},
		{.name = "f", .type = PARAM_FLOAT, .lowest = 0, .highest = 1, .lowest_open = true, .highest_open = true},
		{.name = "b", .type = PARAM_BOOLEAN},
		{.name = "c", .type = PARAM_CHOICE, .choices = "one|two"},
		{.name = "g", .type = PARAM_FLOAT, .lowest = 0, .highest = INFINITY, .lowest_open = true},
		{.name = "l", .type = PARAM_LABEL_MAP, .lowest = 0, .highest = INFINITY, .lowest_open = true, .choices = "balanced"},
		{.name = "m", .type = PARAM_COLUMN_MAP, .lowest = -1, .highest = 1, .whole = true},
		{.name = "a", .type = PARAM_FLOAT, .lowest = 0, .highest = INFINITY, .automatic = true}
	};
	char		text[100];

	params_range_text(&specs[0], text, sizeof(text));
	CHECK_TEXT(text, "integer from 1 to 100000");
	params_range_text(&specs[1], text, sizeof(text));
	CHECK_TEXT(text, "number from 0 (excluded) to 1 (excluded)");
	params_range_text(&specs[2], text, sizeof(text));
	CHECK_TEXT(text, "true or false");
	params_range_text(&specs[3], text, sizeof(text));
	CHECK_TEXT(text, "one of one, two");
	params_range_text(&specs[4], text, sizeof(text));
	CHECK_TEXT(text, "number greater than 0");
	params_range_text(&specs[3], text, 8);
	CHECK_TEXT(text, "one of ");

	params_value_text(&specs[0], 100000, text, sizeof(text));
	CHECK_TEXT(text, "100000");
	params_value_text(&specs[1], 0.1, text, sizeof(text));
	CHECK_TEXT(text, "0.1");
	params_value_text(&specs[1], 1e-10, text, sizeof(text));
	CHECK_TEXT(text, "1e-10");
	params_value_text(&specs[1], 1.0 / 3, text, sizeof(text));
	CHECK_TEXT(text, "0.3333333333333333");
	params_value_text(&specs[2], 1, text, sizeof(text));
	CHECK_TEXT(text, "true");
	params_value_text(&specs[3], 1, text, sizeof(text));
	CHECK_TEXT(text, "two");
	params_value_text(&specs[3], 2, text, sizeof(text));
	CHECK_TEXT(text, "");

	CHECK(params_value_valid(&specs[0], 1) && !params_value_valid(&specs[0], 1.5) && !params_value_valid(&specs[0], 0));
	CHECK(params_value_valid(&specs[2], 1) && !params_value_valid(&specs[2], 2) && !params_value_valid(&specs[2], NAN));
	CHECK(params_value_valid(&specs[3], 0) && !params_value_valid(&specs[3], 2) && !params_value_valid(&specs[3], -1));
	params_range_text(&specs[5], text, sizeof(text));
	CHECK_TEXT(text, "object of numbers greater than 0 by class label, or balanced");
	params_range_text(&specs[6], text, sizeof(text));
	CHECK_TEXT(text, "object of integers from -1 to 1 by column");
	params_range_text(&specs[7], text, sizeof(text));
	CHECK_TEXT(text, "number of at least 0, or auto");
	params_value_text(&specs[5], 1, text, sizeof(text));
	CHECK_TEXT(text, "balanced");
	params_value_text(&specs[6], 0, text, sizeof(text));
	CHECK_TEXT(text, "{}");
	params_value_text(&specs[7], NAN, text, sizeof(text));
	CHECK_TEXT(text, "auto");
	CHECK(params_value_valid(&specs[5], 0) && params_value_valid(&specs[5], 1) && !params_value_valid(&specs[5], 2));
	CHECK(params_value_valid(&specs[6], 0) && !params_value_valid(&specs[6], 1) && !params_value_valid(&specs[6], NAN));
	CHECK(params_value_valid(&specs[7], NAN) && params_value_valid(&specs[7], 3) && !params_value_valid(&specs[7], -1));
	CHECK(params_entry_valid(&specs[6], -1) && !params_entry_valid(&specs[6], 0.5) && !params_entry_valid(&specs[6], 2));

	CHECK(!params_value_valid(&specs[1], NAN) && !params_value_valid(&specs[4], INFINITY));
}

/* Every entry of the table is whole: texts there, defaults within their own ranges. */
static void
test_table(void)
{
	for (int a = 0; a < n_algorithms; a++)
	{
		const Algorithm *algorithm = algorithms[a];
		Error		error;

		CHECK(algorithm_by_id(algorithm->id) == algorithm);
		CHECK(algorithm_by_name(algorithm->name, &error) == algorithm);
		CHECK(algorithm->summary[0] != '\0' && algorithm->tasks != 0);
		CHECK(algorithm->fit != NULL && algorithm->memory != NULL && algorithm->validate != NULL && algorithm->predict != NULL);
		for (int i = 0; i < algorithm->n_params; i++)
		{
			CHECK(params_value_valid(&algorithm->params[i], algorithm->params[i].initial));
			CHECK(algorithm->params[i].meaning[0] != '\0');
			for (int j = 0; j < i; j++)
				CHECK(strcmp(algorithm->params[i].name, algorithm->params[j].name) != 0);
		}
		for (int kind = KIND_NUMBER; kind <= KIND_CATEGORY; kind++)
		{
			RecipePlan	plan = algorithm_recipe(algorithm, (ColumnKind) kind, (RecipePlan) {0});

			CHECK(plan.missing && plan.encoding && plan.scaling && plan.unseen && plan.indicator);
			CHECK(kind != KIND_CATEGORY || plan.max_categories > 0);
			CHECK_OK(algorithm_check_recipe(algorithm, (ColumnKind) kind, &plan, "c", &error), &error);
		}
	}
	CHECK(algorithm_by_id(0) == NULL && algorithm_by_id(99) == NULL);
}

static void
test_combinations(void)
{
	Error		error;
	ParamSet	params = params_of("gradient_boosting");
	const Algorithm *trees = algorithm_by_id(ALGORITHM_GRADIENT_BOOSTING);
	const Algorithm *linear = algorithm_by_id(ALGORITHM_LINEAR_REGRESSION);

	CHECK(algorithm_objective_task(trees, &params) == 0);
	CHECK_OK(trees->check(&params, TASK_BINARY, &error), &error);
	CHECK_OK(params_set_text(&params, "objective", "squared_error", &error), &error);
	CHECK(algorithm_objective_task(trees, &params) == TASK_REGRESSION);
	CHECK_OK(trees->check(&params, TASK_REGRESSION, &error), &error);
	CHECK_ERROR(trees->check(&params, TASK_BINARY, &error), &error, ERROR_PARAMETER, "the task is binary");

	RecipePlan	plan = algorithm_recipe(linear, KIND_NUMBER, (RecipePlan) {.missing = MISSING_NATIVE});

	CHECK(plan.scaling == SCALING_STANDARD);
	CHECK_ERROR(algorithm_check_recipe(linear, KIND_NUMBER, &plan, "age", &error), &error, ERROR_UNSUPPORTED, "\"age\"");
	CHECK_OK(algorithm_check_recipe(trees, KIND_NUMBER, &plan, "age", &error), &error);
	plan = algorithm_recipe(linear, KIND_CATEGORY, (RecipePlan) {.encoding = ENCODING_NATIVE});
	CHECK_ERROR(algorithm_check_recipe(linear, KIND_CATEGORY, &plan, "job", &error), &error, ERROR_UNSUPPORTED, "onehot");
	plan = algorithm_recipe(trees, KIND_NUMBER, (RecipePlan) {.encoding = ENCODING_ONEHOT});
	CHECK_ERROR(algorithm_check_recipe(trees, KIND_NUMBER, &plan, "age", &error), &error, ERROR_UNSUPPORTED, "one-hot");
}

int
main(void)
{
	test_set();
	test_maps();
	test_unknown();
	test_nearest();
	test_texts();
	test_table();
	test_combinations();
	return check_done();
}
