/*
 * freeze_loss.c
 *		Models of the loss: how wrong a regression is, by what it is asked and answers.
 *
 * Gradient boosting learns |truth - prediction|, its square and its share of
 * the truth from features and prediction of the sample's rows (NannyML's direct
 * loss estimation); the mean of its answers on later rows estimates the
 * metric before any outcome is known.  The rows are put into a matrix of their
 * own, and the walk is that of any training, with nothing held out, in one
 * thread: so few rows are not worth more, and the models are made side by side.
 */
#include "freeze.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ROWS_MIN		100		/* fewer tell nothing about the loss */
#define ROWS_MAX		4000	/* a mean over windows needs no finer model, and a training no longer wait */
#define N_TREES			25
#define LEARNING_RATE	0.2
#define DEPTH			4
#define PREDICTION_NAME	"prediction"
#define LOSS_NAME		"loss"

typedef struct Loss
{
	const char *name;
	double		(*of) (double truth, double prediction);
} Loss;

static double
absolute_error(double truth, double prediction)
{
	return fabs(truth - prediction);
}

static double
squared_error(double truth, double prediction)
{
	return (truth - prediction) * (truth - prediction);
}

/* NaN where the truth is 0: such rows are dropped. */
static double
relative_error(double truth, double prediction)
{
	return truth != 0 ? fabs((truth - prediction) / truth) : NAN;
}

static const Loss losses[LOSS_MODELS] = {{"mae", absolute_error}, {"mse", squared_error}, {"mape", relative_error}};

/* Rows of the sample on their way into a matrix. */
typedef struct LossRows
{
	void	   *base;			/* mapped, as large as the matrix may be */
	size_t		limit;
	MatrixColumn *columns;		/* the features, the prediction, the loss */
	uint32_t	n_columns;
} LossRows;

/* How many of the sample's rows are learned from: they are in no order but that of their hashes. */
static size_t
loss_rows(const Answers *answers)
{
	return answers->n_sample < ROWS_MAX ? answers->n_sample : ROWS_MAX;
}

