/*
 * process.h
 *		What the trainer makes of its process before it works.
 */
#ifndef MLOPS_TRAINER_PROCESS_H
#define MLOPS_TRAINER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* True where the descriptors of job.h are there. */
extern bool process_has_job(void);

/*
 * Ties the process to its parent, offers it first to the kernel's
 * out-of-memory killer, closes stray descriptors and resets signals.  Ends
 * the program where the parent is already gone.
 */
extern void process_isolate(void);

/* Bounds the memory that the process may allocate from now on. */
extern void process_limit_memory(uint64_t budget, uint32_t n_threads);

/* Most bytes of its own that the process has had resident; 0 where unknown. */
extern uint64_t process_peak_memory(void);

#endif
