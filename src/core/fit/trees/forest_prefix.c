/*
 * forest_prefix.c
 *		The best of the prefixes of a sequence of bins, as the left child of a node.
 *
 * Of best splits, the sum over both children of S is greatest, where S is
 *		moment^2 / weight			squared error
 *		sum of c^2 / weight			Gini impurity, c: weight of a class
 *		sum of c log c - w log w	entropy
 * which is the weighted decrease of the impurity and a constant.  A split
 * without decrease is a split, too: a later one may need it.
 *
 * Two sums a cell, of which all targets but those of three and more classes
 * are made, have a loop of their own, compiled for each criterion.  What is
 * added up, and the room for it, is the grower's, which is one thread's.
 */
#include "forest_internal.h"

#include "../../cpu.h"
#include "../../mathfun.h"

/* ---- Scores ---- */

/* x log x */
static inline double
x_log_x(double x)
{
	return x > 0 ? x * math_log(x) : 0;
}

/* S of two sums: of two classes, or of a weight and a moment. */
CPU_BODY double
pair_score(ForestCriterion criterion, int64_t first, int64_t second)
{
	double		a = (double) first;
	double		b = (double) second;

	switch (criterion)
	{
		case CRITERION_SQUARED_ERROR:
			return b * b / a;
		case CRITERION_GINI:
			return (a * a + b * b) / (a + b);
		case CRITERION_ENTROPY:
			return x_log_x(a) + x_log_x(b) - x_log_x(a + b);
	}
	return 0;
}

/* S of n sums of classes. */
static double
classes_score(ForestCriterion criterion, const int64_t *sums, uint32_t n)
{
	int64_t		weight = 0;
	double		score = 0;

	for (uint32_t k = 0; k < n; k++)
	{
		double		c = (double) sums[k];

		weight += sums[k];
		score += criterion == CRITERION_GINI ? c * c : x_log_x(c);
	}
	return criterion == CRITERION_GINI ? score / (double) weight : score - x_log_x((double) weight);
}

double
forest_score(const Forest *forest, const int64_t *sums)
{
	if (forest->target.n_sums == 2)
		return pair_score(forest->rules.criterion, sums[0], sums[1]);
	return classes_score(forest->rules.criterion, sums, forest->target.n_sums);
}

/* S of the rest of the node. */
static double
rest_score(ForestGrower *grower, const int64_t *left)
{
	uint32_t	n_sums = grower->forest->target.n_sums;
	int64_t    *right = grower->right_sums;

	for (uint32_t k = 0; k < n_sums; k++)
		right[k] = grower->node_sums[k] - left[k];
	return forest_score(grower->forest, right);
}

/* ---- Prefixes ---- */

/* The first best prefix, where it is better than *best; its length, or 0.  Two sums; the criterion is a constant. */
CPU_BODY uint32_t
best_pair_body(const ForestGrower *grower, const ForestPrefixes *prefixes, ForestCriterion criterion, double *best)
{
	const int64_t *cells = grower->cells;
	size_t		min_leaf = grower->forest->rules.min_leaf;
	int64_t		node_a = grower->node_sums[0];
	int64_t		node_b = grower->node_sums[1];
	int64_t		a = prefixes->missing_left ? cells[0] : 0;
	int64_t		b = prefixes->missing_left ? cells[1] : 0;
	size_t		n_left = prefixes->missing_left ? grower->counts[0] : 0;
	uint32_t	length = 0;

	for (uint32_t i = 0; i < prefixes->n; i++)
	{
		uint32_t	bin = prefixes->bins[i];

		a += cells[2 * (size_t) bin];
		b += cells[2 * (size_t) bin + 1];
		n_left += grower->counts[bin];
		if (min_leaf > 1 && (n_left < min_leaf || prefixes->n_rows - n_left < min_leaf))
			continue;

		double		score = pair_score(criterion, a, b) + pair_score(criterion, node_a - a, node_b - b);

		if (score > *best)
		{
			*best = score;
			length = i + 1;
		}
	}
	return length;
}

