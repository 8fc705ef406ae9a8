/*
 * feature_rows.c
 *		The rows of a source, as features of a model.
 *
 * The source is run with the columns that the model needs, and the id; each
 * row becomes a record, which is read as predict() reads records, so that
 * both take the same values for the same.
 */
#include "feature_rows.h"

#include "executor/executor.h"
#include "funcapi.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "source.h"

typedef struct RowReceiver
{
	DestReceiver pub;
	Predictor  *predictor;
	FeatureRow	consume;
	void	   *context;
	int			id;				/* number of its column in the rows, from 1; 0: none */
	FmgrInfo	id_output;
	MemoryContext row;			/* reset behind each */
} RowReceiver;

static void
rows_start(DestReceiver *self, int operation, TupleDesc type)
{
	(void) self;
	(void) operation;
	(void) type;
}

/* One row.  It gets a type that records can have: its slot's description need not be the plan's. */
static bool
rows_receive(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;
	MemoryContext old = MemoryContextSwitchTo(receiver->row);
	const char *id = NULL;

	BlessTupleDesc(slot->tts_tupleDescriptor);
	predict_from_record(receiver->predictor, DatumGetHeapTupleHeader(ExecFetchSlotHeapTupleDatum(slot)));
	if (receiver->id > 0)
	{
		bool		is_null;
		Datum		value = slot_getattr(slot, receiver->id, &is_null);

		id = is_null ? NULL : OutputFunctionCall(&receiver->id_output, value);
	}
	receiver->consume(receiver->context, receiver->predictor, id);
	MemoryContextSwitchTo(old);
	MemoryContextReset(receiver->row);
	return true;
}

static void
rows_nothing(DestReceiver *self)
{
	(void) self;
}

/* How many rows the planner expects does not matter here. */
static void
rows_planned(void *context, double rows)
{
	(void) context;
	(void) rows;
}

/* UNDEFINED_COLUMN with what the source has. */
static void
refuse_lacking(const Predictor *predictor, const Source *source, const bool *lacking)
{
	const char **given = palloc((source->n_columns + 1) * sizeof(char *));

	for (int i = 0; i < source->n_columns; i++)
		given[i] = source->columns[i].name;
	predict_missing_columns(predictor, lacking, given, source->n_columns);
}

/* The source's columns that the model needs: scalars by name, arrays by the name of their elements. */
static int
pick_columns(const Predictor *predictor, const Source *source, const SourceColumn **picked)
{
	uint32		n_columns = predictor->model->n_columns;
	bool	   *lacking = palloc0((n_columns + 1) * sizeof(bool));
	bool		any_lacking = false;
	int			n = 0;

	for (uint32 column = 0; column < n_columns;)
	{
		const ElementRun *run = predictor->runs[column];
		const SourceColumn *found = source_find(source, predictor->names[column]);
		uint32		n_taken = 1;

		if (found == NULL && run != NULL)
		{
			found = source_find(source, run->name);
			n_taken = run->n_columns;
		}
		if (found != NULL)
			picked[n++] = found;
		else
		{
			lacking[column] = any_lacking = true;
			n_taken = 1;
		}
		column += n_taken;
	}
	if (any_lacking)
		refuse_lacking(predictor, source, lacking);
	return n;
}

/* Where the id comes in the rows, from 1; it may be one of the columns that the model needs. */
static int
pick_id(RowReceiver *receiver, const Source *source, const char *id, const SourceColumn **picked, int *n)
{
	const SourceColumn *column = source_column(source, id, "id");
	Oid			output;
	bool		is_varlena;
	int			number = 0;

	getTypeOutputInfo(column->type, &output, &is_varlena);
	fmgr_info(output, &receiver->id_output);
	while (number < *n && picked[number] != column)
		number++;
	if (number == *n)
		picked[(*n)++] = column;
	return number + 1;
}

/* Runs the source. */
void
feature_rows(Predictor *predictor, const char *source_text, const char *id, FeatureRow consume, void *context)
{
	RowReceiver receiver = {
		.pub = {
			.receiveSlot = rows_receive,.rStartup = rows_start,.rShutdown = rows_nothing,.rDestroy = rows_nothing,.mydest = DestNone
		},
		.predictor = predictor,
		.consume = consume,
		.context = context
	};
	Source	   *source = source_open(source_text);
	const SourceColumn **picked = palloc((predictor->model->n_columns + 2) * sizeof(SourceColumn *));
	int			n = pick_columns(predictor, source, picked);

	if (id != NULL)
		receiver.id = pick_id(&receiver, source, id, picked, &n);
	receiver.row = AllocSetContextCreate(CurrentMemoryContext, "mlops row", ALLOCSET_DEFAULT_SIZES);
	source_run(source, picked, n, &receiver.pub, rows_planned, NULL);
	MemoryContextDelete(receiver.row);
}
