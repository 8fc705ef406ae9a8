/*
 * link.h
 *		From scores to probabilities, for every kind of payload.
 */
#ifndef MLOPS_CORE_LINK_H
#define MLOPS_CORE_LINK_H

#include "mathfun.h"

/* out = {1 - p, p}, each from the exponential, so that neither loses its digits near 0. */
static inline void
link_logistic(double score, double *out)
{
	double		e = math_exp(-fabs(score));
	double		small = e / (1.0 + e);
	double		large = 1.0 / (1.0 + e);

	out[0] = score > 0.0 ? small : large;
	out[1] = score > 0.0 ? large : small;
}

/* Scores to probabilities in place; the largest is subtracted first, so nothing overflows. */
static inline void
link_softmax(double *scores, uint32_t n)
{
	double		largest = scores[0];
	double		sum = 0.0;

	for (uint32_t i = 1; i < n; i++)
		largest = scores[i] > largest ? scores[i] : largest;
	for (uint32_t i = 0; i < n; i++)
	{
		scores[i] = math_exp(scores[i] - largest);
		sum += scores[i];
	}
	for (uint32_t i = 0; i < n; i++)
		scores[i] /= sum;
}

#endif
