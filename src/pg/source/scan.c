/*
 * scan.c
 *		The rows of a source on their way into a matrix.
 *
 * A DestReceiver that the executor calls once a row.  Values are converted
 * where they lie and written into the mapped matrix, so that no row is
 * copied.  The matrix is laid out before its first row; where an array's
 * length is not known by then, rows wait in a tuplestore until it is.
 *
 * Memory: everything belongs to the context that scan_source() was called in;
 * what converters allocate, to row_context, reset every few rows.
 */
#include "scan.h"

#include <sys/mman.h>
#include <unistd.h>

#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "../compat.h"
#include "../interrupt.h"
#include "../progress.h"
#include "../report.h"
#include "scan_array.h"
#include "tuple_values.h"
#include "values.h"

#define RESET_ROWS 64			/* rows between resets of row_context */

/* What one call writes: a run of scalar columns, or one array. */
typedef struct ScanStep
{
	ValueRun	run;
	int			first_column;	/* of the slot */
	ScanArray	array;			/* its column is NULL: scalars */
} ScanStep;

typedef struct MatrixScan
{
	DestReceiver receiver;		/* first: the executor's view */
	ScanColumn *columns;
	int			n_columns;
	uint64		max_memory;
	const MemoryFile *model;	/* of the trainer */
	const MemoryFile *init;
	TrainerClient *trainer;		/* NULL: the matrix is not laid out yet */
	MemoryFile *file;
	MatrixWriter writer;
	MemoryContextCallback cleanup;
	MemoryContext context;
	MemoryContext row_context;
	ScanStep   *steps;
	int			n_steps;
	TupleRun   *tuple_runs;		/* the same of whole tuples, one a step; NULL: they are not read like that */
	uint64	   *offsets;		/* of the matrix columns within a block */
	uint64		n_rows;
	TupleDesc	row_type;
	Tuplestorestate *waiting;	/* rows before every array's length is known */
} MatrixScan;

static void
scan_release(void *argument)
{
	matrix_writer_free(&((MatrixScan *) argument)->writer);
}

/* Columns of the matrix that a column of the source becomes. */
static int
matrix_columns(const ScanColumn *column)
{
	return OidIsValid(column->element_type) ? column->n_elements : 1;
}

/* The headers of the matrix's columns; *n of them. */
static MatrixColumn *
describe_columns(const MatrixScan *scan, uint32 *n)
{
	MatrixColumn *described;
	uint32		next = 0;

	*n = 0;
	for (int i = 0; i < scan->n_columns; i++)
		*n += (uint32) matrix_columns(&scan->columns[i]);
	if (*n > MAX_COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%u columns are more than a model can have", *n),
				 errdetail("The limit is %d; each element of an array counts.", MAX_COLUMNS)));

	described = palloc0((*n + 1) * sizeof(MatrixColumn));
	for (int i = 0; i < scan->n_columns; i++)
	{
		const ScanColumn *column = &scan->columns[i];
		bool		is_array = OidIsValid(column->element_type);

		for (int element = 1; element <= matrix_columns(column); element++)
		{
			MatrixColumn *header = &described[next++];

			if (is_array)
				snprintf(header->name, sizeof(header->name), "%s[%d]", column->source->name, element);
			else
				strlcpy(header->name, column->source->name, sizeof(header->name));
			strlcpy(header->type_name, is_array ? format_type_be(column->element_type) : column->source->type_name, sizeof(header->type_name));
			header->kind = column->kind;
			header->storage = column->storage;
			header->role = column->role;
			header->segment = column->segment ? 1 : 0;
			header->frozen = column->frozen ? 1 : 0;
		}
	}
	return described;
}

/* Starts a step at a column of the slot. */
static ScanStep *
add_step(MatrixScan *scan, int column, uint32 matrix_column, Oid type)
{
	ScanStep   *step = &scan->steps[scan->n_steps++];
	Oid			output;
	bool		is_varlena;

	step->first_column = column;
	step->run.convert = value_converter(type, scan->columns[column].storage);
	if (step->run.convert == NULL)
		elog(ERROR, "type %u cannot be written into a matrix", type);
	step->run.writer = &scan->writer;
	step->run.first_column = matrix_column;
	step->run.offsets = scan->offsets + matrix_column;
	getTypeOutputInfo(type, &output, &is_varlena);
	fmgr_info_cxt(output, &step->run.output, scan->context);
	return step;
}

