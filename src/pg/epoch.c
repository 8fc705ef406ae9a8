/*
 * epoch.c
 *		Numbers that change when what PostgreSQL's own caches say of roles and row types may have changed.
 *
 * Roles and row types follow no snapshot: what another transaction changes
 * counts as soon as the message about it is read, in the middle of a
 * repeatable read, too.  Whoever remembers something about them remembers
 * the number with it.
 */
#include "epoch.h"

#include "utils/inval.h"
#include "utils/syscache.h"

uint64		epoch_of_roles;
uint64		epoch_of_types;

/* A role, a membership or a database changed. */
static void
roles_changed(Datum argument, int cache, uint32 hash)
{
	epoch_of_roles++;
}

/* A relation changed: a composite type is one, too. */
static void
types_changed(Datum argument, Oid relation)
{
	epoch_of_types++;
}

/* Begins to count. */
void
epoch_init(void)
{
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, roles_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, roles_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(DATABASEOID, roles_changed, (Datum) 0);
	CacheRegisterRelcacheCallback(types_changed, (Datum) 0);
}
