/*
 * score.c
 *		mlops.score(): predicting and capturing in the caller's transaction.
 *
 * The record shares the transaction's fate: whoever writes an order and the
 * score that decided it has both or neither.  With a request_id the answer is
 * remembered in mlops.request, whose key makes a second call, also one at the
 * same time, return the first one's answer.
 *
 * Where the deployment captures nothing, score() answers and records nothing,
 * the request neither.
 *
 * The rows are written as the extension's owner, after predict()'s own check
 * of the caller's access.
 */
#include "capture.h"

#include <math.h>

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "capture_tables.h"
#include "../clock.h"
#include "../registry/registry_scan.h"
#include "../report.h"

#define FUNCTION "mlops.score()"
#define LOW_BITS 21				/* of an id, as in capture_ring.c */

PG_FUNCTION_INFO_V1(mlops_score);

/* Columns of the result. */
enum
{
	SCORE_ID,
	SCORE_PREDICTION,
	SCORE_CLASS,
	SCORE_PROBABILITY,
	SCORE_VERSION,
	SCORE_COLUMNS
};

/* An answer. */
typedef struct Score
{
	Datum		values[SCORE_COLUMNS];
	bool		nulls[SCORE_COLUMNS];
} Score;

/* The next id and its time; without shared memory a sequence makes ids of one millisecond differ. */
static int64
next_id(TimestampTz *at)
{
	static struct _SPI_plan *plan = NULL;

	if (capture_shared != NULL)
		return capture_next_id(at);
	*at = clock_now();
	return *at / 1000 << LOW_BITS |
		DatumGetInt64(registry_execute_kept(&plan, "select nextval('mlops.prediction_low')", 0, NULL, NULL, NULL, NULL));
}

/* Reads the answer that a request got before; false where it got none that is seen now. */
static bool
earlier_answer(int64 model_id, const char *request_id, Score *score)
{
	static const char *const columns[] = {"prediction_id", "prediction", "class", "probability", "version"};
	RegistryScan scan;
	bool		found;

	PushActiveSnapshot(GetLatestSnapshot());
	registry_scan_open(&scan, "request");
	registry_scan_key_int64(&scan, "model_id", model_id);
	registry_scan_key_text(&scan, "request_id", request_id);
	registry_scan_start(&scan, "request_pkey");
	found = registry_scan_next(&scan);
	for (int i = 0; found && i < SCORE_COLUMNS; i++)
	{
		score->values[i] = registry_scan_value(&scan, columns[i], &score->nulls[i]);
		if (i == SCORE_CLASS && !score->nulls[i])
			score->values[i] = PointerGetDatum(DatumGetTextPCopy(score->values[i]));
	}
	registry_scan_close(&scan);
	PopActiveSnapshot();
	return found;
}

/* Enters a request with its answer; false where it is there already, perhaps only now. */
static bool
enter_request(int64 model_id, Datum request_id, TimestampTz at, const Score *score)
{
	static struct _SPI_plan *plan = NULL;
	Oid			types[] = {INT8OID, TEXTOID, TIMESTAMPTZOID, INT8OID, FLOAT8OID, TEXTOID, FLOAT8OID, INT4OID};
	Datum		values[lengthof(types)] = {Int64GetDatum(model_id), request_id, TimestampTzGetDatum(at)};
	bool		nulls[lengthof(types)] = {false};
	bool		refused;

	memcpy(values + 3, score->values, sizeof(score->values));
	memcpy(nulls + 3, score->nulls, sizeof(score->nulls));
	registry_execute_kept(&plan, "insert into mlops.request (model_id, request_id, at, prediction_id, prediction, class, probability, version) "
						  "values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning 1",
						  lengthof(types), types, values, nulls, &refused);
	return !refused;
}

