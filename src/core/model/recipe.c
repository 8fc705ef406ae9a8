/*
 * recipe.c
 *		How a raw value becomes features, and the names of the policies.
 *
 * There is one encoder: the fit and every prediction go through it, so that
 * both see the same features bit for bit.
 */
#include "recipe.h"

#include <string.h>

const char *const missing_policy_names[] = {"default", "native", "mean", "median", "most_frequent", "zero", "error", NULL};
const char *const encoding_names[] = {"default", "native", "onehot", "ordinal", NULL};
const char *const scaling_names[] = {"default", "none", "standard", "minmax", NULL};
const char *const unseen_policy_names[] = {"default", "missing", "error", NULL};
const char *const indicator_policy_names[] = {"default", "never", "auto", NULL};

bool
recipe_encode(const RecipeColumn *column, double raw, double *features)
{
	double		value = column->storage == STORAGE_FLOAT32 ? (double) (float) raw : raw;
	bool		missing = value != value;

	if (missing && column->missing != MISSING_NATIVE)
	{
		if (column->missing == MISSING_ERROR)
			return false;
		value = column->fill;
	}

	if (column->encoding == ENCODING_ONEHOT)
	{
		memset(features, 0, column->n_categories * sizeof(double));
		if (value >= 0 && value < column->n_categories)
			features[(uint32_t) value] = 1.0;
		features += column->n_categories;
	}
	else
	{
		*features++ = column->scaling == SCALING_NONE ? value : (value - column->center) / column->scale;
	}
	if (column->indicator)
		*features = missing ? 1.0 : 0.0;
	return true;
}
