/*
 * yield.c
 *		Workers make way for those who want a database for themselves.
 *
 * DROP DATABASE, ALTER DATABASE ... RENAME and SET TABLESPACE, and CREATE
 * DATABASE ... TEMPLATE wait five seconds for others to leave, then fail.
 * Where the caller owns the database, its scheduler and workers are terminated
 * before, and none is started until the command has ended.  The same for DROP
 * EXTENSION mlops, which a worker's locks would keep waiting.  Runs that are
 * ended this way are queued again by the next scheduler.
 */
#include "yield.h"

#include <signal.h>

#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/timestamp.h"

#include "../pg/compat.h"
#include "job_memory.h"

#define ALONE_MS (60 * 1000)	/* at most, should the command's process die */

static ProcessUtility_hook_type earlier_utility;

/* The database of this name where the caller owns it. */
static Oid
own_database(const char *name)
{
	Oid			database = name != NULL ? get_database_oid(name, true) : InvalidOid;

	return OidIsValid(database) && compat_owns_database(database, GetUserId()) ? database : InvalidOid;
}

/* The database that CREATE DATABASE copies. */
static const char *
template_name(const CreatedbStmt *statement)
{
	ListCell   *cell;

	foreach(cell, statement->options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, "template") == 0 && option->arg != NULL)
			return defGetString(option);
	}
	return NULL;
}

/* Whether ALTER DATABASE moves the database. */
static bool
moves_database(const AlterDatabaseStmt *statement)
{
	ListCell   *cell;

	foreach(cell, statement->options)
	{
		if (strcmp(lfirst_node(DefElem, cell)->defname, "tablespace") == 0)
			return true;
	}
	return false;
}

/* Whether a statement drops our extension, which the caller owns. */
static bool
drops_extension(const DropStmt *statement)
{
	Oid			extension = statement->removeType == OBJECT_EXTENSION ? get_extension_oid("mlops", true) : InvalidOid;
	ListCell   *cell;

	if (!OidIsValid(extension) || !compat_owns_extension(extension, GetUserId()))
		return false;
	foreach(cell, statement->objects)
	{
		if (strcmp(strVal(lfirst(cell)), "mlops") == 0)
			return true;
	}
	return false;
}

/* The database that a statement needs for itself; InvalidOid: none. */
static Oid
wanted_database(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_DropdbStmt:
			return own_database(((DropdbStmt *) statement)->dbname);
		case T_RenameStmt:
			return ((RenameStmt *) statement)->renameType == OBJECT_DATABASE ? own_database(((RenameStmt *) statement)->subname) : InvalidOid;
		case T_AlterDatabaseStmt:
			return moves_database((AlterDatabaseStmt *) statement) ? own_database(((AlterDatabaseStmt *) statement)->dbname) : InvalidOid;
		case T_CreatedbStmt:
			return own_database(template_name((CreatedbStmt *) statement));
		case T_DropStmt:
			return drops_extension((DropStmt *) statement) ? MyDatabaseId : InvalidOid;
		default:
			return InvalidOid;
	}
}

/* Ends a process of a database. */
static void
end_process(JobSlot *slot, Oid database)
{
	if (slot->database != database)
		return;
	if (slot->state == JOB_SLOT_RUNNING && slot->pid != MyProcPid)
		kill(slot->pid, SIGTERM);
}

/* Ends our processes of a database, and has none started until end. */
static void
clear_database(Oid database, TimestampTz end)
{
	JobDatabase *entry;

	LWLockAcquire(job_memory->lock, LW_EXCLUSIVE);
	entry = job_database(database, false);
	if (entry != NULL)
	{
		entry->not_before = end;
		entry->due = DT_NOBEGIN;
	}
	job_slots_withdraw(database);
	end_process(&job_memory->scheduler, database);
	for (int i = 0; i < job_memory->n_slots; i++)
		end_process(&job_memory->slots[i], database);
	LWLockRelease(job_memory->lock);
}

/* Lets processes come back, unless the database is gone. */
static void
release_database(Oid database, bool dropped)
{
	JobDatabase *entry;

	LWLockAcquire(job_memory->lock, LW_EXCLUSIVE);
	entry = job_database(database, false);
	if (entry != NULL && dropped)
		job_database_forget(entry);
	else if (entry != NULL)
	{
		entry->not_before = 0;
		job_database_wake(database);
	}
	LWLockRelease(job_memory->lock);
}

/* The hook. */
static void
process_utility(PlannedStmt *statement, const char *text, bool read_only_tree, ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *environment, DestReceiver *dest, QueryCompletion *completion)
{
	ProcessUtility_hook_type next = earlier_utility != NULL ? earlier_utility : standard_ProcessUtility;
	Oid			database = wanted_database(statement->utilityStmt);

	if (!OidIsValid(database) || job_memory == NULL)
	{
		next(statement, text, read_only_tree, context, params, environment, dest, completion);
		return;
	}
	volatile bool dropped = false;

	clear_database(database, TimestampTzPlusMilliseconds(GetCurrentTimestamp(), ALONE_MS));
	PG_TRY();
	{
		next(statement, text, read_only_tree, context, params, environment, dest, completion);
		dropped = IsA(statement->utilityStmt, DropdbStmt);
	}
	PG_FINALLY();
	{
		release_database(database, dropped);
	}
	PG_END_TRY();
}

/* Installs the hook. */
void
yield_init(void)
{
	earlier_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
