/*
 * capture_status.c
 *		What is counted about capture, waiting for the writer, and forgetting an entity.
 */
#include "capture.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "report.h"
#include "result_row.h"

#define FORGET_TIMEOUT_MS 60000 /* for what is in the queue */

PG_FUNCTION_INFO_V1(mlops_list_capture);
PG_FUNCTION_INFO_V1(mlops_flush_capture);
PG_FUNCTION_INFO_V1(mlops_forget);
PG_FUNCTION_INFO_V1(mlops_prediction_time);

/* What of the queue belongs to a model. */
typedef struct Queued
{
	uint64		bytes;
	TimestampTz oldest;			/* 0: there is none */
} Queued;

/* Looks through the queue for the rows of a model. */
static Queued
look(int64 model_id)
{
	Queued		queued = {0};
	uint64		position;
	uint64		head;

	LWLockAcquire(capture_shared->lock, LW_SHARED);
	capture_ring_bounds(&position, &head);
	while (position < head)
	{
		const CaptureRow *row = capture_ring_next(&position);

		if (pg_atomic_read_u32(unconstify(pg_atomic_uint32 *, &row->state)) != CAPTURE_READY || row->database != MyDatabaseId ||
			row->model_id != model_id)
			continue;
		pg_read_barrier();
		if (queued.oldest == 0)
			queued.oldest = row->at;
		queued.bytes += row->size;
	}
	LWLockRelease(capture_shared->lock);
	return queued;
}

/* list_capture(): a row a model that is counted in shared memory. */
Datum
mlops_list_capture(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	CaptureCounters *counters;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; capture_shared != NULL && (counters = capture_counters_at(i)) != NULL; i++)
	{
		ResultRow	row = {.n = 0};
		Queued		queued;

		if (counters->database != MyDatabaseId)
			continue;
		queued = look(counters->model_id);
		row_add(&row, Int64GetDatum(counters->model_id));
		row_add(&row, Int64GetDatum((int64) pg_atomic_read_u64(&counters->waiting)));
		row_add(&row, Int64GetDatum((int64) pg_atomic_read_u64(&counters->dropped)));
		row_add(&row, Int64GetDatum((int64) pg_atomic_read_u64(&counters->lost)));
		row_add(&row, Int64GetDatum((int64) pg_atomic_read_u64(&counters->sampled)));
		row_add(&row, Int64GetDatum((int64) pg_atomic_read_u64(&counters->standby)));
		row_add(&row, Int64GetDatum((int64) pg_atomic_read_u64(&counters->uncommitted)));
		if (queued.oldest == 0)
			row_add_null(&row);
		else
			row_add(&row, DirectFunctionCall2(timestamp_mi, TimestampTzGetDatum(GetCurrentTimestamp()), TimestampTzGetDatum(queued.oldest)));
		row_add(&row, Int64GetDatum((int64) queued.bytes));
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

/* What an audit event says of a key: its SHA-256, not the key. */
static char *
key_digest(const char *key)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	char	   *text = palloc(2 * PG_SHA256_DIGEST_LENGTH + 1);
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (context == NULL || pg_cryptohash_init(context) < 0 || pg_cryptohash_update(context, (const uint8 *) key, strlen(key)) < 0 ||
		pg_cryptohash_final(context, digest, sizeof(digest)) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute SHA-256")));
	pg_cryptohash_free(context);
	for (int i = 0; i < PG_SHA256_DIGEST_LENGTH; i++)
		sprintf(text + 2 * i, "%02x", digest[i]);
	return text;
}

/* forget(model, entity_key): removes what is known of an entity. */
Datum
mlops_forget(PG_FUNCTION_ARGS)
{
	char	   *reference = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *key = text_to_cstring(PG_GETARG_TEXT_PP(1));
	ModelRef	ref;
	bool		null;
	int64		n;

	PreventCommandIfReadOnly("mlops.forget()");
	registry_resolve(reference, BARE_MODEL, RIGHT_OWN, &ref);

	/* what the writer commits now must be seen by the statements below */
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("mlops.forget() takes a transaction with isolation level READ COMMITTED")));
	if (!flush(FORGET_TIMEOUT_MS))
		refuse_waiting();

	Oid			types[] = {INT8OID, TEXTOID, INT8OID, TEXTOID, TEXTOID, TEXTOID};
	Datum		values[] = {
		Int64GetDatum(ref.model_id), CStringGetTextDatum(key), Int64GetDatum(ref.project_id), CStringGetTextDatum(GetUserNameFromId(GetUserId(), false)),
		CStringGetTextDatum(ref.model_name), CStringGetTextDatum(key_digest(key))
	};

	n = DatumGetInt64(registry_execute(
		"with gone as (delete from mlops.prediction p where p.model_id = $1 and p.entity_key = $2 returning p.prediction_id, p.at), "
		"features as (delete from mlops.prediction_features f using gone where f.prediction_id = gone.prediction_id and f.at = gone.at), "
		"requests as (delete from mlops.request r using gone where r.model_id = $1 and r.prediction_id = gone.prediction_id), "
		"turned_out as (delete from mlops.outcome o where o.model_id = $1 and (o.entity_key = $2 or o.prediction_id in (select gone.prediction_id from gone)) "
		"returning 1), "
		"event as (insert into mlops.audit_event (project_id, actor, action, object, detail) "
		"select $3, $4, 'forget', 'model ' || $5, jsonb_build_object('entity_key_sha256', $6, 'predictions', (select count(*) from gone), "
		"'outcomes', (select count(*) from turned_out))) "
		"select count(*) from gone", lengthof(types), types, values, NULL, &null));
	PG_RETURN_INT64(n);
}

/* prediction_time(prediction_id) */
Datum
mlops_prediction_time(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(capture_id_time(PG_GETARG_INT64(0)));
}
