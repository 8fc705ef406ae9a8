/*
 * column_measure.h
 *		What a tile of numbers is like: the vectors behind column_counter.h.
 *
 * Arrays are 64-byte aligned with room for COUNTER_TILE values; what lies
 * behind the n values is overwritten.
 */
#ifndef MLOPS_CORE_FIT_COLUMN_MEASURE_H
#define MLOPS_CORE_FIT_COLUMN_MEASURE_H

#include "../../statistics/distribution.h"

typedef struct TileMoments
{
	double		lowest;
	double		highest;
	Moments		moments;
} TileMoments;

/*
 * Keys without their last bits, side by side in two windows, of the lowest
 * keys and of the highest: each has a place, the first window's before the second's.
 */
typedef struct KeyWindows
{
	uint32_t	shift;			/* bits that keys are without */
	uint64_t	low_first;
	uint64_t	low_size;
	uint64_t	high_first;
	uint64_t	high_size;
} KeyWindows;

/* Whether there is neither NaN nor an infinity among n values. */
extern bool measure_all_finite(double *values, size_t n);

/* Moves the finite ones to the front and counts the others in d; returns how many there are. */
extern size_t measure_part_finite(double *values, size_t n, Distribution *d);

/* Range and moments of n > 0 finite numbers. */
extern void measure_tile(double *values, size_t n, TileMoments *tile);

/* number_key() of n numbers. */
extern void measure_keys(const double *values, size_t n, uint64_t *keys);

/* Places of n keys; of keys outside both windows the one behind the last. */
extern void measure_places(const uint64_t *keys, size_t n, const KeyWindows *windows, uint32_t *places);

/* hash64_mix() of n keys. */
extern void measure_mix(const uint64_t *keys, size_t n, uint64_t *hashes);

#endif
