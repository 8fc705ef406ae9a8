/*
 * jobs.c
 *		Background jobs, as the library's entry sees them.
 */
#include "jobs.h"

#include "postgres.h"

#include "miscadmin.h"
#include "utils/guc.h"

#include "../pg/train/train_job.h"
#include "job_memory.h"
#include "launcher.h"
#include "submit.h"
#include "yield.h"

#define MINUTES_PER_DAY (24 * 60)

static int	jobs_history;		/* mlops.job_history, minutes; read by mlops.plan_jobs() */

/* Begins what there is without a server's start, and with one. */
void
jobs_init(void)
{
	DefineCustomIntVariable("mlops.job_history",
							"How long mlops.job_run keeps runs that have ended.",
							NULL,
							&jobs_history, 30 * MINUTES_PER_DAY, 1, 3650 * MINUTES_PER_DAY,
							PGC_SIGHUP, GUC_UNIT_MIN, NULL, NULL, NULL);
	job_memory_init();
	train_background = job_submit_training;
	if (!process_shared_preload_libraries_in_progress)
		return;
	launcher_register();
	yield_init();
}
