/*
 * shared_place.c
 *		The memory that models are shared in.
 *
 * A connection that predicts with a large model for the first time touches
 * nearly all of its pages, and the kernel maps 64 kB at a time then: hundreds
 * of interruptions, which take longer than the prediction.  In huge pages it
 * is one for each 2 MB.
 *
 * Linux makes huge pages of shared memory when it is asked to (MADV_COLLAPSE,
 * since 6.1, whatever the system's settings say but "deny").  It takes a
 * mapping that begins at a multiple of them, which PostgreSQL's does not.  So
 * the postmaster maps this memory apart, and its children inherit it.  It can
 * take milliseconds for each, on a virtual machine whose host has to find the
 * memory, so it is no work for somebody who waits for a prediction.  Where
 * the server has reserved huge pages (huge_pages = on), where processes do
 * not inherit mappings, and on other systems, models lie in the server's
 * shared memory.  Whatever the kernel refuses here is no error: pages are
 * small then.
 */
#include "shared_place.h"

#include <sys/mman.h>
#include <unistd.h>

#include "storage/pg_shmem.h"

#define HUGE_PAGE SHARED_PLACE_STEP	/* where pages have 4 kB; elsewhere nothing comes of asking */

#if defined(__linux__) && !defined(MADV_COLLAPSE)
#define MADV_COLLAPSE 25		/* the C library may be older than the kernel */
#endif

#if defined(MADV_COLLAPSE) && !defined(EXEC_BACKEND)

static char *place;				/* what is mapped; NULL: nothing */
static size_t place_size;

/* Maps shared memory at a multiple of HUGE_PAGE: in the midst of a larger run of addresses, which is given back but for it. */
static char *
map_aligned(size_t size)
{
	char	   *room = mmap(NULL, size + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char	   *start = (char *) TYPEALIGN(HUGE_PAGE, room);

	if (room == MAP_FAILED)
		return NULL;
	if (mmap(start, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
	{
		munmap(room, size + HUGE_PAGE);
		return NULL;
	}
	if (start > room)
		munmap(room, (size_t) (start - room));
	munmap(start + size, (size_t) (room + HUGE_PAGE - start));
	return start;
}

/* Maps it. */
void *
shared_place_map(size_t size)
{
	place_size = TYPEALIGN((size_t) sysconf(_SC_PAGESIZE), size);
	place = huge_pages == HUGE_PAGES_ON ? NULL : map_aligned(place_size);
	return place;
}

/* Asks for a huge page; the kernel wants a page of it to be there. */
bool
shared_place_make_huge(size_t offset)
{
	if (place == NULL || offset + HUGE_PAGE > place_size)
		return false;
	(void) *(const volatile char *) (place + offset);
	(void) madvise(place + offset, HUGE_PAGE, MADV_COLLAPSE);
	return true;
}

#else

/* There is nothing to gain. */
void *
shared_place_map(size_t size)
{
	return NULL;
}

/* The same. */
bool
shared_place_make_huge(size_t offset)
{
	return false;
}

#endif

/* Provides pages. */
void
shared_place_populate(void *bytes, size_t size)
{
#ifdef MADV_POPULATE_WRITE
	size_t		page = (size_t) sysconf(_SC_PAGESIZE);
	uintptr_t	first = (uintptr_t) bytes / page * page;

	(void) madvise((void *) first, (uintptr_t) bytes + size - first, MADV_POPULATE_WRITE);
#endif
}
