/*
 * audit.c
 *		Events of the transaction, until it commits.
 *
 * Events wait in memory, in a context below the transaction's, in the order
 * in which they happened.  A subtransaction that aborts takes its own with
 * it: numbers of subtransactions only grow, so those are the last ones.
 * Just before the commit, when no user's code can run any more, they are
 * chained and written (audit_chain.c); so a transaction holds the chain's
 * lock for as long as its commit takes, however long it was itself.
 *
 * A prepared transaction would keep the chain's lock until somebody commits
 * it, so PREPARE TRANSACTION is refused where there are events.
 */
#include "audit.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define FIRST_EVENTS 16

PG_FUNCTION_INFO_V1(mlops_note_event);

static MemoryContext context;	/* NULL: the transaction has no events yet */
static AuditEvent *events;
static size_t n_events;
static size_t capacity;
static bool written;			/* the transaction's events are in the table */

/* The name of a role, or its number where it was dropped meanwhile. */
static char *
role_name(Oid role)
{
	char	   *name = GetUserNameFromId(role, true);

	return name != NULL ? name : psprintf("%u", role);
}

/* A copy of a value in the current context; NULL of NULL. */
static Jsonb *
copy_json(const Jsonb *value)
{
	Jsonb	   *copy;

	if (value == NULL)
		return NULL;
	copy = palloc(VARSIZE(value));
	memcpy(copy, value, VARSIZE(value));
	return copy;
}

/* Adds an event. */
void
audit_add(int64 project_id, const char *action, const char *object, const Jsonb *before, const Jsonb *after)
{
	if (written)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the transaction is being committed: nothing can be recorded any more")));
	if (context == NULL)
	{
		context = AllocSetContextCreate(TopTransactionContext, "mlops audit events", ALLOCSET_DEFAULT_SIZES);
		events = MemoryContextAlloc(context, FIRST_EVENTS * sizeof(AuditEvent));
		capacity = FIRST_EVENTS;
	}
	if (n_events == capacity)
	{
		events = repalloc_huge(events, 2 * capacity * sizeof(AuditEvent));
		capacity *= 2;
	}

	MemoryContext old = MemoryContextSwitchTo(context);

	events[n_events] = (AuditEvent) {
		.subtransaction = GetCurrentSubTransactionId(),
		.at = GetCurrentTimestamp(),
		.project_id = project_id,
		.actor = role_name(GetSessionUserId()),
		.role = role_name(GetOuterUserId()),
		.action = pstrdup(action),
		.object = pstrdup(object),
		.before = copy_json(before),
		.after = copy_json(after)
	};
	n_events++;
	MemoryContextSwitchTo(old);
}

/* Gives back the memory of an event. */
static void
free_event(AuditEvent *event)
{
	pfree(event->actor);
	pfree(event->role);
	pfree(event->action);
	pfree(event->object);
	if (event->before != NULL)
		pfree(event->before);
	if (event->after != NULL)
		pfree(event->after);
}

/* Refuses to prepare a transaction that has events. */
static void
refuse_prepare(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot PREPARE a transaction that has changed what mlops keeps a record of"),
			 errdetail("Events of the transaction: %zu; the first is \"%s\" of %s.", n_events, events[0].action, events[0].object),
			 errhint("Commit it with COMMIT.")));
}

/* The transaction ends. */
static void
end_transaction(XactEvent event, void *unused)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			written = true;
			if (n_events > 0)
				audit_append(events, n_events);
			break;
		case XACT_EVENT_PRE_PREPARE:
			if (n_events > 0)
				refuse_prepare();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			/* their memory goes with the transaction's */
			context = NULL;
			events = NULL;
			n_events = capacity = 0;
			written = false;
			break;
		default:
			break;
	}
}

/* A subtransaction ends. */
static void
end_subtransaction(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *unused)
{
	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	while (n_events > 0 && events[n_events - 1].subtransaction >= mine)
		free_event(&events[--n_events]);
}

/* Installs what hears of the ends of transactions. */
void
audit_init(void)
{
	RegisterXactCallback(end_transaction, NULL);
	RegisterSubXactCallback(end_subtransaction, NULL);
}

/* mlops.note_event(project_id, action, object, detail): for functions of ours that run as the extension's owner. */
Datum
mlops_note_event(PG_FUNCTION_ARGS)
{
	char	   *action = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *object = text_to_cstring(PG_GETARG_TEXT_PP(2));

	audit_add(PG_GETARG_INT64(0), action, object, NULL, PG_GETARG_JSONB_P(3));
	PG_RETURN_VOID();
}