/* Columns, and a region with room for the rows and all texts. */
static bool
describe(LossRows *rows, const Answers *answers, Error *error)
{
	const Table *table = answers->table;
	uint32_t	n = table->n_features;
	uint64_t	texts = 0;

	rows->n_columns = n + 2;
	rows->columns = calloc(rows->n_columns, sizeof(MatrixColumn));
	if (rows->columns == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for the models of the loss");
	for (uint32_t i = 0; i < n; i++)
	{
		const MatrixColumn *source = table->features[i].source;
		MatrixColumn *column = &rows->columns[i];

		/* the prediction has that name, and the loss the other */
		if (strcmp(source->name, PREDICTION_NAME) == 0 || strcmp(source->name, LOSS_NAME) == 0)
			return error_set(error, ERROR_COLUMN, "feature \"%s\" has the name of another column", source->name);
		memcpy(column->name, source->name, sizeof(column->name));
		memcpy(column->type_name, source->type_name, sizeof(column->type_name));
		column->kind = source->kind;
		column->storage = source->storage;
		column->role = ROLE_FEATURE;
		texts += source->storage == STORAGE_CODE ? source->dictionary_size : 0;
	}
	for (uint32_t i = n; i < n + 2; i++)
	{
		strcpy(rows->columns[i].name, i == n ? PREDICTION_NAME : LOSS_NAME);
		strcpy(rows->columns[i].type_name, "double precision");
		rows->columns[i].kind = KIND_NUMBER;
		rows->columns[i].storage = STORAGE_FLOAT64;
		rows->columns[i].role = i == n ? ROLE_FEATURE : ROLE_TARGET;
	}
	rows->limit = matrix_bytes(rows->columns, rows->n_columns, loss_rows(answers) + MATRIX_BLOCK_ROWS) + 2 * texts + (1 << 20);
	rows->base = mmap(NULL, rows->limit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (rows->base == MAP_FAILED)
		return error_set(error, ERROR_MEMORY, "out of memory for the models of the loss");
	return true;
}

/* Writes a feature's value into the current row. */
static bool
write_value(MatrixWriter *writer, uint32_t index, const TableColumn *column, size_t row, Error *error)
{
	void	   *cell = matrix_writer_cell(writer, index);

	if (column->source->storage == STORAGE_FLOAT64)
		*(double *) cell = table_number(column, row);
	else if (column->source->storage == STORAGE_FLOAT32)
		*(float *) cell = (float) table_number(column, row);
	else
	{
		uint32_t	level = table_code(column, row);
		uint32_t	code = level == CODE_MISSING ? CODE_MISSING
			: matrix_writer_code(writer, index, column->levels[level], column->level_lengths[level], error);

		if (level != CODE_MISSING && code == CODE_MISSING)
			return false;
		*(uint32_t *) cell = code;
	}
	return true;
}

/* All rows that have a loss. */
static bool
fill(LossRows *rows, const Answers *answers, const Loss *loss, Error *error)
{
	const Table *table = answers->table;
	uint32_t	n = table->n_features;
	MatrixWriter writer;
	bool		done = matrix_writer_init(&writer, rows->base, rows->limit, rows->columns, rows->n_columns, error);

	for (size_t i = 0; i < loss_rows(answers) && done; i++)
	{
		size_t		row = answers->sample[i];
		double		prediction = answer_outputs(answers, row)[0];
		double		value = loss->of(answers->target->values[row], prediction);

		if (!isfinite(value))
			continue;
		done = matrix_writer_row(&writer, error);
		for (uint32_t feature = 0; feature < n && done; feature++)
			done = write_value(&writer, feature, &table->features[feature], row, error);
		if (done)
		{
			*(double *) matrix_writer_cell(&writer, n) = prediction;
			*(double *) matrix_writer_cell(&writer, n + 1) = value;
		}
	}
	done = done && matrix_writer_finish(&writer, error);
	matrix_writer_free(&writer);
	return done;
}

/* A small boosting of squared error, whose parameters are otherwise the defaults. */
static bool
set_job(Job *job, const Job *like, const LossRows *rows, double *values, bool *given, RecipePlan *plans, Error *error)
{
	const Algorithm *algorithm = algorithm_by_id(ALGORITHM_GRADIENT_BOOSTING);
	ParamSet	params;

	params_init(&params, algorithm->params, algorithm->n_params, values, given);
	if (!params_set_number(&params, "n_estimators", N_TREES, error) || !params_set_number(&params, "learning_rate", LEARNING_RATE, error) ||
		!params_set_number(&params, "max_depth", DEPTH, error))
		return false;
	for (uint32_t i = 0; i + 1 < rows->n_columns; i++)
		plans[i] = algorithm_recipe(algorithm, (ColumnKind) rows->columns[i].kind, (RecipePlan) {0});
	*job = (Job) {
		.kind = JOB_TRAIN,.algorithm = algorithm->id,.task = TASK_REGRESSION,.label_kind = LABEL_NONE,.seed = like->seed,
		.n_threads = 1,.max_memory = like->max_memory,.split_kind = SPLIT_RANDOM,.n_features = rows->n_columns - 1,.plans = plans,
		.n_params = (uint32_t) algorithm->n_params,.params = values,.params_given = given
	};
	return true;
}

/* Fits the model of one loss and writes its record; where there are too few rows there is none. */
static bool
fit_loss(const Answers *answers, LossRows *rows, const Loss *loss, Buffer *reference, Error *error)
{
	const Algorithm *algorithm = algorithm_by_id(ALGORITHM_GRADIENT_BOOSTING);
	Trainer		trainer = {.channel = {-1},.pool = pool_create(1, error)};
	double	   *values = calloc((size_t) algorithm->n_params, sizeof(double));
	bool	   *given = calloc((size_t) algorithm->n_params, sizeof(bool));
	RecipePlan *plans = calloc(rows->n_columns, sizeof(RecipePlan));
	ReferenceModel record = {.kind = "loss",.content = "{}",.content_size = 2};
	Buffer		model;
	bool		done = trainer.pool != NULL;

	arena_init(&trainer.arena);
	buffer_init(&model);
	trainer.tallies = profile_begin(rows->n_columns);
	done = done && values != NULL && given != NULL && plans != NULL && trainer.tallies != NULL && fill(rows, answers, loss, error) &&
		matrix_open(&trainer.matrix, rows->base, ((const MatrixHeader *) rows->base)->size, error) &&
		set_job(&trainer.job, &answers->trainer->job, rows, values, given, plans, error);
	if (done && trainer.matrix.header->n_rows >= ROWS_MIN)
	{
		done = train_quietly(&trainer, &model, error);
		if (done)
		{
			strcpy(record.name, loss->name);
			record.artifact = model.data;
			record.artifact_size = model.size;
			reference_write_model(reference, &record);
		}
	}
	buffer_free(&model);
	result_free(&trainer.result);
	arena_free(&trainer.arena);
	free(trainer.tallies);
	if (trainer.pool != NULL)
		pool_destroy(trainer.pool);
	free(values);
	free(given);
	free(plans);
	return done;
}

bool
freeze_loss(const Answers *answers, uint32_t which, Buffer *reference, Error *error)
{
	LossRows	rows = {.base = MAP_FAILED};
	bool		done;

	if (answers->model->task != TASK_REGRESSION || answers->n_sample < ROWS_MIN)
		return true;
	done = describe(&rows, answers, error) && fit_loss(answers, &rows, &losses[which], reference, error);
	if (rows.base != MAP_FAILED)
		munmap(rows.base, rows.limit);
	free(rows.columns);
	return done;
}
