/*
 * explain.c
 *		Explainers, and the Shapley values of linear models.
 */
#include "explain_internal.h"

#include <stdlib.h>
#include <string.h>

#include "../model/linear_model.h"
#include "../model/tree_inspect.h"

/* Whose feature each is, and room for a row. */
static bool
map_features(Explainer *explainer, const Model *model, Error *error)
{
	explainer->columns = arena_alloc(&explainer->arena, model->n_features, sizeof(uint32_t), error);
	explainer->row = arena_alloc(&explainer->arena, model->n_columns, sizeof(double), error);
	if (explainer->columns == NULL || explainer->row == NULL)
		return false;
	for (uint32_t c = 0; c < model->n_columns; c++)
	{
		for (uint32_t part = 0; part < model->columns[c].n_features; part++)
			explainer->columns[model->columns[c].first_feature + part] = c;
	}
	return true;
}

/* Copies coefficients and means; a constant has neither. */
static bool
prepare_linear(Explainer *explainer, const Model *model, uint32_t output, Error *error)
{
	const LinearPayload *payload = model->payload;
	uint32_t	score = payload->n_scores > 1 ? output : 0;
	size_t		size = payload->n_features * sizeof(double);

	explainer->base = linear_intercept(payload)[score];
	if (payload->n_features == 0)
		return true;
	explainer->weights = arena_copy(&explainer->arena, linear_weights(payload, score), size, error);
	explainer->means = arena_copy(&explainer->arena, linear_means(payload), size, error);
	if (explainer->weights == NULL || explainer->means == NULL)
		return false;
	for (uint32_t j = 0; j < payload->n_features; j++)
		explainer->base += explainer->weights[j] * explainer->means[j];
	return true;
}

static bool
prepare_trees(Explainer *explainer, const Model *model, uint32_t output, Error *error)
{
	const TreePayload *head = tree_payload(model);

	explainer->base = tree_base_score(model, head->n_groups > 1 ? output : 0);
	if (!explain_prepare_trees(explainer, model, output, error))
		return false;
	if (tree_leaves_are_averaged(model))
	{
		explainer->scale /= head->n_trees;
		explainer->base /= head->n_trees;
	}
	return true;
}

/* Whether the model's one score is that of the second of two classes, and the first is asked for. */
static bool
is_other_class(const Model *model, uint32_t output)
{
	if (model->task != TASK_BINARY || output == 1)
		return false;
	return model_has_trees(model) || ((const LinearPayload *) model->payload)->n_scores == 1;
}

/* One output of a model, ready. */
Explainer *
explainer_create(const Model *model, uint32_t output, ExplainStop stop, Error *error)
{
	Explainer  *explainer = calloc(1, sizeof(Explainer));
	bool		other = is_other_class(model, output);

	if (explainer == NULL)
	{
		error_set(error, ERROR_MEMORY, "out of memory");
		return NULL;
	}
	arena_init(&explainer->arena);
	explainer->n_features = model->n_features;
	explainer->n_columns = model->n_columns;
	explainer->scale = 1;
	explainer->stop = stop;
	if (!map_features(explainer, model, error) ||
		!(model_has_trees(model) ? prepare_trees : prepare_linear) (explainer, model, output, error))
	{
		explainer_free(explainer);
		return NULL;
	}
	if (other)
	{
		/* log odds change their sign; a share becomes the rest */
		bool		share = model_has_trees(model) && tree_leaves_are_averaged(model);

		explainer->base = share ? 1 - explainer->base : -explainer->base;
		explainer->scale = -explainer->scale;
	}
	return explainer;
}

void
explainer_free(Explainer *explainer)
{
	arena_free(&explainer->arena);
	free(explainer);
}

size_t
explainer_size(const Explainer *explainer)
{
	return sizeof(Explainer) + explainer->arena.total;
}

double
explainer_base(const Explainer *explainer)
{
	return explainer->base;
}

/* What each column of a linear model adds beyond its mean. */
static void
linear_row(const Explainer *explainer, const double *features, double *contributions)
{
	memset(contributions, 0, explainer->n_columns * sizeof(double));
	for (uint32_t j = 0; j < explainer->n_features && explainer->weights != NULL; j++)
		contributions[explainer->columns[j]] += explainer->weights[j] * (features[j] - explainer->means[j]);
}

/* Whether any feature is missing. */
static bool
any_missing(const Explainer *explainer, const double *features)
{
	bool		any = false;

	for (uint32_t j = 0; j < explainer->n_features; j++)
		any |= features[j] != features[j];
	return any;
}

/* The contributions of one row. */
bool
explain_row(Explainer *explainer, const double *features, double *contributions)
{
	if (explainer->trees == NULL)
		linear_row(explainer, features, contributions);
	else if (!explain_trees_row(explainer, features, any_missing(explainer, features), contributions))
		return false;
	for (uint32_t c = 0; c < explainer->n_columns; c++)
		contributions[c] *= explainer->scale;
	return true;
}

/* Interactions of one row: what is left of a contribution is the column's own. */
bool
explain_row_pairs(Explainer *explainer, const double *features, double *matrix)
{
	size_t		n = explainer->n_columns;

	memset(matrix, 0, n * n * sizeof(double));
	if (n == 0)
		return true;
	if (explainer->trees != NULL)
	{
		if (!explain_trees_pairs(explainer, features, any_missing(explainer, features), matrix))
			return false;
		for (size_t i = 0; i < n * n; i++)
			matrix[i] *= explainer->scale;
	}

	/* the diagonal is 0 so far */
	double	   *contributions = explainer->row;

	if (!explain_row(explainer, features, contributions))
		return false;
	for (size_t c = 0; c < n; c++)
	{
		double		shared = 0;

		for (size_t other = 0; other < n; other++)
			shared += matrix[c * n + other];
		matrix[c * n + c] = contributions[c] - shared;
	}
	return true;
}
