/*
 * forest_target.c
 *		Targets and weights of a forest as integers.
 *
 * Weights are whole numbers of units (a power of two), at least one, so
 * integer weights stay exact.  Targets are distances from their mean in
 * units, as fine as the sum over all rows, each drawn as often as can be,
 * leaves room for in 63 bits: no sum can overflow.
 */
#include "forest.h"

#include <math.h>
#include <string.h>

#define UNITS_MAX	(INT64_C(1) << 26)	/* of one row's weight: 15 times as much fits into 32 bits */
#define TOTAL_UNITS 0x1p34		/* of all weights of a regression, about: the other bits are the targets' */

/* Chooses the unit of weights. */
static bool
init_weights(ForestTarget *target, const double *weight, size_t n, Arena *arena, Error *error)
{
	double		largest = 0;
	double		total = 0;

	target->weight_unit = 1;
	if (weight == NULL)
		return true;
	target->units = arena_alloc(arena, n, sizeof(uint32_t), error);
	if (target->units == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		largest = fmax(largest, weight[i]);
		total += weight[i];
	}
	target->weight_unit = gradient_unit(largest, UNITS_MAX);
	while (!target->classes && total / target->weight_unit > TOTAL_UNITS)
		target->weight_unit *= 2;
	for (size_t i = 0; i < n; i++)
		target->units[i] = (uint32_t) fmax(1, rint(weight[i] / target->weight_unit));
	return true;
}

/* Chooses center and unit of the targets of a regression. */
static void
init_values(ForestTarget *target, size_t n)
{
	double		sum = 0;
	double		total = 0;
	double		reach = 0;

	for (size_t i = 0; i < n; i++)
	{
		double		units = target->units != NULL ? target->units[i] : 1;

		total += units;
		sum += units * (target->value[i] - target->value[0]);
	}
	target->center = target->value[0] + sum / total;
	for (size_t i = 0; i < n; i++)
		reach = fmax(reach, fabs(target->value[i] - target->center));
	target->value_unit = gradient_unit(reach, (int64_t) (0x1p62 / (FOREST_COUNT_MAX * total)));
}

bool
forest_target_init(ForestTarget *target, const FitInput *input, Error *error)
{
	size_t		begin = input->table->train.begin;
	size_t		n = range_rows(input->table->train);

	target->classes = input->task != TASK_REGRESSION;
	target->n_sums = target->classes ? input->n_classes : 2;
	target->value = input->target + begin;
	if (!init_weights(target, input->weight != NULL ? input->weight + begin : NULL, n, input->arena, error))
		return false;
	if (!target->classes)
		init_values(target, n);
	return true;
}

ForestRow
forest_row(const ForestTarget *target, size_t row, int64_t count)
{
	int64_t		units = target->units != NULL ? target->units[row] * count : count;

	if (target->classes)
		return (ForestRow) {(uint32_t) row, (uint32_t) target->value[row], units};
	return (ForestRow) {(uint32_t) row, (uint32_t) units, units * (int64_t) rint((target->value[row] - target->center) / target->value_unit)};
}

void
forest_sums(const ForestTarget *target, const ForestRow *rows, size_t begin, size_t end, int64_t *sums)
{
	memset(sums, 0, target->n_sums * sizeof(int64_t));
	for (size_t i = begin; i < end; i++)
	{
		if (target->classes)
			sums[rows[i].label] += rows[i].amount;
		else
		{
			sums[0] += rows[i].label;
			sums[1] += rows[i].amount;
		}
	}
}

double
forest_weight(const ForestTarget *target, const int64_t *sums)
{
	int64_t		weight = sums[0];

	for (uint32_t k = 1; target->classes && k < target->n_sums; k++)
		weight += sums[k];
	return (double) weight;
}
