/*
 * predict_batch.c
 *		mlops.predict_batch(): predictions for all rows of a source.
 *
 * The source runs with the caller's rights.  Each 64 rows go through the
 * trees at once and into the result, a tuplestore, which spills to disk beyond
 * work_mem: memory does not grow with the rows.  Rows by a live deployment are
 * captured like those of a query: each call is one.
 */
#include "predict_block.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "../capture/capture.h"
#include "feature_rows.h"
#include "../cache/model_cache.h"
#include "../progress.h"
#include "../registry/registry.h"

#define FUNCTION "mlops.predict_batch()"

PG_FUNCTION_INFO_V1(mlops_predict_batch);

/* Columns of the result. */
enum
{
	COLUMN_ID,
	COLUMN_PREDICTION,
	COLUMN_CLASS,
	COLUMN_PROBABILITY,
	N_COLUMNS
};

typedef struct Batch
{
	PredictBlock block;
	ReturnSetInfo *result;
	text	   *ids[READY_ROWS];	/* of the block's rows; NULL: none */
	Datum	   *classes;		/* of the model, as texts */
	CaptureBlock *captured;		/* NULL: nothing is captured */
	bool		wanted;			/* the row that is read is captured */
	bool		shows_progress; /* of this call, not of what it is a part of */
} Batch;

/* Puts one row into the result. */
static void
put_row(const Batch *batch, uint32 row)
{
	const Predictor *predictor = batch->block.predictor;
	const Model *model = predictor->model;
	const double *out = batch->block.out + (size_t) row * model->n_outputs;
	Datum		values[N_COLUMNS];
	bool		nulls[N_COLUMNS] = {false};

	values[COLUMN_ID] = PointerGetDatum(batch->ids[row]);
	nulls[COLUMN_ID] = batch->ids[row] == NULL;
	if (model->task == TASK_REGRESSION)
	{
		values[COLUMN_PREDICTION] = Float8GetDatum(out[0]);
		nulls[COLUMN_CLASS] = nulls[COLUMN_PROBABILITY] = true;
	}
	else
	{
		uint32		best = model_best_class(out, model->n_outputs);

		nulls[COLUMN_PREDICTION] = predictor->class_values == NULL;
		values[COLUMN_PREDICTION] = nulls[COLUMN_PREDICTION] ? (Datum) 0 : Float8GetDatum(predictor->class_values[best]);
		values[COLUMN_CLASS] = batch->classes[best];
		values[COLUMN_PROBABILITY] = Float8GetDatum(out[model->task == TASK_BINARY ? 1 : best]);
	}
	tuplestore_putvalues(batch->result->setResult, batch->result->setDesc, values, nulls);
}

/* Predicts the rows of the block and puts them into the result. */
static void
finish_block(Batch *batch)
{
	uint32		n = predict_block_finish(&batch->block);

	for (uint32 row = 0; row < n; row++)
		put_row(batch, row);
	if (batch->captured != NULL)
		capture_block_finish(batch->captured, batch->block.predictor, batch->block.out);
	progress_add(n);
	CHECK_FOR_INTERRUPTS();
}

/* A row is to be read: what is captured of it begins there. */
static void
batch_begin(void *context, Predictor *predictor)
{
	((Batch *) context)->wanted = predictor->capture != NULL && capture_wants_next(predictor);
}

/* One row of the source. */
static bool
batch_row(void *context, Predictor *predictor, TupleTableSlot *slot, text *id)
{
	Batch	   *batch = context;
	uint32		number = batch->block.n;
	bool		full;

	batch->ids[number] = id;
	full = predict_block_add(&batch->block);
	if (batch->wanted)
		capture_block_add(batch->captured, predictor, number, PointerGetDatum(slot));
	if (!full)
		return false;
	finish_block(batch);
	return true;
}

/* The columns that are captured beside the model's, those that the source has. */
static void
batch_columns(void *context, const Source *source, bool *wanted)
{
	const Predictor *predictor = ((Batch *) context)->block.predictor;
	const CaptureSettings *settings = predictor->capture != NULL ? predictor->capture->settings : NULL;

	for (int i = 0; settings != NULL && i < source->n_columns; i++)
	{
		const char *name = source->columns[i].name;

		wanted[i] = settings->key != NULL && strcmp(settings->key, name) == 0;
		for (int j = 0; j < settings->n_also; j++)
			wanted[i] |= strcmp(settings->also[j], name) == 0;
	}
}

static void
batch_planned(void *context, double rows)
{
	if (((Batch *) context)->shows_progress)
		progress_phase("predict", (uint64) rows);
}

static const FeatureConsumer batch_consumer = {batch_columns, batch_planned, batch_begin, batch_row};

/* The labels as texts; NULL where there are none. */
static Datum *
class_texts(const Model *model)
{
	Datum	   *classes;

	if (model->task == TASK_REGRESSION)
		return NULL;
	classes = palloc(model->n_outputs * sizeof(Datum));
	for (uint32 i = 0; i < model->n_outputs; i++)
		classes[i] = CStringGetTextDatum(model_label(model, i));
	return classes;
}

/* Runs the source through the model. */
static void
run_batch(CachedModel *cached, const ModelRef *ref, const char *source, const char *id, ReturnSetInfo *result)
{
	static const StatementKey whatever;	/* no other call is a part of this query */
	Batch	   *batch = palloc0(sizeof(Batch));
	Predictor  *predictor = palloc0(sizeof(Predictor));

	batch->result = result;
	batch->shows_progress = progress_begin("score", ref->model_name, ref->project_id);
	predict_prepare(predictor, &cached->model, cached, FEATURES_SLOT, CurrentMemoryContext);
	predictor->statement = &whatever;
	predictor->ref = ref;
	capture_bind(predictor, ref, CurrentMemoryContext);
	if (predictor->capture != NULL)
		batch->captured = capture_block_make(predictor->capture);
	batch->classes = class_texts(predictor->model);
	predict_block_init(&batch->block, predictor);
	feature_rows(predictor, source, id, &batch_consumer, batch);
	finish_block(batch);
}

/* mlops.predict_batch(model, source, id) */
Datum
mlops_predict_batch(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "mlops batch", ALLOCSET_DEFAULT_SIZES);
	ModelRef	ref;

	if (PG_ARGISNULL(0))
		report_null_argument(FUNCTION, "model");
	if (PG_ARGISNULL(1))
		report_null_argument(FUNCTION, "source");
	InitMaterializedSRF(fcinfo, 0);

	MemoryContextSwitchTo(work);
	registry_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), BARE_LIVE, RIGHT_PREDICT, &ref);

	ErrorWatch	watch;
	CachedModel *cached;

	capture_watch(&watch, &ref);
	cached = model_cache_pin(&ref);
	capture_unwatch(&watch);
	PG_TRY();
	{
		run_batch(cached, &ref, text_to_cstring(PG_GETARG_TEXT_PP(1)), PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2)),
				  (ReturnSetInfo *) fcinfo->resultinfo);
	}
	PG_FINALLY();
	{
		model_cache_unpin(cached);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}
