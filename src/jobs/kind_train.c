/*
 * kind_train.c
 *		Jobs of kind train: the arguments of mlops.train().
 *
 * The job is checked as train() checks its arguments; the worker checks them
 * again, plans and trains.
 */
#include "kinds.h"

#include "utils/snapmgr.h"

#include "../pg/train/train_job.h"
#include "submit.h"

/* Reads the arguments as train() does. */
static Jsonb *
check(Jsonb *args, int64 *project_id)
{
	Jsonb	   *stored;

	*project_id = train_request_from_json(args, &stored, InvalidOid)->project_id;
	return stored;
}

/* Trains. */
static void
run(JobRun *job)
{
	TrainRequest *request;
	TrainRecord record = {.started = GetCurrentTimestamp()};

	PushActiveSnapshot(GetTransactionSnapshot());
	request = train_request_from_json(job->args, NULL, InvalidOid);
	train_execute(request, &record);
	PopActiveSnapshot();
	MemoryContextSwitchTo(job->context);
	job->message = psprintf("version %d of model \"%s\", run " INT64_FORMAT, record.version, request->model_name, record.run_id);
}

/* What train() calls where it is to train in the background. */
int64
job_submit_training(Jsonb *args, int64 project_id)
{
	return job_submit_checked(job_train.name, args, project_id);
}

const JobHandler job_train = {.name = "train", .check = check, .run = run};
