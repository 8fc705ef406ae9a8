/*
 * metrics_internal.h
 *		What the files of the metrics share.
 */
#ifndef MLOPS_CORE_FIT_METRICS_INTERNAL_H
#define MLOPS_CORE_FIT_METRICS_INTERNAL_H

#include "../sum.h"
#include "metrics.h"

/* The arguments of metrics_compute(). */
typedef struct MetricRows
{
	size_t		n;
	const double *truth;
	const double *outputs;
	uint32_t	n_outputs;
	const double *weight;
	double		unit;			/* a power of two that brings the largest weight near 1 */
} MetricRows;

/* A weight in units: sums and products of these neither overflow nor vanish, and lose no digit. */
static inline double
row_weight(const MetricRows *rows, size_t i)
{
	return rows->weight == NULL ? 1 : rows->weight[i] * rows->unit;
}

/* Appends a metric. */
extern void metrics_add(Metrics *metrics, const char *name, double value);

/* Sum of the weights. */
extern double metrics_total(const MetricRows *rows);

/* Fills n_classes, correct, predicted, support and confusion. */
extern bool metrics_confusion(Metrics *metrics, const MetricRows *rows, Arena *arena, Error *error);

/* From the confusion: over all classes; and the mean recall of the classes that occur. */
extern double metrics_accuracy(const Metrics *metrics);
extern double metrics_balanced_accuracy(const Metrics *metrics);

/* Mean of -log of the probability of the true class. */
extern double metrics_log_loss(const MetricRows *rows);

extern bool metrics_binary(Metrics *metrics, const MetricRows *rows, Arena *arena, Error *error);
extern void metrics_multiclass(Metrics *metrics, const MetricRows *rows);

#endif
