/*
 * cron.c
 *		Cron expressions, as Vixie's cron reads them.
 */
#include "cron.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define N_FIELDS 5
#define ITEM_MAX 32				/* characters of an item of a list */
#define ANY_SUNDAY ((1 << 0) | (1 << 7))

/* What a field may hold. */
typedef struct CronField
{
	const char *name;
	int			least;
	int			most;
	const char *const *names;	/* of the values from first_name on; NULL: there are none */
	int			n_names;
	int			first_name;
} CronField;

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

static const CronField cron_fields[N_FIELDS] = {
	{"minute", 0, 59, NULL, 0, 0},
	{"hour", 0, 23, NULL, 0, 0},
	{"day of the month", 1, 31, NULL, 0, 0},
	{"month", 1, 12, month_names, 12, 1},
	{"day of the week", 0, 7, weekday_names, 7, 0},
};

static const struct
{
	const char *name;
	const char *expression;
}			cron_nicknames[] = {
	{"@hourly", "0 * * * *"},
	{"@daily", "0 0 * * *"},
	{"@midnight", "0 0 * * *"},
	{"@weekly", "0 0 * * 0"},
	{"@monthly", "0 0 1 * *"},
	{"@yearly", "0 0 1 1 *"},
	{"@annually", "0 0 1 1 *"},
};

/* Whether a text is meant as a cron expression. */
bool
cron_is_expression(const char *text)
{
	int			n_fields = 0;

	text += strspn(text, " \t\n\r");
	if (*text == '@' || strchr(text, '*') != NULL)
		return true;
	while (*text != '\0')
	{
		size_t		length = strcspn(text, " \t\n\r");

		/* an interval has units: the second word of "1 day 2 hours 3" */
		if (!isdigit((unsigned char) *text) && n_fields < 3)
			return false;
		n_fields++;
		text += length;
		text += strspn(text, " \t\n\r");
	}
	return n_fields == N_FIELDS;
}

static bool
field_error(const CronField *field, const char *item, Error *error)
{
	error_set(error, ERROR_PARAMETER, "invalid %s \"%s\" in a cron expression", field->name, item);
	error_detail(error, "It is from %d to %d%s.", field->least, field->most, field->names != NULL ? ", or a name of three letters" : "");
	error_hint(error, "The fields are minute, hour, day of the month, month and day of the week, such as '15 2 * * mon-fri'.");
	return false;
}

/* Reads a number or a name at *text; -1 where there is none. */
static int
read_value(const CronField *field, const char **text)
{
	int			value = 0;

	if (isdigit((unsigned char) **text))
	{
		while (isdigit((unsigned char) **text) && value < 1000)
			value = value * 10 + (*(*text)++ - '0');
		return value;
	}
	for (int i = 0; i < field->n_names; i++)
	{
		if (strncasecmp(*text, field->names[i], 3) == 0)
		{
			*text += 3;
			return field->first_name + i;
		}
	}
	return -1;
}

/* One item of a list: *, value, range, each perhaps with a step; adds its bits. */
static bool
read_item(const CronField *field, const char *item, uint64_t *bits, Error *error)
{
	const char *text = item;
	int			first = field->least;
	int			last = field->most;
	int			step = 1;
	bool		range = true;

	if (*text == '*')
		text++;
	else
	{
		first = last = read_value(field, &text);
		range = *text == '-';
		if (range)
		{
			text++;
			last = read_value(field, &text);
		}
	}
	if (*text == '/' && range)
	{
		text++;
		step = isdigit((unsigned char) *text) ? read_value(field, &text) : 0;
	}
	if (*text != '\0' || first < field->least || last > field->most || last < first || step < 1)
		return field_error(field, item, error);
	for (int value = first; value <= last; value += step)
		*bits |= UINT64_C(1) << value;
	return true;
}

/* A field: a list of items. */
static bool
read_field(const CronField *field, const char *text, size_t length, uint64_t *bits, Error *error)
{
	char		item[ITEM_MAX];
	size_t		done = 0;

	*bits = 0;
	while (done <= length)
	{
		size_t		size = strcspn(text + done, ", \t\n\r");

		if (size >= sizeof(item))
			return field_error(field, "...", error);
		memcpy(item, text + done, size);
		item[size] = '\0';
		if (!read_item(field, item, bits, error))
			return false;
		done += size + 1;
	}
	return true;
}

/* Reads an expression. */
bool
cron_parse(Cron *cron, const char *text, Error *error)
{
	uint64_t	bits[N_FIELDS];
	bool		stars[N_FIELDS];

	text += strspn(text, " \t\n\r");
	for (size_t i = 0; i < sizeof(cron_nicknames) / sizeof(cron_nicknames[0]); i++)
	{
		if (strcasecmp(text, cron_nicknames[i].name) == 0)
			text = cron_nicknames[i].expression;
	}
	for (int i = 0; i < N_FIELDS; i++)
	{
		size_t		length = strcspn(text, " \t\n\r");

		if (length == 0)
		{
			error_set(error, ERROR_PARAMETER, "a cron expression has %d fields, not %d", N_FIELDS, i);
			error_hint(error, "They are minute, hour, day of the month, month and day of the week, such as '15 2 * * mon-fri'.");
			return false;
		}
		if (!read_field(&cron_fields[i], text, length, &bits[i], error))
			return false;
		stars[i] = text[0] == '*';
		text += length;
		text += strspn(text, " \t\n\r");
	}
	if (*text != '\0')
	{
		error_set(error, ERROR_PARAMETER, "a cron expression has %d fields, and here are more", N_FIELDS);
		error_hint(error, "They are minute, hour, day of the month, month and day of the week, such as '15 2 * * mon-fri'.");
		return false;
	}

	cron->minutes = bits[0];
	cron->hours = (uint32_t) bits[1];
	cron->days = (uint32_t) bits[2];
	cron->months = (uint32_t) bits[3];
	cron->weekdays = (uint32_t) bits[4];
	if ((cron->weekdays & ANY_SUNDAY) != 0)
		cron->weekdays |= ANY_SUNDAY;
	cron->any_time = stars[0] || stars[1];
	cron->any_day = stars[2];
	cron->any_weekday = stars[4];
	return true;
}

/* Whether a day is one of the expression's. */
bool
cron_matches_day(const Cron *cron, int month, int day, int weekday)
{
	bool		by_day = (cron->days >> day & 1) != 0;
	bool		by_weekday = (cron->weekdays >> weekday & 1) != 0;

	if ((cron->months >> month & 1) == 0)
		return false;
	return cron->any_day || cron->any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

/* Whether a minute of a day is. */
bool
cron_matches_time(const Cron *cron, int hour, int minute)
{
	return (cron->hours >> hour & 1) != 0 && (cron->minutes >> minute & 1) != 0;
}
