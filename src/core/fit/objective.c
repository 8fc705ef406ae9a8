/*
 * objective.c
 *		Losses of gradient boosting.
 *
 * Compilers turn the loops over rows into vectors.  Sums over a block are
 * made in LANES parts, which every vector width divides, and added up in order;
 * rows behind the last LANES go into the first part.
 */
#include "objective.h"

#include <math.h>

#include "../mathfun.h"
#include "cpu.h"

#define LANES 16

#define DERIVATIVE_MAX 1e30		/* weights, and targets with and without theirs: derivatives are float32 */

/* ---- Constant scores ---- */

/* A value whose derivatives would not fit. */
static bool
refuse_size(const char *what, double value, Error *error)
{
	error_set(error, ERROR_DATA, "%s of %g, above the limit of %g for gradient boosting", what, value, DERIVATIVE_MAX);
	return error_hint(error, "Scale it down in the source query.");
}

/* Mean of the target over the training rows. */
static bool
squared_error_base(const FitInput *input, double *base, Error *error)
{
	RowRange	train = input->table->train;
	double		sum = 0;
	double		weights = 0;
	double		largest = 0;
	double		largest_weighted = 0;

	for (size_t i = train.begin; i < train.end; i++)
	{
		double		weight = input->weight != NULL ? input->weight[i] : 1;

		sum += weight * input->target[i];
		weights += weight;
		largest = fmax(largest, fabs(input->target[i]));
		largest_weighted = fmax(largest_weighted, fmax(fabs(input->target[i]), 1) * weight);
	}
	base[0] = sum / weights;
	if (!(largest < DERIVATIVE_MAX))
		return refuse_size("the target has a value", largest, error);
	if (!(largest_weighted < DERIVATIVE_MAX))
		return refuse_size("a weight, times its target, has a value", largest_weighted, error);
	return true;
}

/* Sums of weights by class over the training rows. */
static bool
class_weights(const FitInput *input, double *weights, uint32_t n_classes, Error *error)
{
	RowRange	train = input->table->train;
	double		largest = 0;

	for (uint32_t k = 0; k < n_classes; k++)
		weights[k] = 0;
	for (size_t i = train.begin; i < train.end; i++)
	{
		double		weight = input->weight != NULL ? input->weight[i] : 1;

		weights[(uint32_t) input->target[i]] += weight;
		largest = fmax(largest, weight);
	}
	return largest < DERIVATIVE_MAX || refuse_size("a weight has a value", largest, error);
}

/* A frequency, kept away from 0, whose logarithm is no number. */
static double
frequency(double part, double whole)
{
	return fmax(part / whole, 1e-9);
}

/* Log odds of the second class. */
static bool
logistic_base(const FitInput *input, double *base, Error *error)
{
	double		weights[2];

	if (!class_weights(input, weights, 2, error))
		return false;
	base[0] = math_log(frequency(weights[1], weights[0] + weights[1])) - math_log(frequency(weights[0], weights[0] + weights[1]));
	return true;
}

