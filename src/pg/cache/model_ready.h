/*
 * model_ready.h
 *		Ready forms of models in this process's memory.
 */
#ifndef MLOPS_PG_MODEL_READY_H
#define MLOPS_PG_MODEL_READY_H

#include "postgres.h"

#include "../core.h"

/* Makes the ready form of a model in a memory context; NULL where it has none, or there is no memory for it.  *size: bytes, or 0. */
extern const void *model_ready_make(const Model *model, MemoryContext context, size_t *size);

/* palloc'ed memory for rows and blocks, aligned as core wants it. */
extern void *model_ready_alloc(size_t size);

#endif
