/*
 * monitor_run.c
 *		mlops.compute_monitor(): computing a monitor's windows.
 *
 * A window is computed by SQL functions: with the caller's rights, under the
 * monitor's settings and reading only, where it reads a source, which the
 * caller must then own the monitor for: what others see of it would be other results.  Captured
 * predictions are read as the extension's owner; the functions give nothing
 * but sums over many.  What was found is written as the extension's owner,
 * window by window, in the caller's transaction.
 */
#include "monitor.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rangetypes.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "../compat.h"
#include "../progress.h"
#include "../reading.h"
#include "../registry/registry_scan.h"
#include "../report.h"
#include "../source/source.h"

#define FUNCTION "mlops.run_monitor()"

PG_FUNCTION_INFO_V1(mlops_compute_monitor);
PG_FUNCTION_INFO_V1(mlops_drop_monitor);

/* The type of arrays of a row type of ours. */
Oid
monitor_array_type(const char *row_type)
{
	return get_array_type(GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(row_type),
										  ObjectIdGetDatum(get_namespace_oid("mlops", false))));
}

/* Refuses who can neither train nor deploy. */
void
monitor_require_right(const ModelRef *ref)
{
	unsigned	rights = access_rights(ref->project_id);

	if (!(rights & (RIGHT_BIT(RIGHT_TRAIN) | RIGHT_BIT(RIGHT_DEPLOY))))
		access_refuse(ref->project_id, RIGHT_DEPLOY, ref->model_name);
}

/* The monitor of this id that the caller may view. */
Monitor *
monitor_find(int64 id)
{
	Monitor    *monitor = palloc0(sizeof(Monitor));
	RegistryScan scan;
	bool		found;

	registry_scan_open(&scan, "monitor");
	registry_scan_key_int64(&scan, "id", id);
	registry_scan_start(&scan, "monitor_pkey");
	found = registry_scan_next(&scan);
	if (found)
	{
		bool		null;
		Datum		value;

		monitor->id = id;
		value = registry_scan_value(&scan, "source", &null);
		monitor->source = null ? NULL : TextDatumGetCString(value);
		monitor->settings = DatumGetJsonbPCopy(registry_scan_get(&scan, registry_scan_column(&scan, "settings")));
		monitor->owner = DatumGetObjectId(registry_scan_get(&scan, registry_scan_column(&scan, "owner")));
		monitor->enabled = DatumGetBool(registry_scan_get(&scan, registry_scan_column(&scan, "enabled")));
		if (!registry_find_model(DatumGetInt64(registry_scan_get(&scan, registry_scan_column(&scan, "model_id"))), &monitor->ref))
			elog(ERROR, "the model of monitor " INT64_FORMAT " does not exist", id);
	}
	registry_scan_close(&scan);
	if (!found || !access_allowed(monitor->ref.project_id, RIGHT_VIEW))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("monitor " INT64_FORMAT " does not exist", id),
				 errhint("Monitors are in mlops.monitor.")));
	return monitor;
}

/* Checks that the caller may run it. */
void
monitor_check_run(const Monitor *monitor)
{
	monitor_require_right(&monitor->ref);
	if (monitor->source != NULL && !SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(monitor->owner)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the role whose rights monitor " INT64_FORMAT " has does not exist", monitor->id),
				 errhint("Make the monitor anew.")));
	if (monitor->source != NULL && !has_privs_of_role(GetUserId(), monitor->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for monitor " INT64_FORMAT, monitor->id),
				 errdetail("It reads its source with the rights of role \"%s\", whose results others would replace.",
						   GetUserNameFromId(monitor->owner, false)),
				 errhint("SET ROLE to it, or make a monitor of your own.")));
}

/* Asks a function about a window, with the rights that the monitor reads with. */
static Datum
ask(const Monitor *monitor, const char *statement, Datum window, bool *null)
{
	Oid			types[] = {INT8OID, TSTZRANGEOID};
	Datum		values[] = {Int64GetDatum(monitor->id), window};
	Rights		caller;
	Datum		found;

	if (monitor->source == NULL)
		return registry_execute(statement, lengthof(types), types, values, NULL, null);

	/* the source is its owner's text: whoever runs the monitor must not lend it their rights */
	rights_lend(&caller, monitor->owner);
	found = read_as_caller(statement, lengthof(types), types, values, null);
	rights_restore(&caller);
	return found;
}

