/*
 * split_text.c
 *		Splits of trees as text that a person reads.
 *
 * Bounds are shown as values of the raw column's kind.  Between two days (or
 * microseconds) lies no other, so a bound that falls between them is shown as
 * the one that still goes left.
 */
#include "split_text.h"

#include <math.h>

#include "datatype/timestamp.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "../compat.h"
#include "../../core/number_text.h"

#define LEVELS_SHOWN 8			/* of a list of categories */
#define LEVEL_BYTES 40			/* of a category's text */
#define INTERVAL_SECONDS_MAX 9e12	/* what an interval of microseconds holds */

/* Appends a number by its shortest exact text. */
void
split_text_number(StringInfo out, double number)
{
	char		text[NUMBER_TEXT_SIZE];

	number_text(number, false, text, sizeof(text));
	appendStringInfoString(out, text);
}

/* The last whole number on the side of the bound that goes left. */
static double
whole(const TreeSplit *split, double bound)
{
	return split->test == TEST_AT_LEAST ? ceil(bound) : floor(bound);
}

/* A date, timestamp or interval, or NULL where the bound is none that there is. */
static char *
time_text(const TreeSplit *split)
{
	double		value = whole(split, split->bound);

	switch ((ColumnKind) split->column->kind)
	{
		case KIND_DATE:
			if (value < DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE || value >= DATE_END_JULIAN - POSTGRES_EPOCH_JDATE)
				return NULL;
			return DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum((DateADT) value)));
		case KIND_TIMESTAMP:
		case KIND_TIMESTAMPTZ:
			if (value < (double) MIN_TIMESTAMP || value >= (double) END_TIMESTAMP)
				return NULL;
			return DatumGetCString(DirectFunctionCall1(split->column->kind == KIND_TIMESTAMP ? timestamp_out : timestamptz_out,
													   TimestampGetDatum((Timestamp) value)));
		case KIND_INTERVAL:
			if (fabs(split->bound) > INTERVAL_SECONDS_MAX)
				return NULL;
			else
			{
				Interval	interval = {.time = (TimeOffset) whole(split, split->bound * USECS_PER_SEC)};
				Datum		days = DirectFunctionCall1(interval_justify_hours, IntervalPGetDatum(&interval));

				return DatumGetCString(DirectFunctionCall1(interval_out, days));
			}
		case KIND_NUMBER:
		case KIND_BOOLEAN:
		case KIND_CATEGORY:
			break;
	}
	return NULL;
}

/* Whether a bound tells false (0) from true (1). */
static bool
divides_boolean(const TreeSplit *split)
{
	if (split->column->kind != KIND_BOOLEAN)
		return false;
	return split->test == TEST_AT_MOST ? split->bound >= 0 && split->bound < 1 : split->bound > 0 && split->bound <= 1;
}

/* Appends a comparison with a bound. */
static void
append_comparison(StringInfo out, const TreeSplit *split)
{
	char	   *time = time_text(split);

	if (divides_boolean(split))
	{
		appendStringInfoString(out, split->test == TEST_AT_MOST ? " = false" : " = true");
		return;
	}
	appendStringInfoString(out, split->test == TEST_AT_MOST ? " <= " : " >= ");
	if (time != NULL)
	{
		appendStringInfoString(out, time);
		pfree(time);
	}
	else if (split->column->storage == STORAGE_FLOAT32)
	{
		char		text[NUMBER_TEXT_SIZE];

		number_text(split->bound, true, text, sizeof(text));
		appendStringInfoString(out, text);
	}
	else
		split_text_number(out, split->bound);
}

/* Appends a category as a literal, cut where it is long. */
static void
append_level(StringInfo out, const Model *model, const TreeSplit *split, uint64 level)
{
	if (split->column->kind != KIND_CATEGORY)
	{
		appendStringInfo(out, UINT64_FORMAT, level);
		return;
	}

	const char *text = model_string(model, model->categories[split->column->categories + level]);
	int			length = (int) strlen(text);
	int			shown = length > LEVEL_BYTES ? pg_mbcliplen(text, length, LEVEL_BYTES) : length;
	char	   *part = pnstrdup(text, shown);
	char	   *literal = quote_literal_cstr(part);

	if (shown < length)
		appendStringInfo(out, "%.*s...'", (int) strlen(literal) - 1, literal);
	else
		appendStringInfoString(out, literal);
	pfree(literal);
	pfree(part);
}

/* Appends " in (...)" or " not in (...)", whichever list is shorter. */
static void
append_levels(StringInfo out, const Model *model, const TreeSplit *split)
{
	uint64		n_left = 0;
	uint64		shown = 0;

	for (uint64 level = 0; level < split->n_levels; level++)
		n_left += tree_split_level(split, level);

	bool		left = split->column->kind != KIND_CATEGORY || n_left <= split->n_levels - n_left;
	uint64		n = left ? n_left : split->n_levels - n_left;

	appendStringInfoString(out, left ? " in (" : " not in (");
	for (uint64 level = 0; level < split->n_levels && shown < Min(n, LEVELS_SHOWN); level++)
	{
		if (tree_split_level(split, level) != left)
			continue;
		if (shown++ > 0)
			appendStringInfoString(out, ", ");
		append_level(out, model, split, level);
	}
	if (n > shown)
		appendStringInfo(out, " and " UINT64_FORMAT " more", n - shown);
	appendStringInfoChar(out, ')');
}

/* Appends what holds of rows that go left. */
void
split_text_append(StringInfo out, const Model *model, const TreeSplit *split)
{
	if (split->test == TEST_ALWAYS || split->test == TEST_NEVER)
	{
		appendStringInfoString(out, split->test == TEST_ALWAYS ? "true" : "false");
		return;
	}
	appendStringInfoString(out, model_string(model, split->column->name));
	switch (split->test)
	{
		case TEST_AT_MOST:
		case TEST_AT_LEAST:
			append_comparison(out, split);
			break;
		case TEST_LEVELS:
			append_levels(out, model, split);
			break;
		case TEST_PRESENT:
			appendStringInfoString(out, " is not null");
			break;
		case TEST_ALWAYS:
		case TEST_NEVER:
			break;
	}
}
