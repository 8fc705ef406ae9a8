/*
 * test_bins.c
 *		Cuts and bins: "bin <= b" is "x <= cut b", exactly, for every kind of value.
 */
#include <float.h>
#include <stdlib.h>

#include "check.h"
#include "core/cpu.h"
#include "core/fit/trees/bins.h"
#include "core/hash.h"

#define MAX_VALUES 20000

static double values[MAX_VALUES];
static float floats[MAX_VALUES];
static uint64_t work[2 * MAX_VALUES];

static double cuts[BINS_MAX];
static float float_cuts[BINS_MAX];

static uint64_t state;

static double
draw(void)
{
	state += UINT64_C(0x9e3779b97f4a7c15);
	return (double) (hash64_mix(state) >> 11) / 9007199254740992.0;
}

/* Cuts of the first n values, as bins_build() leaves them. */
static BinFeature
cut(size_t n, uint32_t max_bin)
{
	BinFeature	feature = {.cuts = cuts,.float_cuts = float_cuts};

	bins_find_cuts(&feature, values, n, max_bin, work);
	for (uint32_t i = 0; i < BINS_MAX; i++)
	{
		if (i >= feature.n_cuts)
			cuts[i] = INFINITY;
		float_cuts[i] = (float) cuts[i];
		if ((double) float_cuts[i] > cuts[i])
			float_cuts[i] = nextafterf(float_cuts[i], -INFINITY);
	}
	return feature;
}

/* Bins of the first n values, at every vector width, against the definition. */
static void
check_bins(const BinFeature *feature, size_t n, uint32_t max_bin, bool as_float)
{
	static uint8_t bins[MAX_VALUES];

	CHECK(feature->n_bins == feature->n_cuts + 2 && feature->n_bins <= max_bin + 1);
	for (uint32_t i = 0; i < feature->n_cuts; i++)
		CHECK(isfinite(cuts[i]) && (i == 0 || cuts[i - 1] < cuts[i]));
	for (int level = CPU_PLAIN; level <= CPU_AVX512; level++)
	{
		bool		right = true;

		cpu_limit((CpuLevel) level);
		memset(bins, 255, sizeof(bins));
		if (as_float)
			bins_search_float(feature, floats, n, bins);
		else
			bins_search_double(feature, values, n, bins);
		for (size_t i = 0; i < n; i++)
		{
			double		x = as_float ? (double) floats[i] : values[i];

			if (x != x)
				right = right && bins[i] == BIN_MISSING;
			else
			{
				right = right && bins[i] >= 1 && bins[i] < feature->n_bins;
				for (uint32_t b = 1; b <= feature->n_cuts; b++)
					right = right && (bins[i] <= b) == (x <= cuts[b - 1]);
			}
		}
		CHECK(right);
	}
	cpu_limit(CPU_AVX512);
}

/* Values of one shape; every kind of trouble among them. */
static void
make_values(int shape, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		double		u = draw();

		switch (shape)
		{
			case 0:
				values[i] = u;
				break;
			case 1:
				values[i] = floor(u * 5);
				break;
			case 2:
				values[i] = u < 0.1 ? NAN : exp(20 * draw());
				break;
			case 3:
				values[i] = u < 0.8 ? 0 : draw() - 0.5;
				break;
			case 4:
				values[i] = u < 0.1 ? INFINITY : u < 0.2 ? -INFINITY : u < 0.3 ? NAN : u < 0.4 ? -0.0 : u < 0.5 ? 0.0 :
					u < 0.6 ? DBL_MAX : u < 0.7 ? -DBL_MAX : u < 0.8 ? DBL_TRUE_MIN : draw();
				break;
			case 5:
				values[i] = 1 + floor(u * 300) * DBL_EPSILON;
				break;
			case 6:
				values[i] = u < 0.5 ? INFINITY : NAN;
				break;
			default:
				values[i] = 7;
		}
		floats[i] = (float) values[i];
	}
}

static void
test_shapes(void)
{
	static const uint32_t max_bins[] = {2, 3, 16, 254, 255};
	static const size_t sizes[] = {1, 2, 3, 100, 1000, 5003};

	for (int shape = 0; shape < 8; shape++)
	{
		for (int s = 0; s < 6; s++)
		{
			for (int m = 0; m < 5; m++)
			{
				make_values(shape, sizes[s]);

				BinFeature	feature = cut(sizes[s], max_bins[m]);

				check_bins(&feature, sizes[s], max_bins[m], false);
				check_bins(&feature, sizes[s], max_bins[m], true);
			}
		}
	}
}

/* Values that the cuts were not made from fall into bins, too. */
static void
test_unseen(void)
{
	make_values(0, 1000);

	BinFeature	feature = cut(1000, 255);

	make_values(4, 1000);
	check_bins(&feature, 1000, 255, false);
	check_bins(&feature, 1000, 255, true);
}

/* Few distinct values: one bin each, cut half way. */
static void
test_few(void)
{
	for (size_t i = 0; i < 1000; i++)
		values[i] = (double) (i * 7 % 10);

	BinFeature	feature = cut(1000, 255);

	CHECK(feature.n_cuts == 9);
	for (uint32_t i = 0; i < feature.n_cuts; i++)
		CHECK_SAME(cuts[i], i + 0.5);
	feature = cut(1000, 10);
	CHECK(feature.n_cuts == 9);
	feature = cut(1000, 9);
	CHECK(feature.n_cuts <= 8 && feature.n_cuts >= 5);
}

/* Many distinct values: bins of about equal counts; a frequent value has one for itself. */
static void
test_quantiles(void)
{
	uint8_t		bins[MAX_VALUES];
	size_t		counts[BINS_MAX] = {0};
	size_t		largest = 0;

	for (size_t i = 0; i < MAX_VALUES; i++)
		values[i] = i % 4 == 0 ? 0.5 : draw();

	BinFeature	feature = cut(MAX_VALUES, 255);

	CHECK(feature.n_bins > 240);
	bins_search_double(&feature, values, MAX_VALUES, bins);
	for (size_t i = 0; i < MAX_VALUES; i++)
		counts[bins[i]]++;
	for (int b = 0; b < BINS_MAX; b++)
	{
		if (counts[b] < MAX_VALUES / 5 && counts[b] > largest)
			largest = counts[b];
	}
	CHECK(largest < 2 * MAX_VALUES * 3 / 4 / 255);

	double		half = 0.5;
	uint8_t		frequent;

	bins_search_double(&feature, &half, 1, &frequent);
	CHECK(counts[frequent] == MAX_VALUES / 4);
}

/* Missing values can be told from all numbers: the last cut is the largest double. */
static void
test_missing(void)
{
	make_values(2, 1000);

	BinFeature	feature = cut(1000, 255);

	CHECK_SAME(cuts[feature.n_cuts - 1], DBL_MAX);
	for (size_t i = 0; i < 10; i++)
		values[i] = NAN;
	feature = cut(10, 255);
	CHECK(feature.n_cuts == 1 && feature.n_bins == 3);
	for (size_t i = 0; i < 10; i++)
		values[i] = 3;
	feature = cut(10, 255);
	CHECK(feature.n_cuts == 0 && feature.n_bins == 2);
}

int
main(void)
{
	test_shapes();
	test_unseen();
	test_few();
	test_quantiles();
	test_missing();
	return check_done();
}
