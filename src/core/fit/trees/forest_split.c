/*
 * forest_split.c
 *		The split of a node of a forest's tree.
 *
 * Features are drawn without replacement by hash of the node's key; those
 * that are constant in the node count as looked at, but drawing goes on until
 * one is not (as scikit-learn does).  A feature's rows are added up by bin.
 * Nodes with fewer rows than bins note which bins they touch: these alone are
 * then scanned and cleared, so small nodes cost what their rows cost.
 *
 * Whatever the feature, its used bins are put into an order, and a prefix of
 * it goes left (forest_prefix.c).  Numbers have theirs, with the missing ones
 * on either side; a cut lies in the middle of the empty bins between the
 * children.
 *
 * Categories come in the order of forest_category.c; missing is one more.
 * Random splits are drawn in forest_random.c.
 *
 * All memory is the grower's, which is one thread's.
 */
#include "forest_internal.h"

#include <math.h>

#include "../../cpu.h"

/* ---- Adding up ---- */

/* Whether rows are counted by bin: where a leaf needs several, and where many sums would have to be looked at to see whether there are any. */
static inline bool
is_counted(const ForestGrower *grower)
{
	return grower->forest->rules.min_leaf > 1 || grower->forest->target.n_sums > 2;
}

/* Adds the node's rows to the cells of one feature; all conditions are constants. */
CPU_BODY void
add_rows(ForestGrower *grower, const ForestNode *node, const ForestColumn *column, bool classes, bool wide, bool sparse, bool counted)
{
	int64_t    *cells = grower->cells;
	uint32_t   *counts = grower->counts;
	uint64_t   *occupied = grower->occupied;
	uint32_t	n_sums = grower->forest->target.n_sums;

	for (const ForestRow *row = grower->rows + node->begin, *end = grower->rows + node->end; row < end; row++)
	{
		uint32_t	bin = wide ? column->wide[row->row] : column->narrow[row->row];

		forest_fetch(column, wide, row, end);
		if (counted)
			counts[bin]++;
		if (sparse)
			occupied[bin / 64] |= UINT64_C(1) << (bin % 64);
		if (classes)
			cells[(size_t) bin * n_sums + row->label] += row->amount;
		else
		{
			cells[2 * (size_t) bin] += row->label;
			cells[2 * (size_t) bin + 1] += row->amount;
		}
	}
}

/* The same with the width as a constant. */
CPU_BODY void
add_rows_width(ForestGrower *grower, const ForestNode *node, const ForestColumn *column, bool wide, bool sparse)
{
	bool		classes = grower->forest->target.classes;

	if (is_counted(grower))
		add_rows(grower, node, column, classes, wide, sparse, true);
	else if (classes && sparse)
		add_rows(grower, node, column, true, wide, true, false);
	else if (classes)
		add_rows(grower, node, column, true, wide, false, false);
	else if (sparse)
		add_rows(grower, node, column, false, wide, true, false);
	else
		add_rows(grower, node, column, false, wide, false, false);
}

/* Adds the rows up, and lists the bins that have any; returns their number. */
static uint32_t
collect(ForestGrower *grower, const ForestNode *node, const ForestColumn *column)
{
	uint32_t	n_bins = column->feature.n_bins;
	uint32_t   *used = grower->used;
	uint32_t	n_used = 0;
	bool		sparse = node->end - node->begin < n_bins / 2;

	if (column->wide != NULL)
		add_rows_width(grower, node, column, true, sparse);
	else
		add_rows_width(grower, node, column, false, sparse);
	if (!sparse)
	{
		bool		counted = is_counted(grower);

		for (uint32_t b = 0; b < n_bins; b++)
		{
			used[n_used] = b;
			n_used += counted ? grower->counts[b] != 0 : (grower->cells[2 * (size_t) b] | grower->cells[2 * (size_t) b + 1]) != 0;
		}
		return n_used;
	}
	for (uint32_t w = 0; w <= (n_bins - 1) / 64; w++)
	{
		for (uint64_t word = grower->occupied[w]; word != 0; word &= word - 1)
			used[n_used++] = w * 64 + (uint32_t) __builtin_ctzll(word);
		grower->occupied[w] = 0;
	}
	return n_used;
}

/* Makes the cells zero again. */
static void
clear(ForestGrower *grower, uint32_t n_used)
{
	uint32_t	n_sums = grower->forest->target.n_sums;

	for (uint32_t i = 0; i < n_used; i++)
	{
		uint32_t	bin = grower->used[i];
		int64_t    *cell = grower->cells + (size_t) bin * n_sums;

		grower->counts[bin] = 0;
		cell[0] = 0;
		cell[1] = 0;
		for (uint32_t k = 2; k < n_sums; k++)
			cell[k] = 0;
	}
}

