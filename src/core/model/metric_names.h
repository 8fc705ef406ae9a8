/*
 * metric_names.h
 *		The names of metrics: which task has them, and which way is better.
 */
#ifndef MLOPS_CORE_METRIC_NAMES_H
#define MLOPS_CORE_METRIC_NAMES_H

#include "../error.h"
#include "../types.h"

/* All of them, as the choices of a parameter. */
#define METRIC_NAMES \
	"rmse|mae|r2|mape|median_absolute_error|roc_auc|pr_auc|log_loss|accuracy|balanced_accuracy|precision|recall|f1|mcc|brier|ece|" \
	"macro_precision|macro_recall|macro_f1|weighted_precision|weighted_recall|weighted_f1"

/* ERROR_PARAMETER with the list where the task has no such metric. */
extern bool metric_check(const char *name, Task task, Error *error);

/* The metric by which models of a task are compared: roc_auc, rmse or log_loss. */
extern const char *metric_main(Task task);

extern bool metric_larger_is_better(const char *name);

#endif
