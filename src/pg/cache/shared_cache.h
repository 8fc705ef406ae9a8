/*
 * shared_cache.h
 *		Models in the server's shared memory: one copy for all connections.
 */
#ifndef MLOPS_PG_SHARED_CACHE_H
#define MLOPS_PG_SHARED_CACHE_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "../registry/registry.h"
#include "../core.h"

/* A model in shared memory. */
typedef struct SharedModel SharedModel;

/*
 * The model of a resolved version, pinned: the caller's own pin, which it
 * gives back once, at the latest when the process exits.  Loads it, or waits
 * for whoever loads it.  NULL where there is no shared memory for it, then
 * or at all.
 */
extern SharedModel *shared_cache_pin(const ModelRef *ref);

/*
 * The same for a model that this process had pinned before, as `shared`, and
 * viewed: true where it is still there, with the same bytes in the same place.
 */
extern bool shared_cache_pin_again(SharedModel *shared, const uint8 *sha256, const void *bytes, const void *ready);

/* Gives a pin back.  Raises no errors. */
extern void shared_cache_unpin(SharedModel *shared);

/* Views a pinned model where it lies; its ready form, or NULL.  What they point to holds in this process whenever the model lies there. */
extern const void *shared_cache_view(const SharedModel *shared, Model *model);

/* A model in shared memory, as the view shows it. */
typedef struct SharedModelState
{
	Oid			database;
	uint8		sha256[REGISTRY_HASH_SIZE];
	bool		loading;		/* it is not there yet */
	size_t		size;			/* bytes that it takes */
	int64		loads;			/* how often it was loaded, since the server started or its entry was needed for another */
	int64		hits;			/* how often a statement found it */
	int			pins;			/* connections that use it now */
	TimestampTz last_use;
} SharedModelState;

/* The models that are loaded or being loaded, palloc'ed. */
extern SharedModelState *shared_cache_list(int *n);

#endif
