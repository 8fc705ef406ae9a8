/*
 * objective_regression.c
 *		Losses of regressions that outliers do not dominate: absolute error, Huber's, quantiles.
 *
 * Absolute error and the pinball loss of a quantile have no second
 * derivative: trees are grown with h = 1, and their leaves are then refitted
 * by the exact quantile of what is left over in them (Friedman 2001, LAD
 * boosting).  Huber's loss is the smooth one of Charbonnier et al. (1994),
 * XGBoost's reg:pseudohubererror.
 */
#include "objective.h"

#include <math.h>

#include "../../cpu.h"
#include "../../mathfun.h"
#include "../quantile.h"

/* ---- Constant scores ---- */

/* The quantile of the target over the training rows. */
static bool
quantile_base(const FitInput *input, double share, double *base, Error *error)
{
	RowRange	train = input->table->train;
	size_t		n = range_rows(train);
	Arena		scratch;

	arena_init(&scratch);

	QuantileItem *items = arena_alloc(&scratch, n, sizeof(QuantileItem), error);

	if (items != NULL)
	{
		for (size_t i = 0; i < n; i++)
		{
			items[i].value = input->target[train.begin + i];
			items[i].weight = input->weight != NULL ? input->weight[train.begin + i] : 1;
		}
		base[0] = weighted_quantile(items, n, share);
	}
	arena_free(&scratch);
	return items != NULL;
}

typedef struct Slope
{
	double		g;				/* sums of derivatives by the constant */
	double		h;
} Slope;

/* Derivatives of Huber's loss of a constant. */
static Slope
huber_slope(const FitInput *input, double delta, double constant)
{
	Slope		sum = {0, 0};

	for (size_t i = input->table->train.begin; i < input->table->train.end; i++)
	{
		double		weight = input->weight != NULL ? input->weight[i] : 1;
		double		z = (constant - input->target[i]) / delta;
		double		root = sqrt(1 + z * z);

		sum.g += weight * delta * z / root;
		sum.h += weight / (root * root * root);
	}
	return sum;
}

/* Newton's steps, by halves where they would leave what is known to hold the optimum. */
static bool
huber_base(const FitInput *input, double delta, double *base, Error *error)
{
	RowRange	train = input->table->train;
	double		low = INFINITY;
	double		high = -INFINITY;

	for (size_t i = train.begin; i < train.end; i++)
	{
		low = fmin(low, input->target[i]);
		high = fmax(high, input->target[i]);
	}
	if (!quantile_base(input, 0.5, base, error))
		return false;
	for (int step = 0; step < 200; step++)
	{
		Slope		slope = huber_slope(input, delta, base[0]);
		double		before = base[0];

		if (slope.g > 0)
			high = before;
		else
			low = before;
		base[0] = before - slope.g / slope.h;
		if (!(base[0] >= low && base[0] <= high))
			base[0] = low + (high - low) / 2;
		if (fabs(base[0] - before) <= 1e-12 * fmax(fabs(low), fabs(high)))
			break;
	}
	return true;
}

/* ---- Quantile, and absolute error as twice the one of 1/2 ---- */

/* g = 1 - share at the target and above, -share below it; h = 1 */
CPU_BODY void
quantile_gradients_body(const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *restrict g, float *restrict h)
{
	const double *restrict target = rows->target;
	const float *restrict scores = rows->tree_scores;
	double		base = rows->base[group];
	double		share = rows->shape;

	for (size_t i = begin; i < end; i++)
	{
		double		residual = base + (double) scores[i] - target[i];

		g[i] = (float) (math_select(residual >= 0, 1.0, 0.0) - share);
		h[i] = 1;
	}
}

CPU_DISPATCH(quantile_gradients,
			 (const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *g, float *h),
			 (rows, group, begin, end, g, h))

/* The pinball loss: share (y - s) below the target, (1 - share) (s - y) above it. */
CPU_BODY void
quantile_losses_body(const ScoredRows *rows, size_t begin, size_t n, double *restrict losses)
{
	const double *restrict target = rows->target + begin;
	const float *restrict scores = rows->tree_scores + begin;
	double		base = rows->base[0];
	double		share = rows->shape;

	for (size_t i = 0; i < n; i++)
	{
		double		residual = base + (double) scores[i] - target[i];

		losses[i] = residual * (math_select(residual > 0, 1.0, 0.0) - share);
	}
}

