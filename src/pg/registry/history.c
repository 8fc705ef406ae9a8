/*
 * history.c
 *		What triggers of the registry need and SQL cannot say.
 *
 * Whether rows come out of a dump: a restore loads tables with their triggers
 * active, and what a trigger would add is in the dump already.
 *
 * Moves of aliases: alias_history is evidence that no user may write, yet each
 * row names the role that moved the alias, which a SECURITY DEFINER function
 * would not know any more.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "registry.h"

PG_FUNCTION_INFO_V1(mlops_is_restoring);
PG_FUNCTION_INFO_V1(mlops_record_alias);

/* A superuser with row_security off: what pg_dump's scripts begin with. */
bool
registry_is_restoring(void)
{
	return !row_security && superuser_arg(GetOuterUserId());
}

/* mlops.is_restoring() */
Datum
mlops_is_restoring(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(registry_is_restoring());
}

/* The data of a call as a trigger before each insert into a table of ours. */
TriggerData *
registry_insert_trigger(FunctionCallInfo fcinfo, const char *function, const char *table)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ||
		RelationGetRelid(trigger->tg_relation) != get_relname_relid(table, get_namespace_oid("mlops", false)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("mlops.%s() is a trigger before each insert into mlops.%s", function, table)));
	return trigger;
}

/* Refuses the row of a trigger as row security would, which has not looked at it yet, and never looks for some roles. */
void
registry_refuse_row(const TriggerData *trigger)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("new row violates row-level security policy for table \"%s\"", RelationGetRelationName(trigger->tg_relation))));
}

/* A column of a row that a trigger is given. */
static Datum
row_value(TriggerData *trigger, HeapTuple row, const char *column)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		isnull;

	return SPI_getbinval(row, desc, SPI_fnumber(desc, column), &isnull);
}

/* mlops.record_alias(): after an alias was made, moved or removed; its columns are not null. */
Datum
mlops_record_alias(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("mlops.record_alias() is a trigger after each row")));

	/* Rows of another table would have other types, and their history would be forged. */
	if (RelationGetRelid(trigger->tg_relation) != get_relname_relid("alias", get_namespace_oid("mlops", false)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("mlops.record_alias() is a trigger of mlops.alias")));
	if (registry_is_restoring())
		return PointerGetDatum(NULL);

	bool		moved = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	bool		removed = TRIGGER_FIRED_BY_DELETE(trigger->tg_event);
	HeapTuple	row = moved ? trigger->tg_newtuple : trigger->tg_trigtuple;
	Datum		version = row_value(trigger, row, "version");

	if (moved && DatumGetInt32(version) == DatumGetInt32(row_value(trigger, trigger->tg_trigtuple, "version")))
		return PointerGetDatum(NULL);

	/* With its model an alias goes silently: its history goes, too. */
	static const char *const statement =
		"insert into mlops.alias_history (model_id, name, version, set_by, set_at) "
		"select m.id, $2, $3, $4, pg_catalog.clock_timestamp() from mlops.model m where m.id operator(pg_catalog.=) $1";
	Oid			types[] = {INT8OID, TEXTOID, INT4OID, TEXTOID};
	Datum		values[] = {
		row_value(trigger, row, "model_id"),
		row_value(trigger, row, "name"),
		version,
		CStringGetTextDatum(GetUserNameFromId(GetUserId(), false))
	};
	bool		nulls[] = {false, false, removed, false};
	bool		no_result;

	registry_execute(statement, lengthof(types), types, values, nulls, &no_result);
	return PointerGetDatum(NULL);
}
