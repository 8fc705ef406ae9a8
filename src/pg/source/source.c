/*
 * source.c
 *		What a caller's `source` means: a relation's name or one SELECT.
 *
 * The text is parsed and analysed once, under the caller's search_path, and
 * its parse tree is what runs (source_run.c).  The text with qualified names
 * is deparsed from the same tree.
 */
#include "source.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
#include "utils/varlena.h"

#include "../json_fields.h"
#include "../report.h"
#include "../core.h"

/* Parse errors show the source's text, and a position in it rather than in the statement that called us. */
static void
source_error_context(void *text)
{
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery((const char *) text);
	}
}

/* The table or view that is nearest to a name that does not exist, in its schema or in the search_path; NULL where none is near. */
static const char *
nearest_relation(const RangeVar *name)
{
	Oid			schema = name->schemaname != NULL ? get_namespace_oid(name->schemaname, true) : InvalidOid;
	Relation	catalog = table_open(RelationRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	const char **names = palloc(sizeof(char *));
	size_t		n = 0;
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_class relation = (Form_pg_class) GETSTRUCT(tuple);

		if (strchr("rvmfp", relation->relkind) == NULL)
			continue;
		if (name->schemaname != NULL ? relation->relnamespace != schema : !RelationIsVisible(relation->oid))
			continue;
		names = repalloc(names, (n + 1) * sizeof(char *));
		names[n++] = pstrdup(NameStr(relation->relname));
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return nearest_name(name->relname, names, n);
}

/* Whether a text consists of identifiers, dots and blanks: the server's own splitter takes any character for a part of a name. */
static bool
looks_like_name(const char *text)
{
	bool		quoted = false;

	for (; *text != '\0'; text++)
	{
		unsigned char c = (unsigned char) *text;

		if (c == '"')
			quoted = !quoted;
		else if (!quoted && c != '.' && c != '_' && c != '$' && c < 0x80 && !isalnum(c) && !isspace(c))
			return false;
	}
	return true;
}

/* "schema.relation" where the text is a possibly qualified, possibly quoted name; NULL where it is not one. */
static char *
relation_of_name(const char *text)
{
	List	   *parts = NIL;
	RangeVar   *name;
	Oid			relation;
	const char *nearest;

	if (!looks_like_name(text) || !SplitIdentifierString(pstrdup(text), '.', &parts) || parts == NIL)
		return NULL;
	for (int i = 0; i < list_length(parts); i++)
		lfirst(list_nth_cell(parts, i)) = makeString(pstrdup(list_nth(parts, i)));

	name = makeRangeVarFromNameList(parts);
	relation = RangeVarGetRelid(name, NoLock, true);
	if (OidIsValid(relation))
		return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation));

	nearest = nearest_relation(name);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("relation \"%s\" does not exist", NameListToString(parts)),
			 nearest != NULL ? errhint("Perhaps you meant \"%s\".", nearest)
			 : errhint("The source is the name of a table or view, or one SELECT.")));
}

/* The one SELECT in a text. */
static RawStmt *
parse_select(const char *text)
{
	List	   *statements = raw_parser(text, RAW_PARSE_DEFAULT);
	RawStmt    *statement;
	SelectStmt *select;

	if (list_length(statements) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 statements == NIL ? errmsg("the source is empty")
				 : errmsg("the source has %d statements", list_length(statements)),
				 errhint("The source is the name of a table or view, or one SELECT.")));

	statement = linitial_node(RawStmt, statements);
	if (!IsA(statement->stmt, SelectStmt))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a source cannot be %s: it must be a SELECT", CreateCommandName(statement->stmt)),
				 errhint("The source is the name of a table or view, or one SELECT.")));

	select = (SelectStmt *) statement->stmt;
	while (select->op != SETOP_NONE)
		select = select->larg;
	if (select->intoClause != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a source cannot be SELECT INTO: it must only read"),
				 errhint("Leave out the INTO clause.")));
	return statement;
}

/* Whether rows are locked anywhere in a query. */
static bool
locks_rows(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return ((Query *) node)->rowMarks != NIL || query_tree_walker((Query *) node, locks_rows, context, 0);
	return expression_tree_walker(node, locks_rows, context);
}

