/*
 * lineage.c
 *		From tables to predictions and back: what runs read, and what happens where it goes.
 *
 * A training writes down which relations and columns it read (lineage_walk.c).
 * mlops.lineage() resolves its argument under the caller's search_path, and
 * reads the registry with the caller's rights.  After a DDL command the event
 * trigger asks whether everything that live models read is still there, as
 * the extension's owner, and names to the caller only what the caller may see.
 */
#include "lineage.h"

#include "catalog/namespace.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/varlena.h"

#include "../compat.h"
#include "../json_fields.h"
#include "../registry/registry.h"
#include "../registry/registry_scan.h"

#define LINEAGE_COLUMNS 5

PG_FUNCTION_INFO_V1(mlops_lineage);
PG_FUNCTION_INFO_V1(mlops_guard_sources);

/* Writes down what a run read. */
void
lineage_store(int64 run_id, const Source *source, const TrainColumns *columns)
{
	ListCell   *cell;

	foreach(cell, lineage_of_source(source, columns))
	{
		SourceRelation *relation = lfirst(cell);
		Datum	   *numbers = palloc(bms_num_members(relation->columns) * sizeof(Datum) + 1);
		int			n = 0;

		for (int column = bms_next_member(relation->columns, -1); column >= 0; column = bms_next_member(relation->columns, column))
			numbers[n++] = Int16GetDatum((int16) column);

		Oid			types[] = {INT8OID, OIDOID, INT2ARRAYOID};
		Datum		values[] = {
			Int64GetDatum(run_id),
			ObjectIdGetDatum(relation->id),
			PointerGetDatum(construct_array(numbers, n, INT2OID, sizeof(int16), true, TYPALIGN_SHORT))
		};

		(void) registry_execute("select mlops.store_source($1, $2, $3)", lengthof(types), types, values, NULL, NULL);
	}
}

/* The qualified name of a relation, which is looked for in the caller's search_path where it has no schema; NULL where it is not there, or is no name. */
static char *
qualified_relation(const char *name)
{
	List	   *parts = NIL;
	Oid			relation;

	if (!SplitIdentifierString(pstrdup(name), '.', &parts))
		return NULL;
	if (list_length(parts) == 2)
		return quote_qualified_identifier(linitial(parts), lsecond(parts));
	if (list_length(parts) != 1)
		return NULL;
	relation = RelnameGetRelid(linitial(parts));
	if (!OidIsValid(relation))
		return NULL;
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation));
}

/* mlops.lineage(object) */
Datum
mlops_lineage(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *object = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *relation = qualified_relation(object);
	ModelRef	ref = {0};
	bool		is_model = registry_find(object, &ref);
	Oid			types[] = {TEXTOID, INT8OID, TEXTOID};
	Datum		values[] = {
		PG_GETARG_DATUM(0),
		Int64GetDatum(ref.model_id),
		relation != NULL ? CStringGetTextDatum(relation) : (Datum) 0
	};
	char		nulls[] = {' ', is_model ? ' ' : 'n', relation != NULL ? ' ' : 'n'};

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	if (SPI_execute_with_args("select * from mlops.lineage_of($1, $2, $3)", lengthof(types), types, values, nulls, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "mlops.lineage_of() could not be called");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum		row[LINEAGE_COLUMNS];
		bool		row_nulls[LINEAGE_COLUMNS];

		heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, row, row_nulls);
		tuplestore_putvalues(result->setResult, result->setDesc, row, row_nulls);
	}
	SPI_finish();
	return (Datum) 0;
}

/* Something that live models read is gone or has another type. */
typedef struct BrokenSource
{
	int64		project_id;
	const char *model;
	const char *relation;
	const char *what;
	bool		refused;		/* the project wants the command refused */
} BrokenSource;

/* What was broken already when a command began, in this transaction. */
static LocalTransactionId known_in;
static Jsonb *known;
static ArrayType *touched;		/* relations whose columns the command may change; NULL: any */

/* Reads what guard_live_sources() says of one. */
static BrokenSource
read_broken(JsonbValue *object)
{
	BrokenSource broken = {0};
	int			n;
	JsonField  *fields = json_fields(JsonbValueToJsonb(object), "source", &n);

	for (int i = 0; i < n; i++)
	{
		const JsonField *field = &fields[i];

		if (strcmp(field->key, "project_id") == 0)
			broken.project_id = (int64) json_number(field, "source");
		else if (strcmp(field->key, "model") == 0)
			broken.model = json_text(field, "source");
		else if (strcmp(field->key, "relation") == 0)
			broken.relation = json_text(field, "source");
		else if (strcmp(field->key, "what") == 0)
			broken.what = json_text(field, "source");
		else if (strcmp(field->key, "guard_sources") == 0)
			broken.refused = strcmp(json_text(field, "source"), "refuse") == 0;
	}
	return broken;
}

