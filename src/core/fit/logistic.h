/*
 * logistic.h
 *		What the two files of logistic regression share.
 *
 * Scores: one for two classes, else one a class (softmax, symmetric: each
 * class has its own penalised weights).  Coefficients lie score by score in
 * rows of the design's stride; the intercept of centred columns stands behind
 * the weights, at n_columns, where each row of the design has a 1.
 */
#ifndef MLOPS_CORE_FIT_LOGISTIC_H
#define MLOPS_CORE_FIT_LOGISTIC_H

#include "design.h"

/* Up to this many unknowns the Newton equations are solved by Cholesky, beyond it by conjugate gradients. */
#define LOGISTIC_DIRECT_MAX 1024

typedef struct Logistic
{
	Design		design;
	double		lambda;
	uint32_t	n_scores;
	size_t		size;			/* n_scores * stride: doubles of one set of coefficients */
	bool		direct;

	double	   *theta;			/* size */
	double	   *trial;			/* size: where the objective was last evaluated */
	double	   *step;			/* size */

	/*
	 * At the point evaluated: the loss, in LINALG_LANES doubles; the
	 * gradient; the Hessian's blocks (k <= l, each stride x stride, upper
	 * triangle) for the direct method, else its diagonal.
	 */
	double	   *sums;			/* sums_size */
	size_t		sums_size;
	double	   *slots;			/* of design_sum() */
	double	   *scratch;		/* scratch_size a thread */
	size_t		scratch_size;

	/* Direct: the Newton matrix and its factor.  Conjugate gradients: four vectors of `size`. */
	double	   *matrix;
	Factor		factor;
	double	   *work;
	int		   *iwork;
	double	   *vectors;
} Logistic;

static inline double *
logistic_gradient(const Logistic *fit)
{
	return fit->sums + LINALG_LANES;
}

static inline double *
logistic_curvature(const Logistic *fit)
{
	return fit->sums + LINALG_LANES + fit->size;
}

/* Class probabilities of a block of rows: probability[score][row], DESIGN_BLOCK_ROWS apart; returns the sum of weighted log losses. */
extern double logistic_probabilities(const Logistic *fit, const double *theta, RowRange rows, double *probability);

/* Takes from each coefficient its mean over the scores of a softmax: changes no probability, and no penalised optimum. */
extern void logistic_sum_to_zero(const Logistic *fit, double *vector);

/* step = inverse of the Hessian at the point evaluated, times its gradient; false where the Hessian is singular. */
extern bool logistic_solve(Logistic *fit);

/* Memory of the solver, and how much that is in doubles. */
extern bool logistic_solver_init(Logistic *fit, Error *error);
extern uint64_t logistic_solver_doubles(uint64_t n_features, uint64_t n_scores, bool direct);

#endif
