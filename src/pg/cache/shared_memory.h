/*
 * shared_memory.h
 *		The shared memory that models lie in, for the files of the shared cache only.
 */
#ifndef MLOPS_PG_SHARED_MEMORY_H
#define MLOPS_PG_SHARED_MEMORY_H

#include "shared_cache.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "utils/dsa.h"
#include "utils/hsearch.h"

/* What entries are found by.  No padding: it is hashed as bytes. */
typedef struct SharedKey
{
	Oid			database;
	uint8		sha256[REGISTRY_HASH_SIZE];
} SharedKey;

StaticAssertDecl(sizeof(SharedKey) == sizeof(Oid) + REGISTRY_HASH_SIZE, "keys are compared as bytes");

/* The key of a model in the current database. */
static inline void
shared_key_init(SharedKey *key, const uint8 *sha256)
{
	key->database = MyDatabaseId;
	memcpy(key->sha256, sha256, REGISTRY_HASH_SIZE);
}

typedef enum SharedState
{
	SHARED_EMPTY,				/* no bytes */
	SHARED_LOADING,				/* bytes that one process writes */
	SHARED_READY				/* a valid model, never written again */
} SharedState;

/* An entry. */
struct SharedModel
{
	SharedKey	key;
	SharedState state;
	bool		refused;		/* the log says that it did not fit */
	bool		forgotten;		/* to be freed by whoever gives the last pin back */
	dsa_pointer artifact;		/* not EMPTY: its bytes, length word included */
	dsa_pointer ready;			/* the memory of its ready form; invalid: it has none, or there was no room */
	size_t		size;			/* of both */
	int64		loads;
	pg_atomic_uint32 pins;
	pg_atomic_uint64 hits;
	pg_atomic_uint64 last_use;	/* TimestampTz */
};

/* What is shared beside the table. */
typedef struct SharedCache
{
	LWLock	   *lock;
	ConditionVariable loaded;	/* some model is no longer LOADING */
	void	   *place;			/* of the area */
	size_t		size;
	size_t		used;			/* of it, from its beginning on, some time or other */
	size_t		prepared;		/* of it, a multiple of SHARED_PLACE_STEP: has pages, as huge as they come */
	Latch	   *preparer;		/* who sees to that; NULL: nobody */
} SharedCache;

extern SharedCache *shared_cache;	/* NULL: there is none */
extern HTAB *shared_entries;	/* SharedKey to SharedModel */
extern dsa_area *shared_area;	/* NULL until this process needs it */

/* Defines mlops.shared_cache_size, and asks for the memory where the library is preloaded. */
extern void shared_memory_init(void);

/* Attaches the area, once a process. */
extern void shared_memory_attach(void);

/* From now on this process prepares pages: it is woken where there are some to prepare. */
extern void shared_memory_attend(void);

/* Prepares the next pages, some milliseconds' work at most; false where there is nothing to do. */
extern bool shared_memory_prepare(void);

/* ---- With the lock held exclusively ---- */

/* Frees the bytes of an entry; its counters stay. */
extern void shared_memory_empty(SharedModel *shared);

/* Removes an entry that is not LOADING, where nobody uses it; else whoever gives the last pin back is to do it. */
extern void shared_memory_remove(SharedModel *shared);

/* Memory for so many bytes, by evicting what nobody uses; invalid where that is not enough, and then nothing is evicted if that can be foreseen. */
extern dsa_pointer shared_memory_allocate(size_t size);

/* Where an allocation lies, which is going to be written as a whole, with its pages: wants no lock. */
extern void *shared_memory_populate(dsa_pointer bytes, size_t size);

/* A new entry, EMPTY, perhaps instead of an unused one; NULL where all are in use. */
extern SharedModel *shared_memory_entry(const SharedKey *key);

#endif
