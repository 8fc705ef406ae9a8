/*
 * snapshot.c
 *		mlops.take_snapshot(): what a query returned, as evidence.
 *
 * One scan profiles the columns and adds up the hashes of the rows.  The hash
 * of a row is made of two 64-bit hashes a column, by the hash functions of
 * the columns' types (those that hash partitions rest on, which take equal
 * values for equal), or of the value's text where a type has none.  Rows that
 * are to be kept wait in a tuplestore: the scan may only read.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"

#include "../profile/describe.h"
#include "../registry/evidence.h"
#include "../registry/registry.h"
#include "../report.h"

#define FUNCTION "mlops.take_snapshot()"
#define ROWS_A_STATEMENT 1000

PG_FUNCTION_INFO_V1(mlops_take_snapshot);

/* How the values of a column are hashed. */
typedef struct HashedColumn
{
	FmgrInfo	hash;			/* of a value and a seed; not set: by its text */
	FmgrInfo	output;
	bool		by_text;
	Oid			collation;
} HashedColumn;

typedef struct SnapshotScan
{
	HashedColumn *columns;
	int			n_columns;
	uint64	   *cells;			/* two a column */
	unsigned __int128 fingerprint;
	Tuplestorestate *rows;		/* of one text, the row as JSON; NULL: they are not kept */
	TupleDesc	row_type;		/* of the tuplestore */
	TupleDesc	source_type;	/* the plan's own may have no names */
} SnapshotScan;

/* Finds the hash functions. */
static void
init_columns(SnapshotScan *scan, const Source *source)
{
	scan->n_columns = source->n_columns;
	scan->columns = palloc0(source->n_columns * sizeof(HashedColumn));
	scan->cells = palloc(2 * source->n_columns * sizeof(uint64));
	for (int i = 0; i < source->n_columns; i++)
	{
		HashedColumn *column = &scan->columns[i];
		TypeCacheEntry *type = lookup_type_cache(source->columns[i].type, TYPECACHE_HASH_EXTENDED_PROC_FINFO);
		Oid			output;
		bool		is_varlena;

		column->collation = source->columns[i].collation;
		column->by_text = !OidIsValid(type->hash_extended_proc_finfo.fn_oid);
		if (!column->by_text)
			fmgr_info_copy(&column->hash, &type->hash_extended_proc_finfo, CurrentMemoryContext);
		else
		{
			getTypeOutputInfo(source->columns[i].type, &output, &is_varlena);
			fmgr_info(output, &column->output);
		}
	}
}

/* A hash of a value that is not NULL. */
static uint64
hash_value(HashedColumn *column, Datum value, uint64 seed)
{
	char	   *text;

	if (!column->by_text)
		return DatumGetUInt64(FunctionCall2Coll(&column->hash, column->collation, value, UInt64GetDatum(seed)));
	text = OutputFunctionCall(&column->output, value);
	return hash_bytes_extended((const unsigned char *) text, (int) strlen(text), seed);
}

/* One row: adds its hash, and keeps it. */
static void
take_row(TupleTableSlot *slot, void *context)
{
	SnapshotScan *scan = context;
	int			n_bytes = (int) (2 * scan->n_columns * sizeof(uint64));

	for (int i = 0; i < scan->n_columns; i++)
	{
		for (int half = 0; half < 2; half++)
			scan->cells[2 * i + half] = slot->tts_isnull[i] ? 0 : hash_value(&scan->columns[i], slot->tts_values[i], (uint64) half + 1);
	}

	uint64		low = hash_bytes_extended((const unsigned char *) scan->cells, n_bytes, 1);
	uint64		high = hash_bytes_extended((const unsigned char *) scan->cells, n_bytes, 2);

	scan->fingerprint += (unsigned __int128) high << 64 | low;
	if (scan->rows != NULL)
	{
		HeapTuple	row = heap_form_tuple(scan->source_type, slot->tts_values, slot->tts_isnull);
		Datum		json = DirectFunctionCall1(row_to_json, HeapTupleGetDatum(row));
		bool		null = false;

		tuplestore_putvalues(scan->rows, scan->row_type, &json, &null);
	}
}

