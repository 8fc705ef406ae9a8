/*
 * split_gain.c
 *		What splits of a node gain.
 *
 * Whole sums are turned into real ones and these into gains a vector at a
 * time, with the same operations in any width.
 */
#include "split_gain.h"

#include <math.h>

#include "../../cpu.h"

/* Gains below this part of the scores they are the difference of are rounding. */
#define GAIN_NOISE 1e-12

#define LANES 16

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

/* In real units. */
NodeTerms
split_terms(const SplitRules *rules, const GradientScale *scale, GradientSums node)
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

/* Real units of whole ones. */
CPU_BODY void
scale_sums_body(Candidates *restrict c, const GradientScale *scale)
{
	double		g_unit = scale->g_unit;
	double		h_unit = scale->h_unit;

	for (uint32_t i = 0; i < c->n; i++)
		c->g[i] = (double) c->whole_g[i] * g_unit;
	for (uint32_t i = 0; i < c->n; i++)
		c->h[i] = (double) c->whole_h[i] * h_unit;
}

CPU_DISPATCH(scale_sums, (Candidates *c, const GradientScale *scale), (c, scale))

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

/* The largest gain of all candidates. */
CPU_BODY void
largest_gain_body(const Candidates *restrict c, double *restrict largest)
{
	double		lanes[LANES];
	uint32_t	i = 0;

	for (int k = 0; k < LANES; k++)
		lanes[k] = -1;
	for (; i + LANES <= c->n; i += LANES)
	{
		for (int k = 0; k < LANES; k++)
			lanes[k] = c->gain[i + k] > lanes[k] ? c->gain[i + k] : lanes[k];
	}
	for (; i < c->n; i++)
		lanes[0] = c->gain[i] > lanes[0] ? c->gain[i] : lanes[0];
	for (int k = 1; k < LANES; k++)
		lanes[0] = lanes[k] > lanes[0] ? lanes[k] : lanes[0];
	*largest = lanes[0];
}

CPU_DISPATCH(largest_gain, (const Candidates *c, double *largest), (c, largest))

/* The gains a vector at a time, and then the first that is as large. */
uint32_t
split_best_candidate(const Candidates *c, double least)
{
	double		largest = -1;
	uint32_t	i = 0;

	largest_gain(c, &largest);
	if (!(largest > least))
		return c->n;
	while (c->gain[i] != largest)
		i++;
	return i;
}

/* By the kind of rules. */
void
split_gains(const SplitRules *rules, const GradientScale *scale, const NodeTerms *terms, Candidates *c)
{
	scale_sums(c, scale);
	if (rules->bounded)
		compute_bounded_gains(c, terms);
	else
		compute_gains(c, terms);
}

/* Both children are looked at. */
void
split_drop_few(const SplitRules *rules, int64_t n_rows, Candidates *c)
{
	for (uint32_t i = 0; i < c->n; i++)
	{
		if (c->rows[i] < rules->min_rows || n_rows - c->rows[i] < rules->min_rows)
			c->gain[i] = -1;
	}
}
