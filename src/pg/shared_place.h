/*
 * shared_place.h
 *		The memory that models are shared in, for shared_memory.c only.
 */
#ifndef MLOPS_PG_SHARED_PLACE_H
#define MLOPS_PG_SHARED_PLACE_H

#include "postgres.h"

/* So many bytes that all children of this process, the postmaster, inherit; NULL: they are to be part of the server's shared memory. */
extern void *shared_place_map(size_t size);

/*
 * Has the kernel provide the pages of a run of bytes at once, rather than one
 * by one as they are written: huge ones for those of a large run, where it
 * lies in memory from shared_place_map(), and the kernel has some.
 */
extern void shared_place_populate(void *bytes, size_t size);

#endif
