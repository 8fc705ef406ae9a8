/*
 * params.c
 *		Parameters of algorithms: values by name, checks, texts.
 *
 * Everything said about a parameter is made from its ParamSpec, so that an
 * error, the documentation and the check cannot disagree.
 */
#include "params.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "number_text.h"

#define CHOICES_LIMIT	32
#define CHOICE_SIZE		32

/* Text that grows in a fixed buffer; what does not fit is cut off. */
typedef struct TextList
{
	char	   *text;
	size_t		size;
	size_t		used;
} TextList;

static void
text_list_add(TextList *list, const char *item)
{
	if (list->used >= list->size)
		return;
	list->used += (size_t) snprintf(list->text + list->used, list->size - list->used, "%s%s", list->used > 0 ? ", " : "", item);
}

void
params_init(ParamSet *params, const ParamSpec *specs, int n, double *values, bool *given)
{
	params->specs = specs;
	params->n = n;
	params->values = values;
	params->given = given;
	params->n_maps = 0;
	params->model = NULL;
	for (int i = 0; i < n; i++)
	{
		values[i] = specs[i].initial;
		given[i] = false;
	}
}

/* Number of the parameter of this name, or -1. */
static int
find_param(const ParamSet *params, const char *name)
{
	for (int i = 0; i < params->n; i++)
	{
		if (strcmp(params->specs[i].name, name) == 0)
			return i;
	}
	return -1;
}

/* The same; ERROR_PARAMETER with the list and the nearest name where there is none. */
static int
require_param(const ParamSet *params, const char *name, Error *error)
{
	int			found = find_param(params, name);

	if (found >= 0)
		return found;
	error_set(error, ERROR_PARAMETER, "unrecognized parameter \"%s\"", name);
	if (params->n == 0)
	{
		error_detail(error, "This algorithm has no parameters.");
		return -1;
	}

	const char *names[64];
	size_t		n_names = 0;
	char		text[sizeof(error->detail)];
	TextList	list = {text, sizeof(text), 0};

	for (int i = 0; i < params->n; i++)
	{
		text_list_add(&list, params->specs[i].name);
		if (n_names < sizeof(names) / sizeof(names[0]))
			names[n_names++] = params->specs[i].name;
	}
	error_detail(error, "Valid parameters are %.900s.", text);

	const char *nearest = nearest_name(name, names, n_names);

	if (nearest != NULL)
		error_hint(error, "Perhaps you meant \"%s\".", nearest);
	return -1;
}

/* ERROR_PARAMETER for a value that does not fit its specification. */
static bool
refuse_value(const ParamSpec *spec, const char *value, Error *error)
{
	char		range[512];
	const char *article = spec->type == PARAM_FLOAT || spec->type == PARAM_MODEL ? "a " : spec->type == PARAM_BOOLEAN || spec->type == PARAM_CHOICE ? "" : "an ";

	params_range_text(spec, range, sizeof(range));
	error_set(error, ERROR_PARAMETER, "invalid value for parameter \"%s\": %.100s", spec->name, value);
	return error_detail(error, "The value must be %s%s.", article, range);
}

/* The words of "a|b|c", each ended with 0, in `words`; their number.  NULL has none. */
static int
split_choices(const char *choices, char words[CHOICES_LIMIT][CHOICE_SIZE])
{
	int			n = 0;

	while (choices != NULL && n < CHOICES_LIMIT)
	{
		size_t		length = strcspn(choices, "|");

		snprintf(words[n++], CHOICE_SIZE, "%.*s", (int) length, choices);
		if (choices[length] == '\0')
			break;
		choices += length + 1;
	}
	return n;
}

static bool
in_range(const ParamSpec *spec, double value)
{
	bool		above = spec->lowest_open ? value > spec->lowest : value >= spec->lowest;
	bool		below = spec->highest_open ? value < spec->highest : value <= spec->highest;

	return isfinite(value) && above && below;
}

/* The number of the word that a value is. */
static int
word_of(double value)
{
	double		word = rint(value / PARAM_WORD(0)) - 1;

	return word < CHOICES_LIMIT ? (int) word : CHOICES_LIMIT;
}

static bool
is_map(const ParamSpec *spec)
{
	return spec->type == PARAM_LABEL_MAP || spec->type == PARAM_COLUMN_MAP;
}

