/*
 * model_cache.h
 *		Opened models, found by the hash of their bytes.
 */
#ifndef MLOPS_PG_MODEL_CACHE_H
#define MLOPS_PG_MODEL_CACHE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "lib/ilist.h"

#include "../registry/registry.h"
#include "../core.h"
#include "shared_cache.h"

/* A model as this process sees it. */
typedef struct CachedModel
{
	uint8		sha256[REGISTRY_HASH_SIZE];	/* the key */
	Model		model;			/* valid while it is pinned */
	const void *ready;			/* its ready form, the same; NULL: it has none */
	SharedModel *shared;		/* pinned in shared memory, while pins > 0; NULL: the bytes are a copy of our own */
	SharedModel *last_shared;	/* what was pinned the last time, where model and ready were as they still are; NULL: nothing */
	MemoryContext copy;			/* holds that copy; NULL: there is none */
	size_t		size;			/* of this, the copy and what is kept */
	int			pins;			/* users; a model in use stays */
	int64		loads;			/* of the copy */
	int64		hits;			/* how often it was there */
	TimestampTz last_use;
	struct Predictor *kept;		/* room for rows, between statements; NULL: somebody uses it, or there is none */
	MemoryContext kept_context; /* it lies in, and the size of that */
	size_t		kept_size;
	dlist_node	recency;		/* in the list of all, most recently used first */
} CachedModel;

/* Defines mlops.local_cache_size; called once, from _PG_init, before the prefix "mlops" is reserved. */
extern void model_cache_init(void);

/* The model of a resolved version, pinned, loaded where it is not here yet. */
extern CachedModel *model_cache_pin(const ModelRef *ref);

/* Gives a pin back.  Raises no errors, so it may be called while a memory context is reset. */
extern void model_cache_unpin(CachedModel *cached);

/* Drops models and explainers that nobody uses until what this process holds is within mlops.local_cache_size.  Raises no errors. */
extern void model_cache_keep_budget(void);

/*
 * Keeps what a call site had for the rows of this pinned model, for the next
 * statement: in a context of its own under CacheMemoryContext, which may be
 * deleted here and now.  Raises no errors.
 */
extern void model_cache_keep(CachedModel *cached, struct Predictor *predictor, MemoryContext context);

/* Takes it back, and its context with it; the model lies where it lay then.  NULL: there is none. */
extern struct Predictor *model_cache_take(CachedModel *cached);

/* The next of the models that this process holds, with copies or without; NULL: the first. */
extern const CachedModel *model_cache_next(const CachedModel *cached);

#endif