/* Groups neighbouring columns of one type into steps. */
static void
plan_steps(MatrixScan *scan)
{
	uint32		matrix_column = 0;

	scan->steps = palloc0(scan->n_columns * sizeof(ScanStep));
	for (int i = 0; i < scan->n_columns; i++)
	{
		ScanColumn *column = &scan->columns[i];
		ScanStep   *last = scan->n_steps > 0 ? &scan->steps[scan->n_steps - 1] : NULL;

		if (OidIsValid(column->element_type))
		{
			ScanStep   *step = add_step(scan, i, matrix_column, column->element_type);

			scan_array_init(&step->array, column);
			step->run.n_columns = (uint32) column->n_elements;
		}
		else if (last != NULL && last->array.column == NULL &&
				 scan->columns[i - 1].source->base_type == column->source->base_type &&
				 scan->columns[i - 1].storage == column->storage)
			last->run.n_columns++;
		else
			add_step(scan, i, matrix_column, column->source->base_type)->run.n_columns = 1;
		matrix_column += (uint32) matrix_columns(column);
	}
}

/* Plans how whole tuples are read, where all columns can be. */
static void
plan_tuple_runs(MatrixScan *scan)
{
	TupleRun   *runs = palloc(scan->n_steps * sizeof(TupleRun));

	for (int i = 0; i < scan->n_steps; i++)
	{
		const ScanStep *step = &scan->steps[i];

		if (step->array.column != NULL ||
			!tuple_run_init(&runs[i], &step->run, scan->columns[step->first_column].source->base_type, scan->row_type, step->first_column))
			return;
	}
	scan->tuple_runs = runs;
}

/* Raises PROGRAM_LIMIT_EXCEEDED from core with the setting that limits. */
static void
report_full(Error *error)
{
	if (error->code == ERROR_LIMIT && error->hint[0] == '\0')
		error_hint(error, "Train on fewer rows or columns, or ask an administrator to raise mlops.max_memory.");
	report_error(error);
}

/* Makes the matrix, and starts the trainer on it: every array's length is known. */
static void
lay_out(MatrixScan *scan)
{
	MemoryContext old = MemoryContextSwitchTo(scan->context);
	uint32		n;
	MatrixColumn *described = describe_columns(scan, &n);
	Error		error;

	scan->file = memory_file_create("mlops-matrix", scan->max_memory, true);
	if (!matrix_writer_init(&scan->writer, scan->file->base, scan->max_memory, described, n, &error))
		report_full(&error);
	scan->offsets = palloc((n + 1) * sizeof(uint64));
	for (uint32 i = 0; i < n; i++)
		scan->offsets[i] = scan->writer.columns[i].offset;
	plan_steps(scan);
	plan_tuple_runs(scan);
	pfree(described);
	memory_file_protect(scan->file);
	scan->trainer = trainer_begin(scan->file, scan->model, scan->init);
	MemoryContextSwitchTo(old);
}

/* Between blocks: the next one's pages in one call, for half the time of faults; a word to the trainer; interrupts. */
static void
between_blocks(MatrixScan *scan)
{
	size_t		next = (size_t) (scan->writer.block - scan->writer.base) + scan->writer.header->block_size;
	size_t		page = (size_t) sysconf(_SC_PAGESIZE);

	next -= next % page;
	if (next + scan->writer.header->block_size <= scan->writer.limit)
		(void) madvise(scan->writer.base + next, scan->writer.header->block_size, MADV_POPULATE_WRITE);
	trainer_tell_rows(scan->trainer, scan->n_rows);
	interrupt_check_client();
	CHECK_FOR_INTERRUPTS();
}

/* Makes room for one more row; its number in its block. */
static inline uint32
begin_row(MatrixScan *scan)
{
	Error		error;

	if (unlikely(!matrix_writer_row(&scan->writer, &error)))
		report_full(&error);
	return scan->writer.block_row;
}

/* The row is complete. */
static inline void
end_row(MatrixScan *scan)
{
	scan->n_rows++;
	if (unlikely(scan->n_rows % MATRIX_BLOCK_ROWS == 0))
	{
		progress_add(MATRIX_BLOCK_ROWS);
		between_blocks(scan);
	}
}

