/*
 * model_cache.c
 *		Opened models, found by the hash of their bytes.
 *
 * A version's bytes never change, so a model is found by their hash alone:
 * what a reference means is decided elsewhere, by transaction, and no
 * invalidation is needed here.  Versions with equal bytes share one entry.
 *
 * The bytes, and the model's ready form, lie in shared memory where they can (shared_cache.c), else this
 * process keeps a copy.  A process holds one pin in shared memory for a
 * model, as long as it has users here; between statements it holds none.
 *
 * Each model has a memory context of its own under CacheMemoryContext, and so
 * has what a call site leaves with it for the next statement's; that points
 * into the model's bytes, so it is dropped when they lie elsewhere.
 * Models without users are dropped, least recently used first, as long as all
 * together, and what explains them (explainer_cache.c), exceed
 * mlops.local_cache_size; a copy larger than that is dropped when its last
 * user lets go.
 */
#include "model_cache.h"

#include <limits.h>

#include "access/xact.h"
#include "storage/ipc.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "../predict/explainer_cache.h"
#include "../registry/artifact.h"
#include "model_ready.h"

static int	local_cache_size;	/* mlops.local_cache_size, kB */

static HTAB *models;			/* sha256 to slot; NULL until the first use */
static dlist_head recent = DLIST_STATIC_INIT(recent);
static size_t total_size;		/* bytes of all models */
static bool prepared;			/* to give shared pins back when the process exits */

/* An entry of the hash table. */
typedef struct CacheSlot
{
	uint8		sha256[REGISTRY_HASH_SIZE];
	CachedModel *cached;
} CacheSlot;

/* Defines the setting. */
void
model_cache_init(void)
{
	DefineCustomIntVariable("mlops.local_cache_size",
							"Memory that a connection keeps models and what explains them in.",
							"What is in use stays in memory beyond it.",
							&local_cache_size, 256 * 1024, 0, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB, NULL, NULL, NULL);
}

/* What was kept no longer counts as the model's. */
static void
forget_kept(CachedModel *cached)
{
	cached->size -= cached->kept_size;
	total_size -= cached->kept_size;
	cached->kept_size = 0;
	cached->kept = NULL;
	cached->kept_context = NULL;
}

/* Frees what is kept. */
static void
drop_kept(CachedModel *cached)
{
	if (cached->kept == NULL)
		return;
	MemoryContextDelete(cached->kept_context);
	forget_kept(cached);
}

/* Keeps what a call site had. */
void
model_cache_keep(CachedModel *cached, struct Predictor *predictor, MemoryContext context)
{
	if (cached->kept != NULL)
	{
		/* that of another call of the same statement */
		MemoryContextDelete(context);
		return;
	}
	cached->kept = predictor;
	cached->kept_context = context;
	cached->kept_size = MemoryContextMemAllocated(context, true);
	cached->size += cached->kept_size;
	total_size += cached->kept_size;
}

/* Takes it back. */
struct Predictor *
model_cache_take(CachedModel *cached)
{
	struct Predictor *predictor = cached->kept;

	if (predictor != NULL)
		forget_kept(cached);
	return predictor;
}

/* Drops a model that has no pins. */
static void
drop_model(CachedModel *cached)
{
	drop_kept(cached);
	(void) hash_search(models, cached->sha256, HASH_REMOVE, NULL);
	dlist_delete(&cached->recency);
	total_size -= cached->size;
	if (cached->copy != NULL)
		MemoryContextDelete(cached->copy);
	pfree(cached);
}

/* Drops explainers and models without pins until the budget holds. */
void
model_cache_keep_budget(void)
{
	size_t		budget = (size_t) local_cache_size * 1024;
	dlist_node *node = dlist_is_empty(&recent) ? NULL : dlist_tail_node(&recent);

	/* an explainer is made of the model again, a model must be read */
	explainer_cache_shrink(budget > total_size ? budget - total_size : 0);
	while (node != NULL && total_size + explainer_cache_size() > budget)
	{
		CachedModel *cached = dlist_container(CachedModel, recency, node);

		node = dlist_has_prev(&recent, node) ? dlist_prev_node(&recent, node) : NULL;
		if (cached->pins == 0)
			drop_model(cached);
	}
}

/* Gives back what this process has pinned in shared memory: it exits. */
static void
release_shared(int code, Datum unused)
{
	dlist_iter	iter;

	dlist_foreach(iter, &recent)
	{
		CachedModel *cached = dlist_container(CachedModel, recency, iter.cur);

		if (cached->shared != NULL)
			shared_cache_unpin(cached->shared);
		cached->shared = NULL;
	}
}

