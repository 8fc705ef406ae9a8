/*
 * baseline.c
 *		The constant predictor that every model should beat.
 *
 * The weighted mean of the target, or the weighted frequencies of its
 * classes: of all constants the ones with the least squared error and the
 * least log loss.
 */
#include "fit.h"

#include "../linear_model.h"

/* Mean or frequencies of the training rows. */
bool
baseline_fit(const FitInput *input, FitOutput *output, Error *error)
{
	uint32_t	n_outputs = input->n_classes > 0 ? input->n_classes : 1;
	double	   *out = arena_zeroed(input->arena, n_outputs, sizeof(double), error);
	double		total = 0;

	if (out == NULL)
		return false;
	for (size_t row = input->table->train.begin; row < input->table->train.end; row++)
	{
		double		weight = input->weight != NULL ? input->weight[row] : 1;

		if (input->n_classes > 0)
			out[(size_t) input->target[row]] += weight;
		else
			out[0] += weight * input->target[row];
		total += weight;
	}
	for (uint32_t i = 0; i < n_outputs; i++)
		out[i] /= total;
	return linear_model_write(LINEAR_CONSTANT, n_outputs, 0, out, NULL, &output->payload, error);
}

uint64_t
baseline_memory(const ParamSet *params, uint64_t n_rows, const FittedRecipe *recipe, uint32_t n_classes)
{
	(void) params;
	(void) n_rows;
	(void) recipe;
	return (uint64_t) n_classes * sizeof(double);
}
