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
 * Categories are ordered by their mean target or share of a class, which
 * makes the best of all sets a prefix (Fisher 1958; Breiman et al. 1984), or,
 * of more classes, along the principal component of their shares
 * (Coppersmith, Hong & Hosking 1999).  Missing is one more category.
 *
 * All memory is the grower's, which is one thread's.
 */
#include "forest_internal.h"

#include <math.h>
#include <string.h>

#include "../cpu.h"

#define POWER_STEPS 12			/* of the iteration that finds the principal component */

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

		grower->counts[bin] = 0;
		memset(grower->cells + (size_t) bin * n_sums, 0, n_sums * sizeof(int64_t));
	}
}

/* ---- Numbers ---- */

/* A random cut between the first and the last of n >= 2 used bins: even over the values, or over the bins of infinite ones. */
static uint32_t
random_cut(const ForestColumn *column, const uint32_t *used, uint32_t n, uint64_t hash)
{
	uint32_t	lowest = used[0];
	uint32_t	highest = used[n - 1] - 1;
	double		share = (double) (hash >> 11) * 0x1p-53;
	double		least = column->middles[lowest];
	double		reach = column->middles[used[n - 1]] - least;

	if (!isfinite(reach))
		return lowest + (uint32_t) (share * (highest - lowest + 1));

	/* behind the last bin that is not above the value */
	double		value = least + share * reach;

	while (lowest < highest)
	{
		uint32_t	middle = (lowest + highest + 1) / 2;

		if (column->middles[middle] <= value)
			lowest = middle;
		else
			highest = middle - 1;
	}
	return lowest;
}

/* One random cut; where there is but one number, it is cut off from the missing ones. */
static void
random_number(ForestGrower *grower, const ForestNode *node, const ForestColumn *column, uint32_t feature_number,
			  const uint32_t *numbers, uint32_t n, bool has_missing, double *best, ForestSplit *split)
{
	uint64_t	hash = hash64_combine(node->key ^ UINT64_C(0x637574), feature_number);
	uint32_t	cut = n > 1 ? random_cut(column, numbers, n, hash) : numbers[0];
	uint32_t	n_left = 0;

	if (cut > column->feature.n_cuts)
		return;
	while (n_left < n && numbers[n_left] <= cut)
		n_left++;

	ForestPrefixes prefixes = {numbers, n_left, has_missing && n > 1 && hash % 2 != 0, node->end - node->begin};

	if (!forest_prefix_improves(grower, &prefixes, best))
		return;
	split->feature = feature_number;
	split->categorical = false;
	split->bin = cut;
	split->missing_left = has_missing ? prefixes.missing_left : forest_left_is_heavier(grower, numbers, n_left);
}

/* All cuts, with missing values right, then left. */
static void
search_number(ForestGrower *grower, const ForestNode *node, const ForestColumn *column, uint32_t feature_number, uint32_t n_used,
			  double *best, ForestSplit *split)
{
	uint32_t	n_cuts = column->feature.n_cuts;
	bool		has_missing = grower->used[0] == BIN_MISSING;
	const uint32_t *numbers = grower->used + has_missing;
	uint32_t	n = n_used - has_missing;

	if (grower->forest->rules.random_cuts)
	{
		random_number(grower, node, column, feature_number, numbers, n, has_missing, best, split);
		return;
	}
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
		split->missing_left = has_missing ? missing_left : forest_left_is_heavier(grower, numbers, length);
	}
}

/* ---- Categories ---- */

/* Sorts by order, stable. */
static void
sort_bins(OrderedCategory *bins, OrderedCategory *spare, uint32_t n)
{
	for (uint32_t width = 1; width < n; width *= 2)
	{
		for (uint32_t begin = 0; begin < n; begin += 2 * width)
		{
			uint32_t	middle = begin + width < n ? begin + width : n;
			uint32_t	end = middle + width < n ? middle + width : n;
			uint32_t	a = begin;
			uint32_t	b = middle;

			for (uint32_t i = begin; i < end; i++)
				spare[i] = a < middle && (b == end || bins[a].order <= bins[b].order) ? bins[a++] : bins[b++];
		}
		memcpy(bins, spare, n * sizeof(OrderedCategory));
	}
}

/* How far a bin's shares lie along a direction, from the node's. */
static double
along(const ForestGrower *grower, uint32_t bin, const double *direction, double *weight)
{
	const ForestTarget *target = &grower->forest->target;
	const int64_t *cell = grower->cells + (size_t) bin * target->n_sums;
	const double *node_shares = grower->shares;
	double		sum = 0;

	*weight = forest_weight(target, cell);
	for (uint32_t k = 0; k < target->n_sums; k++)
		sum += ((double) cell[k] / *weight - node_shares[k]) * direction[k];
	return sum;
}

