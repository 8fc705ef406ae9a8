/*
 * evaluate.c
 *		mlops.evaluate(): how good a version is, as it was measured or on new rows.
 *
 * Without a source the metrics stored with the version are returned.  With
 * one, its rows are scanned in the columns of the model's signature, and the
 * trainer judges the model's predictions on them; nothing is written, so this
 * works on a standby, too.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "judge.h"
#include "metrics_json.h"
#include "../registry/registry_scan.h"
#include "../report.h"

#define FUNCTION "mlops.evaluate()"

PG_FUNCTION_INFO_V1(mlops_evaluate);

/* The metrics stored with a version, under the snapshot that it was resolved with: it may be gone under a newer one. */
static Jsonb *
stored_metrics(const ModelRef *ref)
{
	RegistryScan scan;
	Jsonb	   *metrics = NULL;

	registry_scan_open(&scan, "model_version");
	registry_scan_key_int64(&scan, "model_id", ref->model_id);
	registry_scan_key_int32(&scan, "version", ref->version);
	registry_scan_start(&scan, "model_version_pkey");
	if (registry_scan_next(&scan))
		metrics = DatumGetJsonbPCopy(registry_scan_get(&scan, registry_scan_column(&scan, "metrics")));
	registry_scan_close(&scan);
	if (metrics == NULL)
		elog(ERROR, "version %d of model \"%s\" disappeared", ref->version, ref->model_name);
	return metrics;
}

/* Those on a source's rows. */
static Jsonb *
measured_metrics(const ModelRef *ref, const char *source)
{
	Job			job = {.kind = JOB_EVALUATE};
	Judgement  *judgement = judge_run(ref, source, &job);

	return metrics_to_json(&judgement->outcome->result, &judgement->model);
}

/* mlops.evaluate(model, source) */
Datum
mlops_evaluate(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "mlops evaluation", ALLOCSET_DEFAULT_SIZES);
	bool		has_source = !PG_ARGISNULL(1);
	ModelRef	ref;
	Jsonb	   *metrics;

	if (PG_ARGISNULL(0))
		report_null_argument(FUNCTION, "model");
	InitMaterializedSRF(fcinfo, 0);

	MemoryContextSwitchTo(work);
	registry_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), BARE_LIVE, has_source ? RIGHT_PREDICT : RIGHT_VIEW, &ref);
	metrics = has_source ? measured_metrics(&ref, text_to_cstring(PG_GETARG_TEXT_PP(1))) : stored_metrics(&ref);
	metrics_to_rows(metrics, (ReturnSetInfo *) fcinfo->resultinfo);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}
