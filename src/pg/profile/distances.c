/*
 * distances.c
 *		Distances between distributions, as SQL functions.
 *
 * NULL where one has no rows, or none of the values that are compared.
 */
#include "distribution.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "../compat.h"
#include "../report.h"

#include "../result_row.h"

#include "../../core/statistics/distance.h"

PG_FUNCTION_INFO_V1(mlops_psi);
PG_FUNCTION_INFO_V1(mlops_kl);
PG_FUNCTION_INFO_V1(mlops_js_divergence_bits);
PG_FUNCTION_INFO_V1(mlops_js_distance_base2);
PG_FUNCTION_INFO_V1(mlops_hellinger);
PG_FUNCTION_INFO_V1(mlops_tvd);
PG_FUNCTION_INFO_V1(mlops_l_inf);
PG_FUNCTION_INFO_V1(mlops_chi2);
PG_FUNCTION_INFO_V1(mlops_g_test);
PG_FUNCTION_INFO_V1(mlops_cramers_v);
PG_FUNCTION_INFO_V1(mlops_cell_counts);
PG_FUNCTION_INFO_V1(mlops_compare_profiles);
PG_FUNCTION_INFO_V1(mlops_profile_kind);
PG_FUNCTION_INFO_V1(mlops_ks);
PG_FUNCTION_INFO_V1(mlops_wasserstein);
PG_FUNCTION_INFO_V1(mlops_wasserstein_normed);
PG_FUNCTION_INFO_V1(mlops_energy);
PG_FUNCTION_INFO_V1(mlops_mean_shift);

/* The two arguments in the cells of the first; false where one has no rows. */
static bool
match_arguments(FunctionCallInfo fcinfo, CellCounts *counts)
{
	Distribution *reference = distribution_read(PG_GETARG_DATUM(0));
	Distribution *current = distribution_read(PG_GETARG_DATUM(1));
	Error		error;

	if (distribution_rows(reference) == 0 || distribution_rows(current) == 0)
		return false;
	if (!cells_match(counts, reference, current, profile_memory(CurrentMemoryContext), &error))
		report_error(&error);
	return true;
}

/* An argument that must be a finite number and at least 0. */
static double
get_amount(FunctionCallInfo fcinfo, int argument, const char *name)
{
	double		amount = PG_GETARG_FLOAT8(argument);

	if (!(amount >= 0) || isinf(amount))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be 0 or more", name)));
	return amount;
}

typedef double (*SmoothedDistance) (const CellCounts *counts, Smoothing smoothing);
typedef double (*CellDistance) (const CellCounts *counts);

/* (reference, current, smoothing, epsilon) */
static Datum
smoothed_distance(FunctionCallInfo fcinfo, SmoothedDistance distance)
{
	Smoothing	smoothing = {get_amount(fcinfo, 2, "smoothing"), get_amount(fcinfo, 3, "epsilon")};
	CellCounts	counts;

	if (!match_arguments(fcinfo, &counts))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(distance(&counts, smoothing));
}

/* (reference, current) */
static Datum
cell_distance(FunctionCallInfo fcinfo, CellDistance distance)
{
	CellCounts	counts;

	if (!match_arguments(fcinfo, &counts))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(distance(&counts));
}

Datum
mlops_psi(PG_FUNCTION_ARGS)
{
	return smoothed_distance(fcinfo, distance_psi);
}

Datum
mlops_kl(PG_FUNCTION_ARGS)
{
	return smoothed_distance(fcinfo, distance_kl);
}

Datum
mlops_js_divergence_bits(PG_FUNCTION_ARGS)
{
	return cell_distance(fcinfo, distance_js_divergence_bits);
}

Datum
mlops_js_distance_base2(PG_FUNCTION_ARGS)
{
	return cell_distance(fcinfo, distance_js_base2);
}

Datum
mlops_hellinger(PG_FUNCTION_ARGS)
{
	return cell_distance(fcinfo, distance_hellinger);
}

Datum
mlops_tvd(PG_FUNCTION_ARGS)
{
	return cell_distance(fcinfo, distance_total_variation);
}

Datum
mlops_l_inf(PG_FUNCTION_ARGS)
{
	return cell_distance(fcinfo, distance_l_inf);
}

/* A row of numbers as the composite result; NaN is NULL. */
static Datum
number_row(FunctionCallInfo fcinfo, const double *numbers, int n)
{
	TupleDesc	row_type;
	Datum		values[4];
	bool		nulls[4];

	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "a function that returns a row is called where none is taken");
	for (int i = 0; i < n; i++)
	{
		values[i] = Float8GetDatum(numbers[i]);
		nulls[i] = isnan(numbers[i]);
	}
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
}

/* (statistic, freedom, p_value) */
static Datum
test_row(FunctionCallInfo fcinfo, TableTest test)
{
	return number_row(fcinfo, (double[]) {test.statistic, test.freedom, test.p_value}, 3);
}

Datum
mlops_chi2(PG_FUNCTION_ARGS)
{
	double		least_expected = get_amount(fcinfo, 2, "least_expected");
	CellCounts	counts;

	if (!match_arguments(fcinfo, &counts))
		PG_RETURN_NULL();
	return test_row(fcinfo, test_chi2(&counts, least_expected, PG_GETARG_BOOL(3)));
}

Datum
mlops_g_test(PG_FUNCTION_ARGS)
{
	double		least_expected = get_amount(fcinfo, 2, "least_expected");
	CellCounts	counts;

	if (!match_arguments(fcinfo, &counts))
		PG_RETURN_NULL();
	return test_row(fcinfo, test_g(&counts, least_expected));
}

