/*
 * ready_heaps.c
 *		Small trees for a block of rows at once, with AVX-512 or AVX2.
 *
 * A complete tree asks all its splits, for 64 rows each, whoever gets there:
 * a comparison of bytes gives a mask.  Of the answers below a split each row
 * takes those of the side that it goes to, which is a few operations on masks
 * a level, up to the root.  What is left are the bits of each row's leaf, and
 * with AVX-512 the 64 leaves' values lie in eight registers.  Nothing depends
 * on the rows.
 */
#include "ready_layout.h"

#include "../cpu.h"

#ifdef __x86_64__

#include <immintrin.h>

/* A tree, and the columns of lanes that it reads. */
typedef struct BlockTree
{
	const ReadyHeap *heap;
	const uint8_t *numbers;		/* by index of the heap */
	const uint8_t *categories;	/* the same */
	uint32_t	n_number_lanes;
	bool		masked;			/* there are categories: a constant */
} BlockTree;

/* The column of a split's lane. */
static inline __attribute__((always_inline)) const uint8_t *
column_of(const BlockTree *tree, uint32_t node)
{
	uint32_t	index = tree->heap->index[node];
	const uint8_t *columns = tree->masked && index >= tree->n_number_lanes ? tree->categories : tree->numbers;

	return columns + (size_t) index * READY_ROWS;
}

/* The rows that a split sends right. */
static inline __attribute__((always_inline)) CPU_TARGET_AVX512 uint64_t
decide_avx512(const BlockTree *tree, uint32_t node)
{
	__m512i		lane = _mm512_load_si512(column_of(tree, node));

	if (tree->masked)
		lane = _mm512_and_si512(lane, _mm512_set1_epi8((char) tree->heap->mask[node]));
	return _mm512_cmpgt_epu8_mask(lane, _mm512_set1_epi8((char) tree->heap->cut[node]));
}

/* Of 32 rows those that a split sends left. */
static inline __attribute__((always_inline)) CPU_TARGET_AVX2 uint32_t
left_avx2(const BlockTree *tree, uint32_t node, const uint8_t *column)
{
	__m256i		lane = _mm256_load_si256((const __m256i *) column);
	__m256i		cut = _mm256_set1_epi8((char) tree->heap->cut[node]);

	if (tree->masked)
		lane = _mm256_and_si256(lane, _mm256_set1_epi8((char) tree->heap->mask[node]));

	/* there is no comparison of unsigned bytes: what is not above the cut leaves it the larger */
	return (uint32_t) _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(lane, cut), cut));
}

static inline __attribute__((always_inline)) CPU_TARGET_AVX2 uint64_t
decide_avx2(const BlockTree *tree, uint32_t node)
{
	const uint8_t *column = column_of(tree, node);

	return ~((uint64_t) left_avx2(tree, node, column) | (uint64_t) left_avx2(tree, node, column + 32) << 32);
}

/* The decisions of the lowest split of a path. */
#define DECIDE_LOWEST(width, target) \
	static inline __attribute__((always_inline)) target void \
	decide_1_##width(const BlockTree *tree, uint32_t node, uint64_t *bits) \
	{ \
		bits[0] = decide_##width(tree, node); \
	}

/* The decisions that rows meet from a split on, if they get there: bits[levels]. */
#define DECIDE(width, target, levels, below) \
	static inline __attribute__((always_inline)) target void \
	decide_##levels##_##width(const BlockTree *tree, uint32_t node, uint64_t *bits) \
	{ \
		uint64_t	left[below]; \
		uint64_t	right[below]; \
		decide_##below##_##width(tree, 2 * node, left); \
		decide_##below##_##width(tree, 2 * node + 1, right); \
		bits[0] = decide_##width(tree, node); \
		for (int i = 0; i < below; i++) \
			bits[i + 1] = left[i] ^ ((left[i] ^ right[i]) & bits[0]); \
	}

#define DECIDE_ALL(width, target) \
	DECIDE_LOWEST(width, target) \
	DECIDE(width, target, 2, 1) \
	DECIDE(width, target, 3, 2) \
	DECIDE(width, target, 4, 3) \
	DECIDE(width, target, 5, 4) \
	DECIDE(width, target, 6, 5)

DECIDE_ALL(avx512, CPU_TARGET_AVX512)
DECIDE_ALL(avx2, CPU_TARGET_AVX2)

_Static_assert(READY_SMALL_DEPTH == 6 && READY_HEAP == 64, "a path has six decisions, a tree eight registers of leaves");

