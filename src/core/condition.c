/*
 * condition.c
 *		Evaluating conditions: a postfix program on a stack of values, in the logic of three values.
 */
#include "condition.h"

#include <math.h>
#include <string.h>

static ConditionValue
truth_value(ConditionTruth truth)
{
	return (ConditionValue) {
		.type = truth == TRUTH_UNKNOWN ? CONDITION_NULL : CONDITION_BOOLEAN, .holds = truth == TRUTH_TRUE
	};
}

/* A number is no truth, nor is a text. */
static ConditionTruth
value_truth(const ConditionValue *value)
{
	if (value->type != CONDITION_BOOLEAN)
		return TRUTH_UNKNOWN;
	return value->holds ? TRUTH_TRUE : TRUTH_FALSE;
}

/* The bytes of the character at `at`: of UTF-8 that is none, and of other encodings, one. */
static size_t
character_size(const char *at, const char *end)
{
	unsigned char first = (unsigned char) *at;
	size_t		size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;

	for (size_t i = 1; i < size; i++)
	{
		if (at + i == end || ((unsigned char) at[i] & 0xC0) != 0x80)
			return 1;
	}
	return size;
}

/*
 * Whether a text is like a pattern of % and _, \ taking their meaning.  Only
 * the last % is ever tried again, so the time is at most the product of both
 * lengths.
 */
static bool
is_like(const ConditionValue *text, const ConditionValue *pattern)
{
	const char *t = text->text;
	const char *t_end = t + text->length;
	const char *p = pattern->text;
	const char *p_end = p + pattern->length;
	const char *retry_t = NULL; /* where the last % may end instead */
	const char *retry_p = NULL;

	while (t < t_end)
	{
		bool		escaped = p < p_end && *p == '\\' && p + 1 < p_end;

		if (p < p_end && *p == '%')
		{
			retry_p = ++p;
			retry_t = t;
		}
		else if (p < p_end && *p == '_')
		{
			t += character_size(t, t_end);
			p++;
		}
		else if (p < p_end && p[escaped] == *t)
		{
			t++;
			p += 1 + escaped;
		}
		else if (retry_p != NULL)
		{
			retry_t += character_size(retry_t, t_end);
			t = retry_t;
			p = retry_p;
		}
		else
			return false;
	}
	while (p < p_end && *p == '%')
		p++;
	return p == p_end;
}

/* Below 0, 0 or above: texts by their bytes. */
static int
order(const ConditionValue *a, const ConditionValue *b)
{
	if (a->type == CONDITION_NUMBER)
		return (a->number > b->number) - (a->number < b->number);
	if (a->type == CONDITION_BOOLEAN)
		return (int) a->holds - (int) b->holds;

	size_t		shorter = a->length < b->length ? a->length : b->length;
	int			difference = shorter == 0 ? 0 : memcmp(a->text, b->text, shorter);

	return difference != 0 ? difference : (a->length > b->length) - (a->length < b->length);
}

static ConditionTruth
compare(ConditionStepKind kind, const ConditionValue *a, const ConditionValue *b)
{
	if (a->type == CONDITION_NULL || a->type != b->type)
		return TRUTH_UNKNOWN;

	int			sign = order(a, b);

	switch (kind)
	{
		case STEP_EQUAL:
			return sign == 0 ? TRUTH_TRUE : TRUTH_FALSE;
		case STEP_DIFFERS:
			return sign != 0 ? TRUTH_TRUE : TRUTH_FALSE;
		case STEP_LESS:
			return sign < 0 ? TRUTH_TRUE : TRUTH_FALSE;
		case STEP_AT_MOST:
			return sign <= 0 ? TRUTH_TRUE : TRUTH_FALSE;
		case STEP_MORE:
			return sign > 0 ? TRUTH_TRUE : TRUTH_FALSE;
		default:
			return sign >= 0 ? TRUTH_TRUE : TRUTH_FALSE;
	}
}

/* A value among others: true where one is equal, unknown where one cannot be compared with. */
static ConditionTruth
is_among(const ConditionValue *value, const ConditionValue *others, uint32_t n)
{
	ConditionTruth found = TRUTH_FALSE;

	for (uint32_t i = 0; i < n && found != TRUTH_TRUE; i++)
	{
		ConditionTruth equal = compare(STEP_EQUAL, value, &others[i]);

		if (equal != TRUTH_FALSE)
			found = equal;
	}
	return found;
}

/* Sums, differences, products of numbers; NULL of anything else, and of what overflows. */
static ConditionValue
calculate(ConditionStepKind kind, const ConditionValue *a, const ConditionValue *b)
{
	ConditionValue result = {.type = CONDITION_NULL};

	if (a->type != CONDITION_NUMBER || b->type != CONDITION_NUMBER)
		return result;
	result.number = kind == STEP_ADD ? a->number + b->number : kind == STEP_SUBTRACT ? a->number - b->number : a->number * b->number;
	if (isfinite(result.number))
		result.type = CONDITION_NUMBER;
	return result;
}