CPU_DISPATCH(quantile_losses, (const ScoredRows *rows, size_t begin, size_t n, double *losses), (rows, begin, n, losses))

/* g = sign(s - y), h = 1 */
CPU_BODY void
absolute_error_gradients_body(const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *restrict g, float *restrict h)
{
	const double *restrict target = rows->target;
	const float *restrict scores = rows->tree_scores;
	double		base = rows->base[group];

	for (size_t i = begin; i < end; i++)
	{
		double		residual = base + (double) scores[i] - target[i];

		g[i] = (float) (math_select(residual > 0, 1.0, 0.0) - math_select(residual < 0, 1.0, 0.0));
		h[i] = 1;
	}
}

CPU_DISPATCH(absolute_error_gradients,
			 (const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *g, float *h),
			 (rows, group, begin, end, g, h))

/* |s - y| */
CPU_BODY void
absolute_error_losses_body(const ScoredRows *rows, size_t begin, size_t n, double *restrict losses)
{
	const double *restrict target = rows->target + begin;
	const float *restrict scores = rows->tree_scores + begin;
	double		base = rows->base[0];

	for (size_t i = 0; i < n; i++)
		losses[i] = fabs(base + (double) scores[i] - target[i]);
}

CPU_DISPATCH(absolute_error_losses, (const ScoredRows *rows, size_t begin, size_t n, double *losses), (rows, begin, n, losses))

/* ---- Huber ---- */

/* With z = (s - y) / delta: g = (s - y) / sqrt(1 + z^2), h = (1 + z^2)^(-3/2) */
CPU_BODY void
huber_gradients_body(const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *restrict g, float *restrict h)
{
	const double *restrict target = rows->target;
	const float *restrict scores = rows->tree_scores;
	double		base = rows->base[group];
	double		delta = rows->shape;

	for (size_t i = begin; i < end; i++)
	{
		double		residual = base + (double) scores[i] - target[i];
		double		z = residual / delta;
		double		root = sqrt(1 + z * z);

		g[i] = (float) (residual / root);
		h[i] = (float) (1 / (root * root * root));
	}
}

CPU_DISPATCH(huber_gradients,
			 (const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *g, float *h),
			 (rows, group, begin, end, g, h))

/* delta^2 (sqrt(1 + z^2) - 1) */
CPU_BODY void
huber_losses_body(const ScoredRows *rows, size_t begin, size_t n, double *restrict losses)
{
	const double *restrict target = rows->target + begin;
	const float *restrict scores = rows->tree_scores + begin;
	double		base = rows->base[0];
	double		delta = rows->shape;

	for (size_t i = 0; i < n; i++)
	{
		double		residual = base + (double) scores[i] - target[i];
		double		z = residual / delta;

		/* sqrt(1 + z^2) - 1 = z^2 / (1 + sqrt(1 + z^2)), without losing small ones */
		losses[i] = residual * residual / (1 + sqrt(1 + z * z));
	}
}

CPU_DISPATCH(huber_losses, (const ScoredRows *rows, size_t begin, size_t n, double *losses), (rows, begin, n, losses))

/* ---- The table ---- */

const Objective objective_absolute_error = {
	.name = "absolute_error",
	.link = LINK_IDENTITY,
	.unit_h = true,
	.refits_leaves = true,
	.lowest = -INFINITY,
	.base = quantile_base,
	.gradients = absolute_error_gradients,
	.losses = absolute_error_losses,
	.shown = objective_mean
};

const Objective objective_huber = {
	.name = "huber",
	.link = LINK_IDENTITY,
	.lowest = -INFINITY,
	.base = huber_base,
	.gradients = huber_gradients,
	.losses = huber_losses,
	.shown = objective_mean
};

const Objective objective_quantile = {
	.name = "quantile",
	.link = LINK_IDENTITY,
	.unit_h = true,
	.refits_leaves = true,
	.lowest = -INFINITY,
	.base = quantile_base,
	.gradients = quantile_gradients,
	.losses = quantile_losses,
	.shown = objective_mean
};
