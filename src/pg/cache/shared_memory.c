/*
 * shared_memory.c
 *		The shared memory that models lie in: their table, and room for their bytes.
 *
 * Where the library is preloaded, mlops.shared_cache_size bytes of shared
 * memory (shared_place.c) are managed as a dynamic shared area that never
 * grows; each process has all of it at hand without mapping anything.  Beside
 * it is a table of entries, fixed in size, too.
 *
 * Pages are provided ahead of their use by a process that nobody waits for,
 * behind what was used so far: that is where the area puts what fits into no
 * gap.  Pages that were used before it came to them become huge ones
 * afterwards.
 *
 * shared_cache->lock protects table and entries; shared_cache.c says how.
 * Functions here want it held exclusively, unless they say otherwise.  The
 * area has locks of its own.
 */
#include "shared_memory.h"

#include <limits.h>

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "shared_place.h"

#define CACHE_NAME "mlops shared cache"
#define BYTES_PER_ENTRY (32 * 1024)	/* of the cache: so many models at most */
#define LEAST_ENTRIES 64
#define PLACE_ALIGNMENT 4096
#define MOST_AHEAD ((size_t) 64 * 1024 * 1024)	/* bytes to prepare behind what is used; at most a quarter of all */

SharedCache *shared_cache;
HTAB	   *shared_entries;
dsa_area   *shared_area;

static int	shared_cache_size;	/* mlops.shared_cache_size, kB */
static void *mapped;			/* memory of our own; NULL: part of the server's */

static shmem_request_hook_type earlier_shmem_request;
static shmem_startup_hook_type earlier_shmem_startup;

/* Bytes of the area: all of the setting. */
static size_t
place_size(void)
{
	return Max((size_t) shared_cache_size * 1024, dsa_minimum_size());
}

/* Models that there is an entry for. */
static long
max_entries(void)
{
	return Max((long) (place_size() / BYTES_PER_ENTRY), LEAST_ENTRIES);
}

/* Asks for shared memory while the server starts. */
static void
request_memory(void)
{
	if (earlier_shmem_request != NULL)
		earlier_shmem_request();
	if (shared_cache_size == 0)
		return;
	RequestAddinShmemSpace(MAXALIGN(sizeof(SharedCache)));
	mapped = shared_place_map(place_size());
	if (mapped == NULL)
		RequestAddinShmemSpace(add_size(place_size(), PLACE_ALIGNMENT));
	RequestAddinShmemSpace(hash_estimate_size(max_entries(), sizeof(SharedModel)));
	RequestNamedLWLockTranche(CACHE_NAME, 1);
}

/* Makes the area; what is allocated in it does not belong to the process that makes it. */
static void
make_area(void)
{
	dsa_area   *made = dsa_create_in_place(shared_cache->place, shared_cache->size, shared_cache->lock->tranche, NULL);

	dsa_pin(made);
	dsa_set_size_limit(made, shared_cache->size);
	dsa_detach(made);
}

/* Lays out shared memory, or finds it, in a process that does not inherit what the postmaster has. */
static void
start_memory(void)
{
	HASHCTL		control = {.keysize = sizeof(SharedKey), .entrysize = sizeof(SharedModel)};
	bool		found;

	if (earlier_shmem_startup != NULL)
		earlier_shmem_startup();
	shared_cache = NULL;
	if (shared_cache_size == 0)
		return;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared_cache = ShmemInitStruct(CACHE_NAME, sizeof(SharedCache), &found);
	shared_entries = ShmemInitHash(CACHE_NAME " entries", max_entries(), max_entries(), &control, HASH_ELEM | HASH_BLOBS | HASH_FIXED_SIZE);

	if (!found)
	{
		void	   *place = mapped;

		if (place == NULL)
			place = ShmemInitStruct(CACHE_NAME " models", add_size(place_size(), PLACE_ALIGNMENT), &found);
		shared_cache->lock = &GetNamedLWLockTranche(CACHE_NAME)->lock;
		ConditionVariableInit(&shared_cache->loaded);
		shared_cache->place = (void *) TYPEALIGN(PLACE_ALIGNMENT, place);
		shared_cache->size = place_size();
		shared_cache->used = shared_cache->prepared = 0;
		shared_cache->preparer = NULL;
		make_area();
	}
	LWLockRelease(AddinShmemInitLock);
}

/* Frees the bytes of an entry. */
void
shared_memory_empty(SharedModel *shared)
{
	dsa_free(shared_area, shared->artifact);
	if (DsaPointerIsValid(shared->ready))
		dsa_free(shared_area, shared->ready);
	shared->artifact = shared->ready = InvalidDsaPointer;
	shared->state = SHARED_EMPTY;
}

