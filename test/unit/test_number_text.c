/*
 * test_number_text.c
 *		Texts of numbers: short, exact, and integers where they are integers.
 */
#include <stdlib.h>

#include "check.h"
#include "core/hash.h"
#include "core/number_text.h"

static void
check_number_text(double value, bool single, const char *expected)
{
	char		text[NUMBER_TEXT_SIZE];

	number_text(value, single, text, sizeof(text));
	CHECK_TEXT(text, expected);
}

int
main(void)
{
	check_number_text(0, false, "0");
	check_number_text(0.1, false, "0.1");
	check_number_text(-2.5, false, "-2.5");
	check_number_text((double) 0.1f, true, "0.1");
	check_number_text((double) 0.1f, false, "0.10000000149011612");
	check_number_text(1e6, true, "1000000");
	check_number_text(1e15, false, "1000000000000000");
	check_number_text(0x1p53, false, "9007199254740992");
	check_number_text(1e16, false, "1e+16");
	check_number_text((double) 1e15f, true, "1e+15");
	check_number_text(INFINITY, false, "inf");

	for (uint64_t i = 0; i < 2000; i++)
	{
		uint64_t	bits = hash64_mix(i);
		double		value;
		char		text[NUMBER_TEXT_SIZE];

		memcpy(&value, &bits, sizeof(value));
		if (!isfinite(value))
			continue;
		number_text(value, false, text, sizeof(text));
		CHECK(strlen(text) < sizeof(text) - 1 && strtod(text, NULL) == value);
	}
	return check_done();
}
