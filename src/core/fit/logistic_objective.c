/*
 * logistic_objective.c
 *		The objective of logistic regression: loss, gradient, curvature.
 *
 * All of them in one pass over the rows, block by block.
 */
#include "logistic.h"

#include <math.h>

#include "../mathfun.h"

/* Two classes: stable on both sides (Mächler 2012). */
static double
binary_probabilities(const Logistic *fit, const double *theta, RowRange rows, double *probability)
{
	const Design *design = &fit->design;
	double		loss = 0;

	linalg_scores(probability, theta, design->x + rows.begin * design->stride, range_rows(rows), design->stride);
	for (size_t row = rows.begin; row < rows.end; row++)
	{
		double		z = probability[row - rows.begin];
		double		e = math_exp(-fabs(z));
		double		away = design->y[row] != 0 ? -z : z;	/* how far on the wrong side */
		double		weight = design->weight != NULL ? design->weight[row] : 1;

		probability[row - rows.begin] = (z >= 0 ? 1 : e) / (1 + e);
		loss += weight * ((away > 0 ? away : 0) + math_log1p(e));
	}
	return loss;
}

static double
softmax_probabilities(const Logistic *fit, const double *theta, RowRange rows, double *probability)
{
	const Design *design = &fit->design;
	double		loss = 0;

	for (uint32_t k = 0; k < fit->n_scores; k++)
		linalg_scores(probability + k * DESIGN_BLOCK_ROWS, theta + k * design->stride, design->x + rows.begin * design->stride,
					  range_rows(rows), design->stride);
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
logistic_probabilities(const Logistic *fit, const double *theta, RowRange rows, double *probability)
{
	return fit->n_scores == 1 ? binary_probabilities(fit, theta, rows, probability) : softmax_probabilities(fit, theta, rows, probability);
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
sum_hessian(const Logistic *fit, RowRange rows, const double *probability, double *h, double *gram_scratch, double *grams)
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
			linalg_gram(grams, design->x + rows.begin * stride, h, range_rows(rows), stride, gram_scratch);
		}
}

/* The Hessian's diagonal. */
static void
sum_diagonal(const Logistic *fit, RowRange rows, const double *probability, double *diagonal)
{
	const Design *design = &fit->design;

	for (uint32_t k = 0; k < fit->n_scores; k++)
		for (size_t row = rows.begin; row < rows.end; row++)
		{
			const double *x = design->x + row * design->stride;
			double		p = probability[(size_t) k * DESIGN_BLOCK_ROWS + (row - rows.begin)];
			double		h = p * (1 - p) * (design->weight != NULL ? design->weight[row] : 1);

			for (uint32_t j = 0; j <= design->n_columns; j++)
				diagonal[k * design->stride + j] += h * x[j] * x[j];
		}
}

/* The Gram matrix with each row weighted by the sum of its scores' variances. */
static void
sum_common_gram(const Logistic *fit, RowRange rows, const double *probability, double *h, double *gram_scratch, double *gram)
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
	linalg_gram(gram, design->x + rows.begin * design->stride, h, range_rows(rows), design->stride, gram_scratch);
}

/* Loss, gradient and curvature of a block at the trial point. */
static void
sum_objective(void *argument, RowRange rows, double *sum, int thread)
{
	const Logistic *fit = argument;
	const Design *design = &fit->design;
	double	   *probability = fit->scratch + (size_t) thread * fit->scratch_size;
	double	   *residual = probability + (size_t) fit->n_scores * DESIGN_BLOCK_ROWS;
	double	   *gram_scratch = residual + DESIGN_BLOCK_ROWS;
	double	   *gradient = sum + LINALG_LANES;
	double	   *curvature = gradient + fit->size;

	sum[0] = logistic_probabilities(fit, fit->trial, rows, probability);
	for (uint32_t k = 0; k < fit->n_scores; k++)
	{
		for (size_t i = 0; i < range_rows(rows); i++)
		{
			double		y = design->y[rows.begin + i];

			residual[i] = probability[(size_t) k * DESIGN_BLOCK_ROWS + i] - (fit->n_scores == 1 ? y : y == k);
			if (design->weight != NULL)
				residual[i] *= design->weight[rows.begin + i];
		}
		linalg_combine(gradient + k * design->stride, residual, design->x + rows.begin * design->stride, range_rows(rows), design->stride);
	}
	if (fit->direct)
		sum_hessian(fit, rows, probability, residual, gram_scratch, curvature);
	else
	{
		sum_diagonal(fit, rows, probability, curvature);
		if (fit->correlated)
			sum_common_gram(fit, rows, probability, residual, gram_scratch, curvature + fit->size);
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
