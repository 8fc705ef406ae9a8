/*
 * partition.c
 *		Dividing the rows of nodes among their children.
 *
 * In chunks: first every row's direction is looked up and kept as a bit, and
 * left rows are counted; then each chunk knows where its rows go, and moves
 * them.
 */
#include "partition.h"

#include <string.h>

#include "../../cpu.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define CHUNK_ROWS	8192
#define CHUNK_WORDS (CHUNK_ROWS / 64)

typedef struct PartitionChunk
{
	PartitionNode *node;
	size_t		begin;
	size_t		end;
	size_t		left;			/* first: left rows in it; then: where its first left row goes */
	size_t		right;			/* where its first right row goes */
} PartitionChunk;

/* Chunks of any nodes so many, with so many rows in all. */
static inline size_t
chunks_for(size_t n_rows, size_t max_nodes)
{
	return n_rows / CHUNK_ROWS + max_nodes;
}

/* Chunks and their masks. */
bool
partition_init(Partition *partition, const BinnedMatrix *bins, size_t n_rows, size_t max_nodes, Arena *arena, Error *error)
{
	partition->bins = bins;
	partition->scores = NULL;
	partition->wide = false;
	partition->max_chunks = chunks_for(n_rows, max_nodes);
	partition->chunks = arena_alloc(arena, partition->max_chunks, sizeof(PartitionChunk), error);
	partition->masks = arena_alloc(arena, partition->max_chunks, CHUNK_WORDS * sizeof(uint64_t), error);
	return partition->chunks != NULL && partition->masks != NULL;
}

/* Bytes of these. */
uint64_t
partition_memory(uint64_t n_rows, uint64_t max_nodes)
{
	return chunks_for(n_rows, max_nodes) * (sizeof(PartitionChunk) + CHUNK_WORDS * sizeof(uint64_t));
}

/* Directions of 8 rows at `place` of the list, or of the column itself, in 8 bits. */
#define DIRECTION(i) ((uint64_t) goes_left[column[rows != NULL ? rows[place + (i)] : place + (i)]] << (i))
#define EIGHT_DIRECTIONS \
	(DIRECTION(0) | DIRECTION(1) | DIRECTION(2) | DIRECTION(3) | DIRECTION(4) | DIRECTION(5) | DIRECTION(6) | DIRECTION(7))

/* Directions of n <= 64 rows, row begin + i in bit i; vector gathers are slower than this. */
static inline __attribute__((always_inline)) uint64_t
direction_bits(const uint8_t *column, const uint8_t *goes_left, const uint32_t *rows, size_t begin, size_t n)
{
	uint64_t	bits = 0;
	size_t		i = 0;

	for (; i + 8 <= n; i += 8)
	{
		size_t		place = begin + i;

		bits |= EIGHT_DIRECTIONS << i;
	}
	for (; i < n; i++)
	{
		size_t		place = begin;

		bits |= DIRECTION(i);
	}
	return bits;
}

/* The same of wide features: by comparison, or by the set. */
static inline __attribute__((always_inline)) uint64_t
wide_direction_bits(const uint16_t *column, const PartitionNode *node, size_t begin, size_t n)
{
	const uint32_t *rows = node->from->rows;
	uint64_t	missing_left = node->split->missing_left;
	uint32_t	last = node->split->bin;
	uint64_t	bits = 0;

	for (size_t i = 0; i < n; i++)
	{
		uint32_t	bin = column[rows != NULL ? rows[begin + i] : begin + i];
		uint64_t	is_left = node->set != NULL ? split_set_has(node->set, bin) :
			bin == BIN_MISSING ? missing_left : bin <= last;

		bits |= is_left << i;
	}
	return bits;
}

/* Raises the scores of up to 64 rows. */
static inline void
raise_scores(float *scores, const PartitionNode *node, size_t begin, size_t n, uint64_t bits)
{
	const float values[2] = {node->right_value, node->left_value};
	const uint32_t *rows = node->from->rows;

	for (size_t i = 0; i < n; i++)
		scores[rows != NULL ? rows[begin + i] : begin + i] += values[bits >> i & 1];
}

/* Task: directions of a chunk; for last nodes, scores too. */
static void
direct_chunk(void *argument, size_t task)
{
	const Partition *partition = argument;
	PartitionChunk *chunk = &partition->chunks[task];
	const PartitionNode *node = chunk->node;
	uint64_t   *mask = partition->masks + task * CHUNK_WORDS;
	const BinFeature *feature = &partition->bins->features[node->split->feature];
	const uint8_t *column = feature->wide ? NULL : bins_column(partition->bins, feature);
	const uint16_t *wide_column = feature->wide ? bins_wide_column(partition->bins, feature) : NULL;
	const uint32_t *rows = node->from->rows;
	uint8_t		goes_left[BINS_MAX];
	size_t		n_left = 0;

	if (!feature->wide)
		split_directions(node->split, goes_left);
	for (size_t begin = chunk->begin; begin < chunk->end; begin += 64)
	{
		size_t		n = chunk->end - begin < 64 ? chunk->end - begin : 64;
		uint64_t	bits = feature->wide ? wide_direction_bits(wide_column, node, begin, n) :
			rows != NULL ? direction_bits(column, goes_left, rows, begin, n) :
			direction_bits(column, goes_left, NULL, begin, n);

		*mask++ = bits;
		n_left += (size_t) __builtin_popcountll(bits);
		if (node->is_last)
			raise_scores(partition->scores, node, begin, n, bits);
	}
	chunk->left = n_left;
}

