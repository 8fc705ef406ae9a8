/*
 * train_job.h
 *		One call of train(): what was asked, and what came of it.
 *
 * train.c			the SQL function
 * train_arguments.c	reading and checking the arguments, before any row is read
 * train_init.c		the version to go on from
 * train_fit.c		scan, trainer, model
 * train_background.c	the arguments as a job keeps them
 * reproduce.c		a training repeated, and compared with itself
 * train_compare.c	the new version beside an earlier one
 */
#ifndef MLOPS_PG_TRAIN_JOB_H
#define MLOPS_PG_TRAIN_JOB_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "../source/columns.h"
#include "../core.h"
#include "params_json.h"
#include "../registry/registry.h"
#include "../source/preprocess.h"
#include "../source/scan.h"
#include "../source/source.h"
#include "split_json.h"
#include "task.h"
#include "trainer_client.h"

/* The version that a training goes on from. */
typedef struct InitModel
{
	ModelRef	ref;
	struct varlena *artifact;
	Model		model;			/* the same, opened */
} InitModel;

/* The arguments, checked. */
typedef struct TrainRequest
{
	const char *source_text;
	const char *target;
	const char *task;			/* or NULL */
	const char *weight;			/* or NULL */
	const char *experiment;		/* or NULL */
	const char **features;		/* NULL: not listed */
	int			n_features;
	const char **exclude;
	int			n_exclude;
	Jsonb	   *params_json;		/* as given */
	Jsonb	   *preprocess_json;
	Jsonb	   *split_json;
	uint64		seed;
	int64		project_id;
	const char *model_name;

	const Algorithm *algorithm;
	ParamSet   *params;
	Preprocess *preprocess;
	SplitRequest split;
	Source	   *source;
	TrainColumns *columns;
	TaskChoice	task_choice;
	InitModel  *init;			/* or NULL */
	bool		background;
} TrainRequest;

/* Reads and checks all arguments of mlops.train(). */
extern TrainRequest *train_read_arguments(FunctionCallInfo fcinfo, Oid source_role);

/*
 * Loads the version that the parameter init_model names, if it names one;
 * request->params then hold what was given over what it was trained with.
 * What registry_resolve() raises; INVALID_PARAMETER_VALUE for a version of
 * another algorithm, objective or target, and for arguments that cannot be
 * given then.
 */
extern void train_init_load(TrainRequest *request);

/* The task that it leaves; the target's type is checked. */
extern TaskChoice train_init_task(const TrainRequest *request);

/* Its bytes for the trainer, and their hash for the job; NULL where there is none. */
extern MemoryFile *train_init_file(const TrainRequest *request, Job *job);

/* What the run keeps of them, as resolved. */
extern Jsonb *train_arguments_json(const TrainRequest *request);

typedef struct TrainedModel
{
	Task		task;
	int			threads;
	bool		row_security;
	double		scan_seconds;
	const TrainerOutcome *outcome;
	struct varlena *artifact;
	Model		model;			/* the same, opened */
	void	   *reference;		/* outcome->result.reference_size bytes that were frozen beside it */
} TrainedModel;

/* Scans and fits; everything lives in the current memory context. */
extern TrainedModel *train_fit(const TrainRequest *request);

/* What is stored, and what the function returns of it. */
typedef struct TrainRecord
{
	int64		run_id;
	int32		version;
	Jsonb	   *metrics;
	Task		task;
	TimestampTz started;
	TimestampTz finished;
} TrainRecord;

/* Writes down a training; reproduces: the run that it repeats, or 0. */
extern void train_record_run(const TrainRequest *request, const TrainedModel *trained, int64 reproduces, TrainRecord *record);

/* Scans, fits and stores, with an active snapshot; all of it lives in the current memory context. */
extern void train_execute(const TrainRequest *request, TrainRecord *record);

/* The arguments of a call that were checked, as a job keeps them: the source with qualified names; FEATURE_NOT_SUPPORTED for temporary tables. */
extern Jsonb *train_call_to_json(FunctionCallInfo fcinfo, const TrainRequest *request);

/*
 * Reads and checks such arguments; *stored becomes them with qualified names, where it is not NULL.  The source is analysed, and later run,
 * with the rights of a role; InvalidOid: the caller.
 */
extern TrainRequest *train_request_from_json(Jsonb *args, Jsonb **stored, Oid source_role);

/* What of its rows a training certainly held out (mlops.run.test_part); NULL where there is no test part. */
extern Jsonb *train_test_part(const TrainRequest *request, const JobResult *result);

/*
 * Compares a version that this request made with an earlier one of the same
 * model, whose test part is given (NULL: none), on rows that both held out: the
 * trainer's result (trainer/compare_job.c), or NULL and why that cannot be.
 * No access check but the source's own.
 */
extern const JobResult *train_compare(const TrainRequest *request, int64 model_id, int32 champion, int32 challenger, Jsonb *test_part,
									  const char **why_not);

/* Makes a job of checked arguments; its id.  Set by those who run jobs. */
typedef int64 (*TrainBackground) (Jsonb *args, int64 project_id);

extern TrainBackground train_background;

#endif
