/*
 * objective_rows.c
 *		Derivatives and losses of all rows, block by block on all threads.
 *
 * Sums over a block are made in LANES parts, which every vector width
 * divides, and added up in order; rows behind the last LANES go into the first
 * part.
 */
#include "objective.h"

#include <math.h>
#include <string.h>

#include "../../cpu.h"

#define LANES 16

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

/* About the square root of x >= 0, within a tenth: the bits of half its exponent.  Next to nothing for 0. */
static inline __attribute__((always_inline)) float
about_root(float x)
{
	uint32_t	bits;

	memcpy(&bits, &x, sizeof(bits));
	bits = (bits >> 1) + (UINT32_C(127) << 22);
	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* Multiplies by weights, and finds largest values and sums. */
CPU_BODY void
weigh_body(const double *restrict weight, size_t n, float *restrict g, float *restrict h, GradientBlock *block)
{
	float		largest_g[LANES] = {0};
	float		largest_h[LANES] = {0};
	double		sum_g[LANES] = {0};
	double		sum_h[LANES] = {0};
	float		roots_g[LANES] = {0};
	float		roots_h[LANES] = {0};

	for (size_t i = 0; i < n; i += LANES)
	{
		float		block_g[LANES] = {0};
		float		block_h[LANES] = {0};
		float		apart[LANES] = {0};
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
		for (size_t k = 0; k < m && i > 0; k++)
			apart[k] = fabsf(g[i + k] - g[i + k - LANES]);
		for (size_t k = 0; k < LANES; k++)
		{
			largest_g[k] = block_g[k] > largest_g[k] ? block_g[k] : largest_g[k];
			largest_h[k] = block_h[k] > largest_h[k] ? block_h[k] : largest_h[k];
			sum_g[k] += (double) block_g[k];
			sum_h[k] += (double) block_h[k];
			roots_g[k] += about_root(apart[k]);
			roots_h[k] += about_root(block_h[k]);
		}
	}
	*block = (GradientBlock) {0};
	for (size_t k = 0; k < LANES; k++)
	{
		block->largest_g = fmaxf(block->largest_g, largest_g[k]);
		block->largest_h = fmaxf(block->largest_h, largest_h[k]);
		block->sum_g += sum_g[k];
		block->sum_h += sum_h[k];
		block->roots_g += (double) roots_g[k];
		block->roots_h += (double) roots_h[k];
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
