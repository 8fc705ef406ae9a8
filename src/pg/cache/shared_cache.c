/*
 * shared_cache.c
 *		Models in the server's shared memory: one copy for all connections.
 *
 * The bytes of models lie in shared memory (shared_memory.c), found by their
 * hash.  A model is loaded and validated by the first that needs it, while
 * others wait; after that, using it costs a look-up.
 *
 * The key is the hash and the database: a database trusts its own registry
 * only, and dropping it frees what is its own.
 *
 * shared_cache->lock protects the table and its entries.  Exclusively held, entries
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

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/wait_event.h"

#include "../registry/artifact.h"
#include "../report.h"
#include "shared_memory.h"

static SharedModel *loading;	/* what this process loads now */
static bool prepared;			/* for its exit meanwhile */

/* Ends a load, well or not, and wakes those who wait for it. */
static void
end_load(bool good)
{
	SharedModel *shared = loading;

	/* An error may have come while it was held; errors let interrupts in, which the release of a lock expects to be held off. */
	if (LWLockHeldByMe(shared_cache->lock))
		HOLD_INTERRUPTS();
	else
		LWLockAcquire(shared_cache->lock, LW_EXCLUSIVE);
	if (good)
	{
		shared->state = SHARED_READY;
		shared->loads++;
		pg_atomic_write_u32(&shared->pins, 1);
	}
	else
		shared_memory_empty(shared);
	loading = NULL;
	LWLockRelease(shared_cache->lock);
	ConditionVariableBroadcast(&shared_cache->loaded);
}

/* A process that exits in the middle of a load, without an error that it could catch, lets others do it. */
static void
abandon_load(int code, Datum unused)
{
	if (loading != NULL)
		end_load(false);
}

/* Notes a use. */
static void
touch(SharedModel *shared)
{
	pg_atomic_write_u64(&shared->last_use, (uint64) GetCurrentStatementStartTimestamp());
}

/* Pins a model that is there; with the lock held. */
static void
pin(SharedModel *shared)
{
	pg_atomic_fetch_add_u32(&shared->pins, 1);
	pg_atomic_fetch_add_u64(&shared->hits, 1);
	touch(shared);
}

/* Finds a model that is there, and pins it. */
static SharedModel *
pin_ready(const SharedKey *key)
{
	SharedModel *shared;

	LWLockAcquire(shared_cache->lock, LW_SHARED);
	shared = hash_search(shared_entries, key, HASH_FIND, NULL);
	if (shared != NULL && shared->state != SHARED_READY)
		shared = NULL;
	if (shared != NULL)
		pin(shared);
	LWLockRelease(shared_cache->lock);
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

	LWLockAcquire(shared_cache->lock, LW_EXCLUSIVE);
	shared = hash_search(shared_entries, key, HASH_FIND, NULL);
	if (shared == NULL)
		shared = shared_memory_entry(key);
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
		shared->artifact = shared_memory_allocate(size);
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
	LWLockRelease(shared_cache->lock);
	return claimed;
}

/* Where the ready form begins in its memory. */
static void *
ready_address(const SharedModel *shared)
{
	return (void *) TYPEALIGN(READY_ALIGN, dsa_get_address(shared_area, shared->ready));
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
	LWLockAcquire(shared_cache->lock, LW_EXCLUSIVE);
	shared->ready = shared_memory_allocate(size);
	if (DsaPointerIsValid(shared->ready))
		shared->size += size;
	LWLockRelease(shared_cache->lock);
	if (DsaPointerIsValid(shared->ready))
	{
		(void) shared_memory_populate(shared->ready, size);
		ready_plan_write(plan, ready_address(shared));
	}
	ready_plan_free(plan);
}

/* Loads and validates what was claimed. */
static SharedModel *
load(const ModelRef *ref)
{
	SharedModel *shared = loading;

	PG_TRY();
	{
		struct varlena *artifact = shared_memory_populate(shared->artifact, VARHDRSZ + (size_t) ref->size);
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

	LWLockAcquire(shared_cache->lock, LW_SHARED);
	shared = hash_search(shared_entries, key, HASH_FIND, NULL);
	answer = shared != NULL && shared->state == SHARED_LOADING;
	LWLockRelease(shared_cache->lock);
	return answer;
}

/* Waits until a model is loaded, or until that failed. */
static void
wait_for_load(const SharedKey *key)
{
	ConditionVariablePrepareToSleep(&shared_cache->loaded);
	while (is_loading(key))
		ConditionVariableSleep(&shared_cache->loaded, PG_WAIT_EXTENSION);
	ConditionVariableCancelSleep();
}

/* Says once that a model is kept by each connection for itself. */
static void
log_refusal(const ModelRef *ref)
{
	ereport(LOG,
			(errmsg("version %d of model \"%s\" does not fit into the shared cache", ref->version, ref->model_name),
			 errdetail("It has " INT64_FORMAT " kB; the cache has %zu kB, of which some may be in use.", ref->size / 1024, shared_cache->size / 1024),
			 errhint("Each connection that uses it keeps a copy. Raise mlops.shared_cache_size.")));
}

/* Where the bytes lie. */
static const void *
artifact_address(const SharedModel *shared)
{
	return dsa_get_address(shared_area, shared->artifact);
}

/* Pins a model where it was.  The entry may be another's by now, or nobody's, but memory of the table stays. */
bool
shared_cache_pin_again(SharedModel *shared, const uint8 *sha256, const void *bytes, const void *ready)
{
	SharedKey	key;
	bool		same;

	shared_key_init(&key, sha256);
	LWLockAcquire(shared_cache->lock, LW_SHARED);
	same = shared->state == SHARED_READY && !shared->forgotten && memcmp(&shared->key, &key, sizeof(key)) == 0 &&
		artifact_address(shared) == bytes && (DsaPointerIsValid(shared->ready) ? ready_address(shared) : NULL) == ready;
	if (same)
		pin(shared);
	LWLockRelease(shared_cache->lock);
	return same;
}

/* The model of a version, pinned. */
SharedModel *
shared_cache_pin(const ModelRef *ref)
{
	SharedKey	key;
	SharedModel *shared;

	if (shared_cache == NULL)
		return NULL;
	shared_key_init(&key, ref->sha256);
	shared_memory_attach();
	if (!prepared)
		on_shmem_exit(abandon_load, (Datum) 0);	/* runs before the area is left */
	prepared = true;
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

/*
 * Gives a pin back.  The entry of a model that was forgotten may by then be
 * gone already, or be another's: its memory stays, and is looked at again
 * under the lock.
 */
void
shared_cache_unpin(SharedModel *shared)
{
	Assert(pg_atomic_read_u32(&shared->pins) > 0);
	if (pg_atomic_fetch_sub_u32(&shared->pins, 1) != 1 || !shared->forgotten)
		return;
	LWLockAcquire(shared_cache->lock, LW_EXCLUSIVE);
	if (shared->forgotten && shared->state == SHARED_READY)
		shared_memory_remove(shared);
	LWLockRelease(shared_cache->lock);
}

/* Views a pinned model, and its ready form. */
const void *
shared_cache_view(const SharedModel *shared, Model *model)
{
	Error		error;

	if (!model_view(model, artifact_address(shared), &error))
		report_error(&error);
	return DsaPointerIsValid(shared->ready) ? ready_address(shared) : NULL;
}
