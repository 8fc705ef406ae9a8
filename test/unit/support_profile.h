/*
 * support_profile.h
 *		Profiles for tests: memory by malloc, and shortcuts from values to distributions.
 */
#ifndef MLOPS_TEST_SUPPORT_PROFILE_H
#define MLOPS_TEST_SUPPORT_PROFILE_H

#include "core/buffer.h"
#include "core/statistics/profile.h"

extern const ProfileMemory test_memory;

/* Distributions of numbers, of texts each there so many times; free them by distribution_free(). */
extern Distribution distribution_of(const double *values, size_t n);
extern Distribution distribution_of_range(double first, double last);
extern Distribution distribution_of_counts(const double *values, const int *counts, size_t n);
extern Distribution distribution_of_texts(const char *const *texts, const int *counts, size_t n);

/* Several distributions merged in this order. */
extern Distribution merged(const Distribution *const *parts, size_t n);

/* The flat form; free it by buffer_free(). */
extern Buffer flat(const Distribution *distribution);

#endif
