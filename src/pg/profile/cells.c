/*
 * cells.c
 *		Counts in the cells of a comparison, as SQL has them: bigint[] of mlops.cell_counts().
 *
 * Counts of one reference align, so that slices of it add up and can be taken
 * away.  What monitors decide by is here, too: noise floors, tests of
 * proportions, p of many tests.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"

#include "../compat.h"
#include "../report.h"

#include "../../core/statistics/distance.h"
#include "../../core/statistics/significance.h"
#include "../../core/statistics/student.h"

#define JEFFREYS ((Smoothing) {.smoothing = 0.5})

PG_FUNCTION_INFO_V1(mlops_compare_cells);
PG_FUNCTION_INFO_V1(mlops_slice_scores);
PG_FUNCTION_INFO_V1(mlops_noise_floor);
PG_FUNCTION_INFO_V1(mlops_two_proportions);
PG_FUNCTION_INFO_V1(mlops_adjust_p);
PG_FUNCTION_INFO_V1(mlops_student_tail);
PG_FUNCTION_INFO_V1(mlops_student_quantile);

/* A distance between cells that slices of a reference are scored by. */
typedef struct CellMetric
{
	const char *name;
	double		(*distance) (const CellCounts *counts);
} CellMetric;

static double
psi(const CellCounts *counts)
{
	return distance_psi(counts, JEFFREYS);
}

static double
kl(const CellCounts *counts)
{
	return distance_kl(counts, JEFFREYS);
}

static double
cramers_v(const CellCounts *counts)
{
	return distance_cramers_v(counts, false);
}

static const CellMetric cell_metrics[] = {
	{"psi", psi},
	{"kl", kl},
	{"js_divergence_bits", distance_js_divergence_bits},
	{"js_distance_base2", distance_js_base2},
	{"hellinger", distance_hellinger},
	{"tvd", distance_total_variation},
	{"l_inf", distance_l_inf},
	{"cramers_v", cramers_v},
};

/* Both counts without the cells that are empty in both. */
static CellCounts
fill_cells(const double *reference, const double *current, int n)
{
	double		of_reference[CELLS_MAX];
	double		of_current[CELLS_MAX];
	uint32		filled = 0;

	for (int i = 0; i < n; i++)
	{
		if (reference[i] == 0 && current[i] == 0)
			continue;
		of_reference[filled] = reference[i];
		of_current[filled++] = current[i];
	}
	return cells_of(of_reference, of_current, filled);
}

/* Counts out of an array: none NULL, none below 0. */
static double *
read_counts(ArrayType *array, int *n)
{
	Datum	   *values;
	bool	   *nulls;
	double	   *counts;

	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls, n);
	counts = palloc(*n * sizeof(double) + 1);
	for (int i = 0; i < *n; i++)
	{
		if (nulls[i] || DatumGetInt64(values[i]) < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("counts of cells must be neither NULL nor negative")));
		counts[i] = (double) DatumGetInt64(values[i]);
	}
	return counts;
}

/* Refuses more cells than there can be. */
static void
check_cells(int n)
{
	if (n > CELLS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there are %d cells, and may be %d", n, CELLS_MAX)));
}

/* mlops.compare_cells(reference, current): all distances and tests at once; NULL where one has no rows. */
Datum
mlops_compare_cells(PG_FUNCTION_ARGS)
{
	int			n;
	int			n_current;
	double	   *reference = read_counts(PG_GETARG_ARRAYTYPE_P(0), &n);
	double	   *current = read_counts(PG_GETARG_ARRAYTYPE_P(1), &n_current);
	CellCounts	counts;
	TableTest	test;
	TupleDesc	row_type;
	Datum		values[lengthof(cell_metrics) + 4];
	bool		nulls[lengthof(cell_metrics) + 4] = {false};

	check_cells(n);
	if (n_current != n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the counts are of different cells")));
	counts = fill_cells(reference, current, n);
	if (counts.n_reference == 0 || counts.n_current == 0)
		PG_RETURN_NULL();
	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "a function that returns a row is called where none is taken");
	test = test_chi2(&counts, 5, false);
	values[0] = Int32GetDatum((int32) counts.n);
	for (int i = 0; i < (int) lengthof(cell_metrics); i++)
		values[i + 1] = Float8GetDatum(cell_metrics[i].distance(&counts));
	values[lengthof(cell_metrics) + 1] = Float8GetDatum(test.statistic);
	values[lengthof(cell_metrics) + 2] = Float8GetDatum(test.freedom);
	values[lengthof(cell_metrics) + 3] = Float8GetDatum(test.p_value);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls)));
}

/* The metric of a name. */
static const CellMetric *
metric_by_name(const char *name)
{
	const char *names[lengthof(cell_metrics)];

	for (int i = 0; i < (int) lengthof(cell_metrics); i++)
	{
		if (strcmp(cell_metrics[i].name, name) == 0)
			return &cell_metrics[i];
		names[i] = cell_metrics[i].name;
	}
	report_unknown_name(ERRCODE_INVALID_PARAMETER_VALUE, psprintf("slices are not scored by \"%s\"", name), "metrics", name, names,
						lengthof(names));
}

/* Slices of a reference. */
typedef struct Slices
{
	int			n;
	int			cells;
	double	   *counts;			/* cells of the first slice, of the second, ... */
	int32	   *windows;		/* the window of each, from 1; 0: none */
	int			n_windows;
} Slices;

