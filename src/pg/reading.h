/*
 * reading.h
 *		Running what must only read.
 */
#ifndef MLOPS_PG_READING_H
#define MLOPS_PG_READING_H

#include "postgres.h"

typedef void (*ReadingWork) (void *context);

/*
 * Calls work in a read-only subtransaction: a plan without writes does not keep
 * a volatile function from writing.  What it changed of the settings, the
 * current role among them, ends with it.
 */
extern void run_reading_only(ReadingWork work, void *context);

/* The rights that were in force. */
typedef struct Rights
{
	Oid			role;
	int			security;
} Rights;

/*
 * What follows runs with another role's rights, and can change no state of the
 * session.  An error restores them, as the end of its (sub)transaction does.
 */
extern void rights_lend(Rights *before, Oid role);
extern void rights_restore(const Rights *before);

/*
 * Runs a statement with the caller's rights, reading only, with values as $1
 * ...; the first column of the first row, in the current context.
 */
extern Datum read_as_caller(const char *statement, int n, const Oid *types, const Datum *values, bool *result_null);

/* The same for one that may write. */
extern Datum call_as_caller(const char *statement, int n, const Oid *types, const Datum *values, bool *result_null);

#endif
