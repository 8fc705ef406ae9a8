/*
 * clock.c
 *		The time that schedules, partitions and periods go by.
 *
 * mlops.now is for tests: a superuser sets it, and background workers see it
 * where it is set for the server or the database.
 */
#include "clock.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "compat.h"

PG_FUNCTION_INFO_V1(mlops_clock);

static char *clock_setting;		/* mlops.now; "": the time now */

/* Whether a setting is a time; the catalogs that a zone's abbreviation might need are not asked. */
static bool
check_now(char **value, void **extra, GucSource source)
{
	char		work[MAXDATELEN + MAXDATEFIELDS];
	char	   *fields[MAXDATEFIELDS];
	int			types[MAXDATEFIELDS];
	struct pg_tm broken_down;
	fsec_t		fraction;
	TimestampTz time;
	int			n_fields;
	int			kind;
	int			zone;

	if ((*value)[0] == '\0')
		return true;
	if (ParseDateTime(*value, work, sizeof(work), fields, types, MAXDATEFIELDS, &n_fields) != 0)
		return false;
	if (!compat_decode_datetime(fields, types, n_fields, &kind, &broken_down, &fraction, &zone))
		return false;
	return kind == DTK_DATE && tm2timestamp(&broken_down, fraction, &zone, &time) == 0;
}

/* The time now. */
TimestampTz
clock_now(void)
{
	if (!clock_stands())
		return GetCurrentTimestamp();
	return DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(clock_setting), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/* Whether it stands still. */
bool
clock_stands(void)
{
	return clock_setting != NULL && clock_setting[0] != '\0';
}

/* mlops.clock() */
Datum
mlops_clock(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(clock_now());
}

/* Defines the setting. */
void
clock_init(void)
{
	DefineCustomStringVariable("mlops.now",
							   "For tests: the time that schedules go by.",
							   "Empty: the time now.",
							   &clock_setting, "",
							   PGC_SUSET, GUC_NOT_IN_SAMPLE, check_now, NULL, NULL);
}
