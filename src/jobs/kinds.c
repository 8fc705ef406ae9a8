/*
 * kinds.c
 *		The kinds of jobs, and reading their arguments.
 */
#include "kinds.h"

#include "catalog/pg_type.h"

#include "../pg/json_fields.h"
#include "../pg/report.h"

static const JobHandler *const job_handlers[] = {
	&job_train,
	&job_score_table,
	&job_monitor,
	&job_sql,
};

/* The kind of this name. */
const JobHandler *
job_handler(const char *name)
{
	const char *names[lengthof(job_handlers)];

	for (int i = 0; i < (int) lengthof(job_handlers); i++)
	{
		if (strcmp(job_handlers[i]->name, name) == 0)
			return job_handlers[i];
		names[i] = job_handlers[i]->name;
	}
	report_unknown_name(ERRCODE_INVALID_PARAMETER_VALUE, psprintf("unknown kind of job \"%s\"", name), "kinds",
						name, names, lengthof(names));
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
