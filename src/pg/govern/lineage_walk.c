/*
 * lineage_walk.c
 *		Which tables, views and columns a query reads, from its parse tree.
 *
 * A query is visited with the set of its output columns that are wanted.  What
 * it uses of each entry of its range table follows from the expressions
 * behind those, and from all conditions, groupings and orders; a subquery or
 * a view is then visited with what is used of it.  Entries are visited from
 * the last to the first, because a lateral one uses columns of those before
 * it, and common table expressions after all that refer to them.
 *
 * Column 0 in a set stands for the whole row.
 */
#include "lineage.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "rewrite/prs2lock.h"
#include "utils/rel.h"

#include "../compat.h"

/* A query that is being visited, within those around it. */
typedef struct Frame
{
	Query	   *query;
	Bitmapset **used;			/* columns by entry of the range table, from 1 */
	Bitmapset **used_ctes;		/* columns by place in the list of common table expressions */
	Oid			view;			/* whose query it is; 0: of none */
	struct Frame *outer;
	List	  **relations;		/* of SourceRelation: the result */
} Frame;

static void visit_query(Query *query, Bitmapset *wanted, Oid view, Frame *outer, List **relations);
static bool use_variables(Node *node, void *context);

/* The set of the whole row. */
static Bitmapset *
everything(void)
{
	return bms_make_singleton(0);
}

/* The query around a number of times. */
static Frame *
frame_above(Frame *frame, Index levels)
{
	for (; levels > 0 && frame != NULL; levels--)
		frame = frame->outer;
	return frame;
}

/* A column of an entry of a query's range table is used. */
static void
use_variable(Frame *frame, int entry_number, AttrNumber column)
{
	RangeTblEntry *entry = rt_fetch(entry_number, frame->query->rtable);

	List	   *stands_for = entry->rtekind == RTE_JOIN ? entry->joinaliasvars : compat_grouped(entry);

	if (column < 0)
		return;
	if (stands_for == NIL)
		frame->used[entry_number] = bms_add_member(frame->used[entry_number], column);
	else if (column > 0)
		(void) use_variables(list_nth(stands_for, column - 1), frame);
	else
		(void) use_variables((Node *) stands_for, frame);
}

/* Notes what an expression uses, and visits the queries within it. */
static bool
use_variables(Node *node, void *context)
{
	Frame	   *frame = context;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		Var		   *variable = (Var *) node;
		Frame	   *its = frame_above(frame, variable->varlevelsup);

		if (its != NULL)
			use_variable(its, variable->varno, variable->varattno);
		return false;
	}
	if (IsA(node, Query))
	{
		visit_query((Query *) node, everything(), InvalidOid, frame, frame->relations);
		return false;
	}
	return expression_tree_walker(node, use_variables, context);
}

/* The query behind a view or a materialized view, for which get_view_query() is not made. */
static Query *
defining_query(Relation relation)
{
	for (int i = 0; relation->rd_rules != NULL && i < relation->rd_rules->numLocks; i++)
	{
		RewriteRule *rule = relation->rd_rules->rules[i];

		if (rule->event == CMD_SELECT)
			return linitial_node(Query, rule->actions);
	}
	elog(ERROR, "relation \"%s\" has no query", RelationGetRelationName(relation));
	return NULL;
}

/* A relation is read; a view is looked behind. */
static void
read_relation(Oid id, Bitmapset *columns, List **relations)
{
	Relation	relation = table_open(id, AccessShareLock);
	SourceRelation *read = NULL;
	ListCell   *cell;

	foreach(cell, *relations)
	{
		if (((SourceRelation *) lfirst(cell))->id == id)
			read = lfirst(cell);
	}
	if (read == NULL)
	{
		read = palloc0(sizeof(SourceRelation));
		read->id = id;
		*relations = lappend(*relations, read);
	}
	for (int i = 1; i <= RelationGetNumberOfAttributes(relation); i++)
	{
		if (bms_is_member(0, columns) ? !TupleDescAttr(RelationGetDescr(relation), i - 1)->attisdropped : bms_is_member(i, columns))
			read->columns = bms_add_member(read->columns, i);
	}
	if (relation->rd_rel->relkind == RELKIND_VIEW || relation->rd_rel->relkind == RELKIND_MATVIEW)
		visit_query(copyObject(defining_query(relation)), columns, id, NULL, relations);
	table_close(relation, NoLock);
}

