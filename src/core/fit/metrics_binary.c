/*
 * metrics_binary.c
 *		Metrics of two classes: ranking, calibration, and the table of four.
 *
 * The positive class is class 1; its probability is the second output.
 */
#include "metrics_internal.h"
#include "table/sort_by_key.h"

#define ECE_BINS 10

static inline double
positive_probability(const MetricRows *rows, size_t i)
{
	return rows->outputs[i * rows->n_outputs + 1];
}

/*
 * Area under the ROC curve (trapezoids: a tie counts one half) and average
 * precision (steps), both from one walk from the largest probability down;
 * rows of equal probability are one step.
 */
static bool
ranking_metrics(Metrics *metrics, const MetricRows *rows, Arena *arena, Error *error)
{
	SortItem   *items = arena_alloc(arena, rows->n, sizeof(SortItem), error);
	SortItem   *spare = arena_alloc(arena, rows->n, sizeof(SortItem), error);
	double		positives = metrics->support[1];
	double		negatives = metrics->support[0];
	Sum			area = {0};
	Sum			precisions = {0};
	Sum			true_positives = {0};
	Sum			false_positives = {0};

	if (items == NULL || spare == NULL)
		return false;
	for (size_t i = 0; i < rows->n; i++)
		items[i] = (SortItem) {~sort_number_key(positive_probability(rows, i)), (uint32_t) i, 0};
	sort_by_key(items, spare, rows->n, NULL, arena, error);

	for (size_t i = 0; i < rows->n;)
	{
		uint64_t	key = items[i].key;
		Sum			step_positives = {0};
		Sum			step_negatives = {0};

		for (; i < rows->n && items[i].key == key; i++)
			sum_add(rows->truth[items[i].index] != 0 ? &step_positives : &step_negatives, row_weight(rows, items[i].index));

		double		gained = sum_value(step_positives);

		sum_add(&area, sum_value(step_negatives) * (sum_value(true_positives) + gained / 2));
		sum_add(&true_positives, gained);
		sum_add(&false_positives, sum_value(step_negatives));
		sum_add(&precisions, gained * sum_value(true_positives) / (sum_value(true_positives) + sum_value(false_positives)));
	}
	metrics_add(metrics, "roc_auc", positives > 0 && negatives > 0 ? sum_value(area) / (positives * negatives) : NAN);
	metrics_add(metrics, "pr_auc", positives > 0 ? sum_value(precisions) / positives : NAN);
	return true;
}

/* Matthews' correlation coefficient; 0 where only one class is true or predicted. */
static double
matthews(const Metrics *metrics)
{
	double		true_negatives = metrics->confusion[0];
	double		false_positives = metrics->confusion[1];
	double		false_negatives = metrics->confusion[2];
	double		true_positives = metrics->confusion[3];
	double		covariance = true_positives * true_negatives - false_positives * false_negatives;
	double		spread_truth = metrics->support[0] * metrics->support[1];
	double		spread_predicted = metrics->predicted[0] * metrics->predicted[1];

	return ratio(covariance, sqrt(spread_truth) * sqrt(spread_predicted));
}

/*
 * Brier score, and the expected calibration error: over ten bins of equal
 * width, the mean of |share of positives - mean probability|, each bin
 * counting by its weight.  Bin k holds probabilities from k/10 to below (k+1)/10.
 */
static void
calibration_metrics(Metrics *metrics, const MetricRows *rows)
{
	double		total = metrics_total(rows);
	Sum			brier = {0};
	Sum			gaps[ECE_BINS] = {0};
	double		error = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		double		weight = row_weight(rows, i);
		double		p = positive_probability(rows, i);
		double		apart = rows->truth[i] - p;
		int			bin = p > 0 ? (int) fmin(p * ECE_BINS, ECE_BINS - 1) : 0;

		sum_add(&brier, weight * apart * apart);
		sum_add(&gaps[bin], weight * apart);
	}
	for (int bin = 0; bin < ECE_BINS; bin++)
		error += fabs(sum_value(gaps[bin]));
	metrics_add(metrics, "brier", sum_value(brier) / total);
	metrics_add(metrics, "ece", error / total);
}

bool
metrics_binary(Metrics *metrics, const MetricRows *rows, Arena *arena, Error *error)
{
	double		precision;
	double		recall;
	double		f1;
	double		support;

	if (rows->n_outputs != 2)
		return error_set(error, ERROR_INTERNAL, "%u outputs for two classes", rows->n_outputs);
	if (!ranking_metrics(metrics, rows, arena, error))
		return false;
	metrics_class(metrics, 1, &precision, &recall, &f1, &support);
	metrics_add(metrics, "log_loss", metrics_log_loss(rows));
	metrics_add(metrics, "accuracy", metrics_accuracy(metrics));
	metrics_add(metrics, "balanced_accuracy", metrics_balanced_accuracy(metrics));
	metrics_add(metrics, "precision", rows->n > 0 ? precision : NAN);
	metrics_add(metrics, "recall", rows->n > 0 ? recall : NAN);
	metrics_add(metrics, "f1", rows->n > 0 ? f1 : NAN);
	metrics_add(metrics, "mcc", rows->n > 0 ? matthews(metrics) : NAN);
	calibration_metrics(metrics, rows);
	return true;
}
