/*
 * logistic_regression.c
 *		Binary and multinomial logistic regression, to the optimum.
 *
 * Minimises the weighted sum of log losses + reg_lambda / 2 * |w|^2 by
 * Newton's method with step halving (Armijo 1966); the objective is convex,
 * so this converges from anywhere, and quadratically at the end.  Without a
 * penalty the optimum may lie at infinity, where features separate the
 * classes: then steps stay long while the objective hardly changes, which is
 * how it is told.
 */
#include "logistic.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../../mathfun.h"
#include "../../model/linear_model.h"

#define HALVINGS_MAX	40
#define ARMIJO			1e-4

/* The last bits of an objective are noise. */
#define NOISE			1e-13

/* Convergence below every resolution: for a mean row, the step changes a score by some 1e-14. */
#define DECREMENT_NONE	1e-28

/* Separation: the objective falls by less than this share of a row's loss, yet a score moves by more than that. */
#define SEPARATED_FALL	1e-6
#define SEPARATED_MOVE	0.3

/* A mean loss that only classes which are told apart perfectly can have. */
#define SEPARATED_LOSS	1e-9

/* A column is determined by others where they leave less than this share of its square unexplained. */
#define ALIAS_TOLERANCE 1e-11

/* The fit starts at the optimum of one row in so many, about, where it has this many rows. */
#define SAMPLE_SHARE		16
#define SAMPLE_MIN_ROWS		(64 * 1024)
#define SAMPLE_TOLERANCE	1e-2
#define SAMPLE_STEPS		20

/* ---- Newton's method ---- */

static double
largest(const double *x, size_t n)
{
	double		value = 0;

	for (size_t i = 0; i < n; i++)
		value = fmax(value, fabs(x[i]));
	return value;
}

/* The column whose part of a score the step moves most, and by how much; n_columns: the intercept. */
static uint32_t
furthest_move(const Logistic *fit, double *move)
{
	const Design *design = &fit->design;
	uint32_t	column = design->n_columns;

	*move = 0;
	for (uint32_t k = 0; k < fit->n_scores; k++)
		for (uint32_t j = 0; j <= design->n_columns; j++)
		{
			double		moved = fabs(fit->step[k * design->stride + j]) * (j < design->n_columns ? design->reach[j] : 1);

			if (moved > *move)
			{
				*move = moved;
				column = j;
			}
		}
	return column;
}

static bool
error_separated(const Logistic *fit, Error *error)
{
	double		move;
	uint32_t	column = furthest_move(fit, &move);

	error_set(error, ERROR_DATA, "the features separate the classes, so logistic regression without a penalty has no solution");
	if (column < fit->design.n_columns)
	{
		char		name[256];

		design_feature_name(fit->design.input->recipe, fit->design.feature[column], name, sizeof(name));
		error_detail(error, "The coefficient of %s grows without bound.", name);
	}
	return error_hint(error, "Use reg_lambda above 0 (the default is 1), or leave out the column that tells the class.");
}

/* Steps from theta along -step until the objective falls enough; the share of the step taken, 0 where none does. */
static double
search(Logistic *fit, double objective, double decrement, double *reached)
{
	double		share = 1;

	for (int i = 0; i < HALVINGS_MAX; i++, share /= 2)
	{
		memcpy(fit->trial, fit->theta, fit->size * sizeof(double));
		linalg_axpy(-share, fit->step, fit->trial, fit->size);
		*reached = logistic_evaluate(fit);
		if (*reached <= objective - ARMIJO * share * decrement + NOISE * (fabs(objective) + fit->design.weight_sum))
			return share;
	}
	return 0;
}

/* To the optimum; *steps: how many it took. */
static bool
minimise(Logistic *fit, double tolerance, int steps_max, int *steps, Error *error)
{
	const FitMonitor *monitor = fit->design.input->monitor;
	double		weight_sum = fit->design.weight_sum;

	memcpy(fit->trial, fit->theta, fit->size * sizeof(double));

	double		objective = logistic_evaluate(fit);

	for (*steps = 0; *steps < steps_max;)
	{
		bool		solved = fit->direct ? logistic_newton_solve(fit) : logistic_cg_solve(fit);

		logistic_sum_to_zero(fit, fit->step);
		if (!solved)
			return fit->lambda == 0 ? error_separated(fit, error)
				: error_set(error, ERROR_DATA, "the Newton equations of the logistic regression are singular");

		double		decrement = linalg_dot(logistic_gradient(fit), fit->step, fit->size);
		double		move;

		furthest_move(fit, &move);
		if (!isfinite(decrement))
			return error_set(error, ERROR_DATA, "the logistic regression left the range of numbers");
		if (fit->lambda == 0 && ((decrement < SEPARATED_FALL * weight_sum / (double) fit->design.n_rows && move > SEPARATED_MOVE) ||
								 fit->sums[0] < SEPARATED_LOSS * weight_sum))
			return error_separated(fit, error);
		if (decrement <= DECREMENT_NONE * weight_sum)
			return true;
		if (largest(fit->step, fit->size) <= tolerance * largest(fit->theta, fit->size))
		{
			/* nobody could see what the step changes, so no pass over the rows is spent on looking */
			linalg_axpy(-1, fit->step, fit->theta, fit->size);
			++*steps;
			return true;
		}
		if (search(fit, objective, decrement, &objective) == 0)
			return true;
		memcpy(fit->theta, fit->trial, fit->size * sizeof(double));
		++*steps;
		if (!fit->sampling)
			monitor->iteration(monitor->context, *steps, steps_max, fit->sums[0] / weight_sum, NAN);
	}
	if (!fit->sampling)
		monitor->notice(monitor->context, "logistic regression stopped at max_iter before it reached the optimum");
	return true;
}

