/*
 * test_cron.c
 *		Cron expressions: what they match, and what is none.
 */
#include <stdlib.h>

#include "core/cron.h"
#include "check.h"

/* Whether an expression matches a minute. */
static bool
matches(const char *text, int month, int day, int weekday, int hour, int minute)
{
	Cron		cron;
	Error		error;

	if (!CHECK_OK(cron_parse(&cron, text, &error), &error))
		return false;
	return cron_matches_day(&cron, month, day, weekday) && cron_matches_time(&cron, hour, minute);
}

static void
refuse(const char *text)
{
	Cron		cron;
	Error		error;

	if (!CHECK(!cron_parse(&cron, text, &error)))
		printf("\t\"%s\" was taken\n", text);
	else
		CHECK(error.code == ERROR_PARAMETER && error.message[0] != '\0' && error.hint[0] != '\0');
}

/* The n-th set of minutes of "a-b/s" against a plain loop. */
static void
check_steps(void)
{
	char		text[64];

	for (int first = 0; first < 60; first += 7)
	{
		for (int last = first; last < 60; last += 5)
		{
			for (int step = 1; step < 70; step += 9)
			{
				Cron		cron;
				Error		error;
				uint64_t	expected = 0;

				for (int minute = first; minute <= last; minute++)
				{
					if ((minute - first) % step == 0)
						expected |= UINT64_C(1) << minute;
				}
				snprintf(text, sizeof(text), "%d-%d/%d 3 * * *", first, last, step);
				CHECK(cron_parse(&cron, text, &error) && cron.minutes == expected);
			}
		}
	}
}

/* Bytes that mean nothing: no crash, and an error that says something. */
static void
check_garbage(void)
{
	static const char characters[] = "0123456789*/,-@abJjUuSsMm \t";

	srand(42);
	for (int i = 0; i < 20000; i++)
	{
		char		text[41];
		Cron		cron;
		Error		error = {0};
		int			length = rand() % 40;

		for (int n = 0; n < length; n++)
			text[n] = characters[rand() % (int) (sizeof(characters) - 1)];
		text[length] = '\0';
		if (!cron_parse(&cron, text, &error) && error.message[0] == '\0')
			CHECK(false);
		(void) cron_is_expression(text);
	}
}

int
main(void)
{
	Cron		cron;
	Error		error;

	CHECK(matches("* * * * *", 1, 1, 0, 0, 0));
	CHECK(matches("15 2 * * *", 6, 30, 3, 2, 15));
	CHECK(!matches("15 2 * * *", 6, 30, 3, 2, 16));
	CHECK(matches("*/15 * * * *", 6, 30, 3, 2, 45));
	CHECK(!matches("*/15 * * * *", 6, 30, 3, 2, 50));
	CHECK(matches("0,20,40 9-17 * * mon-fri", 6, 30, 5, 17, 40));
	CHECK(!matches("0,20,40 9-17 * * mon-fri", 6, 30, 6, 17, 40));
	CHECK(matches("0 0 1 JAN,jul *", 7, 1, 2, 0, 0));
	CHECK(!matches("0 0 1 JAN,jul *", 6, 1, 2, 0, 0));
	CHECK(matches("0 0 * * 7", 6, 1, 0, 0, 0));
	CHECK(matches("0 0 * * 0", 6, 1, 0, 0, 0));
	CHECK(matches("0 0 * * fri-7", 6, 1, 0, 0, 0));
	CHECK(matches("@daily", 6, 1, 3, 0, 0));
	CHECK(!matches("@daily", 6, 1, 3, 1, 0));
	CHECK(matches("@Hourly", 6, 1, 3, 17, 0));
	CHECK(matches(" 5\t4  *  * * ", 6, 1, 3, 4, 5));

	/* both fields of days: either will do, unless one of them begins with a star */
	CHECK(matches("0 0 13 * fri", 6, 13, 1, 0, 0));
	CHECK(matches("0 0 13 * fri", 6, 12, 5, 0, 0));
	CHECK(!matches("0 0 13 * fri", 6, 12, 4, 0, 0));
	CHECK(matches("0 0 */2 * fri", 6, 13, 5, 0, 0));
	CHECK(!matches("0 0 */2 * fri", 6, 13, 4, 0, 0));
	CHECK(!matches("0 0 */2 * fri", 6, 12, 5, 0, 0));

	/* which expressions follow the clock on the wall */
	CHECK(cron_parse(&cron, "0 2 * * *", &error) && !cron.any_time);
	CHECK(cron_parse(&cron, "*/30 2 * * *", &error) && cron.any_time);
	CHECK(cron_parse(&cron, "0 */2 * * *", &error) && cron.any_time);
	CHECK(cron_parse(&cron, "0-59/30 1-3 * * *", &error) && !cron.any_time);

	refuse("");
	refuse("* * * *");
	refuse("* * * * * *");
	refuse("60 * * * *");
	refuse("* 24 * * *");
	refuse("* * 0 * *");
	refuse("* * 32 * *");
	refuse("* * * 13 *");
	refuse("* * * * 8");
	refuse("5-3 * * * *");
	refuse("5/2 * * * *");
	refuse("*/0 * * * *");
	refuse("1,,2 * * * *");
	refuse("1, * * * *");
	refuse("mon * * * *");
	refuse("99999999999999999999 * * * *");
	refuse("* * * * monday");
	refuse("@reboot");
	refuse("11111111111111111111111111111111111111111111111 * * * *");

	CHECK(cron_is_expression("15 2 * * mon"));
	CHECK(cron_is_expression("@daily"));
	CHECK(cron_is_expression("* * * *"));
	CHECK(cron_is_expression("1 2 3 4 5"));
	CHECK(!cron_is_expression("15 minutes"));
	CHECK(!cron_is_expression("1 day 2 hours"));
	CHECK(!cron_is_expression("1 day 2 hours 3"));
	CHECK(!cron_is_expression(""));
	CHECK(!cron_is_expression("PT5M"));

	check_steps();
	check_garbage();
	return check_done();
}
