/*
 * bin_search.c
 *		The bin of a value among cuts.
 *
 * A value's bin is the number of cuts below it (and 1, since bin 0 means
 * missing).  At most 255 cuts lie in 16 runs of 16, the last ones infinite: how many of
 * the runs end below the value, and how many cuts of the next run are below
 * it, are 16 comparisons each, which vectors do at once; there is no chain of
 * dependent steps as in a binary search.
 *
 * float32 columns are searched in float32: a float is <= a double cut exactly
 * where it is <= the largest float not above that cut.
 */
#include "bins.h"

#include <math.h>

#include "../../cpu.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define RUN 16

_Static_assert(RUN * RUN == BINS_MAX, "runs cover all cuts");

#define DEFINE_SEARCH(name, type) \
CPU_BODY void \
name##_runs_body(const type *restrict cuts, const type *restrict ends, const type *restrict values, size_t n, uint8_t *restrict out) \
{ \
	for (size_t i = 0; i < n; i++) \
	{ \
		type		value = values[i]; \
		unsigned	run = 0; \
		unsigned	below = 0; \
		\
		for (int k = 0; k < RUN; k++) \
			run += value > ends[k]; \
		for (int k = 0; k < RUN; k++) \
			below += value > cuts[RUN * run + k]; \
		out[i] = (uint8_t) (value == value ? RUN * run + below + 1 : BIN_MISSING); \
	} \
} \
\
CPU_DISPATCH(name##_runs, (const type *cuts, const type *ends, const type *values, size_t n, uint8_t *out), \
			 (cuts, ends, values, n, out))

DEFINE_SEARCH(float, float)
DEFINE_SEARCH(double, double)

#ifdef __x86_64__

/* Comparisons give masks here, which are counted faster than vectors are added up. */
CPU_TARGET_AVX512 static void
float_masks(const float *cuts, const float *ends, const float *values, size_t n, uint8_t *out)
{
	__m512		run_ends = _mm512_loadu_ps(ends);

	for (size_t i = 0; i < n; i++)
	{
		__m512		value = _mm512_set1_ps(values[i]);
		int			run = __builtin_popcount(_mm512_cmp_ps_mask(value, run_ends, _CMP_GT_OQ));
		int			below = __builtin_popcount(_mm512_cmp_ps_mask(value, _mm512_loadu_ps(cuts + RUN * run), _CMP_GT_OQ));

		out[i] = (uint8_t) (values[i] == values[i] ? RUN * run + below + 1 : BIN_MISSING);
	}
}

/* How many of 16 doubles are below the value. */
CPU_TARGET_AVX512 static inline int
count_below(__m512d value, const double *numbers)
{
	unsigned	low = _mm512_cmp_pd_mask(value, _mm512_loadu_pd(numbers), _CMP_GT_OQ);
	unsigned	high = _mm512_cmp_pd_mask(value, _mm512_loadu_pd(numbers + 8), _CMP_GT_OQ);

	return __builtin_popcount(low | high << 8);
}

/* The same for doubles. */
CPU_TARGET_AVX512 static void
double_masks(const double *cuts, const double *ends, const double *values, size_t n, uint8_t *out)
{
	for (size_t i = 0; i < n; i++)
	{
		__m512d		value = _mm512_set1_pd(values[i]);
		int			run = count_below(value, ends);
		int			below = count_below(value, cuts + RUN * run);

		out[i] = (uint8_t) (values[i] == values[i] ? RUN * run + below + 1 : BIN_MISSING);
	}
}

#endif

/* Bins of float32 values, against the float cuts. */
void
bins_search_float(const BinFeature *feature, const float *values, size_t n, uint8_t *out)
{
	float		ends[RUN];

	for (int k = 0; k < RUN; k++)
		ends[k] = feature->float_cuts[RUN * k + RUN - 1];
#ifdef __x86_64__
	if (cpu_level() == CPU_AVX512)
	{
		float_masks(feature->float_cuts, ends, values, n, out);
		return;
	}
#endif
	float_runs(feature->float_cuts, ends, values, n, out);
}

/* Bins of doubles, against the cuts. */
void
bins_search_double(const BinFeature *feature, const double *values, size_t n, uint8_t *out)
{
	double		ends[RUN];

	for (int k = 0; k < RUN; k++)
		ends[k] = feature->cuts[RUN * k + RUN - 1];
#ifdef __x86_64__
	if (cpu_level() == CPU_AVX512)
	{
		double_masks(feature->cuts, ends, values, n, out);
		return;
	}
#endif
	double_runs(feature->cuts, ends, values, n, out);
}

/* Wide features of not too many cuts: the same with longer runs. */
CPU_BODY void
wide_runs_body(const double *restrict cuts, const double *restrict ends, const double *restrict values, size_t n, uint16_t *restrict out)
{
	for (size_t i = 0; i < n; i++)
	{
		double		value = values[i];
		uint64_t	run = 0;
		uint64_t	below = 0;

		for (int k = 0; k < WIDE_RUN; k++)
			run += value > ends[k];
		for (int k = 0; k < WIDE_RUN; k++)
			below += value > cuts[WIDE_RUN * run + k];
		out[i] = (uint16_t) (value == value ? WIDE_RUN * run + below + 1 : BIN_MISSING);
	}
}

CPU_DISPATCH(wide_runs, (const double *cuts, const double *ends, const double *values, size_t n, uint16_t *out),
			 (cuts, ends, values, n, out))

/*
 * Wide features of more: halving instead of runs, steps without branches.  All
 * values go through the same steps, so the compiler interleaves their loads.
 */
CPU_BODY void
wide_halves_body(const double *restrict cuts, uint32_t n_cuts, const double *restrict values, size_t n, uint16_t *restrict out)
{
	for (size_t i = 0; i < n; i += RUN)
	{
		uint32_t	below[RUN] = {0};
		uint32_t	left = n_cuts;
		size_t		m = n - i < RUN ? n - i : RUN;

		while (left > 1)
		{
			uint32_t	half = left / 2;

			for (size_t k = 0; k < m; k++)
				below[k] += cuts[below[k] + half - 1] < values[i + k] ? half : 0;
			left -= half;
		}
		for (size_t k = 0; k < m; k++)
		{
			double		value = values[i + k];

			below[k] += n_cuts > 0 && cuts[below[k]] < value;
			out[i + k] = (uint16_t) (value == value ? below[k] + 1 : BIN_MISSING);
		}
	}
}

CPU_DISPATCH(wide_halves, (const double *cuts, uint32_t n_cuts, const double *values, size_t n, uint16_t *out),
			 (cuts, n_cuts, values, n, out))

/* Floats are compared as doubles. */
void
bins_search_wide(const BinFeature *feature, const double *values, size_t n, uint16_t *out)
{
	double		ends[WIDE_RUN];

	if (feature->n_cuts > WIDE_RUN * WIDE_RUN)
	{
		wide_halves(feature->cuts, feature->n_cuts, values, n, out);
		return;
	}
	for (uint32_t k = 0; k < WIDE_RUN; k++)
		ends[k] = WIDE_RUN * (k + 1) <= feature->n_cuts ? feature->cuts[WIDE_RUN * (k + 1) - 1] : INFINITY;
	wide_runs(feature->cuts, ends, values, n, out);
}
