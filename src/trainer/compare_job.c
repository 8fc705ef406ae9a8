/*
 * compare_job.c
 *		A new version beside an earlier one, on rows that neither was trained on.
 *
 * The rows are those that the new version was trained from, split again as
 * then: the same rows give the same parts.  Of its test part those are kept
 * whose keys lie below the earlier version's cuts: its own training, had it
 * seen them, would have held them out, too (fit/table/table.h).
 *
 * The result's metrics have the new version's as value and the earlier one's
 * as baseline; the last one, "difference", is that of the task's main metric,
 * positive where the new version is better, with its standard error as
 * baseline.  n_test counts the rows.
 */
#include "trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../core/fit/paired.h"

typedef struct Comparison
{
	Trainer    *trainer;
	const Model *challenger;	/* the new version */
	const Model *champion;		/* the earlier one */
	Table		table;
	Target		target;
	uint32_t   *champion_class; /* of each of the challenger's */
	size_t		n;				/* rows kept */
	double	   *truth;
	double	   *weights;		/* NULL: all 1 */
	double	   *ours;			/* outputs of the challenger, by its classes */
	double	   *theirs;			/* of the champion, by the same */
} Comparison;

/* Both have the same classes; the backend has looked. */
static bool
match_classes(Comparison *work, Error *error)
{
	uint32_t	n = work->challenger->n_outputs;

	work->champion_class = arena_alloc(&work->trainer->arena, n, sizeof(uint32_t), error);
	if (work->champion_class == NULL)
		return false;
	for (uint32_t class = 0; class < n; class++)
	{
		int			found = work->target.n_classes == 0 ? 0 : model_find_label(work->champion, model_label(work->challenger, class));

		if (found < 0 || work->champion->n_outputs != n)
			return error_set(error, ERROR_CORRUPTED, "the versions do not have the same classes");
		work->champion_class[class] = (uint32_t) found;
	}
	if (work->trainer->job.n_cuts != 1 && work->trainer->job.n_cuts != n)
		return error_set(error, ERROR_CORRUPTED, "the job has %u cuts for %u classes", work->trainer->job.n_cuts, n);
	return true;
}

/* Whether the champion held a row of the test part out. */
static bool
champion_held_out(const Comparison *work, size_t i)
{
	const Job  *job = &work->trainer->job;
	uint32_t	class = job->n_cuts == 1 ? 0 : work->champion_class[(uint32_t) work->target.values[work->table.test.begin + i]];

	return work->table.test_keys[i] < job->cuts[class];
}

/* Predicts the test part by both, and keeps the rows that both held out. */
static bool
keep_rows(Comparison *work, Error *error)
{
	Trainer    *trainer = work->trainer;
	RowRange	test = work->table.test;
	size_t		n = range_rows(test);
	uint32_t	n_outputs = work->challenger->n_outputs;
	RowSource	our_source;
	RowSource	their_source;

	if (!table_gather_features(&work->table, test, trainer->pool, &trainer->arena, error) ||
		!row_source_init(&our_source, &work->table, work->challenger, &trainer->arena, error) ||
		!row_source_init(&their_source, &work->table, work->champion, &trainer->arena, error))
		return false;
	work->ours = score_rows(work->challenger, &our_source, test, trainer->pool, &trainer->arena, error);
	work->theirs = work->ours == NULL ? NULL : score_rows(work->champion, &their_source, test, trainer->pool, &trainer->arena, error);
	work->truth = arena_alloc(&trainer->arena, n + 1, sizeof(double), error);
	work->weights = work->target.weights == NULL ? NULL : arena_alloc(&trainer->arena, n + 1, sizeof(double), error);

	double	   *row = arena_alloc(&trainer->arena, n_outputs, sizeof(double), error);

	if (work->theirs == NULL || work->truth == NULL || row == NULL || (work->target.weights != NULL && work->weights == NULL))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		if (!champion_held_out(work, i))
			continue;
		memmove(work->ours + work->n * n_outputs, work->ours + i * n_outputs, n_outputs * sizeof(double));
		for (uint32_t class = 0; class < n_outputs; class++)
			row[class] = work->theirs[i * n_outputs + work->champion_class[class]];
		memcpy(work->theirs + work->n * n_outputs, row, n_outputs * sizeof(double));
		work->truth[work->n] = work->target.values[test.begin + i];
		if (work->weights != NULL)
			work->weights[work->n] = work->target.weights[test.begin + i];
		work->n++;
	}
	return true;
}

