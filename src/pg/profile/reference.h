/*
 * reference.h
 *		Storing what a training froze beside its model.
 */
#ifndef MLOPS_PG_REFERENCE_H
#define MLOPS_PG_REFERENCE_H

#include "postgres.h"

/* Stores the trainer's records (core/model/reference.h) of a version as the registry's owner; raises where they cannot be read. */
extern void reference_store(int64 model_id, int32 version, const void *records, size_t size);

#endif
