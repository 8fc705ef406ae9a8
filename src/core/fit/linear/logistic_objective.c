/*
 * logistic_objective.c
 *		The objective of logistic regression: loss, gradient, curvature.
 *
 * All of them in one pass over the rows, block by block.
 */
#include "logistic.h"

#include <math.h>
#include <string.h>

#include "../../cpu.h"
#include "../../mathfun.h"

/* Rows whose exponentials are taken at a time: a constant, so that the loop becomes one over vectors. */
#define LOSS_ROWS 64

/* Probabilities in place of scores, and log losses, of LOSS_ROWS rows: stable on both sides (Mächler 2012). */
CPU_BODY void
logistic_rows_body(double *restrict z, const double *restrict y, double *restrict loss)
{
	for (int i = 0; i < LOSS_ROWS; i++)
	{
		double		e = math_exp(-fabs(z[i]));
		double		away = math_select(y[i] != 0, -z[i], z[i]);	/* how far on the wrong side */

		loss[i] = math_select(away > 0, away, 0.0) + math_log1p(e);
		z[i] = math_select(z[i] >= 0, 1.0, e) / (1.0 + e);
	}
}

CPU_DISPATCH(logistic_rows, (double *restrict z, const double *restrict y, double *restrict loss), (z, y, loss))

/* Two classes. */
static double
binary_probabilities(const Logistic *fit, const double *theta, RowRange rows, const Panel *panel, double *probability)
{
	const Design *design = &fit->design;
	double		total = 0;

	linalg_scores(probability, theta, panel);
	for (size_t begin = rows.begin; begin < rows.end; begin += LOSS_ROWS)
	{
		size_t		n = rows.end - begin < LOSS_ROWS ? rows.end - begin : LOSS_ROWS;
		double		y[LOSS_ROWS] = {0};
		double		loss[LOSS_ROWS] __attribute__((aligned(64)));

		memcpy(y, design->y + begin, n * sizeof(double));
		logistic_rows(probability + (begin - rows.begin), y, loss);
		if (design->weight != NULL)
			for (size_t i = 0; i < n; i++)
				loss[i] *= design->weight[begin + i];
		memset(loss + n, 0, (LOSS_ROWS - n) * sizeof(double));
		total += linalg_sum(loss, LOSS_ROWS);
	}
	return total;
}

static double
softmax_probabilities(const Logistic *fit, const double *theta, RowRange rows, const Panel *panel, double *probability)
{
	const Design *design = &fit->design;
	double		loss = 0;

	for (uint32_t k = 0; k < fit->n_scores; k++)
		linalg_scores(probability + k * DESIGN_BLOCK_ROWS, theta + k * design->stride, panel);
	for (size_t row = rows.begin; row < rows.end; row++)
	{
		double	   *p = probability + (row - rows.begin);
		double		highest = p[0];
		double		sum = 0;

		for (uint32_t k = 1; k < fit->n_scores; k++)
			highest = fmax(highest, p[k * DESIGN_BLOCK_ROWS]);

		double		truth = p[(size_t) design->y[row] * DESIGN_BLOCK_ROWS] - highest;

		for (uint32_t k = 0; k < fit->n_scores; k++)
		{
			p[k * DESIGN_BLOCK_ROWS] = math_exp(p[k * DESIGN_BLOCK_ROWS] - highest);
			sum += p[k * DESIGN_BLOCK_ROWS];
		}
		for (uint32_t k = 0; k < fit->n_scores; k++)
			p[k * DESIGN_BLOCK_ROWS] /= sum;
		loss += (design->weight != NULL ? design->weight[row] : 1) * (math_log(sum) - truth);
	}
	return loss;
}

double
logistic_probabilities(const Logistic *fit, const double *theta, RowRange rows, const Panel *panel, double *probability)
{
	return fit->n_scores == 1 ? binary_probabilities(fit, theta, rows, panel, probability)
		: softmax_probabilities(fit, theta, rows, panel, probability);
}

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

