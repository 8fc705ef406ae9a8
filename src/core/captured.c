/*
 * captured.c
 *		Feature values as bytes.
 *
 * Whole numbers of a moderate size take one to five bytes, other numbers five
 * or nine, texts their length and a byte or two.
 */
#include "captured.h"

#include <math.h>
#include <string.h>

#define LARGEST_INTEGER 134217727.0 /* takes four bytes: beyond, a float does as well */

/* Writes an unsigned integer, seven bits a byte, the lowest first. */
static size_t
write_varint(uint8_t *out, uint64_t value)
{
	size_t		size = 0;

	while (value >= 0x80)
	{
		out[size++] = (uint8_t) (value | 0x80);
		value >>= 7;
	}
	out[size++] = (uint8_t) value;
	return size;
}

/* Writes a code and a double. */
static size_t
write_double(uint8_t *out, CaptureCode code, double value)
{
	out[0] = (uint8_t) code;
	memcpy(out + 1, &value, sizeof(value));
	return 1 + sizeof(value);
}

/* Writes a number as short as it goes. */
static size_t
write_number(uint8_t *out, bool single, double raw)
{
	float		as_float = (float) raw;

	if (raw == trunc(raw) && fabs(raw) <= LARGEST_INTEGER && !(raw == 0 && signbit(raw)))
	{
		int64_t		value = (int64_t) raw;

		out[0] = CAPTURED_INTEGER;
		return 1 + write_varint(out + 1, ((uint64_t) value << 1) ^ (uint64_t) (value >> 63));
	}
	if (!single && (double) as_float != raw)
		return write_double(out, CAPTURED_DOUBLE, raw);
	out[0] = single ? CAPTURED_FLOAT : CAPTURED_SHORT_DOUBLE;
	memcpy(out + 1, &as_float, sizeof(as_float));
	return 1 + sizeof(as_float);
}

size_t
captured_number(uint8_t *out, ColumnKind kind, ColumnStorage storage, double raw)
{
	if (isnan(raw))
	{
		out[0] = CAPTURED_NULL;
		return 1;
	}
	switch (kind)
	{
		case KIND_NUMBER:
		case KIND_CATEGORY:
			break;
		case KIND_BOOLEAN:
			out[0] = raw != 0 ? CAPTURED_TRUE : CAPTURED_FALSE;
			return 1;
		case KIND_DATE:
			return write_double(out, CAPTURED_DATE, raw);
		case KIND_TIMESTAMP:
			return write_double(out, CAPTURED_TIMESTAMP, raw);
		case KIND_TIMESTAMPTZ:
			return write_double(out, CAPTURED_TIMESTAMPTZ, raw);
		case KIND_INTERVAL:
			return write_double(out, CAPTURED_INTERVAL, raw);
	}
	return write_number(out, storage == STORAGE_FLOAT32, raw);
}

size_t
captured_text_head(uint8_t *out, CaptureCode code, size_t length)
{
	out[0] = (uint8_t) code;
	return 1 + write_varint(out + 1, length);
}
