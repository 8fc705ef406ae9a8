/*
 * explain_trees.c
 *		Contributions to one row, all trees of a block side by side.
 *
 * explain_internal.h has the method.  The nodes of the quadrature are the
 * lanes of vectors.  A loop over splits has no branch that depends on the
 * row: which side is hot only selects addresses.
 */
#include "explain_internal.h"

#include <string.h>

#include "../cpu.h"

/* Nodes of the quadrature, worked on together. */
typedef double Lanes __attribute__((vector_size(32)));

#define NONE UINT32_MAX

static inline uint32_t
larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* As much as the largest block takes. */
bool
explain_prepare_row(ExplainTrees *trees, uint32_t n_columns, Arena *arena, Error *error)
{
	size_t		vector = trees->width * sizeof(double);
	uint32_t	n_splits = 0;
	uint32_t	n_slots = 0;
	uint32_t	n_again = 0;

	for (uint32_t b = 0; b < trees->n_blocks; b++)
	{
		n_splits = larger(n_splits, trees->blocks[b].n_splits);
		n_slots = larger(n_slots, trees->blocks[b].n_splits + trees->blocks[b].n_leaves);
		n_again = larger(n_again, trees->blocks[b].n_again);
	}
	trees->right = arena_alloc(arena, n_splits, sizeof(uint32_t), error);
	trees->alive = arena_alloc(arena, (size_t) n_again + 1, sizeof(uint32_t), error);
	trees->above = arena_alloc(arena, n_slots, vector, error);
	trees->below = arena_alloc(arena, n_slots, vector, error);
	trees->sums = arena_alloc(arena, n_columns, vector, error);
	if (trees->right == NULL || trees->alive == NULL || trees->above == NULL || trees->below == NULL || trees->sums == NULL)
		return false;
	trees->alive[0] = 1;
	return true;
}

/* Which way a missing value goes. */
static inline uint32_t
missing_right(uint32_t feature)
{
	return !(feature & EXPLAIN_MISSING_LEFT);
}

/* Splits on numbers. */
static inline void
decide_numbers(const ExplainBlock *block, const double *features, bool missing, uint32_t *restrict right)
{
	for (uint32_t s = 0; s < block->n_splits; s++)
	{
		uint32_t	feature = block->features[s];
		double		x = features[feature & ~EXPLAIN_MISSING_LEFT];

		right[s] = x > block->thresholds[s];
		if (missing)
			right[s] |= (uint32_t) (x != x) & missing_right(feature);
	}
}

/* Those on categories get their answer behind. */
static void
decide_sets(const ExplainBlock *block, const double *features, uint32_t *right)
{
	for (uint32_t i = 0; i < block->n_sets; i++)
	{
		const ExplainSet *set = &block->sets[i];
		double		x = features[set->feature & ~EXPLAIN_MISSING_LEFT];

		if (x != x)
			right[set->split] = missing_right(set->feature);
		else if (!(x >= 0 && x < (double) ((uint64_t) set->n_words * 32)))
			right[set->split] = 1;
		else
			right[set->split] = !((set->words[(uint64_t) x / 32] >> ((uint64_t) x % 32)) & 1);
	}
}

void
explain_decide(const ExplainTrees *trees, const ExplainBlock *block, const double *features, bool missing)
{
	if (missing)
		decide_numbers(block, features, true, trees->right);
	else
		decide_numbers(block, features, false, trees->right);
	decide_sets(block, features, trees->right);
	for (uint32_t i = 0; i < block->n_again; i++)
	{
		const ExplainAgain *again = &block->again[i];

		trees->alive[i + 1] = trees->alive[again->before_again] & (trees->right[again->before] == again->side);
	}
}

/* What a pass over a block works with. */
typedef struct Pass
{
	const ExplainBlock *block;
	const uint32_t *right;
	const uint32_t *alive;		/* of splits on a feature again */
	const Lanes *others;		/* u of the pass's nodes */
	const Lanes *bends;			/* of the pass */
	const Lanes *left_way;		/* 1s, then 0s: the bends where the row left the way before */
	Lanes	   *above;
	Lanes	   *below;
	Lanes	   *sums;
} Pass;

