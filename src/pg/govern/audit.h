/*
 * audit.h
 *		The record of what was done: events, and the chain that they form.
 *
 * audit.c			events of the transaction, until it commits
 * audit_row.c		the trigger that makes them of rows
 * audit_chain.c	their place in the chain, and whether it holds
 */
#ifndef MLOPS_PG_AUDIT_H
#define MLOPS_PG_AUDIT_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/jsonb.h"

typedef struct AuditEvent
{
	SubTransactionId subtransaction;	/* whose abort drops it */
	TimestampTz at;
	int64		project_id;		/* 0: of no project */
	char	   *actor;
	char	   *role;
	char	   *action;
	char	   *object;
	Jsonb	   *before;			/* NULL: there was nothing */
	Jsonb	   *after;			/* NULL: there is nothing */
} AuditEvent;

/*
 * Adds an event of now, of the session's user and role, to those of the
 * transaction; copies what it is given.  It is in the chain when the
 * transaction has committed, and nowhere if that aborts.
 */
extern void audit_add(int64 project_id, const char *action, const char *object, const Jsonb *before, const Jsonb *after);

/* Appends events to the chain in one step that no other transaction is in; the transaction must be about to commit. */
extern void audit_append(const AuditEvent *events, size_t n);

/* Installs what hears of the ends of transactions. */
extern void audit_init(void);

#endif
