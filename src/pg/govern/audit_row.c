/*
 * audit_row.c
 *		The trigger that makes events of rows.
 *
 * It is on every table that people govern with (sql/85-audit.sql), after each
 * row and after TRUNCATE.  An event holds the row before and after as jsonb,
 * whose text is the same under all settings.  The trigger's arguments name
 * columns that not all who view the project may read: of those the event has
 * the SHA-256 only.
 *
 * Rows that come out of a dump were recorded when they were made.  Nothing
 * but an INSERT can come out of a dump, so a superuser who has switched
 * row_security off is recorded where he changes or deletes.
 */
#include "audit.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "../compat.h"
#include "../registry/registry.h"
#include "../registry/registry_scan.h"

#define MAX_STEPS 8				/* from a row to its project */

PG_FUNCTION_INFO_V1(mlops_record_event);

/* Values are written as they would be under these, whatever the session has. */
static int
begin_settings(void)
{
	static const char *const settings[][2] = {
		{"TimeZone", "UTC"}, {"DateStyle", "ISO, YMD"}, {"IntervalStyle", "postgres"}, {"bytea_output", "hex"}, {"extra_float_digits", "1"},
		{"search_path", "pg_catalog, pg_temp"}
	};
	int			nest_level = NewGUCNestLevel();

	for (int i = 0; i < (int) lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return nest_level;
}

/* "sha256:..." of a text, or of a jsonb's text. */
static Datum
digest_value(Datum value, Oid type)
{
	text	   *content = type == JSONBOID ? cstring_to_text(DatumGetCString(DirectFunctionCall1(jsonb_out, value))) : DatumGetTextPP(value);
	char	   *name;
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	char		hex[2 * PG_SHA256_DIGEST_LENGTH + 1];
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);

	if (hash == NULL || pg_cryptohash_init(hash) < 0 ||
		pg_cryptohash_update(hash, (const uint8 *) VARDATA_ANY(content), VARSIZE_ANY_EXHDR(content)) < 0 ||
		pg_cryptohash_final(hash, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute SHA-256: %s", pg_cryptohash_error(hash));
	pg_cryptohash_free(hash);
	hex[hex_encode((const char *) digest, sizeof(digest), hex)] = '\0';
	name = psprintf("sha256:%s", hex);
	return type == JSONBOID ? DirectFunctionCall1(jsonb_in, CStringGetDatum(psprintf("\"%s\"", name))) : CStringGetTextDatum(name);
}

/* The row with what is not for all who view replaced. */
static HeapTuple
without_secrets(const TriggerData *trigger, HeapTuple row)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);

	for (int i = 0; i < trigger->tg_trigger->tgnargs; i++)
	{
		int			number = SPI_fnumber(desc, trigger->tg_trigger->tgargs[i]);
		Oid			type = number > 0 ? TupleDescAttr(desc, number - 1)->atttypid : InvalidOid;
		bool		null;

		if (type != TEXTOID && type != JSONBOID)
			elog(ERROR, "\"%s\" is no column of type text or jsonb", trigger->tg_trigger->tgargs[i]);

		Datum		value = heap_getattr(row, number, desc, &null);

		if (!null)
		{
			value = digest_value(value, type);
			row = heap_modify_tuple_by_cols(row, desc, 1, &number, &value, &null);
		}
	}
	return row;
}

/* A row as jsonb. */
static Jsonb *
row_json(const TriggerData *trigger, HeapTuple row)
{
	Datum		record = heap_copy_tuple_as_datum(without_secrets(trigger, row), RelationGetDescr(trigger->tg_relation));
	Datum		json = DirectFunctionCall1(row_to_json, record);

	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(DatumGetTextPP(json)))));
}

/* The table and its key: "alias 3/champion". */
static char *
object_name(Relation relation, HeapTuple row)
{
	TupleDesc	desc = RelationGetDescr(relation);
	Oid			key_index = compat_primary_key_index(relation);
	StringInfoData name;

	initStringInfo(&name);
	appendStringInfoString(&name, RelationGetRelationName(relation));
	if (row == NULL || !OidIsValid(key_index))
		return name.data;

	Relation	index = index_open(key_index, AccessShareLock);

	for (int i = 0; i < index->rd_index->indnkeyatts; i++)
		appendStringInfo(&name, "%c%s", i == 0 ? ' ' : '/', SPI_getvalue(row, desc, index->rd_index->indkey.values[i]));
	index_close(index, AccessShareLock);
	return name.data;
}

