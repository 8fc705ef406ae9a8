/*
 * recipe_keep.c
 *		The recipe of a version, for rows that its training goes on with.
 *
 * Nothing is measured and nothing decided: levels, fills, scales and what
 * the version says that its training saw stay as they are.  Only the rows'
 * own codes of categories are translated.
 */
#include "recipe_fit.h"

#include <math.h>
#include <string.h>

/* The column in the same place has the same name, kind and storage. */
static bool
check_column(const TableColumn *column, const Model *model, const RecipeColumn *wanted, Error *error)
{
	const MatrixColumn *source = column->source;

	if (strcmp(source->name, model_string(model, wanted->name)) != 0)
		return error_set(error, ERROR_COLUMN, "there is column \"%s\" where the version to continue has \"%s\"", source->name,
						 model_string(model, wanted->name));
	if (source->kind == (ColumnKind) wanted->kind && source->storage == (ColumnStorage) wanted->storage)
		return true;
	error_set(error, ERROR_TYPE, "column \"%s\" is of type %s, but the version to continue was trained with type %s", source->name,
			  source->type_name, model_string(model, wanted->type_name));
	return error_hint(error, "Cast it in the source query.");
}

/* The model's levels, and which of them each of the table's is. */
static bool
take_levels(FittedColumn *column, const Model *model, const RecipeColumn *wanted, Arena *arena, Error *error)
{
	const TableColumn *table = column->table;
	uint32_t	n = wanted->n_categories;

	column->levels = arena_alloc(arena, n, sizeof(char *), error);
	column->level_lengths = arena_alloc(arena, n, sizeof(size_t), error);
	column->level_of_code = arena_alloc(arena, table->n_levels, sizeof(uint32_t), error);
	if (column->levels == NULL || column->level_lengths == NULL || column->level_of_code == NULL)
		return false;
	for (uint32_t level = 0; level < n; level++)
	{
		column->levels[level] = model_string(model, model->categories[wanted->categories + level]);
		column->level_lengths[level] = strlen(column->levels[level]);
	}
	for (uint32_t code = 0; code < table->n_levels; code++)
	{
		double		level = model_category(model, wanted, table->levels[code], table->level_lengths[code]);

		column->level_of_code[code] = isnan(level) ? CODE_MISSING : (uint32_t) level;
		if (!isnan(level) || !recipe_unseen_is_error(wanted))
			continue;
		error_set(error, ERROR_DATA, "column \"%s\" holds the category \"%.*s\", which the version to continue does not know",
				  table->source->name, (int) (table->level_lengths[code] < 200 ? table->level_lengths[code] : 200), table->levels[code]);
		error_detail(error, "Its recipe says \"unseen\": \"error\".");
		return error_hint(error, "Leave these rows out of the source query, or train anew.");
	}
	return true;
}

/* No row is without a value where the recipe refuses that. */
static bool
check_missing(const FittedColumn *column, const Table *table, Error *error)
{
	size_t		n_refused = 0;

	if (column->recipe.missing != MISSING_ERROR)
		return true;
	for (size_t row = 0; row < table->n_rows; row++)
		n_refused += isnan(recipe_raw(column, row)) != 0;
	if (n_refused == 0)
		return true;
	error_set(error, ERROR_DATA, "column \"%s\" has no usable value in %zu rows", column->table->source->name, n_refused);
	error_detail(error, "The recipe of the version to continue says \"missing\": \"error\"; NULL, NaN and unknown categories count as missing.");
	return error_hint(error, "Leave these rows out of the source query.");
}

bool
recipe_keep(FittedRecipe *recipe, const Table *table, const Model *model, Arena *arena, Error *error)
{
	if (table->n_features != model->n_columns)
		return error_set(error, ERROR_COLUMN, "the rows have %u feature columns, but the version to continue has %u", table->n_features,
						 model->n_columns);
	recipe->n_columns = model->n_columns;
	recipe->n_features = model->n_features;
	recipe->columns = arena_zeroed(arena, model->n_columns, sizeof(FittedColumn), error);
	if (recipe->columns == NULL)
		return false;
	for (uint32_t c = 0; c < model->n_columns; c++)
	{
		FittedColumn *column = &recipe->columns[c];

		column->recipe = model->columns[c];
		column->table = &table->features[c];
		if (!check_column(column->table, model, &model->columns[c], error))
			return false;
		if (column->recipe.storage == STORAGE_CODE && !take_levels(column, model, &model->columns[c], arena, error))
			return false;
		if (!check_missing(column, table, error))
			return false;
	}
	return true;
}