/* ---- Setting up ---- */

/* Intercepts that give each class its frequency. */
static bool
start_from_frequencies(Logistic *fit, Error *error)
{
	Design	   *design = &fit->design;
	uint32_t	n_classes = design->input->n_classes;
	double	   *sums = arena_alloc(design->input->arena, n_classes, sizeof(double), error);

	if (sums == NULL)
		return false;
	memset(sums, 0, n_classes * sizeof(double));
	for (size_t row = 0; row < design->n_rows; row++)
		sums[(size_t) design->y[row]] += design->weight != NULL ? design->weight[row] : 1;
	memset(fit->theta, 0, fit->size * sizeof(double));
	if (fit->n_scores == 1)
		fit->theta[design->n_columns] = math_log(sums[1] / sums[0]);
	else
		for (uint32_t k = 0; k < fit->n_scores; k++)
			fit->theta[k * design->stride + design->n_columns] = math_log(sums[k] / design->weight_sum);
	logistic_sum_to_zero(fit, fit->theta);
	return true;
}

/*
 * From there to the optimum of the first rows, which are as good as drawn by
 * lot: the canonical order goes by hashes.  That takes most of the steps at a
 * small part of their cost; where it fails, the fit starts without it.
 */
static bool
start_from_sample(Logistic *fit, Error *error)
{
	Design		all = fit->design;
	double		lambda = fit->lambda;
	int			steps;
	Error		none;

	if (all.n_rows < SAMPLE_MIN_ROWS)
		return true;
	fit->design.n_rows = all.n_rows / SAMPLE_SHARE;
	fit->design.weight_sum = all.weight_sum / SAMPLE_SHARE;
	fit->lambda = lambda / SAMPLE_SHARE;
	fit->sampling = true;

	bool		sampled = minimise(fit, SAMPLE_TOLERANCE, SAMPLE_STEPS, &steps, &none);

	fit->sampling = false;
	fit->lambda = lambda;
	fit->design = all;
	fit->first_slope = 0;
	return (sampled && isfinite(largest(fit->theta, fit->size))) || start_from_frequencies(fit, error);
}

/* How many doubles a fit of this shape takes where. */
typedef struct Shape
{
	bool		direct;
	bool		correlated;
	uint64_t	sums;			/* of one sum over rows */
	uint64_t	scratch;		/* of a thread: probabilities and one more number of a block's rows, and what goes with them */
	uint64_t	solver;
} Shape;

static Shape
shape_of(uint64_t n_features, uint64_t stride, uint64_t n_scores)
{
	Shape		shape;
	uint64_t	n = n_features + 1;
	uint64_t	gram_scratch = linalg_gram_scratch(stride);

	shape.direct = n_scores * n <= (n_scores == 1 ? LOGISTIC_DIRECT_ONE : LOGISTIC_DIRECT_SEVERAL);
	shape.correlated = !shape.direct && n_scores * n * n <= LOGISTIC_FACTORS_MAX;
	shape.sums = LINALG_LANES + n_scores * stride;
	if (shape.direct)
	{
		shape.sums += n_scores * (n_scores + 1) / 2 * stride * stride;
		shape.scratch = (n_scores + 1) * DESIGN_BLOCK_ROWS + gram_scratch;
		shape.solver = logistic_newton_doubles(n_features, n_scores);
	}
	else
	{
		shape.sums += n_scores * stride + (shape.correlated ? stride * stride : 0);
		shape.scratch = (2 * n_scores + 1) * DESIGN_BLOCK_ROWS + (shape.correlated ? gram_scratch : 0);
		shape.solver = logistic_cg_doubles(n_features, n_scores, shape.correlated);
	}
	return shape;
}

static bool
allocate(Logistic *fit, Error *error)
{
	const FitInput *input = fit->design.input;
	Arena	   *arena = input->arena;
	size_t		stride = fit->design.stride;

	fit->n_scores = input->task == TASK_BINARY ? 1 : input->n_classes;

	Shape		shape = shape_of(fit->design.n_columns, stride, fit->n_scores);

	fit->size = fit->n_scores * stride;
	fit->direct = shape.direct;
	fit->correlated = shape.correlated;
	fit->sums_size = shape.sums;
	fit->scratch_size = shape.scratch;
	fit->theta = arena_zeroed(arena, fit->size, sizeof(double), error);
	fit->trial = arena_zeroed(arena, fit->size, sizeof(double), error);
	fit->step = arena_zeroed(arena, fit->size, sizeof(double), error);
	fit->sums = arena_alloc(arena, fit->sums_size, sizeof(double), error);
	fit->slots = arena_alloc(arena, design_slots(fit->sums_size), sizeof(double), error);
	fit->scratch = arena_zeroed(arena, fit->scratch_size * (size_t) pool_threads(input->pool), sizeof(double), error);
	return fit->theta != NULL && fit->trial != NULL && fit->step != NULL && fit->sums != NULL && fit->slots != NULL && fit->scratch != NULL &&
		(fit->direct ? logistic_newton_init(fit, error) : logistic_cg_init(fit, error));
}

