/*
 * predict_batch.c
 *		mlops.predict_batch(): predictions for all rows of a source.
 *
 * The source runs with the caller's rights, and its rows come by a
 * DestReceiver, which reads the model's columns and the id where they lie and
 * bins them.  Each 64 rows go through the trees at once and into the result,
 * a tuplestore, which spills to disk beyond work_mem: memory does not grow
 * with the rows.
 *
 * The scan's memory is the call's.  The texts of a block's ids belong to
 * block_context, reset behind each block; what reading a row allocates, too.
 */
#include "predict_map.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "model_cache.h"
#include "model_ready.h"
#include "progress.h"
#include "registry.h"
#include "source.h"

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

typedef struct BatchScan
{
	DestReceiver receiver;		/* first: the executor's view */
	Predictor	predictor;
	RowMap		map;
	ReturnSetInfo *result;
	int			id;				/* where it is in a row; -1: there is none */
	Oid			id_type;		/* behind domains */
	FmgrInfo	id_output;
	Datum	   *classes;		/* of the model, as texts */
	MemoryContext block_context;
	uint32		n;				/* rows of the block */
	Datum		ids[READY_ROWS];
	bool		id_nulls[READY_ROWS];
	uint8	   *lanes;			/* of the block's rows */
	void	   *scratch;
	double	   *out;			/* of the block's rows */
	bool		shows_progress; /* of this call, not of what it is a part of */
} BatchScan;

/* Puts one row into the result. */
static void
put_row(BatchScan *scan, uint32 row)
{
	const Predictor *predictor = &scan->predictor;
	const Model *model = predictor->model;
	const double *out = scan->out + (size_t) row * model->n_outputs;
	Datum		values[N_COLUMNS];
	bool		nulls[N_COLUMNS] = {false};

	values[COLUMN_ID] = scan->ids[row];
	nulls[COLUMN_ID] = scan->id_nulls[row];
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
		values[COLUMN_CLASS] = scan->classes[best];
		values[COLUMN_PROBABILITY] = Float8GetDatum(out[model->task == TASK_BINARY ? 1 : best]);
	}
	tuplestore_putvalues(scan->result->setResult, scan->result->setDesc, values, nulls);
}

/* Predicts the rows of the block and empties it. */
static void
finish_block(BatchScan *scan)
{
	const Predictor *predictor = &scan->predictor;

	if (predictor->is_ready && scan->n > 0)
		ready_block(&predictor->ready, scan->lanes, scan->n, scan->scratch, scan->out);
	for (uint32 row = 0; row < scan->n; row++)
		put_row(scan, row);
	progress_add(scan->n);
	scan->n = 0;
	MemoryContextReset(scan->block_context);
	CHECK_FOR_INTERRUPTS();
}

/* An id as a text. */
static inline Datum
id_text(BatchScan *scan, Datum id)
{
	char		digits[32];

	switch (scan->id_type)
	{
		case INT4OID:
			return PointerGetDatum(cstring_to_text_with_len(digits, pg_ltoa(DatumGetInt32(id), digits)));
		case INT8OID:
			return PointerGetDatum(cstring_to_text_with_len(digits, pg_lltoa(DatumGetInt64(id), digits)));
		case TEXTOID:
		case VARCHAROID:
			return PointerGetDatum(DatumGetTextPCopy(id));
		default:
			return CStringGetTextDatum(OutputFunctionCall(&scan->id_output, id));
	}
}

/* The executor's call for each row. */
static bool
batch_receive(TupleTableSlot *slot, DestReceiver *receiver)
{
	BatchScan  *scan = (BatchScan *) receiver;
	Predictor  *predictor = &scan->predictor;
	MemoryContext old = MemoryContextSwitchTo(scan->block_context);
	uint32		row = scan->n++;
	Error		error;
	bool		done;

	slot_getallattrs(slot);
	row_map_read(&scan->map, predictor, slot->tts_values, slot->tts_isnull);
	scan->id_nulls[row] = scan->id < 0 || slot->tts_isnull[scan->id];
	scan->ids[row] = scan->id_nulls[row] ? (Datum) 0 : id_text(scan, slot->tts_values[scan->id]);
	if (predictor->is_ready)
		done = ready_bin(&predictor->ready, predictor->raw, predictor->features,
						 scan->lanes + (size_t) row * predictor->ready.row_size, &error);
	else
		done = encoder_predict(&predictor->encoder, predictor->raw, predictor->features,
							   scan->out + (size_t) row * predictor->model->n_outputs, &error);
	if (unlikely(!done))
		report_error(&error);
	MemoryContextSwitchTo(old);
	if (scan->n == READY_ROWS)
		finish_block(scan);
	return true;
}

static void
batch_startup(DestReceiver *receiver, int operation, TupleDesc row_type)
{
}

