/*
 * text_counts.h
 *		Texts that were counted already, as a distribution.
 */
#ifndef MLOPS_CORE_FIT_TEXT_COUNTS_H
#define MLOPS_CORE_FIT_TEXT_COUNTS_H

#include "../../statistics/profile.h"

typedef struct TextCount
{
	const char *text;			/* not ended with 0 */
	size_t		length;
	uint64_t	count;			/* 0: passed over */
} TextCount;

/* Counts the texts into an empty profile of KIND_CATEGORY, as if they had come one by one. */
extern bool count_texts(Profile *profile, const TextCount *texts, size_t n, Error *error);

/* The cell of a distribution that a text is counted in; SIZE_MAX: none. */
extern size_t text_cell(const Distribution *distribution, const char *text, size_t length);

/* Length of a text that is cut to `most` bytes, behind a whole character of UTF-8. */
extern size_t text_clip(const char *text, size_t length, size_t most);

#endif
