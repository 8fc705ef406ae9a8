/*
 * distribution_show.c
 *		A distribution for people: top values, a histogram, and the cast to jsonb.
 */
#include "distribution_show.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/jsonb.h"

#include "../compat.h"
#include "../json_fields.h"

#define N_BARS		16
#define N_TOP		10			/* values in jsonb */
#define N_FEW		5			/* values that are shown, frequent or not */

PG_FUNCTION_INFO_V1(mlops_distribution_to_jsonb);

/* Whether a value is worth showing: it is there again, or there are few values. */
static bool
is_frequent(const Distribution *distribution, const DistributionCell *cell)
{
	return cell_named_count(cell) > 1 || distribution->n_cells <= N_FEW;
}

/* The most frequent values with their counts. */
char *
show_top(const Distribution *distribution, int most)
{
	size_t	   *top = palloc(most * sizeof(size_t));
	size_t		n = distribution_top(distribution, top, (size_t) most);
	StringInfoData text;

	initStringInfo(&text);
	for (size_t i = 0; i < n; i++)
	{
		const DistributionCell *cell = &distribution->cells[top[i]];

		if (is_frequent(distribution, cell))
			appendStringInfo(&text, "%s%s " UINT64_FORMAT, text.len > 0 ? ", " : "", distribution_cell_text(distribution, cell),
							 (uint64) cell_named_count(cell));
	}
	return text.len > 0 ? text.data : NULL;
}

/* The heights of bars over the range of numbers, or of each of few numbers; how many there are. */
static int
number_bars(const Distribution *d, double *bars)
{
	double		width = d->highest / N_BARS - d->lowest / N_BARS;

	if ((d->shift == 0 && d->n_cells <= N_BARS) || !(width > 0))
	{
		for (size_t i = 0; i < d->n_cells; i++)
			bars[Min(i, N_BARS - 1)] += (double) d->cells[i].count;
		return (int) Min(d->n_cells, N_BARS);
	}
	for (size_t i = 0; i < d->n_cells; i++)
	{
		/* halves: the range may be wider than the greatest number */
		double		bar = (cell_number(d, &d->cells[i]) / 2 - d->lowest / 2) / (width / 2);

		bars[(int) fmin(fmax(bar, 0), N_BARS - 1)] += (double) d->cells[i].count;
	}
	return N_BARS;
}

static int
text_bars(const Distribution *d, double *bars)
{
	size_t		top[N_BARS];
	size_t		n = distribution_top(d, top, N_BARS);

	for (size_t i = 0; i < n; i++)
		bars[i] = (double) cell_named_count(&d->cells[top[i]]);
	return (int) n;
}

/* Bars of Unicode blocks. */
char *
show_histogram(const Distribution *distribution)
{
	double		bars[N_BARS] = {0};
	double		highest = 0;
	StringInfoData text;
	int			n;

	if (distribution->n == 0 || GetDatabaseEncoding() != PG_UTF8)
		return NULL;
	n = distribution_is_text(distribution) ? text_bars(distribution, bars) : number_bars(distribution, bars);
	for (int i = 0; i < n; i++)
		highest = Max(highest, bars[i]);
	if (n == 0)
		return NULL;
	initStringInfo(&text);
	for (int i = 0; i < n; i++)
	{
		/* eighths from U+2581 on; what is there at all shows */
		if (bars[i] == 0)
			appendStringInfoChar(&text, ' ');
		else
		{
			appendStringInfoString(&text, "\xe2\x96");
			appendStringInfoChar(&text, (char) (0x81 + Max((int) ceil(bars[i] / highest * 8) - 1, 0)));
		}
	}
	return text.data;
}

static void
push_value(JsonbParseState **state, const char *key, const Distribution *d, double value)
{
	json_push_key(state, key);
	if (d->kind == KIND_NUMBER || d->kind == KIND_BOOLEAN)
		json_push_number(state, WJB_VALUE, value);
	else if (isnan(value))
		json_push_number(state, WJB_VALUE, value);
	else
		json_push_text(state, WJB_VALUE, distribution_number_text(d->kind, value));
}

/* What only numbers have. */
static void
push_numbers(JsonbParseState **state, const Distribution *d)
{
	static const char *const names[] = {"0.01", "0.05", "0.25", "0.5", "0.75", "0.95", "0.99"};

	push_value(state, "min", d, d->lowest);
	push_value(state, "max", d, d->highest);
	push_value(state, "mean", d, d->n > 0 ? d->moments.mean : NAN);
	json_push_key(state, "sd");
	json_push_number(state, WJB_VALUE, moments_deviation(&d->moments));
	json_push_key(state, "quantiles");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (size_t i = 0; i < lengthof(names); i++)
		push_value(state, names[i], d, distribution_quantile(d, strtod(names[i], NULL)));
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
push_top(JsonbParseState **state, const Distribution *d)
{
	size_t		top[N_TOP];
	size_t		n = distribution_top(d, top, N_TOP);

	json_push_key(state, "top");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (size_t i = 0; i < n; i++)
	{
		const DistributionCell *cell = &d->cells[top[i]];

		if (!is_frequent(d, cell))
			break;
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		json_push_key(state, "value");
		json_push_text(state, WJB_VALUE, distribution_cell_text(d, cell));
		json_push_key(state, "count");
		json_push_integer(state, WJB_VALUE, (int64) cell_named_count(cell));
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
push_count(JsonbParseState **state, const char *key, uint64_t count)
{
	json_push_key(state, key);
	json_push_integer(state, WJB_VALUE, (int64) count);
}

/* Cast to jsonb: a summary to read. */
Datum
mlops_distribution_to_jsonb(PG_FUNCTION_ARGS)
{
	Distribution *d = distribution_read(PG_GETARG_DATUM(0));
	JsonbParseState *state = NULL;
	bool		exact;
	double		distinct = distribution_distinct(d, &exact);

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	json_push_key(&state, "kind");
	json_push_text(&state, WJB_VALUE, kind_name(d->kind));
	push_count(&state, "rows", distribution_rows(d));
	push_count(&state, "nulls", d->n_null);
	push_count(&state, "nan", d->n_nan);
	push_count(&state, "infinite", d->n_below + d->n_above);
	push_count(&state, "cells", d->n_cells);
	json_push_key(&state, "distinct");
	json_push_number(&state, WJB_VALUE, distinct);
	json_push_key(&state, "distinct_is");
	json_push_text(&state, WJB_VALUE, exact ? "exact" : isnan(distinct) ? "unknown" : "estimated");
	if (!distribution_is_text(d))
		push_numbers(&state, d);
	push_top(&state, d);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}
