/*
 * registry_scan.c
 *		Reading the registry's tables directly.
 *
 * Scans take the active snapshot: what a statement resolves is what a
 * subquery in its place would see, the transaction's own earlier changes
 * included.  Names of tables, indexes and columns are looked up for each
 * scan, in the system caches, so nothing here can be stale after the
 * extension was dropped and created again.
 *
 * Tables are locked in AccessShareLock from open to close.  After an error
 * the resource owner closes what is open.
 */
#include "registry_scan.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* OID of a table or an index of ours. */
static Oid
registry_relation(const char *name)
{
	Oid			relation = get_relname_relid(name, get_namespace_oid("mlops", false));

	if (!OidIsValid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"mlops.%s\" does not exist", name),
				 errhint("The library and the installed version of the extension differ: run ALTER EXTENSION mlops UPDATE.")));
	return relation;
}

/* Opens mlops.<table>. */
void
registry_scan_open(RegistryScan *scan, const char *table)
{
	scan->relation = table_open(registry_relation(table), AccessShareLock);
	scan->scan = NULL;
	scan->n_keys = 0;
	scan->tuple = NULL;
}

/* Adds a condition "column = value". */
static void
add_key(RegistryScan *scan, const char *column, Oid collation, RegProcedure equal, Datum value)
{
	ScanKey		key = &scan->keys[scan->n_keys++];

	Assert(scan->n_keys <= REGISTRY_SCAN_KEYS);
	ScanKeyInit(key, registry_scan_column(scan, column), BTEqualStrategyNumber, equal, value);
	key->sk_collation = collation;
}

/* Restricts to rows where a bigint column equals a value. */
void
registry_scan_key_int64(RegistryScan *scan, const char *column, int64 value)
{
	add_key(scan, column, InvalidOid, F_INT8EQ, Int64GetDatum(value));
}

/* The same for an integer column. */
void
registry_scan_key_int32(RegistryScan *scan, const char *column, int32 value)
{
	add_key(scan, column, InvalidOid, F_INT4EQ, Int32GetDatum(value));
}

/* The same for a column of OIDs, such as a role's. */
void
registry_scan_key_oid(RegistryScan *scan, const char *column, Oid value)
{
	add_key(scan, column, InvalidOid, F_OIDEQ, ObjectIdGetDatum(value));
}

/* The same for a text column, in the collation that the index is ordered by. */
void
registry_scan_key_text(RegistryScan *scan, const char *column, const char *value)
{
	add_key(scan, column, DEFAULT_COLLATION_OID, F_TEXTEQ, CStringGetTextDatum(value));
}

/* Starts the scan with a snapshot. */
static void
start(RegistryScan *scan, const char *index, Snapshot snapshot)
{
	scan->scan = systable_beginscan(scan->relation,
									index != NULL ? registry_relation(index) : InvalidOid,
									index != NULL,
									snapshot,
									scan->n_keys, scan->keys);
}

/* Starts the scan. */
void
registry_scan_start(RegistryScan *scan, const char *index)
{
	start(scan, index, ActiveSnapshotSet() ? GetActiveSnapshot() : GetTransactionSnapshot());
}

/* Starts the scan of all states of rows. */
void
registry_scan_start_any(RegistryScan *scan, const char *index)
{
	start(scan, index, SnapshotAny);
}

/* The next row. */
bool
registry_scan_next(RegistryScan *scan)
{
	scan->tuple = systable_getnext(scan->scan);
	return HeapTupleIsValid(scan->tuple);
}

/* The number of a column. */
AttrNumber
registry_scan_column(const RegistryScan *scan, const char *column)
{
	AttrNumber	number = get_attnum(RelationGetRelid(scan->relation), column);

	if (number == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"mlops.%s\" does not exist", column, RelationGetRelationName(scan->relation)),
				 errhint("The library and the installed version of the extension differ: run ALTER EXTENSION mlops UPDATE.")));
	return number;
}

/* A column of the current row. */
Datum
registry_scan_get(const RegistryScan *scan, AttrNumber column)
{
	bool		null;
	Datum		value = heap_getattr(scan->tuple, column, RelationGetDescr(scan->relation), &null);

	if (null)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("column %d of relation \"mlops.%s\" is NULL", column, RelationGetRelationName(scan->relation))));
	return value;
}

/* A column of the current row, by name. */
Datum
registry_scan_value(const RegistryScan *scan, const char *column, bool *null)
{
	return heap_getattr(scan->tuple, registry_scan_column(scan, column), RelationGetDescr(scan->relation), null);
}

/* A text column of the current row. */
char *
registry_scan_text(const RegistryScan *scan, AttrNumber column)
{
	return TextDatumGetCString(registry_scan_get(scan, column));
}

/* Ends the scan. */
void
registry_scan_close(RegistryScan *scan)
{
	if (scan->scan != NULL)
		systable_endscan(scan->scan);
	table_close(scan->relation, AccessShareLock);
}