/* The vectors so many doubles behind the first. */
CPU_BODY Lanes *
lanes_at(Lanes *first, uint32_t offset)
{
	return (Lanes *) ((double *) first + offset);
}

/* The bends of a split on a feature that the path has already, by its number among those. */
CPU_BODY const Lanes *
bends_of(const Pass *pass, uint32_t number, int n_lanes)
{
	return pass->alive[number] ? pass->bends + (size_t) number * 2 * n_lanes : pass->left_way;
}

/* Splits the weights of nodes between their children; again: the number of the first among those of known features, or NONE. */
CPU_BODY void
split_weights(const Pass *pass, uint32_t begin, uint32_t end, uint32_t again, int n_lanes)
{
	const uint32_t *right = pass->right;
	const double *shares = pass->block->shares;
	const uint32_t *children = pass->block->children;
	Lanes	   *above = pass->above;

	for (uint32_t s = begin; s < end; s++)
	{
		const Lanes *bend = again == NONE ? pass->others : bends_of(pass, again + (s - begin), n_lanes);
		size_t		hot = 2 * (size_t) s + right[s];
		double		share = shares[hot ^ 1];
		const Lanes *in = above + (size_t) s * n_lanes;
		Lanes	   *hot_out = lanes_at(above, children[hot]);
		Lanes	   *cold_out = lanes_at(above, children[hot ^ 1]);

		for (int k = 0; k < n_lanes; k++)
		{
			Lanes		weight = in[k];
			Lanes		cold = weight * share * bend[k];

			cold_out[k] = cold;
			hot_out[k] = weight - cold;
		}
	}
}

/* The values of nodes from those of their children, and what their columns get. */
CPU_BODY void
join_values(const Pass *pass, uint32_t begin, uint32_t end, uint32_t again, int n_lanes)
{
	const uint32_t *right = pass->right;
	const double *shares = pass->block->shares;
	const uint32_t *children = pass->block->children;
	const uint32_t *columns = pass->block->columns;
	const Lanes *above = pass->above;
	Lanes	   *below = pass->below;
	Lanes	   *sums = pass->sums;

	for (uint32_t s = begin; s < end; s++)
	{
		const Lanes *bend = again == NONE ? pass->others : bends_of(pass, again + (s - begin), n_lanes);
		size_t		hot = 2 * (size_t) s + right[s];
		double		share = shares[hot ^ 1];
		const Lanes *hot_in = lanes_at(below, children[hot]);
		const Lanes *cold_in = lanes_at(below, children[hot ^ 1]);
		const Lanes *weight = above + (size_t) s * n_lanes;
		Lanes	   *out = below + (size_t) s * n_lanes;
		Lanes	   *sum = lanes_at(sums, columns[s]);

		for (int k = 0; k < n_lanes; k++)
		{
			Lanes		hot_value = hot_in[k];
			Lanes		change = (hot_value - cold_in[k]) * share;

			out[k] = hot_value - bend[k] * change;
			sum[k] += (again == NONE ? weight[k] : weight[k] * bend[n_lanes + k]) * change;
		}
	}
}

/* The same of twigs. */
CPU_BODY void
join_leaves(const Pass *pass, uint32_t begin, uint32_t end, uint32_t again, int n_lanes)
{
	const uint32_t *right = pass->right;
	const uint32_t *columns = pass->block->columns;
	const double *leaves = pass->block->leaves;
	const double *changes = pass->block->changes;
	uint32_t	n_inner = pass->block->n_inner;
	const Lanes *above = pass->above;
	Lanes	   *below = pass->below;
	Lanes	   *sums = pass->sums;

	for (uint32_t s = begin; s < end; s++)
	{
		const Lanes *bend = again == NONE ? pass->others : bends_of(pass, again + (s - begin), n_lanes);
		size_t		leaf = 2 * (size_t) (s - n_inner) + right[s];
		double		value = leaves[leaf];
		double		change = changes[leaf];
		const Lanes *weight = above + (size_t) s * n_lanes;
		Lanes	   *out = below + (size_t) s * n_lanes;
		Lanes	   *sum = lanes_at(sums, columns[s]);

		for (int k = 0; k < n_lanes; k++)
		{
			out[k] = value - bend[k] * change;
			sum[k] += (again == NONE ? weight[k] : weight[k] * bend[n_lanes + k]) * change;
		}
	}
}

