/*
 * cron.h
 *		Cron expressions: which minutes of which days of a local calendar.
 *
 * Five fields: minute, hour, day of the month, month, day of the week (0 and
 * 7 are Sunday).  A field is a list of *, numbers, names of months and days,
 * ranges a-b, and steps (a range or * with /n).  Or one of @hourly, @daily,
 * @midnight, @weekly, @monthly, @yearly, @annually.  The meaning is that of
 * Vixie's cron; time zones are its caller's.
 */
#ifndef MLOPS_CORE_CRON_H
#define MLOPS_CORE_CRON_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

typedef struct Cron
{
	uint64_t	minutes;		/* bit n: minute n */
	uint32_t	hours;
	uint32_t	days;			/* bit n: day n of the month */
	uint32_t	months;			/* bit n: month n, from 1 */
	uint32_t	weekdays;		/* bit n: Sunday is 0 */
	bool		any_day;		/* the field of days begins with a star */
	bool		any_weekday;
	bool		any_time;		/* the field of minutes or of hours does */
} Cron;

/* Whether a text is meant as a cron expression: it begins with "@", has a star, or five words of which the first three are numbers. */
extern bool cron_is_expression(const char *text);

/* Reads an expression; ERROR_PARAMETER, naming the field. */
extern bool cron_parse(Cron *cron, const char *text, Error *error);

/*
 * Whether a day of the local calendar is one of the expression's.  Where both
 * fields of days are restricted, either will do.
 */
extern bool cron_matches_day(const Cron *cron, int month, int day, int weekday);

/* Whether a minute of such a day is. */
extern bool cron_matches_time(const Cron *cron, int hour, int minute);

#endif
