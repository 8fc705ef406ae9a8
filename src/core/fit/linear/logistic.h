/*
 * logistic.h
 *		What the files of logistic regression share.
 *
 * Scores: one for two classes, else one a class (softmax, symmetric: each
 * class has its own penalised weights).  Coefficients lie score by score in
 * rows of the design's stride; the intercept of centred columns stands behind
 * the weights, at n_columns, where each row of the design has a 1.
 */
#ifndef MLOPS_CORE_FIT_LOGISTIC_H
#define MLOPS_CORE_FIT_LOGISTIC_H

#include "design.h"

/*
 * Up to this many unknowns the Newton equations are solved by Cholesky, beyond
 * it by conjugate gradients: with one score, and with several, whose Hessian
 * costs a Gram matrix for each pair of them.
 */
#define LOGISTIC_DIRECT_ONE		1024
#define LOGISTIC_DIRECT_SEVERAL	256

/* Up to this many doubles, the preconditioner of conjugate gradients has a factor for each score. */
#define LOGISTIC_FACTORS_MAX	(16 * 1024 * 1024)

typedef struct Logistic
{
	Design		design;
	double		lambda;
	uint32_t	n_scores;
	size_t		size;			/* n_scores * stride: doubles of one set of coefficients */
	bool		direct;			/* by Cholesky, not by conjugate gradients */
	bool		sampling;		/* the design is cut to its first rows, for a start */
	bool		correlated;		/* conjugate gradients with factors for preconditioner, not the diagonal */

	double	   *theta;			/* size */
	double	   *trial;			/* size: where the objective was last evaluated */
	double	   *step;			/* size */

	/*
	 * At the point evaluated: the loss, in LINALG_LANES doubles; the
	 * gradient; the Hessian's blocks (k <= l, each stride x stride, upper
	 * triangle) for the direct method, else its diagonal and, if correlated,
	 * the common Gram matrix.
	 */
	double	   *sums;			/* sums_size */
	size_t		sums_size;
	double	   *slots;			/* of design_sum() */
	double	   *scratch;		/* scratch_size a thread */
	size_t		scratch_size;

	double	   *matrix;			/* of the Newton equations, or of one score's block */
	Factor		factor;			/* of the Newton equations */
	Factor	   *factors;		/* of each score's block */
	double	   *work;
	int		   *iwork;
	double	   *vectors;		/* of conjugate gradients: four of `size` */
	double		first_slope;	/* of the first gradient, in the preconditioner's norm */
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

static inline double *
logistic_common_gram(const Logistic *fit)
{
	return logistic_curvature(fit) + fit->size;
}

/* Class probabilities of some rows of a block: probability[score][row], DESIGN_BLOCK_ROWS apart; returns the sum of weighted log losses. */
extern double logistic_probabilities(const Logistic *fit, const double *theta, RowRange rows, const Panel *panel, double *probability);

/* The penalised objective at fit->trial; gradient and curvature are in fit->sums then. */
extern double logistic_evaluate(Logistic *fit);

/* Takes from each coefficient its mean over the scores of a softmax: changes no probability, and no penalised optimum. */
extern void logistic_sum_to_zero(const Logistic *fit, double *vector);

/* step = inverse of the Hessian at the point evaluated, times its gradient; false where the Hessian is singular. */
extern bool logistic_newton_solve(Logistic *fit);
extern bool logistic_cg_solve(Logistic *fit);

/* Memory of the solvers, and how much that is in doubles. */
extern bool logistic_newton_init(Logistic *fit, Error *error);
extern bool logistic_cg_init(Logistic *fit, Error *error);
extern uint64_t logistic_newton_doubles(uint64_t n_features, uint64_t n_scores);
extern uint64_t logistic_cg_doubles(uint64_t n_features, uint64_t n_scores, bool correlated);

#endif
