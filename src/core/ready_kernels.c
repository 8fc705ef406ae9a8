/*
 * ready_kernels.c
 *		Leaves of many trees for one row, and of many rows for one tree.
 *
 * A walk is a chain of dependent loads, so several are made side by side: of
 * trees for one row, of rows for one tree.  A leaf's children are the leaf
 * itself twice over, so a walk needs no test for its end.
 *
 * Small trees with AVX-512 VBMI: a permutation of the row's bytes fetches the
 * lanes of all 63 nodes at once, a comparison makes a mask of decisions of
 * them, and the walk goes down the mask.
 *
 * Trees of few leaves with AVX-512: the lanes of 64 rows lie next to each
 * other, and each node splits the set of rows that reach it, a mask, into
 * those of its children; at the end each leaf writes its number to its rows.
 */
#include "ready_layout.h"

#include <string.h>

#include "cpu.h"

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

/* Eight by eight bytes: by halves of squares of two, four and eight. */
static inline __attribute__((always_inline)) void
transpose_square(const uint8_t *from, size_t from_size, uint8_t *to)
{
	uint64_t	rows[8];

	for (int i = 0; i < 8; i++)
		memcpy(&rows[i], from + i * from_size, 8);
	for (int i = 0; i < 8; i += 2)
	{
		uint64_t	changed = ((rows[i] >> 8) ^ rows[i + 1]) & UINT64_C(0x00ff00ff00ff00ff);

		rows[i] ^= changed << 8;
		rows[i + 1] ^= changed;
	}
	for (int i = 0; i < 8; i = i % 2 == 0 ? i + 1 : i + 3)
	{
		uint64_t	changed = ((rows[i] >> 16) ^ rows[i + 2]) & UINT64_C(0x0000ffff0000ffff);

		rows[i] ^= changed << 16;
		rows[i + 2] ^= changed;
	}
	for (int i = 0; i < 4; i++)
	{
		uint64_t	changed = ((rows[i] >> 32) ^ rows[i + 4]) & UINT64_C(0x00000000ffffffff);

		rows[i] ^= changed << 32;
		rows[i + 4] ^= changed;
	}
	for (int i = 0; i < 8; i++)
		memcpy(to + i * READY_ROWS, &rows[i], 8);
}

void
ready_columns(const ReadyHead *head, const uint8_t *lanes, uint8_t *columns)
{
	for (uint32_t lane = 0; lane < head->n_lanes; lane += 8)
	{
		for (uint32_t row = 0; row < READY_ROWS; row += 8)
			transpose_square(lanes + (size_t) row * head->n_lanes + lane, head->n_lanes, columns + (size_t) lane * READY_ROWS + row);
	}
}

/* Numbers of the leaves of a tree for READY_ROWS rows.  masked: a constant. */
static inline __attribute__((always_inline)) CPU_TARGET_AVX512 __m512i
column_ranks(const ReadyHead *head, const ReadyTree *tree, const uint8_t *columns, bool masked)
{
	const ReadySplit *splits = (const ReadySplit *) ready_at(head, head->splits) + tree->splits;
	const uint16_t *leaf_nodes = (const uint16_t *) ready_at(head, head->leaf_nodes) + tree->leaf_nodes;
	uint64_t	reached[2 * READY_BLOCK_LEAVES];	/* rows that reach a node */
	__m512i		ranks = _mm512_setzero_si512();
	__m512i		rank = _mm512_setzero_si512();

	reached[0] = ~UINT64_C(0);
	for (const ReadySplit *split = splits; split < splits + tree->n_leaves - 1; split++)
	{
		__m512i		lane = _mm512_load_si512(columns + (size_t) split->lane * READY_ROWS);
		uint64_t	here = reached[split->self];

		if (masked)
			lane = _mm512_and_si512(lane, _mm512_set1_epi8((char) split->mask));

		uint64_t	right = _mm512_mask_cmpgt_epu8_mask(here, lane, _mm512_set1_epi8((char) split->cut));

		reached[split->left] = here & ~right;
		reached[split->left + 1] = right;
	}
	for (uint32_t i = 1; i < tree->n_leaves; i++)
	{
		rank = _mm512_sub_epi8(rank, _mm512_set1_epi8(-1));
		ranks = _mm512_mask_mov_epi8(ranks, reached[leaf_nodes[i]], rank);
	}
	return ranks;
}

/* The numbers of eight rows as 32-bit integers, and their words. */
static inline __attribute__((always_inline)) CPU_TARGET_AVX512 __m512i
gather_words(const uint64_t *words, const uint8_t *ranks)
{
	__m256i		index = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *) ranks));

	return _mm512_i32gather_epi64(index, (const void *) words, 8);
}

CPU_TARGET_AVX512 void
ready_column_words(const ReadyHead *head, uint32_t tree, const uint8_t *columns, uint64_t *words)
{
	const ReadyTree *place = (const ReadyTree *) ready_at(head, head->trees) + tree;
	const uint64_t *leaves = (const uint64_t *) ready_at(head, head->words) + place->words;
	uint8_t		ranks[READY_ROWS] __attribute__((aligned(64)));

	_mm512_store_si512(ranks, column_ranks(head, place, columns, true));
	for (int row = 0; row < READY_ROWS; row += 8)
		_mm512_storeu_si512(words + row, gather_words(leaves, ranks + row));
}

CPU_TARGET_AVX512 void
ready_column_scores(const ReadyHead *head, uint32_t tree, const uint8_t *columns, double *scores)
{
	const ReadyTree *place = (const ReadyTree *) ready_at(head, head->trees) + tree;
	const uint64_t *leaves = (const uint64_t *) ready_at(head, head->words) + place->words;
	uint8_t		ranks[READY_ROWS] __attribute__((aligned(64)));

	_mm512_store_si512(ranks, head->n_categories > 0
					   ? column_ranks(head, place, columns, true)
					   : column_ranks(head, place, columns, false));
	for (int row = 0; row < READY_ROWS; row += 8)
		_mm512_storeu_pd(scores + row, _mm512_add_pd(_mm512_loadu_pd(scores + row),
													 _mm512_castsi512_pd(gather_words(leaves, ranks + row))));
}

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