/*
 * Removes an entry.  The flag is written before the pins are read, and whoever
 * gives a pin back does the reverse: one of the two sees the other.
 */
void
shared_memory_remove(SharedModel *shared)
{
	shared->forgotten = true;
	pg_memory_barrier();
	if (pg_atomic_read_u32(&shared->pins) > 0)
		return;
	if (shared->state == SHARED_READY)
		shared_memory_empty(shared);
	hash_search(shared_entries, &shared->key, HASH_REMOVE, NULL);
}

/* Leaves the area: the process exits. */
static void
leave_area(int code, Datum unused)
{
	shared_area = NULL;
	dsa_release_in_place(shared_cache->place);
}

/* Attaches the area. */
void
shared_memory_attach(void)
{
	if (shared_area != NULL)
		return;

	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	shared_area = dsa_attach_in_place(shared_cache->place, NULL);
	MemoryContextSwitchTo(old);
	on_shmem_exit(leave_area, (Datum) 0);
}

/* By the time of their last use. */
static int
compare_last_use(const void *a, const void *b)
{
	uint64		one = pg_atomic_read_u64(&(*(SharedModel *const *) a)->last_use);
	uint64		other = pg_atomic_read_u64(&(*(SharedModel *const *) b)->last_use);

	return one < other ? -1 : one > other;
}

/* The entries that nobody uses, EMPTY and READY ones, the one used longest ago first; palloc'ed. */
static SharedModel **
unused_entries(int *n)
{
	SharedModel **unused = palloc((hash_get_num_entries(shared_entries) + 1) * sizeof(SharedModel *));
	HASH_SEQ_STATUS scan;
	SharedModel *shared;

	*n = 0;
	hash_seq_init(&scan, shared_entries);
	while ((shared = hash_seq_search(&scan)) != NULL)
	{
		if (shared->state != SHARED_LOADING && pg_atomic_read_u32(&shared->pins) == 0)
			unused[(*n)++] = shared;
	}
	qsort(unused, *n, sizeof(SharedModel *), compare_last_use);
	return unused;
}

/* Bytes that cannot be freed now. */
static size_t
size_in_use(void)
{
	HASH_SEQ_STATUS scan;
	size_t		size = 0;
	SharedModel *shared;

	hash_seq_init(&scan, shared_entries);
	while ((shared = hash_seq_search(&scan)) != NULL)
	{
		if (shared->state == SHARED_LOADING || (shared->state == SHARED_READY && pg_atomic_read_u32(&shared->pins) > 0))
			size += shared->size;
	}
	return size;
}

/* Whether there are pages to prepare. */
static bool
is_unprepared(void)
{
	return shared_cache->prepared < Min(shared_cache->size, shared_cache->used + Min(shared_cache->size / 4, MOST_AHEAD));
}

/* Notes an allocation, and has pages behind it prepared. */
static dsa_pointer
note_use(dsa_pointer bytes, size_t size)
{
	size_t		end = (size_t) ((char *) dsa_get_address(shared_area, bytes) - (char *) shared_cache->place) + size;

	shared_cache->used = Max(shared_cache->used, end);
	if (shared_cache->preparer != NULL && is_unprepared())
		SetLatch(shared_cache->preparer);
	return bytes;
}

/* The process that prepares pages exits. */
static void
leave_unprepared(int code, Datum unused)
{
	LWLockAcquire(shared_cache->lock, LW_EXCLUSIVE);
	shared_cache->preparer = NULL;
	LWLockRelease(shared_cache->lock);
}

/* Enters this process. */
void
shared_memory_attend(void)
{
	if (shared_cache == NULL)
		return;
	on_shmem_exit(leave_unprepared, (Datum) 0);
	LWLockAcquire(shared_cache->lock, LW_EXCLUSIVE);
	shared_cache->preparer = MyLatch;
	LWLockRelease(shared_cache->lock);
}

/* Prepares a step, without the lock meanwhile: a model may be written there. */
bool
shared_memory_prepare(void)
{
	bool		wanted;
	size_t		offset;

	if (shared_cache == NULL)
		return false;
	LWLockAcquire(shared_cache->lock, LW_SHARED);
	wanted = is_unprepared();
	offset = shared_cache->prepared;
	LWLockRelease(shared_cache->lock);
	if (!wanted || !shared_place_make_huge(offset))
		return false;
	LWLockAcquire(shared_cache->lock, LW_EXCLUSIVE);
	shared_cache->prepared = Max(shared_cache->prepared, offset + SHARED_PLACE_STEP);
	LWLockRelease(shared_cache->lock);
	return true;
}

