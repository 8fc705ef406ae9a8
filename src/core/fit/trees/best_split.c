/*
 * best_split.c
 *		The best split of a node.
 *
 * Sums of all bins up to one are made in integers, so they are exact; gains
 * are then computed from them (split_gain.c).  A bin without rows has
 * the sums of the bin before it, and the first of equal gains wins, so that
 * lists of the touched bins alone give the same split as all bins.
 *
 * Categories (Fisher 1958, as used by LightGBM): ordered by G / (H + smooth),
 * the best set of two is a prefix.  Missing values are a category like the
 * others there.  Levels with few rows in the node are pooled, and ordered as
 * one; rows are estimated by the share of H, as in LightGBM.  Levels without
 * rows in the node go where more of it goes.  The smaller set may be limited:
 * sets of many levels fit their noise, as the order was made of the same rows.
 */
#include "best_split.h"

#include <math.h>
#include <string.h>

#define POOLED_CELLS UINT32_MAX

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

/* The rows of a cell; 0 where they are not counted. */
static inline int64_t
cell_rows(const CellList *list, uint32_t cell)
{
	return list->counts != NULL ? list->counts[cell].h : 0;
}

/* Makes a sum a candidate. */
static inline void
set_candidate(Candidates *c, uint32_t i, GradientSums left, int64_t rows)
{
	c->whole_g[i] = left.g;
	c->whole_h[i] = left.h;
	c->rows[i] = rows;
}

/* The best of candidates that are set, or n where none is better than the best so far. */
static uint32_t
find_best(const SplitSearch *search, const CellList *list, const NodeTerms *terms, const Split *best, Candidates *c)
{
	split_gains(&search->rules, search->scale, terms, c);
	if (list->counts != NULL)
		split_drop_few(&search->rules, (int64_t) search->n_rows, c);
	return split_best_candidate(c, best->gain);
}

/* ---- Numbers ---- */

