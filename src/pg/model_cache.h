/*
 * model_cache.h
 *		Opened models of this backend, found by the hash of their bytes.
 */
#ifndef MLOPS_PG_MODEL_CACHE_H
#define MLOPS_PG_MODEL_CACHE_H

#include "postgres.h"

#include "lib/ilist.h"

#include "core.h"
#include "registry.h"

/* A model in memory. */
typedef struct CachedModel
{
	uint8		sha256[REGISTRY_HASH_SIZE];	/* the key */
	Model		model;
	MemoryContext context;		/* holds the bytes */
	size_t		size;			/* of them */
	int			pins;			/* users; a model in use stays */
	dlist_node	recency;		/* in the list of all, most recently used first */
} CachedModel;

/* Defines mlops.local_cache_size; called once, from _PG_init, before the prefix "mlops" is reserved. */
extern void model_cache_init(void);

/* The model of a resolved version, pinned, loaded where it is not here yet. */
extern CachedModel *model_cache_pin(const ModelRef *ref);

/* Gives a pin back.  Raises no errors, so it may be called while a memory context is reset. */
extern void model_cache_unpin(CachedModel *cached);

#endif
