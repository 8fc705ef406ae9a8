/*
 * summary.c
 *		Count, range, mean and spread of numbers, a tile of them at a time.
 *
 * Each tile's moments are taken in two passes over the cache, and tiles are
 * merged by Chan, Golub & LeVeque (1979), which does not cancel as sums of
 * squares do.  Eight lanes are summed side by side and added pairwise, so
 * that the result is the same whatever the width of the machine's vectors.
 */
#include "summary.h"

#include <math.h>
#include <stdint.h>

#include "../cpu.h"

#define LANES 8

typedef double Lanes __attribute__((vector_size(LANES * sizeof(double)), may_alias));
typedef int64_t LaneMask __attribute__((vector_size(LANES * sizeof(int64_t)), may_alias));

/* a where the mask is set, else b. */
#define SELECT(mask, a, b) ((Lanes) (((LaneMask) (a) & (mask)) | ((LaneMask) (b) & ~(mask))))

/* Infinity minus itself is no number; comparisons with infinity are not made by vectors. */
#define IS_FINITE(value) ((value) - (value) == 0)

CPU_BODY double
add_lanes(const Lanes *lanes)
{
	Lanes		sum = *lanes;

	return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

/* Counts, range and mean of n numbers, n a multiple of LANES. */
CPU_BODY void
measure_tile_body(const double *values, size_t n, Summary *tile)
{
	Lanes		zero = {0};
	Lanes		low = INFINITY - zero;
	Lanes		high = -low;
	Lanes		sum = zero;
	LaneMask	missing = {0};
	LaneMask	finite = {0};

	for (size_t i = 0; i < n; i += LANES)
	{
		Lanes		value = *(const Lanes *) (values + i);
		LaneMask	lower = value < low;
		LaneMask	higher = value > high;
		LaneMask	is_finite = IS_FINITE(value);

		low = SELECT(lower, value, low);
		high = SELECT(higher, value, high);
		missing -= value != value;
		finite -= is_finite;
		sum += SELECT(is_finite, value, zero);
	}
	for (int lane = 0; lane < LANES; lane++)
	{
		tile->n_missing += (size_t) missing[lane];
		tile->n_finite += (size_t) finite[lane];
		tile->lowest = low[lane] < tile->lowest ? low[lane] : tile->lowest;
		tile->highest = high[lane] > tile->highest ? high[lane] : tile->highest;
	}
	if (tile->n_finite > 0)
		tile->mean = add_lanes(&sum) / (double) tile->n_finite;
}

CPU_DISPATCH(measure_tile, (const double *values, size_t n, Summary *tile), (values, n, tile))

/* Squared differences of the finite numbers from the tile's mean. */
CPU_BODY void
spread_tile_body(const double *values, size_t n, Summary *tile)
{
	Lanes		zero = {0};
	Lanes		squares = zero;

	for (size_t i = 0; i < n; i += LANES)
	{
		Lanes		value = *(const Lanes *) (values + i);
		Lanes		apart = SELECT(IS_FINITE(value), value - tile->mean, zero);

		squares += apart * apart;
	}
	tile->squares = add_lanes(&squares);
}

CPU_DISPATCH(spread_tile, (const double *values, size_t n, Summary *tile), (values, n, tile))

void
summary_add(Summary *summary, double *values, size_t n)
{
	Summary		tile = {.lowest = INFINITY,.highest = -INFINITY};
	size_t		padded = (n + LANES - 1) / LANES * LANES;

	for (size_t i = n; i < padded; i++)
		values[i] = NAN;
	measure_tile(values, padded, &tile);
	tile.n_missing -= padded - n;
	summary->n_missing += tile.n_missing;
	summary->n_infinite += n - tile.n_missing - tile.n_finite;
	summary->lowest = tile.lowest < summary->lowest ? tile.lowest : summary->lowest;
	summary->highest = tile.highest > summary->highest ? tile.highest : summary->highest;
	if (tile.n_finite == 0)
		return;
	/* the sum is rounded: of equal numbers the mean would be another one, and its distance from them a deviation */
	if (tile.lowest == tile.highest)
		tile.mean = tile.lowest;
	spread_tile(values, padded, &tile);

	double		total = (double) (summary->n_finite + tile.n_finite);
	double		share = (double) tile.n_finite / total;
	double		apart = tile.mean - summary->mean;

	summary->squares += tile.squares + apart * apart * ((double) summary->n_finite * share);
	summary->mean += apart * share;
	summary->n_finite += tile.n_finite;
}
