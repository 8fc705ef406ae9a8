/*
 * freeze_performance.c
 *		How much metrics vary from window to window, and what makes probabilities honest.
 *
 * With each metric on the held-out rows goes what its standard error on n
 * rows is made of (core/statistics/performance.h).  The calibrator maps the score of a
 * class to the share of rows that are of it, where that is closer to the
 * truth than the score is (core/statistics/calibration.h); it is fitted on the sample.
 */
#include "freeze.h"

#include <math.h>
#include <string.h>

#include "../core/statistics/calibration.h"
#include "../core/statistics/performance.h"
#include "json.h"

#define CLASSES_MAX 50			/* that have a calibrator */
#define CONFUSED_CLASSES_MAX 1024

static const double *
range_weights(const Answers *answers)
{
	return answers->target->weights != NULL ? answers->target->weights + answers->range.begin : NULL;
}

/* ---- Performance ---- */

static bool
measure_binary(Performance *performance, const Answers *answers, Arena *scratch, Error *error)
{
	size_t		n = range_rows(answers->range);
	double	   *predicted = arena_alloc(scratch, n, sizeof(double), error);
	double	   *score = arena_alloc(scratch, n, sizeof(double), error);
	BinaryRows	rows = {.n = n,.truth = answers->target->values + answers->range.begin,.predicted = predicted,.probability = score,.score = score,
	.weight = range_weights(answers)};

	if (predicted == NULL || score == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		const double *outputs = answers->outputs + i * 2;

		score[i] = outputs[1];
		predicted[i] = model_best_class(outputs, 2);
	}
	return performance_binary(performance, &rows, scratch, error);
}

static bool
measure_classes(Performance *performance, const Answers *answers, Arena *scratch, Error *error)
{
	uint32_t	n_classes = answers->model->n_outputs;
	const double *weights = range_weights(answers);
	ClassCell  *cells = arena_zeroed(scratch, (size_t) n_classes * n_classes, sizeof(ClassCell), error);
	size_t		n_cells = 0;

	if (cells == NULL)
		return false;
	for (size_t i = 0; i < range_rows(answers->range); i++)
	{
		uint32_t	truth = (uint32_t) answers->target->values[answers->range.begin + i];
		uint32_t	predicted = model_best_class(answers->outputs + i * n_classes, n_classes);
		double		weight = weights != NULL ? weights[i] : 1;
		ClassCell  *cell = &cells[(size_t) truth * n_classes + predicted];

		cell->truth = truth;
		cell->predicted = predicted;
		cell->weight += weight;
		cell->squares += weight * weight;
	}
	for (size_t i = 0; i < (size_t) n_classes * n_classes; i++)
	{
		if (cells[i].weight > 0)
			cells[n_cells++] = cells[i];
	}
	return performance_classes(performance, n_classes, n_cells, cells, scratch, error);
}

bool
freeze_performance(const Answers *answers, Arena *scratch, Buffer *reference, Error *error)
{
	Task		task = answers->model->task;
	Performance performance;
	Buffer		content;

	if (task == TASK_REGRESSION)
		performance_regression(&performance, range_rows(answers->range), answers->target->values + answers->range.begin, answers->outputs,
							   range_weights(answers));
	else if (task == TASK_BINARY ? !measure_binary(&performance, answers, scratch, error)
			 : answers->model->n_outputs > CONFUSED_CLASSES_MAX || !measure_classes(&performance, answers, scratch, error))
		return task != TASK_BINARY && answers->model->n_outputs > CONFUSED_CLASSES_MAX;

	buffer_init(&content);
	json_raw(&content, "{");
	for (int i = 0; i < performance.n; i++)
	{
		const PerformanceMetric *metric = &performance.metrics[i];

		if (i > 0)
			json_raw(&content, ", ");
		json_key(&content, metric->name);
		json_raw(&content, "{\"value\": ");
		json_number(&content, metric->value);
		json_raw(&content, ", \"se_component\": ");
		json_number(&content, metric->deviation);
		json_raw(&content, ", \"n\": ");
		json_number(&content, performance.effective);
		json_raw(&content, "}");
	}
	json_raw(&content, "}");
	return record_model(reference, "performance", &content, error);
}

/* ---- Calibration ---- */

/* The calibrator of one class from the sample; its knots, if any, into content. */
static bool
calibrate_class(const Answers *answers, uint32_t class, Arena *scratch, Buffer *content, bool *first, Error *error)
{
	size_t		n = answers->n_sample;
	double	   *truth = arena_alloc(scratch, n, sizeof(double), error);
	double	   *score = arena_alloc(scratch, n, sizeof(double), error);
	double	   *weight = answers->target->weights != NULL ? arena_alloc(scratch, n, sizeof(double), error) : NULL;
	Isotonic	fit;

	if (truth == NULL || score == NULL || (answers->target->weights != NULL && weight == NULL))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		size_t		row = answers->sample[i];

		truth[i] = answers->target->values[row] == class;
		score[i] = answer_outputs(answers, row)[class];
		if (weight != NULL)
			weight[i] = answers->target->weights[row];
	}
	if (!calibration_fit(&fit, n, truth, score, weight, answers->trainer->job.seed, scratch, error))
		return false;
	if (fit.n == 0)
		return true;
	if (!*first)
		json_raw(content, ", ");
	*first = false;
	json_key(content, model_label(answers->model, class));
	json_raw(content, "{\"x\": ");
	json_numbers(content, fit.x, fit.n);
	json_raw(content, ", \"y\": ");
	json_numbers(content, fit.y, fit.n);
	json_raw(content, "}");
	return true;
}

bool
freeze_calibrator(const Answers *answers, Arena *scratch, Buffer *reference, Error *error)
{
	uint32_t	n_classes = answers->model->n_outputs;
	Buffer		content;
	bool		first = true;
	bool		done = true;

	if (answers->model->task == TASK_REGRESSION || n_classes > CLASSES_MAX || answers->n_sample == 0)
		return true;
	buffer_init(&content);
	json_raw(&content, "{");
	/* of two classes, the positive one's is enough */
	for (uint32_t class = n_classes == 2 ? 1 : 0; class < n_classes && done; class++)
		done = calibrate_class(answers, class, scratch, &content, &first, error);
	json_raw(&content, "}");
	if (done && !first)
		return record_model(reference, "calibrator", &content, error);
	buffer_free(&content);
	return done;
}
