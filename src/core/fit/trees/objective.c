/*
 * objective.c
 *		Losses of gradient boosting: the usual one of each task, the table of all, and what targets they allow.
 *
 * Compilers turn the loops over rows into vectors.
 */
#include "objective.h"

#include <math.h>

#include "../../cpu.h"
#include "../../mathfun.h"

/* Derivatives are float32: limits of weights, and of targets with and without theirs; where a mean is an exponential, of both. */
#define DERIVATIVE_MAX 1e30
#define LOG_TARGET_MAX 1e15
#define LOG_WEIGHT_MAX 1e18

/* ---- Constant scores ---- */

/* Mean of the target over the training rows. */
static bool
squared_error_base(const FitInput *input, double shape, double *base, Error *error)
{
	RowRange	train = input->table->train;
	double		sum = 0;
	double		weights = 0;

	(void) shape;
	(void) error;
	for (size_t i = train.begin; i < train.end; i++)
	{
		double		weight = input->weight != NULL ? input->weight[i] : 1;

		sum += weight * input->target[i];
		weights += weight;
	}
	base[0] = sum / weights;
	return true;
}

/* Sums of weights by class over the training rows. */
static void
class_weights(const FitInput *input, double *weights, uint32_t n_classes)
{
	RowRange	train = input->table->train;

	for (uint32_t k = 0; k < n_classes; k++)
		weights[k] = 0;
	for (size_t i = train.begin; i < train.end; i++)
		weights[(uint32_t) input->target[i]] += input->weight != NULL ? input->weight[i] : 1;
}

/* A frequency, kept away from 0, whose logarithm is no number. */
static double
frequency(double part, double whole)
{
	return fmax(part / whole, 1e-9);
}

/* Log odds of the second class. */
static bool
logistic_base(const FitInput *input, double shape, double *base, Error *error)
{
	double		weights[2];

	(void) shape;
	(void) error;
	class_weights(input, weights, 2);
	base[0] = math_log(frequency(weights[1], weights[0] + weights[1])) - math_log(frequency(weights[0], weights[0] + weights[1]));
	return true;
}

/* Logarithms of the frequencies. */
static bool
softmax_base(const FitInput *input, double shape, double *base, Error *error)
{
	double		whole = 0;

	(void) shape;
	(void) error;
	class_weights(input, base, input->n_classes);
	for (uint32_t k = 0; k < input->n_classes; k++)
		whole += base[k];
	for (uint32_t k = 0; k < input->n_classes; k++)
		base[k] = math_log(frequency(base[k], whole));
	return true;
}

/* ---- Squared error ---- */

/* g = s - y, h = 1 */
CPU_BODY void
squared_error_gradients_body(const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *restrict g, float *restrict h)
{
	const double *restrict target = rows->target;
	const float *restrict scores = rows->tree_scores;
	double		base = rows->base[group];

	for (size_t i = begin; i < end; i++)
	{
		g[i] = (float) (base + (double) scores[i] - target[i]);
		h[i] = 1;
	}
}

CPU_DISPATCH(squared_error_gradients,
			 (const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *g, float *h),
			 (rows, group, begin, end, g, h))

/* (s - y)^2 */
CPU_BODY void
squared_error_losses_body(const ScoredRows *rows, size_t begin, size_t n, double *restrict losses)
{
	const double *restrict target = rows->target + begin;
	const float *restrict scores = rows->tree_scores + begin;
	double		base = rows->base[0];

	for (size_t i = 0; i < n; i++)
	{
		double		residual = base + (double) scores[i] - target[i];

		losses[i] = residual * residual;
	}
}

CPU_DISPATCH(squared_error_losses, (const ScoredRows *rows, size_t begin, size_t n, double *losses), (rows, begin, n, losses))

/* ---- Logistic ---- */

