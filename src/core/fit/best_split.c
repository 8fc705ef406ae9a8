/*
 * best_split.c
 *		The best split of a node.
 *
 * Sums of all bins up to one are made in integers, so they are exact; gains
 * are then computed from them, a vector at a time.  A bin without rows has
 * the sums of the bin before it, and the first of equal gains wins, so that
 * lists of the touched bins alone give the same split as all bins.
 *
 * Categories (Fisher 1958, as used by LightGBM): ordered by G / (H + smooth),
 * the best set of two is a prefix.  Missing values are a category like the
 * others there.  Levels with few rows in the node are pooled, and ordered as
 * one; rows are estimated by the share of H, as in LightGBM.  Levels without
 * rows in the node go where more of it goes.
 */
#include "best_split.h"

#include <math.h>
#include <string.h>

#include "cpu.h"

/* Gains below this part of the scores they are the difference of are rounding. */
#define GAIN_NOISE 1e-12

#define POOLED_CELLS UINT32_MAX

#define LANES 16

/* Levels beyond which sorting by digits is faster than by comparisons. */
#define MERGE_MAX 256

/* Sums to the left of places where a feature may be split, in real units; many places are gone through in blocks. */
typedef struct Candidates
{
	uint32_t	n;
	int64_t		whole_g[BINS_MAX];	/* in units */
	int64_t		whole_h[BINS_MAX];
	double		g[BINS_MAX];
	double		h[BINS_MAX];
	double		gain[BINS_MAX];
	int64_t		rows[BINS_MAX]; /* where cells have counts */
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

/* By the kind of rules; -1 also where a child would have too few rows. */
static inline void
find_gains(const SplitSearch *search, Candidates *c, const NodeTerms *node, bool counted)
{
	int64_t		n_rows = (int64_t) search->n_rows;
	int64_t		min_rows = search->rules->min_rows;

	if (search->rules->bounded)
		compute_bounded_gains(c, node);
	else
		compute_gains(c, node);
	for (uint32_t i = 0; i < c->n && counted; i++)
	{
		if (c->rows[i] < min_rows || n_rows - c->rows[i] < min_rows)
			c->gain[i] = -1;
	}
}

/* The first candidate of largest gain; its index, or n where none is above `least`. */
static uint32_t
best_candidate(const Candidates *c, double least)
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

/* The bin of a cell. */
static inline uint32_t
list_bin(const CellList *list, uint32_t cell)
{
	return list->bins != NULL ? list->bins[cell] : cell;
}

/* Adds a cell to a sum. */
static inline void
add_cell(GradientSums *sum, HistogramCell cell)
{
	sum->g += cell.g;
	sum->h += cell.h;
}

/* Makes a sum a candidate. */
static inline void
set_candidate(Candidates *c, uint32_t i, GradientSums left)
{
	c->whole_g[i] = left.g;
	c->whole_h[i] = left.h;
}

/* The best of candidates that are set, or n where none is better than the best so far. */
static uint32_t
find_best(const SplitSearch *search, Candidates *c, const NodeTerms *terms, bool counted, const Split *best)
{
	scale_sums(c, search->scale);
	find_gains(search, c, terms, counted);
	return best_candidate(c, best->gain);
}

/* ---- Numbers ---- */

/* All cuts, with missing values right, then left. */
static void
search_number(const SplitSearch *search, const BinFeature *feature, uint32_t feature_number, const CellList *list, Split *best)
{
	NodeTerms	terms = node_terms(search->rules, search->scale, search->node);
	HistogramCell missing = list->cells[BIN_MISSING];
	uint32_t	n = list->n - 1 - (list_bin(list, list->n - 1) > feature->n_cuts);	/* no cut lies behind the last bin */
	Candidates	c;

	for (int missing_left = 0; missing_left <= (missing.h > 0 ? 1 : 0); missing_left++)
	{
		GradientSums left = {0, 0};
		int64_t		rows = missing_left && list->counts != NULL ? list->counts[BIN_MISSING].h : 0;

		if (missing_left)
			left = missing;
		for (uint32_t first = 0; first < n; first += BINS_MAX)
		{
			GradientSums before = left;

			c.n = n - first < BINS_MAX ? n - first : BINS_MAX;
			for (uint32_t i = 0; i < c.n; i++)
			{
				add_cell(&left, list->cells[first + i + 1]);
				set_candidate(&c, i, left);
			}
			for (uint32_t i = 0; i < c.n && list->counts != NULL; i++)
				c.rows[i] = rows += list->counts[first + i + 1].h;

			uint32_t	candidate = find_best(search, &c, &terms, list->counts != NULL, best);

			if (!improves(search->rules, &c, candidate, best))
				continue;
			best->feature = feature_number;
			best->categorical = false;
			best->bin = (uint16_t) list_bin(list, first + candidate + 1);
			best->left = before;
			for (uint32_t i = 0; i <= candidate; i++)
				add_cell(&best->left, list->cells[first + i + 1]);
			best->missing_left = missing.h > 0 ? missing_left : left_is_heavier(search->node, best->left);
		}
	}
}

/* ---- Categories ---- */

/* A key that sorts like a number other than -0. */
static inline uint64_t
number_key(double x)
{
	uint64_t	bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/* Sorts by key, stable, by merging; spare has room for n. */
static void
sort_by_merging(OrderedCell *items, OrderedCell *spare, uint32_t n)
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
				spare[i] = a < middle && (b == end || items[a].key <= items[b].key) ? items[a++] : items[b++];
		}
		memcpy(items, spare, n * sizeof(OrderedCell));
	}
}

