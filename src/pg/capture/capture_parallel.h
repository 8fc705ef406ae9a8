/*
 * capture_parallel.h
 *		What the processes of a parallel query share about what they capture.
 */
#ifndef MLOPS_PG_CAPTURE_PARALLEL_H
#define MLOPS_PG_CAPTURE_PARALLEL_H

#include "postgres.h"

/* Bytes of shared memory, and their place; laid out with the queue. */
extern size_t capture_parallel_size(void);
extern void capture_parallel_start(void *memory, bool found);

/* Takes the next numbers of the current statement's rows: those above the result, up to *last. */
extern uint64 capture_parallel_reserve(uint64 *last);

/* Says whether this process runs EXPLAIN; a worker asks whether its leader does. */
extern void capture_parallel_explain(bool explains);
extern bool capture_parallel_explained(void);

#endif
