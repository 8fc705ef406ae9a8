/*
 * compat.h
 *		What differs among PostgreSQL 15 to 18: the only file that knows.
 */
#ifndef MLOPS_PG_COMPAT_H
#define MLOPS_PG_COMPAT_H

#include "postgres.h"

#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "common/jsonapi.h"
#include "datatype/timestamp.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/datetime.h"
#include "utils/rangetypes.h"
#include "utils/relcache.h"

#if PG_VERSION_NUM < 150000
#error "mlops needs PostgreSQL 15 or later"
#endif

/* Macros of variable-length values left postgres.h in 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Intervals can be infinite since 17. */
#if PG_VERSION_NUM < 170000
#define INTERVAL_IS_NOBEGIN(interval) false
#define INTERVAL_IS_NOEND(interval) false
#endif

/* Number of the transaction in this backend, whether it has an xid or not. */
static inline LocalTransactionId
compat_local_transaction(void)
{
#if PG_VERSION_NUM >= 170000
	return MyProc->vxid.lxid;
#else
	return MyProc->lxid;
#endif
}

/* The place of a process among all that the server may have, from 0; MaxBackends of them, auxiliary processes apart. */
static inline int
compat_process_number(const PGPROC *process)
{
#if PG_VERSION_NUM >= 170000
	return (int) GetNumberFromPGProc(process);
#else
	return process->pgprocno;
#endif
}

/* A range from its bounds. */
static inline RangeType *
compat_make_range(TypeCacheEntry *type, RangeBound *lower, RangeBound *upper)
{
#if PG_VERSION_NUM >= 160000
	return make_range(type, lower, upper, false, NULL);
#else
	return make_range(type, lower, upper, false);
#endif
}

/* The index of a table's primary key, if it is checked at once. */
static inline Oid
compat_primary_key_index(Relation relation)
{
#if PG_VERSION_NUM >= 180000
	return RelationGetPrimaryKeyIndex(relation, false);
#else
	return RelationGetPrimaryKeyIndex(relation);
#endif
}

/* What parses a JSON text without raising errors. */
static inline JsonLexContext *
compat_json_lexer(const char *text)
{
	char	   *copy = pstrdup(text);

#if PG_VERSION_NUM >= 170000
	return makeJsonLexContextCstringLen(NULL, copy, strlen(copy), GetDatabaseEncoding(), false);
#else
	return makeJsonLexContextCstringLen(copy, (int) strlen(copy), GetDatabaseEncoding(), false);
#endif
}

/* Decodes the fields of a date and time; false where they are none. */
static inline bool
compat_decode_datetime(char **fields, int *types, int n_fields, int *kind, struct pg_tm *time, fsec_t *fraction, int *zone)
{
#if PG_VERSION_NUM >= 160000
	DateTimeErrorExtra extra;

	return DecodeDateTime(fields, types, n_fields, kind, time, fraction, zone, &extra) == 0;
#else
	return DecodeDateTime(fields, types, n_fields, kind, time, fraction, zone) == 0;
#endif
}

/* Whether the caller owns a database. */
static inline bool
compat_owns_database(Oid database, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(DatabaseRelationId, database, role);
#else
	return pg_database_ownercheck(database, role);
#endif
}

/* Whether a role may connect to a database. */
static inline bool
compat_may_connect(Oid database, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(DatabaseRelationId, database, role, ACL_CONNECT) == ACLCHECK_OK;
#else
	return pg_database_aclcheck(database, role, ACL_CONNECT) == ACLCHECK_OK;
#endif
}

/* Whether the caller owns an extension. */
static inline bool
compat_owns_extension(Oid extension, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(ExtensionRelationId, extension, role);
#else
	return pg_extension_ownercheck(extension, role);
#endif
}

/* Whether a database was left half dropped, so that nobody can connect. */
static inline bool
compat_database_is_invalid(Form_pg_database database)
{
#ifdef DATCONNLIMIT_INVALID_DB
	return database->datconnlimit == DATCONNLIMIT_INVALID_DB;
#else
	return database->datconnlimit < -1;
#endif
}

/* Runs a portal to its end. */
static inline void
compat_portal_run(Portal portal, bool top_level, DestReceiver *receiver, QueryCompletion *completion)
{
#if PG_VERSION_NUM >= 180000
	(void) PortalRun(portal, FETCH_ALL, top_level, receiver, receiver, completion);
#else
	(void) PortalRun(portal, FETCH_ALL, top_level, true, receiver, receiver, completion);
#endif
}

/* Runs a started query to its end. */
static inline void
compat_executor_run(QueryDesc *query)
{
#if PG_VERSION_NUM >= 180000
	ExecutorRun(query, ForwardScanDirection, 0);
#else
	ExecutorRun(query, ForwardScanDirection, 0, true);
#endif
}

/* What an entry of a range table that stands for expressions grouped by, since 18, stands for; NIL for other entries. */
static inline List *
compat_grouped(const RangeTblEntry *entry)
{
#if PG_VERSION_NUM >= 180000
	return entry->rtekind == RTE_GROUP ? entry->groupexprs : NIL;
#else
	(void) entry;
	return NIL;
#endif
}

#endif
