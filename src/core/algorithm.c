/*
 * algorithm.c
 *		The one table of algorithms, and what is derived from it.
 */
#include "algorithm.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "algorithm_check.h"
#include "model/linear_model.h"
#include "model/metric_names.h"
#include "model/tree_model.h"

/* The extension predicts and describes; only the trainer is linked with what fits. */
#ifdef MLOPS_FIT
#include "fit/fit.h"
#define FITTED_BY(function, bytes) .fit = function, .memory = bytes
#else
#define FITTED_BY(function, bytes) .fit = NULL, .memory = NULL
#endif

#define TREE_CATEGORIES		1000	/* a set of them is 125 bytes of each split on it */
#define LINEAR_CATEGORIES	100 /* each is a column of the normal equations */

#define COUNT_OF(array) ((int) (sizeof(array) / sizeof((array)[0])))

#define OBJECTIVES	"auto|squared_error|logistic|softmax|absolute_error|huber|quantile|poisson|gamma|tweedie"

static const ParamSpec linear_regression_params[] = {
	{.name = "reg_lambda", .type = PARAM_FLOAT, .initial = 0, .lowest = 0, .highest = INFINITY,
	.meaning = "L2 penalty: the sum of squared errors + reg_lambda * |w|^2 is minimised; the intercept is free"},
};

static const ParamSpec logistic_regression_params[] = {
	{.name = "reg_lambda", .type = PARAM_FLOAT, .initial = 1, .lowest = 0, .highest = INFINITY,
	.meaning = "L2 penalty: the sum of log losses + reg_lambda / 2 * |w|^2 is minimised; the intercept is free"},
	{.name = "max_iter", .type = PARAM_INTEGER, .initial = 100, .lowest = 1, .highest = 100000,
	.meaning = "largest number of Newton steps"},
	{.name = "tol", .type = PARAM_FLOAT, .initial = 1e-10, .lowest = 0, .highest = 1, .lowest_open = true,
	.meaning = "the steps end when one changes no coefficient by more than this, relative to the largest"},
};

#define CLASS_WEIGHT_PARAM \
	{.name = "class_weight", .type = PARAM_LABEL_MAP, .initial = 0, .lowest = 0, .highest = INFINITY, .lowest_open = true, .choices = "balanced", \
	.meaning = "what the weights of each class's rows are multiplied by, others by 1; balanced: rows / (classes * rows of the class)"}