/* All cuts, with missing values right, then left. */
static void
search_number(const SplitSearch *search, const BinFeature *feature, uint32_t feature_number, const CellList *list, Split *best)
{
	NodeTerms	terms = split_terms(&search->rules, search->scale, search->node);
	HistogramCell missing = list->cells[BIN_MISSING];
	uint32_t	n = list->n - 1 - (list_bin(list, list->n - 1) > feature->n_cuts);	/* no cut lies behind the last bin */
	Candidates	c;

	for (int missing_left = 0; missing_left <= (missing.h > 0 ? 1 : 0); missing_left++)
	{
		GradientSums left = {0, 0};
		int64_t		rows = 0;

		if (missing_left)
		{
			left = missing;
			rows = cell_rows(list, BIN_MISSING);
		}
		for (uint32_t first = 0; first < n; first += BINS_MAX)
		{
			GradientSums before = left;

			c.n = n - first < BINS_MAX ? n - first : BINS_MAX;
			for (uint32_t i = 0; i < c.n; i++)
			{
				add_cell(&left, list->cells[first + i + 1]);
				rows += cell_rows(list, first + i + 1);
				set_candidate(&c, i, left, rows);
			}

			uint32_t	candidate = find_best(search, list, &terms, best, &c);

			if (!improves(&search->rules, &c, candidate, best))
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

/* The rare levels of a node together. */
typedef struct CellPool
{
	GradientSums sums;
	int64_t		rows;
} CellPool;

/* Puts the levels that the node has, and the pool of the rare ones, in order; returns their number. */
static uint32_t
order_levels(const SplitSearch *search, const CellList *list, int64_t least_h, CellPool *pool)
{
	SortItem *ordered = search->ordered;
	double		smooth = search->rules.cat_smooth;
	double		g_unit = search->scale->g_unit;
	double		h_unit = search->scale->h_unit;
	uint32_t	n = 0;

	*pool = (CellPool) {{0, 0}, 0};
	for (uint32_t i = 0; i < list->n; i++)
	{
		HistogramCell cell = list->cells[i];

		if (cell.h <= 0)
			continue;
		if (cell.h < least_h)
		{
			add_cell(&pool->sums, cell);
			pool->rows += cell_rows(list, i);
		}
		else
			ordered[n++] = (SortItem) {.key = sort_number_key((double) cell.g * g_unit / ((double) cell.h * h_unit + smooth)),.index = i};
	}
	if (pool->sums.h > 0)
	{
		uint64_t	key = sort_number_key((double) pool->sums.g * g_unit / ((double) pool->sums.h * h_unit + smooth));

		ordered[n++] = (SortItem) {.key = key,.index = POOLED_CELLS};
	}
	sort_by_key(ordered, ordered + n, n, NULL, NULL, NULL);
	return n;
}

/* Sets the bins that go left. */
static void
mark_chosen(const SplitSearch *search, const BinFeature *feature, const CellList *list, const SortItem *chosen, uint32_t n_chosen,
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
		bool		pool = chosen[k].index == POOLED_CELLS;

		for (uint32_t i = pool ? 0 : chosen[k].index; i < (pool ? list->n : chosen[k].index + 1); i++)
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
			const SortItem *chosen, uint32_t n_chosen, int64_t least_h, const CellPool *pooled, Split *best, uint64_t *set)
{
	HistogramCell missing = list->cells[BIN_MISSING];
	bool		missing_chosen = false;

	best->feature = feature_number;
	best->categorical = true;
	best->bin = 0;
	best->left = (GradientSums) {0, 0};
	for (uint32_t k = 0; k < n_chosen; k++)
	{
		bool		pool = chosen[k].index == POOLED_CELLS;

		add_cell(&best->left, pool ? pooled->sums : list->cells[chosen[k].index]);
		missing_chosen |= pool ? missing.h < least_h : chosen[k].index == BIN_MISSING;
	}
	best->missing_left = missing.h > 0 ? missing_chosen : left_is_heavier(search->node, best->left);
	if (set != NULL)
		mark_chosen(search, feature, list, chosen, n_chosen, least_h, best->left, set);
}

/* One level against all others; missing values with either side, or alone. */
static void
search_onehot(const SplitSearch *search, const BinFeature *feature, uint32_t feature_number, const CellList *list, Split *best)
{
	NodeTerms	terms = split_terms(&search->rules, search->scale, search->node);
	HistogramCell missing = list->cells[BIN_MISSING];
	SortItem	chosen[2] = {{0}, {.index = BIN_MISSING}};
	CellPool	none = {{0, 0}, 0};
	Candidates	c;

	for (int missing_left = 0; missing_left <= (missing.h > 0 ? 1 : 0); missing_left++)
	{
		c.n = list->n;
		for (uint32_t i = 0; i < c.n; i++)
		{
			GradientSums left = list->cells[i];
			int64_t		rows = cell_rows(list, i);

			if (missing_left && i != BIN_MISSING)
			{
				add_cell(&left, missing);
				rows += cell_rows(list, BIN_MISSING);
			}
			set_candidate(&c, i, left, rows);
		}

		uint32_t	candidate = find_best(search, list, &terms, best, &c);

		if (!improves(&search->rules, &c, candidate, best))
			continue;
		chosen[0].index = candidate;
		take_levels(search, feature, feature_number, list, chosen, missing_left && candidate != BIN_MISSING ? 2 : 1, 0,
					&none, best, best->set);
	}
}

/* Whether so many of n levels may be told from the others. */
static inline bool
set_allowed(const SplitRules *rules, uint32_t n_left, uint32_t n)
{
	uint32_t	smaller = n_left < n - n_left ? n_left : n - n_left;

	return rules->max_cat_threshold == 0 || smaller <= rules->max_cat_threshold;
}

/* A set of levels against the others. */
static void
search_set(const SplitSearch *search, const BinFeature *feature, uint32_t feature_number, const CellList *list, Split *best,
		   uint64_t *set)
{
	NodeTerms	terms = split_terms(&search->rules, search->scale, search->node);
	double		n_rows = (double) search->n_rows;
	int64_t		least_h = (int64_t) ceil(fmin(search->rules.min_category_rows, n_rows) * (double) search->node.h / n_rows);
	CellPool	pool;
	uint32_t	n = order_levels(search, list, least_h, &pool);
	GradientSums left = {0, 0};
	int64_t		rows = 0;
	Candidates	c = {.n = 0};
	uint32_t	n_chosen = 0;
	uint32_t	prefixes[BINS_MAX]; /* the candidates' lengths */

	for (uint32_t length = 1; length < n; length++)
	{
		uint32_t	cell = search->ordered[length - 1].index;

		add_cell(&left, cell == POOLED_CELLS ? pool.sums : list->cells[cell]);
		rows += cell == POOLED_CELLS ? pool.rows : cell_rows(list, cell);
		if (set_allowed(&search->rules, length, n))
		{
			prefixes[c.n] = length;
			set_candidate(&c, c.n++, left, rows);
		}
		if (c.n < BINS_MAX && length + 1 < n)
			continue;

		uint32_t	candidate = find_best(search, list, &terms, best, &c);

		if (improves(&search->rules, &c, candidate, best))
			n_chosen = prefixes[candidate];
		c.n = 0;
	}
	if (n_chosen > 0)
		take_levels(search, feature, feature_number, list, search->ordered, n_chosen, least_h, &pool, best, set);
}

/* ---- Both ---- */

/* By the kind of feature. */
void
split_search(const SplitSearch *search, const BinFeature *feature, uint32_t feature_number, const CellList *list, Split *best)
{
	if (!feature->categorical)
		search_number(search, feature, feature_number, list, best);
	else if (feature->n_bins - 1 <= search->rules.max_onehot)
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
