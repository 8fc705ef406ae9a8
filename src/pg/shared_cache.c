/*
 * shared_cache.c
 *		Models in the server's shared memory: one copy for all connections.
 *
 * Where the library is preloaded, mlops.shared_cache_size bytes of the main
 * shared memory are managed as a dynamic shared area that never grows.  The
 * bytes of models lie there, found by their hash in a table beside it; each
 * process has them at hand without mapping anything.  A model is loaded and
 * validated by the first that needs it, while others wait; after that, using
 * it costs a look-up.
 *
 * The key is the hash and the database: a database trusts its own registry
 * only, and dropping it frees what is its own.
 *
 * cache->lock protects the table and its entries.  Exclusively held, entries
 * are made, removed and change their state; shared, they are found and
 * pinned.  The counters are atomic, and pins are given back without the lock.
 * Only what has no pins is evicted, least recently used first.
 *
 * An entry that is LOADING belongs to the process that loads it: nobody else
 * reads its bytes or changes it.  That process waits for no heavyweight lock
 * meanwhile, for it took them before, so that those who wait for it cannot
 * wait for themselves.  Where it fails or dies it makes the entry EMPTY, and
 * of those who waited one takes over.  EMPTY entries keep the counters of
 * what was evicted, until their place is needed.
 *
 * A process that is killed takes the server down with it, as always in
 * PostgreSQL, and shared memory begins anew; then nothing is pinned.
 */
#include "shared_cache.h"

#include <limits.h>

#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/dsa.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "artifact.h"
#include "report.h"

#define CACHE_NAME "mlops shared cache"
#define BYTES_PER_ENTRY (32 * 1024)	/* of the cache: so many models at most */
#define LEAST_ENTRIES 64
#define PLACE_ALIGNMENT 4096

/* What entries are found by.  No padding: it is hashed as bytes. */
typedef struct SharedKey
{
	Oid			database;
	uint8		sha256[REGISTRY_HASH_SIZE];
} SharedKey;

StaticAssertDecl(sizeof(SharedKey) == sizeof(Oid) + REGISTRY_HASH_SIZE, "keys are compared as bytes");

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
} SharedCache;

/* Entries to be freed when the transaction commits. */
typedef struct Forgotten
{
	SharedKey	key;
	bool		all;			/* of the database */
} Forgotten;

static int	shared_cache_size;	/* mlops.shared_cache_size, kB */

static SharedCache *cache;		/* NULL: there is none */
static HTAB *entries;			/* SharedKey to SharedModel */
static dsa_area *area;			/* NULL until this process needs it */
static SharedModel *loading;	/* what this process loads now */
static List *forgotten = NIL;	/* of Forgotten, in TopTransactionContext */

static shmem_request_hook_type earlier_shmem_request;
static shmem_startup_hook_type earlier_shmem_startup;
static object_access_hook_type earlier_object_access;

/* ---- Memory ---- */

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
	RequestAddinShmemSpace(add_size(place_size(), PLACE_ALIGNMENT));
	RequestAddinShmemSpace(hash_estimate_size(max_entries(), sizeof(SharedModel)));
	RequestNamedLWLockTranche(CACHE_NAME, 1);
}

/* Makes the area; what is allocated in it does not belong to the process that makes it. */
static void
make_area(void)
{
	dsa_area   *made = dsa_create_in_place(cache->place, cache->size, cache->lock->tranche, NULL);

	dsa_pin(made);
	dsa_set_size_limit(made, cache->size);
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
	cache = NULL;
	if (shared_cache_size == 0)
		return;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	cache = ShmemInitStruct(CACHE_NAME, sizeof(SharedCache), &found);
	entries = ShmemInitHash(CACHE_NAME " entries", max_entries(), max_entries(), &control, HASH_ELEM | HASH_BLOBS | HASH_FIXED_SIZE);

	void	   *place = ShmemInitStruct(CACHE_NAME " models", add_size(place_size(), PLACE_ALIGNMENT), &found);

	if (!found)
	{
		cache->lock = &GetNamedLWLockTranche(CACHE_NAME)->lock;
		ConditionVariableInit(&cache->loaded);
		cache->place = (void *) TYPEALIGN(PLACE_ALIGNMENT, place);
		cache->size = place_size();
		make_area();
	}
	LWLockRelease(AddinShmemInitLock);
}

/* Frees the bytes of an entry; the lock is held exclusively. */
static void
empty(SharedModel *shared)
{
	dsa_free(area, shared->artifact);
	if (DsaPointerIsValid(shared->ready))
		dsa_free(area, shared->ready);
	shared->artifact = shared->ready = InvalidDsaPointer;
	shared->state = SHARED_EMPTY;
}