/* Gram matrices of the Hessian's blocks. */
static void
sum_hessian(const Logistic *fit, RowRange rows, const Panel *panel, const double *probability, double *h, double *gram_scratch, double *grams)
{
	const Design *design = &fit->design;
	size_t		stride = design->stride;

	for (uint32_t k = 0; k < fit->n_scores; k++)
		for (uint32_t l = k; l < fit->n_scores; l++, grams += stride * stride)
		{
			const double *p = probability + (size_t) k * DESIGN_BLOCK_ROWS;
			const double *q = probability + (size_t) l * DESIGN_BLOCK_ROWS;

			for (size_t i = 0; i < range_rows(rows); i++)
			{
				h[i] = k == l ? p[i] * (1 - p[i]) : -p[i] * q[i];
				if (design->weight != NULL)
					h[i] *= design->weight[rows.begin + i];
			}
			linalg_gram(grams, stride, panel, h, gram_scratch);
		}
}

/* The Hessian's diagonal. */
static void
sum_diagonal(const Logistic *fit, RowRange rows, const Panel *panel, const double *probability, double *h, double *diagonal)
{
	const Design *design = &fit->design;

	for (uint32_t k = 0; k < fit->n_scores; k++)
	{
		const double *p = probability + (size_t) k * DESIGN_BLOCK_ROWS;

		for (size_t i = 0; i < range_rows(rows); i++)
			h[i] = p[i] * (1 - p[i]) * (design->weight != NULL ? design->weight[rows.begin + i] : 1);
		linalg_combine_squares(diagonal + k * design->stride, h, panel);
	}
}

/* The Gram matrix with each row weighted by the sum of its scores' variances. */
static void
sum_common_gram(const Logistic *fit, RowRange rows, const Panel *panel, const double *probability, double *h, double *gram_scratch, double *gram)
{
	const Design *design = &fit->design;

	for (size_t i = 0; i < range_rows(rows); i++)
	{
		h[i] = 0;
		for (uint32_t k = 0; k < fit->n_scores; k++)
			h[i] += probability[(size_t) k * DESIGN_BLOCK_ROWS + i] * (1 - probability[(size_t) k * DESIGN_BLOCK_ROWS + i]);
		if (design->weight != NULL)
			h[i] *= design->weight[rows.begin + i];
	}
	linalg_gram(gram, design->stride, panel, h, gram_scratch);
}

/* Loss, gradient and curvature of a block at the trial point. */
static void
sum_objective(void *argument, RowRange rows, const Panel *panel, double *sum, int thread)
{
	const Logistic *fit = argument;
	const Design *design = &fit->design;
	double	   *probability = fit->scratch + (size_t) thread * fit->scratch_size;
	double	   *residual = probability + (size_t) fit->n_scores * DESIGN_BLOCK_ROWS;
	double	   *gram_scratch = residual + DESIGN_BLOCK_ROWS;
	double	   *gradient = sum + LINALG_LANES;
	double	   *curvature = gradient + fit->size;

	sum[0] += logistic_probabilities(fit, fit->trial, rows, panel, probability);
	for (uint32_t k = 0; k < fit->n_scores; k++)
	{
		for (size_t i = 0; i < range_rows(rows); i++)
		{
			double		y = design->y[rows.begin + i];

			residual[i] = probability[(size_t) k * DESIGN_BLOCK_ROWS + i] - (fit->n_scores == 1 ? y : y == k);
			if (design->weight != NULL)
				residual[i] *= design->weight[rows.begin + i];
		}
		linalg_combine(gradient + k * design->stride, residual, panel);
	}
	if (fit->direct)
		sum_hessian(fit, rows, panel, probability, residual, gram_scratch, curvature);
	else
	{
		sum_diagonal(fit, rows, panel, probability, residual, curvature);
		if (fit->correlated)
			sum_common_gram(fit, rows, panel, probability, residual, gram_scratch, curvature + fit->size);
	}
}

/* The penalised objective at the trial point; gradient and curvature stay in fit->sums. */
double
logistic_evaluate(Logistic *fit)
{
	double		penalty = 0;

	design_sum(&fit->design, sum_objective, fit, fit->sums_size, fit->slots, fit->sums);
	for (uint32_t k = 0; k < fit->n_scores; k++)
	{
		const double *theta = fit->trial + k * fit->design.stride;
		double	   *gradient = logistic_gradient(fit) + k * fit->design.stride;

		for (uint32_t j = 0; j < fit->design.n_columns; j++)
		{
			gradient[j] += fit->lambda * theta[j];
			penalty += theta[j] * theta[j];
		}
	}
	return fit->sums[0] + fit->lambda / 2 * penalty;
}
