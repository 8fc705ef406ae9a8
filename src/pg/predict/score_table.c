/*
 * score_table.c
 *		mlops.score_table(): writing a model's predictions for a source into a table.
 *
 * The rows come from predict_batch() and are written by one INSERT, both with
 * the caller's rights.  Statements are made of quoted names; the caller's
 * source is in them with qualified names, as a string that predict_batch()
 * parses by itself.
 */
#include "score_table.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_relation.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/varlena.h"

#include "../progress.h"
#include "../report.h"

#define FUNCTION "mlops.score_table()"

PG_FUNCTION_INFO_V1(mlops_score_table);

/* Columns of a destination that are written where it has them, and what goes there. */
static const struct
{
	const char *name;
	const char *value;
}			score_columns[] = {
	{"prediction", "b.prediction"},
	{"class", "b.class"},
	{"probability", "b.probability"},
	{"version", NULL},			/* the model's, a constant */
	{"scored_at", "statement_timestamp()"},
};

/* A mode by its name. */
static ScoreMode
mode_by_name(const char *name)
{
	static const char *const names[] = {"replace", "append", "upsert"};

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (strcmp(name, names[i]) == 0)
			return (ScoreMode) i;
	}
	report_unknown_name(ERRCODE_INVALID_PARAMETER_VALUE, psprintf("unknown mode \"%s\"", name), "modes", name, names, lengthof(names));
}

/* The model's name with its version. */
static char *
pin_version(const char *reference, int32 version)
{
	const char *at = strchr(reference, '@');

	return psprintf("%.*s@%d", (int) (at != NULL ? at - reference : (int) strlen(reference)), reference, version);
}

/* The destination, open; an error where there is none. */
static Relation
open_destination(const char *name, const char *key)
{
	RangeVar   *range = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name)));
	Oid			relation = RangeVarGetRelid(range, NoLock, true);
	char		kind = OidIsValid(relation) ? get_rel_relkind(relation) : '\0';

	if (!OidIsValid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s\" does not exist", name),
				 errhint("The destination must be there: create table %s (%s bigint primary key, prediction float8, class text, probability float8).",
						 name, quote_identifier(key))));
	if (strchr("rpvf", kind) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", name)));
	return table_open(relation, AccessShareLock);
}

/* Whether a table has a column of this name. */
static bool
has_column(Relation table, const char *name)
{
	TupleDesc	row_type = RelationGetDescr(table);

	for (int i = 0; i < row_type->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(row_type, i);

		if (!column->attisdropped && strcmp(NameStr(column->attname), name) == 0)
			return true;
	}
	return false;
}

/* Which columns of the destination are written. */
static void
choose_columns(ScoreTable *score, Relation table, const char *key)
{
	StringInfoData columns;
	StringInfoData values;
	StringInfoData updates;
	char	   *type = format_type_be_qualified(get_atttype(RelationGetRelid(table), get_attnum(RelationGetRelid(table), key)));

	initStringInfo(&columns);
	initStringInfo(&values);
	initStringInfo(&updates);
	appendStringInfoString(&columns, score->key);
	appendStringInfo(&values, "b.id::%s", type);
	for (int i = 0; i < (int) lengthof(score_columns); i++)
	{
		const char *name = score_columns[i].name;

		if (strcmp(name, key) == 0 || !has_column(table, name))
			continue;
		appendStringInfo(&columns, ", %s", name);
		appendStringInfo(&values, ", %s", score_columns[i].value != NULL ? score_columns[i].value : psprintf("%d", score->ref.version));
		appendStringInfo(&updates, "%s%s = excluded.%s", updates.len > 0 ? ", " : "", name, name);
	}
	if (updates.len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column for a prediction", RelationGetRelationName(table)),
				 errhint("Those of prediction, class, probability, version and scored_at that it has are written.")));
	score->columns = columns.data;
	score->values = values.data;
	score->updates = updates.data;
}

/* Resolves names and checks rights. */
ScoreTable *
score_open(const char *model, const char *source, const char *destination, const char *key, const char *mode)
{
	ScoreTable *score = palloc0(sizeof(ScoreTable));
	const SourceColumn *column;
	Relation	table;

	score->mode = mode_by_name(mode);
	registry_resolve(model, BARE_LIVE, RIGHT_PREDICT, &score->ref);
	score->model = pin_version(model, score->ref.version);
	score->source = source_open(source);
	column = source_column(score->source, key, "\"key\"");
	score->key_name = pstrdup(key);
	score->key = quote_identifier(score->key_name);
	score->key_type = format_type_be_qualified(column->type);

	table = open_destination(destination, key);
	score->destination = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(table)), RelationGetRelationName(table));
	score->temporary = table->rd_rel->relpersistence == RELPERSISTENCE_TEMP || isQueryUsingTempRelation(score->source->query);
	if (!has_column(table, key))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column \"%s\" for the key", RelationGetRelationName(table), key)));
	choose_columns(score, table, key);
	table_close(table, AccessShareLock);
	return score;
}