static const ParamSpec gradient_boosting_params[] = {
	{.name = "n_estimators", .type = PARAM_INTEGER, .initial = 100, .lowest = 1, .highest = 100000,
	.meaning = "number of boosting rounds; a round is one tree, or one a class in multiclass"},
	{.name = "learning_rate", .type = PARAM_FLOAT, .initial = 0.1, .lowest = 0, .highest = 1, .lowest_open = true,
	.meaning = "what each tree's leaves are multiplied by"},
	{.name = "max_depth", .type = PARAM_INTEGER, .initial = 6, .lowest = 0, .highest = 65536,
	.meaning = "largest number of splits between a root and a leaf; 0: no limit"},
	{.name = "max_leaves", .type = PARAM_INTEGER, .initial = 0, .lowest = 0, .highest = 65536,
	.meaning = "largest number of leaves of a tree; 0: as many as the depth allows"},
	{.name = "grow_policy", .type = PARAM_CHOICE, .initial = 0, .choices = "depthwise|lossguide",
	.meaning = "which leaf is split next, where max_leaves ends it: of the highest level, or of the largest gain"},
	{.name = "min_child_weight", .type = PARAM_FLOAT, .initial = 1, .lowest = 0, .highest = INFINITY,
	.meaning = "least sum of second derivatives (for squared error: of weights) in a leaf"},
	{.name = "min_samples_leaf", .type = PARAM_INTEGER, .initial = 1, .lowest = 1, .highest = 1e9,
	.meaning = "least number of rows in a leaf, whatever their weights"},
	{.name = "reg_lambda", .type = PARAM_FLOAT, .initial = 1, .lowest = 0, .highest = INFINITY,
	.meaning = "L2 penalty on leaf values"},
	{.name = "reg_alpha", .type = PARAM_FLOAT, .initial = 0, .lowest = 0, .highest = INFINITY,
	.meaning = "L1 penalty on leaf values"},
	{.name = "gamma", .type = PARAM_FLOAT, .initial = 0, .lowest = 0, .highest = INFINITY,
	.meaning = "least gain that a split must bring"},
	{.name = "subsample", .type = PARAM_FLOAT, .initial = 1, .lowest = 0, .highest = 1, .lowest_open = true,
	.meaning = "share of the rows that each tree sees"},
	{.name = "colsample_bytree", .type = PARAM_FLOAT, .initial = 1, .lowest = 0, .highest = 1, .lowest_open = true,
	.meaning = "share of the features that each tree sees"},
	{.name = "colsample_bylevel", .type = PARAM_FLOAT, .initial = 1, .lowest = 0, .highest = 1, .lowest_open = true,
	.meaning = "share of the tree's features that each level of it sees"},
	{.name = "colsample_bynode", .type = PARAM_FLOAT, .initial = 1, .lowest = 0, .highest = 1, .lowest_open = true,
	.meaning = "share of the level's features that each split sees"},
	{.name = "max_bin", .type = PARAM_INTEGER, .initial = 255, .lowest = 2, .highest = 65535,
	.meaning = "largest number of bins of a number, without the one for missing values; beyond 255 they take two bytes and more time"},
	{.name = "max_delta_step", .type = PARAM_FLOAT, .initial = PARAM_WORD(0), .lowest = 0, .highest = INFINITY, .choices = "auto",
	.meaning = "largest absolute value of a leaf before the learning rate; 0: no limit; auto: 0.7 for poisson, 10 for gamma and tweedie, else 0"},
	{.name = "monotone_constraints", .type = PARAM_COLUMN_MAP, .lowest = -1, .highest = 1, .whole = true, .numbers_only = true,
	.meaning = "1: predictions do not fall where the column rises; -1: they do not rise; 0: either"},
	{.name = "base_score", .type = PARAM_FLOAT, .initial = PARAM_WORD(0), .lowest = -INFINITY, .highest = INFINITY, .choices = "auto",
	.meaning = "the prediction (for binary: the probability) before the first tree; auto: the constant of least loss"},
	CLASS_WEIGHT_PARAM,
	{.name = "scale_pos_weight", .type = PARAM_FLOAT, .initial = 1, .lowest = 0, .highest = INFINITY, .lowest_open = true,
	.meaning = "binary: what the weights of the positive class's rows are multiplied by"},
	{.name = "early_stopping_rounds", .type = PARAM_INTEGER, .initial = 0, .lowest = 0, .highest = 100000,
	.meaning = "stop when the validation rows have not been predicted better for so many rounds, and keep the best; 0: never"},
	{.name = "early_stopping_metric", .type = PARAM_CHOICE, .initial = 0, .choices = "loss|" METRIC_NAMES,
	.meaning = "what better means: the loss, or a metric of the task"},
	{.name = "early_stopping_min_delta", .type = PARAM_FLOAT, .initial = 0, .lowest = 0, .highest = INFINITY,
	.meaning = "by how much it must be better"},
	{.name = "objective", .type = PARAM_CHOICE, .initial = OBJECTIVE_AUTO, .choices = OBJECTIVES,
	.meaning = "the loss; auto: squared_error, logistic or softmax, by the task"},
	{.name = "huber_delta", .type = PARAM_FLOAT, .initial = 1, .lowest = 0, .highest = INFINITY, .lowest_open = true,
	.meaning = "objective huber: the error from which on the loss grows in proportion to it"},
	{.name = "quantile_alpha", .type = PARAM_FLOAT, .initial = 0.5, .lowest = 0, .highest = 1, .lowest_open = true, .highest_open = true,
	.meaning = "objective quantile: the share of targets to lie below the prediction"},
	{.name = "tweedie_variance_power", .type = PARAM_FLOAT, .initial = 1.5, .lowest = 1, .highest = 2, .lowest_open = true, .highest_open = true,
	.meaning = "objective tweedie: the power of the mean that the variance goes by; near 1 is poisson, near 2 gamma"},
	{.name = "max_cat_to_onehot", .type = PARAM_INTEGER, .initial = 4, .lowest = 1, .highest = 254,
	.meaning = "categories of a feature up to which a split takes one of them, above which a set"},
	{.name = "max_cat_threshold", .type = PARAM_INTEGER, .initial = 32, .lowest = 0, .highest = 65535,
	.meaning = "most categories in the smaller of the two sets that a split makes; 0: any number"},
	{.name = "cat_smooth", .type = PARAM_FLOAT, .initial = 10, .lowest = 0, .highest = INFINITY,
	.meaning = "weight added to each category when categories are ordered by their gradient, against rare ones"},
	{.name = "min_category_rows", .type = PARAM_INTEGER, .initial = 20, .lowest = 0, .highest = 1000000000,
	.meaning = "categories with fewer rows in a node, as far as second derivatives tell, go the same way in sets of categories"},
	{.name = "init_model", .type = PARAM_MODEL,
	.meaning = "a version of this algorithm whose trees, recipe and bins are kept, and to which trees are added; what is not given is as it was there"},
};

