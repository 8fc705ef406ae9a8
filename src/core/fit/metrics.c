/*
 * metrics.c
 *		The metrics of a task, and those of regression.
 *
 * Metrics of classes are in metrics_class.c (from the confusion of classes)
 * and metrics_binary.c (from the ranking and the calibration of probabilities).
 * Sums are compensated: a metric does not lose digits with many rows.
 */
#include "metrics.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "metrics_internal.h"
#include "table/sort_by_key.h"

void
metrics_add(Metrics *metrics, const char *name, double value)
{
	strncpy(metrics->names[metrics->n], name, METRIC_NAME_MAX - 1);
	metrics->values[metrics->n++] = value;
}

double
metrics_get(const Metrics *metrics, const char *name)
{
	for (int i = 0; i < metrics->n; i++)
	{
		if (strcmp(metrics->names[i], name) == 0)
			return metrics->values[i];
	}
	return NAN;
}

double
metrics_total(const MetricRows *rows)
{
	Sum			total = {0};

	for (size_t i = 0; i < rows->n; i++)
		sum_add(&total, row_weight(rows, i));
	return sum_value(total);
}

/*
 * Median of the absolute errors.  With weights, the mean of the smallest
 * error at which the cumulated weight reaches one half and of the next one
 * where it is exactly one half (Hyndman & Fan 1996, definition 2).
 */
static bool
median_absolute_error(const MetricRows *rows, Arena *arena, double *median, Error *error)
{
	SortItem   *items = arena_alloc(arena, rows->n, sizeof(SortItem), error);
	SortItem   *spare = arena_alloc(arena, rows->n, sizeof(SortItem), error);
	double		total = 0;
	double		cumulated = 0;
	size_t		i = 0;

	if (items == NULL || spare == NULL || rows->n == 0)
		return items != NULL && spare != NULL;
	for (size_t row = 0; row < rows->n; row++)
		items[row] = (SortItem) {sort_number_key(fabs(rows->truth[row] - rows->outputs[row])), (uint32_t) row, 0};
	sort_by_key(items, spare, rows->n, NULL, arena, error);

	/* cumulated as it will be below, so that one half is met exactly where it should be */
	for (size_t row = 0; row < rows->n; row++)
		total += row_weight(rows, items[row].index);
	cumulated = row_weight(rows, items[0].index);
	while (i + 1 < rows->n && cumulated < total / 2)
		cumulated += row_weight(rows, items[++i].index);

	bool		between = i + 1 < rows->n && cumulated - total / 2 <= DBL_EPSILON;

	*median = (sort_key_number(items[i].key) + sort_key_number(items[i + between].key)) / 2;
	return true;
}

static bool
regression_metrics(Metrics *metrics, const MetricRows *rows, Arena *arena, Error *error)
{
	double		total = metrics_total(rows);
	double		median = NAN;
	Sum			sum = {0};
	Sum			squares = {0};
	Sum			absolutes = {0};
	Sum			relatives = {0};
	Sum			spread = {0};

	for (size_t i = 0; i < rows->n; i++)
		sum_add(&sum, row_weight(rows, i) * rows->truth[i]);

	double		mean = sum_value(sum) / total;

	for (size_t i = 0; i < rows->n; i++)
	{
		double		weight = row_weight(rows, i);
		double		apart = fabs(rows->truth[i] - rows->outputs[i]);

		sum_add(&squares, weight * apart * apart);
		sum_add(&absolutes, weight * apart);
		sum_add(&relatives, weight * (apart / fmax(fabs(rows->truth[i]), DBL_EPSILON)));
		sum_add(&spread, weight * (rows->truth[i] - mean) * (rows->truth[i] - mean));
	}
	if (!median_absolute_error(rows, arena, &median, error))
		return false;

	bool		varies = false;

	for (size_t i = 1; i < rows->n; i++)
		varies = varies || rows->truth[i] != rows->truth[0];
	metrics_add(metrics, "rmse", sqrt(sum_value(squares) / total));
	metrics_add(metrics, "mae", sum_value(absolutes) / total);
	metrics_add(metrics, "r2", varies ? 1 - sum_value(squares) / sum_value(spread) : NAN);
	metrics_add(metrics, "mape", sum_value(relatives) / total);
	metrics_add(metrics, "median_absolute_error", median);
	return true;
}

/* The exponent of the largest weight, within what a double can scale by both ways. */
static int
weight_exponent(const double *weight, size_t n)
{
	double		largest = 0;
	int			exponent = 0;

	for (size_t i = 0; weight != NULL && i < n; i++)
		largest = fmax(largest, weight[i]);
	frexp(largest, &exponent);
	return exponent < -1000 ? -1000 : exponent > 1000 ? 1000 : exponent;
}

/* Sums of weights from units back to weights. */
static void
restore_weights(double *sums, size_t n, int exponent)
{
	for (size_t i = 0; sums != NULL && i < n; i++)
		sums[i] = ldexp(sums[i], exponent);
}

/* The metrics of a task, sums of weights in units. */
static bool
task_metrics(Metrics *metrics, Task task, const MetricRows *rows, Arena *arena, Error *error)
{
	if (task == TASK_REGRESSION)
		return regression_metrics(metrics, rows, arena, error);
	if (!metrics_confusion(metrics, rows, arena, error))
		return false;
	if (task == TASK_BINARY)
		return metrics_binary(metrics, rows, arena, error);
	metrics_multiclass(metrics, rows);
	return true;
}

bool
metrics_compute(Metrics *metrics, Task task, size_t n, const double *truth, const double *outputs, uint32_t n_outputs,
				const double *weight, Arena *arena, Error *error)
{
	int			exponent = weight_exponent(weight, n);
	MetricRows	rows = {.n = n,.truth = truth,.outputs = outputs,.n_outputs = n_outputs,.weight = weight,.unit = ldexp(1, -exponent)};

	memset(metrics, 0, sizeof(*metrics));
	if (n > UINT32_MAX)
		return error_set(error, ERROR_LIMIT, "%zu rows are too many to evaluate", n);
	if (!task_metrics(metrics, task, &rows, arena, error))
		return false;
	restore_weights(metrics->correct, metrics->n_classes, exponent);
	restore_weights(metrics->predicted, metrics->n_classes, exponent);
	restore_weights(metrics->support, metrics->n_classes, exponent);
	restore_weights(metrics->confusion, (size_t) metrics->n_classes * metrics->n_classes, exponent);
	return true;
}
