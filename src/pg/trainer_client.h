/*
 * trainer_client.h
 *		Letting the trainer do a job, and hearing what it says.
 */
#ifndef MLOPS_PG_TRAINER_CLIENT_H
#define MLOPS_PG_TRAINER_CLIENT_H

#include "postgres.h"

#include "core.h"
#include "memory_file.h"

/* Losses and a metric after one iteration; NaN: none. */
typedef struct TrainerIteration
{
	uint32		number;			/* from 1 */
	double		train_loss;
	double		validation_loss;
	double		train_metric;	/* what training stops by, where that is no loss */
	double		validation_metric;
} TrainerIteration;

typedef struct TrainerOutcome
{
	JobResult	result;			/* its arrays are freed with the memory context */
	int			n_iterations;
	TrainerIteration *iterations;
	char		metric[METRIC_NAME_SIZE];	/* of the iterations; empty: none */
	MemoryContextCallback cleanup;
} TrainerOutcome;

/*
 * Runs a job to its end in the current memory context, which holds every
 * resource of it; init: the version that a training goes on from, or NULL.  Raises what the trainer reports as an error,
 * EXTERNAL_ROUTINE_EXCEPTION where it dies, and whatever interrupts the
 * statement; the trainer is gone when the context is.
 */
extern TrainerOutcome *trainer_run(const Job *job, MemoryFile *matrix, const MemoryFile *model, const MemoryFile *init);

#endif
