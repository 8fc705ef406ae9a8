/*
 * capture_settings.c
 *		What a deployment captures: checking it when it is stored, reading it.
 */
#include "capture_settings.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "capture_ring.h"
#include "../json_fields.h"
#include "../report.h"

#define ARGUMENT "capture"
#define MOST_COLUMNS 100		/* of "mask" and of "also" */

PG_FUNCTION_INFO_V1(mlops_capture_settings);
PG_FUNCTION_INFO_V1(mlops_can_capture);

static const char *const mode_names[] = {"off", "transaction", "queue"};	/* index = CaptureMode */
static const char *const keys[] = {"mode", "sample", "features", "key", "mask", "also"};

static CaptureMode
mode_by_name(const char *name)
{
	for (int i = 0; i < (int) lengthof(mode_names); i++)
	{
		if (strcmp(name, mode_names[i]) == 0)
			return (CaptureMode) i;
	}
	report_unknown_name(ERRCODE_INVALID_PARAMETER_VALUE, psprintf("unknown mode \"%s\" in argument \"" ARGUMENT "\"", name),
						"modes", name, mode_names, lengthof(mode_names));
}

/* A list of columns; *n of them. */
static char **
read_columns(const JsonField *field, int *n)
{
	JsonbContainer *container = field->value.type == jbvBinary ? field->value.val.binary.data : NULL;
	char	  **names;

	if (container == NULL || !JsonContainerIsArray(container))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" in argument \"" ARGUMENT "\" must be an array of column names, not %s", field->key, json_type(&field->value))));
	*n = (int) JsonContainerSize(container);
	if (*n > MOST_COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("\"%s\" in argument \"" ARGUMENT "\" names %d columns, more than %d", field->key, *n, MOST_COLUMNS)));
	names = palloc((*n + 1) * sizeof(char *));
	for (int i = 0; i < *n; i++)
	{
		JsonField	element = {.key = field->key, .value = *getIthJsonbValueFromContainer(container, (uint32) i)};

		names[i] = unconstify(char *, json_text(&element, ARGUMENT));
	}
	return names;
}

/* Reads one field. */
static void
read_field(CaptureSettings *settings, const JsonField *field)
{
	if (strcmp(field->key, "mode") == 0)
		settings->mode = mode_by_name(json_text(field, ARGUMENT));
	else if (strcmp(field->key, "sample") == 0)
	{
		settings->sample = json_number(field, ARGUMENT);
		if (!(settings->sample > 0 && settings->sample <= 1))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"sample\" in argument \"" ARGUMENT "\" is %g", settings->sample),
					 errhint("It is a share of the rows: more than 0, at most 1. To capture nothing, set \"mode\" to \"off\".")));
	}
	else if (strcmp(field->key, "features") == 0)
	{
		if (field->value.type != jbvBool)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"features\" in argument \"" ARGUMENT "\" must be a boolean, not %s", json_type(&field->value))));
		settings->features = field->value.val.boolean;
	}
	else if (strcmp(field->key, "key") == 0)
		settings->key = field->value.type == jbvNull ? NULL : unconstify(char *, json_text(field, ARGUMENT));
	else if (strcmp(field->key, "mask") == 0)
		settings->masked = read_columns(field, &settings->n_masked);
	else if (strcmp(field->key, "also") == 0)
		settings->also = read_columns(field, &settings->n_also);
	else
		report_unknown_name(ERRCODE_INVALID_PARAMETER_VALUE, psprintf("unknown key \"%s\" in argument \"" ARGUMENT "\"", field->key),
							"keys", field->key, keys, lengthof(keys));
}

void
capture_settings_read(CaptureSettings *settings, Jsonb *given)
{
	int			n = 0;
	JsonField  *fields = given != NULL ? json_fields(given, ARGUMENT, &n) : NULL;

	memset(settings, 0, sizeof(*settings));
	settings->mode = CAPTURE_QUEUE;
	settings->sample = 1;
	settings->features = true;
	for (int i = 0; i < n; i++)
		read_field(settings, &fields[i]);
}

/* Pushes a list of columns, where there are any. */
static void
push_columns(JsonbParseState **state, const char *key, char **names, int n)
{
	if (n == 0)
		return;
	json_push_key(state, key);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < n; i++)
		json_push_text(state, WJB_ELEM, names[i]);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* capture_settings(given): the same, checked and with its defaults. */
Datum
mlops_capture_settings(PG_FUNCTION_ARGS)
{
	CaptureSettings settings;
	JsonbParseState *state = NULL;
	JsonbValue	features = {.type = jbvBool};

	capture_settings_read(&settings, PG_GETARG_JSONB_P(0));
	features.val.boolean = settings.features;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	json_push_key(&state, "mode");
	json_push_text(&state, WJB_VALUE, mode_names[settings.mode]);
	json_push_key(&state, "sample");
	json_push_number(&state, WJB_VALUE, settings.sample);
	json_push_key(&state, "features");
	pushJsonbValue(&state, WJB_VALUE, &features);
	if (settings.key != NULL)
	{
		json_push_key(&state, "key");
		json_push_text(&state, WJB_VALUE, settings.key);
	}
	push_columns(&state, "mask", settings.masked, settings.n_masked);
	push_columns(&state, "also", settings.also, settings.n_also);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* can_capture(): whether this server has a queue. */
Datum
mlops_can_capture(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(capture_shared != NULL);
}
