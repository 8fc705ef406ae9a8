/*
 * monitor_source.c
 *		What the SQL functions of monitors ask about sources: their columns, and texts as numbers.
 */
#include "postgres.h"

#include <ctype.h>
#include <errno.h>

#include "fmgr.h"
#include "utils/builtins.h"

#include "result_row.h"
#include "source.h"

PG_FUNCTION_INFO_V1(mlops_source_columns);
PG_FUNCTION_INFO_V1(mlops_read_number);

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

/* mlops.read_number(text): as float8in() reads it; NULL where that would fail. */
Datum
mlops_read_number(PG_FUNCTION_ARGS)
{
	char	   *digits = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *end;
	double		number;

	errno = 0;
	number = strtod(digits, &end);
	if (end == digits || errno == ERANGE)
		PG_RETURN_NULL();
	while (isspace((unsigned char) *end))
		end++;
	if (*end != '\0')
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(number);
}