/* Allocates, evicting what it takes; nothing is evicted for what cannot fit anyway. */
dsa_pointer
shared_memory_allocate(size_t size)
{
	dsa_pointer bytes;
	SharedModel **victims;
	int			n;

	if (size > shared_cache->size || size_in_use() > shared_cache->size - size)
		return InvalidDsaPointer;
	bytes = dsa_allocate_extended(shared_area, size, DSA_ALLOC_HUGE | DSA_ALLOC_NO_OOM);
	if (DsaPointerIsValid(bytes))
		return note_use(bytes, size);

	victims = unused_entries(&n);
	for (int i = 0; i < n && !DsaPointerIsValid(bytes); i++)
	{
		if (victims[i]->state != SHARED_READY)
			continue;
		shared_memory_empty(victims[i]);
		bytes = dsa_allocate_extended(shared_area, size, DSA_ALLOC_HUGE | DSA_ALLOC_NO_OOM);
	}
	pfree(victims);
	return DsaPointerIsValid(bytes) ? note_use(bytes, size) : bytes;
}

/* Has the kernel provide the pages of an allocation that are not there yet: huge ones only where nobody else will see to it. */
void *
shared_memory_populate(dsa_pointer bytes, size_t size)
{
	char	   *place = dsa_get_address(shared_area, bytes);

	if (shared_cache->preparer == NULL)
	{
		while (shared_cache->prepared < (size_t) (place - (char *) shared_cache->place) + size && shared_memory_prepare())
			CHECK_FOR_INTERRUPTS();
	}
	shared_place_populate(place, size);
	return place;
}

/* A new entry, EMPTY, instead of the oldest where the table is full; NULL where all are in use. */
SharedModel *
shared_memory_entry(const SharedKey *key)
{
	SharedModel *shared = hash_search(shared_entries, key, HASH_ENTER_NULL, NULL);

	if (shared == NULL)
	{
		int			n;
		SharedModel **victims = unused_entries(&n);

		if (n > 0)
			shared_memory_remove(victims[0]);
		pfree(victims);
		shared = hash_search(shared_entries, key, HASH_ENTER_NULL, NULL);
		if (shared == NULL)
			return NULL;
	}
	shared->state = SHARED_EMPTY;
	shared->refused = false;
	shared->forgotten = false;
	shared->artifact = InvalidDsaPointer;
	shared->ready = InvalidDsaPointer;
	shared->size = 0;
	shared->loads = 0;
	pg_atomic_init_u32(&shared->pins, 0);
	pg_atomic_init_u64(&shared->hits, 0);
	pg_atomic_init_u64(&shared->last_use, 0);
	return shared;
}

/* Copies what the view shows; takes the lock. */
SharedModelState *
shared_cache_list(int *n)
{
	HASH_SEQ_STATUS scan;
	SharedModel *shared;
	SharedModelState *list;

	*n = 0;
	if (shared_cache == NULL)
		return NULL;
	list = palloc_extended(max_entries() * sizeof(SharedModelState), MCXT_ALLOC_HUGE);
	LWLockAcquire(shared_cache->lock, LW_SHARED);
	hash_seq_init(&scan, shared_entries);
	while ((shared = hash_seq_search(&scan)) != NULL)
	{
		SharedModelState *state = &list[*n];

		if (shared->state == SHARED_EMPTY)
			continue;
		state->loading = shared->state == SHARED_LOADING;
		state->database = shared->key.database;
		memcpy(state->sha256, shared->key.sha256, REGISTRY_HASH_SIZE);
		state->size = shared->size;
		state->loads = shared->loads;
		state->hits = (int64) pg_atomic_read_u64(&shared->hits);
		state->pins = (int) pg_atomic_read_u32(&shared->pins);
		state->last_use = (TimestampTz) pg_atomic_read_u64(&shared->last_use);
		(*n)++;
	}
	LWLockRelease(shared_cache->lock);
	return list;
}

/* Defines the setting; asks for memory where the server is starting. */
void
shared_memory_init(void)
{
	bool		preloaded = process_shared_preload_libraries_in_progress;

	DefineCustomIntVariable("mlops.shared_cache_size",
							"Shared memory that the server keeps models in.",
							"It takes shared_preload_libraries = 'mlops'. 0: each connection keeps its own.",
							&shared_cache_size, 256 * 1024, 0, MAX_KILOBYTES,
							preloaded ? PGC_POSTMASTER : PGC_SIGHUP, GUC_UNIT_KB, NULL, NULL, NULL);
	if (!preloaded)
		return;
	earlier_shmem_request = shmem_request_hook;
	shmem_request_hook = request_memory;
	earlier_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = start_memory;
}
