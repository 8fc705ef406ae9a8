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

#define NAME_LIMIT		80		/* longer names are not compared by distance */
#define CHOICES_LIMIT	16
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

static int
least(int a, int b)
{
	return a < b ? a : b;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/*
 * Edit distance with swaps of neighbours (optimal string alignment), ASCII
 * letters alike in both cases.  Both names are at most NAME_LIMIT long.
 */
static int
edit_distance(const char *a, const char *b)
{
	int			rows[3][NAME_LIMIT + 1];
	int		   *before = rows[0];	/* two rows up */
	int		   *above = rows[1];
	int		   *row = rows[2];
	size_t		n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		above[j] = (int) j;
	for (size_t i = 1; a[i - 1] != '\0'; i++)
	{
		row[0] = (int) i;
		for (size_t j = 1; j <= n; j++)
		{
			bool		same = lower(a[i - 1]) == lower(b[j - 1]);

			row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + !same);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}

		int		   *spare = before;

		before = above;
		above = row;
		row = spare;
	}
	return above[n];
}

const char *
nearest_name(const char *name, const char *const *names, size_t n)
{
	size_t		length = strlen(name);
	const char *nearest = NULL;
	int			nearest_distance = 0;

	if (length > NAME_LIMIT)
		return NULL;
	for (size_t i = 0; i < n; i++)
	{
		size_t		other = strlen(names[i]);

		if (other > NAME_LIMIT)
			continue;

		/* one slip in three letters is a slip, more is another word */
		int			limit = least((int) (length > other ? length : other) / 3, 4);
		int			distance = edit_distance(name, names[i]);

		if (distance <= limit && (nearest == NULL || distance < nearest_distance))
		{
			nearest = names[i];
			nearest_distance = distance;
		}
	}
	return nearest;
}

void
params_init(ParamSet *params, const ParamSpec *specs, int n, double *values, bool *given)
{
	params->specs = specs;
	params->n = n;
	params->values = values;
	params->given = given;
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
	char		range[256];
	const char *article = spec->type == PARAM_INTEGER ? "an " : spec->type == PARAM_FLOAT ? "a " : "";

	params_range_text(spec, range, sizeof(range));
	error_set(error, ERROR_PARAMETER, "invalid value for parameter \"%s\": %.100s", spec->name, value);
	return error_detail(error, "The value must be %s%s.", article, range);
}

/* The words of "a|b|c", each ended with 0, in `words`; their number. */
static int
split_choices(const char *choices, char words[CHOICES_LIMIT][CHOICE_SIZE])
{
	int			n = 0;

	while (n < CHOICES_LIMIT)
	{
		size_t		length = strcspn(choices, "|");

		snprintf(words[n++], CHOICE_SIZE, "%.*s", (int) length, choices);
		if (choices[length] == '\0')
			break;
		choices += length + 1;
	}
	return n;
}

bool
params_value_valid(const ParamSpec *spec, double value)
{
	char		words[CHOICES_LIMIT][CHOICE_SIZE];
	bool		whole = value == floor(value);
	bool		above = spec->lowest_open ? value > spec->lowest : value >= spec->lowest;
	bool		below = spec->highest_open ? value < spec->highest : value <= spec->highest;

	switch (spec->type)
	{
		case PARAM_INTEGER:
			return isfinite(value) && whole && above && below;
		case PARAM_FLOAT:
			if (spec->choices != NULL && value < 0)
				return whole && -1 - value < split_choices(spec->choices, words);
			return isfinite(value) && above && below;
		case PARAM_BOOLEAN:
			return value == 0 || value == 1;
		case PARAM_CHOICE:
			return whole && value >= 0 && value < split_choices(spec->choices, words);
	}
	return false;
}

bool
params_set_number(ParamSet *params, const char *name, double value, Error *error)
{
	int			i = require_param(params, name, error);

	if (i < 0)
		return false;

	const ParamSpec *spec = &params->specs[i];
	bool		number = spec->type == PARAM_INTEGER || spec->type == PARAM_FLOAT;

	/* the words of a FLOAT have numbers that are not to be given */
	if (!number || !params_value_valid(spec, value) || (spec->choices != NULL && value < 0))
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
	if (spec->choices == NULL)
		return refuse_value(spec, quoted, error);

	char		words[CHOICES_LIMIT][CHOICE_SIZE];
	const char *names[CHOICES_LIMIT];
	int			n = split_choices(spec->choices, words);

	for (int choice = 0; choice < n; choice++)
	{
		if (strcmp(words[choice], value) == 0)
		{
			params->values[i] = spec->type == PARAM_CHOICE ? choice : PARAM_WORD(choice);
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

double
params_get(const ParamSet *params, const char *name)
{
	int			i = find_param(params, name);

	return i >= 0 ? params->values[i] : NAN;
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
		case PARAM_FLOAT:
			if (spec->choices != NULL && value < 0)
			{
				split_choices(spec->choices, words);
				snprintf(out, out_size, "%s", words[(int) (-1 - value)]);
				return;
			}
			break;
		case PARAM_INTEGER:
			break;
	}
	number_text(value, false, out, out_size);
}

void
params_range_text(const ParamSpec *spec, char *out, size_t out_size)
{
	char		words[CHOICES_LIMIT][CHOICE_SIZE];
	char		lowest[NUMBER_TEXT_SIZE];
	char		highest[NUMBER_TEXT_SIZE];
	TextList	list = {out, out_size, 0};

	if (spec->type == PARAM_BOOLEAN)
	{
		snprintf(out, out_size, "true or false");
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

	const char *type = spec->type == PARAM_INTEGER ? "integer" : "number";

	number_text(spec->lowest, false, lowest, sizeof(lowest));
	number_text(spec->highest, false, highest, sizeof(highest));
	if (isinf(spec->highest) && isinf(spec->lowest))
		snprintf(out, out_size, "%s", type);
	else if (isinf(spec->highest))
		snprintf(out, out_size, "%s %s %s", type, spec->lowest_open ? "greater than" : "of at least", lowest);
	else
		snprintf(out, out_size, "%s from %s%s to %s%s", type, lowest, spec->lowest_open ? " (excluded)" : "",
				 highest, spec->highest_open ? " (excluded)" : "");
	if (spec->choices != NULL)
	{
		int			n = split_choices(spec->choices, words);

		list.used = strlen(out);
		for (int i = 0; i < n; i++)
		{
			char		item[CHOICE_SIZE + 8];

			snprintf(item, sizeof(item), "%s%s", i == 0 ? "or one of " : "", words[i]);
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
	}
	return "unknown";
}