/* Orders bins along the principal component of their shares of classes, found by power iteration. */
static void
order_by_component(ForestGrower *grower, OrderedCategory *ordered, uint32_t n)
{
	uint32_t	n_sums = grower->forest->target.n_sums;
	double	   *node_shares = grower->shares;
	double	   *direction = node_shares + n_sums;
	double	   *next = direction + n_sums;
	double		node_weight = forest_weight(&grower->forest->target, grower->node_sums);
	double		weight;

	for (uint32_t k = 0; k < n_sums; k++)
	{
		node_shares[k] = (double) grower->node_sums[k] / node_weight;
		direction[k] = (double) (k + 1) / n_sums;
	}
	for (int step = 0; step < POWER_STEPS; step++)
	{
		double		largest = 0;

		memset(next, 0, n_sums * sizeof(double));
		for (uint32_t i = 0; i < n; i++)
		{
			double		distance = along(grower, ordered[i].bin, direction, &weight);
			const int64_t *cell = grower->cells + (size_t) ordered[i].bin * n_sums;

			for (uint32_t k = 0; k < n_sums; k++)
				next[k] += weight * distance * ((double) cell[k] / weight - node_shares[k]);
		}
		for (uint32_t k = 0; k < n_sums; k++)
			largest = fmax(largest, fabs(next[k]));
		if (!(largest > 0))
			break;
		for (uint32_t k = 0; k < n_sums; k++)
			direction[k] = next[k] / largest;
	}
	for (uint32_t i = 0; i < n; i++)
		ordered[i].order = along(grower, ordered[i].bin, direction, &weight);
}

/* Puts the used bins into the order whose prefixes are tried. */
static void
order_bins(ForestGrower *grower, const ForestNode *node, uint32_t feature_number, uint32_t n)
{
	const ForestTarget *target = &grower->forest->target;
	OrderedCategory *ordered = grower->ordered;
	uint64_t	key = hash64_combine(node->key ^ UINT64_C(0x736574), feature_number);

	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	bin = grower->used[i];
		const int64_t *cell = grower->cells + (size_t) bin * target->n_sums;

		ordered[i].bin = bin;
		if (grower->forest->rules.random_cuts)
			ordered[i].order = (double) (hash64_combine(key, bin) >> 11);
		else
			ordered[i].order = (double) cell[1] / forest_weight(target, cell);
	}
	if (target->n_sums > 2 && !grower->forest->rules.random_cuts)
		order_by_component(grower, ordered, n);
	sort_bins(ordered, grower->ordered_spare, n);
	for (uint32_t i = 0; i < n; i++)
		grower->sequence[i] = ordered[i].bin;
}

/* Notes that the first `length` bins of the sequence of n go left. */
static void
take_set(ForestGrower *grower, const BinFeature *feature, uint32_t feature_number, uint32_t n, uint32_t length, ForestSplit *split)
{
	const uint32_t *sequence = grower->sequence;
	bool		rest_left = forest_left_is_heavier(grower, sequence, length);
	uint32_t	n_words = (feature->n_bins - 1 + 31) / 32;

	split->feature = feature_number;
	split->categorical = true;
	split->missing_left = rest_left;
	grower->set[0] = n_words;
	memset(grower->set + 1, rest_left ? 0xff : 0, n_words * sizeof(uint32_t));
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	level = sequence[i] - 1;

		if (sequence[i] == BIN_MISSING)
			split->missing_left = i < length;
		else if (i < length)
			grower->set[1 + level / 32] |= UINT32_C(1) << (level % 32);
		else
			grower->set[1 + level / 32] &= ~(UINT32_C(1) << (level % 32));
	}

	/* behind the last level there is nothing */
	if ((feature->n_bins - 1) % 32 != 0)
		grower->set[n_words] &= (UINT32_C(1) << ((feature->n_bins - 1) % 32)) - 1;
}

/* A set of categories against the others. */
static void
search_set(ForestGrower *grower, const ForestNode *node, const BinFeature *feature, uint32_t feature_number, uint32_t n_used,
		   double *best, ForestSplit *split)
{
	ForestPrefixes prefixes = {grower->sequence, n_used - 1, false, node->end - node->begin};
	uint32_t	length;

	order_bins(grower, node, feature_number, n_used);
	if (grower->forest->rules.random_cuts)
	{
		uint64_t	hash = hash64_combine(node->key ^ UINT64_C(0x637574), feature_number);

		prefixes.n = 1 + (uint32_t) (((unsigned __int128) hash * (n_used - 1)) >> 64);
		length = forest_prefix_improves(grower, &prefixes, best) ? prefixes.n : 0;
	}
	else
		length = forest_best_prefix(grower, &prefixes, best);
	if (length > 0)
		take_set(grower, feature, feature_number, n_used, length, split);
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

ForestSplit
forest_search(ForestGrower *grower, const ForestNode *node)
{
	const Forest *forest = grower->forest;
	ForestSplit split = {.gain = -1};
	double		best = -INFINITY;
	bool		any_varies = false;
	uint32_t	n = 0;

	for (; n < forest->bins.n_features && (n < forest->rules.n_tried || !any_varies); n++)
	{
		uint32_t	f = draw_feature(grower, node, n);
		const ForestColumn *column = &forest->bins.columns[f];
		uint32_t	n_used = collect(grower, node, column);

		if (n_used > 1)
		{
			any_varies = true;
			if (column->feature.categorical)
				search_set(grower, node, &column->feature, f, n_used, &best, &split);
			else
				search_number(grower, node, column, f, n_used, &best, &split);
		}
		clear(grower, n_used);
	}
	undo_draws(grower, n);
	if (best > -INFINITY)
		split.gain = fmax(0, best - forest_score(forest, grower->node_sums));
	return split;
}
