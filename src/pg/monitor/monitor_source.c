/*
 * monitor_source.c
 *		What the SQL functions of monitors ask about sources: their columns, and texts as numbers.
 */
#include "postgres.h"

#include <ctype.h>
#include <errno.h>

#include "fmgr.h"
#include "utils/builtins.h"

#include "../compat.h"
#include "../result_row.h"
#include "../source/source.h"

PG_FUNCTION_INFO_V1(mlops_source_columns);
PG_FUNCTION_INFO_V1(mlops_read_number);
PG_FUNCTION_INFO_V1(mlops_is_label);

/* mlops.source_columns(source) */
Datum
mlops_source_columns(PG_FUNCTION_ARGS)
{
	Source	   *source = source_open(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	ResultRow	row = {.n = 0};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < source->n_columns; i++)
	{
		row_add_text(&row, source->columns[i].name);
		row_add_text(&row, source->columns[i].type_name);
		row_put(&row, (ReturnSetInfo *) fcinfo->resultinfo);
	}
	return (Datum) 0;
}

/* Reads a text as float8in() does; false where that would fail. */
static bool
read_number(const text *value, double *number)
{
	char	   *digits = text_to_cstring(value);
	char	   *end;

	errno = 0;
	*number = strtod(digits, &end);
	if (end == digits || errno == ERANGE)
		return false;
	while (isspace((unsigned char) *end))
		end++;
	return *end == '\0';
}

/* mlops.read_number(text): NULL where it is none. */
Datum
mlops_read_number(PG_FUNCTION_ARGS)
{
	double		number;

	if (!read_number(PG_GETARG_TEXT_PP(0), &number))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(number);
}

/* mlops.is_label(value, label): by their texts, numbers by their values. */
Datum
mlops_is_label(PG_FUNCTION_ARGS)
{
	const text *value = PG_GETARG_TEXT_PP(0);
	const text *label = PG_GETARG_TEXT_PP(1);
	double		a;
	double		b;

	if (VARSIZE_ANY_EXHDR(value) == VARSIZE_ANY_EXHDR(label) && memcmp(VARDATA_ANY(value), VARDATA_ANY(label), VARSIZE_ANY_EXHDR(value)) == 0)
		PG_RETURN_BOOL(true);
	PG_RETURN_BOOL(read_number(value, &a) && read_number(label, &b) && a == b);
}
