/*
 * ready_bin.c
 *		Rows to lanes: how many thresholds of a feature lie below its value.
 *
 * Thresholds lie in groups of 16; the last of each group is its pivot.  With
 * vectors the pivots are compared first, which says how many whole groups lie
 * below the value, and then the thresholds of the next group: two steps
 * without a branch for up to 256 thresholds.  Otherwise it is a binary search
 * without branches.  NaN is above nothing, and is told apart afterwards.
 */
#include "ready_layout.h"

#include <string.h>

#include "../cpu.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

/* The value of a feature, as its thresholds see it. */
static inline double
value_of(const double *values, uint32_t index, bool rounds)
{
	double		value = values[index];

	return rounds ? (double) (float) value : value;
}

/* Writes the lanes of a number that has several a side. */
static void
put_wide_number(const ReadyNumber *number, bool missing, uint32_t below, uint8_t *lanes)
{
	uint8_t    *lane = lanes + number->first_lane;

	for (uint32_t side = 0; side < number->n_sides; side++)
	{
		for (uint32_t i = 0; i < number->n_lanes; i++)
		{
			uint32_t	first = i * READY_LANE_CUTS;
			uint32_t	here = below < first ? 0 : below - first;

			*lane++ = missing ? number->missing[side] : (uint8_t) (here > READY_LANE_CUTS ? READY_LANE_CUTS : here);
		}
	}
}

/* Writes the lanes of a number that lies above `below` thresholds. */
static inline __attribute__((always_inline)) void
put_number(const ReadyNumber *number, double value, uint32_t below, uint8_t *lanes)
{
	bool		missing = value != value;

	if (__builtin_expect(number->n_lanes > 1, 0))
	{
		put_wide_number(number, missing, below, lanes);
		return;
	}
	lanes[number->first_lane] = missing ? number->missing[0] : (uint8_t) below;
	if (number->n_sides > 1)
		lanes[number->first_lane + 1] = missing ? number->missing[1] : (uint8_t) below;
}

/* The row of a category's table. */
static inline const uint8_t *
category_row(const ReadyHead *head, const ReadyCategory *category, const double *values)
{
	double		value = value_of(values, category->value, category->rounds);
	uint32_t	row = category->n_levels;

	if (value != value)
		row++;
	else if (value >= 0 && value < (double) category->n_levels)
		row = (uint32_t) value;
	return (const uint8_t *) ready_at(head, category->table) + (size_t) row * (head->n_lanes - head->n_number_lanes);
}

/* A window of lanes, as wide as the target has registers. */
typedef uint64_t LaneWindow __attribute__((vector_size(READY_WINDOW), may_alias));

/* The lanes of all categories: each feature has bits in some of them. */
static inline __attribute__((always_inline)) void
bin_categories(const ReadyHead *head, const double *values, uint8_t *lanes)
{
	const ReadyCategory *categories = ready_at(head, head->categories);
	uint32_t	n_windows = (head->n_lanes - head->n_number_lanes) / READY_WINDOW;
	uint32_t	n_categories = head->n_categories;
	LaneWindow *to = (LaneWindow *) (lanes + head->n_number_lanes);

	memset(to, 0, (size_t) n_windows * READY_WINDOW);
	for (uint32_t i = 0; i < n_categories; i++)
	{
		const LaneWindow *from = (const LaneWindow *) category_row(head, &categories[i], values);

		for (uint32_t window = 0; window < n_windows; window++)
			to[window] |= from[window];
	}
}

/* Thresholds below a value. */
static inline uint32_t
below_plain(const ReadyHead *head, const ReadyNumber *number, double value)
{
	const double *cuts = ready_at(head, number->cuts);
	uint32_t	below = 0;

	for (uint32_t n = number->n_cuts; n > 1;)
	{
		uint32_t	half = n / 2;

		/* a product, because compilers like a branch here, and it is taken at random */
		below += half * (uint32_t) (value > cuts[below + half - 1]);
		n -= half;
	}
	return below + (value > cuts[below]);
}

static void
bin_plain(const ReadyHead *head, const double *values, uint8_t *lanes)
{
	const ReadyNumber *numbers = ready_at(head, head->numbers);

	for (uint32_t i = 0; i < head->n_numbers; i++)
	{
		double		value = value_of(values, numbers[i].value, numbers[i].rounds);

		put_number(&numbers[i], value, below_plain(head, &numbers[i], value), lanes);
	}
	if (head->n_categories > 0)
		bin_categories(head, values, lanes);
}

#ifdef __x86_64__

/* How many of 16 thresholds lie below a value. */
static inline __attribute__((always_inline)) CPU_TARGET_AVX2 uint32_t
group_avx2(const double *cuts, __m256d value)
{
	uint32_t	mask = 0;

	for (int i = 0; i < READY_CUT_GROUP / 4; i++)
		mask |= (uint32_t) _mm256_movemask_pd(_mm256_cmp_pd(value, _mm256_load_pd(cuts + 4 * i), _CMP_GT_OQ)) << (4 * i);
	return (uint32_t) __builtin_popcount(mask);
}

static inline __attribute__((always_inline)) CPU_TARGET_AVX512 uint32_t
group_avx512(const double *cuts, __m512d value)
{
	uint32_t	low = _mm512_cmp_pd_mask(value, _mm512_load_pd(cuts), _CMP_GT_OQ);
	uint32_t	high = _mm512_cmp_pd_mask(value, _mm512_load_pd(cuts + 8), _CMP_GT_OQ);

	return (uint32_t) __builtin_popcount(low | high << 8);
}

/* The same function for both widths: which of the groups, and how far in it. */
#define BIN_VECTOR(name, target, vector, broadcast, group) \
	target static void \
	name(const ReadyHead *head, const double *values, uint8_t *lanes) \
	{ \
		const ReadyNumber *number = ready_at(head, head->numbers); \
		const ReadyNumber *end = number + head->n_numbers; \
		for (; number < end; number++) \
		{ \
			const double *pivots = ready_at(head, number->pivots); \
			const double *cuts = ready_at(head, number->cuts); \
			double		value = value_of(values, number->value, number->rounds); \
			vector		wide = broadcast(value); \
			uint32_t	whole = group(pivots, wide); \
			for (uint32_t j = READY_CUT_GROUP; j < number->n_groups; j += READY_CUT_GROUP) \
				whole += group(pivots + j, wide); \
			put_number(number, value, whole * READY_CUT_GROUP + group(cuts + whole * READY_CUT_GROUP, wide), lanes); \
		} \
		if (head->n_categories > 0) \
			bin_categories(head, values, lanes); \
	}

BIN_VECTOR(bin_avx2, CPU_TARGET_AVX2, __m256d, _mm256_set1_pd, group_avx2)
BIN_VECTOR(bin_avx512, CPU_TARGET_AVX512, __m512d, _mm512_set1_pd, group_avx512)

#endif

ReadyBin
ready_bin_kernel(void)
{
	switch (cpu_level())
	{
#ifdef __x86_64__
		case CPU_AVX512:
			return bin_avx512;
		case CPU_AVX2:
			return bin_avx2;
#endif
		default:
			return bin_plain;
	}
}
