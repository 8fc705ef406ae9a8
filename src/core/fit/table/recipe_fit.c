/*
 * recipe_fit.c
 *		Fitting the recipe on the training rows.
 *
 * First every plan is checked against its column's kind; then the columns are
 * measured (recipe_measure.c, on all threads); then the recipe of each is
 * decided.  Scaling is measured on what the model will see: on the values
 * after filling.  All memory belongs to the arena.
 */
#include "recipe_fit.h"

#include <math.h>
#include <string.h>

#include "recipe_measure.h"

static bool
is_category(const FittedColumn *column)
{
	return column->recipe.kind == KIND_CATEGORY;
}

/* A policy that the column's kind does not allow. */
static bool
refuse_policy(const FittedColumn *column, const char *policy, const char *name, Error *error)
{
	return error_set(error, ERROR_PARAMETER, "column \"%s\" is %s: \"%s\": \"%s\" does not fit it",
					 column->table->source->name, is_category(column) ? "a category" : "a number", policy, name);
}

/* Takes over the plan, where it fits the kind. */
static bool
take_plan(FittedColumn *column, const TableColumn *source, const RecipePlan *plan, Error *error)
{
	RecipeColumn *recipe = &column->recipe;

	column->table = source;
	recipe->kind = (uint8_t) source->source->kind;
	recipe->storage = (uint8_t) source->source->storage;
	recipe->missing = plan->missing;
	recipe->encoding = plan->encoding;
	recipe->scaling = plan->scaling;
	recipe->unseen = plan->unseen;
	recipe->scale = 1;

	if (is_category(column))
	{
		if (plan->missing == MISSING_MEAN || plan->missing == MISSING_MEDIAN || plan->missing == MISSING_ZERO)
		{
			refuse_policy(column, "missing", missing_policy_names[plan->missing], error);
			return error_hint(error, "Use \"most_frequent\", \"native\" or \"error\" for this column.");
		}
		/* "*": {"scaling": ...} is meant for the numbers: indicators of levels stay 0 and 1, and an index has no scale */
		if (plan->encoding != ENCODING_ORDINAL)
			recipe->scaling = SCALING_NONE;
		return true;
	}
	if (plan->encoding == ENCODING_ONEHOT)
	{
		refuse_policy(column, "encoding", encoding_names[plan->encoding], error);
		return error_hint(error, "Make it a category with \"type\": \"category\".");
	}
	/* an ordinal number is the number */
	recipe->encoding = ENCODING_NATIVE;
	return true;
}

/* ---- Levels ---- */

/* Keeps the most frequent levels, at most max of them, ties by bytes; maps codes to kept levels. */
static bool
keep_levels(FittedColumn *column, ColumnMeasure *measure, uint32_t max, ThreadPool *pool, Arena *arena, Arena *scratch,
			Error *error)
{
	const TableColumn *table = column->table;
	SortItem   *items = arena_alloc(scratch, table->n_levels, sizeof(SortItem), error);
	SortItem   *spare = arena_alloc(scratch, table->n_levels, sizeof(SortItem), error);
	uint32_t	n_seen = 0;

	column->level_of_code = arena_alloc(arena, table->n_levels, sizeof(uint32_t), error);
	if (items == NULL || spare == NULL || column->level_of_code == NULL)
		return false;
	for (uint32_t code = 0; code < table->n_levels; code++)
	{
		column->level_of_code[code] = CODE_MISSING;
		if (measure->counts[code] > 0)
			items[n_seen++] = (SortItem) {~measure->counts[code], code, 0};
	}
	if (!sort_by_key(items, spare, n_seen, pool, scratch, error))
		return false;
	if (max == 0 || max > MAX_CATEGORIES)
		max = MAX_CATEGORIES;

	uint32_t	n_kept = n_seen < max ? n_seen : max;

	for (uint32_t i = 0; i < n_kept; i++)
		column->level_of_code[items[i].index] = 0;
	column->levels = arena_alloc(arena, n_kept, sizeof(char *), error);
	column->level_lengths = arena_alloc(arena, n_kept, sizeof(size_t), error);
	if (column->levels == NULL || column->level_lengths == NULL)
		return false;
	for (uint32_t code = 0, level = 0; code < table->n_levels; code++)
	{
		if (column->level_of_code[code] == CODE_MISSING)
			continue;
		column->level_of_code[code] = level;
		column->levels[level] = table->levels[code];
		column->level_lengths[level++] = table->level_lengths[code];
	}
	column->n_seen = n_seen;
	column->recipe.n_categories = n_kept;
	if (n_kept > 0)
		column->recipe.fill = column->level_of_code[items[0].index];
	measure_levels(column, measure);
	return true;
}

