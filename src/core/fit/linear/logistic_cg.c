/*
 * logistic_cg.c
 *		The Newton equations of logistic regression, for many unknowns.
 *
 * Conjugate gradients with one pass over the rows for each product with the
 * Hessian; as exact as the distance from the optimum deserves (truncated
 * Newton, Dembo & Steihaug 1983).  They are kept in the space where the
 * scores of a softmax sum to zero.
 *
 * The preconditioner takes each score's own block of the Hessian to be its
 * diagonal, which is exact, with correlations that are the same for all
 * scores: those of the Gram matrix weighted by the sum of the scores'
 * variances.  With many columns it is the diagonal alone.
 */
#include "logistic.h"

#include <math.h>
#include <string.h>

#define CG_STEPS_MAX	1000

/* The residual that is enough, relative to the gradient: as the gradient has fallen, within these. */
#define CG_LOOSEST		0.1
#define CG_TIGHTEST		1e-10

/* Added to correlations of 1, so that columns that determine each other do no harm. */
#define CORRELATION_EXTRA 1e-8

/* ---- The preconditioner ---- */

static double
penalty(const Logistic *fit, uint32_t column)
{
	return column < fit->design.n_columns ? fit->lambda : 0;
}

/* The block of one score, and its factor. */
static bool
factor_score(Logistic *fit, uint32_t score)
{
	size_t		stride = fit->design.stride;
	uint32_t	n = fit->design.n_columns + 1;
	const double *diagonal = logistic_curvature(fit) + score * stride;
	const double *gram = logistic_common_gram(fit);
	double	   *share = fit->work + factor_work(n);

	for (uint32_t i = 0; i < n; i++)
		share[i] = gram[i * stride + i] > 0 ? sqrt(diagonal[i] / gram[i * stride + i]) : 0;
	for (uint32_t i = 0; i < n; i++)
	{
		for (uint32_t j = i; j < n; j++)
			fit->matrix[(size_t) i * n + j] = gram[i * stride + j] * share[i] * share[j];
		fit->matrix[(size_t) i * n + i] += CORRELATION_EXTRA * diagonal[i] + penalty(fit, i);
	}
	return factor_cholesky(&fit->factors[score], fit->matrix, n, fit->work, fit->iwork);
}

static bool
factor_scores(Logistic *fit)
{
	for (uint32_t score = 0; score < fit->n_scores; score++)
		if (!factor_score(fit, score))
			return false;
	return true;
}

/* out = an approximate inverse of the Hessian, times the residual. */
static void
precondition(const Logistic *fit, const double *residual, double *out)
{
	size_t		stride = fit->design.stride;
	uint32_t	n = fit->design.n_columns + 1;

	memset(out, 0, fit->size * sizeof(double));
	for (uint32_t score = 0; score < fit->n_scores; score++)
	{
		memcpy(out + score * stride, residual + score * stride, n * sizeof(double));
		if (fit->correlated)
			factor_solve(&fit->factors[score], out + score * stride, fit->work);
		else
			for (uint32_t j = 0; j < n; j++)
			{
				double		curvature = logistic_curvature(fit)[score * stride + j] + penalty(fit, j);

				out[score * stride + j] /= curvature > 0 ? curvature : 1;
			}
	}
	logistic_sum_to_zero(fit, out);
}

/* ---- Products with the Hessian ---- */

typedef struct ProductWork
{
	const Logistic *fit;
	const double *direction;
} ProductWork;

/* sum += Hessian of the loss of these rows, times the direction. */
static void
sum_product(void *argument, RowRange rows, const Panel *panel, double *sum, int thread)
{
	const ProductWork *work = argument;
	const Logistic *fit = work->fit;
	const Design *design = &fit->design;
	double	   *probability = fit->scratch + (size_t) thread * fit->scratch_size;
	double	   *change = probability + (size_t) fit->n_scores * DESIGN_BLOCK_ROWS;
	double	   *mean = change + (size_t) fit->n_scores * DESIGN_BLOCK_ROWS;
	size_t		n = range_rows(rows);

	logistic_probabilities(fit, fit->trial, rows, panel, probability);
	memset(mean, 0, n * sizeof(double));
	for (uint32_t k = 0; k < fit->n_scores; k++)
	{
		const double *p = probability + (size_t) k * DESIGN_BLOCK_ROWS;
		double	   *moved = change + (size_t) k * DESIGN_BLOCK_ROWS;

		linalg_scores(moved, work->direction + k * design->stride, panel);
		for (size_t i = 0; i < n; i++)
			mean[i] += p[i] * moved[i];
	}
	for (uint32_t k = 0; k < fit->n_scores; k++)
	{
		const double *p = probability + (size_t) k * DESIGN_BLOCK_ROWS;
		double	   *moved = change + (size_t) k * DESIGN_BLOCK_ROWS;

		for (size_t i = 0; i < n; i++)
			moved[i] = p[i] * (moved[i] - mean[i]) * (design->weight != NULL ? design->weight[rows.begin + i] : 1);
		linalg_combine(sum + k * design->stride, moved, panel);
	}
}

