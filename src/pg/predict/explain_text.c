/*
 * explain_text.c
 *		explain_text(): an explanation in three lines, for who does not know what a margin is.
 *
 * What is predicted; what speaks most for it; what against it.  An effect is
 * shown on the scale where it is the same for every row: as a sum, as a
 * factor of the odds or of the value, or in points of a hundred.
 */
#include "explanation.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "../report.h"

#define REASONS			3		/* on each side */
#define VALUE_BYTES		40		/* of a category's text */
#define GROUPED_FROM	10000	/* smaller numbers may be years */

PG_FUNCTION_INFO_V1(mlops_explain_text);

/* What a contribution means. */
typedef enum EffectScale
{
	EFFECT_SUM,					/* added to the value */
	EFFECT_FACTOR,				/* exp() of it multiplies the value */
	EFFECT_ODDS,				/* exp() of it multiplies the odds */
	EFFECT_POINTS				/* added to the probability */
} EffectScale;

static EffectScale
effect_scale(const Model *model)
{
	if (!model_has_trees(model))
	{
		const LinearPayload *payload = model->payload;

		return payload->link == LINEAR_IDENTITY || model->task == TASK_REGRESSION ? EFFECT_SUM
			: payload->link == LINEAR_CONSTANT ? EFFECT_POINTS : EFFECT_ODDS;
	}
	switch ((TreeLink) tree_payload(model)->link)
	{
		case LINK_IDENTITY:
			return EFFECT_SUM;
		case LINK_LOG:
			return EFFECT_FACTOR;
		case LINK_LOGISTIC:
		case LINK_SOFTMAX:
			return EFFECT_ODDS;
		case LINK_MEAN:
		case LINK_SHARES:
			break;
	}
	return model->task == TASK_REGRESSION ? EFFECT_SUM : EFFECT_POINTS;
}

/* Appends a number with at most six digits that mean something, large ones in groups of three. */
static void
append_number(StringInfo out, double number)
{
	char		text[64];
	const char *digits = text;
	size_t		n_digits;

	if (fabs(number) >= 1e15)
	{
		appendStringInfo(out, "%.6g", number);
		return;
	}
	snprintf(text, sizeof(text), fabs(number) >= 1e5 || number == rint(number) ? "%.0f" : "%.6g", number);
	if (*digits == '-')
		appendStringInfoChar(out, *digits++);
	n_digits = strspn(digits, "0123456789");
	for (size_t i = 0; i < n_digits; i++)
	{
		if (i > 0 && (n_digits - i) % 3 == 0 && fabs(number) >= GROUPED_FROM)
			appendStringInfoChar(out, ',');
		appendStringInfoChar(out, digits[i]);
	}
	appendStringInfoString(out, digits + n_digits);
}

/* Appends a name, a label or a text on the line that is being written: what would end it is a blank. */
static void
append_text(StringInfo out, const char *text, int length)
{
	for (int i = 0; i < length; i++)
		appendStringInfoChar(out, (unsigned char) text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i]);
}

/* Appends "age = 39", "job = (missing)". */
static void
append_value(StringInfo out, const Predictor *predictor, uint32 column)
{
	const Model *model = predictor->model;
	double		raw = predictor->raw[column];
	char	   *text = raw_text(model, column, raw);

	append_text(out, predictor->names[column], (int) predictor->name_lengths[column]);
	appendStringInfoString(out, " = ");
	if (text == NULL)
		appendStringInfoString(out, "(missing)");
	else if (model->columns[column].kind == KIND_NUMBER && isfinite(raw))
		append_number(out, raw);
	else if (strlen(text) > VALUE_BYTES)
	{
		append_text(out, text, pg_mbcliplen(text, (int) strlen(text), VALUE_BYTES));
		appendStringInfoString(out, "...");
	}
	else
		append_text(out, text, (int) strlen(text));
}

/* Appends what a contribution does, in brackets. */
static void
append_effect(StringInfo out, EffectScale scale, double contribution)
{
	switch (scale)
	{
		case EFFECT_SUM:
			appendStringInfo(out, " (%+.3g)", contribution);
			break;
		case EFFECT_FACTOR:
			appendStringInfo(out, " (x %.3g)", exp(contribution));
			break;
		case EFFECT_ODDS:
			appendStringInfo(out, " (odds x %.3g)", exp(contribution));
			break;
		case EFFECT_POINTS:
			appendStringInfo(out, " (%+.1f points)", 100 * contribution);
			break;
	}
}

/* Appends a line with the columns that contribute most in one direction. */
static void
append_reasons(StringInfo out, const Predictor *predictor, const Explanation *explanation, double sign, const char *begin, const char *none)
{
	EffectScale scale = effect_scale(predictor->model);
	int			n = 0;

	for (uint32 i = 0; i < predictor->model->n_columns && n < REASONS; i++)
	{
		uint32		column = explanation->order[i];

		if (!(sign * explanation->contributions[column] > 0))
			continue;
		appendStringInfoString(out, n++ == 0 ? begin : ", ");
		append_value(out, predictor, column);
		append_effect(out, scale, explanation->contributions[column]);
	}
	if (n == 0)
		appendStringInfoString(out, none);
	appendStringInfoChar(out, '.');
}

/* What a regression predicts, beside what it predicts of a row of which nothing is known. */
static void
describe_value(StringInfo out, const Predictor *predictor, const Explanation *explanation)
{
	double		base = effect_scale(predictor->model) == EFFECT_FACTOR ? exp(explanation->base) : explanation->base;

	appendStringInfoString(out, "Predicted: ");
	append_number(out, predictor->out[0]);
	appendStringInfoString(out, "; without any of these values: ");
	append_number(out, base);
	appendStringInfoString(out, ".\n");
	append_reasons(out, predictor, explanation, 1, "Raised most by ", "Nothing raises it");
	appendStringInfoChar(out, '\n');
	append_reasons(out, predictor, explanation, -1, "Lowered most by ", "Nothing lowers it");
}

/* Which class a classification predicts. */
static void
describe_class(StringInfo out, const Predictor *predictor, const Explanation *explanation)
{
	const char *text = explanation_class(explanation);
	StringInfoData line;

	initStringInfo(&line);
	append_text(&line, text, (int) strlen(text));

	const char *label = line.data;

	appendStringInfo(out, "Predicted: %s, with a probability of %.1f %%.\n", label, 100 * predictor->out[explanation->output]);
	append_reasons(out, predictor, explanation, 1, psprintf("Most towards %s: ", label), psprintf("Nothing speaks for %s", label));
	appendStringInfoChar(out, '\n');
	append_reasons(out, predictor, explanation, -1, psprintf("Most against %s: ", label), psprintf("Nothing speaks against %s", label));
}

/* mlops.explain_text(model, features) */
Datum
mlops_explain_text(PG_FUNCTION_ARGS)
{
	Predictor  *predictor;
	StringInfoData out;

	if (!explanation_read(fcinfo, &predictor))
		PG_RETURN_NULL();

	const Model *model = predictor->model;

	predict_outputs(predictor);
	initStringInfo(&out);
	if (model->task == TASK_REGRESSION)
		describe_value(&out, predictor, explanation_make(predictor, 0));
	else
		describe_class(&out, predictor, explanation_make(predictor, (int) model_best_class(predictor->out, model->n_outputs)));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
