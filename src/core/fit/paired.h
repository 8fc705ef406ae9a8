/*
 * paired.h
 *		Whether one model is better than another on the same rows, by metric_main().
 */
#ifndef MLOPS_CORE_FIT_PAIRED_H
#define MLOPS_CORE_FIT_PAIRED_H

#include "../arena.h"
#include "../types.h"

typedef struct Paired
{
	double		difference;		/* of the metric; positive where the first is better */
	double		standard_error;	/* of the difference, for the rows are a sample */
} Paired;

/*
 * truth[n]: values or class indexes; first, second[n x n_outputs]: what
 * model_predict gives; weight may be NULL.  Rows that both predict alike say
 * nothing, so the error is far smaller than that of either metric.
 *
 * binary: areas under the ROC curve, by the placements of DeLong, DeLong &
 * Clarke-Pearson (1988).  regression: root mean squared errors, by the delta
 * method.  multiclass: mean log losses.  NaN where the rows do not define the
 * metric (one class, fewer than two rows).  ERROR_MEMORY.
 */
extern bool paired_compare(Paired *paired, Task task, size_t n, const double *truth, const double *first, const double *second,
						   uint32_t n_outputs, const double *weight, Arena *arena, Error *error);

#endif
