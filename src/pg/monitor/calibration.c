/*
 * calibration.c
 *		mlops.calibration(), mlops.isotonic() and mlops.isotonic_value(): do probabilities mean what they say, and making them do so.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "fmgr.h"

#include "../json_fields.h"
#include "../json_numbers.h"
#include "number_rows.h"
#include "../report.h"

#include "../../core/statistics/calibration.h"

PG_FUNCTION_INFO_V1(mlops_calibration);
PG_FUNCTION_INFO_V1(mlops_isotonic);
PG_FUNCTION_INFO_V1(mlops_isotonic_value);

/* A key with a number. */
static void
push_field(JsonbParseState **state, const char *key, double number)
{
	json_push_key(state, key);
	json_push_number(state, WJB_VALUE, number);
}

/* The measure as jsonb; what is not defined is null. */
static Jsonb *
calibration_to_json(const Calibration *calibration)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_field(&state, "ece", calibration->ece);
	push_field(&state, "ece_floor", calibration->ece_floor);
	push_field(&state, "p_value", calibration->p_value);
	push_field(&state, "slope", calibration->slope);
	push_field(&state, "slope_se", calibration->slope_error);
	push_field(&state, "intercept", calibration->intercept);
	push_field(&state, "intercept_se", calibration->intercept_error);
	json_push_key(&state, "bins");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < calibration->n_bins; i++)
	{
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		push_field(&state, "weight", calibration->bins[i].weight);
		push_field(&state, "probability", calibration->bins[i].probability);
		push_field(&state, "share", calibration->bins[i].share);
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Of rows (outcome, probability[, weight]) */
Datum
mlops_calibration(PG_FUNCTION_ARGS)
{
	NumberRows *state = number_rows_final(fcinfo, 2, 3);
	const double *truth;
	const double *probability;
	const double *weight;
	Calibration calibration;
	Arena		arena;
	Error		error;
	bool		done;

	if (state == NULL)
		PG_RETURN_NULL();
	truth = number_rows_range(state, 0, "outcome", 0, 1);
	probability = number_rows_range(state, 1, "probability", 0, 1);
	weight = number_rows_range(state, 2, "weight", 0, DBL_MAX);
	arena_init(&arena);
	done = calibration_measure(&calibration, state->n, truth, probability, weight, &arena, &error);
	arena_free(&arena);
	if (!done)
		report_error(&error);
	PG_RETURN_JSONB_P(calibration_to_json(&calibration));
}

/* Knots as {"x": [...], "y": [...]} */
static Jsonb *
isotonic_to_json(const Isotonic *fit)
{
	const double *const sides[] = {fit->x, fit->y};
	static const char *const keys[] = {"x", "y"};
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int side = 0; side < 2; side++)
	{
		json_push_key(&state, keys[side]);
		pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		for (uint32 i = 0; i < fit->n; i++)
			json_push_number(&state, WJB_ELEM, sides[side][i]);
		pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Of rows (x, y[, weight]); NULL where none has weight. */
Datum
mlops_isotonic(PG_FUNCTION_ARGS)
{
	NumberRows *state = number_rows_final(fcinfo, 2, 3);
	const double *weight;
	Isotonic	fit;
	Jsonb	   *volatile result = NULL;
	Arena		arena;
	Error		error;
	bool		done;

	if (state == NULL)
		PG_RETURN_NULL();
	weight = number_rows_range(state, 2, "weight", 0, DBL_MAX);
	arena_init(&arena);
	done = isotonic_fit(&fit, state->n, number_rows_column(state, 0), number_rows_column(state, 1), weight, &arena, &error);
	if (!done)
	{
		arena_free(&arena);
		if (error.code == ERROR_DATA)
			PG_RETURN_NULL();
		report_error(&error);
	}

	PG_TRY();
	{
		result = isotonic_to_json(&fit);
	}
	PG_FINALLY();
	{
		arena_free(&arena);
	}
	PG_END_TRY();
	PG_RETURN_JSONB_P(result);
}

/* Reads knots; INVALID_PARAMETER_VALUE where they are none. */
static void *
read_knots(Jsonb *json)
{
	Isotonic   *fit = palloc0(sizeof(Isotonic));
	int			n_x;
	int			n_y;

	fit->x = json_numbers_field(json, "fit", "x", &n_x);
	fit->y = json_numbers_field(json, "fit", "y", &n_y);
	fit->n = (uint32) n_x;
	if (n_x != n_y || n_x == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"fit\" has %d numbers \"x\" and %d numbers \"y\"", n_x, n_y)));
	for (int i = 1; i < n_x; i++)
	{
		if (!(fit->x[i] > fit->x[i - 1]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("numbers \"x\" in argument \"fit\" must ascend")));
	}
	return fit;
}

/* mlops.isotonic_value(fit, x) */
Datum
mlops_isotonic_value(PG_FUNCTION_ARGS)
{
	const Isotonic *fit = json_argument_read(fcinfo, 0, read_knots);

	PG_RETURN_FLOAT8(isotonic_value(fit, PG_GETARG_FLOAT8(1)));
}