/* Ends a load, well or not, and wakes those who wait for it. */
static void
end_load(bool good)
{
	SharedModel *shared = loading;

	LWLockAcquire(cache->lock, LW_EXCLUSIVE);
	if (good)
	{
		shared->state = SHARED_READY;
		shared->loads++;
		pg_atomic_write_u32(&shared->pins, 1);
	}
	else
		empty(shared);
	loading = NULL;
	LWLockRelease(cache->lock);
	ConditionVariableBroadcast(&cache->loaded);
}

/* A process that exits in the middle of a load, without an error that it could catch, lets others do it. */
static void
leave_cache(int code, Datum unused)
{
	if (loading != NULL)
		end_load(false);
	area = NULL;
	dsa_release_in_place(cache->place);
}

/* Attaches the area, once a process. */
static void
attach(void)
{
	if (area != NULL)
		return;

	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	area = dsa_attach_in_place(cache->place, NULL);
	MemoryContextSwitchTo(old);
	on_shmem_exit(leave_cache, (Datum) 0);
}

/* ---- Room; the lock is held exclusively ---- */

/* The entry used longest ago that nobody uses; NULL where there is none.  READY ones, or also EMPTY ones. */
static SharedModel *
oldest_unused(bool ready_only)
{
	HASH_SEQ_STATUS scan;
	SharedModel *oldest = NULL;
	SharedModel *shared;

	hash_seq_init(&scan, entries);
	while ((shared = hash_seq_search(&scan)) != NULL)
	{
		if (shared->state == SHARED_LOADING || (ready_only && shared->state == SHARED_EMPTY) ||
			pg_atomic_read_u32(&shared->pins) > 0)
			continue;
		if (oldest == NULL || pg_atomic_read_u64(&shared->last_use) < pg_atomic_read_u64(&oldest->last_use))
			oldest = shared;
	}
	return oldest;
}

/* Bytes that cannot be freed now. */
static size_t
size_in_use(void)
{
	HASH_SEQ_STATUS scan;
	size_t		size = 0;
	SharedModel *shared;

	hash_seq_init(&scan, entries);
	while ((shared = hash_seq_search(&scan)) != NULL)
	{
		if (shared->state == SHARED_LOADING || (shared->state == SHARED_READY && pg_atomic_read_u32(&shared->pins) > 0))
			size += shared->size;
	}
	return size;
}

/* Allocates, evicting what it takes; nothing is evicted for what cannot fit anyway. */
static dsa_pointer
allocate(size_t size)
{
	if (size > cache->size || size_in_use() > cache->size - size)
		return InvalidDsaPointer;
	for (;;)
	{
		dsa_pointer bytes = dsa_allocate_extended(area, size, DSA_ALLOC_HUGE | DSA_ALLOC_NO_OOM);
		SharedModel *victim;

		if (DsaPointerIsValid(bytes) || (victim = oldest_unused(true)) == NULL)
			return bytes;
		empty(victim);
	}
}

/* A new entry, EMPTY, instead of the oldest where the table is full; NULL where all are in use. */
static SharedModel *
make_entry(const SharedKey *key)
{
	SharedModel *shared = hash_search(entries, key, HASH_ENTER_NULL, NULL);

	if (shared == NULL)
	{
		SharedModel *victim = oldest_unused(false);

		if (victim == NULL)
			return NULL;
		if (victim->state == SHARED_READY)
			empty(victim);
		hash_search(entries, &victim->key, HASH_REMOVE, NULL);
		shared = hash_search(entries, key, HASH_ENTER_NULL, NULL);
		if (shared == NULL)
			return NULL;
	}
	shared->state = SHARED_EMPTY;
	shared->refused = false;
	shared->artifact = InvalidDsaPointer;
	shared->ready = InvalidDsaPointer;
	shared->size = 0;
	shared->loads = 0;
	pg_atomic_init_u32(&shared->pins, 0);
	pg_atomic_init_u64(&shared->hits, 0);
	pg_atomic_init_u64(&shared->last_use, 0);
	return shared;
}

/* ---- Finding and loading ---- */

static void
make_key(SharedKey *key, const uint8 *sha256)
{
	key->database = MyDatabaseId;
	memcpy(key->sha256, sha256, REGISTRY_HASH_SIZE);
}

/* Notes a use. */
static void
touch(SharedModel *shared)
{
	pg_atomic_write_u64(&shared->last_use, (uint64) GetCurrentStatementStartTimestamp());
}

/* Pins a model that is there. */
static SharedModel *
pin_ready(const SharedKey *key)
{
	SharedModel *shared;

	LWLockAcquire(cache->lock, LW_SHARED);
	shared = hash_search(entries, key, HASH_FIND, NULL);
	if (shared != NULL && shared->state != SHARED_READY)
		shared = NULL;
	if (shared != NULL)
	{
		pg_atomic_fetch_add_u32(&shared->pins, 1);
		pg_atomic_fetch_add_u64(&shared->hits, 1);
		touch(shared);
	}
	LWLockRelease(cache->lock);
	return shared;
}

