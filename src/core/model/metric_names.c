/*
 * metric_names.c
 *		The names of metrics: which task has them, and which way is better.
 */
#include "metric_names.h"

#include <stdio.h>
#include <string.h>

#define REGRESSION	(1u << TASK_REGRESSION)
#define BINARY		(1u << TASK_BINARY)
#define MULTICLASS	(1u << TASK_MULTICLASS)

static const struct
{
	const char *name;
	unsigned	tasks;
	bool		larger;			/* is better */
}			metrics[] = {
	{"rmse", REGRESSION, false},
	{"mae", REGRESSION, false},
	{"r2", REGRESSION, true},
	{"mape", REGRESSION, false},
	{"median_absolute_error", REGRESSION, false},
	{"roc_auc", BINARY, true},
	{"pr_auc", BINARY, true},
	{"log_loss", BINARY | MULTICLASS, false},
	{"accuracy", BINARY | MULTICLASS, true},
	{"balanced_accuracy", BINARY | MULTICLASS, true},
	{"precision", BINARY, true},
	{"recall", BINARY, true},
	{"f1", BINARY, true},
	{"mcc", BINARY, true},
	{"brier", BINARY, false},
	{"ece", BINARY, false},
	{"macro_precision", MULTICLASS, true},
	{"macro_recall", MULTICLASS, true},
	{"macro_f1", MULTICLASS, true},
	{"weighted_precision", MULTICLASS, true},
	{"weighted_recall", MULTICLASS, true},
	{"weighted_f1", MULTICLASS, true}
};

#define N_METRICS (sizeof(metrics) / sizeof(metrics[0]))

bool
metric_check(const char *name, Task task, Error *error)
{
	char		list[512] = "";
	size_t		used = 0;

	for (size_t i = 0; i < N_METRICS; i++)
	{
		if (!(metrics[i].tasks & 1u << task))
			continue;
		if (strcmp(metrics[i].name, name) == 0)
			return true;
		used += (size_t) snprintf(list + used, sizeof(list) - used, "%s%s", used > 0 ? ", " : "", metrics[i].name);
	}
	error_set(error, ERROR_PARAMETER, "a %s task has no metric \"%s\"", task_name(task), name);
	return error_detail(error, "It has %s.", list);
}

bool
metric_larger_is_better(const char *name)
{
	for (size_t i = 0; i < N_METRICS; i++)
	{
		if (strcmp(metrics[i].name, name) == 0)
			return metrics[i].larger;
	}
	return false;
}

const char *
metric_main(Task task)
{
	switch (task)
	{
		case TASK_REGRESSION:
			return "rmse";
		case TASK_BINARY:
			return "roc_auc";
		case TASK_MULTICLASS:
			return "log_loss";
	}
	return "";
}
