/*
 * profile.c
 *		mlops.profile() and mlops.merge(): distributions as aggregates; taking one away from another.
 */
#include "distribution.h"

#include <math.h>

#include "utils/builtins.h"

#include "../compat.h"
#include "../report.h"

PG_FUNCTION_INFO_V1(mlops_profile_count);
PG_FUNCTION_INFO_V1(mlops_profile_merge);
PG_FUNCTION_INFO_V1(mlops_subtract);
PG_FUNCTION_INFO_V1(mlops_quantile);

/* How the values of this call are counted, decided at its first. */
static ValueCounter *
first_call(FunctionCallInfo fcinfo)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 1);
	ValueCounter *counter = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ValueCounter));

	if (!OidIsValid(type))
		elog(ERROR, "could not determine the type of a value to profile");
	if (!value_counter(counter, type, fcinfo->flinfo->fn_mcxt))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("values of type %s cannot be profiled", format_type_be(type)),
				 errhint("Numbers, booleans, dates, times and texts can; cast the column to one of them.")));
	fcinfo->flinfo->fn_extra = counter;
	return counter;
}

/* Where a state lives: the aggregate's context, or in a plain call the current one. */
static MemoryContext
state_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	return AggCheckCallContext(fcinfo, &context) ? context : CurrentMemoryContext;
}

/* A group's first row: into the cells of the reference, where there is one. */
static pg_noinline ProfileObject *
first_row(FunctionCallInfo fcinfo, ColumnKind kind)
{
	Distribution *like = NULL;

	if (PG_NARGS() > 2 && !PG_ARGISNULL(2))
		like = distribution_read(PG_GETARG_DATUM(2));
	return profile_object_new(state_context(fcinfo), kind, like);
}

/* The transition of profile(column) and profile(column, reference). */
Datum
mlops_profile_count(PG_FUNCTION_ARGS)
{
	ValueCounter *counter = fcinfo->flinfo->fn_extra;
	ProfileObject *object;

	if (unlikely(counter == NULL))
		counter = first_call(fcinfo);
	object = unlikely(PG_ARGISNULL(0)) ? first_row(fcinfo, counter->kind) : profile_object_writable(PG_GETARG_DATUM(0));
	if (unlikely(object == NULL))
		object = profile_object_of(PG_GETARG_DATUM(0), state_context(fcinfo));
	if (unlikely(object->profile.d.kind != counter->kind))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("values of kind %s cannot be counted into a distribution of kind %s",
						kind_name(counter->kind), kind_name(object->profile.d.kind))));
	if (PG_ARGISNULL(1))
		profile_null(&object->profile);
	else
		counter->count(&object->profile, PG_GETARG_DATUM(1), counter);
	return EOHPGetRWDatum(&object->header);
}

/* The transition of merge(distribution), and what combines the states of workers. */
Datum
mlops_profile_merge(PG_FUNCTION_ARGS)
{
	MemoryContext context = state_context(fcinfo);
	ProfileObject *object;
	Distribution *part;
	Error		error;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	part = distribution_read(PG_GETARG_DATUM(1));
	object = PG_ARGISNULL(0) ? profile_object_new(context, part->kind, NULL) : profile_object_of(PG_GETARG_DATUM(0), context);
	if (!profile_merge(&object->profile, part, &error))
		report_error(&error);
	return EOHPGetRWDatum(&object->header);
}

/* mlops.subtract(whole, part) */
Datum
mlops_subtract(PG_FUNCTION_ARGS)
{
	Distribution *whole = distribution_read(PG_GETARG_DATUM(0));
	Distribution *part = distribution_read(PG_GETARG_DATUM(1));
	Error		error;

	if (!distribution_subtract(whole, part, &error))
		report_error(&error);
	PG_RETURN_DATUM(distribution_datum(whole));
}

/* mlops.quantile(distribution, q) */
Datum
mlops_quantile(PG_FUNCTION_ARGS)
{
	Distribution *distribution = distribution_read(PG_GETARG_DATUM(0));
	double		q = PG_GETARG_FLOAT8(1);
	double		value;

	if (!(q >= 0 && q <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"q\" of mlops.quantile() must be from 0 to 1")));
	value = distribution_quantile(distribution, q);
	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}
