/*
 * ks_exact.c
 *		mlops.ks_exact(): the Kolmogorov-Smirnov test on two raw columns.
 *
 * The state is a bytea with all finite values of both columns: a header, and
 * room for `capacity` numbers, those of the reference from the front and the
 * others from the back.  It grows by doubling, so that few rows cost a copy.
 * As a bytea it can be sent by workers; whoever hands in one of his own finds
 * it checked.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "utils/memutils.h"

#include "../compat.h"

#include "../../core/statistics/distance.h"

#define FIRST_CAPACITY 60		/* numbers */

typedef struct Samples
{
	int32		container;		/* length word */
	uint32		capacity;		/* numbers that fit */
	uint32		n;				/* of the reference */
	uint32		m;				/* of the other column */
	double		values[FLEXIBLE_ARRAY_MEMBER];
} Samples;

PG_FUNCTION_INFO_V1(mlops_ks_exact_count);
PG_FUNCTION_INFO_V1(mlops_ks_exact_merge);
PG_FUNCTION_INFO_V1(mlops_ks_exact_finish);

static Size
samples_size(uint64 capacity)
{
	return offsetof(Samples, values) + capacity * sizeof(double);
}

/* A state with room for so many, and the numbers of another in it. */
static Samples *
samples_new(uint64 capacity, const Samples *from)
{
	Samples    *samples;

	if (samples_size(capacity) > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("mlops.ks_exact() cannot hold " UINT64_FORMAT " values", capacity),
				 errhint("Profile the columns, and use mlops.ks() on the profiles.")));
	samples = palloc(samples_size(capacity));
	SET_VARSIZE(samples, samples_size(capacity));
	samples->capacity = (uint32) capacity;
	samples->n = from != NULL ? from->n : 0;
	samples->m = from != NULL ? from->m : 0;
	if (from != NULL)
	{
		memcpy(samples->values, from->values, from->n * sizeof(double));
		memcpy(samples->values + capacity - from->m, from->values + from->capacity - from->m, from->m * sizeof(double));
	}
	return samples;
}

/* A state as an argument; in an aggregate it is ours to change. */
static Samples *
get_samples(FunctionCallInfo fcinfo, int argument)
{
	Samples    *samples = (Samples *) PG_DETOAST_DATUM(PG_GETARG_DATUM(argument));
	Size		size = VARSIZE(samples);

	if (size < offsetof(Samples, values) || size != samples_size(samples->capacity) ||
		(uint64) samples->n + samples->m > samples->capacity)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the bytes are no valid state of mlops.ks_exact()")));
	if (!AggCheckCallContext(fcinfo, NULL))
		samples = samples_new(samples->capacity, samples);
	return samples;
}

/* Room for so many more. */
static Samples *
make_room(Samples *samples, uint64 more)
{
	uint64		needed = (uint64) samples->n + samples->m + more;

	if (needed <= samples->capacity)
		return samples;
	return samples_new(Max(needed, (uint64) samples->capacity * 2), samples);
}

/* The transition: one value of each column; NULL and what is not finite count for nothing. */
Datum
mlops_ks_exact_count(PG_FUNCTION_ARGS)
{
	Samples    *samples = PG_ARGISNULL(0) ? samples_new(FIRST_CAPACITY, NULL) : get_samples(fcinfo, 0);

	samples = make_room(samples, 2);
	if (!PG_ARGISNULL(1) && isfinite(PG_GETARG_FLOAT8(1)))
		samples->values[samples->n++] = PG_GETARG_FLOAT8(1);
	if (!PG_ARGISNULL(2) && isfinite(PG_GETARG_FLOAT8(2)))
		samples->values[samples->capacity - ++samples->m] = PG_GETARG_FLOAT8(2);
	PG_RETURN_POINTER(samples);
}

/* The states of two workers as one. */
Datum
mlops_ks_exact_merge(PG_FUNCTION_ARGS)
{
	Samples    *samples;
	Samples    *part;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	part = get_samples(fcinfo, 1);
	samples = PG_ARGISNULL(0) ? samples_new(FIRST_CAPACITY, NULL) : get_samples(fcinfo, 0);
	samples = make_room(samples, (uint64) part->n + part->m);
	memcpy(samples->values + samples->n, part->values, part->n * sizeof(double));
	samples->n += part->n;
	samples->m += part->m;
	memcpy(samples->values + samples->capacity - samples->m, part->values + part->capacity - part->m, part->m * sizeof(double));
	PG_RETURN_POINTER(samples);
}

static int
compare_numbers(const void *a, const void *b, void *unused)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* (d, p); NULL where a column has no value.  Sorts in a copy: the state may be used again. */
Datum
mlops_ks_exact_finish(PG_FUNCTION_ARGS)
{
	TupleDesc	row_type;
	Samples    *samples;
	double	   *values;
	Datum		result[2];
	bool		nulls[2] = {false, false};
	double		d;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	samples = get_samples(fcinfo, 0);
	if (samples->n == 0 || samples->m == 0)
		PG_RETURN_NULL();
	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "the result of mlops.ks_exact() is no row");

	values = MemoryContextAllocHuge(CurrentMemoryContext, ((Size) samples->n + samples->m) * sizeof(double));
	memcpy(values, samples->values, samples->n * sizeof(double));
	memcpy(values + samples->n, samples->values + samples->capacity - samples->m, samples->m * sizeof(double));
	qsort_interruptible(values, samples->n, sizeof(double), compare_numbers, NULL);
	qsort_interruptible(values + samples->n, samples->m, sizeof(double), compare_numbers, NULL);
	d = rank_distances(values, samples->n, values + samples->n, samples->m).ks;
	result[0] = Float8GetDatum(d);
	result[1] = Float8GetDatum(ks_p_value(d, samples->n, samples->m));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), result, nulls)));
}
