/*
 * condition_parse.c
 *		Reading conditions: tokens to a postfix program, by recursive descent of bounded depth.
 */
#include "condition_internal.h"

#include <string.h>

/* What is known of an expression before there are facts. */
typedef enum Shape
{
	SHAPE_ANY,					/* a name, or NULL */
	SHAPE_NUMBER,
	SHAPE_TEXT,
	SHAPE_BOOLEAN
} Shape;

static bool parse_condition(Parser *parser, Shape *shape);

/* Goes over the current token where it is of this kind. */
static bool
take(Parser *parser, TokenKind kind, bool *taken)
{
	*taken = parser->kind == kind;
	return !*taken || condition_advance(parser);
}

static ConditionStep *
add_step(Parser *parser, ConditionStepKind kind)
{
	Condition  *condition = parser->condition;

	if (condition->n_steps == CONDITION_STEPS_MAX)
	{
		condition_too_large(parser, "names, values and operators", CONDITION_STEPS_MAX);
		return NULL;
	}

	ConditionStep *step = &condition->steps[condition->n_steps++];

	step->kind = kind;
	step->n = 0;
	step->value.text = 0;
	return step;
}

/* The current token's name: its index among those that differ. */
static bool
find_name(Parser *parser, uint32_t *index)
{
	Condition  *condition = parser->condition;
	const char *name = condition->texts + parser->offset;

	for (*index = 0; *index < condition->n_names; (*index)++)
	{
		if (strcmp(condition_name(condition, *index), name) == 0)
			return true;
	}
	if (condition->n_names == CONDITION_NAMES_MAX)
		return condition_too_large(parser, "different names", CONDITION_NAMES_MAX);
	condition->names[condition->n_names++] = parser->offset;
	return true;
}

/* That what was read from `start` on is a condition, or a number, or at least no number or text. */
static bool
require(Parser *parser, size_t start, Shape shape, Shape wanted)
{
	static const char *const expected[] = {"", "a number", "a text", "a condition"};
	static const char *const found[] = {"", "a number", "a text", "a condition"};

	if (shape == SHAPE_ANY || shape == wanted)
		return true;
	return condition_failed(parser, start, expected[wanted], found[shape]);
}

/* A name, a literal, or what stands in parentheses. */
static bool
parse_primary(Parser *parser, Shape *shape)
{
	ConditionStep *step;
	bool		closed;

	switch (parser->kind)
	{
		case TOKEN_NUMBER:
			*shape = SHAPE_NUMBER;
			if ((step = add_step(parser, STEP_NUMBER)) == NULL)
				return false;
			step->value.number = parser->number;
			break;
		case TOKEN_TEXT:
			*shape = SHAPE_TEXT;
			if ((step = add_step(parser, STEP_TEXT)) == NULL)
				return false;
			step->value.text = parser->offset;
			step->n = parser->length;
			break;
		case TOKEN_NAME:
			*shape = SHAPE_ANY;
			if ((step = add_step(parser, STEP_NAME)) == NULL || !find_name(parser, &step->n))
				return false;
			break;
		case TOKEN_NULL:
			*shape = SHAPE_ANY;
			if (add_step(parser, STEP_NULL) == NULL)
				return false;
			break;
		case TOKEN_TRUE:
		case TOKEN_FALSE:
			*shape = SHAPE_BOOLEAN;
			if (add_step(parser, parser->kind == TOKEN_TRUE ? STEP_TRUE : STEP_FALSE) == NULL)
				return false;
			break;
		case TOKEN_OPEN:
			if (!condition_advance(parser) || !parse_condition(parser, shape) || !take(parser, TOKEN_CLOSE, &closed))
				return false;
			return closed || condition_expected(parser, "an operator or \")\"");
		default:
			return condition_expected(parser, "a name or a value");
	}
	return condition_advance(parser);
}

