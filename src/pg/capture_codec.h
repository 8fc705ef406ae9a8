/*
 * capture_codec.h
 *		Captured features as bytes, a few a column.
 *
 * The values stand one after the other, in the order of the names that are
 * stored for the deployment once; each begins with a byte that says what it
 * is.  Categories are texts, so that nothing else is needed to read them.
 */
#ifndef MLOPS_PG_CAPTURE_CODEC_H
#define MLOPS_PG_CAPTURE_CODEC_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "core.h"

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

/* Appends the raw values of columns that are no categories, or of a category that is NULL. */
extern void capture_encode_numbers(StringInfo out, const RecipeColumn *columns, const double *raw, uint32 n);

/* Appends a text: of CAPTURED_TEXT or CAPTURED_NUMERIC. */
extern void capture_encode_text(StringInfo out, CaptureCode code, const char *text, size_t length);

#endif
