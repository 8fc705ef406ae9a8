/*
 * clock.h
 *		Time that passes, for reports; nothing that is computed depends on it.
 */
#ifndef MLOPS_CORE_FIT_CLOCK_H
#define MLOPS_CORE_FIT_CLOCK_H

#include <time.h>

/* Seconds since some moment in the past. */
static inline double
clock_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

#endif
