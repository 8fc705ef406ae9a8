/*
 * algorithm_continue.c
 *		Parameters of a training that goes on from a version.
 *
 * New trees correct the scores of the old ones, so all of them must be made
 * for one loss, and the scores that the old ones began with stay.  All else
 * may change from one training to the next, and stays as it was where it is
 * not given.
 */
#include "algorithm.h"


/* The objective that auto means. */
static ObjectiveId
plain_objective(const ParamSet *params, Task task)
{
	ObjectiveId objective = (ObjectiveId) params_get(params, "objective");

	if (objective != OBJECTIVE_AUTO)
		return objective;
	return task == TASK_REGRESSION ? OBJECTIVE_SQUARED_ERROR : task == TASK_BINARY ? OBJECTIVE_LOGISTIC : OBJECTIVE_SOFTMAX;
}

/* A number of the loss that is given anew is what it was. */
static bool
check_same(const ParamSet *params, const ParamSet *was, const char *name, Error *error)
{
	if (!params_is_given(params, name) || params_get(params, name) == params_get(was, name))
		return true;
	error_set(error, ERROR_PARAMETER, "parameter \"%s\" is %g, but the version to continue was trained with %g", name,
			  params_get(params, name), params_get(was, name));
	return error_hint(error, "Leave \"%s\" out: it stays what it was.", name);
}

bool
algorithm_continue(ParamSet *params, const ParamSet *was, Task task, Error *error)
{
	static const char *const shapes[] = {"huber_delta", "quantile_alpha", "tweedie_variance_power"};

	if (params_is_given(params, "base_score"))
	{
		error_set(error, ERROR_PARAMETER, "parameter \"base_score\" cannot be given with init_model");
		return error_hint(error, "Leave \"base_score\" out: the version to continue has one, which is kept.");
	}
	if (params_is_given(params, "objective") && plain_objective(params, task) != plain_objective(was, task))
	{
		char		objective[32];
		char		other[32];

		params_word(params, "objective", objective, sizeof(objective));
		params_word(was, "objective", other, sizeof(other));
		error_set(error, ERROR_PARAMETER, "the objective is %s, but the version to continue was trained with %s", objective, other);
		return error_hint(error, "Leave \"objective\" out: it stays what it was.");
	}
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
	{
		if (!check_same(params, was, shapes[i], error))
			return false;
	}
	return params_inherit(params, was, error);
}
