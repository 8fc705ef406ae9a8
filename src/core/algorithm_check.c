/*
 * algorithm_check.c
 *		Combinations of parameters that their ranges cannot express.
 */
#include "algorithm_check.h"

#include <math.h>
#include <string.h>

#include "model/metric_names.h"

Task
objective_task(ObjectiveId objective)
{
	switch (objective)
	{
		case OBJECTIVE_AUTO:
			break;
		case OBJECTIVE_SQUARED_ERROR:
		case OBJECTIVE_ABSOLUTE_ERROR:
		case OBJECTIVE_HUBER:
		case OBJECTIVE_QUANTILE:
		case OBJECTIVE_POISSON:
		case OBJECTIVE_GAMMA:
		case OBJECTIVE_TWEEDIE:
			return TASK_REGRESSION;
		case OBJECTIVE_LOGISTIC:
			return TASK_BINARY;
		case OBJECTIVE_SOFTMAX:
			return TASK_MULTICLASS;
	}
	return 0;
}

/* A parameter that one objective alone has. */
static bool
check_objective_param(const ParamSet *params, const char *name, ObjectiveId wanted, const char *wanted_name, Error *error)
{
	if (!params_is_given(params, name) || (ObjectiveId) params_get(params, "objective") == wanted)
		return true;
	error_set(error, ERROR_PARAMETER, "parameter \"%s\" belongs to the objective %s", name, wanted_name);
	return error_hint(error, "Set \"objective\": \"%s\", or leave \"%s\" out.", wanted_name, name);
}

/* The base score is a prediction that the link can reach. */
static bool
check_base_score(const ParamSet *params, Task task, Error *error)
{
	ObjectiveId objective = (ObjectiveId) params_get(params, "objective");
	double		base = params_number(params, "base_score");
	bool		logarithm = objective == OBJECTIVE_POISSON || objective == OBJECTIVE_GAMMA || objective == OBJECTIVE_TWEEDIE;

	if (isnan(base))
		return true;
	if (task == TASK_MULTICLASS)
	{
		error_set(error, ERROR_PARAMETER, "parameter \"base_score\" is one number, but multiclass starts from one a class");
		return error_hint(error, "Leave \"base_score\" out: it is the frequencies of the classes.");
	}
	if (task == TASK_BINARY && !(base > 0 && base < 1))
		return error_set(error, ERROR_PARAMETER, "parameter \"base_score\" is %g, but the probability of a class lies between 0 and 1", base);
	if (logarithm && !(base > 0))
		return error_set(error, ERROR_PARAMETER, "parameter \"base_score\" is %g, but this objective predicts numbers above 0", base);
	return true;
}

/* Constraints hold for leaves that are what their sums say. */
static bool
check_monotone(const ParamSet *params, Error *error)
{
	ObjectiveId objective = (ObjectiveId) params_get(params, "objective");

	if (params_map(params, "monotone_constraints") == NULL ||
		(objective != OBJECTIVE_ABSOLUTE_ERROR && objective != OBJECTIVE_QUANTILE))
		return true;
	error_set(error, ERROR_PARAMETER, "parameter \"monotone_constraints\" cannot be used with the objective %s, whose leaves are refitted",
			  objective == OBJECTIVE_QUANTILE ? "quantile" : "absolute_error");
	return error_hint(error, "Use the objective huber or squared_error.");
}

/* Weights by class are for classes. */
static bool
check_class_weights(const ParamSet *params, Task task, Error *error)
{
	const char *asked = params_is_given(params, "class_weight") && task == TASK_REGRESSION ? "class_weight"
		: params_is_given(params, "scale_pos_weight") && task != TASK_BINARY ? "scale_pos_weight" : NULL;

	if (asked == NULL)
		return true;
	error_set(error, ERROR_PARAMETER, "parameter \"%s\" weighs %s, but the task is %s", asked,
			  strcmp(asked, "class_weight") == 0 ? "classes" : "the positive of two classes", task_name(task));
	return error_hint(error, task == TASK_REGRESSION ? "Use the argument \"weight\"." : "Use \"class_weight\".");
}

/* What early stopping goes by is a metric of the task, and is not asked for in vain. */
static bool
check_early_stopping(const ParamSet *params, Task task, Error *error)
{
	static const char *const names[] = {"early_stopping_metric", "early_stopping_min_delta"};
	char		metric[32];

	for (int i = 0; i < (int) (sizeof(names) / sizeof(names[0])); i++)
	{
		if (params_is_given(params, names[i]) && params_get(params, "early_stopping_rounds") == 0)
		{
			error_set(error, ERROR_PARAMETER, "parameter \"%s\" needs early_stopping_rounds", names[i]);
			return error_hint(error, "Set \"early_stopping_rounds\", such as 20, and \"validation\" in the split, such as 0.1.");
		}
	}
	params_word(params, "early_stopping_metric", metric, sizeof(metric));
	return strcmp(metric, "loss") == 0 || metric_check(metric, task, error);
}

/* The objective, where it is given, fits the task; all parameters fit both. */
bool
gradient_boosting_check(const ParamSet *params, Task task, Error *error)
{
	Task		asked = objective_task((ObjectiveId) params_get(params, "objective"));
	char		objective[32];

	if (params_get(params, "max_leaves") == 1)
	{
		error_set(error, ERROR_PARAMETER, "parameter \"max_leaves\" is 1, but a tree of one leaf tells no rows apart");
		return error_hint(error, "Use 2 or more; 0 means no limit.");
	}
	if (asked == 0 || asked == task)
		return check_objective_param(params, "huber_delta", OBJECTIVE_HUBER, "huber", error) &&
			check_objective_param(params, "quantile_alpha", OBJECTIVE_QUANTILE, "quantile", error) &&
			check_objective_param(params, "tweedie_variance_power", OBJECTIVE_TWEEDIE, "tweedie", error) &&
			check_base_score(params, task, error) && check_monotone(params, error) && check_class_weights(params, task, error) &&
			check_early_stopping(params, task, error);
	params_word(params, "objective", objective, sizeof(objective));
	error_set(error, ERROR_PARAMETER, "the objective %s is for the task %s, but the task is %s", objective, task_name(asked), task_name(task));
	return error_hint(error, "Leave \"objective\" out: it follows the task.");
}

/* The criterion and weights by class fit the task, and a number of features is whole. */
bool
forest_check(const ParamSet *params, Task task, Error *error)
{
	int			criterion = (int) params_get(params, "criterion");
	double		max_features = params_get(params, "max_features");

	if (criterion != 0 && (criterion == 1) != (task == TASK_REGRESSION))
	{
		error_set(error, ERROR_PARAMETER, "the criterion is one of a %s, but the task is %s", criterion == 1 ? "regression" : "classification",
				  task_name(task));
		return error_hint(error, "Leave \"criterion\" out: it follows the task.");
	}
	if (max_features > 1 && max_features != floor(max_features))
	{
		error_set(error, ERROR_PARAMETER, "invalid value for parameter \"max_features\": %g", max_features);
		return error_detail(error, "From 1 on it is a number of features, and must be whole.");
	}
	return check_class_weights(params, task, error);
}