/* What a single tree has. */
#define TREE_PARAMS(features) \
	{.name = "criterion", .type = PARAM_CHOICE, .initial = 0, .choices = "auto|squared_error|gini|entropy", \
	.meaning = "the impurity that splits lower; auto: squared_error for a regression, else gini"}, \
	{.name = "max_depth", .type = PARAM_INTEGER, .initial = 0, .lowest = 0, .highest = 1000000, \
	.meaning = "largest number of splits between a root and a leaf; 0: no limit"}, \
	{.name = "max_leaves", .type = PARAM_INTEGER, .initial = 0, .lowest = 0, .highest = 1000000000, \
	.meaning = "largest number of leaves of a tree, best splits first; 0: no limit"}, \
	{.name = "min_samples_split", .type = PARAM_INTEGER, .initial = 2, .lowest = 2, .highest = 1000000000, \
	.meaning = "least number of rows of a node that may be split"}, \
	{.name = "min_samples_leaf", .type = PARAM_INTEGER, .initial = 1, .lowest = 1, .highest = 1000000000, \
	.meaning = "least number of rows of a leaf"}, \
	{.name = "max_features", .type = PARAM_FLOAT, .initial = features, .lowest = 0, .highest = MAX_FEATURES, .lowest_open = true, \
	.choices = "auto|sqrt|log2|all", \
	.meaning = "features that each node looks at: a share below 1, a number from 1, or a word; auto: all for a regression, else sqrt"}, \
	{.name = "max_bin", .type = PARAM_INTEGER, .initial = 1024, .lowest = 2, .highest = 65534, \
	.meaning = "largest number of bins of a feature, without the one for missing values"}, \
	CLASS_WEIGHT_PARAM, \
	{.name = "ccp_alpha", .type = PARAM_FLOAT, .initial = 0, .lowest = 0, .highest = INFINITY, \
	.meaning = "cost of a leaf in cost-complexity pruning, against the impurity of the whole tree's rows; 0: none"}

/* And what a forest has. */
#define FOREST_PARAMS(with_replacement) \
	{.name = "n_estimators", .type = PARAM_INTEGER, .initial = 100, .lowest = 1, .highest = 100000, \
	.meaning = "number of trees"}, \
	TREE_PARAMS(PARAM_WORD(0)), \
	{.name = "bootstrap", .type = PARAM_BOOLEAN, .initial = with_replacement, \
	.meaning = "each tree draws its rows with replacement; otherwise it sees a row once or not at all"}, \
	{.name = "max_samples", .type = PARAM_FLOAT, .initial = 1, .lowest = 0, .highest = 1, .lowest_open = true, \
	.meaning = "rows that each tree draws, as a share of all"}, \
	{.name = "oob_score", .type = PARAM_BOOLEAN, .initial = 1, \
	.meaning = "metrics (oob_*) of the training rows, each predicted by the trees that did not see it; where trees leave rows out"}

static const ParamSpec random_forest_params[] = {FOREST_PARAMS(1)};

static const ParamSpec extra_trees_params[] = {FOREST_PARAMS(0)};

static const ParamSpec decision_tree_params[] = {TREE_PARAMS(PARAM_WORD(3))};

static const Algorithm baseline = {
	.id = ALGORITHM_BASELINE,
	.name = "baseline",
	.summary = "the constant predictor: mean of the target, or frequencies of the classes",
	.tasks = TASK_BIT(TASK_REGRESSION) | TASK_BIT(TASK_BINARY) | TASK_BIT(TASK_MULTICLASS),
	.numbers = {MISSING_NATIVE, ENCODING_NATIVE, SCALING_NONE, UNSEEN_MISSING, INDICATOR_NEVER, 0},
	.categories = {MISSING_NATIVE, ENCODING_NATIVE, SCALING_NONE, UNSEEN_MISSING, INDICATOR_NEVER, TREE_CATEGORIES},
	.native = true,
	FITTED_BY(baseline_fit, baseline_memory),
	.validate = linear_model_validate,
	.predict = linear_model_predict
};

