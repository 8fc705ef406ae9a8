/*
 * coefficients.c
 *		mlops.coefficients(model): what a linear model adds up.
 *
 * A coefficient belongs to an encoded feature.  Where that is the raw number,
 * shifted and scaled, the same model has a coefficient for the raw number:
 * score = b + w (x - center) / scale = (b - w center / scale) + (w / scale) x.
 */
#include "../registry/registry.h"

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "../cache/model_cache.h"
#include "../compat.h"
#include "../result_row.h"

PG_FUNCTION_INFO_V1(mlops_coefficients);

/* FEATURE_NOT_SUPPORTED for models of other kinds. */
static void
require_linear(const Model *model, const ModelRef *ref)
{
	if (!model_is_linear(model))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("version %d of model \"%s\" has no coefficients: it is a %s", ref->version, ref->model_name, model->algorithm->name),
				 errhint("mlops.trees('%s@%d') shows trees, mlops.importance('%s@%d') which columns matter.",
						 ref->model_name, ref->version, ref->model_name, ref->version)));
}

/* The class of a score; a binary model has one, of its positive class. */
static const char *
score_class(const Model *model, const LinearPayload *payload, uint32 score)
{
	if (model->task == TASK_REGRESSION)
		return NULL;
	return model_label(model, payload->n_scores == 1 ? model->n_outputs - 1 : score);
}

/* Whether the column's first feature is its number, shifted and scaled. */
static bool
is_number(const RecipeColumn *column)
{
	return column->encoding != ENCODING_ONEHOT;
}

/* What the raw coefficient counts: timestamps lie in microseconds, and people count seconds. */
static double
raw_units(const RecipeColumn *column)
{
	return column->kind == KIND_TIMESTAMP || column->kind == KIND_TIMESTAMPTZ ? (double) USECS_PER_SEC : 1;
}

static double
raw_scale(const RecipeColumn *column)
{
	return column->scaling == SCALING_NONE ? 1 : column->scale;
}

/* Puts one row. */
static void
put_row(ReturnSetInfo *result, const char *class, const char *term, const char *feature, const char *level, double coefficient, double raw)
{
	ResultRow	row = {.n = 0};

	row_add_text(&row, class);
	row_add_text(&row, term);
	row_add_text(&row, feature);
	row_add_text(&row, level);
	row_add_number(&row, true, coefficient);
	row_add_number(&row, true, raw);
	row_put(&row, result);
}

/* The intercept where all numbers are taken raw. */
static double
raw_intercept(const Model *model, const LinearPayload *payload, uint32 score)
{
	double		intercept = linear_intercept(payload)[score];

	for (uint32 i = 0; i < model->n_columns && payload->n_features > 0; i++)
	{
		const RecipeColumn *column = &model->columns[i];

		if (is_number(column) && column->scaling != SCALING_NONE)
			intercept -= linear_weights(payload, score)[column->first_feature] * column->center / column->scale;
	}
	return intercept;
}

/* Puts the rows of one column. */
static void
put_column(ReturnSetInfo *result, const Model *model, const char *class, const double *weights, const RecipeColumn *column)
{
	const char *name = model_string(model, column->name);
	uint32		feature = column->first_feature;

	if (is_number(column))
	{
		put_row(result, class, "value", name, NULL, weights[feature], weights[feature] / raw_scale(column) * raw_units(column));
		feature++;
	}
	else
	{
		for (uint32 level = 0; level < column->n_categories; level++, feature++)
			put_row(result, class, "level", name, model_string(model, model->categories[column->categories + level]),
					weights[feature], weights[feature]);
	}
	if (column->indicator)
		put_row(result, class, "missing", name, NULL, weights[feature], weights[feature]);
}

/* Puts all rows. */
static void
put_coefficients(ReturnSetInfo *result, const Model *model)
{
	const LinearPayload *payload = model->payload;

	for (uint32 score = 0; score < payload->n_scores; score++)
	{
		const char *class = score_class(model, payload, score);

		put_row(result, class, "intercept", NULL, NULL, linear_intercept(payload)[score], raw_intercept(model, payload, score));
		for (uint32 i = 0; i < model->n_columns && payload->n_features > 0; i++)
		{
			CHECK_FOR_INTERRUPTS();
			put_column(result, model, class, linear_weights(payload, score), &model->columns[i]);
		}
	}
}

/* mlops.coefficients(model): one row a coefficient, the intercept first. */
Datum
mlops_coefficients(PG_FUNCTION_ARGS)
{
	ModelRef	ref;

	registry_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), BARE_LIVE, RIGHT_TRAIN, &ref);
	InitMaterializedSRF(fcinfo, 0);

	CachedModel *cached = model_cache_pin(&ref);

	PG_TRY();
	{
		require_linear(&cached->model, &ref);
		put_coefficients((ReturnSetInfo *) fcinfo->resultinfo, &cached->model);
	}
	PG_FINALLY();
	{
		model_cache_unpin(cached);
	}
	PG_END_TRY();
	return (Datum) 0;
}
