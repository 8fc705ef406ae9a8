/*
 * kinds.c
 *		The kinds of jobs, and reading their arguments.
 */
#include "kinds.h"

#include "catalog/pg_type.h"

#include "../pg/json_fields.h"
#include "../pg/report.h"

/* Reads what a query that was bound to a model finds. */
static const JobHandler job_outcomes = {.name = "outcomes", .keys = (const char *const[]) {"model", NULL}};

/* Removes what is too old; mlops.plan_jobs() makes the job. */
static const JobHandler job_housekeeping = {.name = "housekeeping", .internal = true};

static const JobHandler *const job_handlers[] = {
	&job_train,
	&job_score_table,
	&job_monitor,
	&job_sql,
	&job_outcomes,
	&job_housekeeping,
};

/* The kind of this name; of those of which jobs are made, or of all. */
static const JobHandler *
find_handler(const char *name, bool all)
{
	const char *names[lengthof(job_handlers)];
	int			n = 0;

	for (int i = 0; i < (int) lengthof(job_handlers); i++)
	{
		if (job_handlers[i]->internal && !all)
			continue;
		if (strcmp(job_handlers[i]->name, name) == 0)
			return job_handlers[i];
		names[n++] = job_handlers[i]->name;
	}
	report_unknown_name(ERRCODE_INVALID_PARAMETER_VALUE, psprintf("unknown kind of job \"%s\"", name), "kinds", name, names, n);
}

/* The kind of this name. */
const JobHandler *
job_handler(const char *name)
{
	return find_handler(name, true);
}

/* The same for whoever makes a job. */
const JobHandler *
job_handler_to_submit(const char *name)
{
	return find_handler(name, false);
}

/* Raises for a key that is none of these. */
void
job_check_keys(const char *kind, Jsonb *args, const char *const *keys, int n_keys)
{
	int			n;
	JsonField  *fields = json_fields(args, "args", &n);

	for (int i = 0; i < n; i++)
	{
		bool		known = false;

		for (int key = 0; key < n_keys && !known; key++)
			known = strcmp(fields[i].key, keys[key]) == 0;
		if (!known)
			report_unknown_name(ERRCODE_INVALID_PARAMETER_VALUE, psprintf("a job of kind %s has no argument \"%s\"", kind, fields[i].key),
								"arguments", fields[i].key, keys, n_keys);
	}
}

/* Checks arguments. */
Jsonb *
job_check(const JobHandler *kind, Jsonb *args, int64 *project_id)
{
	int			n_keys = 0;

	if (kind->check != NULL)
		return kind->check(args, project_id);
	while (kind->keys[n_keys] != NULL)
		n_keys++;
	job_check_keys(kind->name, args, kind->keys, n_keys);
	return job_function_check(kind->name, args, project_id);
}

/* Does the work. */
void
job_execute(const JobHandler *kind, JobRun *run)
{
	if (kind->run != NULL)
		kind->run(run);
	else
		job_function_run(kind->name, run);
}

/* An argument as a text; NULL where it is not given. */
char *
job_text_argument(const char *kind, Jsonb *args, const char *key)
{
	int			n;
	JsonField  *fields = json_fields(args, "args", &n);

	for (int i = 0; i < n; i++)
	{
		if (strcmp(fields[i].key, key) == 0 && fields[i].value.type != jbvNull)
			return pstrdup(json_text(&fields[i], "args"));
	}
	return NULL;
}

/* The same, which must be given. */
char *
job_required_argument(const char *kind, Jsonb *args, const char *key)
{
	char	   *text = job_text_argument(kind, args, key);

	if (text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a job of kind %s needs the argument \"%s\"", kind, key)));
	return text;
}
