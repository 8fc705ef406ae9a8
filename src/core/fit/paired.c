/*
 * paired.c
 *		Differences of metrics of two models on the same rows, and their standard errors.
 *
 * Each metric here is a mean over rows, or to first order behaves like one:
 * the difference then is the mean of what each row adds to it, and its
 * variance that of a mean.  Sums run in the order of the rows.
 */
#include "paired.h"

#include <float.h>
#include <math.h>

#include "table/sort_by_key.h"

typedef struct PairedRows
{
	size_t		n;
	const double *truth;
	const double *first;
	const double *second;
	uint32_t	n_outputs;
	const double *weight;
	Arena	   *arena;
} PairedRows;

static inline double
paired_weight(const PairedRows *rows, size_t i)
{
	return rows->weight != NULL ? rows->weight[i] : 1;
}

/* Weighted mean of values over rows of one class (class < 0: all rows), and the variance of that mean. */
static void
mean_and_variance(const PairedRows *rows, const double *values, int class, double *mean, double *variance)
{
	double		total = 0;
	double		sum = 0;
	double		squares = 0;
	size_t		count = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		if (class >= 0 && (int) rows->truth[i] != class)
			continue;
		total += paired_weight(rows, i);
		sum += paired_weight(rows, i) * values[i];
		count++;
	}
	*mean = sum / total;
	for (size_t i = 0; i < rows->n; i++)
	{
		double		apart = paired_weight(rows, i) / total * (values[i] - *mean);

		if (class < 0 || (int) rows->truth[i] == class)
			squares += apart * apart;
	}
	*variance = count > 1 ? squares * (double) count / (double) (count - 1) : NAN;
}

/*
 * Placement of each row: for a positive the weighted share of the negatives
 * that are scored lower, for a negative that of the positives that are scored
 * higher; ties count one half.
 */
static bool
placements(const PairedRows *rows, const double *outputs, double *placed, Error *error)
{
	SortItem   *items = arena_alloc(rows->arena, rows->n, sizeof(SortItem), error);
	SortItem   *spare = arena_alloc(rows->arena, rows->n, sizeof(SortItem), error);
	double		total[2] = {0};
	double		below[2] = {0};

	if (items == NULL || spare == NULL)
		return false;
	for (size_t i = 0; i < rows->n; i++)
	{
		items[i] = (SortItem) {sort_number_key(outputs[i * rows->n_outputs + 1]), (uint32_t) i, 0};
		total[rows->truth[i] != 0] += paired_weight(rows, i);
	}
	if (!sort_by_key(items, spare, rows->n, NULL, rows->arena, error))
		return false;
	for (size_t begin = 0, end; begin < rows->n; begin = end)
	{
		double		here[2] = {0};

		for (end = begin; end < rows->n && items[end].key == items[begin].key; end++)
			here[rows->truth[items[end].index] != 0] += paired_weight(rows, items[end].index);
		for (size_t i = begin; i < end; i++)
		{
			uint32_t	row = items[i].index;

			placed[row] = rows->truth[row] != 0 ? (below[0] + here[0] / 2) / total[0] : 1 - (below[1] + here[1] / 2) / total[1];
		}
		below[0] += here[0];
		below[1] += here[1];
	}
	return true;
}

/* Areas under the ROC curve. */
static bool
compare_areas(const PairedRows *rows, Paired *paired, Error *error)
{
	double	   *first = arena_alloc(rows->arena, rows->n, sizeof(double), error);
	double	   *second = arena_alloc(rows->arena, rows->n, sizeof(double), error);
	double		of_negatives;
	double		variance[2];

	if (first == NULL || second == NULL || !placements(rows, rows->first, first, error) || !placements(rows, rows->second, second, error))
		return false;
	for (size_t i = 0; i < rows->n; i++)
		first[i] -= second[i];
	mean_and_variance(rows, first, 0, &of_negatives, &variance[0]);
	mean_and_variance(rows, first, 1, &paired->difference, &variance[1]);
	paired->standard_error = sqrt(variance[0] + variance[1]);
	return true;
}

/* Root mean squared errors: a row moves a root r by its squared error over 2 r. */
static bool
compare_errors(const PairedRows *rows, Paired *paired, Error *error)
{
	double	   *first = arena_alloc(rows->arena, rows->n, sizeof(double), error);
	double	   *second = arena_alloc(rows->arena, rows->n, sizeof(double), error);
	double		mean[2];
	double		variance;

	if (first == NULL || second == NULL)
		return false;
	for (size_t i = 0; i < rows->n; i++)
	{
		first[i] = (rows->truth[i] - rows->first[i]) * (rows->truth[i] - rows->first[i]);
		second[i] = (rows->truth[i] - rows->second[i]) * (rows->truth[i] - rows->second[i]);
	}
	mean_and_variance(rows, first, -1, &mean[0], &variance);
	mean_and_variance(rows, second, -1, &mean[1], &variance);
	paired->difference = sqrt(mean[1]) - sqrt(mean[0]);
	for (size_t i = 0; i < rows->n; i++)
		first[i] = (mean[1] > 0 ? second[i] / (2 * sqrt(mean[1])) : 0) - (mean[0] > 0 ? first[i] / (2 * sqrt(mean[0])) : 0);
	mean_and_variance(rows, first, -1, &mean[0], &variance);
	paired->standard_error = sqrt(variance);
	return true;
}

/* The log loss of a row, as metrics_compute() has it: probabilities are kept off 0 by the precision of doubles. */
static double
row_loss(const PairedRows *rows, const double *outputs, size_t i)
{
	double		p = outputs[i * rows->n_outputs + (size_t) rows->truth[i]];

	return -log(fmin(fmax(p, DBL_EPSILON), 1 - DBL_EPSILON));
}

/* Mean log losses. */
static bool
compare_losses(const PairedRows *rows, Paired *paired, Error *error)
{
	double	   *gains = arena_alloc(rows->arena, rows->n, sizeof(double), error);
	double		variance;

	if (gains == NULL)
		return false;
	for (size_t i = 0; i < rows->n; i++)
		gains[i] = row_loss(rows, rows->second, i) - row_loss(rows, rows->first, i);
	mean_and_variance(rows, gains, -1, &paired->difference, &variance);
	paired->standard_error = sqrt(variance);
	return true;
}

bool
paired_compare(Paired *paired, Task task, size_t n, const double *truth, const double *first, const double *second, uint32_t n_outputs,
			   const double *weight, Arena *arena, Error *error)
{
	PairedRows	rows = {n, truth, first, second, n_outputs, weight, arena};

	*paired = (Paired) {NAN, NAN};
	if (n == 0)
		return true;
	if (task == TASK_BINARY)
		return compare_areas(&rows, paired, error);
	return task == TASK_REGRESSION ? compare_errors(&rows, paired, error) : compare_losses(&rows, paired, error);
}