/* Logarithms of the frequencies. */
static bool
softmax_base(const FitInput *input, double *base, Error *error)
{
	double		whole = 0;

	if (!class_weights(input, base, input->n_classes, error))
		return false;
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
static double
shown_as_is(double mean)
{
	return mean;
}

/* ---- The table ---- */

static const Objective squared_error = {
	.name = "squared_error",
	.link = LINK_IDENTITY,
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
	.shown = shown_as_is
};

static const Objective softmax = {
	.name = "softmax",
	.link = LINK_SOFTMAX,
	.grouped = true,
	.base = softmax_base,
	.prepare = softmax_prepare,
	.gradients = softmax_gradients,
	.losses = softmax_losses,
	.shown = shown_as_is
};

/* The objective that a task has. */
const Objective *
objective_of(Task task)
{
	switch (task)
	{
		case TASK_REGRESSION:
			return &squared_error;
		case TASK_BINARY:
			return &logistic;
		case TASK_MULTICLASS:
			return &softmax;
	}
	return NULL;
}

/* ---- All rows ---- */

typedef struct RowsWork
{
	const Objective *objective;
	const ScoredRows *rows;
	uint32_t	group;
	float	   *g;
	float	   *h;
	GradientBlock *blocks;
	double	   *sums;
} RowsWork;

/* Rows of a block. */
static inline RowRange
block_range(const ScoredRows *rows, size_t block)
{
	size_t		begin = block * OBJECTIVE_BLOCK;

	return (RowRange)
	{
		.begin = begin, .end = rows->n - begin < OBJECTIVE_BLOCK ? rows->n : begin + OBJECTIVE_BLOCK
	};
}

/* Task: log sums of a block. */
static void
prepare_block(void *argument, size_t task)
{
	const RowsWork *work = argument;
	RowRange	range = block_range(work->rows, task);

	work->objective->prepare(work->rows, range.begin, range.end);
}

/* All blocks on all threads. */
void
objective_prepare(const Objective *objective, const ScoredRows *rows, ThreadPool *pool)
{
	RowsWork	work = {.objective = objective,.rows = rows};

	if (objective->prepare != NULL)
		pool_for(pool, objective_blocks(rows->n), prepare_block, &work);
}

/* Multiplies by weights, and finds largest values and sums. */
CPU_BODY void
weigh_body(const double *restrict weight, size_t n, float *restrict g, float *restrict h, GradientBlock *block)
{
	float		largest_g[LANES] = {0};
	float		largest_h[LANES] = {0};
	double		sum_g[LANES] = {0};
	double		sum_h[LANES] = {0};

	for (size_t i = 0; i < n; i += LANES)
	{
		float		block_g[LANES] = {0};
		float		block_h[LANES] = {0};
		size_t		m = n - i < LANES ? n - i : LANES;

		if (weight != NULL)
		{
			for (size_t k = 0; k < m; k++)
			{
				g[i + k] = (float) ((double) g[i + k] * weight[i + k]);
				h[i + k] = (float) ((double) h[i + k] * weight[i + k]);
			}
		}
		for (size_t k = 0; k < m; k++)
		{
			block_g[k] = fabsf(g[i + k]);
			block_h[k] = h[i + k];
		}
		for (size_t k = 0; k < LANES; k++)
		{
			largest_g[k] = block_g[k] > largest_g[k] ? block_g[k] : largest_g[k];
			largest_h[k] = block_h[k] > largest_h[k] ? block_h[k] : largest_h[k];
			sum_g[k] += (double) block_g[k];
			sum_h[k] += (double) block_h[k];
		}
	}
	*block = (GradientBlock) {0};
	for (size_t k = 0; k < LANES; k++)
	{
		block->largest_g = fmaxf(block->largest_g, largest_g[k]);
		block->largest_h = fmaxf(block->largest_h, largest_h[k]);
		block->sum_g += sum_g[k];
		block->sum_h += sum_h[k];
	}
}

CPU_DISPATCH(weigh, (const double *weight, size_t n, float *g, float *h, GradientBlock *block), (weight, n, g, h, block))

/* Task: weighted derivatives of a block. */
static void
gradient_block(void *argument, size_t task)
{
	const RowsWork *work = argument;
	RowRange	range = block_range(work->rows, task);

	work->objective->gradients(work->rows, work->group, range.begin, range.end, work->g, work->h);
	weigh(work->rows->weight != NULL ? work->rows->weight + range.begin : NULL, range_rows(range),
		  work->g + range.begin, work->h + range.begin, &work->blocks[task]);
}

/* All blocks on all threads. */
void
objective_gradients(const Objective *objective, const ScoredRows *rows, uint32_t group, float *g, float *h,
					GradientBlock *blocks, ThreadPool *pool)
{
	RowsWork	work = {.objective = objective,.rows = rows,.group = group,.g = g,.h = h,.blocks = blocks};

	pool_for(pool, objective_blocks(rows->n), gradient_block, &work);
}

/* The sum of n numbers. */
CPU_BODY void
sum_lanes_body(const double *restrict values, size_t n, double *restrict sum)
{
	double		sums[LANES] = {0};
	size_t		i = 0;

	for (; i + LANES <= n; i += LANES)
	{
		for (size_t k = 0; k < LANES; k++)
			sums[k] += values[i + k];
	}
	for (; i < n; i++)
		sums[0] += values[i];
	*sum = 0;
	for (size_t k = 0; k < LANES; k++)
		*sum += sums[k];
}

CPU_DISPATCH(sum_lanes, (const double *values, size_t n, double *sum), (values, n, sum))

/* Task: sums of weighted losses and of weights of a block. */
static void
loss_block(void *argument, size_t task)
{
	const RowsWork *work = argument;
	RowRange	range = block_range(work->rows, task);
	double		losses[OBJECTIVE_BLOCK];

	size_t		n = range_rows(range);

	work->objective->losses(work->rows, range.begin, n, losses);
	work->sums[2 * task + 1] = (double) n;
	if (work->rows->weight != NULL)
	{
		const double *weight = work->rows->weight + range.begin;

		for (size_t i = 0; i < n; i++)
			losses[i] *= weight[i];
		sum_lanes(weight, n, &work->sums[2 * task + 1]);
	}
	sum_lanes(losses, n, &work->sums[2 * task]);
}

/* Blocks on all threads; their sums in order. */
double
objective_loss(const Objective *objective, const ScoredRows *rows, double *scratch, ThreadPool *pool)
{
	RowsWork	work = {.objective = objective,.rows = rows,.sums = scratch};
	double		loss = 0;
	double		weight = 0;

	if (rows->n == 0)
		return NAN;
	pool_for(pool, objective_blocks(rows->n), loss_block, &work);
	for (size_t b = 0; b < objective_blocks(rows->n); b++)
	{
		loss += scratch[2 * b];
		weight += scratch[2 * b + 1];
	}
	return objective->shown(loss / weight);
}