/* The row of mlops.snapshot; its id. */
static int64
store_snapshot(int64 project_id, const Source *source, const SnapshotScan *scan, const DescribeScan *described)
{
	bool		row_security;
	uint64		n_rows = describe_rows(described, &row_security);
	uint64_t	words[] = {(uint64_t) scan->fingerprint, (uint64_t) (scan->fingerprint >> 64)};
	Oid			types[] = {INT8OID, TEXTOID, JSONBOID, TEXTOID, BOOLOID, INT8OID, NUMERICOID, JSONBOID};
	Datum		values[] = {
		Int64GetDatum(project_id),
		CStringGetTextDatum(source->qualified),
		JsonbPGetDatum(source_settings()),
		CStringGetTextDatum(GetUserNameFromId(GetUserId(), false)),
		BoolGetDatum(row_security),
		Int64GetDatum((int64) n_rows),
		evidence_fingerprint(words),
		JsonbPGetDatum(describe_columns(described))
	};

	return DatumGetInt64(registry_execute("insert into mlops.snapshot "
										  "(kind, project_id, query, settings, role_name, row_security_applied, row_count, fingerprint, columns) "
										  "values ('taken', $1, $2, $3, $4, $5, $6, $7, $8) returning id",
										  lengthof(types), types, values, NULL, NULL));
}

/* Writes some rows from a position on. */
static void
store_rows(int64 snapshot_id, int64 position, Datum *rows, int n)
{
	Oid			types[] = {INT8OID, INT8OID, TEXTARRAYOID};
	Datum		values[] = {
		Int64GetDatum(snapshot_id),
		Int64GetDatum(position),
		PointerGetDatum(construct_array(rows, n, TEXTOID, -1, false, TYPALIGN_INT))
	};

	(void) registry_execute("insert into mlops.snapshot_row (snapshot_id, position, content) "
							"select $1, $2 + r.n, r.content::jsonb from unnest($3) with ordinality r (content, n)",
							lengthof(types), types, values, NULL, NULL);
}

/* Writes all rows that wait. */
static void
keep_rows(const SnapshotScan *scan, int64 snapshot_id)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(scan->row_type, &TTSOpsMinimalTuple);
	MemoryContext batch = AllocSetContextCreate(CurrentMemoryContext, "mlops snapshot rows", ALLOCSET_DEFAULT_SIZES);
	Datum	   *rows = palloc(ROWS_A_STATEMENT * sizeof(Datum));
	int64		position = 0;
	int			n = 0;

	while (tuplestore_gettupleslot(scan->rows, true, false, slot))
	{
		MemoryContext old = MemoryContextSwitchTo(batch);

		slot_getallattrs(slot);
		rows[n++] = PointerGetDatum(DatumGetTextPCopy(slot->tts_values[0]));
		if (n == ROWS_A_STATEMENT)
		{
			CHECK_FOR_INTERRUPTS();
			store_rows(snapshot_id, position, rows, n);
			position += n;
			n = 0;
			MemoryContextReset(batch);
		}
		MemoryContextSwitchTo(old);
	}
	if (n > 0)
		store_rows(snapshot_id, position, rows, n);
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(batch);
}

/* mlops.take_snapshot(query, keep_rows, project) */
Datum
mlops_take_snapshot(PG_FUNCTION_ARGS)
{
	SnapshotScan scan = {0};
	int64		project_id;
	int64		snapshot_id;
	Source	   *source;
	DescribeScan *described;

	PreventCommandIfReadOnly(FUNCTION);
	if (PG_ARGISNULL(0))
		report_null_argument(FUNCTION, "query");
	project_id = registry_project(PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2)));
	source = source_open(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	init_columns(&scan, source);
	if (!PG_ARGISNULL(1) && PG_GETARG_BOOL(1))
	{
		scan.row_type = CreateTemplateTupleDesc(1);
		TupleDescInitEntry(scan.row_type, 1, "content", TEXTOID, -1, 0);
		scan.source_type = BlessTupleDesc(source_row_type(source));
		scan.rows = tuplestore_begin_heap(false, false, work_mem);
	}
	described = describe_source(source, take_row, &scan);
	snapshot_id = store_snapshot(project_id, source, &scan, described);
	if (scan.rows != NULL)
	{
		keep_rows(&scan, snapshot_id);
		tuplestore_end(scan.rows);
	}
	PG_RETURN_INT64(snapshot_id);
}
