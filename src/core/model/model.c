/*
 * model.c
 *		The model format: lookups, encoding and prediction.
 *
 * Everything here trusts a Model, because model_open() (model_open.c) lets
 * no other through.  Nothing allocates, locks or writes to the model.
 */
#include "model.h"

#include <math.h>
#include <string.h>

#include "../algorithm.h"
#include "../hash.h"

int
model_find_label(const Model *model, const char *label)
{
	if (model->task == TASK_REGRESSION)
		return -1;
	for (uint32_t i = 0; i < model->n_outputs; i++)
	{
		if (strcmp(model_label(model, i), label) == 0)
			return (int) i;
	}
	return -1;
}

const char *
model_label(const Model *model, uint32_t class_index)
{
	return model_string(model, model->labels[class_index]);
}

/* Whether a text of the model is this one; both are short mostly, and a loop costs less than two calls. */
static inline bool
same_text(const char *known, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
	{
		if (known[i] != text[i] || known[i] == '\0')
			return false;
	}
	return known[length] == '\0';
}

double
model_category(const Model *model, const RecipeColumn *column, const char *text, size_t length)
{
	if (column->n_slots == 0)
		return NAN;

	const uint64_t *levels = model->categories + column->categories;
	const uint32_t *slots = model->slots + column->slots;
	uint32_t	mask = column->n_slots - 1;
	uint32_t	slot = (uint32_t) hash64_bytes(text, length) & mask;

	/* ends: there are more slots than levels */
	for (; slots[slot] != 0; slot = (slot + 1) & mask)
	{
		uint32_t	level = slots[slot] - 1;

		if (same_text(model_string(model, levels[level]), text, length))
			return level;
	}
	return NAN;
}

bool
model_encode_column(const Model *model, uint32_t i, double raw, double *features, Error *error)
{
	const RecipeColumn *column = &model->columns[i];

	if (recipe_encode(column, raw, features + column->first_feature))
		return true;
	error_set(error, ERROR_DATA, "missing value in column \"%s\"", model_string(model, column->name));
	error_detail(error, "The model was trained with \"missing\": \"error\" for this column.");
	return error_hint(error, "Give a value, or train with another policy for missing values.");
}

bool
model_encode(const Model *model, const double *raw, double *features, Error *error)
{
	for (uint32_t i = 0; i < model->n_columns; i++)
	{
		if (!model_encode_column(model, i, raw[i], features, error))
			return false;
	}
	return true;
}

bool
model_predict(const Model *model, const double *raw, double *features, double *out, Error *error)
{
	if (!model_encode(model, raw, features, error))
		return false;
	model->algorithm->predict(model, features, out);
	return true;
}

uint32_t
model_best_class(const double *out, uint32_t n_outputs)
{
	uint32_t	best = 0;

	for (uint32_t i = 1; i < n_outputs; i++)
	{
		if (out[i] > out[best])
			best = i;
	}
	return best;
}
