/*
 * judge.h
 *		An existing version on the rows of a source.
 */
#ifndef MLOPS_PG_JUDGE_H
#define MLOPS_PG_JUDGE_H

#include "postgres.h"

#include "../registry/registry.h"
#include "../core.h"
#include "trainer_client.h"

typedef struct Judgement
{
	Model		model;
	TrainerOutcome *outcome;
} Judgement;

/*
 * Does a job that judges a version (kind, seed and what belongs to the kind
 * are given) on the source's rows.  All of it lives in the current memory
 * context.  UNDEFINED_COLUMN and DATATYPE_MISMATCH where the source lacks what
 * the model needs.  No access check but the source's own.
 */
extern Judgement *judge_run(const ModelRef *ref, const char *source, Job *job);

#endif
