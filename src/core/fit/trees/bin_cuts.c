/*
 * bin_cuts.c
 *		Where the values of a numeric feature are cut into bins.
 *
 * Few distinct values get a bin each.  Many get bins of about equal numbers
 * of rows, where a value that alone fills a bin has it for itself (as in
 * LightGBM's greedy search).  A cut is the midpoint of two neighbouring
 * distinct values.
 *
 * A feature with missing values has a last cut at the largest double, so that
 * "any number" and "missing" can be told apart by a split with a finite
 * threshold; only infinity lies beyond it.
 */
#include "bins.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "../table/sort_by_key.h"

#define RADIX_BITS 8
#define RADIX_SIZE (1 << RADIX_BITS)

/* Sorts by radix from the lowest byte; bytes that are alike in all keys cost nothing but their count. */
static uint64_t *
sort_keys(uint64_t *keys, uint64_t *spare, size_t n)
{
	static const int digits = 64 / RADIX_BITS;
	size_t		counts[64 / RADIX_BITS][RADIX_SIZE];

	memset(counts, 0, sizeof(counts));
	for (size_t i = 0; i < n; i++)
	{
		for (int d = 0; d < digits; d++)
			counts[d][(keys[i] >> (d * RADIX_BITS)) % RADIX_SIZE]++;
	}
	for (int d = 0; d < digits; d++)
	{
		if (counts[d][(keys[0] >> (d * RADIX_BITS)) % RADIX_SIZE] == n)
			continue;

		size_t		position = 0;

		for (int digit = 0; digit < RADIX_SIZE; digit++)
		{
			size_t		count = counts[d][digit];

			counts[d][digit] = position;
			position += count;
		}
		for (size_t i = 0; i < n; i++)
			spare[counts[d][(keys[i] >> (d * RADIX_BITS)) % RADIX_SIZE]++] = keys[i];

		uint64_t   *swap = keys;

		keys = spare;
		spare = swap;
	}
	return keys;
}

/* A finite threshold t with a <= t < b; false where there is none. */
static bool
cut_between(double a, double b, double *cut)
{
	if (isinf(b))
		*cut = DBL_MAX;
	else if (isinf(a))
		*cut = -DBL_MAX;
	else
	{
		*cut = a / 2 + b / 2;
		if (!(*cut >= a && *cut < b))
			*cut = a;
	}
	return *cut >= a && *cut < b;
}

/* Adds the cut between two neighbouring values. */
static void
add_cut(BinFeature *feature, double a, double b)
{
	if (cut_between(a, b, &feature->cuts[feature->n_cuts]))
		feature->n_cuts++;
}

/* Sorted keys with a value of its own each, and how many there are of it. */
typedef struct Run
{
	double		value;
	double		count;
} Run;

/* The run that begins at *position, which moves behind it. */
static Run
next_run(const uint64_t *keys, size_t n, size_t *position)
{
	size_t		begin = *position;
	size_t		end = begin + 1;

	while (end < n && keys[end] == keys[begin])
		end++;
	*position = end;
	return (Run)
	{
		.value = sort_key_number(keys[begin]), .count = (double) (end - begin)
	};
}

/* A bin for each distinct value; false (and any cuts) where there are more than n_bins. */
static bool
cut_all(BinFeature *feature, const uint64_t *keys, size_t n, uint32_t n_bins)
{
	size_t		position = 0;
	Run			run = next_run(keys, n, &position);

	for (uint32_t n_distinct = 1; position < n; n_distinct++)
	{
		Run			next = next_run(keys, n, &position);

		if (n_distinct == n_bins)
			return false;
		add_cut(feature, run.value, next.value);
		run = next;
	}
	return true;
}

/* At most n_bins bins of about equal counts. */
static void
cut_by_quantiles(BinFeature *feature, const uint64_t *keys, size_t n, uint32_t n_bins)
{
	double		frequent = (double) n / n_bins; /* who has as many rows gets a bin for itself */
	double		rest = (double) n;	/* rows that neither frequent values nor finished bins have */
	double		rest_bins = n_bins;

	for (size_t position = 0; position < n;)
	{
		Run			run = next_run(keys, n, &position);

		if (run.count >= frequent)
		{
			rest -= run.count;
			rest_bins--;
		}
	}

	double		mean = rest / fmax(rest_bins, 1);
	double		filled = 0;
	size_t		position = 0;
	Run			run = next_run(keys, n, &position);

	while (position < n && feature->n_cuts + 1 < n_bins)
	{
		Run			next = next_run(keys, n, &position);
		bool		alone = run.count >= frequent;

		filled += run.count;
		if (!alone)
			rest -= run.count;
		if (alone || filled >= mean || (next.count >= frequent && filled >= 0.5 * mean))
		{
			add_cut(feature, run.value, next.value);
			filled = 0;
			if (!alone)
			{
				rest_bins--;
				mean = rest / fmax(rest_bins, 1);
			}
		}
		run = next;
	}
}

/* Sorts what is not missing, and cuts it. */
void
bins_find_cuts(BinFeature *feature, const double *sample, size_t n, uint32_t max_bin, uint64_t *work)
{
	size_t		n_numbers = 0;

	for (size_t i = 0; i < n; i++)
	{
		if (sample[i] == sample[i])
			work[n_numbers++] = sort_number_key(sample[i]);
	}

	bool		has_missing = n_numbers < n;
	uint32_t	n_bins = max_bin - (has_missing ? 1 : 0);

	feature->n_cuts = 0;
	if (n_numbers > 0)
	{
		uint64_t   *keys = sort_keys(work, work + n, n_numbers);

		if (!cut_all(feature, keys, n_numbers, n_bins))
		{
			feature->n_cuts = 0;
			cut_by_quantiles(feature, keys, n_numbers, n_bins);
		}
	}
	if (has_missing && (feature->n_cuts == 0 || feature->cuts[feature->n_cuts - 1] < DBL_MAX))
		feature->cuts[feature->n_cuts++] = DBL_MAX;
	feature->n_bins = feature->n_cuts + 2;
}
