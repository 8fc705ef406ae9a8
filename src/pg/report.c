/*
 * report.c
 *		Errors of core and of names, as PostgreSQL reports them.
 */
#include "report.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/errcodes.h"

#include "../core/params.h"

/* The SQLSTATE of a failure in core. */
int
report_sqlstate(ErrorCode code)
{
	switch (code)
	{
		case ERROR_PARAMETER:
			return ERRCODE_INVALID_PARAMETER_VALUE;
		case ERROR_DATA:
			return ERRCODE_DATA_EXCEPTION;
		case ERROR_COLUMN:
			return ERRCODE_UNDEFINED_COLUMN;
		case ERROR_TYPE:
			return ERRCODE_DATATYPE_MISMATCH;
		case ERROR_MEMORY:
			return ERRCODE_OUT_OF_MEMORY;
		case ERROR_LIMIT:
			return ERRCODE_PROGRAM_LIMIT_EXCEEDED;
		case ERROR_CORRUPTED:
			return ERRCODE_DATA_CORRUPTED;
		case ERROR_UNSUPPORTED:
			return ERRCODE_FEATURE_NOT_SUPPORTED;
		case ERROR_CANCELLED:
			return ERRCODE_QUERY_CANCELED;
		case ERROR_NONE:
		case ERROR_INTERNAL:
			break;
	}
	return ERRCODE_INTERNAL_ERROR;
}

/* A text that core may have cut in the middle of a character, or that came from another process: made valid. */
static char *
valid_text(const char *text)
{
	return pnstrdup(text, pg_encoding_verifymbstr(GetDatabaseEncoding(), text, (int) strlen(text)));
}

/* Raises a failure of core. */
void
report_error(const Error *error)
{
	ereport(ERROR,
			(errcode(report_sqlstate(error->code)),
			 errmsg("%s", valid_text(error->message[0] != '\0' ? error->message : "a step failed without saying why")),
			 error->detail[0] != '\0' ? errdetail("%s", valid_text(error->detail)) : 0,
			 error->hint[0] != '\0' ? errhint("%s", valid_text(error->hint)) : 0));
	pg_unreachable();
}

/* "a, b, c", at most `most` of them. */
char *
report_list(const char *const *names, int n, int most)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < n && i < most; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", names[i]);
	if (n > most)
		appendStringInfo(&list, " and %d more", n - most);
	return list.data;
}

/* Raises an error about a name that does not exist, with those that do. */
void
report_unknown_name(int sqlstate, const char *message, const char *things, const char *name, const char *const *names, int n)
{
	const char *nearest = nearest_name(name, names, (size_t) n);

	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("%s", message),
			 n > 0 ? errdetail("The %s are %s.", things, report_list(names, n, 60)) : 0,
			 nearest != NULL ? errhint("Perhaps you meant \"%s\".", nearest) : 0));
	pg_unreachable();
}

/* Raises an error about an argument that must be given. */
void
report_null_argument(const char *function, const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" of %s must not be NULL", argument, function)));
	pg_unreachable();
}
