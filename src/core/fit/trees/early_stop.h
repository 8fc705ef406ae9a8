/*
 * early_stop.h
 *		When to stop boosting: the best round so far, by the loss or by a metric of the validation rows.
 */
#ifndef MLOPS_CORE_FIT_EARLY_STOP_H
#define MLOPS_CORE_FIT_EARLY_STOP_H

#include "objective.h"

/* Rows that a metric is measured on. */
typedef struct MetricRows
{
	size_t		n;				/* of the training rows as many as there are validation rows, at equal distances */
	const double *truth;
	const double *weight;		/* without those of classes; or NULL */
} MetricRows;

typedef struct EarlyStop
{
	int			patience;		/* rounds without an improvement; 0: never stops */
	double		min_delta;		/* what counts as one */
	char		metric[32];		/* of metrics.h; empty: the loss */
	Task		task;
	MetricRows	train;
	MetricRows	validation;
	double	   *outputs;		/* predictions, for a metric */
	double		train_metric;	/* after the last round; NaN: not measured, or not defined */
	double		validation_metric;
	int			best_round;		/* 0: of what training goes on from; -1: none yet */
	double		best;			/* smaller is better */
} EarlyStop;

/* Reads early_stopping_rounds, _metric and _min_delta; input->weight is that of the rows alone. */
extern bool early_stop_init(EarlyStop *stop, const FitInput *input, Error *error);

/* Before the first round, where training goes on from a version: what rounds have to better. */
extern bool early_stop_start(EarlyStop *stop, const Objective *objective, const ScoredRows *validation, double loss, Error *error);

/*
 * After a round, whose validation loss is given: measures the metric, if there
 * is one, on both parts.  *done: there have been `patience` rounds without an
 * improvement.  ERROR_DATA where the metric is not defined on the validation
 * rows.
 */
extern bool early_stop_round(EarlyStop *stop, const Objective *objective, const ScoredRows *train, const ScoredRows *validation,
							 int round, double loss, bool *done, Error *error);

#endif
