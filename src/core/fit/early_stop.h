/*
 * early_stop.h
 *		When to stop boosting: the best round so far, by the loss or by a metric of the validation rows.
 */
#ifndef MLOPS_CORE_FIT_EARLY_STOP_H
#define MLOPS_CORE_FIT_EARLY_STOP_H

#include "objective.h"

typedef struct EarlyStop
{
	int			patience;		/* rounds without an improvement; 0: never stops */
	double		min_delta;		/* what counts as one */
	char		metric[32];		/* of metrics.h; empty: the loss */
	Task		task;
	const double *weight;		/* of the validation rows, without those of their classes; or NULL */
	double	   *outputs;		/* predictions, for a metric */
	int			best_round;
	double		best;			/* smaller is better */
} EarlyStop;

/* Reads early_stopping_rounds, _metric and _min_delta; input->weight is that of the rows alone. */
extern bool early_stop_init(EarlyStop *stop, const FitInput *input, Error *error);

/* After a round; *done: there have been `patience` rounds without an improvement.  ERROR_DATA where the metric is not defined. */
extern bool early_stop_round(EarlyStop *stop, const Objective *objective, const ScoredRows *validation, int round, double loss,
							 bool *done, Error *error);

#endif
