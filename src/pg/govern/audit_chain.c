/*
 * audit_chain.c
 *		The chain of events: appending to it, and whether it holds.
 *
 * Each event has the number after the one before, that one's hash, and its
 * own: SHA-256 over the hash before and the text of a jsonb array of its
 * columns, in UTF-8:
 *
 *		[seq, microseconds since 1970, project_id, actor, role, action, object, before, after]
 *
 * so that SQL alone can check it (docs/audit.md).  The first event has a hash
 * of zeros before it.
 *
 * One transaction at a time appends.  It holds an object lock on the table
 * that nothing else takes, from just before its commit until the commit is
 * visible; the last event, read after the lock was got, is then the last one.
 * The read sees what is committed whatever the transaction's isolation, and
 * leaves no predicate lock, for transactions that do the same thing one after
 * the other are no serialization failure.
 */
#include "audit.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "../compat.h"
#include "../result_row.h"

#define HASH_BYTES PG_SHA256_DIGEST_LENGTH

/* Columns of mlops.audit_event. */
enum
{
	COLUMN_SEQ, COLUMN_AT, COLUMN_PROJECT, COLUMN_ACTOR, COLUMN_ROLE, COLUMN_ACTION, COLUMN_OBJECT, COLUMN_BEFORE, COLUMN_AFTER,
	COLUMN_PREV_HASH, COLUMN_HASH, N_COLUMNS
};

PG_FUNCTION_INFO_V1(mlops_verify_audit);
PG_FUNCTION_INFO_V1(mlops_audit_head);

/* A place in the chain. */
typedef struct Link
{
	int64		seq;			/* 0: before the first event */
	uint8		hash[HASH_BYTES];
} Link;

/* Appends a text as a JSON string, or null. */
static void
append_text(StringInfo array, const char *text)
{
	appendStringInfoString(array, ", ");
	if (text != NULL)
		escape_json(array, text);
	else
		appendStringInfoString(array, "null");
}

/* Appends a jsonb, or null. */
static void
append_json(StringInfo array, Jsonb *value)
{
	appendStringInfoString(array, ", ");
	if (value != NULL)
		(void) JsonbToCString(array, &value->root, VARSIZE(value));
	else
		appendStringInfoString(array, "null");
}

/* The hash of an event that has a number and follows a hash. */
static void
event_hash(const AuditEvent *event, int64 seq, const uint8 *previous, uint8 *hash)
{
	int64		since_1970 = event->at + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
	StringInfoData array;
	char	   *bytes;
	pg_cryptohash_ctx *sha256 = pg_cryptohash_create(PG_SHA256);

	initStringInfo(&array);
	appendStringInfo(&array, "[" INT64_FORMAT ", " INT64_FORMAT, seq, since_1970);
	if (event->project_id != 0)
		appendStringInfo(&array, ", " INT64_FORMAT, event->project_id);
	else
		append_text(&array, NULL);
	append_text(&array, event->actor);
	append_text(&array, event->role);
	append_text(&array, event->action);
	append_text(&array, event->object);
	append_json(&array, event->before);
	append_json(&array, event->after);
	appendStringInfoChar(&array, ']');
	bytes = (char *) pg_do_encoding_conversion((unsigned char *) array.data, array.len, GetDatabaseEncoding(), PG_UTF8);

	if (sha256 == NULL || pg_cryptohash_init(sha256) < 0 || pg_cryptohash_update(sha256, previous, HASH_BYTES) < 0 ||
		pg_cryptohash_update(sha256, (const uint8 *) bytes, bytes == array.data ? (size_t) array.len : strlen(bytes)) < 0 ||
		pg_cryptohash_final(sha256, hash, HASH_BYTES) < 0)
		elog(ERROR, "could not compute SHA-256: %s", pg_cryptohash_error(sha256));
	pg_cryptohash_free(sha256);
	if (bytes != array.data)
		pfree(bytes);
	pfree(array.data);
}

/* A hash as bytea. */
static Datum
hash_datum(const uint8 *hash)
{
	bytea	   *value = palloc(VARHDRSZ + HASH_BYTES);

	SET_VARSIZE(value, VARHDRSZ + HASH_BYTES);
	memcpy(VARDATA(value), hash, HASH_BYTES);
	return PointerGetDatum(value);
}

/* Whether a column of a row is a hash; copies it. */
static bool
read_hash(const Datum *values, const bool *nulls, int column, uint8 *hash)
{
	bytea	   *value = nulls[column] ? NULL : DatumGetByteaPP(values[column]);

	if (value == NULL || VARSIZE_ANY_EXHDR(value) != HASH_BYTES)
		return false;
	memcpy(hash, VARDATA_ANY(value), HASH_BYTES);
	return true;
}

