/*
 * number_text.h
 *		Numbers as the texts that a model stores.
 */
#ifndef MLOPS_CORE_NUMBER_TEXT_H
#define MLOPS_CORE_NUMBER_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define NUMBER_TEXT_SIZE 32		/* room that every text has */

/* The shortest text that reads back as the number; single: as that float.  Whole numbers whose digits are all known have no exponent. */
extern void number_text(double value, bool single, char *out, size_t out_size);

#endif
