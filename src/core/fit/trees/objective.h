/*
 * objective.h
 *		Losses of gradient boosting: derivatives by the score, and their sums.
 *
 * The score of row i in group k is base[k] + tree_scores[k][i]; softmax has a
 * group a class, all others one.  Derivatives follow XGBoost, each times the
 * row's weight; with s the score, y the target, p and m what the link makes
 * of s:
 *
 *		squared_error	g = s - y					h = 1
 *		absolute_error	g = sign(s - y)				h = 1, leaves refitted
 *		quantile		g = [s >= y] - share		h = 1, leaves refitted
 *		huber			g = r / sqrt(1 + (r/d)^2)	h = (1 + (r/d)^2)^(-3/2), r = s - y
 *		poisson			g = m - y					h = m e^max_delta_step
 *		gamma			g = 1 - y/m					h = y/m
 *		tweedie			g = m^(2-p) - y m^(1-p)		h = dg/ds
 *		logistic		g = p - y					h = p (1 - p)
 *		softmax			g = p_k - [y = k]			h = 2 p_k (1 - p_k)
 *
 * objective.c has squared error, logistic and softmax, objective_regression.c
 * and objective_log.c the others; objective_rows.c works on all rows.
 */
#ifndef MLOPS_CORE_FIT_OBJECTIVE_H
#define MLOPS_CORE_FIT_OBJECTIVE_H

#include "../../model/tree_model.h"
#include "../fit.h"

#define OBJECTIVE_BLOCK 4096	/* rows of a task: sums within one are sequential, and added in order */

/* Rows with their scores. */
typedef struct ScoredRows
{
	size_t		n;
	uint32_t	n_groups;
	const double *target;		/* value, 0 or 1, or class index */
	const double *weight;		/* or NULL */
	const double *base;			/* n_groups */
	double		shape;			/* the objective's own parameter: share, delta, power, e^max_delta_step */
	float	   *tree_scores;	/* n_groups x n */
	double	   *log_sums;		/* softmax: log of the sum of the exponentials of a row's scores; else NULL */
} ScoredRows;

typedef struct GradientBlock
{
	float		largest_g;		/* of the absolute values */
	float		largest_h;
	double		sum_g;			/* of the absolute values */
	double		sum_h;
	double		roots_g;		/* sum of about the square roots of the distances between g of some pairs of rows, fewer than there are rows */
	double		roots_h;		/* the same of h itself */
} GradientBlock;

typedef struct Objective
{
	const char *name;
	TreeLink	link;
	bool		grouped;		/* a group a class */
	bool		unit_h;			/* h is 1, times the weight */
	bool		refits_leaves;	/* by the quantile of their residuals, with shape as the share */
	double		lowest;			/* least target of a regression */
	bool		lowest_open;	/* which is not allowed itself */

	/* The constant scores of least loss; the targets are known to be allowed. */
	bool		(*base) (const FitInput *input, double shape, double *base, Error *error);

	/* Makes log_sums of rows begin .. end - 1 (a block); NULL where there is nothing to prepare. */
	void		(*prepare) (const ScoredRows *rows, size_t begin, size_t end);

	/* Weighted derivatives of rows begin .. end - 1 in one group. */
	void		(*gradients) (const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *g, float *h);

	/* Losses of n rows from `begin` (prepared), without weights. */
	void		(*losses) (const ScoredRows *rows, size_t begin, size_t n, double *losses);

	/* The mean loss that is shown, from the mean of the above. */
	double		(*shown) (double mean);
} Objective;

extern const Objective objective_absolute_error;
extern const Objective objective_huber;
extern const Objective objective_quantile;
extern const Objective objective_poisson;
extern const Objective objective_gamma;
extern const Objective objective_tweedie;

/* By its id; OBJECTIVE_AUTO is the task's own. */
extern const Objective *objective_find(ObjectiveId id, Task task);

/* ERROR_DATA for targets that the objective does not allow, and for targets and weights beyond float32. */
extern bool objective_check(const Objective *objective, const FitInput *input, Error *error);

/* A mean loss that is shown as it is. */
extern double objective_mean(double mean);

/* log_sums of all rows. */
extern void objective_prepare(const Objective *objective, const ScoredRows *rows, ThreadPool *pool);

/* Derivatives of all rows in one group; blocks: one a block of OBJECTIVE_BLOCK rows. */
extern void objective_gradients(const Objective *objective, const ScoredRows *rows, uint32_t group, float *g, float *h,
								GradientBlock *blocks, ThreadPool *pool);

/* The shown loss of all rows (prepared); scratch: 2 doubles a block.  NaN without rows. */
extern double objective_loss(const Objective *objective, const ScoredRows *rows, double *scratch, ThreadPool *pool);

static inline size_t
objective_blocks(size_t n_rows)
{
	return (n_rows + OBJECTIVE_BLOCK - 1) / OBJECTIVE_BLOCK;
}

#endif
