/*
 * param_map.c
 *		Parameters that are numbers by label or by column: lookup, checks, text; sets of parameters taken over.
 */
#include "params.h"

#include <stdio.h>
#include <string.h>

const ParamMap *
params_map(const ParamSet *params, const char *name)
{
	for (int i = 0; i < params->n_maps; i++)
	{
		if (strcmp(params->specs[params->maps[i].param].name, name) == 0)
			return &params->maps[i];
	}
	return NULL;
}

bool
param_key_names(const char *key, const char *column)
{
	size_t		length = strlen(key);

	return strncmp(key, column, length) == 0 && (column[length] == '\0' || column[length] == '[');
}

bool
params_inherit(ParamSet *params, const ParamSet *from, Error *error)
{
	for (int i = 0; i < params->n; i++)
	{
		if (!params->given[i] && params->specs[i].type != PARAM_MODEL)
			params->values[i] = from->values[i];
	}
	for (int m = 0; m < from->n_maps; m++)
	{
		if (params->given[from->maps[m].param])
			continue;
		if (params->n_maps == PARAM_MAPS_MAX)
			return error_set(error, ERROR_INTERNAL, "more than %d parameters are objects", PARAM_MAPS_MAX);
		params->maps[params->n_maps++] = from->maps[m];
	}
	return true;
}

/* Names what there is, and the nearest of it. */
static bool
refuse_key(const ParamSpec *spec, const char *key, ErrorCode code, const char *what, const char *const *names, size_t n, Error *error)
{
	char		list[sizeof(error->detail) / 2] = "";
	size_t		used = 0;
	const char *nearest = nearest_name(key, names, n);

	error_set(error, code, "parameter \"%s\" names \"%.100s\", which is no %s", spec->name, key, what);
	for (size_t i = 0; i < n && used < sizeof(list); i++)
		used += (size_t) snprintf(list + used, sizeof(list) - used, "%s%s", i > 0 ? ", " : "", names[i]);
	error_detail(error, "There are %s.", list);
	if (nearest != NULL)
		error_hint(error, "Perhaps you meant \"%.100s\".", nearest);
	return false;
}

bool
params_check_columns(const ParamSet *params, const char *const *columns, const ColumnKind *kinds, size_t n, Error *error)
{
	for (int m = 0; m < params->n_maps; m++)
	{
		const ParamMap *map = &params->maps[m];
		const ParamSpec *spec = &params->specs[map->param];

		for (uint32_t k = 0; spec->type == PARAM_COLUMN_MAP && k < map->n; k++)
		{
			const char *key = map->entries[k].key;
			bool		found = false;

			for (size_t i = 0; i < n; i++)
			{
				if (!param_key_names(key, columns[i]))
					continue;
				found = true;
				if (spec->numbers_only && kinds[i] == KIND_CATEGORY)
				{
					error_set(error, ERROR_PARAMETER, "parameter \"%s\" cannot name column \"%.100s\": it is a category", spec->name, key);
					return error_hint(error, "Only numbers have an order; leave the column out of \"%s\".", spec->name);
				}
			}
			if (!found)
				return refuse_key(spec, key, ERROR_COLUMN, "feature column", columns, n, error);
		}
	}
	return true;
}

bool
params_check_labels(const ParamSet *params, const char *const *labels, size_t n, Error *error)
{
	for (int m = 0; m < params->n_maps; m++)
	{
		const ParamMap *map = &params->maps[m];
		const ParamSpec *spec = &params->specs[map->param];

		for (uint32_t k = 0; spec->type == PARAM_LABEL_MAP && k < map->n; k++)
		{
			size_t		i = 0;

			while (i < n && strcmp(labels[i], map->entries[k].key) != 0)
				i++;
			if (i == n)
				return refuse_key(spec, map->entries[k].key, ERROR_PARAMETER, "class of the training rows", labels, n, error);
		}
	}
	return true;
}

/* Appends a JSON string. */
static void
write_quoted(const char *text, Buffer *out)
{
	buffer_u8(out, '"');
	for (; *text != '\0'; text++)
	{
		unsigned char c = (unsigned char) *text;

		if (c < ' ')
		{
			char		escape[8];

			snprintf(escape, sizeof(escape), "\\u%04x", c);
			buffer_bytes(out, escape, 6);
			continue;
		}
		if (c == '"' || c == '\\')
			buffer_u8(out, '\\');
		buffer_u8(out, c);
	}
	buffer_u8(out, '"');
}

/* Appends a text without its end. */
static void
write_plain(const char *text, Buffer *out)
{
	buffer_bytes(out, text, strlen(text));
}

void
params_write_text(const ParamSet *params, int i, Buffer *out)
{
	const ParamSpec *spec = &params->specs[i];
	const ParamSpec number = {.type = PARAM_FLOAT};
	const ParamMap *map = params_map(params, spec->name);
	char		text[64];

	if (spec->type == PARAM_MODEL && params->model != NULL)
	{
		write_plain(params->model, out);
		return;
	}
	if (map == NULL)
	{
		params_value_text(spec, params->values[i], text, sizeof(text));
		write_plain(text, out);
		return;
	}
	for (uint32_t k = 0; k < map->n; k++)
	{
		write_plain(k == 0 ? "{" : ", ", out);
		write_quoted(map->entries[k].key, out);
		write_plain(": ", out);
		params_value_text(&number, map->entries[k].value, text, sizeof(text));
		write_plain(text, out);
	}
	write_plain("}", out);
}