/* All metrics of both, and how sure the difference is. */
static bool
compare_rows(Comparison *work, Error *error)
{
	Trainer    *trainer = work->trainer;
	JobResult  *result = &trainer->result;
	Task		task = work->challenger->task;
	uint32_t	n_outputs = work->challenger->n_outputs;
	Metrics		ours;
	Metrics		theirs;
	Paired		paired;

	if (!metrics_compute(&ours, task, work->n, work->truth, work->ours, n_outputs, work->weights, &trainer->arena, error) ||
		!metrics_compute(&theirs, task, work->n, work->truth, work->theirs, n_outputs, work->weights, &trainer->arena, error) ||
		!paired_compare(&paired, task, work->n, work->truth, work->ours, work->theirs, n_outputs, work->weights, &trainer->arena, error))
		return false;
	result->metrics = calloc((size_t) ours.n + 1, sizeof(ResultMetric));
	if (result->metrics == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for the metrics");
	for (int i = 0; i < ours.n; i++)
	{
		ResultMetric *metric = &result->metrics[result->n_metrics++];

		memcpy(metric->name, ours.names[i], sizeof(metric->name));
		metric->value = ours.values[i];
		metric->baseline = theirs.values[i];
	}
	result->metrics[result->n_metrics++] = (ResultMetric) {"difference", paired.difference, paired.standard_error};
	result->n_rows = trainer->matrix.header->n_rows;
	result->n_dropped = work->table.n_dropped;
	result->n_test = work->n;
	return true;
}

/* The job with both versions opened. */
static bool
compare_models(Trainer *trainer, const Model *challenger, const Model *champion, Error *error)
{
	Comparison	work = {.trainer = trainer, .challenger = challenger, .champion = champion};
	const Job  *job = &trainer->job;
	SplitPlan	split = {
		.kind = (SplitKind) job->split_kind,
		.test = job->test,
		.validation = job->validation,
		.seed = job->seed,
		.stratified = challenger->task != TASK_REGRESSION,
		.keep_keys = true
	};

	uint64_t	n_rows = trainer->matrix.header->n_rows;
	uint64_t	building = table_build_memory(&trainer->matrix) + 2 * n_rows * sizeof(uint64_t);
	uint64_t	working = table_memory(&trainer->matrix) + table_gather_memory(&trainer->matrix, n_rows) +
		n_rows * (2 * (uint64_t) challenger->n_outputs + 5) * sizeof(double);
	uint64_t	needed = trainer->matrix.header->size + (building > working ? building : working);

	if (champion->task != challenger->task)
		return error_set(error, ERROR_CORRUPTED, "the versions are of different tasks");
	if (needed > job->max_memory)
	{
		error_set(error, ERROR_LIMIT, "the comparison needs %llu bytes of memory, but mlops.max_memory allows %llu",
				  (unsigned long long) needed, (unsigned long long) job->max_memory);
		return error_hint(error, "Raise mlops.max_memory to at least %lluMB, or use fewer rows.", (unsigned long long) (needed >> 20) + 1);
	}
	channel_phase(&trainer->channel, "ordering rows");
	if (!table_build(&work.table, &trainer->matrix, &trainer->hashed, &split, trainer->pool, &trainer->arena, error) ||
		!target_of_model(&work.target, &work.table, challenger, trainer->pool, &trainer->arena, error))
		return false;
	channel_phase(&trainer->channel, "comparing");
	return match_classes(&work, error) && keep_rows(&work, error) && compare_rows(&work, error);
}

/* Opens the earlier version beside the new one. */
static bool
with_champion(Trainer *trainer, const Model *challenger, Error *error)
{
	size_t		size;
	const void *bytes = map_descriptor(TRAINER_FD_INIT, "earlier version", &size, error);
	Model		champion;

	if (bytes == NULL)
		return false;

	bool		done = model_open(&champion, bytes, size, error) && compare_models(trainer, challenger, &champion, error);

	munmap((void *) bytes, size);
	return done;
}

bool
compare_job(Trainer *trainer, Error *error)
{
	return with_model(trainer, with_champion, error);
}