/* Says so, or refuses the command. */
static void
report_broken(const BrokenSource *broken)
{
	bool		named = access_allowed(broken->project_id, RIGHT_SEE);

	if (broken->refused)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("a live model reads what this command takes away from %s", broken->relation),
				 named ? errdetail("Model \"%s\" was trained on it: %s.", broken->model, broken->what) : errdetail("It is this: %s.", broken->what),
				 errhint("Whoever owns the model's project can end its deployment, or set guard_sources to 'warn' in mlops.project.")));
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("a live model reads what this command took away from %s", broken->relation),
			 named ? errdetail("Model \"%s\" was trained on it: %s.", broken->model, broken->what) : errdetail("It is this: %s.", broken->what),
			 errhint("There is a finding for those who look after the model.")));
}

/* Whether any model is live; most commands of most databases end here. */
static bool
any_live(void)
{
	RegistryScan scan;
	bool		found;

	registry_scan_open(&scan, "deployment");
	registry_scan_start(&scan, "deployment_live_key");
	found = registry_scan_next(&scan);
	registry_scan_close(&scan);
	return found;
}

/* The relation that a command alters, by which it names it; NULL where it is not one relation. */
static RangeVar *
altered_relation(Node *command)
{
	if (IsA(command, AlterTableStmt) && castNode(AlterTableStmt, command)->objtype != OBJECT_TYPE)
		return castNode(AlterTableStmt, command)->relation;
	if (IsA(command, RenameStmt) && castNode(RenameStmt, command)->renameType != OBJECT_ATTRIBUTE)
		return castNode(RenameStmt, command)->relation;
	return NULL;
}

/* The relations whose columns a command may change: the one that it alters and those that inherit from it; NULL: any. */
static ArrayType *
touched_relations(Node *command)
{
	RangeVar   *name = altered_relation(command);
	Oid			relation = name != NULL ? RangeVarGetRelid(name, NoLock, true) : InvalidOid;

	if (!OidIsValid(relation))
		return NULL;

	List	   *all = find_all_inheritors(relation, NoLock, NULL);
	Datum	   *ids = palloc(list_length(all) * sizeof(Datum));

	for (int i = 0; i < list_length(all); i++)
		ids[i] = ObjectIdGetDatum(list_nth_oid(all, i));
	return construct_array(ids, list_length(all), OIDOID, sizeof(Oid), true, TYPALIGN_INT);
}

/* Keeps what is broken before the command. */
static void
look_before(Node *command)
{
	static struct _SPI_plan *plan;
	ArrayType  *relations = touched_relations(command);
	Datum		value = PointerGetDatum(relations);
	bool		none = relations == NULL;
	Jsonb	   *broken = DatumGetJsonbP(registry_execute_kept(&plan, "select mlops.broken_sources($1)", 1, &(Oid){OIDARRAYOID}, &value, (bool[]){none}, NULL));

	known = MemoryContextAlloc(TopTransactionContext, VARSIZE(broken));
	memcpy(known, broken, VARSIZE(broken));
	touched = none ? NULL : memcpy(MemoryContextAlloc(TopTransactionContext, VARSIZE(relations)), relations, VARSIZE(relations));
	known_in = compat_local_transaction();
}

/* Reports what the command broke. */
static void
look_after(void)
{
	static struct _SPI_plan *plan;
	bool		kept = known_in == compat_local_transaction();
	Datum		before[] = {
		kept ? JsonbPGetDatum(known) : DirectFunctionCall1(jsonb_in, CStringGetDatum("[]")),
		kept ? PointerGetDatum(touched) : (Datum) 0
	};
	bool		nulls[] = {false, before[1] == (Datum) 0};
	Oid			types[] = {JSONBOID, OIDARRAYOID};
	Jsonb	   *broken = DatumGetJsonbP(registry_execute_kept(&plan, "select mlops.guard_live_sources($1, $2)", lengthof(types), types, before, nulls, NULL));

	for (uint32 i = 0; i < JsonContainerSize(&broken->root); i++)
	{
		BrokenSource source = read_broken(getIthJsonbValueFromContainer(&broken->root, i));

		report_broken(&source);
	}
}

/* mlops.guard_sources(): event trigger around commands that may change tables. */
Datum
mlops_guard_sources(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("mlops.guard_sources() is an event trigger")));
	if (registry_is_restoring() || !any_live())
		PG_RETURN_NULL();
	if (strcmp(((EventTriggerData *) fcinfo->context)->event, "ddl_command_start") == 0)
		look_before(((EventTriggerData *) fcinfo->context)->parsetree);
	else
		look_after();
	PG_RETURN_NULL();
}