/* Adds the leaves of a tree to the scores of all rows. */
static inline __attribute__((always_inline)) CPU_TARGET_AVX512 void
add_leaves_avx512(const BlockTree *tree, double *scores)
{
	const double *leaves = (const double *) tree->heap->words;
	uint64_t	bits[READY_SMALL_DEPTH];
	uint8_t		numbers[READY_ROWS] __attribute__((aligned(64)));	/* of the leaves, but for the two highest bits */
	__m512i		number = _mm512_setzero_si512();
	__m512d		table[READY_HEAP / 8];

	decide_6_avx512(tree, 1, bits);
	for (int i = 2; i < READY_SMALL_DEPTH; i++)
		number = _mm512_mask_add_epi8(number, bits[i], number, _mm512_set1_epi8((char) (READY_HEAP >> (i + 1))));
	_mm512_store_si512(numbers, number);
	for (int i = 0; i < READY_HEAP / 8; i++)
		table[i] = _mm512_load_pd(leaves + 8 * i);
	for (int row = 0; row < READY_ROWS; row += 8)
	{
		__m512i		index = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *) (numbers + row)));
		__mmask8	high = (__mmask8) (bits[0] >> row);
		__mmask8	middle = (__mmask8) (bits[1] >> row);
		__m512d		low_half = _mm512_mask_blend_pd(middle, _mm512_permutex2var_pd(table[0], index, table[1]),
													_mm512_permutex2var_pd(table[2], index, table[3]));
		__m512d		high_half = _mm512_mask_blend_pd(middle, _mm512_permutex2var_pd(table[4], index, table[5]),
													 _mm512_permutex2var_pd(table[6], index, table[7]));

		_mm512_storeu_pd(scores + row, _mm512_add_pd(_mm512_loadu_pd(scores + row), _mm512_mask_blend_pd(high, low_half, high_half)));
	}
}

/* Bytes of 32 rows: `value` where the row's bit is set, else 0. */
static inline __attribute__((always_inline)) CPU_TARGET_AVX2 __m256i
bytes_of_bits(uint32_t bits, int value)
{
	const __m256i byte_of_row = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,
												 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
	const __m256i bit_of_row = _mm256_set1_epi64x(INT64_C(-0x7fbfdfeff7fbfdff));	/* 0x80, ... 0x02, 0x01 */
	__m256i		mine = _mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32((int) bits), byte_of_row), bit_of_row);

	return _mm256_and_si256(_mm256_cmpeq_epi8(mine, bit_of_row), _mm256_set1_epi8((char) value));
}

/* The same with AVX2. */
static inline __attribute__((always_inline)) CPU_TARGET_AVX2 void
add_leaves_avx2(const BlockTree *tree, double *scores)
{
	const double *leaves = (const double *) tree->heap->words;
	uint64_t	bits[READY_SMALL_DEPTH];
	uint8_t		numbers[READY_ROWS] __attribute__((aligned(32)));

	decide_6_avx2(tree, 1, bits);
	for (int half = 0; half < READY_ROWS; half += 32)
	{
		__m256i		number = _mm256_setzero_si256();

		for (int i = 0; i < READY_SMALL_DEPTH; i++)
			number = _mm256_or_si256(number, bytes_of_bits((uint32_t) (bits[i] >> half), READY_HEAP >> (i + 1)));
		_mm256_store_si256((__m256i *) (numbers + half), number);
	}
	for (int row = 0; row < READY_ROWS; row++)
		scores[row] += leaves[numbers[row]];
}

/* A tree and the columns that it reads. */
#define HEAP_SCORES(width, target) \
	target static void \
	heap_scores_##width(const ReadyHead *head, uint32_t tree, const uint8_t *columns, double *scores) \
	{ \
		const ReadyTree *place = (const ReadyTree *) ready_at(head, head->trees) + tree; \
		const ReadyHeap *heap = (const ReadyHeap *) ready_at(head, head->heaps) + tree; \
		if (head->n_categories > 0) \
			add_leaves_##width(&(BlockTree) { \
				.heap = heap, \
				.numbers = columns, \
				.categories = columns + ((size_t) place->window - head->n_number_lanes) * READY_ROWS, \
				.n_number_lanes = head->n_number_lanes, \
				.masked = true \
			}, scores); \
		else \
			add_leaves_##width(&(BlockTree) {.heap = heap, .numbers = columns}, scores); \
	}

HEAP_SCORES(avx512, CPU_TARGET_AVX512)
HEAP_SCORES(avx2, CPU_TARGET_AVX2)

#endif

/* What this machine has; NULL: rows are walked. */
ReadyColumnScores
ready_heap_scores_kernel(void)
{
	switch (cpu_level())
	{
#ifdef __x86_64__
		case CPU_AVX512:
			return heap_scores_avx512;
		case CPU_AVX2:
			return heap_scores_avx2;
#endif
		default:
			return NULL;
	}
}
