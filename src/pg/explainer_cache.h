/*
 * explainer_cache.h
 *		Explainers of this backend, found by the hash of their model's bytes.
 */
#ifndef MLOPS_PG_EXPLAINER_CACHE_H
#define MLOPS_PG_EXPLAINER_CACHE_H

#include "postgres.h"

#include "core.h"
#include "../core/explain.h"

typedef struct CachedExplainer CachedExplainer;

/* That of a model's output, pinned, made where it is not here yet. */
extern CachedExplainer *explainer_cache_pin(const uint8 *sha256, const Model *model, uint32 output);

/* Gives a pin back.  Raises no errors, so it may be called while a memory context is reset. */
extern void explainer_cache_unpin(CachedExplainer *cached);

/* Holds while it is pinned. */
extern Explainer *explainer_cache_get(const CachedExplainer *cached);

#endif
