/*
 * schedule.c
 *		When a schedule is due: cron expressions and intervals in a time zone.
 *
 * Where clocks change, cron expressions mean what they do in Vixie's cron.
 * An expression of fixed times (neither minute nor hour begins with a star)
 * runs once a time of the calendar: what falls into a skipped hour runs when
 * the hour is over, and what falls into an hour that comes twice, the first
 * time only.  Others follow the clock on the wall: they run in both.  Changes
 * of three hours or more are corrections of the calendar, and nothing is made
 * up for.
 */
#include "schedule.h"

#include <math.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "../pg/clock.h"
#include "../pg/compat.h"
#include "../pg/report.h"
#include "../core/cron.h"

#define LONGEST_SEARCH_DAYS (9 * 366)	/* the 29th of February comes every 8 years at least */
#define GREATEST_CHANGE (3 * SECS_PER_HOUR)	/* of a clock that is made up for */

PG_FUNCTION_INFO_V1(mlops_next_run);

/* A day of the calendar. */
typedef struct Day
{
	int			julian;
	int			year;
	int			month;
	int			day;
} Day;

static Day
day_of(int julian)
{
	Day			day = {.julian = julian};

	j2date(julian, &day.year, &day.month, &day.day);
	return day;
}

/* Seconds since 1970 of a local time, if the zone's clock were that of Greenwich. */
static pg_time_t
local_seconds(const Day *day, int hour, int minute)
{
	return (pg_time_t) (day->julian - UNIX_EPOCH_JDATE) * SECS_PER_DAY + hour * SECS_PER_HOUR + minute * SECS_PER_MINUTE;
}

static long
zone_offset(pg_time_t instant, pg_tz *zone)
{
	return pg_localtime(&instant, zone)->tm_gmtoff;
}

/* When a local time is; the first of two, and where it is skipped, the end of that; false where nothing is made up for. */
static bool
instant_of(pg_time_t local, pg_tz *zone, pg_time_t *instant)
{
	pg_time_t	day_before = local - SECS_PER_DAY;
	long		before = zone_offset(day_before, zone);
	long		after = zone_offset(local + SECS_PER_DAY, zone);
	pg_time_t	boundary;
	long		offset;
	int			is_dst;

	*instant = local - Max(before, after);
	if (zone_offset(*instant, zone) == Max(before, after))
		return true;
	*instant = local - Min(before, after);
	if (zone_offset(*instant, zone) == Min(before, after))
		return true;

	if (after - before >= GREATEST_CHANGE || pg_next_dst_boundary(&day_before, &offset, &is_dst, &boundary, &offset, &is_dst, zone) != 1)
		return false;
	*instant = boundary;
	return true;
}

/* The first fixed time of a day behind `after`. */
static bool
next_fixed(const Cron *cron, const Day *day, pg_time_t after, pg_tz *zone, pg_time_t *next)
{
	bool		found = false;

	*next = 0;
	for (int hour = 0; hour < HOURS_PER_DAY; hour++)
	{
		for (int minute = 0; minute < MINS_PER_HOUR; minute++)
		{
			pg_time_t	instant;

			if (!cron_matches_time(cron, hour, minute) || !instant_of(local_seconds(day, hour, minute), zone, &instant))
				continue;
			if (instant > after && (!found || instant < *next))
			{
				*next = instant;
				found = true;
			}
		}
	}
	return found;
}

/* The first minute of a day behind `after` that a clock on the wall shows. */
static bool
next_shown(const Cron *cron, const Day *day, pg_time_t after, pg_tz *zone, pg_time_t *next)
{
	pg_time_t	noon = local_seconds(day, 12, 0);
	pg_time_t	begin = noon - zone_offset(noon, zone) - SECS_PER_DAY;
	pg_time_t	end = begin + 2 * SECS_PER_DAY;

	begin = Max(begin, after + 1);
	begin += (SECS_PER_MINUTE - begin % SECS_PER_MINUTE) % SECS_PER_MINUTE;
	for (pg_time_t instant = begin; instant < end; instant += SECS_PER_MINUTE)
	{
		struct pg_tm *shown = pg_localtime(&instant, zone);

		if (shown->tm_mday == day->day && shown->tm_mon + 1 == day->month && cron_matches_time(cron, shown->tm_hour, shown->tm_min))
		{
			*next = instant;
			return true;
		}
	}
	return false;
}