/* ---- One column ---- */

/* Whether missing values are told by an indicator, and whether there may be any. */
static bool
decide_missing(FittedColumn *column, const Table *table, const ColumnMeasure *measure, const RecipePlan *plan, Error *error)
{
	RecipeColumn *recipe = &column->recipe;
	size_t		n_refused = 0;

	recipe->n_missing = measure->n_null;
	recipe->indicator = plan->indicator == INDICATOR_AUTO && measure->n_missing > 0;
	if (recipe->missing != MISSING_ERROR)
		return true;
	for (size_t row = 0; row < table->n_rows; row++)
		n_refused += isnan(recipe_raw(column, row)) != 0;
	if (n_refused == 0)
		return true;
	error_set(error, ERROR_DATA, "column \"%s\" has no usable value in %zu rows", column->table->source->name, n_refused);
	error_detail(error, "Its recipe says \"missing\": \"error\"; NULL, NaN and categories that are not kept count as missing.");
	return error_hint(error, "Leave these rows out of the source query, or choose another policy.");
}

/* What a missing number becomes; infinities have no mean and no scale. */
static bool
decide_fill(FittedColumn *column, const ColumnMeasure *measure, Error *error)
{
	RecipeColumn *recipe = &column->recipe;

	if (measure->n_infinite > 0 &&
		(recipe->scaling != SCALING_NONE || recipe->missing == MISSING_MEAN || recipe->missing == MISSING_MEDIAN))
	{
		error_set(error, ERROR_DATA, "column \"%s\" is infinite in %llu training rows", column->table->source->name,
				  (unsigned long long) measure->n_infinite);
		error_detail(error, "Its recipe, \"missing\": \"%s\" and \"scaling\": \"%s\", needs finite numbers.",
					 missing_policy_names[recipe->missing], scaling_names[recipe->scaling]);
		return error_hint(error, "Replace the infinities in the source query, or exclude the column.");
	}
	recipe->fill = 0;
	if (measure->n_present == 0)
		return true;
	if (recipe->missing == MISSING_MEAN)
		recipe->fill = measure->mean;
	else if (recipe->missing == MISSING_MEDIAN || recipe->missing == MISSING_MOST_FREQUENT)
		recipe->fill = measure->middle;
	if (isfinite(recipe->fill))
		return true;
	error_set(error, ERROR_DATA, "missing values of column \"%s\" would become infinite", column->table->source->name);
	return error_hint(error, "Rescale its numbers in the source query, or choose another missing policy.");
}

/* Whether missing values are replaced, so that scaling has to see the replacement. */
static bool
fills(const RecipeColumn *recipe)
{
	return recipe->missing != MISSING_NATIVE && recipe->missing != MISSING_ERROR;
}

/* Center and scale of a column whose values, with the fill, lie between low and high. */
static bool
decide_scaling(FittedColumn *column, const ColumnMeasure *measure, Error *error)
{
	RecipeColumn *recipe = &column->recipe;
	double		low = measure->lowest;
	double		high = measure->highest;
	double		n = (double) measure->n_present;
	double		n_filled = fills(recipe) ? (double) measure->n_missing : 0;

	recipe->center = 0;
	recipe->scale = 1;
	if (recipe->scaling == SCALING_NONE || measure->n_present == 0)
		return true;
	if (n_filled > 0)
	{
		low = fmin(low, recipe->fill);
		high = fmax(high, recipe->fill);
	}
	if (low == high || recipe->scaling == SCALING_MINMAX)
	{
		recipe->center = low;
		recipe->scale = low == high ? 1 : high - low;
	}
	else
	{
		/* both parts around their own centers, joined as in Chan, Golub & LeVeque 1979 */
		double		apart = recipe->fill - measure->mean;
		double		squares = measure->squares + apart * apart * n * n_filled / (n + n_filled);

		recipe->center = measure->mean + apart * n_filled / (n + n_filled);
		recipe->scale = sqrt(squares / (n + n_filled));
	}
	if (isfinite(recipe->center) && isfinite(recipe->scale) && recipe->scale > 0)
		return true;
	error_set(error, ERROR_DATA, "the numbers in column \"%s\" are too large or too close together to be scaled",
			  column->table->source->name);
	return error_hint(error, "Rescale them in the source query, or use \"scaling\": \"none\".");
}

