/*
 * json.h
 *		JSON into a buffer: what is fitted beside a model is told so.
 */
#ifndef MLOPS_TRAINER_JSON_H
#define MLOPS_TRAINER_JSON_H

#include "../core/buffer.h"

/* Bytes as they are: braces, commas. */
extern void json_raw(Buffer *out, const char *text);

/* A string, and the key of a member with its colon. */
extern void json_text(Buffer *out, const char *text, size_t length);
extern void json_key(Buffer *out, const char *key);

/* A number; null where it is none. */
extern void json_number(Buffer *out, double number);

/* An array of numbers. */
extern void json_numbers(Buffer *out, const double *numbers, size_t n);

#endif