/* The same by digits of a byte, from the lowest. */
static void
sort_by_digits(OrderedCell *items, OrderedCell *spare, uint32_t n)
{
	uint32_t	counts[8][256] = {{0}};

	for (uint32_t i = 0; i < n; i++)
	{
		for (int d = 0; d < 8; d++)
			counts[d][items[i].key >> (8 * d) & 255]++;
	}
	for (int d = 0; d < 8; d++)
	{
		uint32_t	place = 0;

		for (int digit = 0; digit < 256; digit++)
		{
			uint32_t	count = counts[d][digit];

			counts[d][digit] = place;
			place += count;
		}
		for (uint32_t i = 0; i < n; i++)
			spare[counts[d][items[i].key >> (8 * d) & 255]++] = items[i];

		OrderedCell *swap = items;

		items = spare;
		spare = swap;
	}
}

/* Puts the levels that the node has, and the pool of the rare ones, in order; returns their number. */
static uint32_t
order_levels(const SplitSearch *search, const CellList *list, int64_t least_h, GradientSums *pooled)
{
	OrderedCell *ordered = search->ordered;
	double		smooth = search->rules->cat_smooth;
	double		g_unit = search->scale->g_unit;
	double		h_unit = search->scale->h_unit;
	uint32_t	n = 0;

	*pooled = (GradientSums) {0, 0};
	for (uint32_t i = 0; i < list->n; i++)
	{
		HistogramCell cell = list->cells[i];

		if (cell.h < least_h)
			add_cell(pooled, cell);
		else if (cell.h > 0)
			ordered[n++] = (OrderedCell) {number_key((double) cell.g * g_unit / ((double) cell.h * h_unit + smooth)), i};
	}
	if (pooled->h > 0)
	{
		uint64_t	key = number_key((double) pooled->g * g_unit / ((double) pooled->h * h_unit + smooth));

		ordered[n++] = (OrderedCell) {key, POOLED_CELLS};
	}
	if (n <= MERGE_MAX)
		sort_by_merging(ordered, ordered + n, n);
	else
		sort_by_digits(ordered, ordered + n, n);
	return n;
}

/* Sets the bins that go left. */
static void
mark_chosen(const SplitSearch *search, const BinFeature *feature, const CellList *list, const OrderedCell *chosen, uint32_t n_chosen,
			int64_t least_h, GradientSums left, uint64_t *set)
{
	memset(set, left_is_heavier(search->node, left) ? 0xff : 0, split_set_words(feature->n_bins) * sizeof(uint64_t));
	for (uint32_t i = 0; i < list->n; i++)
	{
		uint32_t	bin = list_bin(list, i);

		if (list->cells[i].h > 0)
			set[bin / 64] &= ~(UINT64_C(1) << (bin % 64));
	}
	for (uint32_t k = 0; k < n_chosen; k++)
	{
		bool		pool = chosen[k].cell == POOLED_CELLS;

		for (uint32_t i = pool ? 0 : chosen[k].cell; i < (pool ? list->n : chosen[k].cell + 1); i++)
		{
			uint32_t	bin = list_bin(list, i);

			if (!pool || (list->cells[i].h > 0 && list->cells[i].h < least_h))
				set[bin / 64] |= UINT64_C(1) << (bin % 64);
		}
	}
	if (feature->n_bins % 64 != 0)
		set[feature->n_bins / 64] &= (UINT64_C(1) << (feature->n_bins % 64)) - 1;
}

/* Completes a split whose left levels are `chosen`; set: its words, or NULL where they are not wanted. */
static void
take_levels(const SplitSearch *search, const BinFeature *feature, uint32_t feature_number, const CellList *list,
			const OrderedCell *chosen, uint32_t n_chosen, int64_t least_h, GradientSums pooled, Split *best, uint64_t *set)
{
	HistogramCell missing = list->cells[BIN_MISSING];
	bool		missing_chosen = false;

	best->feature = feature_number;
	best->categorical = true;
	best->bin = 0;
	best->left = (GradientSums) {0, 0};
	for (uint32_t k = 0; k < n_chosen; k++)
	{
		bool		pool = chosen[k].cell == POOLED_CELLS;

		add_cell(&best->left, pool ? pooled : list->cells[chosen[k].cell]);
		missing_chosen |= pool ? missing.h < least_h : chosen[k].cell == BIN_MISSING;
	}
	best->missing_left = missing.h > 0 ? missing_chosen : left_is_heavier(search->node, best->left);
	if (set != NULL)
		mark_chosen(search, feature, list, chosen, n_chosen, least_h, best->left, set);
}

