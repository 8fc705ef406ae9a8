/*
 * column_measure.c
 *		What a tile of numbers is like.
 *
 * Eight lanes are summed side by side and added pairwise, so that the result
 * is the same whatever the width of the machine's vectors; what does not fill
 * the lanes is added one by one.  The mean is taken first, and the powers of
 * the differences from it in a second pass over the cache.
 */
#include "column_measure.h"

#include <math.h>

#include "../../cpu.h"
#include "../../hash.h"
#include "../../matrix.h"

#define LANES 8

typedef double Lanes __attribute__((vector_size(LANES * sizeof(double)), may_alias));
typedef int64_t LaneMask __attribute__((vector_size(LANES * sizeof(int64_t)), may_alias));
typedef uint64_t LaneKeys __attribute__((vector_size(LANES * sizeof(uint64_t)), may_alias));
typedef uint32_t LanePlaces __attribute__((vector_size(LANES * sizeof(uint32_t)), may_alias));

/* a where the mask is set, else b. */
#define SELECT(mask, a, b) ((Lanes) (((LaneMask) (a) & (mask)) | ((LaneMask) (b) & ~(mask))))

/* Lanes that n values fill. */
static inline size_t
full_lanes(size_t n)
{
	return n / LANES * LANES;
}

/* Lanes that n values take. */
static inline size_t
all_lanes(size_t n)
{
	return (n + LANES - 1) / LANES * LANES;
}