bool
params_value_valid(const ParamSpec *spec, double value)
{
	char		words[CHOICES_LIMIT][CHOICE_SIZE];
	bool		whole = value == floor(value);

	switch (spec->type)
	{
		case PARAM_INTEGER:
			return whole && in_range(spec, value);
		case PARAM_FLOAT:
			return param_is_word(spec, value) ? word_of(value) < split_choices(spec->choices, words) && value == PARAM_WORD(word_of(value))
				: in_range(spec, value);
		case PARAM_BOOLEAN:
		case PARAM_MODEL:
			return value == 0 || value == 1;
		case PARAM_CHOICE:
			return whole && value >= 0 && value < split_choices(spec->choices, words);
		case PARAM_LABEL_MAP:
		case PARAM_COLUMN_MAP:
			return whole && value >= 0 && value <= split_choices(spec->choices, words);
	}
	return false;
}

bool
params_entry_valid(const ParamSpec *spec, double value)
{
	return in_range(spec, value) && (!spec->whole || value == floor(value));
}

bool
params_set_number(ParamSet *params, const char *name, double value, Error *error)
{
	int			i = require_param(params, name, error);

	if (i < 0)
		return false;

	const ParamSpec *spec = &params->specs[i];
	bool		number = spec->type == PARAM_INTEGER || spec->type == PARAM_FLOAT;

	/* words have values that are not to be given as numbers */
	if (!number || param_is_word(spec, value) || !params_value_valid(spec, value))
	{
		char		text[40];

		snprintf(text, sizeof(text), "%.15g", value);
		return refuse_value(spec, text, error);
	}
	params->values[i] = value;
	params->given[i] = true;
	return true;
}

bool
params_set_boolean(ParamSet *params, const char *name, bool value, Error *error)
{
	int			i = require_param(params, name, error);

	if (i < 0)
		return false;
	if (params->specs[i].type != PARAM_BOOLEAN)
		return refuse_value(&params->specs[i], value ? "true" : "false", error);
	params->values[i] = value ? 1 : 0;
	params->given[i] = true;
	return true;
}

bool
params_set_text(ParamSet *params, const char *name, const char *value, Error *error)
{
	int			i = require_param(params, name, error);

	if (i < 0)
		return false;

	const ParamSpec *spec = &params->specs[i];
	char		quoted[104];

	snprintf(quoted, sizeof(quoted), "\"%.100s\"", value);
	if (spec->type == PARAM_MODEL && value[0] != '\0')
	{
		params->model = value;
		params->values[i] = 1;
		params->given[i] = true;
		return true;
	}
	if (spec->choices == NULL)
		return refuse_value(spec, quoted, error);

	char		words[CHOICES_LIMIT][CHOICE_SIZE];
	const char *names[CHOICES_LIMIT];
	int			n = split_choices(spec->choices, words);

	for (int choice = 0; choice < n; choice++)
	{
		if (strcmp(words[choice], value) == 0)
		{
			params->values[i] = spec->type == PARAM_FLOAT ? PARAM_WORD(choice) : choice + is_map(spec);
			params->given[i] = true;
			return true;
		}
		names[choice] = words[choice];
	}
	refuse_value(spec, quoted, error);

	const char *nearest = nearest_name(value, names, (size_t) n);

	if (nearest != NULL)
		error_hint(error, "Perhaps you meant \"%s\".", nearest);
	return false;
}

bool
params_set_map(ParamSet *params, const char *name, const ParamEntry *entries, uint32_t n, Error *error)
{
	int			i = require_param(params, name, error);

	if (i < 0)
		return false;

	const ParamSpec *spec = &params->specs[i];

	if (!is_map(spec))
		return refuse_value(spec, "an object", error);
	for (uint32_t k = 0; k < n; k++)
	{
		if (!params_entry_valid(spec, entries[k].value))
		{
			char		text[160];

			snprintf(text, sizeof(text), "%.15g for \"%.100s\"", entries[k].value, entries[k].key);
			return refuse_value(spec, text, error);
		}
	}
	params->values[i] = 0;
	params->given[i] = true;
	if (n == 0)
		return true;
	if (params->n_maps == PARAM_MAPS_MAX)
		return error_set(error, ERROR_INTERNAL, "more than %d parameters are objects", PARAM_MAPS_MAX);
	params->maps[params->n_maps++] = (ParamMap) {.param = i,.n = n,.entries = entries};
	return true;
}

double
params_get(const ParamSet *params, const char *name)
{
	int			i = find_param(params, name);

	return i >= 0 ? params->values[i] : NAN;
}

double
params_number(const ParamSet *params, const char *name)
{
	int			i = find_param(params, name);

	return i >= 0 && !param_is_word(&params->specs[i], params->values[i]) ? params->values[i] : NAN;
}

bool
params_is_given(const ParamSet *params, const char *name)
{
	int			i = find_param(params, name);

	return i >= 0 && params->given[i];
}

