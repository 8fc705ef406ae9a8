/*
 * source_run.c
 *		Running a source: with the caller's rights or those of its role, reading only.
 *
 * The analysed query becomes a subquery of a SELECT of the columns that are
 * used, is rewritten (which adds row security), planned and executed like a
 * COPY (query) TO.  No column that is not used is computed or deformed.
 *
 * The run is a subtransaction that only reads (reading.h).
 */
#include "source.h"

#include "executor/execdesc.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteHandler.h"
#include "tcop/tcopprot.h"
#include "utils/snapmgr.h"

#include "../compat.h"
#include "../reading.h"

/* SELECT of the picked columns FROM (the source). */
static Query *
select_picked(const Source *source, const SourceColumn *const *picked, int n_picked)
{
	Query	   *outer = makeNode(Query);
	RangeTblEntry *entry = makeNode(RangeTblEntry);
	RangeTblRef *reference = makeNode(RangeTblRef);
	List	   *names = NIL;

	for (int i = 0; i < source->n_columns; i++)
		names = lappend(names, makeString(pstrdup(source->columns[i].name)));
	entry->rtekind = RTE_SUBQUERY;
	entry->subquery = copyObject(source->query);
	entry->alias = makeAlias("source", names);
	entry->eref = copyObject(entry->alias);
	entry->inFromCl = true;
	reference->rtindex = 1;

	outer->commandType = CMD_SELECT;
	outer->canSetTag = true;
	outer->rtable = list_make1(entry);
	outer->jointree = makeFromExpr(list_make1(reference), NULL);
	for (int i = 0; i < n_picked; i++)
	{
		Var		   *variable = makeVar(1, picked[i]->number, picked[i]->type, picked[i]->typmod, picked[i]->collation, 0);

		outer->targetList = lappend(outer->targetList,
									makeTargetEntry((Expr *) variable, (AttrNumber) (i + 1), pstrdup(picked[i]->name), false));
	}
	return outer;
}

/* Whether the rewriter added a row security policy anywhere: it leaves none for who bypasses them. */
static bool
has_policies(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
		return ((RangeTblEntry *) node)->securityQuals != NIL;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, has_policies, context, QTW_EXAMINE_RTES_BEFORE);
	return expression_tree_walker(node, has_policies, context);
}

/* Rows that the planner expects. */
double
source_expected_rows(const Source *source)
{
	List	   *rewritten = QueryRewrite(select_picked(source, NULL, 0));

	return pg_plan_query(linitial_node(Query, rewritten), source->text, 0, NULL)->planTree->plan_rows;
}

/* Plans and executes the query; whether row security applied. */
static bool
execute(const Source *source, Query *query, DestReceiver *dest, SourcePlanned planned, void *context)
{
	List	   *rewritten = QueryRewrite(query);
	PlannedStmt *plan;
	QueryDesc  *execution;
	bool		row_security;

	if (list_length(rewritten) != 1)
		elog(ERROR, "a source became %d queries", list_length(rewritten));
	row_security = has_policies(linitial(rewritten), NULL);	/* the planner scribbles on it */
	plan = pg_plan_query(linitial_node(Query, rewritten), source->text, CURSOR_OPT_PARALLEL_OK, NULL);
	if (planned != NULL)
		planned(context, plan->planTree->plan_rows);

	PushCopiedSnapshot(GetActiveSnapshot());
	UpdateActiveSnapshotCommandId();
	execution = CreateQueryDesc(plan, source->text, GetActiveSnapshot(), InvalidSnapshot, dest, NULL, NULL, 0);
	ExecutorStart(execution, 0);
	compat_executor_run(execution);
	ExecutorFinish(execution);
	ExecutorEnd(execution);
	FreeQueryDesc(execution);
	PopActiveSnapshot();
	return row_security;
}

Oid
source_role(const Source *source)
{
	return OidIsValid(source->role) ? source->role : GetUserId();
}

/* A run of a source. */
typedef struct SourceRun
{
	const Source *source;
	Query	   *query;
	DestReceiver *dest;
	SourcePlanned planned;
	void	   *context;
	bool		row_security;
} SourceRun;

static void
run_query(void *argument)
{
	SourceRun  *run = argument;
	Rights		caller;

	if (OidIsValid(run->source->role))
		rights_lend(&caller, run->source->role);
	run->row_security = execute(run->source, run->query, run->dest, run->planned, run->context);
	if (OidIsValid(run->source->role))
		rights_restore(&caller);
}

/* Runs the source and sends the picked columns to dest; whether row security applied. */
bool
source_run(const Source *source, const SourceColumn *const *picked, int n_picked, DestReceiver *dest,
		   SourcePlanned planned, void *context)
{
	SourceRun	run = {source, select_picked(source, picked, n_picked), dest, planned, context, false};

	run_reading_only(run_query, &run);
	return run.row_security;
}
