/*
 * evaluate_job.c
 *		An existing model judged on new rows.
 *
 * The rows' feature columns are the model's columns, by name and in order;
 * the backend sees to that, and it is checked.  Rows are put into canonical
 * order first, so that sums over them come out the same whatever order the
 * query gave.
 *
 * The baseline of an evaluation is the constant predictor fitted on the
 * evaluated rows themselves (a model does not keep the distribution of its
 * training target): the best that any constant could have done on them.
 */
#include "trainer.h"

#include <sys/mman.h>

bool
with_model(Trainer *trainer, bool (*work) (Trainer *trainer, const Model *model, Error *error), Error *error)
{
	size_t		size;
	const void *bytes = map_descriptor(TRAINER_FD_MODEL, "model", &size, error);
	Model		model;

	if (bytes == NULL)
		return false;

	bool		done = model_open(&model, bytes, size, error) && work(trainer, &model, error);

	munmap((void *) bytes, size);
	return done;
}

bool
model_rows_build(ModelRows *rows, Trainer *trainer, const Model *model, uint64_t bytes, const char *work, Error *error)
{
	const Job  *job = &trainer->job;
	SplitPlan	split = {.kind = SPLIT_RANDOM, .test = 0, .validation = 0, .seed = job->seed, .stratified = false};
	JobResult  *result = &trainer->result;
	uint64_t	n_rows = trainer->matrix.header->n_rows;
	uint64_t	building = table_build_memory(&trainer->matrix);
	uint64_t	working = table_memory(&trainer->matrix) + 2 * n_rows * sizeof(double) + table_gather_memory(&trainer->matrix, n_rows) + bytes;
	uint64_t	needed = trainer->matrix.header->size + (building > working ? building : working);

	if (needed > job->max_memory)
	{
		error_set(error, ERROR_LIMIT, "the %s needs %llu bytes of memory, but mlops.max_memory allows %llu", work,
				  (unsigned long long) needed, (unsigned long long) job->max_memory);
		return error_hint(error, "Raise mlops.max_memory to at least %lluMB, or use fewer rows.", (unsigned long long) (needed >> 20) + 1);
	}

	channel_phase(&trainer->channel, "ordering rows");
	if (!table_build(&rows->table, &trainer->matrix, &trainer->hashed, &split, trainer->pool, &trainer->arena, error) ||
		!profile_columns(trainer, error))
		return false;
	notice_dropped(trainer, &rows->table);
	if (!target_of_model(&rows->target, &rows->table, model, trainer->pool, &trainer->arena, error) ||
		!table_gather_features(&rows->table, rows->table.train, trainer->pool, &trainer->arena, error) ||
		!row_source_init(&rows->source, &rows->table, model, &trainer->arena, error))
		return false;

	result->n_rows = trainer->matrix.header->n_rows;
	result->n_dropped = rows->table.n_dropped;
	result->n_test = range_rows(rows->table.train);
	result->fingerprint[0] = rows->table.fingerprint[0];
	result->fingerprint[1] = rows->table.fingerprint[1];
	result->n_features = model->n_features;
	return true;
}

/* Table, targets, predictions and metrics with an opened model. */
static bool
evaluate_model(Trainer *trainer, const Model *model, Error *error)
{
	uint64_t	bytes = 2 * trainer->matrix.header->n_rows * model->n_outputs * sizeof(double);
	double	   *constant = arena_alloc(&trainer->arena, model->n_outputs, sizeof(double), error);
	ModelRows	rows;

	if (constant == NULL || !model_rows_build(&rows, trainer, model, bytes, "evaluation", error))
		return false;

	channel_phase(&trainer->channel, "evaluating");
	baseline_constant(rows.target.values, rows.target.weights, rows.target.n_classes, rows.table.train, constant);

	double	   *outputs = score_rows(model, &rows.source, rows.table.train, trainer->pool, &trainer->arena, error);

	return outputs != NULL && score_metrics(trainer, model->task, &rows.target, rows.table.train, outputs, constant, error);
}

bool
evaluate_job(Trainer *trainer, Error *error)
{
	return with_model(trainer, evaluate_model, error);
}
