/*
 * scan_array.c
 *		Arrays of features: one column of a source, a column of the matrix an element.
 *
 * All arrays of a column have one length: the one that the caller knows, or
 * that of the first array that is not NULL.  Memory belongs to the current
 * context.
 */
#include "scan_array.h"

#include "utils/array.h"
#include "utils/lsyscache.h"

#include "../compat.h"

void
scan_array_init(ScanArray *array, ScanColumn *column)
{
	array->column = column;
	get_typlenbyvalalign(column->element_type, &array->element_length, &array->element_by_value, &array->element_align);
}

/* The elements of an array that is not NULL. */
static void
take_elements(const ScanArray *step, Datum value, Datum **elements, bool **nulls)
{
	const ScanColumn *column = step->column;
	ArrayType  *array = DatumGetArrayTypeP(value);
	int			n = 0;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("column \"%s\" has an array of %d dimensions", column->source->name, ARR_NDIM(array)),
				 errhint("Arrays of features have one dimension.")));
	if (ARR_NDIM(array) == 1)
		deconstruct_array(array, ARR_ELEMTYPE(array), step->element_length, step->element_by_value, step->element_align,
						  elements, nulls, &n);
	if (n != column->n_elements)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("column \"%s\" has arrays of different lengths", column->source->name),
				 errdetail("An array has %d elements where %d are expected.", n, column->n_elements),
				 errhint("Every row's array must have the same length, or be NULL.")));
}

/* The elements of one array. */
void
scan_array_take(const ScanArray *array, Datum value, bool is_null, Datum **elements, bool **nulls)
{
	int			n = array->column->n_elements;

	if (!is_null)
	{
		take_elements(array, value, elements, nulls);
		return;
	}
	*elements = palloc0(n * sizeof(Datum));
	*nulls = palloc(n * sizeof(bool));
	memset(*nulls, true, n * sizeof(bool));
}

/* Learns the length. */
bool
scan_array_learn(ScanColumn *column, Datum value, bool is_null)
{
	if (column->n_elements == 0 && !is_null)
	{
		ArrayType  *array = DatumGetArrayTypeP(value);

		column->n_elements = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
		if (column->n_elements == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("column \"%s\" has an empty array", column->source->name),
					 errhint("Every row's array must have the same length, or be NULL.")));
	}
	return column->n_elements > 0;
}
