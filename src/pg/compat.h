/*
 * compat.h
 *		What differs among PostgreSQL 15 to 18: the only file that knows.
 */
#ifndef MLOPS_PG_COMPAT_H
#define MLOPS_PG_COMPAT_H

#include "postgres.h"

#include "common/jsonapi.h"
#include "datatype/timestamp.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "storage/proc.h"

/* Macros of variable-length values left postgres.h in 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Intervals can be infinite since 17. */
#if PG_VERSION_NUM < 170000
#define INTERVAL_IS_NOBEGIN(interval) false
#define INTERVAL_IS_NOEND(interval) false
#endif

/* Number of the transaction in this backend, whether it has an xid or not. */
static inline LocalTransactionId
compat_local_transaction(void)
{
#if PG_VERSION_NUM >= 170000
	return MyProc->vxid.lxid;
#else
	return MyProc->lxid;
#endif
}

/* The place of a process among all that the server may have. */
static inline int
compat_process_number(const PGPROC *process)
{
#if PG_VERSION_NUM >= 170000
	return (int) GetNumberFromPGProc(process);
#else
	return process->pgprocno;
#endif
}

/* What parses a JSON text without raising errors. */
static inline JsonLexContext *
compat_json_lexer(const char *text)
{
	char	   *copy = pstrdup(text);

#if PG_VERSION_NUM >= 170000
	return makeJsonLexContextCstringLen(NULL, copy, strlen(copy), GetDatabaseEncoding(), false);
#else
	return makeJsonLexContextCstringLen(copy, (int) strlen(copy), GetDatabaseEncoding(), false);
#endif
}

/* Runs a started query to its end. */
static inline void
compat_executor_run(QueryDesc *query)
{
#if PG_VERSION_NUM >= 180000
	ExecutorRun(query, ForwardScanDirection, 0);
#else
	ExecutorRun(query, ForwardScanDirection, 0, true);
#endif
}

#endif