/* Computes one window and writes what was found. */
static void
run_window(const Monitor *monitor, Oid values_type, Datum window)
{
	bool		nulls[4] = {false};
	Oid			types[] = {INT8OID, TSTZRANGEOID, INT4OID, values_type};
	Datum		values[] = {Int64GetDatum(monitor->id), window, (Datum) 0, (Datum) 0};

	values[2] = ask(monitor, "select mlops.monitor_version($1, $2)", window, &nulls[2]);
	if (nulls[2])
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" has no version to watch", monitor->ref.model_name)));
	values[3] = ask(monitor, "select mlops.compute_window($1, $2)", window, &nulls[3]);
	(void) registry_execute("select mlops.store_results($1, $2, $3, $4)", lengthof(types), types, values, nulls, NULL);
}

/* The windows to compute. */
static Datum *
list_windows(const Monitor *monitor, const TimestampTz *since, const TimestampTz *until, int *n)
{
	Oid			types[] = {INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[] = {
		Int64GetDatum(monitor->id),
		since != NULL ? TimestampTzGetDatum(*since) : (Datum) 0,
		until != NULL ? TimestampTzGetDatum(*until) : (Datum) 0
	};
	bool		nulls[] = {false, since == NULL, until == NULL};
	Datum	   *windows;
	Datum		array;

	/* whoever computes the same monitor goes first */
	(void) registry_execute("select 1 from mlops.monitor m where m.id = $1 for no key update", 1, types, values, NULL, NULL);
	array = registry_execute("select mlops.monitor_windows($1, $2, $3)", lengthof(types), types, values, nulls, NULL);
	deconstruct_array(DatumGetArrayTypeP(array), TSTZRANGEOID, -1, false, TYPALIGN_DOUBLE, &windows, NULL, n);
	return windows;
}

/* Computes the windows from since to until. */
int
monitor_run(const Monitor *monitor, const TimestampTz *since, const TimestampTz *until, Datum *first, Datum *last)
{
	int			nest_level = NewGUCNestLevel();
	Oid			values_type = monitor_array_type("monitor_value");
	Datum	   *windows;
	int			n;

	source_apply_settings(monitor->settings);
	windows = list_windows(monitor, since, until, &n);
	(void) progress_begin("monitor", monitor->ref.model_name, monitor->ref.project_id);
	progress_phase("windows", (uint64) n);
	for (int i = 0; i < n; i++)
	{
		MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "mlops monitor window", ALLOCSET_DEFAULT_SIZES);
		MemoryContext caller = MemoryContextSwitchTo(work);

		run_window(monitor, values_type, windows[i]);
		progress_set((uint64) i + 1, (uint64) n);
		MemoryContextSwitchTo(caller);
		MemoryContextDelete(work);
		CHECK_FOR_INTERRUPTS();
	}
	AtEOXact_GUC(true, nest_level);
	if (n > 0)
	{
		*first = windows[0];
		*last = windows[n - 1];
	}
	return n;
}

/* mlops.compute_monitor(monitor, since, until) */
Datum
mlops_compute_monitor(PG_FUNCTION_ARGS)
{
	Monitor    *monitor;
	TimestampTz since;
	TimestampTz until;
	Datum		first;
	Datum		last;

	PreventCommandIfReadOnly(FUNCTION);
	if (PG_ARGISNULL(0))
		report_null_argument(FUNCTION, "monitor");
	monitor = monitor_find(PG_GETARG_INT64(0));
	monitor_check_run(monitor);
	since = PG_ARGISNULL(1) ? 0 : PG_GETARG_TIMESTAMPTZ(1);
	until = PG_ARGISNULL(2) ? 0 : PG_GETARG_TIMESTAMPTZ(2);
	if (monitor_run(monitor, PG_ARGISNULL(1) ? NULL : &since, PG_ARGISNULL(2) ? NULL : &until, &first, &last) == 0)
		PG_RETURN_NULL();

	TypeCacheEntry *type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
	RangeBound	bounds[4];
	bool		empty;

	range_deserialize(type, DatumGetRangeTypeP(first), &bounds[0], &bounds[1], &empty);
	range_deserialize(type, DatumGetRangeTypeP(last), &bounds[2], &bounds[3], &empty);
	PG_RETURN_RANGE_P(compat_make_range(type, &bounds[0], &bounds[3]));
}

/* mlops.drop_monitor(monitor) */
Datum
mlops_drop_monitor(PG_FUNCTION_ARGS)
{
	Monitor    *monitor;
	Oid			type = INT8OID;
	Datum		value;

	PreventCommandIfReadOnly("mlops.drop_monitor()");
	monitor = monitor_find(PG_GETARG_INT64(0));
	if (!has_privs_of_role(GetUserId(), monitor->owner))
		access_require(monitor->ref.project_id, RIGHT_OWN, monitor->ref.model_name);
	value = Int64GetDatum(monitor->id);
	(void) registry_execute("delete from mlops.monitor m where m.id = $1", 1, &type, &value, NULL, NULL);
	PG_RETURN_VOID();
}
