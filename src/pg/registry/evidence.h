/*
 * evidence.h
 *		Records of what was done: snapshots, runs, metrics by step.
 */
#ifndef MLOPS_PG_EVIDENCE_H
#define MLOPS_PG_EVIDENCE_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "../core.h"
#include "registry.h"
#include "../source/source.h"
#include "../train/trainer_client.h"

/* The experiment of this name in a project, made where there is none. */
extern int64 evidence_experiment(int64 project_id, const char *name);

/* Records what a source returned; the snapshot's id. */
extern int64 evidence_snapshot(int64 project_id, const Source *source, bool row_security, const JobResult *result);

/* A fingerprint of 128 bits, low word first, as numeric. */
extern Datum evidence_fingerprint(const uint64_t *words);

/* A training that succeeded. */
typedef struct RunRecord
{
	int64		project_id;
	int64		experiment_id;	/* 0: none */
	int64		snapshot_id;
	const char *model_name;
	const char *algorithm;
	Task		task;
	const char *target;
	Jsonb	   *arguments;
	Jsonb	   *params;
	Jsonb	   *metrics;
	Jsonb	   *test_part;		/* NULL: none */
	uint64		seed;
	int			threads;
	TimestampTz started;
	TimestampTz finished;
	double		scan_seconds;
	const ModelRef *init;		/* the version that it went on from, or NULL */
	int64		reproduces;		/* the run that it repeats; 0: it is a training of its own */
	const TrainerOutcome *outcome;
} RunRecord;

/* Records it with its metrics: step 0 the results, steps from 1 the curves; the run's id. */
extern int64 evidence_run(const RunRecord *run);

#endif
