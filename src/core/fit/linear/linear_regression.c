/*
 * linear_regression.c
 *		Least squares and ridge regression.
 *
 * Minimises sum of weight * (y - b - w.x)^2 + reg_lambda * |w|^2.  The normal
 * equations of the centred columns are solved by Cholesky, scaled to a unit
 * diagonal (van der Sluis 1969), and the solution is improved by steps whose
 * right-hand side comes from the rows' residuals (the corrected seminormal
 * equations, Björck 1987).  Where the condition is too bad for that, or
 * columns determine each other, the rows are reduced to a triangle by
 * blocked Householder QR (TSQR, Demmel et al. 2012), and QR with column
 * pivoting finds the columns to leave out; they get the coefficient 0.
 */
#include "design.h"

#include <math.h>
#include <string.h>

#include "../../model/linear_model.h"

/* Below this reciprocal condition of the scaled normal equations, QR takes over. */
#define RCOND_CHOLESKY	1e-10

/* Improving by seminormal equations needs this much of a condition. */
#define RCOND_IMPROVE	1e-13

/* A column of which the others leave less than this share unexplained is left out. */
#define ALIAS_TOLERANCE 1e-11

#define IMPROVE_STEPS	5

typedef struct Fit
{
	Design		design;
	double		lambda;
	double	   *gram;			/* stride x stride */
	double	   *slots;			/* of design_sum() */
	double	   *scratch;		/* scratch_size for each thread: weights or residuals of a block, and what linalg_gram() needs */
	size_t		scratch_size;
	double	   *coefficients;	/* stride; [n_columns] is -1: a row times them is prediction - target */
	double		intercept;		/* of the centred columns and target */
	double	   *gradient;		/* stride + LINALG_LANES: what the rows say the coefficients, and behind them the intercept, lack */
	double	   *work;
	int		   *iwork;
	Factor		factor;
} Fit;

/* What the fit allocates beside the design, in doubles. */
static uint64_t
fit_doubles(uint64_t n_features, int n_threads)
{
	uint64_t	stride = linalg_stride(n_features + 1);

	uint64_t	stack = (2 * stride + DESIGN_BLOCK_ROWS + 64) * stride;

	return 2 * stride * stride + design_slots(stride * stride) + (uint64_t) n_threads * stack + factor_work((uint32_t) n_features) + 4 * stride;
}

static bool
allocate(Fit *fit, Error *error)
{
	const FitInput *input = fit->design.input;
	Arena	   *arena = input->arena;
	size_t		stride = fit->design.stride;
	size_t		n = fit->design.n_columns;

	fit->gram = arena_alloc(arena, stride * stride, sizeof(double), error);
	fit->slots = arena_alloc(arena, design_slots(stride * stride), sizeof(double), error);
	fit->scratch_size = DESIGN_BLOCK_ROWS + linalg_gram_scratch(stride);
	fit->scratch = arena_zeroed(arena, fit->scratch_size * (size_t) pool_threads(input->pool), sizeof(double), error);
	fit->coefficients = arena_zeroed(arena, stride, sizeof(double), error);
	fit->gradient = arena_alloc(arena, stride + LINALG_LANES, sizeof(double), error);
	fit->work = arena_alloc(arena, factor_work((uint32_t) n), sizeof(double), error);
	fit->iwork = arena_alloc(arena, n, sizeof(int), error);
	return fit->gram != NULL && fit->slots != NULL && fit->scratch != NULL && fit->coefficients != NULL && fit->gradient != NULL &&
		fit->work != NULL && fit->iwork != NULL && factor_init(&fit->factor, (uint32_t) n, arena, error);
}

/* ---- Sums over rows ---- */

/* The rows' weights with room behind them, or NULL. */
static const double *
panel_weights(const Design *design, RowRange rows, double *copy)
{
	if (design->weight == NULL)
		return NULL;
	memcpy(copy, design->weight + rows.begin, range_rows(rows) * sizeof(double));
	return copy;
}

static void
sum_gram(void *argument, RowRange rows, const Panel *panel, double *sum, int thread)
{
	const Fit  *fit = argument;
	double	   *weights = fit->scratch + (size_t) thread * fit->scratch_size;

	linalg_gram(sum, fit->design.stride, panel, panel_weights(&fit->design, rows, weights), weights + DESIGN_BLOCK_ROWS);
}

static void
sum_gradient(void *argument, RowRange rows, const Panel *panel, double *sum, int thread)
{
	const Fit  *fit = argument;
	const Design *design = &fit->design;
	double	   *residual = fit->scratch + (size_t) thread * fit->scratch_size;

	linalg_scores(residual, fit->coefficients, panel);
	for (size_t i = 0; i < range_rows(rows); i++)
	{
		residual[i] = -residual[i] - fit->intercept;
		if (design->weight != NULL)
			residual[i] *= design->weight[rows.begin + i];
	}
	for (size_t i = range_rows(rows); i < linalg_stride(range_rows(rows)); i++)
		residual[i] = 0;
	sum[design->stride] += linalg_sum(residual, range_rows(rows));
	linalg_combine(sum, residual, panel);
}

/* ---- Solving ---- */

static double
largest(const double *x, uint32_t n)
{
	double		value = 0;

	for (uint32_t j = 0; j < n; j++)
		value = fmax(value, fabs(x[j]));
	return value;
}

