/*
 * ready_kernels.c
 *		Leaves of many trees for one row, and of any tree for many rows.
 *
 * A walk is a chain of dependent loads, so several are made side by side: of
 * trees for one row, of rows for one tree.  A leaf's children are the leaf
 * itself twice over, so a walk needs no test for its end.
 *
 * Small trees with AVX-512 VBMI: a permutation of the row's bytes fetches the
 * lanes of all 63 nodes at once, a comparison makes a mask of decisions of
 * them, and the walk goes down the mask.
 */
#include "ready_layout.h"

#include <string.h>

#include "../cpu.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define WALKS 8					/* side by side: enough loads in flight, state still in registers */

/* The node behind this one. */
static inline uint32_t
walk_step(const ReadyNode *nodes, uint32_t at, const uint8_t *lanes)
{
	ReadyNode	node = nodes[at];

	/* in a leaf nothing is above: mask is 0 */
	return node.left + ((lanes[node.lane] & node.mask) > node.cut);
}

static inline uint64_t
leaf_word(const ReadyHead *head, const ReadyTree *tree, uint32_t at)
{
	const uint32_t *ranks = ready_at(head, head->ranks);
	const uint64_t *words = ready_at(head, head->words);

	return words[tree->words + ranks[tree->nodes + at]];
}

/* Walks WALKS trees. */
static inline void
walk_trees(const ReadyHead *head, const ReadyTree *trees, const uint8_t *lanes, uint64_t *words)
{
	const ReadyNode *nodes[WALKS];
	uint32_t	at[WALKS] = {0};
	uint32_t	moved;

	for (int k = 0; k < WALKS; k++)
		nodes[k] = (const ReadyNode *) ready_at(head, head->nodes) + trees[k].nodes;
	do
	{
		moved = 0;
		for (int k = 0; k < WALKS; k++)
		{
			uint32_t	next = walk_step(nodes[k], at[k], lanes);

			moved |= next ^ at[k];
			at[k] = next;
		}
	} while (moved);
	for (int k = 0; k < WALKS; k++)
		words[k] = leaf_word(head, &trees[k], at[k]);
}

static void
leaves_by_walk(const ReadyHead *head, const uint8_t *lanes, uint32_t first, uint32_t n, uint64_t *words)
{
	const ReadyTree *trees = (const ReadyTree *) ready_at(head, head->trees) + first;
	uint32_t	t = 0;

	for (; n - t >= WALKS; t += WALKS)
		walk_trees(head, trees + t, lanes, words + t);
	for (; t < n; t++)
	{
		const ReadyNode *nodes = (const ReadyNode *) ready_at(head, head->nodes) + trees[t].nodes;
		uint32_t	at = 0;

		while (nodes[at].left != at)
			at = walk_step(nodes, at, lanes);
		words[t] = leaf_word(head, &trees[t], at);
	}
}

void
ready_walk_rows(const ReadyHead *head, uint32_t tree, const uint8_t *lanes, uint64_t *words)
{
	const ReadyTree *place = (const ReadyTree *) ready_at(head, head->trees) + tree;
	const ReadyNode *nodes = (const ReadyNode *) ready_at(head, head->nodes) + place->nodes;
	size_t		row_size = head->n_lanes;

	for (uint32_t row = 0; row < READY_ROWS; row += WALKS)
	{
		uint32_t	at[WALKS] = {0};
		uint32_t	moved;

		do
		{
			moved = 0;
			for (uint32_t k = 0; k < WALKS; k++)
			{
				uint32_t	next = walk_step(nodes, at[k], lanes + (row + k) * row_size);

				moved |= next ^ at[k];
				at[k] = next;
			}
		} while (moved);
		for (uint32_t k = 0; k < WALKS; k++)
			words[row + k] = leaf_word(head, place, at[k]);
	}
}

#ifdef __x86_64__