/* A primary with minus signs before it. */
static bool
parse_signed(Parser *parser, Shape *shape)
{
	bool		negative;
	bool		parsed;
	size_t		start;

	if (!take(parser, TOKEN_MINUS, &negative))
		return false;
	if (!negative)
		return parse_primary(parser, shape);
	if (++parser->depth > CONDITION_DEPTH_MAX)
		return condition_too_large(parser, "levels", CONDITION_DEPTH_MAX);
	start = parser->start;
	parsed = parse_signed(parser, shape) && require(parser, start, *shape, SHAPE_NUMBER) && add_step(parser, STEP_NEGATE) != NULL;
	parser->depth--;
	*shape = SHAPE_NUMBER;
	return parsed;
}

/* Products, and of those sums: with_sums says which. */
static bool
parse_terms(Parser *parser, bool with_sums, Shape *shape)
{
	size_t		start = parser->start;

	if (!(with_sums ? parse_terms(parser, false, shape) : parse_signed(parser, shape)))
		return false;
	while (with_sums ? parser->kind == TOKEN_PLUS || parser->kind == TOKEN_MINUS : parser->kind == TOKEN_STAR)
	{
		ConditionStepKind kind = parser->kind == TOKEN_PLUS ? STEP_ADD : parser->kind == TOKEN_MINUS ? STEP_SUBTRACT : STEP_MULTIPLY;

		if (!require(parser, start, *shape, SHAPE_NUMBER) || !condition_advance(parser))
			return false;
		start = parser->start;
		if (!(with_sums ? parse_terms(parser, false, shape) : parse_signed(parser, shape)) ||
			!require(parser, start, *shape, SHAPE_NUMBER) || add_step(parser, kind) == NULL)
			return false;
		*shape = SHAPE_NUMBER;
	}
	return true;
}

/* The list of IN: values in parentheses. */
static bool
parse_list(Parser *parser, Shape left)
{
	ConditionStep *step;
	uint32_t	n = 0;
	bool		more;

	if (!take(parser, TOKEN_OPEN, &more))
		return false;
	if (!more)
		return condition_expected(parser, "\"(\"");
	while (more)
	{
		size_t		start = parser->start;
		Shape		shape;

		if (!parse_terms(parser, true, &shape) || (left != SHAPE_ANY && !require(parser, start, shape, left)) ||
			!take(parser, TOKEN_COMMA, &more))
			return false;
		n++;
	}
	if (!take(parser, TOKEN_CLOSE, &more))
		return false;
	if (!more)
		return condition_expected(parser, "\",\" or \")\"");
	if ((step = add_step(parser, STEP_IN)) == NULL)
		return false;
	step->n = n;
	return true;
}

/* What may come after IS [NOT]. */
static bool
parse_is(Parser *parser)
{
	ConditionStepKind kind;

	switch (parser->kind)
	{
		case TOKEN_NULL:
			kind = STEP_IS_NULL;
			break;
		case TOKEN_TRUE:
			kind = STEP_IS_TRUE;
			break;
		case TOKEN_FALSE:
			kind = STEP_IS_FALSE;
			break;
		default:
			return condition_expected(parser, "\"null\", \"true\" or \"false\"");
	}
	return condition_advance(parser) && add_step(parser, kind) != NULL;
}