/* Moves rows i of a list with their derivatives to where they belong. */
static void
move_plain(const PartitionChunk *chunk, const uint64_t *mask, bool wide)
{
	const RowList *from = chunk->node->from;
	const RowList *to = chunk->node->to;
	size_t		left = chunk->left;
	size_t		right = chunk->right;

	for (size_t i = chunk->begin; i < chunk->end; i++)
	{
		size_t		offset = i - chunk->begin;
		bool		is_left = mask[offset / 64] >> (offset % 64) & 1;
		size_t		place = is_left ? left++ : right++;

		to->rows[place] = from->rows != NULL ? from->rows[i] : (uint32_t) i;
		to->first[place] = from->first[i];
		if (wide)
			to->second[place] = from->second[i];
	}
}

#ifdef __x86_64__

/* Writes the words chosen by a mask side by side. */
CPU_TARGET_AVX512 static inline void
store_chosen(void *out, __mmask16 chosen, __mmask16 low, __m512i words)
{
	_mm512_mask_storeu_epi32(out, low, _mm512_maskz_compress_epi32(chosen, words));
}

/* The same, 16 rows at a time. */
CPU_TARGET_AVX512 static void
move_avx512(const PartitionChunk *chunk, const uint64_t *mask, bool wide)
{
	const RowList *from = chunk->node->from;
	const RowList *to = chunk->node->to;
	const __m512i numbers = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	size_t		left = chunk->left;
	size_t		right = chunk->right;

	for (size_t i = chunk->begin; i < chunk->end; i += 16)
	{
		size_t		offset = i - chunk->begin;
		size_t		n = chunk->end - i < 16 ? chunk->end - i : 16;
		__mmask16	valid = (__mmask16) ((1u << n) - 1);
		__mmask16	is_left = (__mmask16) (mask[offset / 64] >> (offset % 64)) & valid;
		__mmask16	is_right = (__mmask16) (valid & ~is_left);
		size_t		n_left = (size_t) __builtin_popcount(is_left);
		__mmask16	low_left = (__mmask16) ((1u << n_left) - 1);
		__mmask16	low_right = (__mmask16) ((1u << (n - n_left)) - 1);
		__m512i		rows = from->rows != NULL ? _mm512_maskz_loadu_epi32(valid, from->rows + i) :
			_mm512_add_epi32(_mm512_set1_epi32((int) i), numbers);
		__m512i		first = _mm512_maskz_loadu_epi32(valid, from->first + i);

		store_chosen(to->rows + left, is_left, low_left, rows);
		store_chosen(to->rows + right, is_right, low_right, rows);
		store_chosen(to->first + left, is_left, low_left, first);
		store_chosen(to->first + right, is_right, low_right, first);
		if (wide)
		{
			__m512i		second = _mm512_maskz_loadu_epi32(valid, from->second + i);

			store_chosen(to->second + left, is_left, low_left, second);
			store_chosen(to->second + right, is_right, low_right, second);
		}
		left += n_left;
		right += n - n_left;
	}
}

#endif

/* Task: moves a chunk. */
static void
move_chunk(void *argument, size_t task)
{
	const Partition *partition = argument;
	const PartitionChunk *chunk = &partition->chunks[task];
	const uint64_t *mask = partition->masks + task * CHUNK_WORDS;

	if (chunk->node->is_last)
		return;
#ifdef __x86_64__
	if (cpu_level() == CPU_AVX512)
	{
		move_avx512(chunk, mask, partition->wide);
		return;
	}
#endif
	move_plain(chunk, mask, partition->wide);
}

/* Directions, places, moves. */
void
partition_nodes(Partition *partition, PartitionNode *nodes, size_t n, ThreadPool *pool)
{
	size_t		n_chunks = 0;
	bool		any_moves = false;

	for (size_t k = 0; k < n; k++)
	{
		for (size_t begin = nodes[k].begin; begin < nodes[k].end; begin += CHUNK_ROWS)
		{
			partition->chunks[n_chunks++] = (PartitionChunk)
			{
				.node = &nodes[k],
				.begin = begin,
				.end = nodes[k].end - begin < CHUNK_ROWS ? nodes[k].end : begin + CHUNK_ROWS
			};
		}
		any_moves |= !nodes[k].is_last;
	}
	pool_for(pool, n_chunks, direct_chunk, partition);

	for (size_t k = 0, c = 0; k < n; k++)
	{
		PartitionNode *node = &nodes[k];
		size_t		first = c;

		node->n_left = 0;
		for (; c < n_chunks && partition->chunks[c].node == node; c++)
			node->n_left += partition->chunks[c].left;

		size_t		left = node->begin;
		size_t		right = node->begin + node->n_left;

		for (size_t i = first; i < c; i++)
		{
			PartitionChunk *chunk = &partition->chunks[i];
			size_t		n_left = chunk->left;

			chunk->left = left;
			chunk->right = right;
			left += n_left;
			right += chunk->end - chunk->begin - n_left;
		}
	}
	if (any_moves)
		pool_for(pool, n_chunks, move_chunk, partition);
}
