/*
 * linear_model.h
 *		The payload of linear models: a matrix of coefficients.
 *
 * score[g] = intercept[g] + sum over features of weight[g][j] * feature[j],
 * summed in feature order in double.  Binary logistic regression has one
 * score, multinomial one a class.  The baseline is a linear model without
 * features.
 */
#ifndef MLOPS_CORE_LINEAR_MODEL_H
#define MLOPS_CORE_LINEAR_MODEL_H

#include "model.h"

typedef enum LinearLink
{
	LINEAR_IDENTITY = 1,
	LINEAR_LOGISTIC = 2,		/* one score; out = {1 - p, p} */
	LINEAR_SOFTMAX = 3,
	LINEAR_CONSTANT = 4			/* out = intercepts as they are (baseline); no weights */
} LinearLink;

typedef struct LinearPayload
{
	uint32_t	link;			/* LinearLink */
	uint32_t	n_scores;
	uint32_t	n_features;		/* weights a score: the model's n_features, or 0 for LINEAR_CONSTANT */
	uint32_t	reserved;
	/* double intercept[n_scores], weight[n_scores][n_features], mean[n_features]: of the encoded training rows; 0 where all weights are */
} LinearPayload;

/* Whether the model's payload is this. */
extern bool model_is_linear(const Model *model);

/* Of a valid payload: intercept[n_scores], and the n_features weights of a score. */
static inline const double *
linear_intercept(const LinearPayload *payload)
{
	return (const double *) (payload + 1);
}

static inline const double *
linear_weights(const LinearPayload *payload, uint32_t score)
{
	return linear_intercept(payload) + payload->n_scores + (size_t) score * payload->n_features;
}

/* What an average training row has, to explain by. */
static inline const double *
linear_means(const LinearPayload *payload)
{
	return linear_weights(payload, payload->n_scores);
}

extern bool linear_model_validate(const Model *model, Error *error);
extern void linear_model_predict(const Model *model, const double *features, double *out);

/* The last step of it: scores to outputs, in place. */
extern void linear_model_link(const Model *model, double *out);

/* intercept[n_scores], weights[n_scores][n_features], means[n_features]. */
extern bool linear_model_write(LinearLink link, uint32_t n_scores, uint32_t n_features, const double *intercept,
							   const double *weights, const double *means, Buffer *payload, Error *error);

#endif
