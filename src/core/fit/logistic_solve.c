/*
 * logistic_solve.c
 *		The Newton equations of logistic regression.
 *
 * Few unknowns: the Hessian is assembled from weighted Gram matrices and
 * factored by Cholesky.  Many: conjugate gradients, preconditioned by the
 * Hessian's diagonal, with one pass over the rows for each product
 * (truncated Newton, Dembo & Steihaug 1983).
 *
 * Softmax scores may all move by the same amount without changing any
 * probability.  The optimum sought has scores that sum to zero: along the
 * direction that changes nothing the direct method adds a curvature, and
 * conjugate gradients are kept in the space where scores sum to zero.
 */
#include "logistic.h"

#include <math.h>
#include <string.h>

#define CG_STEPS_MAX	500
#define CG_TOLERANCE	1e-8	/* of the residual, relative to the gradient */

void
logistic_sum_to_zero(const Logistic *fit, double *vector)
{
	if (fit->n_scores == 1)
		return;
	for (size_t j = 0; j < fit->design.stride; j++)
	{
		double		mean = 0;

		for (uint32_t k = 0; k < fit->n_scores; k++)
			mean += vector[k * fit->design.stride + j];
		mean /= fit->n_scores;
		for (uint32_t k = 0; k < fit->n_scores; k++)
			vector[k * fit->design.stride + j] -= mean;
	}
}

/* ---- Direct ---- */

/* Index of the block (k, l), k <= l, among the Gram matrices. */
static size_t
pair_index(uint32_t k, uint32_t l, uint32_t n_scores)
{
	return (size_t) k * n_scores - (size_t) k * (k + 1) / 2 + l;
}

/* The Hessian of the penalised loss, of order n_scores * (n_columns + 1), upper triangle. */
static void
assemble(Logistic *fit)
{
	size_t		stride = fit->design.stride;
	size_t		n = (size_t) fit->design.n_columns + 1;
	size_t		order = n * fit->n_scores;

	for (uint32_t k = 0; k < fit->n_scores; k++)
		for (uint32_t l = k; l < fit->n_scores; l++)
		{
			const double *gram = logistic_curvature(fit) + pair_index(k, l, fit->n_scores) * stride * stride;

			for (size_t i = 0; i < n; i++)
				for (size_t j = 0; j < n; j++)
					fit->matrix[(k * n + i) * order + l * n + j] = i <= j ? gram[i * stride + j] : gram[j * stride + i];
		}
	for (uint32_t k = 0; k < fit->n_scores; k++)
		for (size_t j = 0; j + 1 < n; j++)
			fit->matrix[(k * n + j) * order + k * n + j] += fit->lambda;
}

/* Makes the matrix regular along "all scores alike", by the mean curvature of each coefficient. */
static void
add_common_curvature(Logistic *fit)
{
	size_t		n = (size_t) fit->design.n_columns + 1;
	size_t		order = n * fit->n_scores;

	for (size_t j = 0; j < n; j++)
	{
		double		curvature = 0;

		for (uint32_t k = 0; k < fit->n_scores; k++)
			curvature += fit->matrix[(k * n + j) * order + k * n + j];
		curvature /= (double) fit->n_scores * fit->n_scores;
		for (uint32_t k = 0; k < fit->n_scores; k++)
			for (uint32_t l = k; l < fit->n_scores; l++)
				fit->matrix[(k * n + j) * order + l * n + j] += curvature;
	}
}

static bool
solve_direct(Logistic *fit)
{
	size_t		stride = fit->design.stride;
	size_t		n = (size_t) fit->design.n_columns + 1;

	assemble(fit);
	if (fit->n_scores > 1)
		add_common_curvature(fit);
	fit->factor.n = (uint32_t) (n * fit->n_scores);
	if (!factor_cholesky(&fit->factor, fit->matrix, fit->factor.n, fit->work, fit->iwork))
		return false;

	double	   *packed = fit->work + factor_work(fit->factor.n);

	for (uint32_t k = 0; k < fit->n_scores; k++)
		memcpy(packed + k * n, logistic_gradient(fit) + k * stride, n * sizeof(double));
	factor_solve(&fit->factor, packed, fit->work);
	memset(fit->step, 0, fit->size * sizeof(double));
	for (uint32_t k = 0; k < fit->n_scores; k++)
		memcpy(fit->step + k * stride, packed + k * n, n * sizeof(double));
	return true;
}

/* ---- Conjugate gradients ---- */

typedef struct ProductWork
{
	const Logistic *fit;
	const double *direction;
} ProductWork;