/* Refuses what a SELECT may do beside reading. */
static void
check_reads_only(Query *query)
{
	if (query->hasModifyingCTE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a source cannot modify data in WITH: it must be a SELECT that only reads")));
	if (locks_rows((Node *) query, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a source cannot lock rows: it must be a SELECT that only reads"),
				 errhint("Leave out FOR UPDATE or FOR SHARE.")));
}

/* A type's name for people: with its schema unless it is built in, so that it is the same under any search_path. */
static const char *
type_name(Oid type)
{
	return type >= FirstNormalObjectId ? format_type_be_qualified(type) : format_type_be(type);
}

/* The columns that a query returns. */
static void
list_columns(Source *source)
{
	ListCell   *cell;

	source->columns = palloc0(list_length(source->query->targetList) * sizeof(SourceColumn));
	foreach(cell, source->query->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);
		SourceColumn *column = &source->columns[source->n_columns];

		if (entry->resjunk)
			continue;
		column->name = entry->resname != NULL ? entry->resname : "?column?";
		column->number = entry->resno;
		column->type = exprType((Node *) entry->expr);
		column->base_type = getBaseType(column->type);
		column->typmod = exprTypmod((Node *) entry->expr);
		column->collation = exprCollation((Node *) entry->expr);
		column->type_name = type_name(column->type);
		source->n_columns++;
	}
	if (source->n_columns == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the source has no columns")));
}

/* The text of a query with every name qualified that is not built in. */
static char *
qualified_text(Query *query)
{
	int			nest_level = NewGUCNestLevel();
	char	   *text;

	(void) set_config_option("search_path", "pg_catalog", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	text = pg_get_querydef(copyObject(query), false);
	AtEOXact_GUC(true, nest_level);
	return text + strspn(text, " ");
}

/* Analyses a source. */
Source *
source_open(const char *text)
{
	Source	   *source = palloc0(sizeof(Source));
	ErrorContextCallback callback;

	source->relation = relation_of_name(text);
	source->text = source->relation != NULL ? psprintf("select * from %s", source->relation) : pstrdup(text);
	callback.callback = source_error_context;
	callback.arg = unconstify(char *, source->text);
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	source->query = parse_analyze_fixedparams(parse_select(source->text), source->text, NULL, 0, NULL);
	check_reads_only(source->query);
	list_columns(source);

	error_context_stack = callback.previous;
	source->qualified = qualified_text(source->query);
	return source;
}

/* The column of a name, or NULL. */
const SourceColumn *
source_find(const Source *source, const char *name)
{
	const SourceColumn *found = NULL;

	for (int i = 0; i < source->n_columns; i++)
	{
		if (strcmp(source->columns[i].name, name) != 0)
			continue;
		if (found != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_COLUMN),
					 errmsg("the source has more than one column \"%s\"", name),
					 errhint("Give each column that is used a name of its own, or leave it out with \"exclude\".")));
		found = &source->columns[i];
	}
	return found;
}

/* The column of a name that an argument gave. */
const SourceColumn *
source_column(const Source *source, const char *name, const char *argument)
{
	const SourceColumn *column = source_find(source, name);

	if (column == NULL)
	{
		const char **names = palloc(source->n_columns * sizeof(char *));

		for (int i = 0; i < source->n_columns; i++)
			names[i] = source->columns[i].name;
		report_unknown_name(ERRCODE_UNDEFINED_COLUMN,
							psprintf("%s names column \"%s\", which the source does not have", argument, name),
							"columns of the source", name, names, source->n_columns);
	}
	return column;
}

/* Whether there are columns of this name. */
bool
source_has(const Source *source, const char *name)
{
	for (int i = 0; i < source->n_columns; i++)
	{
		if (strcmp(source->columns[i].name, name) == 0)
			return true;
	}
	return false;
}

/* The columns as a row type. */
TupleDesc
source_row_type(const Source *source)
{
	TupleDesc	row_type = CreateTemplateTupleDesc(source->n_columns);

	for (int i = 0; i < source->n_columns; i++)
		TupleDescInitEntry(row_type, (AttrNumber) (i + 1), source->columns[i].name, source->columns[i].type, source->columns[i].typmod, 0);
	return row_type;
}

/* The settings that the meaning of a query's text depends on. */
Jsonb *
source_settings(void)
{
	static const char *const settings[] = {"search_path", "TimeZone", "DateStyle", "IntervalStyle"};
	JsonbParseState *state = NULL;
	JsonbValue *object;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < (int) lengthof(settings); i++)
	{
		JsonbValue	value = {.type = jbvString};

		value.val.string.val = unconstify(char *, settings[i]);
		value.val.string.len = (int) strlen(settings[i]);
		pushJsonbValue(&state, WJB_KEY, &value);
		value.val.string.val = GetConfigOptionByName(settings[i], NULL, false);
		value.val.string.len = (int) strlen(value.val.string.val);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	object = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(object);
}

/*
 * A search_path with temporary tables last: they are those of whoever has the
 * query run, and come first where a path does not name them. An element that
 * names some session's goes.
 */
static const char *
path_with_temporary_last(const char *path)
{
	StringInfoData safe;
	List	   *names;
	ListCell   *cell;

	if (!SplitIdentifierString(pstrdup(path), ',', &names))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid search_path: \"%s\"", path)));
	initStringInfo(&safe);
	foreach(cell, names)
	{
		const char *name = lfirst(cell);

		if (strncmp(name, "pg_temp", 7) != 0)
			appendStringInfo(&safe, "%s, ", quote_identifier(name));
	}
	appendStringInfoString(&safe, "pg_temp");
	return safe.data;
}

/* Sets what a stored query was written under; the caller ends it. */
void
source_apply_settings(Jsonb *settings)
{
	int			n;
	JsonField  *fields = json_fields(settings, "settings", &n);

	for (int i = 0; i < n; i++)
	{
		const char *value = json_text(&fields[i], "settings");

		(void) set_config_option(fields[i].key, strcmp(fields[i].key, "search_path") == 0 ? path_with_temporary_last(value) : value,
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	}
}
