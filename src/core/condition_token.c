/*
 * condition_token.c
 *		Reading conditions: text to tokens.
 */
#include "condition_internal.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SHOWN_MAX 40			/* bytes of a token in an error */
#define NUMBER_MAX 64			/* characters of a number */

static const struct
{
	const char *word;
	TokenKind	kind;
}			words[] = {
	{"and", TOKEN_AND}, {"or", TOKEN_OR}, {"not", TOKEN_NOT}, {"is", TOKEN_IS}, {"in", TOKEN_IN}, {"like", TOKEN_LIKE},
	{"null", TOKEN_NULL}, {"true", TOKEN_TRUE}, {"false", TOKEN_FALSE}
};

static const struct
{
	const char *sign;			/* the longer ones first */
	TokenKind	kind;
	ConditionStepKind step;
}			signs[] = {
	{"<>", TOKEN_COMPARISON, STEP_DIFFERS}, {"!=", TOKEN_COMPARISON, STEP_DIFFERS}, {"<=", TOKEN_COMPARISON, STEP_AT_MOST},
	{">=", TOKEN_COMPARISON, STEP_AT_LEAST}, {"<", TOKEN_COMPARISON, STEP_LESS}, {">", TOKEN_COMPARISON, STEP_MORE},
	{"=", TOKEN_COMPARISON, STEP_EQUAL}, {"(", TOKEN_OPEN, 0}, {")", TOKEN_CLOSE, 0}, {",", TOKEN_COMMA, 0}, {"+", TOKEN_PLUS, 0},
	{"-", TOKEN_MINUS, 0}, {"*", TOKEN_STAR, 0}
};

/* The number of the character at a byte, from 1. */
static int
character_at(const char *text, size_t byte)
{
	int			n = 1;

	for (size_t i = 0; i < byte; i++)
		n += ((unsigned char) text[i] & 0xC0) != 0x80;
	return n;
}

/* That something else was expected at a byte. */
bool
condition_failed(Parser *parser, size_t at, const char *expected, const char *found)
{
	error_set(parser->error, ERROR_PARAMETER, "invalid condition: expected %s at character %d, found %s",
			  expected, character_at(parser->text, at), found);
	return error_hint(parser->error, "A condition is such as: roc_auc >= 0.9 and (algorithm = 'mlp' or tag.team like 'r%%').");
}

/* That the current token is none of those expected. */
bool
condition_expected(Parser *parser, const char *expected)
{
	char		found[SHOWN_MAX + 3];
	size_t		length = parser->next - parser->start;

	if (parser->kind == TOKEN_END)
		return condition_failed(parser, parser->start, expected, "the end");
	if (length > SHOWN_MAX)
		length = SHOWN_MAX;
	found[0] = '"';
	memcpy(found + 1, parser->text + parser->start, length);
	memcpy(found + 1 + length, "\"", 2);
	return condition_failed(parser, parser->start, expected, found);
}

/* That a limit is passed. */
bool
condition_too_large(Parser *parser, const char *what, int most)
{
	error_set(parser->error, ERROR_LIMIT, "a condition has at most %d %s", most, what);
	return false;
}

static bool
begins_name(char c)
{
	return isalpha((unsigned char) c) || c == '_' || ((unsigned char) c & 0x80) != 0;
}

static bool
continues_name(char c)
{
	return begins_name(c) || isdigit((unsigned char) c) || c == '.' || c == '@';
}

/* A number: digits, perhaps with a point and an exponent. */
static bool
read_number(Parser *parser)
{
	const char *start = parser->text + parser->start;
	const char *end = start + strspn(start, "0123456789");
	char		digits[NUMBER_MAX];

	if (*end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	if (*end == 'e' || *end == 'E')
	{
		const char *exponent = end + 1 + (end[1] == '+' || end[1] == '-');

		if (isdigit((unsigned char) *exponent))
			end = exponent + strspn(exponent, "0123456789");
	}
	parser->next = (size_t) (end - parser->text);
	if (continues_name(*end) || end - start >= NUMBER_MAX)
		return condition_failed(parser, parser->start, "a number", "what is none");
	memcpy(digits, start, (size_t) (end - start));
	digits[end - start] = '\0';
	parser->kind = TOKEN_NUMBER;
	parser->number = strtod(digits, NULL);
	if (!isfinite(parser->number))
		return condition_failed(parser, parser->start, "a number", "one that is too large");
	return true;
}

/* A text or a name in quotes, doubled inside. */
static bool
read_quoted(Parser *parser, char quote)
{
	char	   *out = parser->condition->texts + parser->used;
	size_t		from = parser->start + 1;
	size_t		n = 0;

	for (;;)
	{
		char		c = parser->text[from];

		if (c == '\0')
			return condition_failed(parser, from, quote == '\'' ? "the end of the text, '" : "the end of the name, \"", "the end");
		if (c == quote && parser->text[from + 1] != quote)
			break;
		from += c == quote ? 2 : 1;
		out[n++] = c;
	}
	out[n] = '\0';
	parser->next = from + 1;
	parser->kind = quote == '\'' ? TOKEN_TEXT : TOKEN_NAME;
	parser->offset = (uint32_t) parser->used;
	parser->length = (uint32_t) n;
	parser->used += n + 1;
	if (quote == '"' && n == 0)
		return condition_failed(parser, parser->start, "a name", "an empty one");
	return true;
}

/* A name, or a word of the grammar. */
static bool
read_word(Parser *parser)
{
	const char *start = parser->text + parser->start;
	size_t		n = 1;

	while (continues_name(start[n]))
		n++;
	parser->next = parser->start + n;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		if (strlen(words[i].word) == n && strncasecmp(start, words[i].word, n) == 0)
		{
			parser->kind = words[i].kind;
			return true;
		}
	}
	memcpy(parser->condition->texts + parser->used, start, n);
	parser->condition->texts[parser->used + n] = '\0';
	parser->kind = TOKEN_NAME;
	parser->offset = (uint32_t) parser->used;
	parser->length = (uint32_t) n;
	parser->used += n + 1;
	return true;
}

/* Reads the next token. */
bool
condition_advance(Parser *parser)
{
	const char *text = parser->text;
	char		c;

	parser->start = parser->next + strspn(text + parser->next, " \t\n\r\f\v");
	parser->next = parser->start;
	c = text[parser->start];
	if (c == '\0')
	{
		parser->kind = TOKEN_END;
		return true;
	}
	if (isdigit((unsigned char) c) || (c == '.' && isdigit((unsigned char) text[parser->start + 1])))
		return read_number(parser);
	if (c == '\'' || c == '"')
		return read_quoted(parser, c);
	if (begins_name(c))
		return read_word(parser);
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
	{
		size_t		length = strlen(signs[i].sign);

		if (strncmp(text + parser->start, signs[i].sign, length) == 0)
		{
			parser->kind = signs[i].kind;
			parser->comparison = signs[i].step;
			parser->next += length;
			return true;
		}
	}
	parser->next++;
	return condition_expected(parser, "a name, a value or an operator");
}