/* Writes a row into the matrix. */
static void
append_row(MatrixScan *scan, const Datum *values, const bool *nulls)
{
	MemoryContext old = MemoryContextSwitchTo(scan->row_context);
	uint32		row = begin_row(scan);

	for (int i = 0; i < scan->n_steps; i++)
	{
		ScanStep   *step = &scan->steps[i];

		if (step->array.column == NULL)
			step->run.convert(&step->run, values + step->first_column, nulls + step->first_column, row);
		else
		{
			Datum	   *elements;
			bool	   *no_element;

			scan_array_take(&step->array, values[step->first_column], nulls[step->first_column], &elements, &no_element);
			step->run.convert(&step->run, elements, no_element, row);
		}
	}
	MemoryContextSwitchTo(old);
	if (scan->n_rows % RESET_ROWS == 0)
		MemoryContextReset(scan->row_context);
	end_row(scan);
}

/* Writes the tuple of a slot into the matrix as it lies; false where it is to be taken apart. */
static inline bool
append_tuple(MatrixScan *scan, TupleTableSlot *slot)
{
	const char *data = scan->tuple_runs != NULL ? tuple_data(slot, scan->n_columns) : NULL;

	if (data == NULL)
		return false;

	uint32		row = begin_row(scan);

	for (int i = 0; i < scan->n_steps; i++)
		scan->tuple_runs[i].convert(&scan->tuple_runs[i], data, row);
	end_row(scan);
	return true;
}

/* Takes from a row what it tells about lengths of arrays; whether all are known now. */
static bool
learn_lengths(MatrixScan *scan, const TupleTableSlot *slot)
{
	MemoryContext old = MemoryContextSwitchTo(scan->row_context);
	bool		known = true;

	for (int i = 0; i < scan->n_columns; i++)
	{
		if (OidIsValid(scan->columns[i].element_type))
			known = scan_array_learn(&scan->columns[i], slot->tts_values[i], slot->tts_isnull[i]) && known;
	}
	MemoryContextSwitchTo(old);
	return known;
}

/* Writes the rows that waited. */
static void
append_waiting(MatrixScan *scan)
{
	TupleTableSlot *slot;

	if (scan->waiting == NULL)
		return;
	slot = MakeSingleTupleTableSlot(scan->row_type, &TTSOpsMinimalTuple);
	while (tuplestore_gettupleslot(scan->waiting, true, false, slot))
	{
		slot_getallattrs(slot);
		append_row(scan, slot->tts_values, slot->tts_isnull);
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(scan->waiting);
	scan->waiting = NULL;
}

/* Keeps a row for later. */
static void
hold_row(MatrixScan *scan, TupleTableSlot *slot)
{
	MemoryContext old = MemoryContextSwitchTo(scan->context);

	if (scan->waiting == NULL)
		scan->waiting = tuplestore_begin_heap(false, false, work_mem);
	tuplestore_puttupleslot(scan->waiting, slot);
	MemoryContextSwitchTo(old);
}

/* The executor's call for each row. */
static bool
scan_receive(TupleTableSlot *slot, DestReceiver *receiver)
{
	MatrixScan	   *scan = (MatrixScan *) receiver;

	if (append_tuple(scan, slot))
		return true;
	slot_getallattrs(slot);
	if (likely(scan->trainer != NULL))
		append_row(scan, slot->tts_values, slot->tts_isnull);
	else if (learn_lengths(scan, slot))
	{
		lay_out(scan);
		append_waiting(scan);
		append_row(scan, slot->tts_values, slot->tts_isnull);
	}
	else
		hold_row(scan, slot);
	return true;
}

static void
scan_startup(DestReceiver *receiver, int operation, TupleDesc row_type)
{
	MatrixScan	   *scan = (MatrixScan *) receiver;
	MemoryContext old = MemoryContextSwitchTo(scan->context);

	scan->row_type = CreateTupleDescCopy(row_type);
	MemoryContextSwitchTo(old);
}

/* The last call while the executor's resources are there: rows that still wait are written. */
static void
scan_shutdown(DestReceiver *receiver)
{
	MatrixScan	   *scan = (MatrixScan *) receiver;

	if (scan->trainer == NULL)
		lay_out(scan);
	append_waiting(scan);
}

static void
scan_destroy(DestReceiver *receiver)
{
}

/* Refuses what the planner expects to be far beyond the limit. */
static void
check_expected_rows(void *context, double rows)
{
	MatrixScan	   *scan = context;
	uint32		n;
	MatrixColumn *described = describe_columns(scan, &n);
	double		bytes = (double) matrix_bytes(described, n, (uint64) Min(Max(rows, 0.0), 1e12));

	if (bytes >= 2.0 * (double) scan->max_memory)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("about %.0f rows of %u columns need %.0f bytes of memory, but mlops.max_memory allows " UINT64_FORMAT,
						rows, n, bytes, scan->max_memory),
				 errhint("Train on fewer rows or columns, or ask an administrator to raise mlops.max_memory.")));
	pfree(described);
	progress_phase("scan", (uint64) rows);
}

