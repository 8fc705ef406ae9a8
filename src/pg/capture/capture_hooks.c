/*
 * capture_hooks.c
 *		What capture has to know of the server's doings: planning, EXPLAIN, DROP DATABASE.
 */
#include "capture.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_database.h"
#include "optimizer/planner.h"
#include "tcop/utility.h"

#include "capture_parallel.h"

int			capture_off_depth;

static int	explaining;			/* depth */
static Oid	dropped_database;	/* by the transaction under way */

static planner_hook_type earlier_planner;
static ProcessUtility_hook_type earlier_utility;
static object_access_hook_type earlier_object_access;

/* Whether queries capture nothing now. */
bool
capture_is_off(void)
{
	return capture_off_depth > 0 || (IsParallelWorker() && capture_parallel_explained());
}

/* What is evaluated while a query is planned is an estimate, and nobody's answer. */
static PlannedStmt *
plan(Query *query, const char *text, int options, ParamListInfo parameters)
{
	PlannedStmt *result;

	capture_off_depth++;
	PG_TRY();
	{
		result = earlier_planner != NULL ? earlier_planner(query, text, options, parameters)
			: standard_planner(query, text, options, parameters);
	}
	PG_FINALLY();
	{
		capture_off_depth--;
	}
	PG_END_TRY();
	return result;
}

/* EXPLAIN ANALYZE predicts, but answers nobody. */
static void
run_utility(PlannedStmt *statement, const char *text, bool read_only_tree, ProcessUtilityContext context, ParamListInfo parameters,
			QueryEnvironment *environment, DestReceiver *dest, QueryCompletion *completion)
{
	bool		explains = IsA(statement->utilityStmt, ExplainStmt);

	explaining += explains ? 1 : 0;
	capture_off_depth += explains ? 1 : 0;
	if (explains)
		capture_parallel_explain(true);
	PG_TRY();
	{
		if (earlier_utility != NULL)
			earlier_utility(statement, text, read_only_tree, context, parameters, environment, dest, completion);
		else
			standard_ProcessUtility(statement, text, read_only_tree, context, parameters, environment, dest, completion);
	}
	PG_FINALLY();
	{
		explaining -= explains ? 1 : 0;
		capture_off_depth -= explains ? 1 : 0;
		if (explains && explaining == 0)
			capture_parallel_explain(false);
	}
	PG_END_TRY();
}

/* Rows of a database that is dropped go with it; nobody is connected to it any more when that commits. */
static void
on_object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *argument)
{
	if (earlier_object_access != NULL)
		earlier_object_access(access, class_id, object_id, sub_id, argument);
	if (access == OAT_DROP && class_id == DatabaseRelationId)
		dropped_database = object_id;
}

/* The transaction ends. */
static void
end_transaction(XactEvent event, void *unused)
{
	if (event == XACT_EVENT_COMMIT && OidIsValid(dropped_database))
		capture_ring_forget(dropped_database);
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
		dropped_database = InvalidOid;
}

/* Installs the hooks. */
void
capture_hooks_init(void)
{
	earlier_planner = planner_hook;
	planner_hook = plan;
	earlier_utility = ProcessUtility_hook;
	ProcessUtility_hook = run_utility;
	earlier_object_access = object_access_hook;
	object_access_hook = on_object_access;
	RegisterXactCallback(end_transaction, NULL);
}