/* The last call: the block that is not full. */
static void
batch_shutdown(DestReceiver *receiver)
{
	finish_block((BatchScan *) receiver);
}

static void
batch_destroy(DestReceiver *receiver)
{
}

static void
batch_planned(void *context, double rows)
{
	if (((BatchScan *) context)->shows_progress)
		progress_phase("predict", (uint64) rows);
}

/* The source's columns as a row type. */
static TupleDesc
source_row_type(const Source *source)
{
	TupleDesc	row_type = CreateTemplateTupleDesc(source->n_columns);

	for (int i = 0; i < source->n_columns; i++)
		TupleDescInitEntry(row_type, (AttrNumber) (i + 1), source->columns[i].name, source->columns[i].type, source->columns[i].typmod, 0);
	return row_type;
}

/* Picks a column of the source; its place among those that were picked. */
static int
pick(const SourceColumn **picked, int *n, const SourceColumn *column)
{
	for (int i = 0; i < *n; i++)
	{
		if (picked[i] == column)
			return i;
	}
	picked[*n] = column;
	return (*n)++;
}

/* Picks columns that are plain fields. */
static void
pick_plain(PlainFields *plain, const Source *source, const SourceColumn **picked, int *n)
{
	for (int i = 0; i < plain->n; i++)
		plain->fields[i].attribute = pick(picked, n, &source->columns[plain->fields[i].attribute]);
}

/* Maps the source to the model and picks the columns that are needed; *n of them. */
static const SourceColumn **
map_source(BatchScan *scan, const Source *source, const char *id, int *n)
{
	const SourceColumn **picked = palloc((source->n_columns + 1) * sizeof(SourceColumn *));

	*n = 0;
	row_map_init(&scan->map, &scan->predictor, source_row_type(source));
	pick_plain(&scan->map.floats, source, picked, n);
	pick_plain(&scan->map.integers, source, picked, n);
	pick_plain(&scan->map.doubles, source, picked, n);
	for (int i = 0; i < scan->map.n_scalars; i++)
		scan->map.scalars[i].attribute = pick(picked, n, &source->columns[scan->map.scalars[i].attribute]);
	for (int i = 0; i < scan->map.n_arrays; i++)
		scan->map.arrays[i].attribute = pick(picked, n, &source->columns[scan->map.arrays[i].attribute]);
	scan->id = -1;
	if (id != NULL)
	{
		const SourceColumn *column = source_column(source, id, "\"id\"");
		Oid			output;
		bool		is_varlena;

		getTypeOutputInfo(column->type, &output, &is_varlena);
		fmgr_info(output, &scan->id_output);
		scan->id_type = column->base_type;
		scan->id = pick(picked, n, column);
	}
	return picked;
}

/* Makes room for a block. */
static void
make_block(BatchScan *scan)
{
	const Predictor *predictor = &scan->predictor;
	const Model *model = predictor->model;

	scan->block_context = AllocSetContextCreate(CurrentMemoryContext, "mlops block", ALLOCSET_DEFAULT_SIZES);
	scan->out = MemoryContextAllocHuge(CurrentMemoryContext, (size_t) READY_ROWS * model->n_outputs * sizeof(double));
	if (predictor->is_ready)
	{
		scan->lanes = model_ready_alloc(READY_ROWS * predictor->ready.row_size);
		memset(scan->lanes, 0, READY_ROWS * predictor->ready.row_size);
		scan->scratch = model_ready_alloc(predictor->ready.scratch_size);
	}
	if (model->task == TASK_REGRESSION)
		return;
	scan->classes = palloc(model->n_outputs * sizeof(Datum));
	for (uint32 i = 0; i < model->n_outputs; i++)
		scan->classes[i] = CStringGetTextDatum(model_label(model, i));
}

/* Runs the source through the model. */
static void
run_batch(CachedModel *cached, const ModelRef *ref, const char *source_text, const char *id, ReturnSetInfo *result)
{
	BatchScan  *scan = palloc0(sizeof(BatchScan));
	Source	   *source = source_open(source_text);
	const SourceColumn **picked;
	int			n_picked;

	scan->receiver.receiveSlot = batch_receive;
	scan->receiver.rStartup = batch_startup;
	scan->receiver.rShutdown = batch_shutdown;
	scan->receiver.rDestroy = batch_destroy;
	scan->receiver.mydest = DestNone;
	scan->result = result;
	scan->shows_progress = progress_begin("score", ref->model_name, ref->project_id);
	predict_prepare(&scan->predictor, &cached->model, cached, FEATURES_RECORD, CurrentMemoryContext);
	picked = map_source(scan, source, id, &n_picked);
	make_block(scan);
	(void) source_run(source, picked, n_picked, &scan->receiver, batch_planned, scan);
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

	CachedModel *cached = model_cache_pin(&ref);

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
