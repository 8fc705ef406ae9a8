/*
 * shared_forget.h
 *		Freeing the shared models of versions, extensions and databases that are dropped.
 */
#ifndef MLOPS_PG_SHARED_FORGET_H
#define MLOPS_PG_SHARED_FORGET_H

#include "postgres.h"

/* Installs hooks; called once, from _PG_init, where the library is preloaded. */
extern void shared_forget_init(void);

/* When the transaction commits, frees what has this hash in the current database, or NULL: all of that database. */
extern void shared_forget(const uint8 *sha256);

#endif
