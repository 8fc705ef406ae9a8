/*
 * arena.h
 *		Memory of one piece of work: allocated piecewise, freed at once.
 *
 * Everything a fit allocates belongs to an Arena; arena_free() gives it back
 * whether the fit succeeded or not.  Small pieces share chunks, large ones
 * have their own; all are aligned to 64 bytes.  Not thread safe: allocate
 * before the threads start.
 */
#ifndef MLOPS_CORE_ARENA_H
#define MLOPS_CORE_ARENA_H

#include <stddef.h>

#include "error.h"

typedef struct ArenaChunk ArenaChunk;

typedef struct Arena
{
	ArenaChunk *chunks;			/* newest first */
	size_t		used;			/* of the newest shared chunk, bytes */
	size_t		total;			/* bytes of all chunks */
} Arena;

extern void arena_init(Arena *arena);

/* n * size bytes, uninitialised, 64-byte aligned; NULL and ERROR_MEMORY (with the size) on overflow or no memory. */
extern void *arena_alloc(Arena *arena, size_t n, size_t size, Error *error);

/* The same, zeroed. */
extern void *arena_zeroed(Arena *arena, size_t n, size_t size, Error *error);

/* A copy of n bytes. */
extern void *arena_copy(Arena *arena, const void *bytes, size_t n, Error *error);

/* Frees all of it; the Arena is empty again. */
extern void arena_free(Arena *arena);

#endif
