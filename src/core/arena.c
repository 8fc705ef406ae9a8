/*
 * arena.c
 *		Memory of one piece of work: allocated piecewise, freed at once.
 *
 * A list of malloc'ed chunks.  Pieces above a quarter of a chunk get one of
 * their own, put behind the newest so that the shared one goes on filling.
 */
#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ARENA_ALIGNMENT 64
#define ARENA_CHUNK		(256 * 1024)
#define HUGE_PAGE		((uintptr_t) 2 * 1024 * 1024)
#define HUGE_MIN		(4 * HUGE_PAGE)

struct ArenaChunk
{
	ArenaChunk *next;
	size_t		size;			/* bytes behind the header */
	char		padding[ARENA_ALIGNMENT - sizeof(ArenaChunk *) - sizeof(size_t)];
};

_Static_assert(sizeof(ArenaChunk) == ARENA_ALIGNMENT, "data behind the chunk header must be aligned");

void
arena_init(Arena *arena)
{
	arena->chunks = NULL;
	arena->used = 0;
	arena->total = 0;
}

/* Asks for huge pages where a chunk has many: what jumps about in it would wait for the page tables otherwise. */
static void
prefer_huge_pages(void *start, size_t size)
{
#ifdef MADV_HUGEPAGE
	uintptr_t	begin = ((uintptr_t) start + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	uintptr_t	end = ((uintptr_t) start + size) / HUGE_PAGE * HUGE_PAGE;

	/* refused, it stays as it is */
	if (size >= HUGE_MIN)
		(void) madvise((void *) begin, end - begin, MADV_HUGEPAGE);
#else
	(void) start;
	(void) size;
#endif
}

/* A new chunk with room for size bytes (a multiple of the alignment), not yet in the list. */
static ArenaChunk *
chunk_create(Arena *arena, size_t size)
{
	ArenaChunk *chunk = aligned_alloc(ARENA_ALIGNMENT, sizeof(ArenaChunk) + size);

	if (chunk == NULL)
		return NULL;
	prefer_huge_pages(chunk, sizeof(ArenaChunk) + size);
	chunk->size = size;
	arena->total += size;
	return chunk;
}

void *
arena_alloc(Arena *arena, size_t n, size_t size, Error *error)
{
	size_t		bytes;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 2)
	{
		error_set(error, ERROR_MEMORY, "out of memory: %zu items of %zu bytes", n, size);
		return NULL;
	}
	bytes = (bytes + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
	if (bytes == 0)
		bytes = ARENA_ALIGNMENT;

	ArenaChunk *shared = arena->chunks;

	if (shared != NULL && bytes <= shared->size - arena->used)
	{
		void	   *piece = (char *) (shared + 1) + arena->used;

		arena->used += bytes;
		return piece;
	}

	bool		own = bytes > ARENA_CHUNK / 4;
	ArenaChunk *chunk = chunk_create(arena, own ? bytes : ARENA_CHUNK);

	if (chunk == NULL)
	{
		error_set(error, ERROR_MEMORY, "out of memory: failed on a request of %zu bytes", bytes);
		return NULL;
	}
	if (own && shared != NULL)
	{
		chunk->next = shared->next;
		shared->next = chunk;
	}
	else
	{
		chunk->next = shared;
		arena->chunks = chunk;
		arena->used = bytes;
	}
	return chunk + 1;
}

void *
arena_zeroed(Arena *arena, size_t n, size_t size, Error *error)
{
	void	   *piece = arena_alloc(arena, n, size, error);

	if (piece != NULL)
		memset(piece, 0, n * size);
	return piece;
}

void *
arena_copy(Arena *arena, const void *bytes, size_t n, Error *error)
{
	void	   *piece = arena_alloc(arena, n, 1, error);

	if (piece != NULL && n > 0)
		memcpy(piece, bytes, n);
	return piece;
}

void
arena_free(Arena *arena)
{
	for (ArenaChunk *chunk = arena->chunks; chunk != NULL;)
	{
		ArenaChunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
	arena_init(arena);
}
