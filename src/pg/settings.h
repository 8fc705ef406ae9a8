/*
 * settings.h
 *		The settings mlops.*.
 */
#ifndef MLOPS_PG_SETTINGS_H
#define MLOPS_PG_SETTINGS_H

#include "postgres.h"

extern char *settings_project;	/* mlops.project: where new models go; "" for the caller's own */
extern int	settings_threads;	/* mlops.threads: 0 for as many as the machine has cores */
extern int	settings_max_memory;	/* mlops.max_memory, kB: matrix and trainer together */
extern bool settings_progress_notices;	/* mlops.progress_notices */
extern bool settings_preloaded; /* mlops is in shared_preload_libraries: there are background workers */

/* Defines them; called once, from _PG_init. */
extern void settings_define(void);

/* Threads that a trainer started now may use: at least 1, at most the cores that this process may use. */
extern int	settings_trainer_threads(void);

/* mlops.max_memory in bytes. */
extern uint64 settings_memory_bytes(void);

#endif
