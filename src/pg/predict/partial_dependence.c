/*
 * partial_dependence.c
 *		partial_dependence() and ice(): what is predicted of a source's rows if one column had other values.
 *
 * The source is read once, into memory.  Then, for each value that the column
 * is given, all rows are predicted: their mean is the partial dependence,
 * single rows are the individual conditional expectation.  Numbers get values
 * that the rows have, at even shares of them; other columns all that occur.
 */
#include "explanation.h"

#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "feature_rows.h"
#include "predict_block.h"
#include "../report.h"
#include "../result_row.h"
#include "../settings.h"

#define POINTS_MAX	1000

PG_FUNCTION_INFO_V1(mlops_partial_dependence);
PG_FUNCTION_INFO_V1(mlops_ice);

/* The rows of the source, and what is asked of them. */
typedef struct Dependence
{
	Predictor  *predictor;
	ReturnSetInfo *result;
	MemoryContext context;
	uint32		column;
	int			n_points;		/* asked for */
	bool		with_id;
	uint64		n_rows;
	uint64		n_alloc;
	uint64		bytes;			/* of ids */
	double	   *rows;			/* n_rows x columns of the model */
	char	  **ids;			/* n_rows, where there are ids */
	double	   *values;			/* that the column is given; a missing one last */
	uint64		n_values;
	PredictBlock block;
} Dependence;

/* PROGRAM_LIMIT_EXCEEDED where the rows do not fit. */
static void
make_room(Dependence *dependence)
{
	uint64		n_columns = dependence->predictor->model->n_columns;
	uint64		n = dependence->n_alloc == 0 ? 1024 : 2 * dependence->n_alloc;
	uint64		bytes = n * (n_columns * sizeof(double) + sizeof(char *)) + dependence->bytes;

	if (bytes > settings_memory_bytes())
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the rows of the source need more than %llu MB of memory", (unsigned long long) (settings_memory_bytes() >> 20)),
				 errhint("Take a sample of the rows, or raise mlops.max_memory.")));

	MemoryContext old = MemoryContextSwitchTo(dependence->context);

	if (dependence->n_alloc == 0)
	{
		dependence->rows = MemoryContextAllocHuge(dependence->context, n * n_columns * sizeof(double) + 1);
		dependence->ids = palloc(n * sizeof(char *));
	}
	else
	{
		dependence->rows = repalloc_huge(dependence->rows, n * n_columns * sizeof(double));
		dependence->ids = repalloc_huge(dependence->ids, n * sizeof(char *));
	}
	dependence->n_alloc = n;
	MemoryContextSwitchTo(old);
}

/* Keeps a row of the source. */
static bool
keep_row(void *context, Predictor *predictor, TupleTableSlot *slot, text *id)
{
	Dependence *dependence = context;
	size_t		n_columns = predictor->model->n_columns;

	if (dependence->n_rows == dependence->n_alloc)
		make_room(dependence);
	memcpy(dependence->rows + dependence->n_rows * n_columns, predictor->raw, n_columns * sizeof(double));
	dependence->ids[dependence->n_rows] = NULL;
	if (id != NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(dependence->context);

		dependence->ids[dependence->n_rows] = text_to_cstring(id);
		dependence->bytes += VARSIZE_ANY_EXHDR(id) + 1;
		MemoryContextSwitchTo(old);
	}
	dependence->n_rows++;
	return true;
}

static const FeatureConsumer dependence_consumer = {.row = keep_row};

/* Ascending; missing ones last. */
static int
compare_values(const void *a, const void *b, void *unused)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	if (isnan(left) || isnan(right))
		return isnan(left) - isnan(right);
	return left < right ? -1 : left > right;
}

/* Chooses the values that the column is given. */
static void
choose_values(Dependence *dependence)
{
	const Model *model = dependence->predictor->model;
	uint64		n = dependence->n_rows;
	double	   *sorted = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(double) + 1);
	uint64		n_known;
	uint64		n_distinct = 0;

	for (uint64 i = 0; i < n; i++)
		sorted[i] = dependence->rows[i * model->n_columns + dependence->column];
	qsort_interruptible(sorted, n, sizeof(double), compare_values, NULL);
	for (n_known = n; n_known > 0 && isnan(sorted[n_known - 1]);)
		n_known--;

	/* a category is no number between others: all that occur count */
	uint64		n_points = model->columns[dependence->column].kind == KIND_CATEGORY ? n_known : (uint64) dependence->n_points;

	dependence->values = MemoryContextAllocHuge(CurrentMemoryContext, (Min(n_points, n_known) + 2) * sizeof(double));
	if (n_points >= n_known)
	{
		for (uint64 i = 0; i < n_known; i++)
		{
			if (i == 0 || sorted[i] != sorted[i - 1])
				dependence->values[n_distinct++] = sorted[i];
		}
	}
	else
	{
		for (uint64 i = 0; i < n_points; i++)
		{
			double		value = sorted[n_points == 1 ? (n_known - 1) / 2 : i * (n_known - 1) / (n_points - 1)];

			if (n_distinct == 0 || value != dependence->values[n_distinct - 1])
				dependence->values[n_distinct++] = value;
		}
	}
	if (n_known < n)
		dependence->values[n_distinct++] = sorted[n - 1];
	dependence->n_values = n_distinct;
	pfree(sorted);
}

/* Adds a row with another value to the block; whether it is full then. */
static bool
add_changed(Dependence *dependence, uint64 row, double value)
{
	Predictor  *predictor = dependence->predictor;
	size_t		n_columns = predictor->model->n_columns;

	memcpy(predictor->raw, dependence->rows + row * n_columns, n_columns * sizeof(double));
	predictor->raw[dependence->column] = value;
	return predict_block_add(&dependence->block);
}

