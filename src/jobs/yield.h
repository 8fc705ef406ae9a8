/*
 * yield.h
 *		Workers make way for those who want a database for themselves.
 */
#ifndef MLOPS_JOBS_YIELD_H
#define MLOPS_JOBS_YIELD_H

#include "postgres.h"

/* Installs the hook; called while the library is preloaded. */
extern void yield_init(void);

#endif