void
params_value_text(const ParamSpec *spec, double value, char *out, size_t out_size)
{
	char		words[CHOICES_LIMIT][CHOICE_SIZE];

	switch (spec->type)
	{
		case PARAM_BOOLEAN:
			snprintf(out, out_size, "%s", value != 0 ? "true" : "false");
			return;
		case PARAM_CHOICE:
			{
				int			n = split_choices(spec->choices, words);

				snprintf(out, out_size, "%s", value >= 0 && value < n ? words[(int) value] : "");
				return;
			}
		case PARAM_LABEL_MAP:
		case PARAM_COLUMN_MAP:
			{
				int			n = split_choices(spec->choices, words);

				snprintf(out, out_size, "%s", value >= 1 && value <= n ? words[(int) value - 1] : "{}");
				return;
			}
		case PARAM_MODEL:
			snprintf(out, out_size, "none");
			return;
		case PARAM_FLOAT:
			if (param_is_word(spec, value))
			{
				int			n = split_choices(spec->choices, words);

				snprintf(out, out_size, "%s", word_of(value) < n ? words[word_of(value)] : "");
				return;
			}
			break;
		case PARAM_INTEGER:
			break;
	}
	number_text(value, false, out, out_size);
}

/* "integer from 1 to 100000", "numbers of at least 0" */
static void
number_range_text(const ParamSpec *spec, const char *type, char *out, size_t out_size)
{
	char		lowest[NUMBER_TEXT_SIZE];
	char		highest[NUMBER_TEXT_SIZE];

	number_text(spec->lowest, false, lowest, sizeof(lowest));
	number_text(spec->highest, false, highest, sizeof(highest));
	if (isinf(spec->highest) && isinf(spec->lowest))
		snprintf(out, out_size, "%s", type);
	else if (isinf(spec->highest))
		snprintf(out, out_size, "%s %s %s", type, spec->lowest_open ? "greater than" : "of at least", lowest);
	else
		snprintf(out, out_size, "%s from %s%s to %s%s", type, lowest, spec->lowest_open ? " (excluded)" : "",
				 highest, spec->highest_open ? " (excluded)" : "");
}

void
params_word(const ParamSet *params, const char *name, char *out, size_t out_size)
{
	int			i = find_param(params, name);

	params_value_text(&params->specs[i], params->values[i], out, out_size);
}

void
params_range_text(const ParamSpec *spec, char *out, size_t out_size)
{
	char		words[CHOICES_LIMIT][CHOICE_SIZE];
	TextList	list = {out, out_size, 0};

	if (spec->type == PARAM_BOOLEAN)
	{
		snprintf(out, out_size, "true or false");
		return;
	}
	if (spec->type == PARAM_MODEL)
	{
		snprintf(out, out_size, "reference to a version, such as churn@3");
		return;
	}
	if (spec->type == PARAM_CHOICE)
	{
		int			n = split_choices(spec->choices, words);

		list.used = (size_t) snprintf(out, out_size, "one of %s", words[0]);
		for (int i = 1; i < n; i++)
			text_list_add(&list, words[i]);
		return;
	}

	if (is_map(spec))
	{
		char		numbers[128];
		int			n = split_choices(spec->choices, words);

		number_range_text(spec, spec->whole ? "integers" : "numbers", numbers, sizeof(numbers));
		list.used = (size_t) snprintf(out, out_size, "object of %s by %s", numbers, spec->type == PARAM_LABEL_MAP ? "class label" : "column");
		for (int i = 0; i < n; i++)
		{
			char		item[CHOICE_SIZE + 8];

			snprintf(item, sizeof(item), "or %.*s", CHOICE_SIZE - 1, words[i]);
			text_list_add(&list, item);
		}
		return;
	}
	number_range_text(spec, spec->type == PARAM_INTEGER ? "integer" : "number", out, out_size);
	if (spec->choices != NULL)
	{
		int			n = split_choices(spec->choices, words);

		list.used = strlen(out);
		for (int i = 0; i < n; i++)
		{
			char		item[CHOICE_SIZE + 16];

			snprintf(item, sizeof(item), "%s%s", i > 0 ? "" : n > 1 ? "or one of " : "or ", words[i]);
			text_list_add(&list, item);
		}
	}
}

const char *
params_type_name(const ParamSpec *spec)
{
	switch (spec->type)
	{
		case PARAM_INTEGER:
			return "integer";
		case PARAM_FLOAT:
			return spec->choices != NULL ? "number or word" : "number";
		case PARAM_BOOLEAN:
			return "boolean";
		case PARAM_CHOICE:
			return "word";
		case PARAM_LABEL_MAP:
		case PARAM_COLUMN_MAP:
			return "object";
		case PARAM_MODEL:
			return "model";
	}
	return "unknown";
}
