/*
 * sort.c
 *		Sorting rows by 64-bit keys, and by comparison where keys are equal.
 *
 * By key: one parallel pass distributes the items over buckets by the top
 * bits of their keys, then every bucket is sorted by itself, digit by digit
 * from the top (MSD radix sort), down to runs short enough for insertion.
 * Chunks and buckets are fixed by n, so that the result (which is stable
 * anyway) does not depend on the number of threads.
 */
#include "sort.h"

#include <string.h>

#define DIGIT_BITS 8
#define DIGITS (1 << DIGIT_BITS)
#define INSERTION_MAX 24
#define SMALL_SORT 8192			/* below, one thread sorts all of it */
#define MIN_CHUNK 65536			/* items a task of the first pass, at least */
#define MAX_CHUNKS 64
#define BUCKET_ITEMS_LOG 9		/* aimed for */
#define MAX_BUCKET_BITS 11

typedef struct KeySort
{
	SortItem   *items;
	SortItem   *spare;
	size_t		n;
	size_t		chunk_size;
	size_t		n_chunks;
	int			bucket_bits;
	uint32_t   *places;			/* n_chunks x buckets: counts, then where the next item goes */
	uint32_t   *starts;			/* buckets + 1 */
} KeySort;

static void
insertion_sort(SortItem *items, size_t n)
{
	for (size_t i = 1; i < n; i++)
	{
		SortItem	item = items[i];
		size_t		j = i;

		for (; j > 0 && items[j - 1].key > item.key; j--)
			items[j] = items[j - 1];
		items[j] = item;
	}
}

/* Sorts by the lowest `bits` bits of the keys, the others being equal; the result is in `other` where wanted. */
static void
radix_sort(SortItem *items, SortItem *other, size_t n, int bits, bool into_other)
{
	if (n <= INSERTION_MAX || bits == 0)
	{
		if (bits > 0)
			insertion_sort(items, n);
		if (into_other)
			memcpy(other, items, n * sizeof(SortItem));
		return;
	}

	int			shift = bits > DIGIT_BITS ? bits - DIGIT_BITS : 0;
	uint32_t	mask = (1u << (bits - shift)) - 1;
	uint32_t	counts[DIGITS] = {0};
	uint32_t	places[DIGITS];
	uint32_t	sum = 0;

	for (size_t i = 0; i < n; i++)
		counts[(items[i].key >> shift) & mask]++;
	if (counts[(items[0].key >> shift) & mask] == n)
	{
		radix_sort(items, other, n, shift, into_other);
		return;
	}
	for (uint32_t d = 0; d <= mask; d++)
	{
		places[d] = sum;
		sum += counts[d];
	}
	for (size_t i = 0; i < n; i++)
		other[places[(items[i].key >> shift) & mask]++] = items[i];
	for (uint32_t d = 0, start = 0; d <= mask; start += counts[d++])
	{
		if (counts[d] > 0)
			radix_sort(other + start, items + start, counts[d], shift, !into_other);
	}
}

static size_t
chunk_end(const KeySort *sort, size_t chunk)
{
	size_t		end = (chunk + 1) * sort->chunk_size;

	return end < sort->n ? end : sort->n;
}

/* Step 1: how many items of a chunk each bucket gets. */
static void
count_chunk(void *argument, size_t chunk)
{
	const KeySort *sort = argument;
	uint32_t   *counts = sort->places + (chunk << sort->bucket_bits);
	int			shift = 64 - sort->bucket_bits;

	for (size_t i = chunk * sort->chunk_size; i < chunk_end(sort, chunk); i++)
		counts[sort->items[i].key >> shift]++;
}

/* Step 2: places in the order bucket, chunk, item. */
static void
place_buckets(const KeySort *sort)
{
	size_t		n_buckets = (size_t) 1 << sort->bucket_bits;
	uint32_t	sum = 0;

	for (size_t b = 0; b < n_buckets; b++)
	{
		sort->starts[b] = sum;
		for (size_t chunk = 0; chunk < sort->n_chunks; chunk++)
		{
			uint32_t   *place = &sort->places[(chunk << sort->bucket_bits) + b];
			uint32_t	count = *place;

			*place = sum;
			sum += count;
		}
	}
	sort->starts[n_buckets] = sum;
}

/* Step 3: the items of a chunk go to their buckets. */
static void
scatter_chunk(void *argument, size_t chunk)
{
	const KeySort *sort = argument;
	uint32_t   *places = sort->places + (chunk << sort->bucket_bits);
	int			shift = 64 - sort->bucket_bits;

	for (size_t i = chunk * sort->chunk_size; i < chunk_end(sort, chunk); i++)
		sort->spare[places[sort->items[i].key >> shift]++] = sort->items[i];
}

/* Step 4: each bucket by itself, back to where the items were. */
static void
sort_bucket(void *argument, size_t bucket)
{
	const KeySort *sort = argument;
	size_t		start = sort->starts[bucket];

	radix_sort(sort->spare + start, sort->items + start, sort->starts[bucket + 1] - start, 64 - sort->bucket_bits, true);
}

bool
sort_by_key(SortItem *items, SortItem *spare, size_t n, ThreadPool *pool, Arena *scratch, Error *error)
{
	if (n < SMALL_SORT || pool == NULL)
	{
		radix_sort(items, spare, n, 64, false);
		return true;
	}

	KeySort		sort = {.items = items,.spare = spare,.n = n};

	sort.chunk_size = n / MAX_CHUNKS + 1;
	if (sort.chunk_size < MIN_CHUNK)
		sort.chunk_size = MIN_CHUNK;
	sort.n_chunks = (n + sort.chunk_size - 1) / sort.chunk_size;
	sort.bucket_bits = 1;
	while (sort.bucket_bits < MAX_BUCKET_BITS && (n >> (sort.bucket_bits + BUCKET_ITEMS_LOG)) > 1)
		sort.bucket_bits++;

	size_t		n_buckets = (size_t) 1 << sort.bucket_bits;

	sort.places = arena_zeroed(scratch, sort.n_chunks * n_buckets, sizeof(uint32_t), error);
	sort.starts = arena_alloc(scratch, n_buckets + 1, sizeof(uint32_t), error);
	if (sort.places == NULL || sort.starts == NULL)
		return false;

	pool_for(pool, sort.n_chunks, count_chunk, &sort);
	place_buckets(&sort);
	pool_for(pool, sort.n_chunks, scatter_chunk, &sort);
	pool_for(pool, n_buckets, sort_bucket, &sort);
	return true;
}

void
sort_by_comparison(SortItem *items, SortItem *spare, size_t n, SortCompare compare, const void *context)
{
	if (n < 2)
		return;

	size_t		half = n / 2;

	sort_by_comparison(items, spare, half, compare, context);
	sort_by_comparison(items + half, spare, n - half, compare, context);
	memcpy(spare, items, half * sizeof(SortItem));
	for (size_t left = 0, right = half, out = 0; left < half; out++)
	{
		if (right < n && compare(&items[right], &spare[left], context) < 0)
			items[out] = items[right++];
		else
			items[out] = spare[left++];
	}
}

uint64_t
sort_text_key(const char *text, size_t length)
{
	uint64_t	key = 0;

	memcpy(&key, text, length < sizeof(key) ? length : sizeof(key));
	return __builtin_bswap64(key);
}

int
text_compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t		common = a_length < b_length ? a_length : b_length;
	int			order = common == 0 ? 0 : memcmp(a, b, common);

	return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}