/* The first time of a cron expression behind `after`; false where there is none. */
static bool
next_of_cron(const Cron *cron, pg_time_t after, pg_tz *zone, pg_time_t *next)
{
	struct pg_tm *shown = pg_localtime(&after, zone);
	int			today = date2j(shown->tm_year + 1900, shown->tm_mon + 1, shown->tm_mday);

	/* what a change of clocks skips yesterday may be due today */
	for (int julian = today - 1; julian < today + LONGEST_SEARCH_DAYS; julian++)
	{
		Day			day = day_of(julian);

		if (!cron_matches_day(cron, day.month, day.day, j2day(julian)))
			continue;
		if (cron->any_time ? next_shown(cron, &day, after, zone, next) : next_fixed(cron, &day, after, zone, next))
			return true;
	}
	return false;
}

/* What is no interval is no schedule. */
static void
interval_error_context(void *unused)
{
	errhint("A schedule is an interval, such as '15 minutes', or a cron expression of five fields, such as '15 2 * * mon-fri'.");
}

/* A text as an interval of at least a second. */
static Interval *
read_interval(const char *schedule)
{
	ErrorContextCallback callback = {.previous = error_context_stack, .callback = interval_error_context};
	Interval   *interval;

	error_context_stack = &callback;
	interval = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(schedule), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	error_context_stack = callback.previous;
	if (INTERVAL_IS_NOBEGIN(interval) || INTERVAL_IS_NOEND(interval) ||
		interval->month < 0 || interval->day < 0 || interval->time < 0 ||
		(interval->month == 0 && interval->day == 0 && interval->time < USECS_PER_SEC))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid schedule \"%s\"", schedule),
				 errdetail("An interval between runs is at least a second.")));
	return interval;
}

/* from + n * interval, by the calendar of a zone. */
static TimestampTz
add_intervals(TimestampTz from, const Interval *interval, double n, pg_tz *zone)
{
	Datum		sum = DirectFunctionCall2(interval_mul, IntervalPGetDatum(interval), Float8GetDatum(n));
	pg_tz	   *session = session_timezone;
	TimestampTz result;

	session_timezone = zone;
	PG_TRY();
	{
		result = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(from), sum));
	}
	PG_FINALLY();
	{
		session_timezone = session;
	}
	PG_END_TRY();
	return result;
}

/* The first from + n * interval behind `after`, n > 0.  A step is never longer than what is missing, and few steps are needed. */
static TimestampTz
next_of_interval(const Interval *interval, TimestampTz after, TimestampTz from, pg_tz *zone)
{
	double		longest = interval->time + (double) interval->day * 25 * USECS_PER_HOUR + (double) interval->month * 31 * 25 * USECS_PER_HOUR;
	double		n = 1;
	TimestampTz next = add_intervals(from, interval, n, zone);

	while (next <= after)
	{
		CHECK_FOR_INTERRUPTS();
		n += Max(floor(((double) after - (double) next) / longest), 1);
		next = add_intervals(from, interval, n, zone);
	}
	return next;
}

/* The first time after `after` that a schedule is due. */
TimestampTz
schedule_next(const char *schedule, TimestampTz after, TimestampTz from, pg_tz *zone)
{
	Cron		cron;
	Error		error;
	pg_time_t	next;

	if (!cron_is_expression(schedule))
		return next_of_interval(read_interval(schedule), after, from, zone);
	if (!cron_parse(&cron, schedule, &error))
		report_error(&error);
	if (!next_of_cron(&cron, timestamptz_to_time_t(after), zone, &next))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("schedule \"%s\" is never due", schedule),
				 errdetail("No date of the coming years has this day and month.")));
	return time_t_to_timestamptz(next);
}

/* mlops.next_run(schedule, after, zone, "from") */
Datum
mlops_next_run(PG_FUNCTION_ARGS)
{
	char	   *schedule = text_to_cstring(PG_GETARG_TEXT_PP(0));
	TimestampTz after = PG_GETARG_TIMESTAMPTZ(1);
	char	   *zone_name = text_to_cstring(PG_GETARG_TEXT_PP(2));
	TimestampTz from = PG_GETARG_TIMESTAMPTZ(3);
	pg_tz	   *zone = pg_tzset(zone_name);

	if (zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", zone_name)));
	if (TIMESTAMP_NOT_FINITE(after) || TIMESTAMP_NOT_FINITE(from))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the time that a schedule counts from must be finite")));
	PG_RETURN_TIMESTAMPTZ(schedule_next(schedule, after, from, zone));
}
