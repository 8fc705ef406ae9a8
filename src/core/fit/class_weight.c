/*
 * class_weight.c
 *		Weights of rows by their class.
 */
#include "class_weight.h"

#include <math.h>
#include <string.h>

/* Factors of balanced classes. */
static bool
balance(const FitInput *input, double *factors, Error *error)
{
	RowRange	train = input->table->train;
	size_t	   *counts = arena_zeroed(input->arena, input->n_classes, sizeof(size_t), error);

	if (counts == NULL)
		return false;
	for (size_t i = train.begin; i < train.end; i++)
		counts[(uint32_t) input->target[i]]++;
	for (uint32_t k = 0; k < input->n_classes; k++)
	{
		if (counts[k] > 0)
			factors[k] = (double) range_rows(train) / ((double) input->n_classes * (double) counts[k]);
	}
	return true;
}

/* Factors by label; the keys are known to be labels. */
static void
take_map(const FitInput *input, const ParamMap *map, double *factors)
{
	for (uint32_t e = 0; e < map->n; e++)
	{
		for (uint32_t k = 0; k < input->n_classes; k++)
		{
			if (strcmp(input->labels[k], map->entries[e].key) == 0)
				factors[k] = map->entries[e].value;
		}
	}
}

bool
class_weights(const FitInput *input, const double **weight, Error *error)
{
	const ParamSet *params = input->params;
	const ParamMap *map = params_map(params, "class_weight");
	bool		balanced = params_get(params, "class_weight") == 1;
	double		positive = params_get(params, "scale_pos_weight");
	bool		scaled = input->n_classes == 2 && positive > 0 && positive != 1;

	*weight = input->weight;
	if (input->n_classes == 0 || (map == NULL && !balanced && !scaled))
		return true;

	double	   *factors = arena_alloc(input->arena, input->n_classes, sizeof(double), error);
	double	   *weights = arena_alloc(input->arena, input->table->n_rows, sizeof(double), error);

	if (factors == NULL || weights == NULL)
		return false;
	for (uint32_t k = 0; k < input->n_classes; k++)
		factors[k] = 1;
	if (balanced && !balance(input, factors, error))
		return false;
	if (map != NULL)
		take_map(input, map, factors);
	if (scaled)
		factors[1] *= positive;

	double		sum = 0;

	for (size_t i = 0; i < input->table->n_rows; i++)
	{
		weights[i] = (input->weight != NULL ? input->weight[i] : 1) * factors[(uint32_t) input->target[i]];
		sum += weights[i];
	}
	*weight = weights;
	if (isfinite(sum))
		return true;
	error_set(error, ERROR_DATA, "the weights of the rows, multiplied by class_weight and scale_pos_weight, are too large to be added up");
	return error_hint(error, "Lower these parameters, or scale the weights down in the source query.");
}
