/*
 * captured.h
 *		Feature values as bytes, a few a column: as captured predictions and reference samples keep them.
 *
 * The values stand one after the other, in the order of names that are
 * stored once; each begins with a byte that says what it is.  Categories are
 * texts, so that nothing else is needed to read them.
 */
#ifndef MLOPS_CORE_CAPTURED_H
#define MLOPS_CORE_CAPTURED_H

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

#define CAPTURED_NUMBER_SIZE 9	/* bytes that a value but a text takes at most */
#define CAPTURED_TEXT_HEAD 11	/* bytes before the text's own */
#define CAPTURED_TEXT_MAX 1000	/* bytes of a text; what is longer is cut */

/* Writes the raw value of a column that is no category, NaN for NULL; how many bytes it took. */
extern size_t captured_number(uint8_t *out, ColumnKind kind, ColumnStorage storage, double raw);

/* Writes what stands before a text's bytes: of CAPTURED_TEXT or CAPTURED_NUMERIC; likewise. */
extern size_t captured_text_head(uint8_t *out, CaptureCode code, size_t length);

#endif