/* The first output that is shown. */
static uint32
first_output(const Model *model)
{
	return model->task == TASK_BINARY ? 1 : 0;
}

/* Puts the rows of one value and one row of the source, or of the mean of all. */
static void
put_outputs(const Dependence *dependence, const char *id, double value, const double *outputs)
{
	const Model *model = dependence->predictor->model;

	for (uint32 k = first_output(model); k < model->n_outputs; k++)
	{
		ResultRow	row = {.n = 0};

		if (dependence->with_id)
			row_add_text(&row, id);
		row_add_text(&row, raw_text(model, dependence->column, value));
		row_add_text(&row, model->task == TASK_REGRESSION ? NULL : model_label(model, k));
		row_add_number(&row, true, outputs[k]);
		row_put(&row, dependence->result);
	}
}

/* Means over all rows, value by value. */
static void
put_means(Dependence *dependence)
{
	const Model *model = dependence->predictor->model;
	double	   *means = palloc(model->n_outputs * sizeof(double));

	for (uint64 i = 0; i < dependence->n_values; i++)
	{
		memset(means, 0, model->n_outputs * sizeof(double));
		for (uint64 row = 0; row < dependence->n_rows; row++)
		{
			if (!add_changed(dependence, row, dependence->values[i]) && row + 1 < dependence->n_rows)
				continue;
			CHECK_FOR_INTERRUPTS();

			const double *out = dependence->block.out;

			for (uint32 n = predict_block_finish(&dependence->block); n > 0; n--)
			{
				for (uint32 k = 0; k < model->n_outputs; k++)
					means[k] += *out++;
			}
		}
		for (uint32 k = 0; k < model->n_outputs; k++)
			means[k] /= (double) dependence->n_rows;
		put_outputs(dependence, NULL, dependence->values[i], means);
	}
}

/* Puts the latest of the rows and values, in the order that they were added in. */
static void
finish_singles(Dependence *dependence, uint64 *n_put)
{
	uint32		n = predict_block_finish(&dependence->block);
	uint32		n_outputs = dependence->predictor->model->n_outputs;

	for (uint32 i = 0; i < n; i++, (*n_put)++)
		put_outputs(dependence, dependence->ids[*n_put / dependence->n_values], dependence->values[*n_put % dependence->n_values],
					dependence->block.out + (size_t) i * n_outputs);
}

/* Each row, value by value. */
static void
put_singles(Dependence *dependence)
{
	MemoryContext block_context = AllocSetContextCreate(CurrentMemoryContext, "mlops block", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(block_context);
	uint64		n_put = 0;

	for (uint64 row = 0; row < dependence->n_rows; row++)
	{
		for (uint64 i = 0; i < dependence->n_values; i++)
		{
			if (!add_changed(dependence, row, dependence->values[i]))
				continue;
			CHECK_FOR_INTERRUPTS();
			finish_singles(dependence, &n_put);
			MemoryContextReset(block_context);
		}
	}
	finish_singles(dependence, &n_put);
	MemoryContextSwitchTo(old);
}

/* The column of this name; UNDEFINED_COLUMN with the list. */
static uint32
find_feature(const Predictor *predictor, const char *name)
{
	uint32		n_columns = predictor->model->n_columns;

	for (uint32 column = 0; column < n_columns; column++)
	{
		if (strcmp(predictor->names[column], name) == 0)
			return column;
	}
	report_unknown_name(ERRCODE_UNDEFINED_COLUMN, psprintf("the model has no column \"%s\"", name), "columns", name, predictor->names,
						(int) n_columns);
}

/* What both functions do: model, source and feature are the first arguments. */
static void
run_dependence(FunctionCallInfo fcinfo, const char *function, int points_argument, int id_argument)
{
	MemoryContext caller = CurrentMemoryContext;
	static const char *const arguments[] = {"model", "source", "feature"};
	const char *id = NULL;
	Dependence	dependence = {.result = (ReturnSetInfo *) fcinfo->resultinfo,.with_id = id_argument >= 0};

	for (int i = 0; i < 3; i++)
	{
		if (PG_ARGISNULL(i))
			report_null_argument(function, arguments[i]);
	}
	dependence.n_points = PG_ARGISNULL(points_argument) ? 0 : PG_GETARG_INT32(points_argument);
	if (dependence.n_points < 1 || dependence.n_points > POINTS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("points must be between 1 and %d", POINTS_MAX)));
	InitMaterializedSRF(fcinfo, 0);
	dependence.predictor = predict_bind(fcinfo);
	dependence.context = AllocSetContextCreate(caller, "mlops dependence", ALLOCSET_DEFAULT_SIZES);

	MemoryContextSwitchTo(dependence.context);
	dependence.column = find_feature(dependence.predictor, text_to_cstring(PG_GETARG_TEXT_PP(2)));
	if (id_argument >= 0 && !PG_ARGISNULL(id_argument))
		id = text_to_cstring(PG_GETARG_TEXT_PP(id_argument));
	feature_rows(dependence.predictor, text_to_cstring(PG_GETARG_TEXT_PP(1)), id, &dependence_consumer, &dependence);
	choose_values(&dependence);
	predict_block_init(&dependence.block, dependence.predictor);
	if (dependence.with_id)
		put_singles(&dependence);
	else
		put_means(&dependence);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(dependence.context);
}

/* mlops.partial_dependence(model, source, feature, points) */
Datum
mlops_partial_dependence(PG_FUNCTION_ARGS)
{
	run_dependence(fcinfo, "mlops.partial_dependence()", 3, -1);
	return (Datum) 0;
}

/* mlops.ice(model, source, feature, points, id) */
Datum
mlops_ice(PG_FUNCTION_ARGS)
{
	run_dependence(fcinfo, "mlops.ice()", 3, 4);
	return (Datum) 0;
}
