/*
 * captured.h
 *		Feature values as bytes, a few a column: as captured predictions and reference samples keep them.
 *
 * The values stand one after the other, in the order of names that are
 * stored once; each begins with a byte that says what it is.  Categories are
 * texts, so that nothing else is needed to read them.  Whole numbers of a
 * moderate size take one to five bytes, other numbers five or nine, texts
 * their length and a byte or two.  What writes them is inline: a prediction
 * that is captured has a value for each column.
 */
#ifndef MLOPS_CORE_CAPTURED_H
#define MLOPS_CORE_CAPTURED_H

#include <math.h>
#include <string.h>

#include "types.h"

/* What a value is; stored: append only. */
typedef enum CaptureCode
{
	CAPTURED_NULL = 0,
	CAPTURED_INTEGER = 1,		/* a variable-length integer, zigzag */
	CAPTURED_FLOAT = 2,			/* 4 bytes, of a column that is float32 */
	CAPTURED_DOUBLE = 3,		/* 8 bytes */
	CAPTURED_SHORT_DOUBLE = 4,	/* a double that 4 bytes hold exactly */
	CAPTURED_FALSE = 5,
	CAPTURED_TRUE = 6,
	CAPTURED_TEXT = 7,			/* a variable-length size, and the bytes */
	CAPTURED_NUMERIC = 8,		/* the same: a number as JSON has it */
	CAPTURED_DATE = 9,			/* 8 bytes: a double as in types.h, like those below */
	CAPTURED_TIMESTAMP = 10,
	CAPTURED_TIMESTAMPTZ = 11,
	CAPTURED_INTERVAL = 12
} CaptureCode;

#define CAPTURED_LARGEST_INTEGER 134217727.0	/* takes four bytes: beyond, a float does as well */
#define CAPTURED_NUMBER_SIZE 9	/* bytes that a value but a text takes at most */
#define CAPTURED_TEXT_HEAD 11	/* bytes before the text's own */
#define CAPTURED_TEXT_MAX 1000	/* bytes of a text; what is longer is cut */

/* Writes an unsigned integer, seven bits a byte, the lowest first. */
static inline size_t
captured_varint(uint8_t *out, uint64_t value)
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
static inline size_t
captured_double(uint8_t *out, CaptureCode code, double value)
{
	out[0] = (uint8_t) code;
	memcpy(out + 1, &value, sizeof(value));
	return 1 + sizeof(value);
}

/* Writes a number as short as it goes. */
static inline size_t
captured_plain(uint8_t *out, bool single, double raw)
{
	float		as_float = (float) raw;

	if (fabs(raw) <= CAPTURED_LARGEST_INTEGER && raw == (double) (int32_t) raw && !(raw == 0 && signbit(raw)))
	{
		int64_t		value = (int32_t) raw;

		out[0] = CAPTURED_INTEGER;
		return 1 + captured_varint(out + 1, ((uint64_t) value << 1) ^ (uint64_t) (value >> 63));
	}
	if (!single && (double) as_float != raw)
		return captured_double(out, CAPTURED_DOUBLE, raw);
	out[0] = single ? CAPTURED_FLOAT : CAPTURED_SHORT_DOUBLE;
	memcpy(out + 1, &as_float, sizeof(as_float));
	return 1 + sizeof(as_float);
}

/* Writes the raw value of a column that is no category, NaN for NULL; how many bytes it took. */
static inline size_t
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
			return captured_double(out, CAPTURED_DATE, raw);
		case KIND_TIMESTAMP:
			return captured_double(out, CAPTURED_TIMESTAMP, raw);
		case KIND_TIMESTAMPTZ:
			return captured_double(out, CAPTURED_TIMESTAMPTZ, raw);
		case KIND_INTERVAL:
			return captured_double(out, CAPTURED_INTERVAL, raw);
	}
	return captured_plain(out, storage == STORAGE_FLOAT32, raw);
}

/* Writes what stands before a text's bytes: of CAPTURED_TEXT or CAPTURED_NUMERIC; likewise. */
static inline size_t
captured_text_head(uint8_t *out, CaptureCode code, size_t length)
{
	out[0] = (uint8_t) code;
	return 1 + captured_varint(out + 1, length);
}

#endif