/* Reads bigint[slices][cells] and the number of each slice's window. */
static Slices
read_slices(ArrayType *counts, ArrayType *windows)
{
	Slices		slices = {.n = ARR_NDIM(counts) == 2 ? ARR_DIMS(counts)[0] : 0};
	Datum	   *values;
	bool	   *nulls;
	int			n;

	slices.cells = slices.n > 0 ? ARR_DIMS(counts)[1] : 0;
	check_cells(slices.cells);
	slices.counts = read_counts(counts, &n);
	deconstruct_array(windows, INT4OID, sizeof(int32), true, TYPALIGN_INT, &values, &nulls, &n);
	if (n != slices.n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("slices must have counts of the same cells, and each a window")));
	slices.windows = palloc0(n * sizeof(int32) + 1);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			continue;
		slices.windows[i] = DatumGetInt32(values[i]);
		if (slices.windows[i] < 1 || slices.windows[i] > n)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("windows of slices are numbered from 1")));
		slices.n_windows = Max(slices.n_windows, slices.windows[i]);
	}
	return slices;
}

/* Adds up the counts of a window's slices; of window 0, of all slices. */
static void
add_slices(const Slices *slices, int32 window, double *sums)
{
	memset(sums, 0, CELLS_MAX * sizeof(double));
	for (int i = 0; i < slices->n; i++)
	{
		if (window != 0 && slices->windows[i] != window)
			continue;
		for (int cell = 0; cell < slices->cells; cell++)
			sums[cell] += slices->counts[i * slices->cells + cell];
	}
}

/*
 * mlops.slice_scores(metric, slices, windows, leave_out): how far each window of
 * slices is from all of them, without itself where it is left out; NULL for one without rows.
 */
Datum
mlops_slice_scores(PG_FUNCTION_ARGS)
{
	const CellMetric *metric = metric_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Slices		slices = read_slices(PG_GETARG_ARRAYTYPE_P(1), PG_GETARG_ARRAYTYPE_P(2));
	bool		leave_out = PG_GETARG_BOOL(3);
	Datum	   *scores = palloc(slices.n_windows * sizeof(Datum) + 1);
	bool	   *nulls = palloc(slices.n_windows + 1);
	double		whole[CELLS_MAX];
	int			lower_bound = 1;

	add_slices(&slices, 0, whole);
	for (int window = 1; window <= slices.n_windows; window++)
	{
		double		reference[CELLS_MAX];
		double		current[CELLS_MAX];
		CellCounts	counts;

		add_slices(&slices, window, current);
		for (int cell = 0; cell < slices.cells; cell++)
			reference[cell] = whole[cell] - (leave_out ? current[cell] : 0);
		counts = fill_cells(reference, current, slices.cells);
		nulls[window - 1] = counts.n_current == 0 || counts.n_reference == 0;
		if (!nulls[window - 1])
			scores[window - 1] = Float8GetDatum(metric->distance(&counts));
	}
	if (slices.n_windows == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(FLOAT8OID));
	PG_RETURN_ARRAYTYPE_P(construct_md_array(scores, nulls, 1, &slices.n_windows, &lower_bound, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
											 TYPALIGN_DOUBLE));
}

/* mlops.noise_floor(cells, reference_rows, current_rows, level) */
Datum
mlops_noise_floor(PG_FUNCTION_ARGS)
{
	double		level = PG_GETARG_FLOAT8(3);

	if (!(level > 0 && level < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("level must be between 0 and 1")));
	if (PG_GETARG_INT32(0) < 1 || !(PG_GETARG_FLOAT8(1) > 0) || !(PG_GETARG_FLOAT8(2) > 0))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(psi_noise_floor(PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2), (uint32) PG_GETARG_INT32(0), 1 - level));
}

/* mlops.two_proportions(reference_hits, reference_rows, hits, rows): z and p; NULL where one has no rows. */
Datum
mlops_two_proportions(PG_FUNCTION_ARGS)
{
	double		rows[] = {PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(3)};
	ProportionTest test;
	TupleDesc	row_type;
	Datum		values[2];
	bool		nulls[2] = {false};

	if (!(rows[0] > 0) || !(rows[1] > 0))
		PG_RETURN_NULL();
	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "a function that returns a row is called where none is taken");
	test = test_two_proportions(PG_GETARG_FLOAT8(0), rows[0], PG_GETARG_FLOAT8(2), rows[1]);
	values[0] = Float8GetDatum(test.z);
	values[1] = Float8GetDatum(test.p_value);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls)));
}

/* mlops.adjust_p(p): for the number of tests; NULL is no test. */
Datum
mlops_adjust_p(PG_FUNCTION_ARGS)
{
	Datum	   *values;
	bool	   *nulls;
	int			n;
	int			lower_bound = 1;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls, &n);
	if (n == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(FLOAT8OID));

	double	   *p = palloc(n * sizeof(double));

	for (int i = 0; i < n; i++)
		p[i] = nulls[i] ? get_float8_nan() : DatumGetFloat8(values[i]);
	adjust_p_values(p, (size_t) n, palloc(n * sizeof(size_t)));
	for (int i = 0; i < n; i++)
		values[i] = Float8GetDatum(p[i]);
	PG_RETURN_ARRAYTYPE_P(construct_md_array(values, nulls, 1, &n, &lower_bound, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* The degrees of freedom in an argument. */
static double
get_freedom(FunctionCallInfo fcinfo, int argument)
{
	double		freedom = PG_GETARG_FLOAT8(argument);

	if (!(freedom > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("freedom must be greater than 0")));
	return freedom;
}

/* mlops.student_tail(t, freedom) */
Datum
mlops_student_tail(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(student_upper(PG_GETARG_FLOAT8(0), get_freedom(fcinfo, 1)));
}

/* mlops.student_quantile(upper, freedom) */
Datum
mlops_student_quantile(PG_FUNCTION_ARGS)
{
	double		upper = PG_GETARG_FLOAT8(0);

	if (!(upper > 0 && upper < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("upper must be between 0 and 1")));
	PG_RETURN_FLOAT8(student_quantile(upper, get_freedom(fcinfo, 1)));
}
