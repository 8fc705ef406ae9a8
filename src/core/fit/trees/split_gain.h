/*
 * split_gain.h
 *		What splits of a node gain, and the values of leaves.
 *
 * The gain of a split is S(left) + S(right) - S(node), with
 * S = T(G)^2 / (H + lambda) and T(G) = sign(G) max(|G| - alpha, 0), as in
 * XGBoost (Chen & Guestrin 2016, eq. 7, without its factor 1/2).
 *
 * Where leaf values are bounded (by max_delta_step, or by the constraints of
 * the splits above), S is what the bounded value w takes off the loss,
 * -(2 G w + (H + lambda) w^2 + 2 alpha |w|), which is the above for the best w.
 * A constrained feature may only be split so that the values of the children
 * are in order; their mean then bounds what grows below either, as in XGBoost.
 */
#ifndef MLOPS_CORE_FIT_SPLIT_GAIN_H
#define MLOPS_CORE_FIT_SPLIT_GAIN_H

#include "histogram.h"

typedef struct SplitRules
{
	double		lambda;
	double		alpha;
	double		gamma;
	double		min_child_weight;
	int64_t		min_rows;		/* of either child, where they are counted */
	uint32_t	max_onehot;		/* levels up to which a split takes one of them */
	double		cat_smooth;
	uint32_t	max_cat_threshold;	/* levels in the smaller of the two sets; 0: any */
	double		min_category_rows;	/* in the node; levels with fewer share a place in the order */
	bool		bounded;		/* lowest, highest and direction are to be looked at */
	double		lowest;			/* least and largest value of a leaf */
	double		highest;
	int			direction;		/* of the feature: values must not fall (1), rise (-1), or either (0) from left to right */
} SplitRules;

/* What lies left of places where a feature may be split; many places are gone through in blocks. */
typedef struct Candidates
{
	uint32_t	n;
	int64_t		whole_g[BINS_MAX];	/* in units */
	int64_t		whole_h[BINS_MAX];
	int64_t		rows[BINS_MAX]; /* where they are counted */
	double		g[BINS_MAX];
	double		h[BINS_MAX];
	double		gain[BINS_MAX];
} Candidates;

/* What stays the same for all candidates of a node. */
typedef struct NodeTerms
{
	double		g;
	double		h;
	double		score;
	double		lambda;
	double		alpha;
	double		least_h;		/* of either child */
	double		lowest;
	double		highest;
	double		direction;
} NodeTerms;

/* The value of a leaf before shrinkage: -T(G) / (H + lambda), within the bounds. */
extern double split_leaf(const SplitRules *rules, double g, double h);

/* The terms of a node with these sums. */
extern NodeTerms split_terms(const SplitRules *rules, const GradientScale *scale, GradientSums node);

/* Sets the gains of all candidates from their whole sums; -1 where a split is not allowed, whatever its rows. */
extern void split_gains(const SplitRules *rules, const GradientScale *scale, const NodeTerms *terms, Candidates *c);

/* Sets gains to -1 where a child of a node of n_rows would have too few rows. */
extern void split_drop_few(const SplitRules *rules, int64_t n_rows, Candidates *c);

/* The first candidate of largest gain; its index, or n where none is above `least`. */
extern uint32_t split_best_candidate(const Candidates *c, double least);

#endif