/* What two values on top of the stack become. */
static ConditionValue
join(ConditionStepKind kind, const ConditionValue *a, const ConditionValue *b)
{
	ConditionTruth left = value_truth(a);
	ConditionTruth right = value_truth(b);

	switch (kind)
	{
		case STEP_ADD:
		case STEP_SUBTRACT:
		case STEP_MULTIPLY:
			return calculate(kind, a, b);
		case STEP_LIKE:
			if (a->type != CONDITION_TEXT || b->type != CONDITION_TEXT || a->length > CONDITION_LIKE_MAX)
				return truth_value(TRUTH_UNKNOWN);
			return truth_value(is_like(a, b) ? TRUTH_TRUE : TRUTH_FALSE);
		case STEP_AND:
			if (left == TRUTH_FALSE || right == TRUTH_FALSE)
				return truth_value(TRUTH_FALSE);
			return truth_value(left == TRUTH_TRUE && right == TRUTH_TRUE ? TRUTH_TRUE : TRUTH_UNKNOWN);
		case STEP_OR:
			if (left == TRUTH_TRUE || right == TRUTH_TRUE)
				return truth_value(TRUTH_TRUE);
			return truth_value(left == TRUTH_FALSE && right == TRUTH_FALSE ? TRUTH_FALSE : TRUTH_UNKNOWN);
		default:
			return truth_value(compare(kind, a, b));
	}
}

/* What the value on top of the stack becomes. */
static ConditionValue
change(ConditionStepKind kind, const ConditionValue *a)
{
	ConditionTruth truth = value_truth(a);
	ConditionValue result = *a;

	switch (kind)
	{
		case STEP_NEGATE:
			result.type = a->type == CONDITION_NUMBER ? CONDITION_NUMBER : CONDITION_NULL;
			result.number = -a->number;
			return result;
		case STEP_IS_NULL:
			return truth_value(a->type == CONDITION_NULL ? TRUTH_TRUE : TRUTH_FALSE);
		case STEP_IS_TRUE:
			return truth_value(truth == TRUTH_TRUE ? TRUTH_TRUE : TRUTH_FALSE);
		case STEP_IS_FALSE:
			return truth_value(truth == TRUTH_FALSE ? TRUTH_TRUE : TRUTH_FALSE);
		default:
			return truth_value(truth == TRUTH_UNKNOWN ? TRUTH_UNKNOWN : truth == TRUTH_TRUE ? TRUTH_FALSE : TRUTH_TRUE);
	}
}

/* Whether it holds of the facts that lookup gives. */
ConditionTruth
condition_evaluate(const Condition *condition, ConditionLookup lookup, void *context)
{
	ConditionValue facts[CONDITION_NAMES_MAX];
	ConditionValue stack[CONDITION_STEPS_MAX];
	uint32_t	n = 0;

	for (uint32_t i = 0; i < condition->n_names; i++)
	{
		facts[i] = (ConditionValue) {.type = CONDITION_NULL};
		lookup(context, condition_name(condition, i), &facts[i]);
		if (facts[i].type == CONDITION_NUMBER && isnan(facts[i].number))
			facts[i].type = CONDITION_NULL;
	}
	for (uint32_t i = 0; i < condition->n_steps; i++)
	{
		const ConditionStep *step = &condition->steps[i];

		switch ((ConditionStepKind) step->kind)
		{
			case STEP_NULL:
				stack[n++] = (ConditionValue) {.type = CONDITION_NULL};
				break;
			case STEP_NUMBER:
				stack[n++] = (ConditionValue) {.type = CONDITION_NUMBER, .number = step->value.number};
				break;
			case STEP_TEXT:
				stack[n++] = (ConditionValue) {.type = CONDITION_TEXT, .text = condition->texts + step->value.text, .length = step->n};
				break;
			case STEP_TRUE:
			case STEP_FALSE:
				stack[n++] = truth_value(step->kind == STEP_TRUE ? TRUTH_TRUE : TRUTH_FALSE);
				break;
			case STEP_NAME:
				stack[n++] = facts[step->n];
				break;
			case STEP_IN:
				n -= step->n;
				stack[n - 1] = truth_value(is_among(&stack[n - 1], &stack[n], step->n));
				break;
			case STEP_NEGATE:
			case STEP_IS_NULL:
			case STEP_IS_TRUE:
			case STEP_IS_FALSE:
			case STEP_NOT:
				stack[n - 1] = change((ConditionStepKind) step->kind, &stack[n - 1]);
				break;
			default:
				n--;
				stack[n - 1] = join((ConditionStepKind) step->kind, &stack[n - 1], &stack[n]);
		}
	}
	return value_truth(&stack[0]);
}
