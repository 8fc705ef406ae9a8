/*
 * capture_status.c
 *		What is counted about capture, waiting for the writer, and forgetting an entity.
 */
#include "capture.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "../clock.h"
#include "../govern/audit.h"
#include "../registry/registry_scan.h"
#include "../report.h"
#include "../result_row.h"

#define FORGET_TIMEOUT_MS 60000 /* for what is in the queue */

PG_FUNCTION_INFO_V1(mlops_list_capture);
PG_FUNCTION_INFO_V1(mlops_flush_capture);
PG_FUNCTION_INFO_V1(mlops_forget);
PG_FUNCTION_INFO_V1(mlops_prediction_time);

/* What of the queue belongs to a model. */
typedef struct Queued
{
	uint64		bytes;
	TimestampTz oldest;
} Queued;

/* Looks through the queue for rows of this database: one a place of counters. */
static Queued *
look(void)
{
	Queued	   *queued = palloc0((CAPTURE_OTHERS + 1) * sizeof(Queued));
	uint64		position;
	uint64		head;

	LWLockAcquire(capture_shared->lock, LW_SHARED);
	capture_ring_bounds(&position, &head);
	while (position < head)
	{
		const CaptureRow *row = capture_ring_next(&position);

		if (pg_atomic_read_u32(unconstify(pg_atomic_uint32 *, &row->state)) != CAPTURE_READY || row->database != MyDatabaseId)
			continue;
		pg_read_barrier();

		Queued	   *of_model = &queued[row->place];

		if (of_model->bytes == 0)
			of_model->oldest = row->at;
		of_model->bytes += row->size;
	}
	LWLockRelease(capture_shared->lock);
	return queued;
}

/* Whether the caller may see what is counted at a place: of a model whose project it views; of others, a superuser. */
static bool
may_see(const CaptureCounters *counters, uint32 place)
{
	RegistryScan scan;
	bool		sees;

	if (place == CAPTURE_OTHERS)
		return superuser();
	if (counters->database != MyDatabaseId)
		return false;
	registry_scan_open(&scan, "model");
	registry_scan_key_int64(&scan, "id", counters->model_id);
	registry_scan_start(&scan, "model_pkey");
	sees = registry_scan_next(&scan) && access_allowed(DatumGetInt64(registry_scan_get(&scan, registry_scan_column(&scan, "project_id"))), RIGHT_VIEW);
	registry_scan_close(&scan);
	return sees;
}

/* list_capture(): a row a model that is counted in shared memory, and one of all that are not counted by themselves. */
Datum
mlops_list_capture(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Queued	   *queued;

	InitMaterializedSRF(fcinfo, 0);
	if (capture_shared == NULL)
		return (Datum) 0;
	queued = look();
	for (uint32 i = 0; i <= CAPTURE_OTHERS; i++)
	{
		CaptureCounters *counters = capture_counters_at(i);
		ResultRow	row = {.n = 0};

		if (counters == NULL || !may_see(counters, i))
			continue;
		if (i == CAPTURE_OTHERS)
			row_add_null(&row);
		else
			row_add(&row, Int64GetDatum(counters->model_id));
		row_add(&row, Int64GetDatum((int64) pg_atomic_read_u64(&counters->waiting)));
		row_add(&row, Int64GetDatum((int64) pg_atomic_read_u64(&counters->dropped)));
		row_add(&row, Int64GetDatum((int64) pg_atomic_read_u64(&counters->lost)));
		row_add(&row, Int64GetDatum((int64) pg_atomic_read_u64(&counters->sampled)));
		row_add(&row, Int64GetDatum((int64) pg_atomic_read_u64(&counters->standby)));
		row_add(&row, Int64GetDatum((int64) pg_atomic_read_u64(&counters->uncommitted)));
		if (queued[i].bytes == 0)
			row_add_null(&row);
		else
			row_add(&row, DirectFunctionCall2(timestamp_mi, TimestampTzGetDatum(clock_now()), TimestampTzGetDatum(queued[i].oldest)));
		row_add(&row, Int64GetDatum((int64) queued[i].bytes));
		row_put(&row, result);
	}
	return (Datum) 0;
}

