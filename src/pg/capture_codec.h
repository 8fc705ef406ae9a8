/*
 * capture_codec.h
 *		Captured features as bytes (core/captured.h), and the bytes as jsonb.
 */
#ifndef MLOPS_PG_CAPTURE_CODEC_H
#define MLOPS_PG_CAPTURE_CODEC_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "core.h"

#include "../core/captured.h"

/* Appends the raw value of a column that is no category. */
extern void capture_encode_number(StringInfo out, const RecipeColumn *column, double raw);

/* Appends a text: of CAPTURED_TEXT or CAPTURED_NUMERIC. */
extern void capture_encode_text(StringInfo out, CaptureCode code, const char *text, size_t length);

#endif