CPU_BODY double
add_lanes(const Lanes *lanes)
{
	Lanes		sum = *lanes;

	return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

/* Infinity minus itself is no number, and a sum with it stays none. */
CPU_BODY void
sum_differences_body(const double *values, size_t n, double *sum)
{
	Lanes		lanes = {0};

	for (size_t i = 0; i < n; i += LANES)
	{
		Lanes		value = *(const Lanes *) (values + i);

		lanes += value - value;
	}
	*sum = add_lanes(&lanes);
}

CPU_DISPATCH(sum_differences, (const double *values, size_t n, double *sum), (values, n, sum))

bool
measure_all_finite(double *values, size_t n)
{
	double		sum;

	for (size_t i = n; i < all_lanes(n); i++)
		values[i] = 0;
	sum_differences(values, all_lanes(n), &sum);
	return sum == 0;
}

size_t
measure_part_finite(double *values, size_t n, Distribution *d)
{
	size_t		n_finite = 0;

	for (size_t i = 0; i < n; i++)
	{
		double		value = values[i];

		values[n_finite] = value;
		n_finite += isfinite(value) ? 1 : 0;
		if (matrix_is_null(value))
			d->n_null++;
		else if (isnan(value))
			d->n_nan++;
		else if (value == INFINITY)
			d->n_above++;
		else if (value == -INFINITY)
			d->n_below++;
	}
	return n_finite;
}

typedef struct Sums
{
	double		lowest;
	double		highest;
	double		of[3];			/* of what a pass sums */
} Sums;

/* Range and sum. */
CPU_BODY void
range_body(const double *values, size_t n, Sums *sums)
{
	Lanes		low = *(const Lanes *) values;
	Lanes		high = low;
	Lanes		sum = {0};

	for (size_t i = 0; i < n; i += LANES)
	{
		Lanes		value = *(const Lanes *) (values + i);
		LaneMask	lower = value < low;
		LaneMask	higher = value > high;

		low = SELECT(lower, value, low);
		high = SELECT(higher, value, high);
		sum += value;
	}
	sums->lowest = low[0];
	sums->highest = high[0];
	for (int lane = 1; lane < LANES; lane++)
	{
		sums->lowest = low[lane] < sums->lowest ? low[lane] : sums->lowest;
		sums->highest = high[lane] > sums->highest ? high[lane] : sums->highest;
	}
	sums->of[0] = add_lanes(&sum);
}

CPU_DISPATCH(range, (const double *values, size_t n, Sums *sums), (values, n, sums))

/* Sums of powers of the differences from the mean. */
CPU_BODY void
powers_body(const double *values, size_t n, double mean, Sums *sums)
{
	Lanes		zero = {0};
	Lanes		squares = zero;
	Lanes		cubes = zero;
	Lanes		fourths = zero;

	for (size_t i = 0; i < n; i += LANES)
	{
		Lanes		apart = *(const Lanes *) (values + i) - mean;
		Lanes		square = apart * apart;

		squares += square;
		cubes += square * apart;
		fourths += square * square;
	}
	sums->of[0] = add_lanes(&squares);
	sums->of[1] = add_lanes(&cubes);
	sums->of[2] = add_lanes(&fourths);
}

CPU_DISPATCH(powers, (const double *values, size_t n, double mean, Sums *sums), (values, n, mean, sums))

void
measure_tile(double *values, size_t n, TileMoments *tile)
{
	size_t		full = full_lanes(n);
	Sums		sums = {values[0], values[0], {0}};
	double		mean;

	if (full > 0)
		range(values, full, &sums);
	for (size_t i = full; i < n; i++)
	{
		sums.lowest = values[i] < sums.lowest ? values[i] : sums.lowest;
		sums.highest = values[i] > sums.highest ? values[i] : sums.highest;
		sums.of[0] += values[i];
	}
	mean = sums.of[0] / (double) n;
	/* the sum is rounded: of equal numbers the mean would be another one, and its distance from them a deviation */
	if (sums.lowest == sums.highest)
		mean = sums.lowest;
	sums.of[0] = 0;
	powers(values, full, mean, &sums);
	for (size_t i = full; i < n; i++)
	{
		double		apart = values[i] - mean;
		double		square = apart * apart;

		sums.of[0] += square;
		sums.of[1] += square * apart;
		sums.of[2] += square * square;
	}
	tile->lowest = sums.lowest;
	tile->highest = sums.highest;
	tile->moments = (Moments) {(double) n, mean, sums.of[0], sums.of[1], sums.of[2]};
}

/* As number_key(). */
CPU_BODY void
keys_body(const double *values, size_t n, uint64_t *keys)
{
	Lanes		zero = {0};

	for (size_t i = 0; i < n; i += LANES)
	{
		Lanes		value = *(const Lanes *) (values + i) + zero;
		LaneMask	bits = (LaneMask) value;
		LaneMask	negative = bits < 0;

		*(LaneMask *) (keys + i) = bits ^ (negative | INT64_MIN);
	}
}

CPU_DISPATCH(keys, (const double *values, size_t n, uint64_t *keys), (values, n, keys))

void
measure_keys(const double *values, size_t n, uint64_t *out)
{
	keys(values, all_lanes(n), out);
}

/*
 * The choice between the windows is made without a branch: numbers of either
 * sign lie in either.
 */
CPU_BODY void
places_body(const uint64_t *keys, size_t n, const KeyWindows *windows, uint32_t *places)
{
	LaneKeys	zero = {0};
	LaneKeys	behind = zero + (windows->low_size + windows->high_size);

	for (size_t i = 0; i < n; i += LANES)
	{
		LaneKeys	key = *(const LaneKeys *) (keys + i) >> windows->shift;
		LaneKeys	in_low = key - windows->low_first;
		LaneKeys	in_high = key - windows->high_first;
		LaneKeys	is_low = (LaneKeys) (in_low < zero + windows->low_size);
		LaneKeys	is_high = (LaneKeys) (in_high < zero + windows->high_size);
		LaneKeys	place = (is_low & in_low) | (~is_low & ((is_high & (in_high + windows->low_size)) | (~is_high & behind)));

		*(LanePlaces *) (places + i) = __builtin_convertvector(place, LanePlaces);
	}
}

CPU_DISPATCH(places, (const uint64_t *keys, size_t n, const KeyWindows *windows, uint32_t *places), (keys, n, windows, places))

void
measure_places(const uint64_t *keys, size_t n, const KeyWindows *windows, uint32_t *out)
{
	places(keys, all_lanes(n), windows, out);
}

/* As hash64_mix(). */
CPU_BODY void
mix_body(const uint64_t *keys, size_t n, uint64_t *hashes)
{
	for (size_t i = 0; i < n; i += LANES)
	{
		LaneKeys	x = *(const LaneKeys *) (keys + i);

		x ^= x >> 30;
		x *= UINT64_C(0xbf58476d1ce4e5b9);
		x ^= x >> 27;
		x *= UINT64_C(0x94d049bb133111eb);
		x ^= x >> 31;
		*(LaneKeys *) (hashes + i) = x;
	}
}

CPU_DISPATCH(mix, (const uint64_t *keys, size_t n, uint64_t *hashes), (keys, n, hashes))

void
measure_mix(const uint64_t *keys, size_t n, uint64_t *hashes)
{
	mix(keys, all_lanes(n), hashes);
}
