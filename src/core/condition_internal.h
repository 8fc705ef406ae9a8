/*
 * condition_internal.h
 *		What the two halves of reading a condition share: tokens and the parser's state.
 */
#ifndef MLOPS_CORE_CONDITION_INTERNAL_H
#define MLOPS_CORE_CONDITION_INTERNAL_H

#include "condition.h"

/* What comes next: the end, a literal or name, or one of the operators and words of the grammar. */
typedef enum TokenKind
{
	TOKEN_END,
	TOKEN_NUMBER,
	TOKEN_TEXT,
	TOKEN_NAME,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_COMMA,
	TOKEN_PLUS,
	TOKEN_MINUS,
	TOKEN_STAR,
	TOKEN_COMPARISON,			/* its step says which */
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_NOT,
	TOKEN_IS,
	TOKEN_IN,
	TOKEN_LIKE,
	TOKEN_NULL,
	TOKEN_TRUE,
	TOKEN_FALSE
} TokenKind;

typedef struct Parser
{
	Condition  *condition;
	Error	   *error;
	const char *text;
	size_t		next;			/* where the token after the current one is looked for */
	size_t		used;			/* of condition->texts */
	int			depth;

	/* the current token */
	TokenKind	kind;
	size_t		start;
	double		number;
	uint32_t	offset;			/* of TEXT and NAME, in condition->texts */
	uint32_t	length;
	ConditionStepKind comparison;
} Parser;

/* Reads the next token; false where there is none that the grammar has. */
extern bool condition_advance(Parser *parser);

/* Errors, all false: what was expected at a byte, and found; that the current token is not it; that a limit is passed. */
extern bool condition_failed(Parser *parser, size_t at, const char *expected, const char *found);
extern bool condition_expected(Parser *parser, const char *expected);
extern bool condition_too_large(Parser *parser, const char *what, int most);

#endif