/* A value, and what it is compared with, if anything. */
static bool
parse_comparison(Parser *parser, Shape *shape)
{
	size_t		start = parser->start;
	bool		negated = false;
	Shape		right;
	bool		taken;

	if (!parse_terms(parser, true, shape))
		return false;
	if (parser->kind == TOKEN_COMPARISON)
	{
		ConditionStepKind kind = parser->comparison;
		size_t		right_start;

		if (!condition_advance(parser))
			return false;
		right_start = parser->start;
		if (!parse_terms(parser, true, &right) || (*shape != SHAPE_ANY && !require(parser, right_start, right, *shape)) ||
			add_step(parser, kind) == NULL)
			return false;
		*shape = SHAPE_BOOLEAN;
		return true;
	}
	if (!take(parser, TOKEN_IS, &taken))
		return false;
	if (taken)
	{
		if (!take(parser, TOKEN_NOT, &negated) || !parse_is(parser))
			return false;
	}
	else
	{
		if (!take(parser, TOKEN_NOT, &negated))
			return false;
		if (parser->kind == TOKEN_IN)
		{
			if (!condition_advance(parser) || !parse_list(parser, *shape))
				return false;
		}
		else if (parser->kind == TOKEN_LIKE)
		{
			if (!require(parser, start, *shape, SHAPE_TEXT) || !condition_advance(parser))
				return false;

			/* a literal: its length bounds the time that it takes */
			if (parser->kind != TOKEN_TEXT)
				return condition_expected(parser, "a text");
			if (!parse_primary(parser, &right) || add_step(parser, STEP_LIKE) == NULL)
				return false;
		}
		else
			return !negated || condition_expected(parser, "\"in\" or \"like\"");
	}
	*shape = SHAPE_BOOLEAN;
	return !negated || add_step(parser, STEP_NOT) != NULL;
}

/* A comparison with NOTs before it. */
static bool
parse_negated(Parser *parser, Shape *shape)
{
	size_t		start;
	bool		negated;
	bool		parsed;

	if (!take(parser, TOKEN_NOT, &negated))
		return false;
	if (!negated)
		return parse_comparison(parser, shape);
	if (++parser->depth > CONDITION_DEPTH_MAX)
		return condition_too_large(parser, "levels", CONDITION_DEPTH_MAX);
	start = parser->start;
	parsed = parse_negated(parser, shape) && require(parser, start, *shape, SHAPE_BOOLEAN) && add_step(parser, STEP_NOT) != NULL;
	parser->depth--;
	*shape = SHAPE_BOOLEAN;
	return parsed;
}

/* What AND joins, and of those what OR joins: with_or says which. */
static bool
parse_joined(Parser *parser, bool with_or, Shape *shape)
{
	size_t		start = parser->start;
	bool		joined;

	if (!(with_or ? parse_joined(parser, false, shape) : parse_negated(parser, shape)))
		return false;
	for (;;)
	{
		if (parser->kind != (with_or ? TOKEN_OR : TOKEN_AND))
			return true;
		if (!require(parser, start, *shape, SHAPE_BOOLEAN) || !take(parser, with_or ? TOKEN_OR : TOKEN_AND, &joined))
			return false;
		start = parser->start;
		if (!(with_or ? parse_joined(parser, false, shape) : parse_negated(parser, shape)) ||
			!require(parser, start, *shape, SHAPE_BOOLEAN) || add_step(parser, with_or ? STEP_OR : STEP_AND) == NULL)
			return false;
		*shape = SHAPE_BOOLEAN;
	}
}

/* A whole condition, or one in parentheses, which may be a value. */
static bool
parse_condition(Parser *parser, Shape *shape)
{
	bool		parsed;

	if (++parser->depth > CONDITION_DEPTH_MAX)
		return condition_too_large(parser, "levels", CONDITION_DEPTH_MAX);
	parsed = parse_joined(parser, true, shape);
	parser->depth--;
	return parsed;
}

/* Reads a condition. */
bool
condition_parse(Condition *condition, const char *text, Error *error)
{
	Parser		parser = {.condition = condition, .error = error, .text = text};
	Shape		shape;

	condition->n_steps = 0;
	condition->n_names = 0;
	if (strlen(text) > CONDITION_TEXT_MAX)
		return condition_too_large(&parser, "bytes", CONDITION_TEXT_MAX);
	if (!condition_advance(&parser))
		return false;
	if (!parse_condition(&parser, &shape))
		return false;
	if (parser.kind != TOKEN_END)
		return condition_expected(&parser, "\"and\", \"or\" or the end");
	return require(&parser, 0, shape, SHAPE_BOOLEAN);
}