/* Drops arrays that never had a value, or refuses where they were asked for. */
static void
tell_empty_arrays(const MatrixScan *scan)
{
	for (int i = 0; i < scan->n_columns; i++)
	{
		const ScanColumn *column = &scan->columns[i];

		if (scan->n_rows > 0 && matrix_columns(column) == 0)
			ereport(column->required ? ERROR : NOTICE,
					(errcode(column->required ? ERRCODE_DATA_EXCEPTION : ERRCODE_SUCCESSFUL_COMPLETION),
					 errmsg("array column \"%s\" is left out: all its values are NULL", column->source->name)));
	}
}

/* Tells which columns lost digits. */
static void
tell_rounded(const Matrix *matrix)
{
	for (uint32 i = 0; i < matrix->header->n_columns; i++)
	{
		const MatrixColumn *column = &matrix->columns[i];

		if (column->n_rounded > 0)
			ereport(NOTICE,
					(errmsg("column \"%s\": " UINT64_FORMAT " values of type %s were rounded to the nearest double precision number",
							column->name, column->n_rounded, column->type_name)));
	}
}

/* Runs the source into a matrix. */
void
scan_source(const Source *source, ScanColumn *columns, int n_columns, uint64 max_memory,
			const MemoryFile *model, const MemoryFile *init, ScanResult *result)
{
	MatrixScan *scan = palloc0(sizeof(MatrixScan));
	const SourceColumn **picked = palloc(n_columns * sizeof(SourceColumn *));
	Error		error;

	scan->receiver.receiveSlot = scan_receive;
	scan->receiver.rStartup = scan_startup;
	scan->receiver.rShutdown = scan_shutdown;
	scan->receiver.rDestroy = scan_destroy;
	scan->receiver.mydest = DestNone;
	scan->columns = columns;
	scan->n_columns = n_columns;
	scan->max_memory = max_memory;
	scan->model = model;
	scan->init = init;
	scan->context = CurrentMemoryContext;
	scan->row_context = AllocSetContextCreate(CurrentMemoryContext, "mlops row", ALLOCSET_DEFAULT_SIZES);
	scan->cleanup.func = scan_release;
	scan->cleanup.arg = scan;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &scan->cleanup);
	for (int i = 0; i < n_columns; i++)
		picked[i] = columns[i].source;

	instr_time	start;
	instr_time	duration;

	INSTR_TIME_SET_CURRENT(start);
	result->row_security = source_run(source, picked, n_columns, &scan->receiver, check_expected_rows, scan);
	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, start);
	result->seconds = INSTR_TIME_GET_DOUBLE(duration);
	ereport(DEBUG1,
			(errmsg_internal(UINT64_FORMAT " rows of %d columns into the matrix in %.1f ms", scan->n_rows, n_columns, INSTR_TIME_GET_MILLISEC(duration))));

	if (scan->n_rows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the source returned no rows"),
				 result->row_security ? errhint("Row security applies to it, and may hide all rows from role \"%s\".",
												GetUserNameFromId(source_role(source), false)) : 0));
	tell_empty_arrays(scan);
	if (!matrix_writer_finish(&scan->writer, &error))
		report_full(&error);
	if (!matrix_open(&result->matrix, scan->file->base, scan->writer.header->size, &error))
		report_error(&error);
	result->file = scan->file;
	result->trainer = scan->trainer;
	tell_rounded(&result->matrix);
	MemoryContextDelete(scan->row_context);
}
