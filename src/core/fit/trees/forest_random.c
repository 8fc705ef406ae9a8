/*
 * forest_random.c
 *		Random splits of a node, one a feature (Geurts, Ernst & Wehenkel 2006).
 *
 * Numbers are cut at a value drawn evenly between the node's least and
 * largest; of categories, a set of those that the node has is drawn.  Missing
 * values go to a side that is drawn, too.  Where they join the only other
 * value of the node, the draw has split nothing, and the feature has had its
 * turn, as in scikit-learn.
 *
 * All that is drawn are bits of hashes of the node's key and the feature.
 */
#include "forest_internal.h"

#include <math.h>
#include <string.h>

#include "../../cpu.h"

#define DRAW_CUT	UINT64_C(0x637574)
#define DRAW_SET	UINT64_C(0x736574)

/* ---- Numbers ---- */

/* Which bins of a number a node's rows have. */
typedef struct Reach
{
	bool		has_missing;
	uint32_t	lowest;			/* of the others; above highest where there is none */
	uint32_t	highest;
} Reach;

/* Copies the bins of the node's rows; the width is a constant. */
CPU_BODY Reach
gather_body(ForestGrower *grower, const ForestNode *node, const ForestColumn *column, bool wide)
{
	const ForestRow *rows = grower->rows + node->begin;
	size_t		n = node->end - node->begin;
	uint16_t   *bins = grower->gathered;
	Reach		reach = {.lowest = UINT32_MAX};

	for (size_t i = 0; i < n; i++)
	{
		uint32_t	bin = wide ? column->wide[rows[i].row] : column->narrow[rows[i].row];
		uint32_t	lowest = bin == BIN_MISSING ? UINT32_MAX : bin;

		forest_fetch(column, wide, rows + i, rows + n);
		bins[i] = (uint16_t) bin;
		reach.has_missing |= bin == BIN_MISSING;
		reach.lowest = lowest < reach.lowest ? lowest : reach.lowest;
		reach.highest = bin > reach.highest ? bin : reach.highest;
	}
	return reach;
}

static Reach
gather(ForestGrower *grower, const ForestNode *node, const ForestColumn *column)
{
	return column->wide != NULL ? gather_body(grower, node, column, true) : gather_body(grower, node, column, false);
}

/* A random cut between two bins: even over the values, or over the bins of infinite ones. */
static uint32_t
random_cut(const ForestColumn *column, const Reach *reach, uint64_t hash)
{
	uint32_t	lowest = reach->lowest;
	uint32_t	highest = reach->highest - 1;
	double		share = (double) (hash >> 11) * 0x1p-53;
	double		least = column->middles[lowest];
	double		distance = column->middles[reach->highest] - least;

	if (!isfinite(distance))
		return lowest + (uint32_t) (share * (highest - lowest + 1));

	/* behind the last bin that is not above the value */
	double		value = least + share * distance;

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

/* Adds up the rows whose gathered bins lie in first .. first + n_bins - 1, modulo 2^32; their number.  classes is a constant. */
CPU_BODY size_t
add_left_body(ForestGrower *grower, const ForestNode *node, uint32_t first, uint32_t n_bins, bool classes)
{
	const ForestRow *rows = grower->rows + node->begin;
	const uint16_t *bins = grower->gathered;
	size_t		n = node->end - node->begin;
	size_t		n_left = 0;
	int64_t		a = 0;
	int64_t		b = 0;

	for (size_t i = 0; i < n; i++)
	{
		bool		goes_left = bins[i] - first < n_bins;
		int64_t		mask = -(int64_t) goes_left;

		n_left += goes_left;
		a += mask & (classes ? rows[i].amount : rows[i].label);
		b += mask & (classes ? rows[i].amount & -(int64_t) rows[i].label : rows[i].amount);
	}
	grower->left_sums[0] = classes ? a - b : a;
	grower->left_sums[1] = b;
	return n_left;
}

/* The same of any number of classes. */
static size_t
add_left_classes(ForestGrower *grower, const ForestNode *node, uint32_t first, uint32_t n_bins)
{
	const ForestRow *rows = grower->rows + node->begin;
	size_t		n = node->end - node->begin;
	size_t		n_left = 0;

	memset(grower->left_sums, 0, grower->forest->target.n_sums * sizeof(int64_t));
	for (size_t i = 0; i < n; i++)
	{
		bool		goes_left = grower->gathered[i] - first < n_bins;

		n_left += goes_left;
		grower->left_sums[rows[i].label] += rows[i].amount & -(int64_t) goes_left;
	}
	return n_left;
}

static size_t
add_left(ForestGrower *grower, const ForestNode *node, uint32_t first, uint32_t n_bins)
{
	const ForestTarget *target = &grower->forest->target;

	if (target->n_sums > 2)
		return add_left_classes(grower, node, first, n_bins);
	return target->classes ? add_left_body(grower, node, first, n_bins, true) : add_left_body(grower, node, first, n_bins, false);
}

bool
forest_draw_number(ForestGrower *grower, const ForestNode *node, uint32_t feature_number, double *best, ForestSplit *split)
{
	const ForestColumn *column = &grower->forest->bins.columns[feature_number];
	uint64_t	hash = hash64_combine(node->key ^ DRAW_CUT, feature_number);
	Reach		reach = gather(grower, node, column);
	bool		missing_left = reach.has_missing && hash % 2 != 0;

	if (reach.highest == BIN_MISSING || (reach.lowest == reach.highest && !reach.has_missing))
		return false;

	uint32_t	cut = reach.lowest < reach.highest ? random_cut(column, &reach, hash) : reach.lowest;

	if (cut > column->feature.n_cuts || (cut == reach.highest && missing_left))
		return true;

	/* bin 0 is below all others, or, moved by one, above them */
	uint32_t	first = missing_left ? 0 : 1;
	size_t		n_left = add_left(grower, node, first, cut + 1 - first);

	if (!forest_left_improves(grower, n_left, node->end - node->begin, best))
		return true;
	split->feature = feature_number;
	split->categorical = false;
	split->bin = cut;
	split->missing_left = reach.has_missing ? missing_left : forest_left_is_heavier(grower);
	return true;
}

/* ---- Categories ---- */

void
forest_draw_set(ForestGrower *grower, const ForestNode *node, const BinFeature *feature, uint32_t feature_number, uint32_t n_used,
				double *best, ForestSplit *split)
{
	uint64_t	hash = hash64_combine(node->key ^ DRAW_CUT, feature_number);
	uint64_t	key = hash64_combine(node->key ^ DRAW_SET, feature_number);
	bool		has_missing = grower->used[0] == BIN_MISSING;
	uint32_t	n = n_used - has_missing;
	uint32_t	length = n > 1 ? 1 + (uint32_t) (((unsigned __int128) hash * (n - 1)) >> 64) : 1;
	ForestPrefixes prefixes = {grower->sequence, length, has_missing && hash % 2 != 0, node->end - node->begin};

	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	bin = grower->used[i + has_missing];

		grower->ordered[i] = (SortItem) {.key = hash64_combine(key, bin),.index = bin};
	}
	forest_sequence(grower, n);
	if ((n == 1 && prefixes.missing_left) || !forest_prefix_improves(grower, &prefixes, best))
		return;
	forest_take_set(grower, feature, feature_number, n, length, split);
	if (has_missing)
		split->missing_left = prefixes.missing_left;
}
