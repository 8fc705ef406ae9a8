/*
 * logistic_newton.c
 *		The Newton equations of logistic regression, for few unknowns.
 *
 * The Hessian is assembled from weighted Gram matrices and factored by
 * Cholesky.  Softmax scores may all move by the same amount without changing
 * any probability; along that direction a curvature is added, which keeps
 * the solution where scores sum to zero.
 */
#include "logistic.h"

#include <string.h>

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

bool
logistic_newton_solve(Logistic *fit)
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

uint64_t
logistic_newton_doubles(uint64_t n_features, uint64_t n_scores)
{
	uint64_t	order = n_scores * (n_features + 1);

	return 2 * order * order + factor_work((uint32_t) order) + 3 * order;
}

bool
logistic_newton_init(Logistic *fit, Error *error)
{
	Arena	   *arena = fit->design.input->arena;
	size_t		order = fit->n_scores * ((size_t) fit->design.n_columns + 1);

	fit->matrix = arena_zeroed(arena, order * order, sizeof(double), error);
	fit->work = arena_alloc(arena, factor_work((uint32_t) order) + order, sizeof(double), error);
	fit->iwork = arena_alloc(arena, order, sizeof(int), error);
	return fit->matrix != NULL && fit->work != NULL && fit->iwork != NULL && factor_init(&fit->factor, (uint32_t) order, arena, error);
}
