/*
 * ready_thresholds.c
 *		The distinct thresholds of a feature, and their ranks.
 *
 * A model has far more splits than distinct thresholds, for these come from
 * the few bins of a feature.  So they are found by hash, and only what is
 * distinct is sorted.
 *
 * Memory is the arena's of the plan; a table that has grown is left in it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ready_plan.h"

#define FIRST_SLOTS 32

/* The slot of a threshold, or the free one where it belongs. */
static inline uint32_t
find_slot(const ThresholdSet *set, double value)
{
	uint32_t	mask = set->n_slots - 1;
	uint64_t	bits;
	uint32_t	slot;

	memcpy(&bits, &value, sizeof(bits));
	/* multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4); numbers of few digits differ in high bits only */
	slot = (uint32_t) ((bits ^ bits >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;
	while (set->values[slot] != value && !isnan(set->values[slot]))
		slot = (slot + 1) & mask;
	return slot;
}

/* -0 as 0: nothing lies between them. */
static inline double
normal_zero(double value)
{
	return value + 0.0;
}

/* Makes the table twice as large. */
static bool
grow(ThresholdSet *set, Arena *arena)
{
	ThresholdSet larger = {.n = set->n, .n_slots = set->n_slots == 0 ? FIRST_SLOTS : 2 * set->n_slots};
	Error		error;

	larger.values = arena_alloc(arena, larger.n_slots, sizeof(double), &error);
	if (larger.values == NULL)
		return false;
	for (uint32_t i = 0; i < larger.n_slots; i++)
		larger.values[i] = NAN;
	for (uint32_t i = 0; i < set->n_slots; i++)
	{
		if (!isnan(set->values[i]))
			larger.values[find_slot(&larger, set->values[i])] = set->values[i];
	}
	*set = larger;
	return true;
}

bool
threshold_set_add(ThresholdSet *set, double value, Arena *arena)
{
	if (2 * set->n >= set->n_slots && !grow(set, arena))
		return false;

	uint32_t	slot = find_slot(set, normal_zero(value));

	if (isnan(set->values[slot]))
	{
		set->values[slot] = normal_zero(value);
		set->n++;
	}
	return true;
}

static int
compare_thresholds(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

double *
threshold_set_rank(ThresholdSet *set, Arena *arena)
{
	Error		error;
	double	   *thresholds;
	uint32_t	n = 0;

	if (set->n == 0)
		return NULL;
	thresholds = arena_alloc(arena, set->n, sizeof(double), &error);
	set->ranks = arena_alloc(arena, set->n_slots, sizeof(uint32_t), &error);
	if (thresholds == NULL || set->ranks == NULL)
		return NULL;
	for (uint32_t i = 0; i < set->n_slots; i++)
	{
		if (!isnan(set->values[i]))
			thresholds[n++] = set->values[i];
	}
	qsort(thresholds, n, sizeof(double), compare_thresholds);
	for (uint32_t i = 0; i < n; i++)
		set->ranks[find_slot(set, thresholds[i])] = i;
	return thresholds;
}

uint32_t
threshold_set_find(const ThresholdSet *set, double value)
{
	return set->ranks[find_slot(set, normal_zero(value))];
}
