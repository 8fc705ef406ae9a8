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
	PARAM_CHOICE = 4,			/* one of a list of words */
	PARAM_LABEL_MAP = 5,		/* numbers by class label, or one of a list of words */
	PARAM_COLUMN_MAP = 6,		/* numbers by feature column, or one of a list of words */
	PARAM_MODEL = 7				/* names a version; one at most among an algorithm's parameters */
} ParamType;

typedef struct ParamSpec
{
	const char *name;
	ParamType	type;
	double		initial;		/* the default; of a choice: its index; of a FLOAT's word: PARAM_WORD(its index); of a map: 0, the empty one */
	double		lowest;			/* of the number, or of each of a map's */
	double		highest;
	bool		lowest_open;	/* lowest itself is not allowed */
	bool		highest_open;
	bool		whole;			/* a map's numbers are integers */
	bool		numbers_only;	/* a map by column does not take categories */
	const char *choices;		/* "a|b|c"; of a FLOAT or a map: words beside its numbers, or NULL */
	const char *meaning;		/* one line, for people */
} ParamSpec;

/* The value of a FLOAT's word i: below all numbers that one may be given then. */
#define PARAM_WORD(i) (-1e300 * (1 + (i)))

typedef struct ParamEntry
{
	const char *key;			/* label or column */
	double		value;
} ParamEntry;

typedef struct ParamMap
{
	int			param;			/* index of its spec */
	uint32_t	n;
	const ParamEntry *entries;	/* owned by whoever set it; keys differ */
} ParamMap;

#define PARAM_MAPS_MAX 4

/* Values in the order of a spec table. */
typedef struct ParamSet
{
	const ParamSpec *specs;
	int			n;
	double	   *values;			/* n; owned by the caller of params_init; of a map: 0, or its word's number from 1; of a model: whether one is named */
	bool	   *given;			/* n: set by the user */
	int			n_maps;
	ParamMap	maps[PARAM_MAPS_MAX];	/* those that are not empty */
	const char *model;			/* the version that a parameter names, kept by reference; NULL: none */
} ParamSet;

/* All at their defaults; values and given have room for n. */
extern void params_init(ParamSet *params, const ParamSpec *specs, int n, double *values, bool *given);

/* Sets one by name; unknown names (with the nearest and the list), wrong types and ranges are ERROR_PARAMETER. */
extern bool params_set_number(ParamSet *params, const char *name, double value, Error *error);
extern bool params_set_boolean(ParamSet *params, const char *name, bool value, Error *error);
extern bool params_set_text(ParamSet *params, const char *name, const char *value, Error *error);

/* Sets a map; the entries are kept by reference. */
extern bool params_set_map(ParamSet *params, const char *name, const ParamEntry *entries, uint32_t n, Error *error);

/* Whether a value lies in its range: an integer, 0 or 1, the index of a choice, as the type says. */
extern bool params_value_valid(const ParamSpec *spec, double value);

/* Whether a number may stand in a map. */
extern bool params_entry_valid(const ParamSpec *spec, double value);

/* Takes what was not given from another set of the same specs; a model is not taken. */
extern bool params_inherit(ParamSet *params, const ParamSet *from, Error *error);

/* Value by name; the name must exist (a programming error otherwise). */
extern double params_get(const ParamSet *params, const char *name);

/* Whether a value is a word, and not a number. */
static inline bool
param_is_word(const ParamSpec *spec, double value)
{
	return spec->type == PARAM_FLOAT && spec->choices != NULL && value <= PARAM_WORD(0);
}

/* The same; NaN where it is a word. */
extern double params_number(const ParamSet *params, const char *name);

/* The word that a choice has. */
extern void params_word(const ParamSet *params, const char *name, char *out, size_t out_size);

/* Whether the user set it. */
extern bool params_is_given(const ParamSet *params, const char *name);

/* The entries of a map by name; NULL where it is empty. */
extern const ParamMap *params_map(const ParamSet *params, const char *name);

/* Whether a key names a column: it is its name, or that of the array that it is an element of. */
extern bool param_key_names(const char *key, const char *column);

/* ERROR_COLUMN for keys of maps by column that are none of these; ERROR_PARAMETER for categories where a map takes numbers only. */
extern bool params_check_columns(const ParamSet *params, const char *const *columns, const ColumnKind *kinds, size_t n, Error *error);

/* ERROR_PARAMETER for keys of maps by label that are none of these. */
extern bool params_check_labels(const ParamSet *params, const char *const *labels, size_t n, Error *error);

/* A value as text: "6", "0.1", "true", "logistic", "auto". */
extern void params_value_text(const ParamSpec *spec, double value, char *out, size_t out_size);

/* Parameter i as text; maps as JSON objects. */
extern void params_write_text(const ParamSet *params, int i, Buffer *out);

/* What kind of value it takes: "integer", "number", "boolean", "word", "number or word", "object", "model". */
extern const char *params_type_name(const ParamSpec *spec);

/* The range as text: "integer from 1 to 100000", "number of at least 0", "one of a, b". */
extern void params_range_text(const ParamSpec *spec, char *out, size_t out_size);

/* The name in `names` nearest to `name` by edit distance, or NULL where none is near enough to suggest. */
extern const char *nearest_name(const char *name, const char *const *names, size_t n);

#endif
