/*
 * explain_points.c
 *		The nodes of the quadrature, and what splits have at each of them.
 */
#include "explain_internal.h"

#include <math.h>

#include "../statistics/quadrature.h"

#define NARROW	4				/* nodes at a time, where so many do */
#define WIDE	EXPLAIN_WIDTH

/*
 * Nodes for paths with so many features.  Half as many are exact; far fewer
 * come as close as doubles do, as the coefficients of the integrand in
 * Chebyshev polynomials fall like those of t^n: exp(-k^2 / n).
 */
static uint32_t
count_points(uint32_t n_features)
{
	uint32_t	exact = (n_features + 1) / 2;
	uint32_t	enough = (uint32_t) ceil(3.5 * sqrt(n_features)) + 8;

	return exact < enough ? exact : enough;
}

static bool
choose_points(ExplainTrees *trees, Arena *arena, Error *error)
{
	uint32_t	n = count_points(trees->n_features_on_path);

	trees->width = n <= NARROW ? NARROW : WIDE;
	trees->n_passes = n <= trees->width ? 1 : (n + trees->width - 1) / trees->width;
	n = trees->width * trees->n_passes;
	trees->nodes = arena_alloc(arena, n, sizeof(double), error);
	trees->others = arena_alloc(arena, n, sizeof(double), error);
	trees->weights = arena_alloc(arena, n, sizeof(double), error);
	if (trees->nodes == NULL || trees->others == NULL || trees->weights == NULL)
		return false;

	/* the rule is symmetric, so 1 - node is another node, not a difference */
	quadrature_points(n, trees->nodes, trees->weights);
	for (uint32_t k = 0; k < n; k++)
		trees->others[k] = trees->nodes[n - 1 - k];
	return true;
}

/* The two vectors of each split on a feature that its path has already. */
static bool
bend_block(const ExplainTrees *trees, ExplainBlock *block, Arena *arena, Error *error)
{
	uint32_t	width = trees->width;
	double	   *bend = arena_alloc(arena, (size_t) trees->n_passes * block->n_again, 2 * width * sizeof(double), error);

	block->bends = bend;
	if (bend == NULL)
		return false;
	for (uint32_t pass = 0; pass < trees->n_passes; pass++)
	{
		const double *t = trees->nodes + pass * width;
		const double *u = trees->others + pass * width;

		for (uint32_t i = 0; i < block->n_again; i++, bend += 2 * width)
		{
			double		share = block->again[i].share;

			for (uint32_t k = 0; k < width; k++)
			{
				double		factor = share * u[k] + t[k];

				bend[k] = share * u[k] / factor;
				bend[width + k] = share / (factor * factor);
			}
		}
	}
	return true;
}

/* Numbers that select vectors are offsets in doubles from now on: that is what addresses are made of. */
static void
scale_numbers(const ExplainTrees *trees, ExplainBlock *block)
{
	for (uint32_t s = 0; s < block->n_splits; s++)
		block->columns[s] *= trees->width;
	for (uint64_t i = 0; i < 2 * (uint64_t) block->n_inner; i++)
		block->children[i] *= trees->width;
}

bool
explain_prepare_points(ExplainTrees *trees, ExplainStop stop, Arena *arena, Error *error)
{
	if (!choose_points(trees, arena, error))
		return false;
	for (uint32_t b = 0; b < trees->n_blocks; b++)
	{
		if (explain_stopped(stop))
			return error_set(error, ERROR_CANCELLED, "cancelled");
		if (!bend_block(trees, &trees->blocks[b], arena, error))
			return false;
		scale_numbers(trees, &trees->blocks[b]);
	}
	return true;
}
