/*
 * model_cache.c
 *		Opened models of this backend.
 *
 * A version's bytes never change, so a model is found by their hash alone:
 * what a reference means is decided elsewhere, by transaction, and no
 * invalidation is needed here.  Versions with equal bytes share one entry.
 *
 * Each model has a memory context of its own under CacheMemoryContext.
 * Models without pins are dropped, least recently used first, as long as all
 * together exceed mlops.local_cache_size; a model larger than that is dropped
 * when its last user lets go.
 */
#include "model_cache.h"

#include <limits.h>

#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "artifact.h"

static int	local_cache_size;	/* mlops.local_cache_size, kB */

static HTAB *models;			/* sha256 to slot; NULL until the first use */
static dlist_head recent = DLIST_STATIC_INIT(recent);
static size_t total_size;		/* bytes of all models */

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
							"Memory that a connection keeps models in.",
							"Models in use stay in memory beyond it.",
							&local_cache_size, 256 * 1024, 0, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB, NULL, NULL, NULL);
}

/* Drops a model that has no pins. */
static void
drop_model(CachedModel *cached)
{
	(void) hash_search(models, cached->sha256, HASH_REMOVE, NULL);
	dlist_delete(&cached->recency);
	total_size -= cached->size;
	MemoryContextDelete(cached->context);
}

/* Drops models without pins until the budget holds. */
static void
keep_budget(void)
{
	dlist_node *node = dlist_is_empty(&recent) ? NULL : dlist_tail_node(&recent);

	while (node != NULL && total_size > (size_t) local_cache_size * 1024)
	{
		CachedModel *cached = dlist_container(CachedModel, recency, node);

		node = dlist_has_prev(&recent, node) ? dlist_prev_node(&recent, node) : NULL;
		if (cached->pins == 0)
			drop_model(cached);
	}
}

/* Reads and opens a version; an error leaves nothing behind, for until the end all of it belongs to the current context. */
static CachedModel *
load_model(const ModelRef *ref)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "mlops model", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	CachedModel *cached = palloc0(sizeof(CachedModel));
	struct varlena *artifact = registry_load(ref->model_id, ref->version);

	artifact_open(&cached->model, artifact);
	memcpy(cached->sha256, ref->sha256, REGISTRY_HASH_SIZE);
	cached->context = context;
	cached->size = VARSIZE(artifact);
	MemoryContextSwitchTo(old);
	return cached;
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

/* The model of a version, pinned. */
CachedModel *
model_cache_pin(const ModelRef *ref)
{
	CacheSlot  *slot;

	if (models == NULL)
		make_table();
	slot = hash_search(models, ref->sha256, HASH_FIND, NULL);
	if (slot == NULL)
	{
		CachedModel *cached = load_model(ref);

		slot = hash_search(models, ref->sha256, HASH_ENTER, NULL);
		slot->cached = cached;
		MemoryContextSetParent(cached->context, CacheMemoryContext);
		dlist_push_head(&recent, &cached->recency);
		total_size += cached->size;
	}
	else
		dlist_move_head(&recent, &slot->cached->recency);
	slot->cached->pins++;
	keep_budget();
	return slot->cached;
}

/* Gives a pin back. */
void
model_cache_unpin(CachedModel *cached)
{
	Assert(cached->pins > 0);
	cached->pins--;
	keep_budget();
}
