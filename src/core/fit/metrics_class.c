/*
 * metrics_class.c
 *		Metrics from the confusion of classes; those of many classes.
 */
#include <float.h>

#include "../model/model.h"
#include "metrics_internal.h"

bool
metrics_confusion(Metrics *metrics, const MetricRows *rows, Arena *arena, Error *error)
{
	uint32_t	n = rows->n_outputs;

	metrics->n_classes = n;
	metrics->correct = arena_zeroed(arena, n, sizeof(double), error);
	metrics->predicted = arena_zeroed(arena, n, sizeof(double), error);
	metrics->support = arena_zeroed(arena, n, sizeof(double), error);
	if (metrics->correct == NULL || metrics->predicted == NULL || metrics->support == NULL)
		return false;
	if (n <= METRICS_CONFUSION_MAX)
	{
		metrics->confusion = arena_zeroed(arena, (size_t) n * n, sizeof(double), error);
		if (metrics->confusion == NULL)
			return false;
	}
	for (size_t i = 0; i < rows->n; i++)
	{
		if (!(rows->truth[i] >= 0 && rows->truth[i] < n))
			return error_set(error, ERROR_INTERNAL, "class %g of %u", rows->truth[i], n);

		uint32_t	truth = (uint32_t) rows->truth[i];
		uint32_t	best = model_best_class(rows->outputs + i * n, n);
		double		weight = row_weight(rows, i);

		metrics->support[truth] += weight;
		metrics->predicted[best] += weight;
		if (truth == best)
			metrics->correct[truth] += weight;
		if (metrics->confusion != NULL)
			metrics->confusion[(size_t) truth * n + best] += weight;
	}
	return true;
}

void
metrics_class(const Metrics *metrics, uint32_t class_index, double *precision, double *recall, double *f1, double *support)
{
	double		correct = metrics->correct[class_index];
	double		predicted = metrics->predicted[class_index];

	*support = metrics->support[class_index];
	*precision = ratio(correct, predicted);
	*recall = ratio(correct, *support);
	*f1 = ratio(2 * correct, predicted + *support);
}

double
metrics_accuracy(const Metrics *metrics)
{
	double		correct = 0;
	double		total = 0;

	for (uint32_t c = 0; c < metrics->n_classes; c++)
	{
		correct += metrics->correct[c];
		total += metrics->support[c];
	}
	return correct / total;
}

double
metrics_balanced_accuracy(const Metrics *metrics)
{
	double		recalls = 0;
	uint32_t	n = 0;

	for (uint32_t c = 0; c < metrics->n_classes; c++)
	{
		if (metrics->support[c] == 0)
			continue;
		recalls += metrics->correct[c] / metrics->support[c];
		n++;
	}
	return recalls / n;
}

double
metrics_log_loss(const MetricRows *rows)
{
	Sum			loss = {0};

	for (size_t i = 0; i < rows->n; i++)
	{
		double		p = rows->outputs[i * rows->n_outputs + (size_t) rows->truth[i]];

		/* a probability of 0 or 1 is taken as the nearest that can be told from it; NaN stays */
		p = p < DBL_EPSILON ? DBL_EPSILON : p > 1 - DBL_EPSILON ? 1 - DBL_EPSILON : p;
		sum_add(&loss, -row_weight(rows, i) * log(p));
	}
	return sum_value(loss) / metrics_total(rows);
}

void
metrics_multiclass(Metrics *metrics, const MetricRows *rows)
{
	double		macro[3] = {0};
	double		weighted[3] = {0};
	double		total = 0;
	uint32_t	n = 0;

	for (uint32_t c = 0; c < metrics->n_classes; c++)
	{
		double		values[3];
		double		support;

		if (metrics->support[c] == 0 && metrics->predicted[c] == 0)
			continue;
		metrics_class(metrics, c, &values[0], &values[1], &values[2], &support);
		for (int i = 0; i < 3; i++)
		{
			macro[i] += values[i];
			weighted[i] += support * values[i];
		}
		total += support;
		n++;
	}
	metrics_add(metrics, "accuracy", metrics_accuracy(metrics));
	metrics_add(metrics, "balanced_accuracy", metrics_balanced_accuracy(metrics));
	metrics_add(metrics, "macro_precision", macro[0] / n);
	metrics_add(metrics, "macro_recall", macro[1] / n);
	metrics_add(metrics, "macro_f1", macro[2] / n);
	metrics_add(metrics, "weighted_precision", weighted[0] / total);
	metrics_add(metrics, "weighted_recall", weighted[1] / total);
	metrics_add(metrics, "weighted_f1", weighted[2] / total);
	metrics_add(metrics, "log_loss", metrics_log_loss(rows));
}
