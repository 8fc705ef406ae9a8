/*
 * objective.h
 *		Losses of gradient boosting: derivatives by the score, and their sums.
 *
 * The score of row i in group k is base[k] + tree_scores[k][i]; squared error
 * and the logistic loss have one group, softmax one a class.  Derivatives
 * follow XGBoost: squared error g = s - y, h = 1; logistic g = p - y,
 * h = p(1 - p); softmax g = p_k - [y = k], h = 2 p_k (1 - p_k); each times the
 * row's weight.
 */
#ifndef MLOPS_CORE_FIT_OBJECTIVE_H
#define MLOPS_CORE_FIT_OBJECTIVE_H

#include "fit.h"
#include "../tree_model.h"

#define OBJECTIVE_BLOCK 4096	/* rows of a task: sums within one are sequential, and added in order */

/* Rows with their scores. */
typedef struct ScoredRows
{
	size_t		n;
	uint32_t	n_groups;
	const double *target;		/* value, 0 or 1, or class index */
	const double *weight;		/* or NULL */
	const double *base;			/* n_groups */
	float	   *tree_scores;	/* n_groups x n */
	double	   *log_sums;		/* softmax: log of the sum of the exponentials of a row's scores; else NULL */
} ScoredRows;

typedef struct GradientBlock
{
	float		largest_g;		/* of the absolute values */
	float		largest_h;
	double		sum_g;			/* of the absolute values */
	double		sum_h;
} GradientBlock;

typedef struct Objective
{
	const char *name;
	TreeLink	link;
	bool		grouped;		/* a group a class */

	/* The constant scores of least loss. */
	bool		(*base) (const FitInput *input, double *base, Error *error);

	/* Makes log_sums of rows begin .. end - 1 (a block); NULL where there is nothing to prepare. */
	void		(*prepare) (const ScoredRows *rows, size_t begin, size_t end);

	/* Weighted derivatives of rows begin .. end - 1 in one group. */
	void		(*gradients) (const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *g, float *h);

	/* Losses of n rows from `begin` (prepared), without weights. */
	void		(*losses) (const ScoredRows *rows, size_t begin, size_t n, double *losses);

	/* The mean loss that is shown, from the mean of the above. */
	double		(*shown) (double mean);
} Objective;

extern const Objective *objective_of(Task task);

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
