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

#include <string.h>


/* The objective that auto means. */
static ObjectiveId
plain_objective(const ParamSet *params, Task task)
{
	ObjectiveId objective = (ObjectiveId) params_get(params, "objective");

	if (objective != OBJECTIVE_AUTO)
		return objective;
	return task == TASK_REGRESSION ? OBJECTIVE_SQUARED_ERROR : task == TASK_BINARY ? OBJECTIVE_LOGISTIC : OBJECTIVE_SOFTMAX;
}

/* The word of an objective. */
static void
objective_word(const ParamSet *params, ObjectiveId objective, char *out, size_t out_size)
{
	for (int i = 0; i < params->n; i++)
	{
		if (strcmp(params->specs[i].name, "objective") == 0)
			params_value_text(&params->specs[i], objective, out, out_size);
	}
}

/* Old trees were grown for the directions that are given: what they predict stays part of every prediction. */
static bool
check_directions(const ParamSet *params, const ParamSet *was, Error *error)
{
	const ParamMap *asked = params_map(params, "monotone_constraints");
	const ParamMap *kept = params_map(was, "monotone_constraints");

	for (uint32_t i = 0; asked != NULL && i < asked->n; i++)
	{
		bool		held = asked->entries[i].value == 0;

		for (uint32_t k = 0; kept != NULL && k < kept->n; k++)
			held |= strcmp(asked->entries[i].key, kept->entries[k].key) == 0 && asked->entries[i].value == kept->entries[k].value;
		if (held)
			continue;
		error_set(error, ERROR_PARAMETER, "parameter \"monotone_constraints\" gives column \"%s\" a direction that the version to continue was not trained with",
				  asked->entries[i].key);
		error_detail(error, "Its trees are kept, and need not follow that direction.");
		return error_hint(error, "Leave \"monotone_constraints\" out: it stays what it was; or train anew.");
	}
	return true;
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
		char		objective[32] = "";
		char		other[32] = "";

		objective_word(params, plain_objective(params, task), objective, sizeof(objective));
		objective_word(was, plain_objective(was, task), other, sizeof(other));
		error_set(error, ERROR_PARAMETER, "the objective is %s, but the version to continue was trained with %s", objective, other);
		return error_hint(error, "Leave \"objective\" out: it stays what it was.");
	}
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
	{
		if (!check_same(params, was, shapes[i], error))
			return false;
	}
	return check_directions(params, was, error) && params_inherit(params, was, error);
}
