/*
 * fuzz_distribution.c
 *		libFuzzer target: any bytes as a distribution.
 *
 * What is accepted is written as it was read, and bears whatever can be done with it.
 */
#include <stdlib.h>
#include <string.h>

#include "core/statistics/distance.h"
#include "support_profile.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads all that can be asked of one. */
static double
read_all(const Distribution *d)
{
	size_t		top[5];
	bool		exact;
	double		sum = distribution_distinct(d, &exact) + moments_deviation(&d->moments);

	for (double q = 0; q <= 1; q += .25)
		sum += distribution_quantile(d, q);
	sum += (double) distribution_top(d, top, 5);
	return sum;
}

static double
compare(const Distribution *r, const Distribution *c)
{
	CellCounts	counts;
	Error		error;
	double		sum = 0;

	if (cells_match(&counts, r, c, test_memory, &error))
		sum = distance_psi(&counts, (Smoothing) {.5, 0}) + distance_hellinger(&counts) + test_chi2(&counts, 5, false).p_value;
	if (r->kind != KIND_CATEGORY && c->kind != KIND_CATEGORY)
		sum += rank_distances_of(r, c).wasserstein;
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Distribution d;
	Distribution other;
	Profile		profile;
	Error		error;
	volatile double sink;

	if (!distribution_open(&d, data, size, test_memory, &error))
		return 0;

	Buffer		again = flat(&d);

	if (again.size != size || memcmp(again.data, data, size) != 0)
		abort();
	buffer_free(&again);
	sink = read_all(&d) + compare(&d, &d);
	if (profile_init(&profile, d.kind, NULL, test_memory, &error) && profile_merge(&profile, &d, &error))
	{
		if (d.kind == KIND_CATEGORY)
			profile_text(&profile, 42, "text", 4);
		else
			profile_number(&profile, 42);
		if (profile_collect(&profile, test_memory, &other, &error))
		{
			sink = read_all(&other) + compare(&d, &other) + compare(&other, &d);
			if (distribution_subtract(&other, &d, &error))
				sink = read_all(&other);
			distribution_free(&other, test_memory);
		}
	}
	(void) sink;
	profile_free(&profile);
	distribution_free(&d, test_memory);
	return 0;
}