/* sum += Hessian of the loss of these rows, times the direction. */
static void
sum_product(void *argument, RowRange rows, double *sum, int thread)
{
	const ProductWork *work = argument;
	const Logistic *fit = work->fit;
	const Design *design = &fit->design;
	double	   *probability = fit->scratch + (size_t) thread * fit->scratch_size;
	double	   *change = probability + (size_t) fit->n_scores * DESIGN_BLOCK_ROWS;
	double	   *mean = change + (size_t) fit->n_scores * DESIGN_BLOCK_ROWS;
	const double *x = design->x + rows.begin * design->stride;
	size_t		n = range_rows(rows);

	logistic_probabilities(fit, fit->trial, rows, probability);
	memset(mean, 0, n * sizeof(double));
	for (uint32_t k = 0; k < fit->n_scores; k++)
	{
		const double *p = probability + (size_t) k * DESIGN_BLOCK_ROWS;
		double	   *moved = change + (size_t) k * DESIGN_BLOCK_ROWS;

		linalg_scores(moved, work->direction + k * design->stride, x, n, design->stride);
		for (size_t i = 0; i < n; i++)
			mean[i] += p[i] * moved[i];
	}
	for (uint32_t k = 0; k < fit->n_scores; k++)
	{
		const double *p = probability + (size_t) k * DESIGN_BLOCK_ROWS;
		double	   *moved = change + (size_t) k * DESIGN_BLOCK_ROWS;

		for (size_t i = 0; i < n; i++)
			moved[i] = p[i] * (moved[i] - mean[i]) * (design->weight != NULL ? design->weight[rows.begin + i] : 1);
		linalg_combine(sum + k * design->stride, moved, x, n, design->stride);
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

/* Division by the Hessian's diagonal; one preconditioner for all scores of a coefficient keeps their sum at zero. */
static void
precondition(const Logistic *fit, const double *residual, double *out)
{
	size_t		stride = fit->design.stride;

	memset(out, 0, fit->size * sizeof(double));
	for (uint32_t j = 0; j <= fit->design.n_columns; j++)
	{
		double		curvature = 0;

		for (uint32_t k = 0; k < fit->n_scores; k++)
			curvature += logistic_curvature(fit)[k * stride + j];
		curvature = curvature / fit->n_scores + (j < fit->design.n_columns ? fit->lambda : 0);
		for (uint32_t k = 0; k < fit->n_scores && curvature > 0; k++)
			out[k * stride + j] = residual[k * stride + j] / curvature;
	}
}

static bool
solve_iteratively(Logistic *fit)
{
	size_t		size = fit->size;
	double	   *residual = fit->vectors;
	double	   *scaled = residual + size;
	double	   *direction = scaled + size;
	double	   *product = direction + size;
	ProductWork work = {fit, direction};

	memset(fit->step, 0, size * sizeof(double));
	memcpy(residual, logistic_gradient(fit), size * sizeof(double));
	logistic_sum_to_zero(fit, residual);
	precondition(fit, residual, scaled);
	memcpy(direction, scaled, size * sizeof(double));

	double		slope = linalg_dot(residual, scaled, size);
	double		enough = CG_TOLERANCE * CG_TOLERANCE * slope;

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

bool
logistic_solve(Logistic *fit)
{
	bool		solved = fit->direct ? solve_direct(fit) : solve_iteratively(fit);

	logistic_sum_to_zero(fit, fit->step);
	return solved;
}

uint64_t
logistic_solver_doubles(uint64_t n_features, uint64_t n_scores, bool direct)
{
	uint64_t	order = n_scores * (n_features + 1);

	if (!direct)
		return 4 * n_scores * linalg_stride(n_features + 1);
	return 2 * order * order + factor_work((uint32_t) order) + 3 * order;
}

bool
logistic_solver_init(Logistic *fit, Error *error)
{
	Arena	   *arena = fit->design.input->arena;
	size_t		order = fit->n_scores * ((size_t) fit->design.n_columns + 1);

	if (!fit->direct)
	{
		fit->vectors = arena_alloc(arena, 4 * fit->size, sizeof(double), error);
		return fit->vectors != NULL;
	}
	fit->matrix = arena_zeroed(arena, order * order, sizeof(double), error);
	fit->work = arena_alloc(arena, factor_work((uint32_t) order) + order, sizeof(double), error);
	fit->iwork = arena_alloc(arena, order, sizeof(int), error);
	return fit->matrix != NULL && fit->work != NULL && fit->iwork != NULL && factor_init(&fit->factor, (uint32_t) order, arena, error);
}
