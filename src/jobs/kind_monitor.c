/*
 * kind_monitor.c
 *		Jobs of kind monitor: {"monitor": 7}, computing the windows of a monitor that are over.
 */
#include "kinds.h"

#include "utils/snapmgr.h"

#include "../pg/json_fields.h"
#include "../pg/monitor/monitor.h"

#define KIND "monitor"
#define MONITOR "monitor"

/* The monitor that the arguments name. */
static Monitor *
find(Jsonb *args)
{
	int			n;
	JsonField  *fields = json_fields(args, "args", &n);

	for (int i = 0; i < n; i++)
	{
		if (strcmp(fields[i].key, MONITOR) == 0)
			return monitor_find((int64) json_number(&fields[i], "args"));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("a job of kind %s needs the argument \"%s\"", KIND, MONITOR)));
}

/* Checks that whoever makes the job may run the monitor. */
static Jsonb *
check(Jsonb *args, int64 *project_id)
{
	static const char *const keys[] = {MONITOR};
	Monitor    *monitor;

	job_check_keys(KIND, args, keys, lengthof(keys));
	monitor = find(args);
	monitor_check_run(monitor);
	*project_id = monitor->ref.project_id;
	return args;
}

/* Computes. */
static void
run(JobRun *job)
{
	Monitor    *monitor;
	int			windows = 0;
	Datum		first;
	Datum		last;

	PushActiveSnapshot(GetTransactionSnapshot());
	monitor = find(job->args);
	monitor_check_run(monitor);
	if (monitor->enabled)
		windows = monitor_run(monitor, NULL, NULL, &first, &last);
	PopActiveSnapshot();
	MemoryContextSwitchTo(job->context);
	job->message = monitor->enabled ? psprintf("%d window%s of model \"%s\"", windows, windows == 1 ? "" : "s", monitor->ref.model_name)
		: psprintf("monitor " INT64_FORMAT " is not enabled", monitor->id);
}

const JobHandler job_monitor = {.name = KIND, .check = check, .run = run};
