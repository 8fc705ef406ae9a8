/*
 * objective_log.c
 *		Losses of regressions whose score is the logarithm of the mean: Poisson, gamma, Tweedie.
 *
 * Derivatives are those of the negative log likelihood by the score s, with
 * mean m = e^s; the loss that is shown is the mean deviance, twice what the
 * log likelihood lacks of a perfect one (Nelder & Wedderburn 1972; Jorgensen
 * 1987 for Tweedie's).  The second derivative of Poisson's is multiplied by
 * e^max_delta_step, as in XGBoost, which keeps early steps small.
 */
#include "objective.h"

#include <math.h>

#include "../../cpu.h"
#include "../../mathfun.h"

#define EXPONENTIAL_MAX 1e18	/* derivatives are float32, and weights of up to 1e18 come on top */

/* The logarithm of the mean target. */
static bool
log_base(const FitInput *input, double shape, double *base, Error *error)
{
	RowRange	train = input->table->train;
	double		sum = 0;
	double		weights = 0;

	(void) shape;
	for (size_t i = train.begin; i < train.end; i++)
	{
		double		weight = input->weight != NULL ? input->weight[i] : 1;

		sum += weight * input->target[i];
		weights += weight;
	}
	if (!(sum / weights > 0))
	{
		error_set(error, ERROR_DATA, "the target is 0 in all training rows, and its mean has no logarithm");
		return error_hint(error, "Use the objective squared_error, or more rows.");
	}
	base[0] = math_log(sum / weights);
	return true;
}

/* e^x, or the most that a derivative may be. */
static inline double
bounded_exp(double x)
{
	double		e = math_exp(x);

	return math_select(e < EXPONENTIAL_MAX, e, EXPONENTIAL_MAX);
}

/* ---- Poisson; shape: e^max_delta_step ---- */

/* g = m - y, h = m e^max_delta_step */
CPU_BODY void
poisson_gradients_body(const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *restrict g, float *restrict h)
{
	const double *restrict target = rows->target;
	const float *restrict scores = rows->tree_scores;
	double		base = rows->base[group];
	double		factor = rows->shape;

	for (size_t i = begin; i < end; i++)
	{
		double		mean = bounded_exp(base + (double) scores[i]);

		g[i] = (float) (mean - target[i]);
		h[i] = (float) (mean * factor);
	}
}

CPU_DISPATCH(poisson_gradients,
			 (const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *g, float *h),
			 (rows, group, begin, end, g, h))

/* 2 (y log(y / m) - (y - m)) */
CPU_BODY void
poisson_losses_body(const ScoredRows *rows, size_t begin, size_t n, double *restrict losses)
{
	const double *restrict target = rows->target + begin;
	const float *restrict scores = rows->tree_scores + begin;
	double		base = rows->base[0];

	for (size_t i = 0; i < n; i++)
	{
		double		score = base + (double) scores[i];
		double		y = target[i];

		losses[i] = 2 * (math_select(y > 0, y * (math_log(y) - score), 0.0) - (y - math_exp(score)));
	}
}

CPU_DISPATCH(poisson_losses, (const ScoredRows *rows, size_t begin, size_t n, double *losses), (rows, begin, n, losses))

/* ---- Gamma ---- */

/* g = 1 - y / m, h = y / m */
CPU_BODY void
gamma_gradients_body(const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *restrict g, float *restrict h)
{
	const double *restrict target = rows->target;
	const float *restrict scores = rows->tree_scores;
	double		base = rows->base[group];

	for (size_t i = begin; i < end; i++)
	{
		double		ratio = bounded_exp(math_log(target[i]) - (base + (double) scores[i]));

		g[i] = (float) (1 - ratio);
		h[i] = (float) ratio;
	}
}

CPU_DISPATCH(gamma_gradients,
			 (const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *g, float *h),
			 (rows, group, begin, end, g, h))

/* 2 (log(m / y) + y / m - 1) */
CPU_BODY void
gamma_losses_body(const ScoredRows *rows, size_t begin, size_t n, double *restrict losses)
{
	const double *restrict target = rows->target + begin;
	const float *restrict scores = rows->tree_scores + begin;
	double		base = rows->base[0];

	for (size_t i = 0; i < n; i++)
	{
		double		log_ratio = math_log(target[i]) - (base + (double) scores[i]);

		losses[i] = 2 * (math_exp(log_ratio) - 1 - log_ratio);
	}
}

CPU_DISPATCH(gamma_losses, (const ScoredRows *rows, size_t begin, size_t n, double *losses), (rows, begin, n, losses))

/* ---- Tweedie; shape: the power p of the mean that the variance goes by ---- */

/* g = m^(2-p) - y m^(1-p), h = (2 - p) m^(2-p) - (1 - p) y m^(1-p) */
CPU_BODY void
tweedie_gradients_body(const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *restrict g, float *restrict h)
{
	const double *restrict target = rows->target;
	const float *restrict scores = rows->tree_scores;
	double		base = rows->base[group];
	double		power = rows->shape;

	for (size_t i = begin; i < end; i++)
	{
		double		score = base + (double) scores[i];
		double		a = target[i] * bounded_exp((1 - power) * score);
		double		b = bounded_exp((2 - power) * score);

		a = math_select(a < EXPONENTIAL_MAX, a, EXPONENTIAL_MAX);
		g[i] = (float) (b - a);
		h[i] = (float) ((2 - power) * b + (power - 1) * a);
	}
}

CPU_DISPATCH(tweedie_gradients,
			 (const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *g, float *h),
			 (rows, group, begin, end, g, h))

/* 2 (y^(2-p) / ((1-p) (2-p)) - y m^(1-p) / (1-p) + m^(2-p) / (2-p)) */
CPU_BODY void
tweedie_losses_body(const ScoredRows *rows, size_t begin, size_t n, double *restrict losses)
{
	const double *restrict target = rows->target + begin;
	const float *restrict scores = rows->tree_scores + begin;
	double		base = rows->base[0];
	double		power = rows->shape;

	for (size_t i = 0; i < n; i++)
	{
		double		score = base + (double) scores[i];
		double		y = target[i];
		double		own = math_select(y > 0, math_exp((2 - power) * math_log(y)), 0.0) / ((1 - power) * (2 - power));
		double		a = y * math_exp((1 - power) * score) / (1 - power);
		double		b = math_exp((2 - power) * score) / (2 - power);

		losses[i] = 2 * (own - a + b);
	}
}

CPU_DISPATCH(tweedie_losses, (const ScoredRows *rows, size_t begin, size_t n, double *losses), (rows, begin, n, losses))

/* ---- The table ---- */

const Objective objective_poisson = {
	.name = "poisson",
	.link = LINK_LOG,
	.lowest = 0,
	.base = log_base,
	.gradients = poisson_gradients,
	.losses = poisson_losses,
	.shown = objective_mean
};

const Objective objective_gamma = {
	.name = "gamma",
	.link = LINK_LOG,
	.lowest = 0,
	.lowest_open = true,
	.base = log_base,
	.gradients = gamma_gradients,
	.losses = gamma_losses,
	.shown = objective_mean
};

const Objective objective_tweedie = {
	.name = "tweedie",
	.link = LINK_LOG,
	.lowest = 0,
	.base = log_base,
	.gradients = tweedie_gradients,
	.losses = tweedie_losses,
	.shown = objective_mean
};
