/*
 * attribution.c
 *		mlops.ndcg() and mlops.reconstruction_error(): whether features matter as they did, and lie as they did.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"

#include "../json_fields.h"
#include "../json_numbers.h"
#include "number_rows.h"
#include "../report.h"

#include "../../core/statistics/ndcg.h"

PG_FUNCTION_INFO_V1(mlops_ndcg);
PG_FUNCTION_INFO_V1(mlops_reconstruction_error);

/* Of rows (reference, current); NULL where no reference is positive. */
Datum
mlops_ndcg(PG_FUNCTION_ARGS)
{
	NumberRows *state = number_rows_final(fcinfo, 2, 2);
	const double *gain;
	const double *score;
	double		value;
	Arena		arena;
	Error		error;
	bool		done;

	if (state == NULL)
		PG_RETURN_NULL();
	gain = number_rows_range(state, 0, "reference", 0, DBL_MAX);
	score = number_rows_column(state, 1);
	arena_init(&arena);
	done = ndcg(&value, state->n, gain, score, &arena, &error);
	arena_free(&arena);
	if (!done)
		report_error(&error);
	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

/* Principal components of standardised columns. */
typedef struct Components
{
	int			n_columns;
	int			n_components;
	const double *mean;
	const double *scale;
	const double *components;	/* n_components x n_columns, orthonormal */
	double	   *standardised;	/* room for a row */
} Components;

/* Reads them; INVALID_PARAMETER_VALUE where they are none. */
static void *
read_components(Jsonb *json)
{
	Components *read = palloc(sizeof(Components));
	int			n_scale;
	int			n_numbers;

	read->mean = json_numbers_field(json, "components", "mean", &read->n_columns);
	read->scale = json_numbers_field(json, "components", "scale", &n_scale);
	read->components = json_matrix_field(json, "components", "components", read->n_columns, &n_numbers);
	if (read->n_columns == 0 || n_scale != read->n_columns)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"components\" has %d numbers \"mean\" and %d numbers \"scale\"", read->n_columns, n_scale)));
	read->n_components = n_numbers;
	read->standardised = palloc(read->n_columns * sizeof(double));
	return read;
}

/* Standardises a row; what is missing is as the mean, and so is a column that did not vary. */
static void
standardise(const Components *components, const Datum *elements, const bool *nulls)
{
	for (int j = 0; j < components->n_columns; j++)
	{
		double		value = nulls[j] ? components->mean[j] : DatumGetFloat8(elements[j]);

		components->standardised[j] = isfinite(value) && components->scale[j] > 0 ? (value - components->mean[j]) / components->scale[j] : 0;
	}
}

/* mlops.reconstruction_error(components, row): how far a row lies from the plane of the components. */
Datum
mlops_reconstruction_error(PG_FUNCTION_ARGS)
{
	const Components *components = json_argument_read(fcinfo, 0, read_components);
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	double		squares = 0;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &nulls, &n);
	if (n != components->n_columns)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("the row has %d numbers, and the components have %d columns", n, components->n_columns)));
	standardise(components, elements, nulls);
	for (int j = 0; j < n; j++)
		squares += components->standardised[j] * components->standardised[j];
	for (int i = 0; i < components->n_components; i++)
	{
		double		score = 0;

		for (int j = 0; j < n; j++)
			score += components->components[(Size) i * n + j] * components->standardised[j];
		squares -= score * score;
	}
	PG_RETURN_FLOAT8(sqrt(Max(squares, 0)));
}