/* The table of events, or NULL where the extension is gone. */
static Relation
open_events(LOCKMODE mode)
{
	Oid			schema = get_namespace_oid("mlops", true);
	Oid			table = OidIsValid(schema) ? get_relname_relid("audit_event", schema) : InvalidOid;
	Relation	relation;

	if (!OidIsValid(table))
		return NULL;
	relation = table_open(table, mode);
	if (RelationGetDescr(relation)->natts != N_COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("relation \"mlops.audit_event\" has %d columns instead of %d", RelationGetDescr(relation)->natts, N_COLUMNS),
				 errhint("The library and the installed version of the extension differ: run ALTER EXTENSION mlops UPDATE.")));
	return relation;
}

/* The index by number. */
static Relation
open_order(Relation events)
{
	Oid			index = compat_primary_key_index(events);

	if (!OidIsValid(index))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("relation \"mlops.audit_event\" has lost its primary key")));
	return index_open(index, AccessShareLock);
}

/* The last event under a snapshot. */
static Link
last_link(Relation events, Snapshot snapshot)
{
	Link		last = {0};
	Relation	order = open_order(events);
	SysScanDesc scan = systable_beginscan_ordered(events, order, snapshot, 0, NULL);
	HeapTuple	row = systable_getnext_ordered(scan, BackwardScanDirection);

	if (HeapTupleIsValid(row))
	{
		Datum		values[N_COLUMNS];
		bool		nulls[N_COLUMNS];

		heap_deform_tuple(row, RelationGetDescr(events), values, nulls);
		last.seq = DatumGetInt64(values[COLUMN_SEQ]);
		if (!read_hash(values, nulls, COLUMN_HASH, last.hash))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("event " INT64_FORMAT " in \"mlops.audit_event\" has no hash", last.seq)));
	}
	systable_endscan_ordered(scan);
	index_close(order, AccessShareLock);
	return last;
}

/* Appends events to the chain. */
void
audit_append(const AuditEvent *events, size_t n)
{
	Relation	relation = open_events(RowExclusiveLock);

	if (relation == NULL)
		return;
	LockDatabaseObject(RelationRelationId, RelationGetRelid(relation), 0, ExclusiveLock);
	PushActiveSnapshot(GetTransactionSnapshot());

	Link		last = last_link(relation, SnapshotSelf);
	CatalogIndexState indexes = CatalogOpenIndexes(relation);
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "mlops audit chain", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(scratch);

	for (size_t i = 0; i < n; i++)
	{
		const AuditEvent *event = &events[i];
		Datum		values[N_COLUMNS] = {0};
		bool		nulls[N_COLUMNS] = {0};

		values[COLUMN_PREV_HASH] = hash_datum(last.hash);
		event_hash(event, ++last.seq, last.hash, last.hash);
		values[COLUMN_SEQ] = Int64GetDatum(last.seq);
		values[COLUMN_AT] = TimestampTzGetDatum(event->at);
		values[COLUMN_PROJECT] = Int64GetDatum(event->project_id);
		values[COLUMN_ACTOR] = CStringGetTextDatum(event->actor);
		values[COLUMN_ROLE] = CStringGetTextDatum(event->role);
		values[COLUMN_ACTION] = CStringGetTextDatum(event->action);
		values[COLUMN_OBJECT] = CStringGetTextDatum(event->object);
		values[COLUMN_BEFORE] = PointerGetDatum(event->before);
		values[COLUMN_AFTER] = PointerGetDatum(event->after);
		values[COLUMN_HASH] = hash_datum(last.hash);
		nulls[COLUMN_PROJECT] = event->project_id == 0;
		nulls[COLUMN_BEFORE] = event->before == NULL;
		nulls[COLUMN_AFTER] = event->after == NULL;
		CatalogTupleInsertWithInfo(relation, heap_form_tuple(RelationGetDescr(relation), values, nulls), indexes);
		MemoryContextReset(scratch);
	}

	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	CatalogCloseIndexes(indexes);
	PopActiveSnapshot();
	table_close(relation, NoLock);
}

/* A text of a row, or NULL. */
static char *
read_text(const Datum *values, const bool *nulls, int column)
{
	return nulls[column] ? NULL : TextDatumGetCString(values[column]);
}

/* The event that a row holds. */
static AuditEvent
read_event(const Datum *values, const bool *nulls)
{
	return (AuditEvent) {
		.at = nulls[COLUMN_AT] ? 0 : DatumGetTimestampTz(values[COLUMN_AT]),
		.project_id = nulls[COLUMN_PROJECT] ? 0 : DatumGetInt64(values[COLUMN_PROJECT]),
		.actor = read_text(values, nulls, COLUMN_ACTOR),
		.role = read_text(values, nulls, COLUMN_ROLE),
		.action = read_text(values, nulls, COLUMN_ACTION),
		.object = read_text(values, nulls, COLUMN_OBJECT),
		.before = nulls[COLUMN_BEFORE] ? NULL : DatumGetJsonbP(values[COLUMN_BEFORE]),
		.after = nulls[COLUMN_AFTER] ? NULL : DatumGetJsonbP(values[COLUMN_AFTER])
	};
}