/* Writes the prediction and what was asked. */
static void
write_prediction(const CaptureSite *site, TimestampTz at, const Score *score, Datum key, bool no_key, Datum request_id, bool no_request, float latency)
{
	static struct _SPI_plan *plan = NULL;
	int64		layout = capture_layout(site->model_id, site->version, site->deployment_id);
	bytea	   *features = palloc(VARHDRSZ + site->features.len);
	Oid			types[] = {
		INT8OID, FLOAT8OID, TEXTOID, FLOAT8OID, INT4OID,
		TIMESTAMPTZOID, INT8OID, INT8OID, TEXTOID, TEXTOID, FLOAT4OID, TEXTOID, INT8OID, BYTEAOID
	};
	Datum		values[lengthof(types)];
	bool		nulls[lengthof(types)] = {false};
	int			n = SCORE_COLUMNS;

	SET_VARSIZE(features, VARHDRSZ + site->features.len);
	memcpy(VARDATA(features), site->features.data, site->features.len);
	capture_partitions(at);
	memcpy(values, score->values, sizeof(score->values));
	memcpy(nulls, score->nulls, sizeof(score->nulls));
	values[n++] = TimestampTzGetDatum(at);
	values[n++] = Int64GetDatum(site->model_id);
	nulls[n] = site->deployment_id == 0;
	values[n++] = Int64GetDatum(site->deployment_id);
	nulls[n] = no_key;
	values[n++] = no_key ? (Datum) 0 : PointerGetDatum(capture_key_text(DatumGetTextPP(key)));
	nulls[n] = no_request;
	values[n++] = request_id;
	values[n++] = Float4GetDatum(latency);
	values[n++] = CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
	values[n++] = Int64GetDatum(layout);
	nulls[n] = !site->settings->features;
	values[n++] = PointerGetDatum(features);
	registry_execute_kept(&plan, "with features as (insert into mlops.prediction_features (prediction_id, at, model_id, layout_id, features) "
						  "select $1, $6, $7, $13, $14 where $14 is not null) "
						  "insert into mlops.prediction (prediction_id, at, model_id, version, deployment_id, entity_key, request_id, prediction, class, "
						  "probability, latency, weight, captured_by) values ($1, $6, $7, $5, $8, $9, $10, $2, $3, $4, $11, 1, $12)",
						  lengthof(types), types, values, nulls, NULL);
}

/* Predicts the features of the call: its answer but for the id; and encodes them. */
static CaptureSite *
predict_score(Predictor *predictor, Datum features, Score *score, float *latency)
{
	CaptureSite *site = predictor->capture_site;
	const char *class;
	double		prediction;
	double		probability;
	instr_time	duration;
	ErrorWatch	watch;

	if (site == NULL || site->deployment_id != predictor->ref->deployment_id || site->version != predictor->ref->version ||
		site->model_id != predictor->ref->model_id)
	{
		if (site != NULL)
			MemoryContextDelete(site->context);
		predictor->capture = predictor->capture_site = NULL;
		predictor->capture_site = site = capture_site_make(predictor, predictor->ref);
	}
	capture_begin_row(predictor, site);
	capture_watch(&watch, predictor->ref);
	predict_features(predictor, features);
	capture_unwatch(&watch);
	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, site->start);
	*latency = (float) (INSTR_TIME_GET_DOUBLE(duration) * 1e6);
	capture_encode_row(predictor, site, features);
	capture_answer(predictor, predictor->out, &prediction, &class, &probability);
	score->values[SCORE_PREDICTION] = Float8GetDatum(prediction);
	score->nulls[SCORE_PREDICTION] = isnan(prediction);
	score->nulls[SCORE_CLASS] = class == NULL;
	score->values[SCORE_CLASS] = class != NULL ? CStringGetTextDatum(class) : (Datum) 0;
	score->values[SCORE_PROBABILITY] = Float8GetDatum(probability);
	score->nulls[SCORE_PROBABILITY] = isnan(probability);
	score->values[SCORE_VERSION] = Int32GetDatum(predictor->ref->version);
	score->nulls[SCORE_VERSION] = false;
	return site;
}

/* score(model, entity_key, features, request_id) */
Datum
mlops_score(PG_FUNCTION_ARGS)
{
	bool		no_request = PG_ARGISNULL(3);
	Score		score = {.nulls = {false}};
	TupleDesc	row_type;
	Predictor  *predictor;
	CaptureSite *site;
	TimestampTz at;
	float		latency;

	if (PG_ARGISNULL(0))
		report_null_argument(FUNCTION, "model");
	if (PG_ARGISNULL(2))
		report_null_argument(FUNCTION, "features");
	PreventCommandIfReadOnly(FUNCTION);
	PreventCommandDuringRecovery(FUNCTION);
	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "score() must return a row");
	row_type = BlessTupleDesc(row_type);
	predictor = predict_bind(fcinfo);
	if (!no_request && earlier_answer(predictor->ref->model_id, text_to_cstring(PG_GETARG_TEXT_PP(3)), &score))
		PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(row_type, score.values, score.nulls)));

	site = predict_score(predictor, PointerGetDatum(PG_DETOAST_DATUM(PG_GETARG_DATUM(2))), &score, &latency);
	if (site->settings->mode == CAPTURE_OFF)
	{
		score.nulls[SCORE_ID] = true;
		PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(row_type, score.values, score.nulls)));
	}
	score.values[SCORE_ID] = Int64GetDatum(next_id(&at));
	if (no_request || enter_request(site->model_id, PG_GETARG_DATUM(3), at, &score))
		write_prediction(site, at, &score, PG_ARGISNULL(1) ? (Datum) 0 : PG_GETARG_DATUM(1), PG_ARGISNULL(1),
						 no_request ? (Datum) 0 : PG_GETARG_DATUM(3), no_request, latency);
	else if (!earlier_answer(site->model_id, text_to_cstring(PG_GETARG_TEXT_PP(3)), &score))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("another transaction answered the same request meanwhile"),
				 errhint("Try again.")));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(row_type, score.values, score.nulls)));
}