/* g = p - y, h = p(1 - p) */
CPU_BODY void
logistic_gradients_body(const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *restrict g, float *restrict h)
{
	const double *restrict target = rows->target;
	const float *restrict scores = rows->tree_scores;
	double		base = rows->base[group];

	for (size_t i = begin; i < end; i++)
	{
		double		p = math_sigmoid(base + (double) scores[i]);

		g[i] = (float) (p - target[i]);
		h[i] = (float) (p * (1 - p));
	}
}

CPU_DISPATCH(logistic_gradients,
			 (const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *g, float *h),
			 (rows, group, begin, end, g, h))

/* log(1 + e^s) - y s */
CPU_BODY void
logistic_losses_body(const ScoredRows *rows, size_t begin, size_t n, double *restrict losses)
{
	const double *restrict target = rows->target + begin;
	const float *restrict scores = rows->tree_scores + begin;
	double		base = rows->base[0];

	for (size_t i = 0; i < n; i++)
	{
		double		score = base + (double) scores[i];

		losses[i] = math_softplus(score) - target[i] * score;
	}
}

CPU_DISPATCH(logistic_losses, (const ScoredRows *rows, size_t begin, size_t n, double *losses), (rows, begin, n, losses))

/* ---- Softmax ---- */

/* Log sums of exponentials of one row's scores, the largest taken out first. */
static void
softmax_prepare(const ScoredRows *rows, size_t begin, size_t end)
{
	for (size_t i = begin; i < end; i++)
	{
		double		largest = -INFINITY;
		double		sum = 0;

		for (uint32_t k = 0; k < rows->n_groups; k++)
			largest = fmax(largest, rows->base[k] + (double) rows->tree_scores[k * rows->n + i]);
		for (uint32_t k = 0; k < rows->n_groups; k++)
			sum += math_exp(rows->base[k] + (double) rows->tree_scores[k * rows->n + i] - largest);
		rows->log_sums[i] = largest + math_log(sum);
	}
}

/* g = p - [y = k], h = 2p(1 - p) */
CPU_BODY void
softmax_gradients_body(const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *restrict g, float *restrict h)
{
	const double *restrict target = rows->target;
	const double *restrict log_sums = rows->log_sums;
	const float *restrict scores = rows->tree_scores + group * rows->n;
	double		base = rows->base[group];

	for (size_t i = begin; i < end; i++)
	{
		double		p = math_exp(base + (double) scores[i] - log_sums[i]);

		g[i] = (float) (p - math_select(target[i] == (double) group, 1.0, 0.0));
		h[i] = (float) (2 * p * (1 - p));
	}
}

CPU_DISPATCH(softmax_gradients,
			 (const ScoredRows *rows, uint32_t group, size_t begin, size_t end, float *g, float *h),
			 (rows, group, begin, end, g, h))

/* -log p of the class of the row */
static void
softmax_losses(const ScoredRows *rows, size_t begin, size_t n, double *losses)
{
	for (size_t i = 0; i < n; i++)
	{
		size_t		row = begin + i;
		uint32_t	k = (uint32_t) rows->target[row];

		losses[i] = rows->log_sums[row] - (rows->base[k] + (double) rows->tree_scores[k * rows->n + row]);
	}
}

/* The mean loss itself. */
double
objective_mean(double mean)
{
	return mean;
}

/* ---- The table ---- */

static const Objective squared_error = {
	.name = "squared_error",
	.link = LINK_IDENTITY,
	.unit_h = true,
	.lowest = -INFINITY,
	.base = squared_error_base,
	.gradients = squared_error_gradients,
	.losses = squared_error_losses,
	.shown = sqrt
};

static const Objective logistic = {
	.name = "logistic",
	.link = LINK_LOGISTIC,
	.base = logistic_base,
	.gradients = logistic_gradients,
	.losses = logistic_losses,
	.shown = objective_mean
};

static const Objective softmax = {
	.name = "softmax",
	.link = LINK_SOFTMAX,
	.grouped = true,
	.base = softmax_base,
	.prepare = softmax_prepare,
	.gradients = softmax_gradients,
	.losses = softmax_losses,
	.shown = objective_mean
};

