/*
 * types.c
 *		Names of the shared words.
 */
#include "types.h"

const char *
task_name(Task task)
{
	switch (task)
	{
		case TASK_REGRESSION:
			return "regression";
		case TASK_BINARY:
			return "binary";
		case TASK_MULTICLASS:
			return "multiclass";
	}
	return "unknown";
}

const char *
kind_name(ColumnKind kind)
{
	switch (kind)
	{
		case KIND_NUMBER:
			return "number";
		case KIND_BOOLEAN:
			return "boolean";
		case KIND_DATE:
			return "date";
		case KIND_TIMESTAMP:
			return "timestamp";
		case KIND_TIMESTAMPTZ:
			return "timestamptz";
		case KIND_INTERVAL:
			return "interval";
		case KIND_CATEGORY:
			return "category";
	}
	return "unknown";
}
