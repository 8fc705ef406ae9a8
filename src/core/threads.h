/*
 * threads.h
 *		A pool of threads for the trainer.
 *
 * No OpenMP: it spins while others work and misbehaves on a busy machine.
 * Workers spin for a bounded time, then sleep.  The caller is thread 0 and
 * takes part.  One pool_run at a time; none may be nested.
 */
#ifndef MLOPS_CORE_THREADS_H
#define MLOPS_CORE_THREADS_H

#include <stddef.h>

#include "error.h"

typedef struct ThreadPool ThreadPool;

/* Starts n - 1 threads; NULL with an error where that fails.  n >= 1. */
extern ThreadPool *pool_create(int n_threads, Error *error);
extern void pool_destroy(ThreadPool *pool);
extern int	pool_threads(const ThreadPool *pool);

/* Calls work(argument, task) for each task in 0 .. n_tasks-1, in any order, on any thread; returns when all are done. */
typedef void (*PoolWork) (void *argument, size_t task);
extern void pool_for(ThreadPool *pool, size_t n_tasks, PoolWork work, void *argument);

/* The same, with the number (0 .. threads-1) of the thread that runs it: for scratch memory, never for results. */
typedef void (*PoolThreadWork) (void *argument, size_t task, int thread);
extern void pool_for_thread(ThreadPool *pool, size_t n_tasks, PoolThreadWork work, void *argument);

#endif