/* Steps towards the exact solution, as long as they shrink. */
static void
improve(Fit *fit)
{
	const Design *design = &fit->design;
	uint32_t	n = design->n_columns;
	double		last = INFINITY;

	for (int step = 0; step < IMPROVE_STEPS; step++)
	{
		design_sum(design, sum_gradient, fit, design->stride + LINALG_LANES, fit->slots, fit->gradient);
		for (uint32_t j = 0; j < n; j++)
			fit->gradient[j] -= fit->lambda * fit->coefficients[j];
		factor_solve(&fit->factor, fit->gradient, fit->work);

		double		size = largest(fit->gradient, n);

		if (!(size < last / 2))
			break;
		fit->intercept += fit->gradient[design->stride] / design->weight_sum;
		for (uint32_t j = 0; j < n; j++)
			fit->coefficients[j] += fit->gradient[j];
		if (size <= 1e-16 * largest(fit->coefficients, n))
			break;
		last = size;
	}
}

/* By the normal equations; false where their condition is too bad. */
static bool
solve_cholesky(Fit *fit)
{
	const Design *design = &fit->design;
	uint32_t	n = design->n_columns;

	design_sum(design, sum_gram, fit, design->stride * design->stride, fit->slots, fit->gram);
	for (uint32_t j = 0; j < n; j++)
		fit->gram[(size_t) j * design->stride + j] += fit->lambda;
	if (!factor_cholesky(&fit->factor, fit->gram, design->stride, fit->work, fit->iwork) || fit->factor.rcond < RCOND_CHOLESKY)
		return false;
	for (uint32_t j = 0; j < n; j++)
		fit->coefficients[j] = fit->gram[(size_t) j * design->stride + n];
	factor_solve(&fit->factor, fit->coefficients, fit->work);
	return true;
}

/* Rows of the weighted design and target, behind the triangle in the stack. */
static void
stack_rows(const Design *design, RowRange rows, double *stack, uint32_t ld)
{
	uint32_t	n = design->n_columns + 1;

	for (size_t begin = rows.begin; begin < rows.end; begin += design->panel_rows)
	{
		RowRange	part = {begin, begin + design->panel_rows < rows.end ? begin + design->panel_rows : rows.end};
		Panel		panel = design_encode(design, part, 0);

		for (uint32_t j = 0; j < n; j++)
		{
			double	   *out = stack + (size_t) j * ld + n + (begin - rows.begin);

			for (size_t i = 0; i < range_rows(part); i++)
				out[i] = (design->weight != NULL ? sqrt(design->weight[begin + i]) : 1) * panel.x[j * panel.ld + i];
		}
	}
}

/* By QR of the rows, block after block; needs no Gram matrix. */
static bool
solve_qr(Fit *fit, Error *error)
{
	const Design *design = &fit->design;
	uint32_t	n = design->n_columns + 1;
	uint32_t	block = n > DESIGN_BLOCK_ROWS ? n : DESIGN_BLOCK_ROWS;
	uint32_t	ld = n + block;
	double	   *stack = arena_zeroed(design->input->arena, (size_t) ld * n, sizeof(double), error);
	double	   *work = arena_alloc(design->input->arena, n, 64 * sizeof(double), error);

	if (stack == NULL || work == NULL)
		return false;
	for (size_t begin = 0; begin < design->n_rows; begin += block)
	{
		RowRange	rows = {begin, begin + block < design->n_rows ? begin + block : design->n_rows};

		stack_rows(design, rows, stack, ld);
		if (!stack_reduce(stack, ld, n + (uint32_t) range_rows(rows), n, work))
			return error_set(error, ERROR_INTERNAL, "the QR factorisation failed");
	}
	if (fit->lambda > 0)
	{
		for (uint32_t j = 0; j + 1 < n; j++)
			stack[(size_t) j * ld + n + j] = sqrt(fit->lambda);
		if (!stack_reduce(stack, ld, 2 * n - 1, n, work))
			return error_set(error, ERROR_INTERNAL, "the QR factorisation failed");
	}
	fit->factor.rank = 0;
	if (!factor_columns(&fit->factor, stack, ld, ALIAS_TOLERANCE, fit->coefficients, fit->work, fit->iwork))
		return error_set(error, ERROR_INTERNAL, "the QR factorisation with column pivoting failed");
	return true;
}

/* In: squared error + reg_lambda |w|^2.  Out: coefficients of the encoded features. */
bool
linear_regression_fit(const FitInput *input, FitOutput *output, Error *error)
{
	Fit			fit = {.lambda = params_get(input->params, "reg_lambda")};
	double	   *weights = arena_alloc(input->arena, input->recipe->n_features, sizeof(double), error);
	double	   *means = arena_alloc(input->arena, input->recipe->n_features, sizeof(double), error);

	if (weights == NULL || means == NULL || !linalg_start(error) ||
		!design_build(&fit.design, input, DESIGN_TARGET, fit.lambda == 0, error) || !allocate(&fit, error))
		return false;
	if (!solve_cholesky(&fit))
	{
		if (!solve_qr(&fit, error))
			return false;
		design_notice_aliased(&fit.design, fit.factor.order + fit.factor.rank, fit.factor.n - fit.factor.rank);
	}
	fit.coefficients[fit.design.n_columns] = -1;
	if (fit.factor.rcond >= RCOND_IMPROVE)
		improve(&fit);

	double		intercept = design_expand(&fit.design, fit.coefficients, fit.intercept + fit.design.target_center, weights);

	design_means(&fit.design, means);
	return linear_model_write(LINEAR_IDENTITY, 1, input->recipe->n_features, &intercept, weights, means, &output->payload, error);
}

uint64_t
linear_memory(const ParamSet *params, uint64_t n_rows, const FittedRecipe *recipe, uint32_t n_classes, int n_threads)
{
	(void) params;
	(void) n_classes;
	return design_memory(n_rows, recipe->n_features, n_threads) + fit_doubles(recipe->n_features, n_threads) * sizeof(double);
}