/* From the roots down, then from the leaves up. */
CPU_BODY void
pass_body(const Pass *pass, int n_lanes)
{
	const ExplainBlock *block = pass->block;
	uint32_t	n_again = 0;

	for (uint32_t r = 0; r < block->n_roots; r++)
	{
		for (int k = 0; k < n_lanes; k++)
			pass->above[(size_t) block->roots[r] * n_lanes + k] = (Lanes) {1, 1, 1, 1};
	}
	for (uint32_t i = 0; i < block->n_leaves; i++)
	{
		double		leaf = block->lone_leaves[i];

		for (int k = 0; k < n_lanes; k++)
			pass->below[((size_t) block->n_splits + i) * n_lanes + k] = (Lanes) {leaf, leaf, leaf, leaf};
	}
	for (uint32_t level = 0; level < block->n_levels; level++)
	{
		const ExplainRun *run = &block->levels[level];

		split_weights(pass, run->begin, run->again, NONE, n_lanes);
		split_weights(pass, run->again, run->end, n_again, n_lanes);
		n_again += run->end - run->again;
	}
	join_leaves(pass, block->twigs.begin, block->twigs.again, NONE, n_lanes);
	join_leaves(pass, block->twigs.again, block->twigs.end, n_again, n_lanes);
	for (uint32_t level = block->n_levels; level-- > 0;)
	{
		const ExplainRun *run = &block->levels[level];

		n_again -= run->end - run->again;
		join_values(pass, run->again, run->end, n_again, n_lanes);
		join_values(pass, run->begin, run->again, NONE, n_lanes);
	}
}

CPU_BODY void
narrow_pass_body(const Pass *pass)
{
	pass_body(pass, 1);
}

CPU_BODY void
wide_pass_body(const Pass *pass)
{
	pass_body(pass, 2);
}

CPU_DISPATCH(narrow_pass, (const Pass *pass), (pass))
CPU_DISPATCH(wide_pass, (const Pass *pass), (pass))

/* All blocks, one pass of the quadrature's nodes after the other. */
bool
explain_trees_row(const Explainer *explainer, const double *features, bool missing, double *contributions)
{
	static const Lanes left_way[4] = {{1, 1, 1, 1}, {1, 1, 1, 1}};
	const ExplainTrees *trees = explainer->trees;
	uint32_t	n_columns = explainer->n_columns;
	uint32_t	width = trees->width;

	memset(contributions, 0, n_columns * sizeof(double));
	for (uint32_t p = 0; p < trees->n_passes; p++)
	{
		const double *weights = trees->weights + (size_t) p * width;

		memset(trees->sums, 0, (size_t) n_columns * width * sizeof(double));
		for (uint32_t b = 0; b < trees->n_blocks; b++)
		{
			const ExplainBlock *block = &trees->blocks[b];
			Pass		pass = {
				.block = block,
				.right = trees->right,
				.alive = trees->alive + 1,
				.others = (const Lanes *) (trees->others + (size_t) p * width),
				.bends = (const Lanes *) (block->bends + (size_t) p * block->n_again * 2 * width),
				.left_way = left_way + (2 - width / 4),
				.above = (Lanes *) trees->above,
				.below = (Lanes *) trees->below,
				.sums = (Lanes *) trees->sums
			};

			if (explain_stopped(explainer->stop))
				return false;
			explain_decide(trees, block, features, missing);
			if (width == 4)
				narrow_pass(&pass);
			else
				wide_pass(&pass);
		}
		for (uint32_t c = 0; c < n_columns; c++)
		{
			double		sum = 0;

			for (uint32_t k = 0; k < width; k++)
				sum += weights[k] * trees->sums[(size_t) c * width + k];
			contributions[c] += sum;
		}
	}
	return true;
}
