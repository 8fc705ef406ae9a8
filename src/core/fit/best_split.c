/*
 * best_split.c
 *		The best split of a node.
 *
 * Sums of all bins up to one are made in integers, so they are exact; gains
 * are then computed from them, a vector at a time.
 *
 * Categories (Fisher 1958, as used by LightGBM): ordered by G / (H + smooth),
 * the best set of two is a prefix.  Missing values are a category like the
 * others there.  Levels without rows in the node go where more of it goes.
 */
#include "best_split.h"

#include <math.h>
#include <string.h>

#include "cpu.h"

/* Gains below this part of the scores they are the difference of are rounding. */
#define GAIN_NOISE 1e-12

/* Sums to the left of every place where a feature may be split, in real units. */
typedef struct Candidates
{
	uint32_t	n;
	double		g[BINS_MAX];
	double		h[BINS_MAX];
	double		gain[BINS_MAX];
	int64_t		rows[BINS_MAX]; /* where rules have counts */
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

/* T(G): G moved by alpha towards 0. */
static inline double
shrink(double g, double alpha)
{
	double		shift = g > alpha ? alpha : g;

	return g - (shift < -alpha ? -alpha : shift);
}

/* T(G)^2 / (H + lambda) */
static inline double
score(double g, double h, double lambda, double alpha)
{
	double		t = shrink(g, alpha);

	return t * t / (h + lambda);
}

/* 0 for a leaf without weight. */
double
split_leaf(const SplitRules *rules, double g, double h)
{
	double		value = h + rules->lambda > 0 ? -shrink(g, rules->alpha) / (h + rules->lambda) : 0;

	return rules->bounded ? fmin(fmax(value, rules->lowest), rules->highest) : value;
}

/* The bounded value of a child; never NaN where the child is heavy enough. */
static inline double
bounded_leaf(double g, double h, const NodeTerms *node)
{
	double		value = -shrink(g, node->alpha) / (h + node->lambda);

	value = value > node->lowest ? value : node->lowest;
	return value < node->highest ? value : node->highest;
}

/* What a value takes off the loss, twice. */
static inline double
bounded_score(double g, double h, double value, const NodeTerms *node)
{
	return -(2 * g * value + (h + node->lambda) * value * value + 2 * node->alpha * fabs(value));
}

/* Gains of all candidates where values are bounded; -1 also where the children are in the wrong order. */
CPU_BODY void
compute_bounded_gains_body(Candidates *restrict c, const NodeTerms *node_terms)
{
	NodeTerms	node = *node_terms;

	for (uint32_t i = 0; i < c->n; i++)
	{
		double		left_g = c->g[i];
		double		left_h = c->h[i];
		double		right_g = node.g - left_g;
		double		right_h = node.h - left_h;
		double		left = bounded_leaf(left_g, left_h, &node);
		double		right = bounded_leaf(right_g, right_h, &node);
		double		left_score = bounded_score(left_g, left_h, left, &node);
		double		right_score = bounded_score(right_g, right_h, right, &node);
		double		gain = left_score + right_score - node.score;

		gain = gain > GAIN_NOISE * (fabs(left_score) + fabs(right_score)) ? gain : -1;
		gain = (right - left) * node.direction >= 0 ? gain : -1;
		gain = left_h >= node.least_h ? gain : -1;
		c->gain[i] = right_h >= node.least_h ? gain : -1;
	}
}

CPU_DISPATCH(compute_bounded_gains, (Candidates *c, const NodeTerms *node_terms), (c, node_terms))

/* Gains of all candidates; -1 where a child would be too light. */
CPU_BODY void
compute_gains_body(Candidates *restrict c, const NodeTerms *node)
{
	double		g = node->g;
	double		h = node->h;
	double		whole = node->score;
	double		lambda = node->lambda;
	double		alpha = node->alpha;
	double		least_h = node->least_h;

	for (uint32_t i = 0; i < c->n; i++)
	{
		double		left_g = c->g[i];
		double		left_h = c->h[i];
		double		right_g = g - left_g;
		double		right_h = h - left_h;
		double		sum = score(left_g, left_h, lambda, alpha) + score(right_g, right_h, lambda, alpha);
		double		gain = sum - whole;

		gain = gain > GAIN_NOISE * sum ? gain : -1;
		gain = left_h >= least_h ? gain : -1;
		c->gain[i] = right_h >= least_h ? gain : -1;
	}
}

CPU_DISPATCH(compute_gains, (Candidates *c, const NodeTerms *node), (c, node))

/* By the kind of rules; -1 also where a child would have too few rows. */
static inline void
find_gains(const SplitRules *rules, Candidates *c, const NodeTerms *node)
{
	if (rules->bounded)
		compute_bounded_gains(c, node);
	else
		compute_gains(c, node);
	if (rules->counts == NULL)
		return;
	for (uint32_t i = 0; i < c->n; i++)
	{
		if (c->rows[i] < rules->min_rows || rules->n_rows - c->rows[i] < rules->min_rows)
			c->gain[i] = -1;
	}
}

/* The first candidate of largest gain; its index, or n where none is above `least`. */
static uint32_t
best_candidate(const Candidates *c, double least)
{
	uint32_t	best = c->n;

	for (uint32_t i = 0; i < c->n; i++)
	{
		if (c->gain[i] > least)
		{
			least = c->gain[i];
			best = i;
		}
	}
	return best;
}

/* The terms of a node. */
static NodeTerms
node_terms(const SplitRules *rules, const GradientScale *scale, GradientSums node)
{
	double		g = (double) node.g * scale->g_unit;
	double		h = (double) node.h * scale->h_unit;

	NodeTerms	terms = {
		.g = g,
		.h = h,
		.score = score(g, h, rules->lambda, rules->alpha),
		.lambda = rules->lambda,
		.alpha = rules->alpha,
		.lowest = rules->lowest,
		.highest = rules->highest,
		.direction = rules->direction,
		.least_h = fmax(rules->min_child_weight, scale->h_unit)	/* a sum of less than one unit has no rows */
	};

	if (rules->bounded)
		terms.score = bounded_score(g, h, bounded_leaf(g, h, &terms), &terms);
	return terms;
}

/* Takes the candidate over where it beats the best so far; false otherwise. */
static bool
improves(const SplitRules *rules, const Candidates *c, uint32_t candidate, Split *best)
{
	if (candidate == c->n || c->gain[candidate] < rules->gamma)
		return false;
	best->gain = c->gain[candidate];
	return true;
}

/* Where missing values go that the node does not have: with the heavier child. */
static inline bool
left_is_heavier(GradientSums node, GradientSums left)
{
	return left.h >= node.h - left.h;
}

/* ---- Numbers ---- */

/* All cuts, with missing values right, then left. */
static void
search_number(const SplitRules *rules, const GradientScale *scale, const BinFeature *feature, uint32_t feature_number,
			  const HistogramCell *cells, GradientSums node, Split *best)
{
	NodeTerms	terms = node_terms(rules, scale, node);
	bool		has_missing = cells[BIN_MISSING].h > 0;
	Candidates	c;

	c.n = feature->n_cuts;
	for (int missing_left = 0; missing_left <= (has_missing ? 1 : 0); missing_left++)
	{
		GradientSums left = {0, 0};

		if (missing_left)
			left = cells[BIN_MISSING];
		for (uint32_t i = 0; i < c.n; i++)
		{
			left.g += cells[i + 1].g;
			left.h += cells[i + 1].h;
			c.g[i] = (double) left.g * scale->g_unit;
			c.h[i] = (double) left.h * scale->h_unit;
		}
		if (rules->counts != NULL)
		{
			int64_t		rows = missing_left ? rules->counts[BIN_MISSING].h : 0;

			for (uint32_t i = 0; i < c.n; i++)
				c.rows[i] = rows += rules->counts[i + 1].h;
		}
		find_gains(rules, &c, &terms);

		uint32_t	candidate = best_candidate(&c, best->gain);

		if (!improves(rules, &c, candidate, best))
			continue;
		best->feature = feature_number;
		best->categorical = false;
		best->bin = (uint8_t) (candidate + 1);
		best->left = missing_left ? cells[BIN_MISSING] : (GradientSums) {0, 0};
		for (uint32_t b = 1; b <= candidate + 1; b++)
		{
			best->left.g += cells[b].g;
			best->left.h += cells[b].h;
		}
		best->missing_left = has_missing ? missing_left : left_is_heavier(node, best->left);
	}
}

/* ---- Categories ---- */

typedef struct OrderedBin
{
	double		ratio;
	uint32_t	bin;
} OrderedBin;

/* Sorts by ratio, stable; spare has room for n. */
static void
sort_bins(OrderedBin *bins, OrderedBin *spare, uint32_t n)
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
				spare[i] = a < middle && (b == end || bins[a].ratio <= bins[b].ratio) ? bins[a++] : bins[b++];
		}
		memcpy(bins, spare, n * sizeof(OrderedBin));
	}
}

