/*
 * submit.h
 *		Making jobs.
 */
#ifndef MLOPS_JOBS_SUBMIT_H
#define MLOPS_JOBS_SUBMIT_H

#include "postgres.h"

#include "utils/jsonb.h"

/*
 * Submits a job whose arguments were checked, of the caller, to run once when
 * the transaction has committed; its id.  project_id 0: of no project.
 */
extern int64 job_submit_checked(const char *kind, Jsonb *args, int64 project_id);

/* The same for train(). */
extern int64 job_submit_training(Jsonb *args, int64 project_id);

#endif
