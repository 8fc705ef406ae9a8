/*
 * kinds.h
 *		The kinds of jobs.
 *
 * A kind is a line of the table in kinds.c and a file of its own.
 */
#ifndef MLOPS_JOBS_KINDS_H
#define MLOPS_JOBS_KINDS_H

#include "postgres.h"

#include "utils/jsonb.h"

/* One attempt at a run. */
typedef struct JobRun
{
	int64		run_id;
	int64		job_id;
	Jsonb	   *args;
	Jsonb	   *checkpoint;		/* where an earlier attempt came to; NULL: nowhere */
	const char *message;		/* what was done, set by the kind */
	MemoryContext context;		/* of all this; transactions do not end it */
} JobRun;

typedef struct JobHandler
{
	const char *name;

	/*
	 * Checks arguments with the rights of whoever makes the job, and returns
	 * them as they are to be stored: with qualified names.  *project_id
	 * becomes that of the project whose members see the job; 0: none.
	 */
	Jsonb	   *(*check) (Jsonb *args, int64 *project_id);

	/*
	 * Does the work with the rights of the job's owner, in a transaction that
	 * is open when it is called and when it returns; it may end it by
	 * job_commit().  The run is recorded as succeeded in the transaction that
	 * it leaves open.
	 */
	void		(*run) (JobRun *run);
} JobHandler;

/* The kind of this name; INVALID_PARAMETER_VALUE, with those that there are. */
extern const JobHandler *job_handler(const char *name);

/* Commits what was done so far together with where the next attempt goes on, and begins another transaction. */
extern void job_commit(JobRun *run, Jsonb *checkpoint, double progress);

/* Raises INVALID_PARAMETER_VALUE for a key of the arguments that is none of these. */
extern void job_check_keys(const char *kind, Jsonb *args, const char *const *keys, int n_keys);

/* An argument as a text; NULL where it is not given. */
extern char *job_text_argument(const char *kind, Jsonb *args, const char *key);

/* The same; INVALID_PARAMETER_VALUE where it is not given. */
extern char *job_required_argument(const char *kind, Jsonb *args, const char *key);

extern const JobHandler job_train;
extern const JobHandler job_score_table;
extern const JobHandler job_monitor;
extern const JobHandler job_sql;

#endif