/* Completes a split whose left bins are `chosen`. */
static void
take_set(const BinFeature *feature, uint32_t feature_number, const HistogramCell *cells, GradientSums node,
		 const OrderedBin *chosen, uint32_t n_chosen, Split *best)
{
	best->feature = feature_number;
	best->categorical = true;
	best->bin = 0;
	best->left = (GradientSums) {0, 0};
	memset(best->set, 0, sizeof(best->set));
	for (uint32_t i = 0; i < n_chosen; i++)
	{
		best->left.g += cells[chosen[i].bin].g;
		best->left.h += cells[chosen[i].bin].h;
		best->set[chosen[i].bin / 64] |= UINT64_C(1) << (chosen[i].bin % 64);
	}
	if (left_is_heavier(node, best->left))
	{
		for (uint32_t b = 0; b < feature->n_bins; b++)
		{
			if (cells[b].h == 0)
				best->set[b / 64] |= UINT64_C(1) << (b % 64);
		}
	}
	best->missing_left = split_set_has(best, BIN_MISSING);
}

/* One level against all others; missing values with either side, or alone. */
static void
search_onehot(const SplitRules *rules, const GradientScale *scale, const BinFeature *feature, uint32_t feature_number,
			  const HistogramCell *cells, GradientSums node, Split *best)
{
	NodeTerms	terms = node_terms(rules, scale, node);
	bool		has_missing = cells[BIN_MISSING].h > 0;
	OrderedBin	chosen[2] = {{0, 0}, {0, BIN_MISSING}};
	Candidates	c;

	for (int missing_left = 0; missing_left <= (has_missing ? 1 : 0); missing_left++)
	{
		c.n = feature->n_bins;
		for (uint32_t b = 0; b < c.n; b++)
		{
			bool		with_missing = missing_left && b != BIN_MISSING;

			c.g[b] = (double) (cells[b].g + (with_missing ? cells[BIN_MISSING].g : 0)) * scale->g_unit;
			c.h[b] = (double) (cells[b].h + (with_missing ? cells[BIN_MISSING].h : 0)) * scale->h_unit;
			if (rules->counts != NULL)
				c.rows[b] = rules->counts[b].h + (with_missing ? rules->counts[BIN_MISSING].h : 0);
		}
		find_gains(rules, &c, &terms);

		uint32_t	candidate = best_candidate(&c, best->gain);

		if (!improves(rules, &c, candidate, best))
			continue;
		chosen[0].bin = candidate;
		take_set(feature, feature_number, cells, node, chosen, missing_left && candidate != BIN_MISSING ? 2 : 1, best);
	}
}