Datum
mlops_cramers_v(PG_FUNCTION_ARGS)
{
	CellCounts	counts;

	if (!match_arguments(fcinfo, &counts))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(distance_cramers_v(&counts, PG_GETARG_BOOL(2)));
}

/* The counts of a distribution in all cells of another, as bigint[]. */
static Datum
counts_in_cells(const Distribution *reference, const Distribution *current)
{
	double		counts[CELLS_MAX];
	Datum		elements[CELLS_MAX];
	uint32_t	n;
	Error		error;

	if (!cells_count(reference, current, counts, &n, profile_memory(CurrentMemoryContext), &error))
		report_error(&error);
	for (uint32_t i = 0; i < n; i++)
		elements[i] = Int64GetDatum((int64) counts[i]);
	return PointerGetDatum(construct_array(elements, (int) n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* (reference, current) */
Datum
mlops_cell_counts(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(counts_in_cells(distribution_read(PG_GETARG_DATUM(0)), distribution_read(PG_GETARG_DATUM(1))));
}

/* An argument that is a distribution of numbers. */
static Distribution *
get_numbers(FunctionCallInfo fcinfo, int argument)
{
	Distribution *distribution = distribution_read(PG_GETARG_DATUM(argument));

	if (distribution_is_text(distribution))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a distribution of texts has no order that this distance could use"),
				 errhint("Use psi, js_distance_base2, hellinger, tvd, l_inf, chi2 or cramers_v.")));
	return distribution;
}

/* Refuses two distributions of numbers that do not mean the same. */
static void
check_comparable(const Distribution *reference, const Distribution *current)
{
	if (!kinds_comparable(reference->kind, current->kind))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a distribution of kind %s cannot be compared with one of kind %s", kind_name(reference->kind), kind_name(current->kind))));
}

/* The two arguments as distributions of comparable numbers. */
static void
get_both_numbers(FunctionCallInfo fcinfo, Distribution **reference, Distribution **current)
{
	*reference = get_numbers(fcinfo, 0);
	*current = get_numbers(fcinfo, 1);
	check_comparable(*reference, *current);
}

/* (d, p) */
Datum
mlops_ks(PG_FUNCTION_ARGS)
{
	Distribution *reference;
	Distribution *current;
	double		d;

	get_both_numbers(fcinfo, &reference, &current);
	d = rank_distances_of(reference, current).ks;
	return number_row(fcinfo, (double[]) {d, ks_p_value(d, reference->n, current->n)}, 2);
}

/* A number as the result; NaN is NULL. */
static Datum
number_or_null(FunctionCallInfo fcinfo, double number)
{
	if (isnan(number))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(number);
}

Datum
mlops_wasserstein(PG_FUNCTION_ARGS)
{
	Distribution *reference;
	Distribution *current;

	get_both_numbers(fcinfo, &reference, &current);
	return number_or_null(fcinfo, rank_distances_of(reference, current).wasserstein);
}

Datum
mlops_wasserstein_normed(PG_FUNCTION_ARGS)
{
	Distribution *reference;
	Distribution *current;

	get_both_numbers(fcinfo, &reference, &current);
	return number_or_null(fcinfo, distance_in_deviations(rank_distances_of(reference, current).wasserstein, reference));
}

Datum
mlops_energy(PG_FUNCTION_ARGS)
{
	Distribution *reference;
	Distribution *current;

	get_both_numbers(fcinfo, &reference, &current);
	return number_or_null(fcinfo, rank_distances_of(reference, current).energy);
}

Datum
mlops_mean_shift(PG_FUNCTION_ARGS)
{
	Distribution *reference;
	Distribution *current;

	get_both_numbers(fcinfo, &reference, &current);
	return number_or_null(fcinfo, distance_mean_shift(reference, current));
}

/* The distances of numbers that need no cells, with p of the first. */
static void
add_rank_distances(ResultRow *row, const Distribution *reference, const Distribution *current)
{
	bool		numbers = !distribution_is_text(reference) && !distribution_is_text(current);
	RankDistances distances = {NAN, NAN, NAN};

	if (numbers)
	{
		check_comparable(reference, current);
		distances = rank_distances_of(reference, current);
	}
	row_add_number(row, numbers, distances.ks);
	row_add_number(row, numbers, numbers ? ks_p_value(distances.ks, reference->n, current->n) : NAN);
	row_add_number(row, numbers, distances.wasserstein);
	row_add_number(row, numbers, numbers ? distance_in_deviations(distances.wasserstein, reference) : NAN);
	row_add_number(row, numbers, numbers ? distance_mean_shift(reference, current) : NAN);
}

/* mlops.compare_profiles(reference, current): what monitors ask of two distributions, which are opened once. */
Datum
mlops_compare_profiles(PG_FUNCTION_ARGS)
{
	Distribution *reference = distribution_read(PG_GETARG_DATUM(0));
	Distribution *current = distribution_read(PG_GETARG_DATUM(1));
	TupleDesc	row_type;
	bool		exact;
	ResultRow	row = {.n = 0};

	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "a function that returns a row is called where none is taken");
	row_add_text(&row, kind_name(reference->kind));
	row_add(&row, Int64GetDatum((int64) distribution_rows(reference)));
	row_add_number(&row, true, distribution_distinct(reference, &exact));
	row_add(&row, counts_in_cells(reference, reference));
	row_add(&row, counts_in_cells(reference, current));
	add_rank_distances(&row, reference, current);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), row.values, row.nulls)));
}

/* mlops.profile_kind(distribution) */
Datum
mlops_profile_kind(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(CStringGetTextDatum(kind_name(distribution_read(PG_GETARG_DATUM(0))->kind)));
}