static const Algorithm linear_regression = {
	.id = ALGORITHM_LINEAR_REGRESSION,
	.name = "linear_regression",
	.summary = "least squares, or ridge with reg_lambda; solved exactly",
	.tasks = TASK_BIT(TASK_REGRESSION),
	.params = linear_regression_params,
	.n_params = COUNT_OF(linear_regression_params),
	.numbers = {MISSING_MEDIAN, ENCODING_NATIVE, SCALING_STANDARD, UNSEEN_MISSING, INDICATOR_AUTO, 0},
	.categories = {MISSING_MOST_FREQUENT, ENCODING_ONEHOT, SCALING_NONE, UNSEEN_MISSING, INDICATOR_AUTO, LINEAR_CATEGORIES},
	.gathers = true,
	FITTED_BY(linear_regression_fit, linear_memory),
	.validate = linear_model_validate,
	.predict = linear_model_predict
};

static const Algorithm logistic_regression = {
	.id = ALGORITHM_LOGISTIC_REGRESSION,
	.name = "logistic_regression",
	.summary = "binary or multinomial logistic regression, solved to the optimum by Newton's method",
	.tasks = TASK_BIT(TASK_BINARY) | TASK_BIT(TASK_MULTICLASS),
	.params = logistic_regression_params,
	.n_params = COUNT_OF(logistic_regression_params),
	.numbers = {MISSING_MEDIAN, ENCODING_NATIVE, SCALING_STANDARD, UNSEEN_MISSING, INDICATOR_AUTO, 0},
	.categories = {MISSING_MOST_FREQUENT, ENCODING_ONEHOT, SCALING_NONE, UNSEEN_MISSING, INDICATOR_AUTO, LINEAR_CATEGORIES},
	.gathers = true,
	FITTED_BY(logistic_regression_fit, logistic_memory),
	.validate = linear_model_validate,
	.predict = linear_model_predict
};

static const Algorithm gradient_boosting = {
	.id = ALGORITHM_GRADIENT_BOOSTING,
	.name = "gradient_boosting",
	.summary = "gradient-boosted decision trees over histograms; missing values and categories as they are",
	.tasks = TASK_BIT(TASK_REGRESSION) | TASK_BIT(TASK_BINARY) | TASK_BIT(TASK_MULTICLASS),
	.params = gradient_boosting_params,
	.n_params = COUNT_OF(gradient_boosting_params),
	.numbers = {MISSING_NATIVE, ENCODING_NATIVE, SCALING_NONE, UNSEEN_MISSING, INDICATOR_NEVER, 0},
	.categories = {MISSING_NATIVE, ENCODING_NATIVE, SCALING_NONE, UNSEEN_MISSING, INDICATOR_NEVER, TREE_CATEGORIES},
	.native = true,
	.check = gradient_boosting_check,
	FITTED_BY(boosting_fit, boosting_memory),
	.validate = tree_model_validate,
	.predict = tree_model_predict
};

static const Algorithm random_forest = {
	.id = ALGORITHM_RANDOM_FOREST,
	.name = "random_forest",
	.summary = "random forest: the mean of deep trees, each of drawn rows, whose nodes look at drawn features",
	.tasks = TASK_BIT(TASK_REGRESSION) | TASK_BIT(TASK_BINARY) | TASK_BIT(TASK_MULTICLASS),
	.params = random_forest_params,
	.n_params = COUNT_OF(random_forest_params),
	.numbers = {MISSING_NATIVE, ENCODING_NATIVE, SCALING_NONE, UNSEEN_MISSING, INDICATOR_NEVER, 0},
	.categories = {MISSING_NATIVE, ENCODING_NATIVE, SCALING_NONE, UNSEEN_MISSING, INDICATOR_NEVER, TREE_CATEGORIES},
	.native = true,
	.check = forest_check,
	FITTED_BY(random_forest_fit, forest_memory),
	.validate = tree_model_validate,
	.predict = tree_model_predict
};

static const Algorithm extra_trees = {
	.id = ALGORITHM_EXTRA_TREES,
	.name = "extra_trees",
	.summary = "extremely randomised trees: a forest whose nodes choose among random cuts",
	.tasks = TASK_BIT(TASK_REGRESSION) | TASK_BIT(TASK_BINARY) | TASK_BIT(TASK_MULTICLASS),
	.params = extra_trees_params,
	.n_params = COUNT_OF(extra_trees_params),
	.numbers = {MISSING_NATIVE, ENCODING_NATIVE, SCALING_NONE, UNSEEN_MISSING, INDICATOR_NEVER, 0},
	.categories = {MISSING_NATIVE, ENCODING_NATIVE, SCALING_NONE, UNSEEN_MISSING, INDICATOR_NEVER, TREE_CATEGORIES},
	.native = true,
	.check = forest_check,
	FITTED_BY(extra_trees_fit, forest_memory),
	.validate = tree_model_validate,
	.predict = tree_model_predict
};

