/*
 * explainer_cache.h
 *		Explainers of this backend, found by the hash of their model's bytes.
 */
#ifndef MLOPS_PG_EXPLAINER_CACHE_H
#define MLOPS_PG_EXPLAINER_CACHE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "lib/ilist.h"

#include "../registry/registry.h"
#include "../../core/explain/explain.h"
#include "../core.h"

/* One output of a model, ready to be explained. */
typedef struct CachedExplainer
{
	uint8		sha256[REGISTRY_HASH_SIZE];	/* of the model's bytes */
	uint32		output;
	Explainer  *explainer;		/* stops for interrupts */
	size_t		size;			/* of this and of the explainer */
	int			pins;			/* users; one in use stays */
	int64		hits;			/* how often it was there */
	TimestampTz last_use;
	dlist_node	recency;		/* in the list of all, most recently used first */
} CachedExplainer;

/* That of a model's output, pinned, made where it is not here yet. */
extern CachedExplainer *explainer_cache_pin(const uint8 *sha256, const Model *model, uint32 output);

/* Gives a pin back.  Raises no errors, so it may be called while a memory context is reset. */
extern void explainer_cache_unpin(CachedExplainer *cached);

/* Bytes of all of them. */
extern size_t explainer_cache_size(void);

/* Drops those without pins until all together are within a budget, if they can be.  Raises no errors. */
extern void explainer_cache_shrink(size_t budget);

/* The next one; NULL: the first. */
extern const CachedExplainer *explainer_cache_next(const CachedExplainer *cached);

#endif
