/*
 * boosting_params.c
 *		The parameters of gradient boosting, from their names to what the fit takes.
 */
#include "boosting.h"

#include <math.h>

#include "../../mathfun.h"

/* Largest steps where none is given: XGBoost's for poisson; for other logarithms of means, what never binds but at the ends. */
#define POISSON_MAX_DELTA_STEP 0.7
#define LOG_MAX_DELTA_STEP 10

/* The largest value of a leaf, or 0. */
static double
read_max_delta_step(const ParamSet *params, ObjectiveId objective)
{
	double		given = params_number(params, "max_delta_step");

	if (!isnan(given))
		return given;
	if (objective == OBJECTIVE_POISSON)
		return POISSON_MAX_DELTA_STEP;
	return objective == OBJECTIVE_GAMMA || objective == OBJECTIVE_TWEEDIE ? LOG_MAX_DELTA_STEP : 0;
}

/* What the objective has beside its name. */
static double
read_shape(const ParamSet *params, ObjectiveId objective)
{
	switch (objective)
	{
		case OBJECTIVE_ABSOLUTE_ERROR:
			return 0.5;
		case OBJECTIVE_HUBER:
			return params_get(params, "huber_delta");
		case OBJECTIVE_QUANTILE:
			return params_get(params, "quantile_alpha");
		case OBJECTIVE_POISSON:
			return math_exp(read_max_delta_step(params, objective));
		case OBJECTIVE_TWEEDIE:
			return params_get(params, "tweedie_variance_power");
		default:
			return 0;
	}
}

/* The parameters by name. */
BoostingParams
boosting_read_params(const ParamSet *params)
{
	ObjectiveId objective = (ObjectiveId) params_get(params, "objective");
	double		max_delta_step = read_max_delta_step(params, objective);
	double		bound = max_delta_step > 0 ? max_delta_step : INFINITY;
	uint32_t	depth = (uint32_t) params_get(params, "max_depth");

	return (BoostingParams)
	{
		.objective = objective,
		.shape = read_shape(params, objective),
		.base_score = params_number(params, "base_score"),
		.n_rounds = (int) params_get(params, "n_estimators"),
		.subsample = params_get(params, "subsample"),
		.columns = {
			.by_tree = params_get(params, "colsample_bytree"),
			.by_level = params_get(params, "colsample_bylevel"),
			.by_node = params_get(params, "colsample_bynode")
		},
		.max_bin = (uint32_t) params_get(params, "max_bin"),
		.grow = {
			.split = {
				.lambda = params_get(params, "reg_lambda"),
				.alpha = params_get(params, "reg_alpha"),
				.gamma = params_get(params, "gamma"),
				.min_child_weight = params_get(params, "min_child_weight"),
				.max_onehot = (uint32_t) params_get(params, "max_cat_to_onehot"),
				.max_cat_threshold = (uint32_t) params_get(params, "max_cat_threshold"),
				.cat_smooth = params_get(params, "cat_smooth"),
				.min_category_rows = params_get(params, "min_category_rows"),
				.min_rows = (int64_t) params_get(params, "min_samples_leaf"),
				.bounded = max_delta_step > 0 || params_map(params, "monotone_constraints") != NULL,
				.lowest = -bound,
				.highest = bound
			},
			.max_depth = depth > 0 ? depth : UINT32_MAX,
			.max_leaves = (uint32_t) params_get(params, "max_leaves"),
			.by_gain = params_get(params, "grow_policy") == 1,
			.counts_rows = params_get(params, "min_samples_leaf") > 1,
			.learning_rate = params_get(params, "learning_rate")
		}
	};
}
