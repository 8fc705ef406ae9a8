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

/* Table, targets, predictions and metrics with an opened model. */
static bool
evaluate_model(Trainer *trainer, const Model *model, Error *error)
{
	const Job  *job = &trainer->job;
	SplitPlan	split = {.kind = SPLIT_RANDOM, .test = 0, .validation = 0, .seed = job->seed, .stratified = false};
	JobResult  *result = &trainer->result;
	uint64_t	needed = trainer->matrix.header->size + table_memory(&trainer->matrix) +
		2 * trainer->matrix.header->n_rows * model->n_outputs * sizeof(double);
	Table		table;
	Target		target;
	RowSource	source;

	if (needed > job->max_memory)
	{
		error_set(error, ERROR_LIMIT, "the evaluation needs %llu bytes of memory, but mlops.max_memory allows %llu",
				  (unsigned long long) needed, (unsigned long long) job->max_memory);
		return error_hint(error, "Raise mlops.max_memory to at least %lluMB, or evaluate on fewer rows.", (unsigned long long) (needed >> 20) + 1);
	}

	channel_phase(&trainer->channel, "ordering rows");
	if (!table_build(&table, &trainer->matrix, &split, trainer->pool, &trainer->arena, error) ||
		!profile_columns(trainer, error))
		return false;
	notice_dropped(trainer, &table);

	channel_phase(&trainer->channel, "evaluating");

	double	   *constant = arena_alloc(&trainer->arena, model->n_outputs, sizeof(double), error);

	if (constant == NULL ||
		!target_of_model(&target, &table, model, &trainer->arena, error) ||
		!row_source_init(&source, &table, model, &trainer->arena, error))
		return false;
	baseline_constant(target.values, target.weights, target.n_classes, table.train, constant);

	double	   *outputs = score_rows(model, &source, table.train, trainer->pool, &trainer->arena, error);

	if (outputs == NULL || !score_metrics(trainer, model->task, &target, table.train, outputs, constant, error))
		return false;

	result->n_rows = trainer->matrix.header->n_rows;
	result->n_dropped = table.n_dropped;
	result->n_test = range_rows(table.train);
	result->fingerprint[0] = table.fingerprint[0];
	result->fingerprint[1] = table.fingerprint[1];
	result->n_features = model->n_features;
	return true;
}

bool
evaluate_job(Trainer *trainer, Error *error)
{
	size_t		size;
	const void *bytes = map_descriptor(TRAINER_FD_MODEL, "model", &size, error);
	Model		model;

	if (bytes == NULL)
		return false;

	bool		done = model_open(&model, bytes, size, error) && evaluate_model(trainer, &model, error);

	munmap((void *) bytes, size);
	return done;
}