/* Decides the recipe of one measured column; *next_feature is the next free place in the encoded vector. */
static bool
fit_column(FittedColumn *column, const Table *table, const ColumnMeasure *measure, const RecipePlan *plan,
		   uint32_t *next_feature, Error *error)
{
	RecipeColumn *recipe = &column->recipe;

	if (!decide_missing(column, table, measure, plan, error))
		return false;
	if (!is_category(column) && !decide_fill(column, measure, error))
		return false;
	if (!decide_scaling(column, measure, error))
		return false;
	recipe->lowest = is_category(column) ? NAN : measure->lowest;
	recipe->highest = is_category(column) ? NAN : measure->highest;
	recipe->mean = is_category(column) ? NAN : measure->mean;
	recipe->first_feature = *next_feature;
	recipe->n_features = (recipe->encoding == ENCODING_ONEHOT ? recipe->n_categories : 1) + recipe->indicator;
	if (recipe->n_features > MAX_FEATURES - *next_feature)
	{
		error_set(error, ERROR_LIMIT, "the columns become more than %d features", MAX_FEATURES);
		return error_hint(error, "Lower \"max_categories\", or leave columns out.");
	}
	*next_feature += recipe->n_features;
	return true;
}

/* All columns; scratch is freed by the caller. */
static bool
fit_columns(FittedRecipe *recipe, const Table *table, const RecipePlan *plans, ThreadPool *pool, Arena *arena, Arena *scratch,
			Error *error)
{
	ColumnMeasure *measures = arena_zeroed(scratch, recipe->n_columns, sizeof(ColumnMeasure), error);

	if (measures == NULL || !measure_columns(recipe, table, measures, pool, scratch, error))
		return false;
	for (uint32_t c = 0; c < recipe->n_columns; c++)
	{
		FittedColumn *column = &recipe->columns[c];

		if (is_category(column) &&
			!keep_levels(column, &measures[c], plans[c].max_categories, pool, arena, scratch, error))
			return false;
	}
	for (uint32_t c = 0; c < recipe->n_columns; c++)
	{
		if (!fit_column(&recipe->columns[c], table, &measures[c], &plans[c], &recipe->n_features, error))
			return false;
	}
	return true;
}

bool
recipe_fit(FittedRecipe *recipe, const Table *table, const RecipePlan *plans, ThreadPool *pool, Arena *arena, Error *error)
{
	Arena		scratch;

	recipe->n_columns = table->n_features;
	recipe->n_features = 0;
	recipe->columns = arena_zeroed(arena, table->n_features, sizeof(FittedColumn), error);
	if (recipe->columns == NULL)
		return false;
	for (uint32_t c = 0; c < recipe->n_columns; c++)
	{
		if (!take_plan(&recipe->columns[c], &table->features[c], &plans[c], error))
			return false;
	}
	arena_init(&scratch);

	bool		fitted = fit_columns(recipe, table, plans, pool, arena, &scratch, error);

	arena_free(&scratch);
	return fitted;
}

uint64_t
recipe_fit_memory(const Table *table, const RecipePlan *plans, int n_threads)
{
	uint64_t	n_rows = range_rows(table->train);
	uint64_t	n_busy = (uint64_t) n_threads < table->n_features ? (uint64_t) n_threads : table->n_features;
	uint64_t	column = 0;
	uint64_t	median = 0;
	uint64_t	mode = 0;

	for (uint32_t f = 0; f < table->n_features; f++)
	{
		bool		is_number = table->features[f].source->storage != STORAGE_CODE;

		if (!table_is_gathered(&table->features[f], table->train))
			column = (n_rows + 1) * sizeof(double);
		if (plans[f].missing == MISSING_MEDIAN)
			median = measure_median_scratch(n_rows) * sizeof(double);
		if (is_number && plans[f].missing == MISSING_MOST_FREQUENT)
			mode = 2 * n_rows * sizeof(SortItem);
	}
	return n_busy * (column + median) + mode;
}

/* ---- Using it ---- */

double
recipe_raw(const FittedColumn *column, size_t row)
{
	if (column->recipe.storage != STORAGE_CODE)
		return table_number(column->table, row);

	uint32_t	code = table_code(column->table, row);
	uint32_t	level = code == CODE_MISSING ? CODE_MISSING : column->level_of_code[code];

	return level == CODE_MISSING ? NAN : (double) level;
}

void
recipe_write(const FittedRecipe *recipe, ModelWriter *writer)
{
	for (uint32_t c = 0; c < recipe->n_columns; c++)
	{
		const FittedColumn *column = &recipe->columns[c];
		const MatrixColumn *source = column->table->source;
		RecipeColumn stored = column->recipe;

		model_writer_column(writer, &stored, source->name, source->type_name, column->levels, column->level_lengths,
							column->recipe.n_categories);
	}
}