/* A common table expression is used. */
static void
use_cte(Frame *frame, const RangeTblEntry *entry, Bitmapset *columns)
{
	Frame	   *its = frame_above(frame, entry->ctelevelsup);

	for (int i = 0; its != NULL && i < list_length(its->query->cteList); i++)
	{
		if (strcmp(list_nth_node(CommonTableExpr, its->query->cteList, i)->ctename, entry->ctename) == 0)
			its->used_ctes[i] = bms_add_members(its->used_ctes[i], columns);
	}
}

/* Whether all rows of all branches come through as they are. */
static bool
only_appends(Node *operation)
{
	if (!IsA(operation, SetOperationStmt))
		return true;

	SetOperationStmt *set = (SetOperationStmt *) operation;

	return set->op == SETOP_UNION && set->all && only_appends(set->larg) && only_appends(set->rarg);
}

/* Visits what an entry of the range table reads. */
static void
visit_entry(Frame *frame, int number, Bitmapset *wanted)
{
	RangeTblEntry *entry = rt_fetch(number, frame->query->rtable);
	Bitmapset  *used = frame->used[number];

	switch (entry->rtekind)
	{
		case RTE_RELATION:
			/* before PostgreSQL 16 a view's query has entries for the view itself, which mean nothing */
			if (entry->relid != frame->view)
				read_relation(entry->relid, used, frame->relations);
			break;
		case RTE_SUBQUERY:
			if (frame->query->setOperations != NULL)
				used = only_appends(frame->query->setOperations) ? wanted : everything();
			visit_query(entry->subquery, used, InvalidOid, frame, frame->relations);
			break;
		case RTE_CTE:
			use_cte(frame, entry, used);
			break;
		default:
			break;
	}
	(void) use_variables((Node *) entry->functions, frame);
	(void) use_variables((Node *) entry->tablefunc, frame);
	(void) use_variables((Node *) entry->values_lists, frame);
	(void) use_variables((Node *) entry->tablesample, frame);
}

/* Notes what a query's own expressions use. */
static void
use_expressions(Frame *frame, Bitmapset *wanted)
{
	Query	   *query = frame->query;
	bool		all = bms_is_member(0, wanted);
	ListCell   *cell;

	foreach(cell, query->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);

		/* what is grouped, ordered or made distinct by decides which rows there are */
		if (query->setOperations == NULL && (all || entry->resjunk || entry->ressortgroupref != 0 || bms_is_member(entry->resno, wanted)))
			(void) use_variables((Node *) entry->expr, frame);
	}
	(void) use_variables((Node *) query->jointree, frame);
	(void) use_variables(query->havingQual, frame);
	(void) use_variables((Node *) query->windowClause, frame);
	(void) use_variables(query->limitOffset, frame);
	(void) use_variables(query->limitCount, frame);
}

/* Visits a query of which some output columns are wanted. */
static void
visit_query(Query *query, Bitmapset *wanted, Oid view, Frame *outer, List **relations)
{
	int			n = list_length(query->rtable);
	Frame		frame = {
		.query = query,
		.used = palloc0((n + 1) * sizeof(Bitmapset *)),
		.used_ctes = palloc0((list_length(query->cteList) + 1) * sizeof(Bitmapset *)),
		.view = view,
		.outer = outer,
		.relations = relations
	};

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	use_expressions(&frame, wanted);
	for (int i = n; i > 0; i--)
		visit_entry(&frame, i, wanted);
	for (int i = list_length(query->cteList) - 1; i >= 0; i--)
	{
		CommonTableExpr *cte = list_nth_node(CommonTableExpr, query->cteList, i);

		visit_query(castNode(Query, cte->ctequery), cte->cterecursive ? everything() : frame.used_ctes[i], InvalidOid, &frame, relations);
	}
}

/* What a source reads where some of its columns are used. */
List *
lineage_of_source(const Source *source, const TrainColumns *columns)
{
	Bitmapset  *wanted = NULL;
	List	   *relations = NIL;

	for (int i = 0; i < columns->n_columns; i++)
		wanted = bms_add_member(wanted, columns->columns[i].source->number);
	visit_query(copyObject(source->query), wanted, InvalidOid, NULL, &relations);
	return relations;
}
