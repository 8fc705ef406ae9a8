/*
 * shared_forget.c
 *		Freeing the shared models of versions, extensions and databases that are dropped.
 *
 * Nothing depends on it but memory: a model that nobody can ask for any more
 * would also be evicted in its time.  What a transaction drops is freed when
 * it commits; what is in use then, by its last user.  A load that is under
 * way is left alone.  On a standby nobody drops anything, so there only
 * eviction frees.
 */
#include "shared_forget.h"

#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "shared_memory.h"

/* Entries to be freed when the transaction commits. */
typedef struct Forgotten
{
	SharedKey	key;
	bool		all;			/* of the database */
} Forgotten;

static List *forgotten = NIL;	/* of Forgotten, in TopTransactionContext */

static object_access_hook_type earlier_object_access;

/* Frees the models of a key, or of all keys of its database: now, or when those who use them are done. */
static void
forget(const Forgotten *what)
{
	HASH_SEQ_STATUS scan;
	SharedModel *shared;

	shared_memory_attach();
	LWLockAcquire(shared_cache->lock, LW_EXCLUSIVE);
	hash_seq_init(&scan, shared_entries);
	while ((shared = hash_seq_search(&scan)) != NULL)
	{
		if (shared->state != SHARED_LOADING && shared->key.database == what->key.database &&
			(what->all || memcmp(&shared->key, &what->key, sizeof(SharedKey)) == 0))
			shared_memory_remove(shared);
	}
	LWLockRelease(shared_cache->lock);
}

/* Frees what the transaction dropped when it commits; otherwise only the list ends, with its memory. */
static void
end_transaction(XactEvent event, void *unused)
{
	ListCell   *cell;

	if (event == XACT_EVENT_COMMIT)
	{
		foreach(cell, forgotten)
			forget(lfirst(cell));
	}
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		forgotten = NIL;
}

/* At commit, frees what has this hash, or all of the database. */
void
shared_forget(const uint8 *sha256)
{
	if (shared_cache == NULL)
		return;

	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Forgotten  *what = palloc0(sizeof(Forgotten));

	shared_memory_attach();
	if (sha256 != NULL)
		shared_key_init(&what->key, sha256);
	what->key.database = MyDatabaseId;
	what->all = sha256 == NULL;
	forgotten = lappend(forgotten, what);
	MemoryContextSwitchTo(old);
}

/* Nobody is connected to a database that is dropped, so its models are free at once; those of a dropped extension when that commits. */
static void
on_object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *argument)
{
	if (earlier_object_access != NULL)
		earlier_object_access(access, class_id, object_id, sub_id, argument);
	if (access != OAT_DROP || shared_cache == NULL)
		return;
	if (class_id == DatabaseRelationId)
		forget(&(Forgotten){.key = {.database = object_id}, .all = true});
	else if (class_id == ExtensionRelationId)
	{
		char	   *name = get_extension_name(object_id);

		if (name != NULL && strcmp(name, "mlops") == 0)
			shared_forget(NULL);
	}
}

/* Installs the hooks. */
void
shared_forget_init(void)
{
	earlier_object_access = object_access_hook;
	object_access_hook = on_object_access;
	RegisterXactCallback(end_transaction, NULL);
}
