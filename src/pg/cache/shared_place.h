/*
 * shared_place.h
 *		The memory that models are shared in, for shared_memory.c only.
 */
#ifndef MLOPS_PG_SHARED_PLACE_H
#define MLOPS_PG_SHARED_PLACE_H

#include "postgres.h"

/* So many bytes that all children of this process, the postmaster, inherit; NULL: they are to be part of the server's shared memory. */
extern void *shared_place_map(size_t size);

/* Has the kernel provide the pages of a run of bytes at once, rather than one by one as they are written. */
extern void shared_place_populate(void *bytes, size_t size);

#define SHARED_PLACE_STEP ((size_t) 2 * 1024 * 1024)

/*
 * Has the kernel provide the step that begins at so many bytes of the memory
 * from shared_place_map() as a huge page, where it has one, whether anybody
 * uses it by now or not; false where no memory was mapped.
 */
extern bool shared_place_make_huge(size_t offset);

#endif
