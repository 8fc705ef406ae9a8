/*
 * number_text.c
 *		Numbers as the texts that a model stores.
 *
 * A whole number is written with all its digits as long as every whole number
 * of that size has a double (a float) of its own: 1000000, not 1e+06, so that
 * the text is an integer's, too.
 */
#include "number_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void
number_text(double value, bool single, char *out, size_t out_size)
{
	double		exact = single ? 0x1p24 : 0x1p53;

	if (value == floor(value) && fabs(value) <= exact)
	{
		snprintf(out, out_size, "%.0f", value);
		return;
	}
	for (int digits = 1; digits <= 17; digits++)
	{
		snprintf(out, out_size, "%.*g", digits, value);

		double		back = strtod(out, NULL);

		if (single ? (float) back == (float) value : back == value)
			return;
	}
}
