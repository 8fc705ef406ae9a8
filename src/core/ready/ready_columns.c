/*
 * ready_columns.c
 *		Trees of few leaves for a block of rows at once.
 *
 * The lanes of 64 rows lie next to each other, and each node splits the set
 * of rows that reach it into those of its children; at the end each leaf
 * writes its number to its rows.  A set is a mask of bits with AVX-512, a
 * vector of bytes, all bits of a row's set or none, with AVX2.
 */
#include "ready_layout.h"

#include <string.h>

#include "../cpu.h"

/* Eight by eight bytes: by halves of squares of two, four and eight. */
static inline void
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

#ifdef __x86_64__
#include <immintrin.h>

/* Numbers of the leaves of a tree for READY_ROWS rows, by rank.  masked: a constant. */
static inline __attribute__((always_inline)) CPU_TARGET_AVX512 void
column_ranks_avx512(const ReadyHead *head, const ReadyTree *tree, const uint8_t *columns, bool masked, uint8_t *numbers)
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
	_mm512_store_si512(numbers, ranks);
}

/* The same for half of the rows: 32 columns of bytes each lane. */
static inline __attribute__((always_inline)) CPU_TARGET_AVX2 void
half_ranks_avx2(const ReadyHead *head, const ReadyTree *tree, const uint8_t *columns, uint8_t *numbers)
{
	const ReadySplit *splits = (const ReadySplit *) ready_at(head, head->splits) + tree->splits;
	const uint16_t *leaf_nodes = (const uint16_t *) ready_at(head, head->leaf_nodes) + tree->leaf_nodes;
	__m256i		reached[2 * READY_BLOCK_LEAVES];
	__m256i		ranks = _mm256_setzero_si256();
	__m256i		rank = _mm256_setzero_si256();

	reached[0] = _mm256_set1_epi8(-1);
	for (const ReadySplit *split = splits; split < splits + tree->n_leaves - 1; split++)
	{
		__m256i		lane = _mm256_load_si256((const __m256i *) (columns + (size_t) split->lane * READY_ROWS));
		__m256i		cut = _mm256_set1_epi8((char) split->cut);
		__m256i		here = reached[split->self];

		lane = _mm256_and_si256(lane, _mm256_set1_epi8((char) split->mask));

		/* there is no comparison of unsigned bytes: what is not above the cut leaves it the larger */
		__m256i		left = _mm256_cmpeq_epi8(_mm256_max_epu8(lane, cut), cut);

		reached[split->left] = _mm256_and_si256(here, left);
		reached[split->left + 1] = _mm256_andnot_si256(left, here);
	}
	for (uint32_t i = 1; i < tree->n_leaves; i++)
	{
		rank = _mm256_sub_epi8(rank, _mm256_set1_epi8(-1));
		ranks = _mm256_or_si256(ranks, _mm256_and_si256(reached[leaf_nodes[i]], rank));
	}
	_mm256_store_si256((__m256i *) numbers, ranks);
}

static inline __attribute__((always_inline)) CPU_TARGET_AVX2 void
column_ranks_avx2(const ReadyHead *head, const ReadyTree *tree, const uint8_t *columns, uint8_t *numbers)
{
	for (int half = 0; half < READY_ROWS; half += 32)
		half_ranks_avx2(head, tree, columns + half, numbers + half);
}

/* The numbers of eight rows as 32-bit integers, and their words. */
static inline __attribute__((always_inline)) CPU_TARGET_AVX512 __m512i
gather_words(const uint64_t *words, const uint8_t *ranks)
{
	__m256i		index = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *) ranks));

	return _mm512_i32gather_epi64(index, (const void *) words, 8);
}

/* The words of a tree's leaves. */
static inline const uint64_t *
tree_words(const ReadyHead *head, const ReadyTree *tree)
{
	return (const uint64_t *) ready_at(head, head->words) + tree->words;
}

CPU_TARGET_AVX512 static void
column_words_avx512(const ReadyHead *head, uint32_t tree, const uint8_t *columns, uint64_t *words)
{
	const ReadyTree *place = (const ReadyTree *) ready_at(head, head->trees) + tree;
	uint8_t		ranks[READY_ROWS] __attribute__((aligned(64)));

	column_ranks_avx512(head, place, columns, true, ranks);
	for (int row = 0; row < READY_ROWS; row += 8)
		_mm512_storeu_si512(words + row, gather_words(tree_words(head, place), ranks + row));
}

CPU_TARGET_AVX2 static void
column_words_avx2(const ReadyHead *head, uint32_t tree, const uint8_t *columns, uint64_t *words)
{
	const ReadyTree *place = (const ReadyTree *) ready_at(head, head->trees) + tree;
	uint8_t		ranks[READY_ROWS] __attribute__((aligned(64)));

	column_ranks_avx2(head, place, columns, ranks);
	for (int row = 0; row < READY_ROWS; row++)
		words[row] = tree_words(head, place)[ranks[row]];
}

CPU_TARGET_AVX512 static void
column_scores_avx512(const ReadyHead *head, uint32_t tree, const uint8_t *columns, double *scores)
{
	const ReadyTree *place = (const ReadyTree *) ready_at(head, head->trees) + tree;
	uint8_t		ranks[READY_ROWS] __attribute__((aligned(64)));

	if (head->n_categories > 0)
		column_ranks_avx512(head, place, columns, true, ranks);
	else
		column_ranks_avx512(head, place, columns, false, ranks);
	for (int row = 0; row < READY_ROWS; row += 8)
		_mm512_storeu_pd(scores + row, _mm512_add_pd(_mm512_loadu_pd(scores + row),
													 _mm512_castsi512_pd(gather_words(tree_words(head, place), ranks + row))));
}

CPU_TARGET_AVX2 static void
column_scores_avx2(const ReadyHead *head, uint32_t tree, const uint8_t *columns, double *scores)
{
	const ReadyTree *place = (const ReadyTree *) ready_at(head, head->trees) + tree;
	const double *leaves = (const double *) tree_words(head, place);
	uint8_t		ranks[READY_ROWS] __attribute__((aligned(64)));

	column_ranks_avx2(head, place, columns, ranks);
	for (int row = 0; row < READY_ROWS; row++)
		scores[row] += leaves[ranks[row]];
}

#endif

/* What this machine has for them; NULL: rows are walked. */
ReadyColumnWords
ready_column_words_kernel(void)
{
	switch (cpu_level())
	{
#ifdef __x86_64__
		case CPU_AVX512:
			return column_words_avx512;
		case CPU_AVX2:
			return column_words_avx2;
#endif
		default:
			return NULL;
	}
}

/* The same of their scores. */
ReadyColumnScores
ready_column_scores_kernel(const ReadyHead *head)
{
	if (head->heaps != 0)
		return ready_heap_scores_kernel();
	switch (cpu_level())
	{
#ifdef __x86_64__
		case CPU_AVX512:
			return column_scores_avx512;
		case CPU_AVX2:
			return column_scores_avx2;
#endif
		default:
			return NULL;
	}
}