/* Whether a row has a form that the server never writes, though its text in the hash would be that of another. */
static bool
is_odd(const AuditEvent *event, const bool *nulls)
{
	return (event->project_id == 0 && !nulls[COLUMN_PROJECT]) ||
		(event->before != NULL && !JB_ROOT_IS_OBJECT(event->before)) ||
		(event->after != NULL && !JB_ROOT_IS_OBJECT(event->after));
}

/* What is wrong with a row that follows a link, or NULL; the link becomes that of the row. */
static const char *
check_row(const Datum *values, const bool *nulls, Link *link)
{
	Link		before = *link;
	uint8		claimed[HASH_BYTES];
	uint8		computed[HASH_BYTES];
	bool		has_hash;
	AuditEvent	event = read_event(values, nulls);

	link->seq = DatumGetInt64(values[COLUMN_SEQ]);
	has_hash = read_hash(values, nulls, COLUMN_HASH, link->hash);
	if (!read_hash(values, nulls, COLUMN_PREV_HASH, claimed) || !has_hash)
		return "the event has no hash";
	event_hash(&event, link->seq, claimed, computed);
	if (is_odd(&event, nulls) || memcmp(computed, link->hash, HASH_BYTES) != 0)
		return "the event was changed: its hash is not that of its content";
	if (link->seq == before.seq + 1 && memcmp(claimed, before.hash, HASH_BYTES) != 0)
		return before.seq == 0 ? "the first event does not begin the chain"
			: psprintf("the event does not follow event " INT64_FORMAT ": that was replaced, or this one was", before.seq);
	return NULL;
}

/* Reports a broken link. */
static void
put_problem(ReturnSetInfo *result, int64 seq, const char *problem)
{
	ResultRow	row = {0};

	row_add(&row, Int64GetDatum(seq));
	row_add_text(&row, problem);
	row_put(&row, result);
}

/* Reports what is wrong with an event, and between it and the one before. */
static void
check_event(HeapTuple row, TupleDesc desc, Link *link, ReturnSetInfo *result)
{
	Datum		values[N_COLUMNS];
	bool		nulls[N_COLUMNS];
	int64		expected = link->seq + 1;
	const char *problem;

	heap_deform_tuple(row, desc, values, nulls);
	problem = check_row(values, nulls, link);
	if (link->seq > expected)
		put_problem(result, expected,
					link->seq == expected + 1 ? "the event is missing" : psprintf("events up to " INT64_FORMAT " are missing", link->seq - 1));
	else if (link->seq < expected)
		put_problem(result, link->seq, "there is another event of this number");
	if (problem != NULL)
		put_problem(result, link->seq, problem);
}

/* verify_audit(): every broken link, in order. */
Datum
mlops_verify_audit(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);

	Relation	events = open_events(AccessShareLock);

	if (events == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"mlops.audit_event\" does not exist")));

	Relation	order = open_order(events);
	SysScanDesc scan = systable_beginscan_ordered(events, order, GetActiveSnapshot(), 0, NULL);
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "mlops audit check", ALLOCSET_DEFAULT_SIZES);
	Link		link = {0};
	HeapTuple	row;

	/* the scan keeps memory of its own between rows */
	while (HeapTupleIsValid(row = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		MemoryContext old = MemoryContextSwitchTo(scratch);

		CHECK_FOR_INTERRUPTS();
		check_event(row, RelationGetDescr(events), &link, result);
		MemoryContextSwitchTo(old);
		MemoryContextReset(scratch);
	}
	MemoryContextDelete(scratch);
	systable_endscan_ordered(scan);
	index_close(order, AccessShareLock);
	table_close(events, AccessShareLock);
	return (Datum) 0;
}

/* audit_head(): number and hash of the last event; NULLs where there is none. */
Datum
mlops_audit_head(PG_FUNCTION_ARGS)
{
	TupleDesc	row_type;
	Relation	events = open_events(AccessShareLock);
	Link		last = {0};
	bool		nulls[2] = {0};

	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "mlops.audit_head() must return a row");
	if (events != NULL)
	{
		last = last_link(events, GetActiveSnapshot());
		table_close(events, AccessShareLock);
	}
	nulls[0] = nulls[1] = last.seq == 0;

	Datum		values[] = {Int64GetDatum(last.seq), hash_datum(last.hash)};

	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls)));
}
