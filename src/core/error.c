/*
 * error.c
 *		How core reports failure.
 */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

bool
error_set(Error *error, ErrorCode code, const char *format,...)
{
	va_list		args;

	error->code = code;
	va_start(args, format);
	vsnprintf(error->message, sizeof(error->message), format, args);
	va_end(args);
	error->detail[0] = '\0';
	error->hint[0] = '\0';
	return false;
}

bool
error_detail(Error *error, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	vsnprintf(error->detail, sizeof(error->detail), format, args);
	va_end(args);
	return false;
}

bool
error_hint(Error *error, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	vsnprintf(error->hint, sizeof(error->hint), format, args);
	va_end(args);
	return false;
}

void
error_clear(Error *error)
{
	error->code = ERROR_NONE;
	error->message[0] = '\0';
	error->detail[0] = '\0';
	error->hint[0] = '\0';
}
