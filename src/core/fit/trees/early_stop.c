/*
 * early_stop.c
 *		When to stop boosting.
 */
#include "early_stop.h"

#include <math.h>
#include <string.h>

#include "../../link.h"
#include "../../model/metric_names.h"
#include "../metrics.h"

#define NO_ROUND (-1)

/* Row i of n at equal distances among n_rows. */
static inline size_t
sampled_row(size_t i, size_t n, size_t n_rows)
{
	return n == n_rows ? i : (size_t) ((unsigned __int128) i * n_rows / n);
}

static uint32_t
n_outputs(const FitInput *input)
{
	return input->n_classes > 0 ? input->n_classes : 1;
}

/* Truth and weights of `n` rows of a range, at equal distances. */
static bool
take_rows(MetricRows *rows, const FitInput *input, RowRange range, size_t n, Error *error)
{
	size_t		n_rows = range_rows(range);

	rows->n = n;
	rows->truth = input->target + range.begin;
	rows->weight = input->weight != NULL ? input->weight + range.begin : NULL;
	if (n == n_rows)
		return true;

	double	   *truth = arena_alloc(input->arena, n, sizeof(double), error);
	double	   *weight = arena_alloc(input->arena, n, sizeof(double), error);

	if (truth == NULL || weight == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		size_t		row = sampled_row(i, n, n_rows);

		truth[i] = rows->truth[row];
		weight[i] = rows->weight != NULL ? rows->weight[row] : 1;
	}
	rows->truth = truth;
	rows->weight = rows->weight != NULL ? weight : NULL;
	return true;
}

bool
early_stop_init(EarlyStop *stop, const FitInput *input, Error *error)
{
	RowRange	train = input->table->train;
	RowRange	validation = input->table->validation;
	size_t		n = range_rows(validation);

	memset(stop, 0, sizeof(*stop));
	stop->patience = (int) params_get(input->params, "early_stopping_rounds");
	stop->min_delta = params_get(input->params, "early_stopping_min_delta");
	stop->task = input->task;
	stop->best = INFINITY;
	stop->best_round = NO_ROUND;
	stop->train_metric = stop->validation_metric = NAN;
	params_word(input->params, "early_stopping_metric", stop->metric, sizeof(stop->metric));
	if (strcmp(stop->metric, "loss") == 0)
		stop->metric[0] = '\0';
	if (stop->patience == 0)
		return true;
	if (n == 0)
	{
		error_set(error, ERROR_PARAMETER, "early_stopping_rounds needs validation rows, and there are none");
		return error_hint(error, "Add a share of validation rows to the split, such as {\"validation\": 0.1}, or say validation in the column that it goes by.");
	}
	if (stop->metric[0] == '\0')
		return true;
	stop->outputs = arena_alloc(input->arena, n * n_outputs(input), sizeof(double), error);
	return stop->outputs != NULL && take_rows(&stop->validation, input, validation, n, error) &&
		take_rows(&stop->train, input, train, range_rows(train) < n ? range_rows(train) : n, error);
}

/* What a model of the trees so far predicts for n of the rows. */
static void
predict_rows(const Objective *objective, const ScoredRows *rows, size_t n, double *outputs)
{
	for (size_t i = 0; i < n; i++)
	{
		size_t		row = sampled_row(i, n, rows->n);
		double		score = rows->base[0] + (double) rows->tree_scores[row];

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
					outputs[i * rows->n_groups + k] = rows->base[k] + (double) rows->tree_scores[k * rows->n + row];
				link_softmax(outputs + i * rows->n_groups, rows->n_groups);
				break;
			case LINK_MEAN:
			case LINK_SHARES:
				break;			/* of forests */
		}
	}
}

/* The metric of one part's rows; NaN where they do not define it. */
static bool
measure(const EarlyStop *stop, const Objective *objective, const MetricRows *rows, const ScoredRows *scores, double *value, Error *error)
{
	Arena		scratch;
	Metrics		metrics;

	arena_init(&scratch);
	predict_rows(objective, scores, rows->n, stop->outputs);

	bool		done = metrics_compute(&metrics, stop->task, rows->n, rows->truth, stop->outputs,
									   stop->task == TASK_BINARY ? 2 : scores->n_groups, rows->weight, &scratch, error);

	if (done)
		*value = metrics_get(&metrics, stop->metric);
	arena_free(&scratch);
	return done;
}

/* The loss or the metric of the validation rows; smaller is better. */
static bool
rate(EarlyStop *stop, const Objective *objective, const ScoredRows *validation, double loss, double *value, Error *error)
{
	*value = loss;
	if (stop->metric[0] == '\0')
		return true;
	if (!measure(stop, objective, &stop->validation, validation, &stop->validation_metric, error))
		return false;
	if (isnan(stop->validation_metric))
	{
		error_set(error, ERROR_DATA, "metric %s is not defined on the %zu validation rows, so it cannot stop the training", stop->metric,
				  stop->validation.n);
		return error_hint(error, "Use more validation rows, or \"early_stopping_metric\": \"loss\".");
	}
	*value = metric_larger_is_better(stop->metric) ? -stop->validation_metric : stop->validation_metric;
	return true;
}

bool
early_stop_start(EarlyStop *stop, const Objective *objective, const ScoredRows *validation, double loss, Error *error)
{
	stop->best_round = 0;
	return stop->patience == 0 || rate(stop, objective, validation, loss, &stop->best, error);
}

bool
early_stop_round(EarlyStop *stop, const Objective *objective, const ScoredRows *train, const ScoredRows *validation,
				 int round, double loss, bool *done, Error *error)
{
	double		value;

	*done = false;
	if (stop->patience == 0)
		return true;
	if (stop->metric[0] != '\0' && !measure(stop, objective, &stop->train, train, &stop->train_metric, error))
		return false;
	if (!rate(stop, objective, validation, loss, &value, error))
		return false;
	if (value < stop->best - stop->min_delta || stop->best_round == NO_ROUND)
	{
		stop->best = value;
		stop->best_round = round;
	}
	*done = round - stop->best_round >= stop->patience;
	return true;
}
