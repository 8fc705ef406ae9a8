/*
 * early_stop.c
 *		When to stop boosting.
 */
#include "early_stop.h"

#include <math.h>
#include <string.h>

#include "../link.h"
#include "../metric_names.h"
#include "metrics.h"

static uint32_t
n_outputs(const FitInput *input)
{
	return input->n_classes > 0 ? input->n_classes : 1;
}

bool
early_stop_init(EarlyStop *stop, const FitInput *input, Error *error)
{
	RowRange	validation = input->table->validation;

	memset(stop, 0, sizeof(*stop));
	stop->patience = (int) params_get(input->params, "early_stopping_rounds");
	stop->min_delta = params_get(input->params, "early_stopping_min_delta");
	stop->task = input->task;
	stop->weight = input->weight != NULL ? input->weight + validation.begin : NULL;
	stop->best = INFINITY;
	params_word(input->params, "early_stopping_metric", stop->metric, sizeof(stop->metric));
	if (strcmp(stop->metric, "loss") == 0)
		stop->metric[0] = '\0';
	if (stop->patience == 0)
		return true;
	if (range_rows(validation) == 0)
	{
		error_set(error, ERROR_PARAMETER, "early_stopping_rounds needs validation rows, and there are none");
		return error_hint(error, "Add a share of validation rows to the split, such as {\"validation\": 0.1}.");
	}
	if (stop->metric[0] != '\0')
		stop->outputs = arena_alloc(input->arena, range_rows(validation) * n_outputs(input), sizeof(double), error);
	return stop->metric[0] == '\0' || stop->outputs != NULL;
}

/* What a model of the trees so far predicts. */
static void
predict_rows(const Objective *objective, const ScoredRows *rows, double *outputs)
{
	for (size_t i = 0; i < rows->n; i++)
	{
		double		score = rows->base[0] + (double) rows->tree_scores[i];

		switch (objective->link)
		{
			case LINK_IDENTITY:
				outputs[i] = score;
				break;
			case LINK_LOG:
				outputs[i] = math_exp(score);
				break;
			case LINK_LOGISTIC:
				link_logistic(score, outputs + 2 * i);
				break;
			case LINK_SOFTMAX:
				for (uint32_t k = 0; k < rows->n_groups; k++)
					outputs[i * rows->n_groups + k] = rows->base[k] + (double) rows->tree_scores[k * rows->n + i];
				link_softmax(outputs + i * rows->n_groups, rows->n_groups);
				break;
		}
	}
}

/* The metric of the validation rows. */
static bool
measure(const EarlyStop *stop, const Objective *objective, const ScoredRows *rows, double *value, Error *error)
{
	Arena		scratch;
	Metrics		metrics;

	arena_init(&scratch);
	predict_rows(objective, rows, stop->outputs);

	bool		done = metrics_compute(&metrics, stop->task, rows->n, rows->target, stop->outputs,
									   stop->task == TASK_BINARY ? 2 : rows->n_groups, stop->weight, &scratch, error);

	if (done)
		*value = metrics_get(&metrics, stop->metric);
	arena_free(&scratch);
	if (done && isnan(*value))
	{
		error_set(error, ERROR_DATA, "metric %s is not defined on the %zu validation rows, so it cannot stop the training", stop->metric, rows->n);
		return error_hint(error, "Use more validation rows, or \"early_stopping_metric\": \"loss\".");
	}
	return done;
}

bool
early_stop_round(EarlyStop *stop, const Objective *objective, const ScoredRows *validation, int round, double loss,
				 bool *done, Error *error)
{
	double		value = loss;

	*done = false;
	if (stop->patience == 0)
		return true;
	if (stop->metric[0] != '\0')
	{
		if (!measure(stop, objective, validation, &value, error))
			return false;
		value = metric_larger_is_better(stop->metric) ? -value : value;
	}
	if (value < stop->best - stop->min_delta || stop->best_round == 0)
	{
		stop->best = value;
		stop->best_round = round;
	}
	*done = round - stop->best_round >= stop->patience;
	return true;
}