/* Makes the hash table. */
static void
make_table(void)
{
	HASHCTL		control = {
		.keysize = REGISTRY_HASH_SIZE,
		.entrysize = sizeof(CacheSlot),
		.hcxt = CacheMemoryContext
	};

	if (CacheMemoryContext == NULL)
		elog(ERROR, "models are cached in backends only");
	models = hash_create("mlops models", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* A new entry, still without the bytes. */
static CachedModel *
make_entry(const uint8 *sha256)
{
	CachedModel *cached = MemoryContextAllocZero(CacheMemoryContext, sizeof(CachedModel));
	CacheSlot  *slot = hash_search(models, sha256, HASH_ENTER, NULL);

	memcpy(cached->sha256, sha256, REGISTRY_HASH_SIZE);
	cached->size = sizeof(CachedModel);
	slot->cached = cached;
	dlist_push_head(&recent, &cached->recency);
	total_size += cached->size;
	return cached;
}

/* Reads and opens a copy; an error leaves nothing behind, for until the end all of it belongs to the current context. */
static void
load_copy(CachedModel *cached, const ModelRef *ref)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "mlops model", ALLOCSET_SMALL_SIZES);
	struct varlena *artifact = MemoryContextAlloc(context, VARHDRSZ + ref->size);
	size_t		ready_size;

	registry_read(ref, artifact);
	artifact_open(&cached->model, artifact);
	cached->ready = model_ready_make(&cached->model, context, &ready_size);
	MemoryContextSetParent(context, CacheMemoryContext);
	cached->copy = context;
	cached->size += VARSIZE(artifact) + ready_size;
	cached->loads++;
	total_size += VARSIZE(artifact) + ready_size;
}

/* Pins the model in shared memory and views it there, unless it lies where it lay; false where it cannot be there. */
static bool
pin_shared(CachedModel *cached, const ModelRef *ref)
{
	if (cached->last_shared != NULL && shared_cache_pin_again(cached->last_shared, cached->sha256, cached->model.header, cached->ready))
	{
		cached->shared = cached->last_shared;
		return true;
	}
	cached->last_shared = NULL;
	drop_kept(cached);
	cached->shared = shared_cache_pin(ref);
	if (cached->shared == NULL)
		return false;
	if (!prepared)
		on_shmem_exit(release_shared, (Datum) 0);	/* runs before the shared cache's own, for that came first */
	prepared = true;
	cached->ready = shared_cache_view(cached->shared, &cached->model);
	cached->last_shared = cached->shared;
	return true;
}

/* The entry of a hash; NULL where there is none.  Mostly it is the latest. */
static CachedModel *
find_entry(const uint8 *sha256)
{
	CachedModel *latest = dlist_is_empty(&recent) ? NULL : dlist_container(CachedModel, recency, dlist_head_node(&recent));

	if (latest != NULL && memcmp(latest->sha256, sha256, REGISTRY_HASH_SIZE) == 0)
		return latest;

	CacheSlot  *slot = hash_search(models, sha256, HASH_FIND, NULL);

	return slot != NULL ? slot->cached : NULL;
}

/* The model of a version, pinned. */
CachedModel *
model_cache_pin(const ModelRef *ref)
{
	CachedModel *cached;

	if (models == NULL)
		make_table();
	cached = find_entry(ref->sha256);
	if (cached == NULL)
		cached = make_entry(ref->sha256);
	if (cached->copy != NULL)
		cached->hits++;
	else if (cached->shared == NULL && !pin_shared(cached, ref))
		load_copy(cached, ref);
	dlist_move_head(&recent, &cached->recency);
	cached->last_use = GetCurrentStatementStartTimestamp();
	cached->pins++;
	model_cache_keep_budget();
	return cached;
}

/* Gives a pin back. */
void
model_cache_unpin(CachedModel *cached)
{
	Assert(cached->pins > 0);
	cached->pins--;
	if (cached->pins == 0 && cached->shared != NULL)
	{
		shared_cache_unpin(cached->shared);
		cached->shared = NULL;
	}
	model_cache_keep_budget();
}

/* The next model. */
const CachedModel *
model_cache_next(const CachedModel *cached)
{
	if (cached == NULL)
		return dlist_is_empty(&recent) ? NULL : dlist_container(CachedModel, recency, dlist_head_node(&recent));
	return dlist_has_next(&recent, unconstify(dlist_node *, &cached->recency))
		? dlist_container(CachedModel, recency, dlist_next_node(&recent, unconstify(dlist_node *, &cached->recency)))
		: NULL;
}
