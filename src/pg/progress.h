/*
 * progress.h
 *		How far a process is with its training or scoring, for others to see.
 *
 * Does nothing where the library is not preloaded.
 */
#ifndef MLOPS_PG_PROGRESS_H
#define MLOPS_PG_PROGRESS_H

#include "postgres.h"

/* Asks for shared memory where the library is preloaded. */
extern void progress_init(void);

/* The job that this process works for, for its life. */
extern void progress_set_job(int64 job_id);

/*
 * Begins to show work ("train", "score") on a model of a project.  It ends
 * with the current memory context.  Within other work it changes nothing and
 * returns false.
 */
extern bool progress_begin(const char *kind, const char *model, int64 project_id);

/* Begins a phase of so many steps (0: nobody knows). */
extern void progress_phase(const char *phase, uint64 total);

/* The number of steps done, and of all, where it has become known (0: it has not). */
extern void progress_set(uint64 done, uint64 total);

/* Some more steps are done. */
extern void progress_add(uint64 steps);

#endif
