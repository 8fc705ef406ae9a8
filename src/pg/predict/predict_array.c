/*
 * predict_array.c
 *		Features from float8[]: the model's columns in their order.
 *
 * Positions say nothing about meaning, so this is for models whose columns
 * are all numbers (or booleans, as 0 and 1), and the length must be exact.
 */
#include "predict.h"

#include "catalog/pg_type.h"
#include "utils/float.h"

/* Refuses a model with columns that are no numbers. */
static void
require_numbers(const Predictor *predictor)
{
	const Model *model = predictor->model;

	for (uint32 i = 0; i < model->n_columns; i++)
	{
		ColumnKind	kind = (ColumnKind) model->columns[i].kind;

		if (kind != KIND_NUMBER && kind != KIND_BOOLEAN)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of the model expects %s, which an array of numbers cannot hold",
							predictor->names[i], predict_expected(kind)),
					 errhint("Give the features as a row or as jsonb, by name.")));
	}
}

/* Reads an array. */
void
predict_from_array(Predictor *predictor, ArrayType *features)
{
	const Model *model = predictor->model;
	int			n = ArrayGetNItems(ARR_NDIM(features), ARR_DIMS(features));
	const char *element = predict_array_data(features);
	const bits8 *bitmap = ARR_NULLBITMAP(features);

	require_numbers(predictor);
	if (n != (int) model->n_columns || ARR_NDIM(features) > 1)
		predict_wrong_length(NULL, n, (int) model->n_columns);
	for (int i = 0; i < n; i++)
	{
		double		value = get_float8_nan();

		if (bitmap == NULL || (bitmap[i / 8] & (1 << (i % 8))) != 0)
		{
			memcpy(&value, element, sizeof(value));
			element += sizeof(value);
		}
		predictor->raw[i] = model->columns[i].kind == KIND_BOOLEAN ? predict_boolean(predictor, (uint32) i, value) : value;
	}
}