/* ---- Numbers ---- */

/* All cuts, with missing values right, then left. */
static void
search_number(ForestGrower *grower, const ForestNode *node, const ForestColumn *column, uint32_t feature_number, uint32_t n_used,
			  double *best, ForestSplit *split)
{
	uint32_t	n_cuts = column->feature.n_cuts;
	bool		has_missing = grower->used[0] == BIN_MISSING;
	const uint32_t *numbers = grower->used + has_missing;
	uint32_t	n = n_used - has_missing;

	for (int missing_left = 0; missing_left <= has_missing; missing_left++)
	{
		/* all numbers against the missing ones, unless nothing finite is above them */
		bool		all = has_missing && !missing_left && numbers[n - 1] <= n_cuts;
		ForestPrefixes prefixes = {numbers, n - 1 + all, missing_left, node->end - node->begin};
		uint32_t	length = forest_best_prefix(grower, &prefixes, best);

		if (length == 0)
			continue;
		split->feature = feature_number;
		split->categorical = false;
		split->bin = length == n ? n_cuts : (numbers[length - 1] + numbers[length] - 1) / 2;
		split->missing_left = has_missing ? missing_left : forest_prefix_is_heavier(grower, numbers, length);
	}
}

/* ---- Categories ---- */

/* A set of categories against the others. */
static void
search_set(ForestGrower *grower, const ForestNode *node, const BinFeature *feature, uint32_t feature_number, uint32_t n_used,
		   double *best, ForestSplit *split)
{
	ForestPrefixes prefixes = {grower->sequence, n_used - 1, false, node->end - node->begin};

	forest_order_categories(grower, n_used);

	uint32_t	length = forest_best_prefix(grower, &prefixes, best);

	if (length > 0)
		forest_take_set(grower, feature, feature_number, n_used, length, split);
}

/* ---- All features ---- */

/* Draws the next feature of a node, number i of them. */
static uint32_t
draw_feature(ForestGrower *grower, const ForestNode *node, uint32_t i)
{
	uint32_t   *features = grower->features;
	uint32_t	rest = grower->forest->bins.n_features - i;
	uint32_t	j = i + (uint32_t) (((unsigned __int128) hash64_combine(node->key, i) * rest) >> 64);
	uint32_t	drawn = features[j];

	features[j] = features[i];
	features[i] = drawn;
	grower->swaps[i] = j;
	return drawn;
}

/* Puts the drawn features back. */
static void
undo_draws(ForestGrower *grower, uint32_t n)
{
	while (n-- > 0)
	{
		uint32_t	j = grower->swaps[n];
		uint32_t	drawn = grower->features[n];

		grower->features[n] = grower->features[j];
		grower->features[j] = drawn;
	}
}

bool
forest_search_feature(ForestGrower *grower, const ForestNode *node, uint32_t feature_number, double *best, ForestSplit *split)
{
	const ForestColumn *column = &grower->forest->bins.columns[feature_number];
	bool		draws = grower->forest->rules.random_cuts;

	if (draws && !column->feature.categorical)
		return forest_draw_number(grower, node, feature_number, best, split);

	uint32_t	n_used = collect(grower, node, column);

	if (n_used > 1 && !column->feature.categorical)
		search_number(grower, node, column, feature_number, n_used, best, split);
	else if (n_used > 1 && draws)
		forest_draw_set(grower, node, &column->feature, feature_number, n_used, best, split);
	else if (n_used > 1)
		search_set(grower, node, &column->feature, feature_number, n_used, best, split);
	clear(grower, n_used);
	return n_used > 1;
}

ForestSplit
forest_search(ForestGrower *grower, const ForestNode *node)
{
	const Forest *forest = grower->forest;
	ForestSplit split = {.gain = -1};
	double		best = -INFINITY;
	bool		any_varies = false;
	uint32_t	n = 0;

	if (grower->team != NULL && node->end - node->begin > FOREST_SUBTREE_ROWS)
	{
		for (; n < forest->rules.n_tried; n++)
			draw_feature(grower, node, n);
		any_varies = forest_team_search(grower, node, n, &best, &split);
	}
	for (; n < forest->bins.n_features && (n < forest->rules.n_tried || !any_varies); n++)
		any_varies |= forest_search_feature(grower, node, draw_feature(grower, node, n), &best, &split);
	undo_draws(grower, n);
	if (best > -INFINITY)
		split.gain = fmax(0, best - forest_score(forest, grower->node_sums));
	return split;
}