/* The objective that a task has. */
static const Objective *
objective_of(Task task)
{
	return task == TASK_BINARY ? &logistic : task == TASK_MULTICLASS ? &softmax : &squared_error;
}

/* By its id. */
const Objective *
objective_find(ObjectiveId id, Task task)
{
	switch (id)
	{
		case OBJECTIVE_AUTO:
			break;
		case OBJECTIVE_SQUARED_ERROR:
			return &squared_error;
		case OBJECTIVE_LOGISTIC:
			return &logistic;
		case OBJECTIVE_SOFTMAX:
			return &softmax;
		case OBJECTIVE_ABSOLUTE_ERROR:
			return &objective_absolute_error;
		case OBJECTIVE_HUBER:
			return &objective_huber;
		case OBJECTIVE_QUANTILE:
			return &objective_quantile;
		case OBJECTIVE_POISSON:
			return &objective_poisson;
		case OBJECTIVE_GAMMA:
			return &objective_gamma;
		case OBJECTIVE_TWEEDIE:
			return &objective_tweedie;
	}
	return objective_of(task);
}

/* ---- Targets ---- */

/* Names the least target, where it is too small. */
static bool
check_lowest(const Objective *objective, const FitInput *input, size_t end, Error *error)
{
	double		least = INFINITY;
	size_t		n_below = 0;

	for (size_t i = input->table->train.begin; i < end; i++)
	{
		double		y = input->target[i];

		n_below += objective->lowest_open ? y <= objective->lowest : y < objective->lowest;
		least = fmin(least, y);
	}
	if (n_below == 0)
		return true;
	error_set(error, ERROR_DATA, "objective %s needs values %s 0 in target column \"%s\", but the least is %g", objective->name,
			  objective->lowest_open ? "above" : "of at least", input->table->target->source->name, least);
	error_detail(error, "%zu of %zu rows for training and validation have such values.", n_below, end - input->table->train.begin);
	return error_hint(error, "Leave these rows out in the source query, or use another objective, such as squared_error.");
}

/* A value whose derivatives would not fit. */
static bool
refuse_size(const char *what, double value, double limit, bool by_class, Error *error)
{
	error_set(error, ERROR_DATA, "%s of %g, but for gradient boosting it must be below %g", what, value, limit);
	return error_hint(error, by_class ? "Scale it down in the source query, or lower class_weight and scale_pos_weight, which multiply it."
					  : "Scale it down in the source query.");
}

/* The rows for training and validation, which follow each other. */
bool
objective_check(const Objective *objective, const FitInput *input, Error *error)
{
	size_t		end = input->table->train.end + range_rows(input->table->validation);
	bool		is_log = objective->link == LINK_LOG;
	double		limit = is_log ? LOG_TARGET_MAX : DERIVATIVE_MAX;
	double		weight_limit = is_log ? LOG_WEIGHT_MAX : DERIVATIVE_MAX;
	double		largest = 0;
	double		heaviest = 0;
	double		largest_weighted = 0;

	for (size_t i = input->table->train.begin; i < end; i++)
	{
		double		weight = input->weight != NULL ? input->weight[i] : 1;

		heaviest = fmax(heaviest, weight);
		largest = fmax(largest, fabs(input->target[i]));
		largest_weighted = fmax(largest_weighted, fmax(fabs(input->target[i]), 1) * weight);
	}
	if (input->task == TASK_REGRESSION && !(largest < limit))
		return refuse_size("the target has a value", largest, limit, false, error);
	if (!(heaviest < weight_limit))
		return refuse_size("a weight has a value", heaviest, weight_limit, input->task != TASK_REGRESSION, error);
	if (input->task != TASK_REGRESSION)
		return true;
	if (!(largest_weighted < DERIVATIVE_MAX))
		return refuse_size("a weight, times its target, has a value", largest_weighted, DERIVATIVE_MAX, false, error);
	return check_lowest(objective, input, end, error);
}
