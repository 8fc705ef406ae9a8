/*
 * importance_job.c
 *		How much a model needs each column: permutation importance.
 *
 * The values of one column are shuffled among the rows, and the metric is
 * taken again: what it loses is what the column told (Breiman 2001; Fisher,
 * Rudin & Dominici 2019).  A repeat uses one permutation for all columns.
 * It is a hash of the seed and positions in canonical order, so that the same
 * rows give the same numbers.
 */
#include "trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../core/hash.h"
#include "../core/model/metric_names.h"

/* Bytes a row beside the outputs: the permutation, and what the metrics sort. */
#define WORK_ROW (sizeof(uint32_t) + 64)

typedef struct ImportanceWork
{
	Trainer    *trainer;
	const Model *model;
	ModelRows	rows;
	const char *metric;
	double		unshuffled;		/* the metric on the rows as they are */
	uint32_t   *permutation;
} ImportanceWork;

/* ERROR_PARAMETER for a metric that the task has not, with those that it has. */
static bool
check_metric(const ImportanceWork *work, const Metrics *metrics, Error *error)
{
	char		names[METRICS_MAX * (METRIC_NAME_MAX + 2)] = "";

	for (int i = 0; i < metrics->n; i++)
	{
		if (strcmp(metrics->names[i], work->metric) == 0)
			return true;
		strcat(names, i > 0 ? ", " : "");
		strcat(names, metrics->names[i]);
	}
	error_set(error, ERROR_PARAMETER, "there is no metric \"%s\" for the task %s", work->metric, task_name(work->model->task));
	return error_hint(error, "The metrics are %s.", names);
}

/* The metric of the rows as the source gives them now. */
static bool
measure(ImportanceWork *work, double *value, Error *error)
{
	RowRange	range = work->rows.table.train;
	const Target *target = &work->rows.target;
	const double *weights = target->weights != NULL ? target->weights + range.begin : NULL;
	Metrics		metrics;
	Arena		arena;

	arena_init(&arena);

	double	   *outputs = score_rows(work->model, &work->rows.source, range, work->trainer->pool, &arena, error);
	bool		done = outputs != NULL &&
		metrics_compute(&metrics, work->model->task, range_rows(range), target->values + range.begin, outputs, work->model->n_outputs,
						weights, &arena, error) &&
		check_metric(work, &metrics, error);

	if (done)
		*value = metrics_get(&metrics, work->metric);
	arena_free(&arena);
	return done;
}

/* Shuffles the rows for one repeat (Fisher & Yates 1938, in Durstenfeld's order). */
static void
shuffle(ImportanceWork *work, uint32_t repeat)
{
	RowRange	range = work->rows.table.train;
	uint64_t	key = hash64_combine(work->trainer->job.seed, repeat);

	for (size_t row = range.begin; row < range.end; row++)
		work->permutation[row] = (uint32_t) row;
	for (size_t n = range_rows(range); n > 1; n--)
	{
		size_t		last = range.begin + n - 1;
		size_t		chosen = range.begin + hash64_combine(key, n) % n;
		uint32_t	row = work->permutation[last];

		work->permutation[last] = work->permutation[chosen];
		work->permutation[chosen] = row;
	}
}

/* Loss of the metric by column, in each repeat; losses[n_columns][repeats]. */
static bool
measure_columns(ImportanceWork *work, double *losses, Error *error)
{
	uint32_t	repeats = work->trainer->job.repeats;
	uint32_t	n_columns = work->model->n_columns;
	double		sign = metric_larger_is_better(work->metric) ? -1 : 1;

	for (uint32_t repeat = 0; repeat < repeats; repeat++)
	{
		shuffle(work, repeat);
		work->rows.source.shuffled = work->permutation;
		for (uint32_t column = 0; column < n_columns; column++)
		{
			double		value;

			work->rows.source.shuffled_feature = column;
			if (!measure(work, &value, error))
				return false;
			losses[(size_t) column * repeats + repeat] = sign * (value - work->unshuffled);
			channel_iteration(&work->trainer->channel, (int) (repeat * n_columns + column + 1), (int) (repeats * n_columns), NAN, NAN);
		}
	}
	return true;
}

/* Mean and deviation of one column's losses. */
static ResultImportance
summarise(const double *losses, uint32_t n)
{
	ResultImportance importance = {0, 0};

	for (uint32_t i = 0; i < n; i++)
		importance.mean += losses[i] / n;
	for (uint32_t i = 0; i < n; i++)
		importance.deviation += (losses[i] - importance.mean) * (losses[i] - importance.mean) / n;
	importance.deviation = sqrt(importance.deviation);
	return importance;
}

/* All of it, with an opened model. */
static bool
measure_importance(Trainer *trainer, const Model *model, Error *error)
{
	const Job  *job = &trainer->job;
	JobResult  *result = &trainer->result;
	ImportanceWork work = {
		.trainer = trainer,
		.model = model,
		.metric = job->metric[0] != '\0' ? job->metric : metric_main(model->task)
	};
	uint64_t	bytes = trainer->matrix.header->n_rows * (WORK_ROW + model->n_outputs * sizeof(double)) +
		(uint64_t) model->n_columns * job->repeats * sizeof(double);

	if (!model_rows_build(&work.rows, trainer, model, bytes, "importance", error))
		return false;

	channel_phase(&trainer->channel, "permuting columns");
	work.permutation = arena_alloc(&trainer->arena, work.rows.table.n_rows, sizeof(uint32_t), error);

	double	   *losses = arena_alloc(&trainer->arena, (size_t) model->n_columns * job->repeats, sizeof(double), error);

	if (work.permutation == NULL || losses == NULL || !measure(&work, &work.unshuffled, error))
		return false;
	if (isnan(work.unshuffled))
	{
		error_set(error, ERROR_DATA, "these rows do not define the metric \"%s\"", work.metric);
		return error_hint(error, "Name another one, such as metric => '%s'.", model->task == TASK_REGRESSION ? "rmse" : "log_loss");
	}
	if (!measure_columns(&work, losses, error))
		return false;

	result->importances = calloc((size_t) model->n_columns + 1, sizeof(ResultImportance));
	if (result->importances == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for the importance of %u columns", model->n_columns);
	result->n_importances = model->n_columns;
	for (uint32_t i = 0; i < model->n_columns; i++)
		result->importances[i] = summarise(losses + (size_t) i * job->repeats, job->repeats);
	return true;
}

bool
importance_job(Trainer *trainer, Error *error)
{
	return with_model(trainer, measure_importance, error);
}