static int64 project_of_row(const char *table, TupleDesc desc, HeapTuple row, int steps);

/*
 * The project of a row of ours by its number, also where this transaction has deleted it: with a model go
 * its deployments, and those come last.  Whose project a row is in never changes, so any of its states will do.
 */
static int64
project_of(const char *table, int64 id, int steps)
{
	RegistryScan scan;
	HeapTuple	row = NULL;
	TupleDesc	desc;

	if (strcmp(table, "project") == 0)
		return id;
	registry_scan_open(&scan, table);
	desc = CreateTupleDescCopy(RelationGetDescr(scan.relation));
	registry_scan_key_int64(&scan, "id", id);
	registry_scan_start_any(&scan, psprintf("%s_pkey", table));
	if (registry_scan_next(&scan))
		row = heap_copytuple(scan.tuple);
	registry_scan_close(&scan);
	return row != NULL ? project_of_row(table, desc, row, steps + 1) : 0;
}

/* The table of ours that a column refers to by its name, "model_id" to "model"; NULL where there is none, or it has no number. */
static const char *
referred_table(const FormData_pg_attribute *column)
{
	const char *name = NameStr(column->attname);
	size_t		length = strlen(name);
	Oid			schema = get_namespace_oid("mlops", false);
	char	   *table;

	if (column->attisdropped || column->atttypid != INT8OID || length < 4 || strcmp(name + length - 3, "_id") != 0)
		return NULL;
	table = strcmp(name, "alert_id") == 0 ? "raised_alert" : pnstrdup(name, length - 3);
	if (!OidIsValid(get_relname_relid(psprintf("%s_pkey", table), schema)) ||
		get_atttype(get_relname_relid(table, schema), get_attnum(get_relname_relid(table, schema), "id")) != INT8OID)
		return NULL;
	return table;
}

/* The project that a row is in, by the first of its references that leads to one; 0 where it is in none. */
static int64
project_of_row(const char *table, TupleDesc desc, HeapTuple row, int steps)
{
	int64		project = 0;
	int			direct = SPI_fnumber(desc, strcmp(table, "project") == 0 ? "id" : "project_id");
	bool		null;

	if (direct > 0)
	{
		Datum		value = heap_getattr(row, direct, desc, &null);

		return null ? 0 : DatumGetInt64(value);
	}
	for (int i = 0; i < desc->natts && project == 0 && steps < MAX_STEPS; i++)
	{
		const char *referred = referred_table(TupleDescAttr(desc, i));
		Datum		value = heap_getattr(row, i + 1, desc, &null);

		if (referred != NULL && !null)
			project = project_of(referred, DatumGetInt64(value), steps);
	}
	return project;
}

/* Records what was done to a row. */
static void
record_row(const TriggerData *trigger)
{
	Relation	relation = trigger->tg_relation;
	bool		inserted = TRIGGER_FIRED_BY_INSERT(trigger->tg_event);
	bool		updated = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple	row = updated ? trigger->tg_newtuple : trigger->tg_trigtuple;
	int			nest_level = begin_settings();
	Jsonb	   *before = inserted ? NULL : row_json(trigger, trigger->tg_trigtuple);
	Jsonb	   *after = inserted || updated ? row_json(trigger, row) : NULL;
	char	   *object = object_name(relation, row);

	AtEOXact_GUC(false, nest_level);
	if (updated && VARSIZE(before) == VARSIZE(after) && memcmp(before, after, VARSIZE(before)) == 0)
		return;
	audit_add(project_of_row(RelationGetRelationName(relation), RelationGetDescr(relation), row, 0),
			  inserted ? "insert" : updated ? "update" : "delete", object, before, after);
}

/* mlops.record_event(): after each row, or after TRUNCATE; arguments are columns whose content the event must not have. */
Datum
mlops_record_event(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		TRIGGER_FIRED_FOR_ROW(trigger->tg_event) == TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("mlops.record_event() is a trigger after each row, or after TRUNCATE")));
	if (RelationGetNamespace(trigger->tg_relation) != get_namespace_oid("mlops", false))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("mlops.record_event() is a trigger of tables of mlops")));

	if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		audit_add(0, "truncate", object_name(trigger->tg_relation, NULL), NULL, NULL);
	else if (!TRIGGER_FIRED_BY_INSERT(trigger->tg_event) || !registry_is_restoring())
		record_row(trigger);
	return PointerGetDatum(NULL);
}
