/*
 * recipe_show.c
 *		mlops.recipe(model): how a version turns raw columns into features.
 */
#include "registry.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"

#include "compat.h"
#include "model_cache.h"

#define RECIPE_COLUMNS 18		/* of the result */

PG_FUNCTION_INFO_V1(mlops_recipe);

/* A row being put together. */
typedef struct RecipeRow
{
	Datum		values[RECIPE_COLUMNS];
	bool		nulls[RECIPE_COLUMNS];
	int			n;
} RecipeRow;

/* Adds a value. */
static void
add_value(RecipeRow *row, Datum value)
{
	row->nulls[row->n] = false;
	row->values[row->n++] = value;
}

/* Adds NULL. */
static void
add_null(RecipeRow *row)
{
	row->nulls[row->n] = true;
	row->values[row->n++] = (Datum) 0;
}

/* Adds a text, or NULL. */
static void
add_text(RecipeRow *row, const char *text)
{
	if (text == NULL)
		add_null(row);
	else
		add_value(row, CStringGetTextDatum(text));
}

/* Adds a number; NULL where it is none, or does not apply. */
static void
add_number(RecipeRow *row, bool applies, double number)
{
	if (!applies || isnan(number))
		add_null(row);
	else
		add_value(row, Float8GetDatum(number));
}

/* Adds the levels of a category, or NULL. */
static void
add_levels(RecipeRow *row, const Model *model, const RecipeColumn *column)
{
	if (column->kind != KIND_CATEGORY)
	{
		add_null(row);
		return;
	}

	Datum	   *levels = palloc((column->n_categories + 1) * sizeof(Datum));

	for (uint32 i = 0; i < column->n_categories; i++)
		levels[i] = CStringGetTextDatum(model_string(model, model->categories[column->categories + i]));
	add_value(row, PointerGetDatum(construct_array(levels, (int) column->n_categories, TEXTOID, -1, false, TYPALIGN_INT)));
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
fill_row(RecipeRow *row, const Model *model, uint32 position)
{
	const RecipeColumn *column = &model->columns[position];
	bool		category = column->kind == KIND_CATEGORY;
	bool		scaled = column->scaling != SCALING_NONE;

	row->n = 0;
	add_value(row, Int32GetDatum((int32) position + 1));
	add_text(row, model_string(model, column->name));
	add_text(row, model_string(model, column->type_name));
	add_text(row, kind_name((ColumnKind) column->kind));
	add_text(row, missing_policy_names[column->missing]);
	add_text(row, encoding_names[column->encoding]);
	add_text(row, scaling_names[column->scaling]);
	add_text(row, category ? unseen_policy_names[column->unseen] : NULL);
	add_value(row, BoolGetDatum(column->indicator != 0));
	add_levels(row, model, column);
	add_text(row, fill_text(model, column));
	add_number(row, scaled, column->center);
	add_number(row, scaled, column->scale);
	add_number(row, !category, column->lowest);
	add_number(row, !category, column->highest);
	add_number(row, !category, column->mean);
	add_value(row, Int64GetDatum((int64) column->n_missing));
	add_value(row, Int32GetDatum((int32) column->n_features));
	Assert(row->n == RECIPE_COLUMNS);
}

/* mlops.recipe(model): one row a column, in the order of the signature. */
Datum
mlops_recipe(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ModelRef	ref;

	registry_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), BARE_LIVE, RIGHT_VIEW, &ref);
	InitMaterializedSRF(fcinfo, 0);

	CachedModel *cached = model_cache_pin(&ref);

	PG_TRY();
	{
		for (uint32 i = 0; i < cached->model.n_columns; i++)
		{
			RecipeRow	row;

			fill_row(&row, &cached->model, i);
			tuplestore_putvalues(result->setResult, result->setDesc, row.values, row.nulls);
		}
	}
	PG_FINALLY();
	{
		model_cache_unpin(cached);
	}
	PG_END_TRY();
	return (Datum) 0;
}
