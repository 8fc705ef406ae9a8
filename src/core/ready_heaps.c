/*
 * ready_heaps.c
 *		Small trees for a block of rows at once, with AVX-512.
 *
 * A complete tree asks all its splits, for 64 rows each, whoever gets there:
 * a comparison of bytes gives a mask.  Of the answers below a split each row
 * takes those of the side that it goes to, which is a few operations on masks
 * a level, up to the root.  What is left are the bits of each row's leaf, and
 * the 64 leaves' values lie in eight registers.  Nothing depends on the rows.
 */
#include "ready_layout.h"

#ifdef __x86_64__

#include <immintrin.h>

#include "cpu.h"

/* A tree, and the columns of lanes that it reads. */
typedef struct BlockTree
{
	const ReadyHeap *heap;
	const uint8_t *numbers;		/* by index of the heap */
	const uint8_t *categories;	/* the same */
	uint32_t	n_number_lanes;
	bool		masked;			/* there are categories: a constant */
} BlockTree;

/* The rows that a split sends right. */
static inline __attribute__((always_inline)) CPU_TARGET_AVX512 uint64_t
decide(const BlockTree *tree, uint32_t node)
{
	const ReadyHeap *heap = tree->heap;
	uint32_t	index = heap->index[node];
	const uint8_t *columns = tree->masked && index >= tree->n_number_lanes ? tree->categories : tree->numbers;
	__m512i		lane = _mm512_load_si512(columns + (size_t) index * READY_ROWS);

	if (tree->masked)
		lane = _mm512_and_si512(lane, _mm512_set1_epi8((char) heap->mask[node]));
	return _mm512_cmpgt_epu8_mask(lane, _mm512_set1_epi8((char) heap->cut[node]));
}

/* The decisions of the lowest split of a path. */
static inline __attribute__((always_inline)) CPU_TARGET_AVX512 void
decide_1(const BlockTree *tree, uint32_t node, uint64_t *bits)
{
	bits[0] = decide(tree, node);
}

/* The decisions that rows meet from a split on, if they get there: bits[levels]. */
#define DECIDE(levels, below) \
	static inline __attribute__((always_inline)) CPU_TARGET_AVX512 void \
	decide_##levels(const BlockTree *tree, uint32_t node, uint64_t *bits) \
	{ \
		uint64_t	left[below]; \
		uint64_t	right[below]; \
		decide_##below(tree, 2 * node, left); \
		decide_##below(tree, 2 * node + 1, right); \
		bits[0] = decide(tree, node); \
		for (int i = 0; i < below; i++) \
			bits[i + 1] = left[i] ^ ((left[i] ^ right[i]) & bits[0]); \
	}

DECIDE(2, 1)
DECIDE(3, 2)
DECIDE(4, 3)
DECIDE(5, 4)
DECIDE(6, 5)

_Static_assert(READY_SMALL_DEPTH == 6 && READY_HEAP == 64, "a path has six decisions, a tree eight registers of leaves");

/* Adds the leaves of a tree to the scores of all rows. */
static inline __attribute__((always_inline)) CPU_TARGET_AVX512 void
add_leaves(const BlockTree *tree, double *scores)
{
	const double *leaves = (const double *) tree->heap->words;
	uint64_t	bits[READY_SMALL_DEPTH];
	uint8_t		numbers[READY_ROWS] __attribute__((aligned(64)));	/* of the leaves, but for the two highest bits */
	__m512i		number = _mm512_setzero_si512();
	__m512d		table[READY_HEAP / 8];

	decide_6(tree, 1, bits);
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

CPU_TARGET_AVX512 void
ready_heap_scores(const ReadyHead *head, uint32_t tree, const uint8_t *columns, double *scores)
{
	const ReadyTree *place = (const ReadyTree *) ready_at(head, head->trees) + tree;
	const ReadyHeap *heap = (const ReadyHeap *) ready_at(head, head->heaps) + tree;

	if (head->n_categories > 0)
		add_leaves(&(BlockTree) {
			.heap = heap,
			.numbers = columns,
			.categories = columns + ((size_t) place->window - head->n_number_lanes) * READY_ROWS,
			.n_number_lanes = head->n_number_lanes,
			.masked = true
		}, scores);
	else
		add_leaves(&(BlockTree) {.heap = heap, .numbers = columns}, scores);
}

#endif
