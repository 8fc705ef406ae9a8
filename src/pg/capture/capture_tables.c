/*
 * capture_tables.c
 *		The tables of captured predictions: partitions, layouts, errors, counts.
 *
 * There is a partition a day, UTC, of mlops.prediction and of
 * mlops.prediction_features each.  That they exist is asked of the catalog's
 * cache by their names; mlops.make_prediction_partition() makes them.
 */
#include "capture_tables.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "../registry/registry.h"
#include "../registry/registry_scan.h"

/* Looks for a layout that the active snapshot sees; 0 where there is none. */
static int64
known_layout(int64 model_id, int32 version, int64 deployment_id)
{
	RegistryScan scan;
	int64		id = 0;

	registry_scan_open(&scan, "capture_layout");
	registry_scan_key_int64(&scan, "model_id", model_id);
	registry_scan_key_int32(&scan, "version", version);
	registry_scan_key_int64(&scan, "deployment_id", deployment_id);
	registry_scan_start(&scan, "capture_layout_key");
	if (registry_scan_next(&scan))
		id = DatumGetInt64(registry_scan_get(&scan, registry_scan_column(&scan, "id")));
	registry_scan_close(&scan);
	return id;
}

int64
capture_layout(int64 model_id, int32 version, int64 deployment_id)
{
	int64		known = known_layout(model_id, version, deployment_id);

	if (known != 0)
		return known;

	Oid			types[] = {INT8OID, INT4OID, INT8OID};
	Datum		values[] = {Int64GetDatum(model_id), Int32GetDatum(version), Int64GetDatum(deployment_id)};
	bool		null;
	Datum		id = registry_execute("select mlops.find_capture_layout($1, $2, $3)", 3, types, values, NULL, &null);

	return null ? 0 : DatumGetInt64(id);
}

/*
 * Makes the partitions of a day, given by a time in it, where there are none.
 * ahead: they are not needed yet, so nobody is waited for who makes
 * partitions in a transaction that may go on for long.
 */
static void
make_day(TimestampTz at, bool ahead)
{
	Oid			types[] = {TIMESTAMPTZOID};
	Datum		value = TimestampTzGetDatum(at);
	struct pg_tm tm;
	fsec_t		fraction;
	char		name[NAMEDATALEN];
	Oid			schema = get_namespace_oid("mlops", false);

	if (timestamp2tm(at, NULL, &tm, &fraction, NULL, NULL) != 0)
		return;
	snprintf(name, sizeof(name), "prediction_features_%04d_%02d_%02d", tm.tm_year, tm.tm_mon, tm.tm_mday);
	if (OidIsValid(get_relname_relid(name, schema)))
		return;
	if (ahead && !ConditionalLockRelationOid(get_relname_relid("prediction", schema), ShareUpdateExclusiveLock))
		return;
	registry_execute("select mlops.make_prediction_partition($1)", 1, types, &value, NULL, NULL);
}

void
capture_partitions(TimestampTz at)
{
	make_day(at, false);
	make_day(at + USECS_PER_DAY, true);
}

void
capture_errors_write(const CaptureErrors *errors)
{
	Oid			types[] = {INT8OID, INT4OID, TIMESTAMPTZOID, TEXTOID, INT8OID};
	Datum		values[] = {
		Int64GetDatum(errors->model_id), Int32GetDatum(errors->version), TimestampTzGetDatum(errors->at),
		CStringGetTextDatum(unpack_sql_state(errors->code)), Int64GetDatum(errors->n)
	};

	registry_execute("insert into mlops.prediction_error as e (model_id, version, at, sqlstate, errors) "
					 "select m.id, $2, date_trunc('minute', $3), $4, $5 from mlops.model m where m.id = $1 "
					 "on conflict on constraint prediction_error_pkey do update set errors = e.errors + excluded.errors",
					 lengthof(types), types, values, NULL, NULL);
}

void
capture_count_read(CaptureCount *count, CaptureCounters *counters)
{
	count->counters = counters;
	count->model_id = counters->model_id;
	count->dropped = pg_atomic_read_u64(&counters->dropped);
	count->lost = pg_atomic_read_u64(&counters->lost);
	count->sampled = pg_atomic_read_u64(&counters->sampled);
	count->standby = pg_atomic_read_u64(&counters->standby);
	count->uncommitted = pg_atomic_read_u64(&counters->uncommitted);
}

bool
capture_count_write(const CaptureCount *count)
{
	Oid			types[] = {INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID};
	Datum		values[] = {
		Int64GetDatum(count->model_id), Int64GetDatum((int64) count->captured), Int64GetDatum((int64) count->dropped),
		Int64GetDatum((int64) count->lost), Int64GetDatum((int64) count->sampled), Int64GetDatum((int64) count->standby),
		Int64GetDatum((int64) count->uncommitted)
	};

	if (count->captured == 0 && count->dropped == 0 && count->lost == 0 && count->sampled == 0 && count->standby == 0 && count->uncommitted == 0)
		return false;
	registry_execute("insert into mlops.capture_count as c (model_id, captured, dropped, lost, sampled, standby, uncommitted) "
					 "select m.id, $2, $3, $4, $5, $6, $7 from mlops.model m where m.id = $1 "
					 "on conflict on constraint capture_count_pkey do update set captured = c.captured + excluded.captured, "
					 "dropped = c.dropped + excluded.dropped, lost = c.lost + excluded.lost, sampled = c.sampled + excluded.sampled, "
					 "standby = c.standby + excluded.standby, uncommitted = c.uncommitted + excluded.uncommitted",
					 lengthof(types), types, values, NULL, NULL);
	return true;
}

void
capture_count_subtract(const CaptureCount *count)
{
	CaptureCounters *counters = count->counters;

	if (counters == NULL)
		return;
	pg_atomic_fetch_sub_u64(&counters->dropped, (int64) count->dropped);
	pg_atomic_fetch_sub_u64(&counters->lost, (int64) count->lost);
	pg_atomic_fetch_sub_u64(&counters->sampled, (int64) count->sampled);
	pg_atomic_fetch_sub_u64(&counters->standby, (int64) count->standby);
	pg_atomic_fetch_sub_u64(&counters->uncommitted, (int64) count->uncommitted);
}
