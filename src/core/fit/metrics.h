/*
 * metrics.h
 *		How good predictions are: the stored metrics of every task.
 *
 * Definitions are scikit-learn's, with sample weights: 0 where nothing was
 * predicted or nothing was to be found, averages over the classes that occur.
 * A metric that the rows do not define (one class only, fewer than two rows
 * or no variance for r2, no rows at all) is NaN.
 */
#ifndef MLOPS_CORE_FIT_METRICS_H
#define MLOPS_CORE_FIT_METRICS_H

#include "../arena.h"
#include "../types.h"

#define METRICS_MAX 16
#define METRIC_NAME_MAX 32
#define METRICS_CONFUSION_MAX 1024	/* classes up to which there is a confusion matrix */

typedef struct Metrics
{
	int			n;
	char		names[METRICS_MAX][METRIC_NAME_MAX];
	double		values[METRICS_MAX];
	uint32_t	n_classes;		/* 0 for regression */
	double	   *correct;		/* sums of weights by class: predicted rightly, */
	double	   *predicted;		/* predicted, */
	double	   *support;		/* and true; NULL for regression, in the arena */
	double	   *confusion;		/* n_classes x n_classes sums of weights, [truth][prediction]; NULL for regression and many classes; in the arena */
} Metrics;

/*
 * truth[n]: values or class indexes; outputs[n x n_outputs]: what
 * model_predict gives; weight may be NULL.  n = 0 gives all NaN.
 * ERROR_MEMORY; ERROR_INTERNAL for a class outside the outputs.
 *
 * regression: rmse, mae, r2, mape, median_absolute_error.
 * binary: roc_auc, pr_auc, log_loss, accuracy, balanced_accuracy, precision, recall, f1, mcc, brier, ece.
 * multiclass: accuracy, balanced_accuracy, macro_precision, macro_recall, macro_f1, weighted_precision,
 * weighted_recall, weighted_f1, log_loss.
 */
extern bool metrics_compute(Metrics *metrics, Task task, size_t n, const double *truth, const double *outputs, uint32_t n_outputs,
							const double *weight, Arena *arena, Error *error);

/* Value by name, NaN where it is not among them. */
extern double metrics_get(const Metrics *metrics, const char *name);

/* Precision, recall, F1 and support (sum of weights) of one class. */
extern void metrics_class(const Metrics *metrics, uint32_t class_index, double *precision, double *recall, double *f1, double *support);

#endif
