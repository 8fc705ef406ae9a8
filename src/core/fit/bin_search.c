/*
 * bin_search.c
 *		The bin of a value, by binary search among at most 255 cuts.
 *
 * Eight steps without branches; position + step - 1 stays below BINS_MAX,
 * and cuts behind the last are infinite.  float32 columns are searched in
 * float32: a float is <= a double cut exactly where it is <= the largest
 * float not above that cut.
 */
#include "bins.h"

#include "cpu.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define FIRST_STEP 128

/* The plain search; NaN compares false everywhere, and is then replaced. */
#define SEARCH_ONE(cuts, value, bin) \
	do { \
		unsigned	position = 0; \
		\
		for (unsigned step = FIRST_STEP; step > 0; step /= 2) \
			position += (value) > (cuts)[position + step - 1] ? step : 0; \
		(bin) = (uint8_t) ((value) == (value) ? position + 1 : BIN_MISSING); \
	} while (0)

static void
search_float_plain(const float *cuts, const float *values, size_t n, uint8_t *out)
{
	for (size_t i = 0; i < n; i++)
		SEARCH_ONE(cuts, values[i], out[i]);
}

static void
search_double_plain(const double *cuts, const double *values, size_t n, uint8_t *out)
{
	for (size_t i = 0; i < n; i++)
		SEARCH_ONE(cuts, values[i], out[i]);
}

#ifdef __x86_64__

/* 16 values at a time; returns how many were done. */
CPU_TARGET_AVX512 static size_t
search_float_avx512(const float *cuts, const float *values, size_t n, uint8_t *out)
{
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
	{
		__m512		value = _mm512_loadu_ps(values + i);
		__m512i		position = _mm512_setzero_si512();

		for (int step = FIRST_STEP; step > 0; step /= 2)
		{
			__m512i		next = _mm512_add_epi32(position, _mm512_set1_epi32(step));
			__m512		cut = _mm512_i32gather_ps(position, cuts + step - 1, sizeof(float));

			position = _mm512_mask_mov_epi32(position, _mm512_cmp_ps_mask(value, cut, _CMP_GT_OQ), next);
		}
		position = _mm512_maskz_add_epi32(_mm512_cmp_ps_mask(value, value, _CMP_ORD_Q), position, _mm512_set1_epi32(1));
		_mm_storeu_si128((__m128i *) (out + i), _mm512_cvtepi32_epi8(position));
	}
	return i;
}

/* The same, 8 at a time. */
CPU_TARGET_AVX512 static size_t
search_double_avx512(const double *cuts, const double *values, size_t n, uint8_t *out)
{
	size_t		i = 0;

	for (; i + 8 <= n; i += 8)
	{
		__m512d		value = _mm512_loadu_pd(values + i);
		__m512i		position = _mm512_setzero_si512();

		for (int step = FIRST_STEP; step > 0; step /= 2)
		{
			__m512i		next = _mm512_add_epi64(position, _mm512_set1_epi64(step));
			__m512d		cut = _mm512_i64gather_pd(position, cuts + step - 1, sizeof(double));

			position = _mm512_mask_mov_epi64(position, _mm512_cmp_pd_mask(value, cut, _CMP_GT_OQ), next);
		}
		position = _mm512_maskz_add_epi64(_mm512_cmp_pd_mask(value, value, _CMP_ORD_Q), position, _mm512_set1_epi64(1));
		_mm_storel_epi64((__m128i *) (out + i), _mm512_cvtepi64_epi8(position));
	}
	return i;
}

/* 8 floats at a time. */
CPU_TARGET_AVX2 static size_t
search_float_avx2(const float *cuts, const float *values, size_t n, uint8_t *out)
{
	size_t		i = 0;

	for (; i + 8 <= n; i += 8)
	{
		__m256		value = _mm256_loadu_ps(values + i);
		__m256i		position = _mm256_setzero_si256();

		for (int step = FIRST_STEP; step > 0; step /= 2)
		{
			__m256		cut = _mm256_i32gather_ps(cuts + step - 1, position, sizeof(float));
			__m256i		above = _mm256_castps_si256(_mm256_cmp_ps(value, cut, _CMP_GT_OQ));

			position = _mm256_add_epi32(position, _mm256_and_si256(above, _mm256_set1_epi32(step)));
		}
		position = _mm256_add_epi32(position, _mm256_set1_epi32(1));
		position = _mm256_and_si256(position, _mm256_castps_si256(_mm256_cmp_ps(value, value, _CMP_ORD_Q)));

		uint32_t	bins[8];

		_mm256_storeu_si256((__m256i *) bins, position);
		for (int k = 0; k < 8; k++)
			out[i + k] = (uint8_t) bins[k];
	}
	return i;
}

#endif

void
bins_search_float(const BinFeature *feature, const float *values, size_t n, uint8_t *out)
{
	size_t		done = 0;

#ifdef __x86_64__
	if (cpu_level() == CPU_AVX512)
		done = search_float_avx512(feature->float_cuts, values, n, out);
	else if (cpu_level() == CPU_AVX2)
		done = search_float_avx2(feature->float_cuts, values, n, out);
#endif
	search_float_plain(feature->float_cuts, values + done, n - done, out + done);
}

void
bins_search_double(const BinFeature *feature, const double *values, size_t n, uint8_t *out)
{
	size_t		done = 0;

#ifdef __x86_64__
	if (cpu_level() == CPU_AVX512)
		done = search_double_avx512(feature->cuts, values, n, out);
#endif
	search_double_plain(feature->cuts, values + done, n - done, out + done);
}
