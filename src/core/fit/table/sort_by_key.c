/*
 * sort_by_key.c
 *		Sorting rows by 64-bit keys on many threads.
 *
 * One parallel pass distributes the items over buckets by the top bits of
 * their keys, then every bucket is sorted by itself.
 * Chunks and buckets are fixed by n, so that the result (which is stable
 * anyway) does not depend on the number of threads.
 */
#include "sort_by_key.h"

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

	sort_digits(sort->spare + start, sort->items + start, sort->starts[bucket + 1] - start, 64 - sort->bucket_bits, true);
}

bool
sort_by_key(SortItem *items, SortItem *spare, size_t n, ThreadPool *pool, Arena *scratch, Error *error)
{
	if (n < SMALL_SORT || pool == NULL)
	{
		sort_items(items, spare, n);
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
