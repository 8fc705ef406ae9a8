/*
 * baseline.c
 *		The constant predictor that every model should beat.
 *
 * The weighted mean of the target, or the weighted frequencies of its
 * classes: of all constants the ones with the least squared error and the
 * least log loss.
 */
#include "fit.h"

#include "../model/linear_model.h"

void
baseline_constant(const double *target, const double *weight, uint32_t n_classes, RowRange range, double *out)
{
	uint32_t	n_outputs = n_classes > 0 ? n_classes : 1;
	double		total = 0;

	for (uint32_t i = 0; i < n_outputs; i++)
		out[i] = 0;
	for (size_t row = range.begin; row < range.end; row++)
	{
		double		w = weight != NULL ? weight[row] : 1;

		if (n_classes > 0)
			out[(size_t) target[row]] += w;
		else
			out[0] += w * target[row];
		total += w;
	}
	for (uint32_t i = 0; i < n_outputs; i++)
		out[i] /= total;
}

/* Mean or frequencies of the training rows. */
bool
baseline_fit(const FitInput *input, FitOutput *output, Error *error)
{
	uint32_t	n_outputs = input->n_classes > 0 ? input->n_classes : 1;
	double	   *out = arena_alloc(input->arena, n_outputs, sizeof(double), error);

	if (out == NULL)
		return false;
	baseline_constant(input->target, input->weight, input->n_classes, input->table->train, out);
	return linear_model_write(LINEAR_CONSTANT, n_outputs, 0, out, NULL, NULL, &output->payload, error);
}

uint64_t
baseline_memory(const ParamSet *params, uint64_t n_rows, const FittedRecipe *recipe, uint32_t n_classes, int n_threads)
{
	(void) params;
	(void) n_rows;
	(void) recipe;
	(void) n_threads;
	return (uint64_t) n_classes * sizeof(double);
}
