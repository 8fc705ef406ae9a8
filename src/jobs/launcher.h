/*
 * launcher.h
 *		The process that starts the others.
 */
#ifndef MLOPS_JOBS_LAUNCHER_H
#define MLOPS_JOBS_LAUNCHER_H

#include "postgres.h"

/* Has the postmaster start the launcher; called while the library is preloaded. */
extern void launcher_register(void);

#endif
