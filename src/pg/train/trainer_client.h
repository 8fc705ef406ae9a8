/*
 * trainer_client.h
 *		Letting the trainer do a job, and hearing what it says.
 */
#ifndef MLOPS_PG_TRAINER_CLIENT_H
#define MLOPS_PG_TRAINER_CLIENT_H

#include "postgres.h"

#include "../source/memory_file.h"
#include "../core.h"

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

/* A trainer at work. */
typedef struct TrainerClient TrainerClient;

/*
 * Starts a trainer on a matrix that is laid out, while its rows are still to
 * come; init: the version that a training goes on from, or NULL.  It lives in
 * the current memory context, which holds every resource of it: the trainer
 * is gone when the context is.
 */
extern TrainerClient *trainer_begin(const MemoryFile *matrix, const MemoryFile *model, const MemoryFile *init);

/* Tells it how many rows are complete; raises EXTERNAL_ROUTINE_EXCEPTION where it has died. */
extern void trainer_tell_rows(TrainerClient *client, uint64 n_rows);

/*
 * Lets it do a job with the rows, which are complete, and hears it to its
 * end.  matrix is closed.  Raises what the trainer reports as an error,
 * EXTERNAL_ROUTINE_EXCEPTION where it dies, and whatever interrupts the
 * statement.
 */
extern TrainerOutcome *trainer_finish(TrainerClient *client, const Job *job, MemoryFile *matrix);

#endif
