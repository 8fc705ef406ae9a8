/*
 * capture_codec.h
 *		Captured features as bytes (core/captured.h), and the bytes as jsonb.
 */
#ifndef MLOPS_PG_CAPTURE_CODEC_H
#define MLOPS_PG_CAPTURE_CODEC_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "../core.h"

#include "../../core/captured.h"

/* Appends the raw values of columns that are no categories, or of a category that is NULL. */
extern void capture_encode_numbers(StringInfo out, const RecipeColumn *columns, const double *raw, uint32 n);

/* Appends a text: of CAPTURED_TEXT or CAPTURED_NUMERIC. */
extern void capture_encode_text(StringInfo out, CaptureCode code, const char *text, size_t length);

#endif