/* One level against all others; missing values with either side, or alone. */
static void
search_onehot(const SplitSearch *search, const BinFeature *feature, uint32_t feature_number, const CellList *list, Split *best)
{
	NodeTerms	terms = node_terms(search->rules, search->scale, search->node);
	HistogramCell missing = list->cells[BIN_MISSING];
	OrderedCell chosen[2] = {{0, 0}, {0, BIN_MISSING}};
	Candidates	c;

	for (int missing_left = 0; missing_left <= (missing.h > 0 ? 1 : 0); missing_left++)
	{
		c.n = list->n;
		for (uint32_t i = 0; i < c.n; i++)
		{
			GradientSums left = list->cells[i];

			if (missing_left && i != BIN_MISSING)
				add_cell(&left, missing);
			set_candidate(&c, i, left);
			if (list->counts != NULL)
				c.rows[i] = list->counts[i].h + (missing_left && i != BIN_MISSING ? list->counts[BIN_MISSING].h : 0);
		}

		uint32_t	candidate = find_best(search, &c, &terms, list->counts != NULL, best);

		if (!improves(search->rules, &c, candidate, best))
			continue;
		chosen[0].cell = candidate;
		take_levels(search, feature, feature_number, list, chosen, missing_left && candidate != BIN_MISSING ? 2 : 1, 0,
					(GradientSums) {0, 0}, best, best->set);
	}
}

/* Rows of the levels that are ordered as one. */
static int64_t
pooled_rows(const CellList *list, int64_t least_h)
{
	int64_t		rows = 0;

	for (uint32_t i = 0; i < list->n; i++)
		rows += list->cells[i].h < least_h ? list->counts[i].h : 0;
	return rows;
}

/* A set of levels against the others. */
static void
search_set(const SplitSearch *search, const BinFeature *feature, uint32_t feature_number, const CellList *list, Split *best,
		   uint64_t *set)
{
	NodeTerms	terms = node_terms(search->rules, search->scale, search->node);
	double		n_rows = (double) search->n_rows;
	int64_t		least_h = (int64_t) ceil(fmin(search->rules->min_category_rows, n_rows) * (double) search->node.h / n_rows);
	GradientSums pooled;
	uint32_t	n = order_levels(search, list, least_h, &pooled);
	GradientSums left = {0, 0};
	int64_t		rows = 0;
	Candidates	c;
	uint32_t	n_chosen = 0;

	for (uint32_t first = 0; first + 1 < n; first += BINS_MAX)
	{
		c.n = n - 1 - first < BINS_MAX ? n - 1 - first : BINS_MAX;
		for (uint32_t i = 0; i < c.n; i++)
		{
			uint32_t	cell = search->ordered[first + i].cell;

			add_cell(&left, cell == POOLED_CELLS ? pooled : list->cells[cell]);
			set_candidate(&c, i, left);
			if (list->counts != NULL)
				c.rows[i] = rows += cell == POOLED_CELLS ? pooled_rows(list, least_h) : list->counts[cell].h;
		}

		uint32_t	candidate = find_best(search, &c, &terms, list->counts != NULL, best);

		if (improves(search->rules, &c, candidate, best))
			n_chosen = first + candidate + 1;
	}
	if (n_chosen > 0)
		take_levels(search, feature, feature_number, list, search->ordered, n_chosen, least_h, pooled, best, set);
}

/* ---- Both ---- */

/* By the kind of feature. */
void
split_search(const SplitSearch *search, const BinFeature *feature, uint32_t feature_number, const CellList *list, Split *best)
{
	if (!feature->categorical)
		search_number(search, feature, feature_number, list, best);
	else if (feature->n_bins - 1 <= search->rules->max_onehot)
		search_onehot(search, feature, feature_number, list, best);
	else
		search_set(search, feature, feature_number, list, best, feature->wide ? NULL : best->set);
}

/* The search of one feature again. */
void
split_set(const SplitSearch *search, const BinFeature *feature, const CellList *list, uint64_t *set)
{
	Split		best = {0};

	search_set(search, feature, 0, list, &best, set);
}

/* A table of directions by bin. */
void
split_directions(const Split *split, uint8_t goes_left[BINS_MAX])
{
	if (split->categorical)
	{
		for (uint32_t b = 0; b < BINS_MAX; b++)
			goes_left[b] = split_set_has(split->set, b);
		return;
	}
	goes_left[BIN_MISSING] = split->missing_left;
	memset(goes_left + 1, 1, split->bin);
	memset(goes_left + 1 + split->bin, 0, BINS_MAX - 1 - split->bin);
}
