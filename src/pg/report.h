/*
 * report.h
 *		Errors of core and of names, as PostgreSQL reports them.
 */
#ifndef MLOPS_PG_REPORT_H
#define MLOPS_PG_REPORT_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "../core/error.h"

/* The SQLSTATE of a failure in core. */
extern int	report_sqlstate(ErrorCode code);

/* Raises a failure of core: ERROR with its SQLSTATE, message, detail and hint. */
extern void report_error(const Error *error) __attribute__((noreturn));

/* "a, b, c" of C strings, at most `most` of them and then "and n more"; palloc'ed. */
extern char *report_list(const char *const *names, int n, int most);

/*
 * Raises sqlstate with `message` (made by psprintf), with the names there are
 * as detail ("The <things> are a, b.") and the nearest one as a hint.
 */
extern void report_unknown_name(int sqlstate, const char *message, const char *things, const char *name,
								const char *const *names, int n) __attribute__((noreturn));

/* Raises INVALID_PARAMETER_VALUE where an argument that must be given is NULL. */
extern void report_null_argument(const char *function, const char *argument) __attribute__((noreturn));

#endif