/* What is to be done for a model that was not there. */
typedef enum Claim
{
	CLAIM_LOAD,					/* ours to load */
	CLAIM_WAIT,					/* somebody does */
	CLAIM_AGAIN,				/* it is there now */
	CLAIM_NO_ROOM,
	CLAIM_NO_ROOM_NEWS			/* the same, for the first time */
} Claim;

/* Takes the load of a model upon this process, where nobody else has. */
static Claim
claim(const SharedKey *key, size_t size)
{
	SharedModel *shared;
	Claim		claimed;

	LWLockAcquire(cache->lock, LW_EXCLUSIVE);
	shared = hash_search(entries, key, HASH_FIND, NULL);
	if (shared == NULL)
		shared = make_entry(key);
	if (shared == NULL)
		claimed = CLAIM_NO_ROOM;
	else if (shared->state == SHARED_LOADING)
		claimed = CLAIM_WAIT;
	else if (shared->state == SHARED_READY)
		claimed = CLAIM_AGAIN;
	else
	{
		/* what is being allocated for must not be evicted itself: it is EMPTY */
		touch(shared);
		shared->artifact = allocate(size);
		if (DsaPointerIsValid(shared->artifact))
		{
			shared->size = size;
			shared->state = SHARED_LOADING;
			loading = shared;
			claimed = CLAIM_LOAD;
		}
		else
		{
			claimed = shared->refused ? CLAIM_NO_ROOM : CLAIM_NO_ROOM_NEWS;
			shared->refused = true;
		}
	}
	LWLockRelease(cache->lock);
	return claimed;
}

/* Where the ready form begins in its memory. */
static void *
ready_address(const SharedModel *shared)
{
	return (void *) TYPEALIGN(READY_ALIGN, dsa_get_address(area, shared->ready));
}

/* Makes the ready form of the model that is being loaded, where there is room for it. */
static void
make_ready(SharedModel *shared, const Model *model)
{
	ReadyPlan  *plan = ready_plan(model);
	size_t		size;

	if (plan == NULL)
		return;
	size = ready_plan_size(plan) + READY_ALIGN;
	LWLockAcquire(cache->lock, LW_EXCLUSIVE);
	shared->ready = allocate(size);
	if (DsaPointerIsValid(shared->ready))
		shared->size += size;
	LWLockRelease(cache->lock);
	if (DsaPointerIsValid(shared->ready))
		ready_plan_write(plan, ready_address(shared));
	ready_plan_free(plan);
}

/* Loads and validates what was claimed. */
static SharedModel *
load(const ModelRef *ref)
{
	SharedModel *shared = loading;

	PG_TRY();
	{
		struct varlena *artifact = dsa_get_address(area, shared->artifact);
		Model		model;

		registry_read(ref, artifact);
		artifact_open(&model, artifact);
		make_ready(shared, &model);
	}
	PG_CATCH();
	{
		end_load(false);
		PG_RE_THROW();
	}
	PG_END_TRY();
	end_load(true);
	return shared;
}

/* Whether somebody loads a model. */
static bool
is_loading(const SharedKey *key)
{
	SharedModel *shared;
	bool		answer;

	LWLockAcquire(cache->lock, LW_SHARED);
	shared = hash_search(entries, key, HASH_FIND, NULL);
	answer = shared != NULL && shared->state == SHARED_LOADING;
	LWLockRelease(cache->lock);
	return answer;
}

/* Waits until a model is loaded, or until that failed. */
static void
wait_for_load(const SharedKey *key)
{
	ConditionVariablePrepareToSleep(&cache->loaded);
	while (is_loading(key))
		ConditionVariableSleep(&cache->loaded, PG_WAIT_EXTENSION);
	ConditionVariableCancelSleep();
}

/* Says once that a model is kept by each connection for itself. */
static void
log_refusal(const ModelRef *ref)
{
	ereport(LOG,
			(errmsg("version %d of model \"%s\" does not fit into the shared cache", ref->version, ref->model_name),
			 errdetail("It has " INT64_FORMAT " kB; the cache has %d kB, some of them in use.", ref->size / 1024, shared_cache_size),
			 errhint("Each connection that uses it keeps a copy. Raise mlops.shared_cache_size.")));
}

/* The model of a version, pinned. */
SharedModel *
shared_cache_pin(const ModelRef *ref)
{
	SharedKey	key;
	SharedModel *shared;

	if (cache == NULL)
		return NULL;
	make_key(&key, ref->sha256);
	attach();
	while ((shared = pin_ready(&key)) == NULL)
	{
		registry_lock_chunks();
		switch (claim(&key, VARHDRSZ + (size_t) ref->size))
		{
			case CLAIM_LOAD:
				return load(ref);
			case CLAIM_WAIT:
				wait_for_load(&key);
				break;
			case CLAIM_AGAIN:
				break;
			case CLAIM_NO_ROOM_NEWS:
				log_refusal(ref);
				return NULL;
			case CLAIM_NO_ROOM:
				return NULL;
		}
	}
	return shared;
}

