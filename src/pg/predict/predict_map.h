/*
 * predict_map.h
 *		Which column of a row is which column of a model.
 */
#ifndef MLOPS_PG_PREDICT_MAP_H
#define MLOPS_PG_PREDICT_MAP_H

#include "predict.h"

/* A column of the row that is one column of the model. */
typedef struct ScalarField
{
	int			attribute;		/* of the row, from 0 */
	ValueReader reader;
} ScalarField;

/* An array of the row that is neighbouring columns of the model. */
typedef struct ArrayField
{
	int			attribute;
	const ElementRun *run;
	ValueReader *readers;		/* one a column of the run */
	int16		element_length;
	bool		element_by_value;
	char		element_align;
} ArrayField;

/* A column of the row that is a number of the model's as it is. */
typedef struct PlainField
{
	int			attribute;
	uint32		column;			/* of the model */
} PlainField;

/* Those of one type. */
typedef struct PlainFields
{
	int			n;
	PlainField *fields;
} PlainFields;

/* A field for each column of the model. */
typedef struct RowMap
{
	int			n_attributes;	/* of the row, up to the last that is needed */
	PlainFields floats;			/* float4, int4 and float8 for numbers */
	PlainFields integers;
	PlainFields doubles;
	int			n_scalars;		/* the other columns */
	ScalarField *scalars;
	int			n_arrays;
	ArrayField *arrays;
} RowMap;

/*
 * Matches a row type to the predictor's model, in the current context.
 * UNDEFINED_COLUMN, AMBIGUOUS_COLUMN, DATATYPE_MISMATCH.
 */
extern void row_map_init(RowMap *map, const Predictor *predictor, TupleDesc row_type);

/*
 * The rows will have only the attributes that are read: numbers[attribute of
 * the row type] becomes the attribute's new place, in the same order from 0,
 * or -1 for those that are not read.  Returns how many are.
 */
extern int	row_map_compact(RowMap *map, int *numbers, int n_attributes);

/* Fills predictor->raw from a row's values. */
extern void row_map_read(const RowMap *map, const Predictor *predictor, const Datum *values, const bool *nulls);

#endif