static const Algorithm decision_tree = {
	.id = ALGORITHM_DECISION_TREE,
	.name = "decision_tree",
	.summary = "one decision tree, which cost-complexity pruning may cut back",
	.tasks = TASK_BIT(TASK_REGRESSION) | TASK_BIT(TASK_BINARY) | TASK_BIT(TASK_MULTICLASS),
	.params = decision_tree_params,
	.n_params = COUNT_OF(decision_tree_params),
	.numbers = {MISSING_NATIVE, ENCODING_NATIVE, SCALING_NONE, UNSEEN_MISSING, INDICATOR_NEVER, 0},
	.categories = {MISSING_NATIVE, ENCODING_NATIVE, SCALING_NONE, UNSEEN_MISSING, INDICATOR_NEVER, TREE_CATEGORIES},
	.native = true,
	.check = forest_check,
	FITTED_BY(decision_tree_fit, forest_memory),
	.validate = tree_model_validate,
	.predict = tree_model_predict
};

const Algorithm *const algorithms[] = {
	&gradient_boosting,
	&linear_regression,
	&logistic_regression,
	&random_forest,
	&extra_trees,
	&decision_tree,
	&baseline
};

const int	n_algorithms = COUNT_OF(algorithms);

const Algorithm *
algorithm_by_id(uint32_t id)
{
	for (int i = 0; i < n_algorithms; i++)
	{
		if ((uint32_t) algorithms[i]->id == id)
			return algorithms[i];
	}
	return NULL;
}

const Algorithm *
algorithm_by_name(const char *name, Error *error)
{
	const char *names[COUNT_OF(algorithms)];
	char		list[sizeof(error->detail) / 2] = "";
	size_t		used = 0;

	for (int i = 0; i < n_algorithms; i++)
	{
		if (strcmp(algorithms[i]->name, name) == 0)
			return algorithms[i];
		names[i] = algorithms[i]->name;
		if (used < sizeof(list))
			used += (size_t) snprintf(list + used, sizeof(list) - used, "%s%s", i > 0 ? ", " : "", names[i]);
	}
	error_set(error, ERROR_PARAMETER, "unrecognized algorithm \"%.100s\"", name);
	error_detail(error, "Valid algorithms are %s.", list);

	const char *nearest = nearest_name(name, names, (size_t) n_algorithms);

	if (nearest != NULL)
		error_hint(error, "Perhaps you meant \"%s\".", nearest);
	return NULL;
}

Task
algorithm_objective_task(const Algorithm *algorithm, const ParamSet *params)
{
	if (algorithm->id != ALGORITHM_GRADIENT_BOOSTING)
		return 0;
	return objective_task((ObjectiveId) params_get(params, "objective"));
}

RecipePlan
algorithm_recipe(const Algorithm *algorithm, ColumnKind kind, RecipePlan plan)
{
	const RecipePlan *usual = kind == KIND_CATEGORY ? &algorithm->categories : &algorithm->numbers;

	if (plan.missing == MISSING_DEFAULT)
		plan.missing = usual->missing;
	if (plan.encoding == ENCODING_DEFAULT)
		plan.encoding = usual->encoding;
	if (plan.scaling == SCALING_DEFAULT)
		plan.scaling = usual->scaling;
	if (plan.unseen == UNSEEN_DEFAULT)
		plan.unseen = usual->unseen;
	if (plan.indicator == INDICATOR_DEFAULT)
		plan.indicator = usual->indicator;
	if (plan.max_categories == 0)
		plan.max_categories = usual->max_categories;
	return plan;
}

bool
algorithm_check_recipe(const Algorithm *algorithm, ColumnKind kind, const RecipePlan *plan, const char *column, Error *error)
{
	if (!algorithm->native && plan->missing == MISSING_NATIVE)
	{
		error_set(error, ERROR_UNSUPPORTED, "%s cannot use missing values as they are, as asked for column \"%s\"",
				  algorithm->name, column);
		return error_hint(error, "Use \"missing\": \"median\", \"mean\", \"most_frequent\", \"zero\" or \"error\".");
	}
	if (!algorithm->native && kind == KIND_CATEGORY && plan->encoding == ENCODING_NATIVE)
	{
		error_set(error, ERROR_UNSUPPORTED, "%s cannot use categories as they are, as asked for column \"%s\"",
				  algorithm->name, column);
		return error_hint(error, "Use \"encoding\": \"onehot\" or \"ordinal\".");
	}
	if (kind != KIND_CATEGORY && plan->encoding == ENCODING_ONEHOT)
	{
		error_set(error, ERROR_UNSUPPORTED, "column \"%s\" is numeric and cannot be one-hot encoded", column);
		return error_hint(error, "Make it a category with \"type\": \"category\".");
	}
	return true;
}
