/*
 * predict_error.c
 *		What is wrong with the features, said so that the caller can put it right.
 */
#include "predict.h"

#include "../report.h"

/* What a column expects. */
const char *
predict_expected(ColumnKind kind)
{
	switch (kind)
	{
		case KIND_NUMBER:
			return "a number";
		case KIND_BOOLEAN:
			return "a boolean";
		case KIND_DATE:
			return "a date";
		case KIND_TIMESTAMP:
			return "a timestamp";
		case KIND_TIMESTAMPTZ:
			return "a timestamp with time zone";
		case KIND_INTERVAL:
			return "an interval";
		case KIND_CATEGORY:
			return "a text";
	}
	return "a value";
}

/* Columns that the features lack. */
void
predict_missing_columns(const Predictor *predictor, const bool *lacking, const char *const *given, int n_given)
{
	int			n_columns = (int) predictor->model->n_columns;
	const char **missing = palloc(n_columns * sizeof(char *));
	int			n = 0;

	for (int i = 0; i < n_columns; i++)
	{
		if (lacking[i])
			missing[n++] = predictor->names[i];
	}

	const char *nearest = given != NULL ? nearest_name(missing[0], given, (size_t) n_given) : NULL;

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 n == 1
			 ? errmsg("the features lack column \"%s\"", missing[0])
			 : errmsg("the features lack %d columns: %s", n, report_list(missing, n, 20)),
			 errdetail("The model expects %s.", report_list(predictor->names, n_columns, 60)),
			 nearest != NULL
			 ? errhint("Column \"%s\" is near to \"%s\" by name.", nearest, missing[0])
			 : errhint("Give each of them, by this name; NULL is a missing value.")));
	pg_unreachable();
}

/* A column that got values of another type. */
void
predict_wrong_type(const Predictor *predictor, uint32 column, const char *type, const char *hint)
{
	const char *name = predictor->names[column];
	const RecipeColumn *recipe = &predictor->model->columns[column];

	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" is %s, but the model expects %s", name, type, predict_expected((ColumnKind) recipe->kind)),
			 errdetail("It was of type %s in training.", model_string(predictor->model, recipe->type_name)),
			 errhint("%s", hint)));
	pg_unreachable();
}

/* An array of a wrong length, or of the right one in several dimensions. */
void
predict_wrong_length(const char *name, int n, int expected)
{
	if (n == expected)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 name != NULL
				 ? errmsg("array column \"%s\" has more than one dimension", name)
				 : errmsg("the array has more than one dimension"),
				 errhint("Give all %d elements one after the other.", expected)));
	ereport(ERROR,
			(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
			 name != NULL
			 ? errmsg("array column \"%s\" has %d elements, but the model expects %d", name, n, expected)
			 : errmsg("the array has %d elements, but the model expects %d", n, expected),
			 errhint("Give every element in its place; NULL is a missing value.")));
	pg_unreachable();
}
