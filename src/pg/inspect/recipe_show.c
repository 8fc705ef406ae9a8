/*
 * recipe_show.c
 *		mlops.recipe(model): how a version turns raw columns into features.
 */
#include "../registry/registry.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"

#include "../cache/model_cache.h"
#include "../compat.h"
#include "../result_row.h"

PG_FUNCTION_INFO_V1(mlops_recipe);

/* Adds the levels of a category, or NULL. */
static void
add_levels(ResultRow *row, const Model *model, const RecipeColumn *column)
{
	if (column->kind != KIND_CATEGORY)
	{
		row_add_null(row);
		return;
	}

	Datum	   *levels = palloc((column->n_categories + 1) * sizeof(Datum));

	for (uint32 i = 0; i < column->n_categories; i++)
		levels[i] = CStringGetTextDatum(model_string(model, model->categories[column->categories + i]));
	row_add(row, PointerGetDatum(construct_array(levels, (int) column->n_categories, TEXTOID, -1, false, TYPALIGN_INT)));
}

/* What a missing value becomes, or NULL. */
static const char *
fill_text(const Model *model, const RecipeColumn *column)
{
	if (column->missing == MISSING_NATIVE || column->missing == MISSING_ERROR || isnan(column->fill))
		return NULL;
	if (column->kind == KIND_CATEGORY)
		return column->fill >= 0 && column->fill < column->n_categories
			? model_string(model, model->categories[column->categories + (uint64) column->fill]) : NULL;
	return float8out_internal(column->fill);
}

/* One column of the model as a row. */
static void
fill_row(ResultRow *row, const Model *model, uint32 position)
{
	const RecipeColumn *column = &model->columns[position];
	bool		category = column->kind == KIND_CATEGORY;
	bool		scaled = column->scaling != SCALING_NONE;

	row_add(row, Int32GetDatum((int32) position + 1));
	row_add_text(row, model_string(model, column->name));
	row_add_text(row, model_string(model, column->type_name));
	row_add_text(row, kind_name((ColumnKind) column->kind));
	row_add_text(row, missing_policy_names[column->missing]);
	row_add_text(row, encoding_names[column->encoding]);
	row_add_text(row, scaling_names[column->scaling]);
	row_add_text(row, category ? unseen_policy_names[column->unseen] : NULL);
	row_add(row, BoolGetDatum(column->indicator != 0));
	add_levels(row, model, column);
	row_add_text(row, fill_text(model, column));
	row_add_number(row, scaled, column->center);
	row_add_number(row, scaled, column->scale);
	row_add_number(row, !category, column->lowest);
	row_add_number(row, !category, column->highest);
	row_add_number(row, !category, column->mean);
	row_add(row, Int64GetDatum((int64) column->n_missing));
	row_add(row, Int32GetDatum((int32) column->n_features));
}

/* mlops.recipe(model): one row a column, in the order of the signature. */
Datum
mlops_recipe(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ResultRow	row = {.n = 0};
	ModelRef	ref;

	registry_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), BARE_LIVE, RIGHT_VIEW, &ref);
	InitMaterializedSRF(fcinfo, 0);

	CachedModel *cached = model_cache_pin(&ref);

	PG_TRY();
	{
		for (uint32 i = 0; i < cached->model.n_columns; i++)
		{
			fill_row(&row, &cached->model, i);
			row_put(&row, result);
		}
	}
	PG_FINALLY();
	{
		model_cache_unpin(cached);
	}
	PG_END_TRY();
	return (Datum) 0;
}