/* Whether rows of this database wait that came before a position. */
static bool
waits_before(uint64 end)
{
	uint64		position;
	uint64		head;
	bool		found = false;

	LWLockAcquire(capture_shared->lock, LW_SHARED);
	capture_ring_bounds(&position, &head);
	while (position < end && !found)
	{
		CaptureRow *row = capture_ring_next(&position);

		found = pg_atomic_read_u32(&row->state) != CAPTURE_DONE && row->database == MyDatabaseId;
	}
	LWLockRelease(capture_shared->lock);
	return found;
}

/* Waits until what is in the queue for this database is written; false after the timeout. */
static bool
flush(int64 timeout_ms)
{
	TimestampTz start = GetCurrentTimestamp();
	uint64		tail;
	uint64		end;
	bool		done = false;

	if (capture_shared == NULL)
		return true;
	capture_ring_bounds(&tail, &end);
	ConditionVariablePrepareToSleep(&capture_shared->finished);
	for (;;)
	{
		int64		left;

		done = !waits_before(end);
		left = timeout_ms - TimestampDifferenceMilliseconds(start, GetCurrentTimestamp());
		if (done || left <= 0)
			break;

		/* the launcher forgets it with every writer that it starts */
		capture_shared->hurry = true;
		capture_wake_launcher();
		(void) ConditionVariableTimedSleep(&capture_shared->finished, (long) Min(left, 100), PG_WAIT_EXTENSION);
	}
	ConditionVariableCancelSleep();
	return done;
}

/* QUERY_CANCELED: the queue was not written in time. */
static void
refuse_waiting(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_QUERY_CANCELED),
			 errmsg("captured predictions were not written in time"),
			 errhint("The server's log says why the writer cannot write; mlops.capture_status shows how many rows wait.")));
}

/* flush_capture(timeout) */
Datum
mlops_flush_capture(PG_FUNCTION_ARGS)
{
	Interval   *timeout = PG_GETARG_INTERVAL_P(0);
	double		milliseconds = DatumGetFloat8(DirectFunctionCall2(interval_part, CStringGetTextDatum("epoch"), IntervalPGetDatum(timeout))) * 1000;

	if (!(milliseconds > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the timeout must be longer than 0")));
	if (!flush((int64) Min(milliseconds, 1e15)))
		refuse_waiting();
	PG_RETURN_VOID();
}

/* forget(model, entity_key): removes what is known of an entity. */
Datum
mlops_forget(PG_FUNCTION_ARGS)
{
	char	   *reference = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *key = text_to_cstring(PG_GETARG_TEXT_PP(1));
	ModelRef	ref;

	PreventCommandIfReadOnly("mlops.forget()");
	registry_resolve(reference, BARE_MODEL, RIGHT_OWN, &ref);

	/* what the writer commits now must be seen by the statements below */
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("mlops.forget() takes a transaction with isolation level READ COMMITTED")));
	if (!flush(FORGET_TIMEOUT_MS))
		refuse_waiting();

	Oid			types[] = {INT8OID, TEXTOID, TEXTOID};
	Datum		values[] = {
		Int64GetDatum(ref.model_id),
		PointerGetDatum(capture_key_text(PG_GETARG_TEXT_PP(1))),
		CStringGetTextDatum(capture_key_digest(key, strlen(key)))
	};
	Datum		gone = registry_execute(
		"with gone as (delete from mlops.prediction p where p.model_id = $1 and p.entity_key = $2 returning p.prediction_id, p.at), "
		"features as (delete from mlops.prediction_features f using gone where f.prediction_id = gone.prediction_id and f.at = gone.at), "
		"requests as (delete from mlops.request r using gone where r.model_id = $1 and r.prediction_id = gone.prediction_id), "
		"turned_out as (delete from mlops.outcome o where o.model_id = $1 and (o.entity_key = $2 or o.prediction_id in (select gone.prediction_id from gone)) "
		"returning 1) "
		"select jsonb_build_object('entity_key_sha256', $3, 'predictions', (select count(*) from gone), 'outcomes', (select count(*) from turned_out))",
		lengthof(types), types, values, NULL, NULL);

	audit_add(ref.project_id, "forget", psprintf("model %s", ref.model_name), NULL, DatumGetJsonbP(gone));
	PG_RETURN_DATUM(DirectFunctionCall1(int8in, CStringGetDatum(text_to_cstring(DatumGetTextPP(
		DirectFunctionCall2(jsonb_object_field_text, gone, CStringGetTextDatum("predictions")))))));
}

/* prediction_time(prediction_id) */
Datum
mlops_prediction_time(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(capture_id_time(PG_GETARG_INT64(0)));
}
