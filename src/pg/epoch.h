/*
 * epoch.h
 *		Numbers that change when what PostgreSQL's own caches say of roles and row types may have changed.
 */
#ifndef MLOPS_PG_EPOCH_H
#define MLOPS_PG_EPOCH_H

#include "postgres.h"

/* Roles, their memberships, and who owns the database. */
extern uint64 epoch_of_roles;

/* Row types; of all relations, for nobody says which type is in use. */
extern uint64 epoch_of_types;

/* Begins to count; called once, from _PG_init. */
extern void epoch_init(void);

#endif
