/*
 * params.h
 *		Parameters of algorithms: their specification and their values.
 *
 * The specification is the only place that knows a parameter: checks, errors,
 * documentation and the catalog views all come from it.
 */
#ifndef MLOPS_CORE_PARAMS_H
#define MLOPS_CORE_PARAMS_H

#include "buffer.h"
#include "error.h"
#include "types.h"

typedef enum ParamType
{
	PARAM_INTEGER = 1,
	PARAM_FLOAT = 2,
	PARAM_BOOLEAN = 3,
	PARAM_CHOICE = 4			/* one of a list of words */
} ParamType;

typedef struct ParamSpec
{
	const char *name;
	ParamType	type;
	double		initial;		/* the default; of a choice: its index; of a FLOAT's choice: PARAM_WORD(its index) */
	double		lowest;
	double		highest;
	bool		lowest_open;	/* lowest itself is not allowed */
	bool		highest_open;
	const char *choices;		/* "a|b|c"; a FLOAT may have some, too, beside its numbers */
	const char *meaning;		/* one line, for people */
} ParamSpec;

/* The value of a FLOAT's choice i: below all its numbers. */
#define PARAM_WORD(i) (-1.0 - (i))

/* Values in the order of a spec table. */
typedef struct ParamSet
{
	const ParamSpec *specs;
	int			n;
	double	   *values;			/* n; owned by the caller of params_init */
	bool	   *given;			/* n: set by the user */
} ParamSet;

/* All at their defaults; values and given have room for n. */
extern void params_init(ParamSet *params, const ParamSpec *specs, int n, double *values, bool *given);

/* Sets one by name; unknown names (with the nearest and the list), wrong types and ranges are ERROR_PARAMETER. */
extern bool params_set_number(ParamSet *params, const char *name, double value, Error *error);
extern bool params_set_boolean(ParamSet *params, const char *name, bool value, Error *error);
extern bool params_set_text(ParamSet *params, const char *name, const char *value, Error *error);

/* Whether a value lies in its range: an integer, 0 or 1, the index of a choice, as the type says. */
extern bool params_value_valid(const ParamSpec *spec, double value);

/* Value by name; the name must exist (a programming error otherwise). */
extern double params_get(const ParamSet *params, const char *name);

/* A value as text: "6", "0.1", "true", "logistic". */
extern void params_value_text(const ParamSpec *spec, double value, char *out, size_t out_size);

/* What kind of value it takes: "integer", "number", "boolean", "word", "number or word". */
extern const char *params_type_name(const ParamSpec *spec);

/* The range as text: "integer from 1 to 100000", "number of at least 0", "one of a, b". */
extern void params_range_text(const ParamSpec *spec, char *out, size_t out_size);

/* The name in `names` nearest to `name` by edit distance, or NULL where none is near enough to suggest. */
extern const char *nearest_name(const char *name, const char *const *names, size_t n);

#endif
