/*
 * recipe_fit.h
 *		Fitting the recipe on the training rows.
 *
 * The result knows everything that RecipeColumn stores, but still points
 * to the table's levels; recipe_write() enters it into a model.
 */
#ifndef MLOPS_CORE_FIT_RECIPE_FIT_H
#define MLOPS_CORE_FIT_RECIPE_FIT_H

#include "../../algorithm.h"
#include "table.h"

typedef struct FittedColumn
{
	RecipeColumn recipe;		/* offsets into the model are set by recipe_write() */
	const TableColumn *table;
	const char **levels;		/* kept levels, sorted by bytes */
	size_t	   *level_lengths;
	uint32_t   *level_of_code;	/* table code -> index of the kept level, or CODE_MISSING where it was not kept */
	uint32_t	n_seen;			/* levels that the training rows have, kept or not */
} FittedColumn;

typedef struct FittedRecipe
{
	uint32_t	n_columns;		/* = table->n_features */
	uint32_t	n_features;		/* of the encoded vector */
	FittedColumn *columns;
} FittedRecipe;

/*
 * plans: one a feature column, DEFAULTs already replaced.  Errors: a policy
 * that does not fit the kind, a missing value where the policy is ERROR.
 * Column statistics (mean, median, most frequent) are unweighted.
 */
extern bool recipe_fit(FittedRecipe *recipe, const Table *table, const RecipePlan *plans, ThreadPool *pool, Arena *arena, Error *error);

/* Bytes that it takes while it runs: a column a thread, where columns are not gathered, and what medians and modes take. */
extern uint64_t recipe_fit_memory(const Table *table, const RecipePlan *plans, int n_threads);

/*
 * Takes a model's recipe as it is, whatever the rows are like; the model must
 * stay mapped.  ERROR_COLUMN and ERROR_TYPE where the columns are not the
 * model's; ERROR_DATA for missing values and categories that the recipe refuses.
 */
extern bool recipe_keep(FittedRecipe *recipe, const Table *table, const Model *model, Arena *arena, Error *error);

/* Raw value of a row: the number, the index of the kept level, NaN for missing (and for levels not kept). */
extern double recipe_raw(const FittedColumn *column, size_t row);

/* Enters the columns into a model. */
extern void recipe_write(const FittedRecipe *recipe, ModelWriter *writer);

#endif