/* The decisions of a small tree's nodes, bit i for node i: goes right.  n_tables, masked: constants. */
static inline __attribute__((always_inline)) CPU_TARGET_VBMI uint64_t
heap_decisions(const ReadyHeap *heap, __m512i a, __m512i b, __m512i c, __m512i d, int n_tables, bool masked)
{
	__m512i		index = _mm512_load_si512(heap->index);
	__m512i		lanes = n_tables == 1 ? _mm512_permutexvar_epi8(index, a) : _mm512_permutex2var_epi8(a, index, b);

	if (n_tables > 2)
		lanes = _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), lanes, _mm512_permutex2var_epi8(c, index, d));
	if (masked)
		lanes = _mm512_and_si512(lanes, _mm512_load_si512(heap->mask));
	return _mm512_cmpgt_epu8_mask(lanes, _mm512_load_si512(heap->cut));
}

/*
 * Leaves of small trees.  n_numbers: registers that the lanes of numbers take,
 * with those of categories behind them where masked; constants.
 */
static inline __attribute__((always_inline)) CPU_TARGET_VBMI void
leaves_of_heaps(const ReadyHead *head, const uint8_t *lanes, uint32_t first, uint32_t n, uint64_t *words, int n_numbers, bool masked)
{
	const ReadyHeap *heaps = (const ReadyHeap *) ready_at(head, head->heaps) + first;
	const ReadyTree *trees = (const ReadyTree *) ready_at(head, head->trees) + first;
	__m512i		none = _mm512_setzero_si512();
	__m512i		a = n_numbers > 0 ? _mm512_load_si512(lanes) : none;
	__m512i		b = n_numbers > 1 ? _mm512_load_si512(lanes + READY_WINDOW) : none;
	__m512i		c = n_numbers > 2 ? _mm512_load_si512(lanes + 2 * READY_WINDOW) : none;
	__m512i		d = n_numbers > 3 ? _mm512_load_si512(lanes + 3 * READY_WINDOW) : none;

	for (uint32_t t = 0; t < n; t++)
	{
		__m512i		window = masked ? _mm512_load_si512(lanes + trees[t].window) : none;
		uint64_t	decisions = heap_decisions(&heaps[t],
											   masked && n_numbers == 0 ? window : a,
											   masked && n_numbers == 1 ? window : b,
											   masked && n_numbers == 2 ? window : c,
											   masked && n_numbers == 3 ? window : d,
											   n_numbers + (masked ? 1 : 0), masked);
		uint64_t	at = 1;

		for (int depth = 0; depth < READY_SMALL_DEPTH; depth++)
			at = 2 * at + ((decisions >> at) & 1);
		words[t] = heaps[t].words[at - READY_HEAP];
	}
}

#define LEAVES_OF_HEAPS(name, n_numbers, masked) \
	CPU_TARGET_VBMI static void \
	name(const ReadyHead *head, const uint8_t *lanes, uint32_t first, uint32_t n, uint64_t *words) \
	{ \
		leaves_of_heaps(head, lanes, first, n, words, n_numbers, masked); \
	}

LEAVES_OF_HEAPS(leaves_of_heaps_1, 1, false)
LEAVES_OF_HEAPS(leaves_of_heaps_2, 2, false)
LEAVES_OF_HEAPS(leaves_of_heaps_3, 3, false)
LEAVES_OF_HEAPS(leaves_of_heaps_4, 4, false)
LEAVES_OF_HEAPS(leaves_of_masked_heaps_0, 0, true)
LEAVES_OF_HEAPS(leaves_of_masked_heaps_1, 1, true)
LEAVES_OF_HEAPS(leaves_of_masked_heaps_2, 2, true)
LEAVES_OF_HEAPS(leaves_of_masked_heaps_3, 3, true)

static const ReadyLeaves heap_kernels[2][READY_TABLES + 1] = {
	{NULL, leaves_of_heaps_1, leaves_of_heaps_2, leaves_of_heaps_3, leaves_of_heaps_4},
	{leaves_of_masked_heaps_0, leaves_of_masked_heaps_1, leaves_of_masked_heaps_2, leaves_of_masked_heaps_3, NULL}
};

#endif

/* What finds the leaves of one row on this machine. */
ReadyLeaves
ready_leaves_kernel(const ReadyHead *head)
{
#ifdef __x86_64__
	if (head->heaps != 0 && cpu_permutes_bytes())
		return heap_kernels[head->n_categories > 0][head->n_number_lanes / READY_WINDOW];
#endif
	return leaves_by_walk;
}