/* Gives a pin back. */
void
shared_cache_unpin(SharedModel *shared)
{
	Assert(pg_atomic_read_u32(&shared->pins) > 0);
	pg_atomic_fetch_sub_u32(&shared->pins, 1);
}

/* Views a pinned model, and its ready form. */
const void *
shared_cache_view(const SharedModel *shared, Model *model)
{
	Error		error;

	if (!model_view(model, dsa_get_address(area, shared->artifact), &error))
		report_error(&error);
	return DsaPointerIsValid(shared->ready) ? ready_address(shared) : NULL;
}

/* ---- Forgetting ---- */

/* Frees the models of a key, or of all keys of its database; of those in use, makes them the next to be evicted. */
static void
forget(const Forgotten *what)
{
	HASH_SEQ_STATUS scan;
	SharedModel *shared;

	attach();
	LWLockAcquire(cache->lock, LW_EXCLUSIVE);
	hash_seq_init(&scan, entries);
	while ((shared = hash_seq_search(&scan)) != NULL)
	{
		if (shared->state == SHARED_LOADING || shared->key.database != what->key.database ||
			(!what->all && memcmp(&shared->key, &what->key, sizeof(SharedKey)) != 0))
			continue;
		if (pg_atomic_read_u32(&shared->pins) > 0)
		{
			pg_atomic_write_u64(&shared->last_use, 0);
			continue;
		}
		if (shared->state == SHARED_READY)
			empty(shared);
		hash_search(entries, &shared->key, HASH_REMOVE, NULL);
	}
	LWLockRelease(cache->lock);
}

/* Frees what the transaction dropped when it commits; otherwise only the list ends, with its memory. */
static void
end_transaction(XactEvent event, void *unused)
{
	ListCell   *cell;

	if (event == XACT_EVENT_COMMIT)
	{
		foreach(cell, forgotten)
			forget(lfirst(cell));
	}
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		forgotten = NIL;
}

/* At commit, frees what has this hash, or all of the database. */
void
shared_cache_forget(const uint8 *sha256)
{
	if (cache == NULL)
		return;

	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Forgotten  *what = palloc0(sizeof(Forgotten));

	attach();
	if (sha256 != NULL)
		make_key(&what->key, sha256);
	what->key.database = MyDatabaseId;
	what->all = sha256 == NULL;
	forgotten = lappend(forgotten, what);
	MemoryContextSwitchTo(old);
}

/* Nobody is connected to a database that is dropped, so its models are free at once; those of a dropped extension when that commits. */
static void
on_object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *argument)
{
	if (earlier_object_access != NULL)
		earlier_object_access(access, class_id, object_id, sub_id, argument);
	if (access != OAT_DROP || cache == NULL)
		return;
	if (class_id == DatabaseRelationId)
		forget(&(Forgotten){.key = {.database = object_id}, .all = true});
	else if (class_id == ExtensionRelationId)
	{
		char	   *name = get_extension_name(object_id);

		if (name != NULL && strcmp(name, "mlops") == 0)
			shared_cache_forget(NULL);
	}
}

/* ---- What there is ---- */

/* Copies what the view shows. */
SharedModelState *
shared_cache_list(int *n)
{
	HASH_SEQ_STATUS scan;
	SharedModel *shared;
	SharedModelState *list;

	*n = 0;
	if (cache == NULL)
		return NULL;
	list = palloc(max_entries() * sizeof(SharedModelState));
	LWLockAcquire(cache->lock, LW_SHARED);
	hash_seq_init(&scan, entries);
	while ((shared = hash_seq_search(&scan)) != NULL)
	{
		SharedModelState *state = &list[*n];

		if (shared->state != SHARED_READY)
			continue;
		state->database = shared->key.database;
		memcpy(state->sha256, shared->key.sha256, REGISTRY_HASH_SIZE);
		state->size = shared->size;
		state->loads = shared->loads;
		state->hits = (int64) pg_atomic_read_u64(&shared->hits);
		state->pins = (int) pg_atomic_read_u32(&shared->pins);
		state->last_use = (TimestampTz) pg_atomic_read_u64(&shared->last_use);
		(*n)++;
	}
	LWLockRelease(cache->lock);
	return list;
}

/* Defines the setting; installs the hooks where the server is starting. */
void
shared_cache_init(void)
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
	earlier_object_access = object_access_hook;
	object_access_hook = on_object_access;
	RegisterXactCallback(end_transaction, NULL);
}
