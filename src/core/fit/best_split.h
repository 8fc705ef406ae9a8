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
	bool		bounded;		/* lowest, highest and direction are to be looked at */
	double		lowest;			/* least and largest value of a leaf */
	double		highest;
	const HistogramCell *counts;	/* h: rows of each bin; NULL: none are needed */
	int64_t		n_rows;			/* of the node */
	int64_t		min_rows;		/* of either child */
	int			direction;		/* of the feature: values must not fall (1), rise (-1), or either (0) from left to right */
} SplitRules;

typedef struct Split
{
	double		gain;			/* 0: there is none */
	uint32_t	feature;
	bool		categorical;
	bool		missing_left;
	uint8_t		bin;			/* number: values up to this bin go left */
	uint64_t	set[BINS_MAX / 64]; /* category: bins that go left */
	GradientSums left;
} Split;

static inline bool
split_set_has(const Split *split, uint32_t bin)
{
	return split->set[bin / 64] >> (bin % 64) & 1;
}

/* The value of a leaf before shrinkage: -T(G) / (H + lambda), within the bounds. */
extern double split_leaf(const SplitRules *rules, double g, double h);

/* Replaces *best where this feature has a better split of a node with these sums and cells[n_bins]. */
extern void split_search(const SplitRules *rules, const GradientScale *scale, const BinFeature *feature, uint32_t feature_number,
						 const HistogramCell *cells, GradientSums node, Split *best);

/* For each bin, whether it goes left. */
extern void split_directions(const Split *split, uint8_t goes_left[BINS_MAX]);

#endif
