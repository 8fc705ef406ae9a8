/*
 * condition.h
 *		Conditions over named facts: "roc_auc >= 0.92 and (algorithm = 'mlp' or tag.team = 'risk')".
 *
 *	condition	:= condition OR condition | condition AND condition | NOT condition
 *				 | value (= | <> | != | < | <= | > | >=) value
 *				 | value [NOT] LIKE 'pattern' | value [NOT] IN (value, ...)
 *				 | value IS [NOT] (NULL | TRUE | FALSE) | name | (condition)
 *	value		:= name | number | 'text' | TRUE | FALSE | NULL
 *				 | value (+ | - | *) value | - value | (value)
 *	name		:= letters, digits, "_", "." and "@", from a letter or "_" on | "any text"
 *
 * AND binds closer than OR, NOT closer than AND; keywords in any case, names
 * as they are written.  Texts compare by their bytes.  Logic is SQL's, of
 * three values: what compares with a fact that is not there, or of another
 * type, is unknown, and so is whether a text of more than CONDITION_LIKE_MAX
 * bytes is like a pattern.  Nothing of it is ever run as SQL.
 *
 * A Condition is flat: it has no pointers and owns nothing, so it can be
 * copied and kept.  Evaluation cannot fail, takes no memory and does not
 * recurse.
 */
#ifndef MLOPS_CORE_CONDITION_H
#define MLOPS_CORE_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define CONDITION_TEXT_MAX 8192	/* bytes of a condition */
#define CONDITION_STEPS_MAX 512
#define CONDITION_NAMES_MAX 128	/* that differ */
#define CONDITION_LIKE_MAX 65536	/* bytes of a text, so that nobody waits long */
#define CONDITION_DEPTH_MAX 64	/* of NOT, minus signs and parentheses in each other */

typedef enum ConditionStepKind
{
	STEP_NULL = 1,
	STEP_NUMBER,
	STEP_TEXT,
	STEP_TRUE,
	STEP_FALSE,
	STEP_NAME,
	STEP_ADD,
	STEP_SUBTRACT,
	STEP_MULTIPLY,
	STEP_NEGATE,
	STEP_EQUAL,
	STEP_DIFFERS,
	STEP_LESS,
	STEP_AT_MOST,
	STEP_MORE,
	STEP_AT_LEAST,
	STEP_LIKE,
	STEP_IN,					/* of the `n` values on top, the one below them */
	STEP_IS_NULL,
	STEP_IS_TRUE,
	STEP_IS_FALSE,
	STEP_NOT,
	STEP_AND,
	STEP_OR
} ConditionStepKind;

/* One step of a postfix program. */
typedef struct ConditionStep
{
	uint32_t	kind;
	uint32_t	n;				/* TEXT: its length; NAME: its index; IN: how many values */
	union
	{
		double		number;
		uint64_t	text;		/* offset in texts */
	}			value;
} ConditionStep;

typedef struct Condition
{
	uint32_t	n_steps;
	uint32_t	n_names;
	uint32_t	names[CONDITION_NAMES_MAX]; /* offsets in texts; each name once, in the order in which they come */
	ConditionStep steps[CONDITION_STEPS_MAX];
	char		texts[CONDITION_TEXT_MAX + 1];	/* each ends with 0 */
} Condition;

typedef enum ConditionType
{
	CONDITION_NULL = 0,
	CONDITION_NUMBER,			/* NaN counts as NULL */
	CONDITION_TEXT,
	CONDITION_BOOLEAN
} ConditionType;

typedef struct ConditionValue
{
	ConditionType type;
	double		number;
	bool		holds;			/* of a BOOLEAN */
	size_t		length;			/* of a TEXT, in bytes */
	const char *text;			/* borrowed until the evaluation ends */
} ConditionValue;

/* Gives the value of a fact; NULL where there is none.  Called once a name. */
typedef void (*ConditionLookup) (void *context, const char *name, ConditionValue *value);

typedef enum ConditionTruth
{
	TRUTH_FALSE = 0,
	TRUTH_TRUE,
	TRUTH_UNKNOWN
} ConditionTruth;

/* Reads a condition; ERROR_PARAMETER, saying what was expected at which character. */
extern bool condition_parse(Condition *condition, const char *text, Error *error);

/* The name of an index below n_names. */
static inline const char *
condition_name(const Condition *condition, uint32_t index)
{
	return condition->texts + condition->names[index];
}

/* Whether it holds of the facts that lookup gives. */
extern ConditionTruth condition_evaluate(const Condition *condition, ConditionLookup lookup, void *context);

#endif
