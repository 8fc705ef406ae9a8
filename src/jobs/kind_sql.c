/*
 * kind_sql.c
 *		Jobs of kind sql: {"statement": "..."}, any statement.
 *
 * One statement runs as if a client had sent it alone, so that VACUUM and
 * procedures that commit work; several run in one transaction.
 */
#include "kinds.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "tcop/cmdtag.h"
#include "tcop/dest.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"

#include "../pg/compat.h"
#include "../pg/json_fields.h"

#define KIND "sql"
#define STATEMENT "statement"

/* Parses the text and refuses what cannot be a job. */
static Jsonb *
check(Jsonb *args, int64 *project_id)
{
	static const char *const keys[] = {STATEMENT};
	ListCell   *cell;
	List	   *statements;

	job_check_keys(KIND, args, keys, lengthof(keys));
	statements = raw_parser(job_required_argument(KIND, args, STATEMENT), RAW_PARSE_DEFAULT);
	if (statements == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("there is no statement to run")));
	foreach(cell, statements)
	{
		Node	   *statement = lfirst_node(RawStmt, cell)->stmt;

		if (IsA(statement, TransactionStmt))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("a job cannot run %s", CreateCommandName(statement)),
					 errdetail("Each attempt is a transaction of its own.")));
		if (IsA(statement, CopyStmt) && ((CopyStmt *) statement)->filename == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("a job cannot copy from standard input or to standard output"),
					 errdetail("It has no client, and those would be the server's.")));
	}
	*project_id = 0;
	return args;
}

/* Runs one statement; what it says of itself. */
static char *
run_statement(RawStmt *statement, const char *text, bool alone)
{
	bool		snapshot = analyze_requires_snapshot(statement);
	DestReceiver *receiver = CreateDestReceiver(DestNone);
	QueryCompletion completion;
	Portal		portal;
	List	   *queries;
	List	   *plans;

	if (snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	queries = pg_analyze_and_rewrite_fixedparams(statement, text, NULL, 0, NULL);
	plans = pg_plan_queries(queries, text, CURSOR_OPT_PARALLEL_OK, NULL);
	if (snapshot)
		PopActiveSnapshot();

	portal = CreatePortal("", true, true);
	portal->visible = false;
	PortalDefineQuery(portal, NULL, text, CreateCommandTag(statement->stmt), plans, NULL);
	PortalStart(portal, NULL, 0, InvalidSnapshot);
	compat_portal_run(portal, alone, receiver, &completion);
	receiver->rDestroy(receiver);
	PortalDrop(portal, false);
	CommandCounterIncrement();
	return command_tag_display_rowcount(completion.commandTag)
		? psprintf("%s " UINT64_FORMAT, GetCommandTagName(completion.commandTag), completion.nprocessed)
		: pstrdup(GetCommandTagName(completion.commandTag));
}

/* Runs the statements. */
static void
run(JobRun *job)
{
	char	   *text = job_required_argument(KIND, job->args, STATEMENT);
	List	   *statements = raw_parser(text, RAW_PARSE_DEFAULT);
	ListCell   *cell;
	int64		project_id;

	/* the job may not have been made by those who check */
	(void) check(job->args, &project_id);
	debug_query_string = text;
	foreach(cell, statements)
	{
		MemoryContextSwitchTo(job->context);
		job->message = run_statement(lfirst_node(RawStmt, cell), text, list_length(statements) == 1);
	}
	debug_query_string = NULL;
}

const JobHandler job_sql = {.name = KIND, .check = check, .run = run};