/* Adds the penalty's part of a Hessian product. */
static void
add_penalty(const Logistic *fit, const double *direction, double *product)
{
	for (uint32_t k = 0; k < fit->n_scores; k++)
		for (uint32_t j = 0; j < fit->design.n_columns; j++)
			product[k * fit->design.stride + j] += fit->lambda * direction[k * fit->design.stride + j];
}

/* ---- Conjugate gradients ---- */

bool
logistic_cg_solve(Logistic *fit)
{
	size_t		size = fit->size;
	double	   *residual = fit->vectors;
	double	   *scaled = residual + size;
	double	   *direction = scaled + size;
	double	   *product = direction + size;
	ProductWork work = {fit, direction};

	if (fit->correlated && !factor_scores(fit))
		return false;
	memset(fit->step, 0, size * sizeof(double));
	memcpy(residual, logistic_gradient(fit), size * sizeof(double));
	logistic_sum_to_zero(fit, residual);
	precondition(fit, residual, scaled);
	memcpy(direction, scaled, size * sizeof(double));

	double		slope = linalg_dot(residual, scaled, size);

	if (fit->first_slope == 0)
		fit->first_slope = slope;

	double		tolerance = fmax(CG_TIGHTEST, fmin(CG_LOOSEST, sqrt(slope / fit->first_slope)));
	double		enough = tolerance * tolerance * slope;

	for (int i = 0; i < CG_STEPS_MAX && slope > enough; i++)
	{
		design_sum(&fit->design, sum_product, &work, size, fit->slots, product);
		add_penalty(fit, direction, product);
		logistic_sum_to_zero(fit, product);

		double		curvature = linalg_dot(direction, product, size);

		if (!(curvature > 0))
			break;
		linalg_axpy(slope / curvature, direction, fit->step, size);
		linalg_axpy(-slope / curvature, product, residual, size);
		precondition(fit, residual, scaled);

		double		next = linalg_dot(residual, scaled, size);

		for (size_t j = 0; j < size; j++)
			direction[j] = scaled[j] + next / slope * direction[j];
		slope = next;
	}
	return true;
}

uint64_t
logistic_cg_doubles(uint64_t n_features, uint64_t n_scores, bool correlated)
{
	uint64_t	n = n_features + 1;

	return 4 * n_scores * linalg_stride(n) + (correlated ? (n_scores + 1) * n * n + factor_work((uint32_t) n) + 3 * n : 0);
}

bool
logistic_cg_init(Logistic *fit, Error *error)
{
	Arena	   *arena = fit->design.input->arena;
	uint32_t	n = fit->design.n_columns + 1;

	fit->vectors = arena_alloc(arena, 4 * fit->size, sizeof(double), error);
	if (fit->vectors == NULL || !fit->correlated)
		return fit->vectors != NULL;
	fit->matrix = arena_zeroed(arena, (size_t) n * n, sizeof(double), error);
	fit->work = arena_alloc(arena, factor_work(n) + n, sizeof(double), error);
	fit->iwork = arena_alloc(arena, n, sizeof(int), error);
	fit->factors = arena_alloc(arena, fit->n_scores, sizeof(Factor), error);
	if (fit->matrix == NULL || fit->work == NULL || fit->iwork == NULL || fit->factors == NULL)
		return false;
	for (uint32_t score = 0; score < fit->n_scores; score++)
		if (!factor_init(&fit->factors[score], n, arena, error))
			return false;
	return true;
}
