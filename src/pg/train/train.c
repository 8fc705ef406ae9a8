/*
 * train.c
 *		mlops.train(): from a query to a new version of a model.
 *
 * All checks come before the scan, all writes after the fit, in the caller's
 * transaction.  What the work holds (descriptors, mappings, the trainer)
 * belongs to one memory context, which an error takes with it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "../govern/lineage.h"
#include "../registry/evidence.h"
#include "metrics_json.h"
#include "../progress.h"
#include "../registry/registry.h"
#include "train_job.h"

PG_FUNCTION_INFO_V1(mlops_train);

/* Writes experiment, snapshot, run, its metrics and what it read. */
void
train_record_run(const TrainRequest *request, const TrainedModel *trained, int64 reproduces, TrainRecord *record)
{
	RunRecord	run = {.project_id = request->project_id, .reproduces = reproduces};

	record->task = trained->task;
	record->metrics = metrics_to_json(&trained->outcome->result, &trained->model);
	record->finished = GetCurrentTimestamp();

	run.experiment_id = request->experiment != NULL ? evidence_experiment(request->project_id, request->experiment) : 0;
	run.snapshot_id = evidence_snapshot(request->project_id, request->source, trained->row_security, &trained->outcome->result);
	run.model_name = request->model_name;
	run.algorithm = request->algorithm->name;
	run.task = trained->task;
	run.target = request->target;
	run.arguments = train_arguments_json(request);
	run.params = params_to_json(request->params);
	run.metrics = record->metrics;
	run.test_part = train_test_part(request, &trained->outcome->result);
	run.seed = request->seed;
	run.threads = trained->threads;
	run.started = record->started;
	run.finished = record->finished;
	run.scan_seconds = trained->scan_seconds;
	run.init = request->init != NULL ? &request->init->ref : NULL;
	run.outcome = trained->outcome;
	record->run_id = evidence_run(&run);
	lineage_store(record->run_id, request->source, request->columns);
}

/* Writes the version. */
static void
store_version(const TrainRequest *request, const TrainedModel *trained, TrainRecord *record)
{
	NewVersion	new_version = {.project_id = request->project_id};

	new_version.model_name = request->model_name;
	new_version.artifact = trained->artifact;
	new_version.model = &trained->model;
	new_version.run_id = record->run_id;
	new_version.origin = "measured";
	new_version.params = params_to_json(request->params);
	new_version.metrics = record->metrics;
	new_version.reference = trained->reference;
	new_version.reference_size = trained->outcome->result.reference_size;
	record->version = registry_store(&new_version);
}

/* Scans, fits and stores. */
void
train_execute(const TrainRequest *request, TrainRecord *record)
{
	TrainedModel *trained;

	(void) progress_begin("train", request->model_name, request->project_id);
	trained = train_fit(request);
	progress_phase("store", 0);
	train_record_run(request, trained, 0, record);
	store_version(request, trained, record);
}

/* The row that train() returns of a training. */
static HeapTuple
result_row(TupleDesc row_type, const TrainRequest *request, const TrainRecord *record)
{
	Interval	duration = {.time = record->finished - record->started};
	Datum		values[8];
	bool		nulls[8] = {0};

	values[0] = Int64GetDatum(record->run_id);
	values[1] = CStringGetTextDatum(request->model_name);
	values[2] = Int32GetDatum(record->version);
	values[3] = CStringGetTextDatum(request->algorithm->name);
	values[4] = CStringGetTextDatum(task_name(record->task));
	values[5] = JsonbPGetDatum(record->metrics);
	values[6] = IntervalPGetDatum(&duration);
	values[7] = (Datum) 0;
	nulls[7] = true;			/* job_id: there is one only in the background */
	return heap_form_tuple(row_type, values, nulls);
}

/* The same of a job: model, algorithm and job_id, the rest is not known yet. */
static HeapTuple
job_row(TupleDesc row_type, const TrainRequest *request, int64 job_id)
{
	Datum		values[8] = {0};
	bool		nulls[8] = {true, false, true, false, true, true, true, false};

	values[1] = CStringGetTextDatum(request->model_name);
	values[3] = CStringGetTextDatum(request->algorithm->name);
	values[7] = Int64GetDatum(job_id);
	return heap_form_tuple(row_type, values, nulls);
}

/* mlops.train(model, source, target, ...) */
Datum
mlops_train(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "mlops training", ALLOCSET_DEFAULT_SIZES);
	TupleDesc	row_type;
	TrainRequest *request;
	TrainRecord record = {.started = GetCurrentTimestamp()};
	HeapTuple	row;

	PreventCommandIfReadOnly("mlops.train()");
	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "mlops.train() returns a row");
	row_type = BlessTupleDesc(row_type);

	MemoryContextSwitchTo(work);
	request = train_read_arguments(fcinfo, InvalidOid);
	if (request->background)
	{
		int64		job_id = train_background(train_call_to_json(fcinfo, request), request->project_id);

		MemoryContextSwitchTo(caller);
		row = job_row(row_type, request, job_id);
	}
	else
	{
		train_execute(request, &record);
		MemoryContextSwitchTo(caller);
		row = result_row(row_type, request, &record);
	}
	MemoryContextDelete(work);
	return HeapTupleGetDatum(row);
}
