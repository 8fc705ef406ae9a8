/*
 * error.h
 *		How core reports failure: a value, never a jump.
 *
 * A function that can fail returns bool (or a pointer) and takes an Error as
 * its last argument; on false (NULL) the Error holds the first failure.  The
 * caller owns it; it holds no pointers, so it can be copied over a socket.
 */
#ifndef MLOPS_CORE_ERROR_H
#define MLOPS_CORE_ERROR_H

#include <stdbool.h>

/* What went wrong; src/pg/report.c maps each to an SQLSTATE.  Values travel between processes: append only. */
typedef enum ErrorCode
{
	ERROR_NONE = 0,
	ERROR_PARAMETER,			/* a parameter's name, type or range */
	ERROR_DATA,					/* the rows cannot be learned from */
	ERROR_COLUMN,				/* no such column */
	ERROR_TYPE,					/* a type that cannot be used */
	ERROR_MEMORY,				/* an allocation failed */
	ERROR_LIMIT,				/* a budget or a limit of the format */
	ERROR_CORRUPTED,			/* bytes that are no valid model, matrix or message */
	ERROR_UNSUPPORTED,			/* a combination that does not exist */
	ERROR_CANCELLED,			/* the caller asked to stop */
	ERROR_INTERNAL				/* a broken promise of our own */
} ErrorCode;

typedef struct Error
{
	ErrorCode	code;
	char		message[512];	/* lower case, no full stop */
	char		detail[1024];	/* a sentence, or empty */
	char		hint[512];		/* a sentence, or empty */
} Error;

/* Sets code and message; always returns false, so that "return error_set(...)" reads well. */
extern bool error_set(Error *error, ErrorCode code, const char *format,...) __attribute__((format(printf, 3, 4)));

/* Add a detail or a hint to an Error that was just set; both return false. */
extern bool error_detail(Error *error, const char *format,...) __attribute__((format(printf, 2, 3)));
extern bool error_hint(Error *error, const char *format,...) __attribute__((format(printf, 2, 3)));

/* Makes the Error empty. */
extern void error_clear(Error *error);

#endif
