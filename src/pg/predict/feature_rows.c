/*
 * feature_rows.c
 *		The rows of a source, as features of a model.
 *
 * The source runs with the columns that the model needs, and the id.  Its rows
 * come by a DestReceiver, which reads them where they lie, as predict() reads
 * those of a record: by the same map.
 */
#include "feature_rows.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "../capture/capture.h"
#include "predict_map.h"

typedef struct RowReceiver
{
	DestReceiver pub;			/* first: the executor's view */
	Predictor  *predictor;
	RowMap		map;
	const FeatureConsumer *consumer;
	void	   *context;
	int			id;				/* where it is in a row; -1: there is none */
	Oid			id_type;		/* behind domains */
	FmgrInfo	id_output;
	MemoryContext rows;			/* reset when the consumer says so */
} RowReceiver;

/* An id as a text. */
static inline text *
id_text(RowReceiver *receiver, Datum id)
{
	char		digits[32];

	switch (receiver->id_type)
	{
		case INT4OID:
			return cstring_to_text_with_len(digits, pg_ltoa(DatumGetInt32(id), digits));
		case INT8OID:
			return cstring_to_text_with_len(digits, pg_lltoa(DatumGetInt64(id), digits));
		case TEXTOID:
		case VARCHAROID:
			return DatumGetTextPCopy(id);
		default:
			return cstring_to_text(OutputFunctionCall(&receiver->id_output, id));
	}
}

/* The executor's call for each row. */
static bool
rows_receive(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;
	MemoryContext old = MemoryContextSwitchTo(receiver->rows);
	text	   *id = NULL;
	ErrorWatch	watch;
	bool		done;

	capture_watch(&watch, receiver->predictor->ref);
	if (receiver->consumer->begin != NULL)
		receiver->consumer->begin(receiver->context, receiver->predictor);
	slot_getallattrs(slot);
	row_map_read(&receiver->map, receiver->predictor, slot->tts_values, slot->tts_isnull);
	if (receiver->id >= 0 && !slot->tts_isnull[receiver->id])
		id = id_text(receiver, slot->tts_values[receiver->id]);
	done = receiver->consumer->row(receiver->context, receiver->predictor, slot, id);
	capture_unwatch(&watch);
	MemoryContextSwitchTo(old);
	if (done)
		MemoryContextReset(receiver->rows);
	return true;
}

static void
rows_start(DestReceiver *self, int operation, TupleDesc type)
{
}

static void
rows_nothing(DestReceiver *self)
{
}

/* Maps the source to the model and picks the columns that are needed; *n of them. */
static const SourceColumn **
pick_columns(RowReceiver *receiver, const Source *source, const char *id, int *n)
{
	const SourceColumn **picked = palloc((source->n_columns + 1) * sizeof(SourceColumn *));
	int		   *numbers = palloc((source->n_columns + 1) * sizeof(int));
	bool	   *wanted = palloc0((source->n_columns + 1) * sizeof(bool));
	ErrorWatch	watch;

	capture_watch(&watch, receiver->predictor->ref);
	row_map_init(&receiver->map, receiver->predictor, source_row_type(source));
	capture_unwatch(&watch);
	*n = row_map_compact(&receiver->map, numbers, source->n_columns);
	for (int i = 0; i < source->n_columns; i++)
	{
		if (numbers[i] >= 0)
			picked[numbers[i]] = &source->columns[i];
	}
	receiver->id = -1;
	if (receiver->consumer->columns != NULL)
		receiver->consumer->columns(receiver->context, source, wanted);
	if (id != NULL)
	{
		const SourceColumn *column = source_column(source, id, "\"id\"");
		Oid			output;
		bool		is_varlena;

		getTypeOutputInfo(column->type, &output, &is_varlena);
		fmgr_info(output, &receiver->id_output);
		receiver->id_type = column->base_type;
		wanted[column - source->columns] = true;
	}
	for (int i = 0; i < source->n_columns; i++)
	{
		if (!wanted[i] || numbers[i] >= 0)
			continue;
		numbers[i] = *n;
		picked[(*n)++] = &source->columns[i];
	}
	if (id != NULL)
		receiver->id = numbers[source_find(source, id) - source->columns];
	return picked;
}

/* Runs the source. */
void
feature_rows(Predictor *predictor, const char *source_text, const char *id, const FeatureConsumer *consumer, void *context)
{
	RowReceiver receiver = {
		.pub = {
			.receiveSlot = rows_receive,.rStartup = rows_start,.rShutdown = rows_nothing,.rDestroy = rows_nothing,.mydest = DestNone
		},
		.predictor = predictor,
		.consumer = consumer,
		.context = context,
		.rows = AllocSetContextCreate(CurrentMemoryContext, "mlops rows", ALLOCSET_DEFAULT_SIZES)
	};
	Source	   *source = source_open(source_text);
	int			n;
	const SourceColumn **picked = pick_columns(&receiver, source, id, &n);

	(void) source_run(source, picked, n, &receiver.pub, consumer->planned, context);
}
