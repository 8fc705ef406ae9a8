/*
 * json.c
 *		JSON into a buffer.
 */
#include "json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../core/number_text.h"

void
json_raw(Buffer *out, const char *text)
{
	buffer_bytes(out, text, strlen(text));
}

void
json_text(Buffer *out, const char *text, size_t length)
{
	json_raw(out, "\"");
	for (size_t i = 0; i < length; i++)
	{
		uint8_t		byte = (uint8_t) text[i];
		char		escape[8];

		if (byte == '"' || byte == '\\')
			snprintf(escape, sizeof(escape), "\\%c", byte);
		else if (byte < 0x20)
			snprintf(escape, sizeof(escape), "\\u%04x", byte);
		else
		{
			buffer_u8(out, byte);
			continue;
		}
		json_raw(out, escape);
	}
	json_raw(out, "\"");
}

void
json_key(Buffer *out, const char *key)
{
	json_text(out, key, strlen(key));
	json_raw(out, ": ");
}

void
json_number(Buffer *out, double number)
{
	char		text[NUMBER_TEXT_SIZE];

	if (!isfinite(number))
	{
		json_raw(out, "null");
		return;
	}
	number_text(number, false, text, sizeof(text));
	json_raw(out, text);
}

void
json_numbers(Buffer *out, const double *numbers, size_t n)
{
	json_raw(out, "[");
	for (size_t i = 0; i < n; i++)
	{
		if (i > 0)
			json_raw(out, ", ");
		json_number(out, numbers[i]);
	}
	json_raw(out, "]");
}