static void
sum_gram(void *argument, RowRange rows, const Panel *panel, double *sum, int thread)
{
	const Logistic *fit = argument;

	(void) rows;
	linalg_gram(sum, fit->design.stride, panel, NULL, fit->scratch + (size_t) thread * fit->scratch_size);
}

/* Without a penalty, columns that others determine would make the Hessian singular: leaves them out. */
static bool
leave_out_aliased(Logistic *fit, Error *error)
{
	Design	   *design = &fit->design;
	uint32_t	n = design->n_columns;
	bool	   *keep = arena_zeroed(design->input->arena, n, sizeof(bool), error);

	if (keep == NULL)
		return false;
	design_sum(design, sum_gram, fit, design->stride * design->stride, fit->slots, fit->sums);
	fit->factor.n = n;

	uint32_t	rank = factor_rank(&fit->factor, fit->sums, design->stride, ALIAS_TOLERANCE, fit->work);

	for (uint32_t i = 0; i < rank; i++)
		keep[fit->factor.order[i]] = true;
	if (rank < n)
	{
		design_notice_aliased(design, fit->factor.order + rank, n - rank);
		design_keep(design, keep);
	}
	return true;
}

/*
 * Says where the weights of all rows together count for less than the penalty:
 * the second derivative by a coefficient of a standardised feature is at most
 * a quarter of their sum.
 */
static void
notice_weights(const Logistic *fit)
{
	const FitMonitor *monitor = fit->design.input->monitor;
	char		text[256];

	if (fit->design.input->weight == NULL || fit->design.weight_sum / 4 >= fit->lambda)
		return;
	snprintf(text, sizeof(text), "the penalty outweighs the rows: the weights of all training rows add up to %g, and reg_lambda is %g; lower it, "
			 "or scale the weights up", fit->design.weight_sum, fit->lambda);
	monitor->notice(monitor->context, text);
}

/* The coefficients of all scores, of encoded features, into the payload. */
static bool
write_model(const Logistic *fit, FitOutput *output, Error *error)
{
	const FitInput *input = fit->design.input;
	uint32_t	n_features = input->recipe->n_features;
	double	   *intercepts = arena_alloc(input->arena, fit->n_scores, sizeof(double), error);
	double	   *weights = arena_alloc(input->arena, (size_t) fit->n_scores * n_features, sizeof(double), error);
	double	   *means = arena_alloc(input->arena, n_features, sizeof(double), error);

	if (intercepts == NULL || weights == NULL || means == NULL)
		return false;
	for (uint32_t k = 0; k < fit->n_scores; k++)
	{
		const double *theta = fit->theta + k * fit->design.stride;

		intercepts[k] = design_expand(&fit->design, theta, theta[fit->design.n_columns], weights + (size_t) k * n_features);
	}
	design_means(&fit->design, means);
	return linear_model_write(fit->n_scores == 1 ? LINEAR_LOGISTIC : LINEAR_SOFTMAX, fit->n_scores, n_features, intercepts, weights,
							  means, &output->payload, error);
}

/* In: log loss + reg_lambda / 2 |w|^2.  Out: coefficients of the encoded features; iterations: Newton steps. */
bool
logistic_regression_fit(const FitInput *input, FitOutput *output, Error *error)
{
	Logistic	fit = {.lambda = params_get(input->params, "reg_lambda")};

	if (!linalg_start(error) || !design_build(&fit.design, input, DESIGN_ONE, fit.lambda == 0, error) || !allocate(&fit, error))
		return false;
	if (fit.lambda == 0 && fit.direct && !leave_out_aliased(&fit, error))
		return false;
	notice_weights(&fit);
	if (!start_from_frequencies(&fit, error) || !start_from_sample(&fit, error) ||
		!minimise(&fit, params_get(input->params, "tol"), (int) params_get(input->params, "max_iter"), &output->iterations, error))
		return false;
	return write_model(&fit, output, error);
}

uint64_t
logistic_memory(const ParamSet *params, uint64_t n_rows, const FittedRecipe *recipe, uint32_t n_classes, int n_threads)
{
	uint32_t	n_features = recipe->n_features;
	uint64_t	stride = linalg_stride((uint64_t) n_features + 1);
	uint64_t	n_scores = n_classes == 2 ? 1 : n_classes;
	Shape		shape = shape_of(n_features, stride, n_scores);

	(void) params;
	return design_memory(n_rows, n_features, n_threads) +
		(shape.sums + design_slots(shape.sums) + shape.scratch * (uint64_t) n_threads + 4 * n_scores * stride + shape.solver) * sizeof(double);
}