/* The same with any number of classes. */
static uint32_t
best_of_classes(ForestGrower *grower, const ForestPrefixes *prefixes, double *best)
{
	const Forest *forest = grower->forest;
	uint32_t	n_sums = forest->target.n_sums;
	int64_t    *left = grower->left_sums;
	size_t		n_left = prefixes->missing_left ? grower->counts[0] : 0;
	uint32_t	length = 0;

	for (uint32_t k = 0; k < n_sums; k++)
		left[k] = prefixes->missing_left ? grower->cells[k] : 0;
	for (uint32_t i = 0; i < prefixes->n; i++)
	{
		const int64_t *cell = grower->cells + (size_t) prefixes->bins[i] * n_sums;

		for (uint32_t k = 0; k < n_sums; k++)
			left[k] += cell[k];
		n_left += grower->counts[prefixes->bins[i]];
		if (forest->rules.min_leaf > 1 && (n_left < forest->rules.min_leaf || prefixes->n_rows - n_left < forest->rules.min_leaf))
			continue;

		double		score = classes_score(forest->rules.criterion, left, n_sums) + rest_score(grower, left);

		if (score > *best)
		{
			*best = score;
			length = i + 1;
		}
	}
	return length;
}

/* By the number of sums and the criterion. */
uint32_t
forest_best_prefix(ForestGrower *grower, const ForestPrefixes *prefixes, double *best)
{
	const Forest *forest = grower->forest;

	if (forest->target.n_sums > 2)
		return best_of_classes(grower, prefixes, best);
	switch (forest->rules.criterion)
	{
		case CRITERION_SQUARED_ERROR:
			return best_pair_body(grower, prefixes, CRITERION_SQUARED_ERROR, best);
		case CRITERION_GINI:
			return best_pair_body(grower, prefixes, CRITERION_GINI, best);
		case CRITERION_ENTROPY:
			return best_pair_body(grower, prefixes, CRITERION_ENTROPY, best);
	}
	return 0;
}

/* Adds up the longest prefix; its rows, where they are counted. */
static size_t
add_prefix(ForestGrower *grower, const ForestPrefixes *prefixes)
{
	uint32_t	n_sums = grower->forest->target.n_sums;
	int64_t    *left = grower->left_sums;
	size_t		n_left = prefixes->missing_left ? grower->counts[0] : 0;

	for (uint32_t k = 0; k < n_sums; k++)
		left[k] = prefixes->missing_left ? grower->cells[k] : 0;
	for (uint32_t i = 0; i < prefixes->n; i++)
	{
		for (uint32_t k = 0; k < n_sums; k++)
			left[k] += grower->cells[(size_t) prefixes->bins[i] * n_sums + k];
		n_left += grower->counts[prefixes->bins[i]];
	}
	return n_left;
}

bool
forest_prefix_improves(ForestGrower *grower, const ForestPrefixes *prefixes, double *best)
{
	return forest_left_improves(grower, add_prefix(grower, prefixes), prefixes->n_rows, best);
}

bool
forest_left_improves(ForestGrower *grower, size_t n_left, size_t n_rows, double *best)
{
	const ForestRules *rules = &grower->forest->rules;

	if (rules->min_leaf > 1 && (n_left < rules->min_leaf || n_rows - n_left < rules->min_leaf))
		return false;

	double		score = forest_score(grower->forest, grower->left_sums) + rest_score(grower, grower->left_sums);

	if (!(score > *best))
		return false;
	*best = score;
	return true;
}

bool
forest_left_is_heavier(const ForestGrower *grower)
{
	const ForestTarget *target = &grower->forest->target;

	return 2 * forest_weight(target, grower->left_sums) >= forest_weight(target, grower->node_sums);
}

bool
forest_prefix_is_heavier(ForestGrower *grower, const uint32_t *bins, uint32_t n)
{
	ForestPrefixes prefixes = {.bins = bins,.n = n};

	add_prefix(grower, &prefixes);
	return forest_left_is_heavier(grower);
}