/* Begins to show progress. */
void
score_begin(const ScoreTable *score, uint64 done)
{
	(void) progress_begin("score", score->ref.model_name, score->ref.project_id);
	progress_phase("predict", 0);
	progress_set(done, (uint64) Max(source_expected_rows(score->source), (double) done));
}

/* Runs one statement with the caller's rights. */
static void
run_statement(const char *statement, int expected)
{
	int			outcome = SPI_execute(statement, false, 0);

	if (outcome != expected)
		elog(ERROR, "scoring failed: %s", SPI_result_code_string(outcome));
}

/* Removes the destination's rows. */
void
score_clear(const ScoreTable *score)
{
	SPI_connect();
	run_statement(psprintf("delete from %s", score->destination), SPI_OK_DELETE);
	SPI_finish();
}

/* The source, or the part of it that is next. */
static char *
part_of_source(const ScoreTable *score, const char *after, uint64 limit)
{
	StringInfoData part;

	if (limit == 0)
		return pstrdup(score->source->qualified);
	initStringInfo(&part);
	appendStringInfo(&part, "select * from (%s) s where s.%s is not null", score->source->qualified, score->key);
	if (after != NULL)
		appendStringInfo(&part, " and s.%s > %s::%s", score->key, quote_literal_cstr(after), score->key_type);
	appendStringInfo(&part, " order by s.%s fetch first " UINT64_FORMAT " rows with ties", score->key, limit);
	return part.data;
}

/* Predicts and writes rows. */
uint64
score_rows(const ScoreTable *score, const char *after, uint64 limit, char **last)
{
	MemoryContext caller = CurrentMemoryContext;
	StringInfoData statement;
	uint64		n;
	bool		is_null;

	SPI_connect();
	initStringInfo(&statement);
	appendStringInfo(&statement,
					 "with b as materialized (select * from mlops.predict_batch(%s, %s, %s)), "
					 "w as (insert into %s (%s) select %s from b",
					 quote_literal_cstr(score->model), quote_literal_cstr(part_of_source(score, after, limit)),
					 quote_literal_cstr(score->key_name),
					 score->destination, score->columns, score->values);
	if (score->mode == SCORE_UPSERT)
		appendStringInfo(&statement, " on conflict (%s) do update set %s", score->key, score->updates);
	appendStringInfo(&statement, " returning 1) select (select count(*) from b), (select count(*) from w), %s",
					 limit == 0 ? "null" : psprintf("(select id from b order by id::%s desc limit 1)", score->key_type));
	run_statement(statement.data, SPI_OK_SELECT);

	n = (uint64) DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
	if (last != NULL)
	{
		char	   *key = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3);

		*last = key != NULL ? MemoryContextStrdup(caller, key) : NULL;
	}
	SPI_finish();
	return n;
}

/* Rows without a key. */
uint64
score_count_keyless(const ScoreTable *score)
{
	uint64		n;
	bool		is_null;

	SPI_connect();
	run_statement(psprintf("select count(*) from (%s) s where s.%s is null", score->source->qualified, score->key), SPI_OK_SELECT);
	n = (uint64) DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
	SPI_finish();
	return n;
}

/* mlops.score_table(model, source, destination, key, mode) */
Datum
mlops_score_table(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"model", "source", "destination", "key", "mode"};
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "mlops scoring", ALLOCSET_DEFAULT_SIZES);
	char	   *arguments[lengthof(names)];
	ScoreTable *score;
	uint64		n;

	PreventCommandIfReadOnly(FUNCTION);
	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (PG_ARGISNULL(i))
			report_null_argument(FUNCTION, names[i]);
		arguments[i] = text_to_cstring(PG_GETARG_TEXT_PP(i));
	}
	MemoryContextSwitchTo(work);
	score = score_open(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]);
	score_begin(score, 0);
	if (score->mode == SCORE_REPLACE)
		score_clear(score);
	n = score_rows(score, NULL, 0, NULL);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	PG_RETURN_INT64((int64) n);
}