/* A set of levels against the others. */
static void
search_set(const SplitRules *rules, const GradientScale *scale, const BinFeature *feature, uint32_t feature_number,
		   const HistogramCell *cells, GradientSums node, Split *best)
{
	NodeTerms	terms = node_terms(rules, scale, node);
	OrderedBin	ordered[BINS_MAX];
	OrderedBin	spare[BINS_MAX];
	uint32_t	n = 0;
	Candidates	c;
	GradientSums left = {0, 0};
	int64_t		rows = 0;

	for (uint32_t b = 0; b < feature->n_bins; b++)
	{
		if (cells[b].h == 0)
			continue;
		ordered[n].bin = b;
		ordered[n].ratio = (double) cells[b].g * scale->g_unit / ((double) cells[b].h * scale->h_unit + rules->cat_smooth);
		n++;
	}
	if (n < 2)
		return;
	sort_bins(ordered, spare, n);
	c.n = n - 1;
	for (uint32_t i = 0; i < c.n; i++)
	{
		left.g += cells[ordered[i].bin].g;
		left.h += cells[ordered[i].bin].h;
		c.g[i] = (double) left.g * scale->g_unit;
		c.h[i] = (double) left.h * scale->h_unit;
		if (rules->counts != NULL)
			c.rows[i] = rows += rules->counts[ordered[i].bin].h;
	}
	find_gains(rules, &c, &terms);

	uint32_t	candidate = best_candidate(&c, best->gain);

	if (improves(rules, &c, candidate, best))
		take_set(feature, feature_number, cells, node, ordered, candidate + 1, best);
}

/* ---- Both ---- */

/* By the kind of feature. */
void
split_search(const SplitRules *rules, const GradientScale *scale, const BinFeature *feature, uint32_t feature_number,
			 const HistogramCell *cells, GradientSums node, Split *best)
{
	if (!feature->categorical)
		search_number(rules, scale, feature, feature_number, cells, node, best);
	else if (feature->n_bins - 1 <= rules->max_onehot)
		search_onehot(rules, scale, feature, feature_number, cells, node, best);
	else
		search_set(rules, scale, feature, feature_number, cells, node, best);
}

/* A table of directions by bin. */
void
split_directions(const Split *split, uint8_t goes_left[BINS_MAX])
{
	for (uint32_t b = 0; b < BINS_MAX; b++)
	{
		if (split->categorical)
			goes_left[b] = split_set_has(split, b);
		else if (b == BIN_MISSING)
			goes_left[b] = split->missing_left;
		else
			goes_left[b] = b <= split->bin;
	}
}
