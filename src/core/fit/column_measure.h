/*
 * column_measure.h
 *		What a tile of numbers is like: the vectors behind column_counter.h.
 *
 * Arrays are 64-byte aligned with room for COUNTER_TILE values; what lies
 * behind the n values is overwritten.
 */
#ifndef MLOPS_CORE_FIT_COLUMN_MEASURE_H
#define MLOPS_CORE_FIT_COLUMN_MEASURE_H

#include "../distribution.h"

typedef struct TileMoments
{
	double		lowest;
	double		highest;
	Moments		moments;
} TileMoments;

/* Whether there is neither NaN nor an infinity among n values. */
extern bool measure_all_finite(double *values, size_t n);

/* Moves the finite ones to the front and counts the others in d; returns how many there are. */
extern size_t measure_part_finite(double *values, size_t n, Distribution *d);

/* Range and moments of n > 0 finite numbers. */
extern void measure_tile(double *values, size_t n, TileMoments *tile);

/* number_key() of n numbers. */
extern void measure_keys(const double *values, size_t n, uint64_t *keys);

/* hash64_mix() of n keys. */
extern void measure_mix(const uint64_t *keys, size_t n, uint64_t *hashes);

#endif
