/*
 * best_split.h
 *		The best split of a node, feature by feature.
 *
 * The gain of a split is S(left) + S(right) - S(node), with
 * S = T(G)^2 / (H + lambda) and T(G) = sign(G) max(|G| - alpha, 0), as in
 * XGBoost (Chen & Guestrin 2016, eq. 7, without its factor 1/2).  Of equal
 * gains the lowest feature wins, then the lowest bin, then missing values to
 * the right.
 *
 * Where leaf values are bounded (by max_delta_step, or by the constraints of
 * the splits above), S is what the bounded value w takes off the loss,
 * -(2 G w + (H + lambda) w^2 + 2 alpha |w|), which is the above for the best w.
 * A constrained feature may only be split so that the values of the children
 * are in order; their mean then bounds what grows below either, as in XGBoost.
 */
#ifndef MLOPS_CORE_FIT_BEST_SPLIT_H
#define MLOPS_CORE_FIT_BEST_SPLIT_H

#include "histogram.h"

typedef struct SplitRules
{
	double		lambda;
	double		alpha;
	double		gamma;
	double		min_child_weight;
	uint32_t	max_onehot;		/* levels up to which a split takes one of them */
	double		cat_smooth;
	double		min_category_rows;	/* in the node; levels with fewer share a place in the order */
	bool		bounded;		/* lowest, highest and direction are to be looked at */
	double		lowest;			/* least and largest value of a leaf */
	double		highest;
	int64_t		min_rows;		/* of either child; looked at where cells have counts */
	int			direction;		/* of the feature: values must not fall (1), rise (-1), or either (0) from left to right */
} SplitRules;

/* The cells of a feature in a node: all of them, or those that its rows touch. */
typedef struct CellList
{
	const HistogramCell *cells;
	const HistogramCell *counts;	/* h: rows of each cell; NULL: none are needed */
	const uint16_t *bins;		/* of the cells, ascending, 0 and 1 always among them; NULL: all bins */
	uint32_t	n;
} CellList;

/* A category's place in the order of a split. */
typedef struct OrderedCell
{
	uint64_t	key;			/* sorts like g / (h + smooth) */
	uint32_t	cell;			/* index in the list, or POOLED_CELLS */
} OrderedCell;

/* A node whose split is looked for, and what is needed for that. */
typedef struct SplitSearch
{
	const SplitRules *rules;
	const GradientScale *scale;
	OrderedCell *ordered;		/* room for twice the bins of any feature */
	GradientSums node;
	size_t		n_rows;
} SplitSearch;

typedef struct Split
{
	double		gain;			/* 0: there is none */
	uint32_t	feature;
	bool		categorical;
	bool		missing_left;
	uint16_t	bin;			/* number: values up to this bin go left */
	uint64_t	set[BINS_MAX / 64]; /* category, unless it is wide: bins that go left */
	GradientSums left;
} Split;

static inline bool
split_set_has(const uint64_t *set, uint32_t bin)
{
	return set[bin / 64] >> (bin % 64) & 1;
}

/* Words of a set of bins. */
static inline size_t
split_set_words(uint32_t n_bins)
{
	return (n_bins + 63) / 64;
}

/* Replaces *best by the other where that is better. */
static inline void
split_keep(Split *best, const Split *other)
{
	if (other->gain > best->gain || (other->gain > 0 && other->gain == best->gain && other->feature < best->feature))
		*best = *other;
}

/* The value of a leaf before shrinkage: -T(G) / (H + lambda), within the bounds. */
extern double split_leaf(const SplitRules *rules, double g, double h);

/* Replaces *best where this feature has a better split of the node. */
extern void split_search(const SplitSearch *search, const BinFeature *feature, uint32_t feature_number, const CellList *list, Split *best);

/* The set of the best split of a category: set[split_set_words(n_bins)]. */
extern void split_set(const SplitSearch *search, const BinFeature *feature, const CellList *list, uint64_t *set);

/* For each bin of a feature that is not wide, whether it goes left. */
extern void split_directions(const Split *split, uint8_t goes_left[BINS_MAX]);

#endif
