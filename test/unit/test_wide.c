/*
 * test_wide.c
 *		Features of more than 256 bins, and nodes of few rows.
 *
 * Splits are compared with an exhaustive search over rows; those by the
 * touched cells with those by all cells, field by field.
 */
#include <float.h>

#include "boost_data.h"
#include "core/fit/trees/touched_cells.h"

#define MAX_ROWS 600

static uint64_t state;

static uint32_t
draw(uint32_t n)
{
	state += UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t) (hash64_mix(state) >> 33) % n;
}

/* Rows of a node with one feature, held as a fit holds them. */
typedef struct Node
{
	uint32_t	n;
	uint32_t	bins[MAX_ROWS];
	uint8_t		narrow[4 * MAX_ROWS];
	uint16_t	wide[MAX_ROWS];
	int32_t		g[MAX_ROWS];	/* in units */
	int32_t		h[MAX_ROWS];
	int32_t		first[MAX_ROWS];
	int32_t		second[MAX_ROWS];
	RowList		list;
	GradientScale scale;
	BinFeature	feature;
	BinGroup	group;
	BinnedMatrix matrix;
	HistogramCell cells[WIDE_BINS_MAX];
	HistogramCell counts[WIDE_BINS_MAX];	/* h: rows */
	GradientSums sums;
} Node;

/* Rows among the first n_present bins of a random choice, so that most bins are empty. */
static void
fill_node(Node *node, uint32_t n, uint32_t n_bins, uint32_t n_present, bool categorical, bool missing, bool wide_derivatives)
{
	uint32_t	present[MAX_ROWS];

	memset(node, 0, sizeof(*node));
	node->n = n;
	node->feature = (BinFeature) {.n_bins = n_bins,.n_cuts = categorical ? 0 : n_bins - 2,.categorical = categorical,.wide = n_bins > BINS_MAX};
	node->group = (BinGroup) {.n_features = 1,.stride = 4,.rows = node->narrow};
	node->matrix = (BinnedMatrix) {
		.n_rows = n,.n_features = 1,.features = &node->feature,.groups = &node->group,.wide_columns = node->wide,.most_bins = n_bins
	};
	node->scale = (GradientScale) {.wide = wide_derivatives,.g_unit = 0x1p-10,.h_unit = 0x1p-10};
	node->list = (RowList) {.first = node->first,.second = wide_derivatives ? node->second : NULL};
	for (uint32_t k = 0; k < n_present; k++)
		present[k] = 1 + draw(n_bins - 1);
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	bin = missing && draw(5) == 0 ? BIN_MISSING : present[draw(n_present)];
		int32_t		h = 1 + (int32_t) draw(4000);
		int32_t		g = (int32_t) draw(4001) - 2000 + 300 * (int32_t) (bin % 7);

		node->bins[i] = bin;
		node->narrow[4 * i] = (uint8_t) bin;
		node->wide[i] = (uint16_t) bin;
		node->g[i] = g;
		node->h[i] = h;
		node->first[i] = (int32_t) ((uint32_t) g << 16 | (uint32_t) h);
		if (wide_derivatives)
		{
			float		real[2] = {(float) g * 0x1p-10f, (float) h * 0x1p-10f};

			memcpy(&node->first[i], &real[0], sizeof(float));
			memcpy(&node->second[i], &real[1], sizeof(float));
		}
		node->cells[bin].g += g;
		node->cells[bin].h += h;
		node->counts[bin].h++;
		node->sums.g += g;
		node->sums.h += h;
	}
}

static SortItem ordered[2 * WIDE_BINS_MAX];

static SplitSearch
search_of(const Node *node, const SplitRules *rules)
{
	return (SplitSearch) {.rules = *rules,.scale = &node->scale,.ordered = ordered,.node = node->sums,.n_rows = node->n};
}

/* Whether a row goes left by a split. */
static bool
goes_left(const Node *node, const Split *split, const uint64_t *set, uint32_t bin)
{
	if (node->feature.categorical)
		return split_set_has(node->feature.wide ? set : split->set, bin);
	return bin == BIN_MISSING ? split->missing_left : bin <= split->bin;
}

/* The gain of a division of the rows; -1 where a child is too light. */
static double
gain_of(const Node *node, const SplitRules *rules, const bool *left)
{
	double		g[2] = {0, 0};
	double		h[2] = {0, 0};
	int64_t		rows[2] = {0, 0};
	double		terms[3];

	for (uint32_t i = 0; i < node->n; i++)
	{
		g[left[i]] += (double) node->g[i] * node->scale.g_unit;
		h[left[i]] += (double) node->h[i] * node->scale.h_unit;
		rows[left[i]]++;
	}
	if (h[0] <= 0 || h[1] <= 0 || h[0] < rules->min_child_weight || h[1] < rules->min_child_weight ||
		rows[0] < rules->min_rows || rows[1] < rules->min_rows)
		return -1;
	for (int side = 0; side < 3; side++)
	{
		double		sum_g = side < 2 ? g[side] : g[0] + g[1];
		double		sum_h = side < 2 ? h[side] : h[0] + h[1];
		double		t = fmax(fabs(sum_g) - rules->alpha, 0);

		terms[side] = t * t / (sum_h + rules->lambda);
	}
	return terms[0] + terms[1] - terms[2];
}

/* Whether the rows of a bin are too few to be ordered alone. */
static bool
is_rare(const Node *node, const SplitRules *rules, uint32_t bin)
{
	return (double) node->cells[bin].h < rules->min_category_rows * (double) node->sums.h / node->n;
}

/* The best gain of any division of the present levels, where rare ones stay together. */
static double
best_set_gain(const Node *node, const SplitRules *rules)
{
	uint32_t	units[MAX_ROWS];	/* of rows: the unit that they belong to */
	uint32_t	bins[32];		/* of units; the pool is beyond all bins */
	uint32_t	n_units = 0;
	double		best = 0;

	for (uint32_t i = 0; i < node->n; i++)
	{
		uint32_t	bin = is_rare(node, rules, node->bins[i]) ? WIDE_BINS_MAX : node->bins[i];
		uint32_t	u = 0;

		while (u < n_units && bins[u] != bin)
			u++;
		if (u == n_units)
			bins[n_units++] = bin;
		units[i] = u;
	}
	for (uint32_t set = 1; set + 1 < UINT32_C(1) << n_units; set++)
	{
		bool		left[MAX_ROWS];

		for (uint32_t i = 0; i < node->n; i++)
			left[i] = set >> units[i] & 1;
		best = fmax(best, gain_of(node, rules, left));
	}
	return best;
}

/* The best gain of "bin <= b", missing values on either side. */
static double
best_number_gain(const Node *node, const SplitRules *rules)
{
	double		best = 0;

	for (uint32_t k = 0; k < node->n; k++)
	{
		/* the first cut is behind bin 1: it may divide missing values from all others */
		uint32_t	cut = node->bins[k] == BIN_MISSING ? 1 : node->bins[k];

		for (int missing_left = 0; missing_left < 2; missing_left++)
		{
			bool		left[MAX_ROWS];

			if (cut > node->feature.n_cuts)
				continue;
			for (uint32_t i = 0; i < node->n; i++)
				left[i] = node->bins[i] == BIN_MISSING ? missing_left : node->bins[i] <= cut;
			best = fmax(best, gain_of(node, rules, left));
		}
	}
	return best;
}

/* By all cells and by the touched ones: the same split, with the gain that it claims, and the best. */
static void
check_split(Node *node, const SplitRules *rules, double best_gain, Arena *arena)
{
	TouchedCells touched;
	TouchedCells counted;
	static int32_t ones[MAX_ROWS];
	RowList		counted_rows = {.first = ones};
	Error		error;
	Split		by_all = {0};
	Split		by_touched = {0};
	uint64_t	sets[2][WIDE_BINS_MAX / 64] = {{0}};
	SplitSearch search = search_of(node, rules);
	CellList	all = {.cells = node->cells,.counts = node->counts,.n = node->feature.n_bins};
	bool		left[MAX_ROWS];

	if (!CHECK_OK(touched_init(&touched, node->feature.n_bins, arena, &error), &error) ||
		!CHECK_OK(touched_init(&counted, node->feature.n_bins, arena, &error), &error))
		return;
	for (uint32_t i = 0; i < node->n; i++)
		ones[i] = 1;
	split_search(&search, &node->feature, 7, &all, &by_all);
	for (int again = 0; again < 2; again++)
	{
		/* the second time finds nothing of the first */
		CellList	list = touched_list(&touched, &node->matrix, 0, &node->scale, &node->list, 0, node->n);

		list.counts = touched_list(&counted, &node->matrix, 0, &gradient_counts, &counted_rows, 0, node->n).cells;
		by_touched = (Split) {0};
		CHECK(list.n <= node->n + 2);
		split_search(&search, &node->feature, 7, &list, &by_touched);
		if (node->feature.categorical && node->feature.wide && by_touched.gain > 0)
			split_set(&search, &node->feature, &list, sets[1]);
	}
	CHECK_SAME(by_all.gain, by_touched.gain);
	if (best_gain <= 1e-9 || best_gain < rules->gamma)
	{
		CHECK(by_all.gain <= 1e-9);
		return;
	}
	if (node->feature.categorical && node->feature.wide)
		split_set(&search, &node->feature, &all, sets[0]);
	CHECK(memcmp(sets[0], sets[1], sizeof(sets[0])) == 0);
	CHECK(by_all.feature == 7 && by_all.bin == by_touched.bin && by_all.missing_left == by_touched.missing_left &&
		  by_all.left.g == by_touched.left.g && by_all.left.h == by_touched.left.h &&
		  memcmp(by_all.set, by_touched.set, sizeof(by_all.set)) == 0);
	CHECK_NEAR(by_all.gain, best_gain, 1e-9 * best_gain);
	for (uint32_t i = 0; i < node->n; i++)
		left[i] = goes_left(node, &by_all, sets[0], node->bins[i]);
	CHECK_NEAR(gain_of(node, rules, left), by_all.gain, 1e-9 * best_gain);

	/* levels without rows go with the heavier child, and so does what is missing where nothing is */
	bool		heavier_left = 2 * by_all.left.h >= node->sums.h;

	if (node->cells[BIN_MISSING].h == 0)
		CHECK(by_all.missing_left == heavier_left);
	for (uint32_t b = 0; b < node->feature.n_bins && node->feature.categorical; b += 1 + b / 64)
	{
		if (node->cells[b].h == 0)
			CHECK(goes_left(node, &by_all, sets[0], b) == heavier_left);
	}
}

static void
test_splits(void)
{
	static Node node;
	static const uint32_t sizes[] = {9, 200, 256, 257, 1025, 5000, 65535};
	Arena		arena;

	arena_init(&arena);
	for (uint32_t round = 0; round < 400; round++)
	{
		bool		categorical = round % 2;
		uint32_t	n_bins = sizes[round / 2 % 7] + (!categorical && round % 3 == 0);
		SplitRules	rules = {.max_onehot = 1,.min_category_rows = round % 3 * 20};

		/* of sets, only those that nothing penalises are sure to be the best: Fisher's theorem */
		if (!categorical)
			rules = (SplitRules) {.min_rows = round % 4 == 0 ? 1 + draw(40) : 0,.lambda = round % 3,.alpha = round % 5 ? 0 : 4,.gamma = round % 7 ? 0 : 3,.min_child_weight = round % 4};
		fill_node(&node, 2 + draw(MAX_ROWS - 2), n_bins, categorical ? 10 : 1 + draw(MAX_ROWS - 1), categorical, round % 4 < 2, round % 6 < 3);
		check_split(&node, &rules, categorical ? best_set_gain(&node, &rules) : best_number_gain(&node, &rules), &arena);
	}
	arena_free(&arena);
}

/* One level or all but one, by all cells and by the touched ones. */
static void
test_onehot(void)
{
	static Node node;
	Arena		arena;
	SplitRules	rules = {.lambda = 1,.max_onehot = 40};

	arena_init(&arena);
	for (uint32_t round = 0; round < 100; round++)
	{
		double		best = 0;

		rules.min_rows = round % 4 == 0 ? 1 + draw(10) : 0;
		fill_node(&node, 2 + draw(60), 30, 6, true, round % 2, round % 3 == 0);
		for (uint32_t b = 0; b < 30; b++)
		{
			for (int with_missing = 0; with_missing < 2; with_missing++)
			{
				bool		left[MAX_ROWS];

				for (uint32_t i = 0; i < node.n; i++)
					left[i] = node.bins[i] == b || (with_missing && node.bins[i] == BIN_MISSING);
				best = fmax(best, gain_of(&node, &rules, left));
			}
		}
		check_split(&node, &rules, best, &arena);
	}
	arena_free(&arena);
}

/* 60,000 levels with rows: a prefix in order of g / h, which is found by qsort here. */
static int
compare_ratios(const void *a, const void *b)
{
	const HistogramCell *x = a;
	const HistogramCell *y = b;
	double		left = (double) x->g / (double) x->h;
	double		right = (double) y->g / (double) y->h;

	return left < right ? -1 : left > right;
}

static void
test_many_levels(void)
{
	enum {LEVELS = 60000};
	static Node node;
	static HistogramCell sorted[LEVELS];
	static uint64_t set[WIDE_BINS_MAX / 64];
	static const uint32_t most[] = {0, 1, 32, 20000};	/* levels in the smaller set */
	double		whole;

	memset(&node, 0, sizeof(node));
	node.n = LEVELS;
	node.scale = (GradientScale) {.g_unit = 1,.h_unit = 1};
	node.feature = (BinFeature) {.n_bins = 65535,.categorical = true,.wide = true};
	for (int i = 0; i < LEVELS; i++)
	{
		sorted[i] = (HistogramCell) {(int64_t) draw(2001) - 1000, 1 + draw(50)};
		node.cells[i + 1] = sorted[i];
		node.sums.g += sorted[i].g;
		node.sums.h += sorted[i].h;
	}
	qsort(sorted, LEVELS, sizeof(sorted[0]), compare_ratios);
	whole = (double) node.sums.g * (double) node.sums.g / (double) (node.sums.h + 1);
	for (int m = 0; m < 4; m++)
	{
		SplitRules	rules = {.lambda = 1,.max_onehot = 4,.max_cat_threshold = most[m]};
		Split		split = {0};
		double		best = 0;
		GradientSums left = {0, 0};
		int64_t		left_h = 0;
		uint32_t	n_left = 0;

		for (uint32_t i = 1; i < LEVELS; i++)
		{
			left.g += sorted[i - 1].g;
			left.h += sorted[i - 1].h;

			double		right_g = (double) (node.sums.g - left.g);

			if (most[m] == 0 || i <= most[m] || LEVELS - i <= most[m])
				best = fmax(best, (double) left.g * (double) left.g / (double) (left.h + 1) +
							right_g * right_g / (double) (node.sums.h - left.h + 1) - whole);
		}

		SplitSearch search = search_of(&node, &rules);
		CellList	all = {.cells = node.cells,.n = node.feature.n_bins};

		split_search(&search, &node.feature, 0, &all, &split);
		/* levels of equal ratio may be divided differently here and there */
		CHECK_NEAR(split.gain, best, (m == 0 ? 1e-6 : 1e-2) * best);
		split_set(&search, &node.feature, &all, set);
		for (uint32_t b = 0; b < 65535; b++)
		{
			left_h += split_set_has(set, b) ? node.cells[b].h : 0;
			n_left += node.cells[b].h > 0 && split_set_has(set, b);
		}
		CHECK(left_h == split.left.h);
		CHECK(most[m] == 0 || n_left <= most[m] || LEVELS - n_left <= most[m]);
	}
}

/* ---- Bins ---- */

static void
test_search(void)
{
	enum {N = 20000};
	static const uint32_t max_bins[] = {256, 1024, 65535};
	static double values[N + 8];
	static double cuts[WIDE_BINS_MAX + WIDE_RUN];
	static float float_cuts[BINS_MAX];
	static uint64_t work[2 * N];
	static uint16_t bins[N + 8];

	for (int m = 0; m < 3; m++)
	{
		BinFeature	feature = {.cuts = cuts,.float_cuts = float_cuts};

		for (size_t i = 0; i < N; i++)
			values[i] = draw(40) == 0 ? NAN : floor(1e6 * boost_number(i, 1)) / 7;
		bins_find_cuts(&feature, values, N, max_bins[m], work);
		CHECK(feature.n_bins > 256 || max_bins[m] == 256);
		CHECK(feature.n_bins == feature.n_cuts + 2 && feature.n_bins <= max_bins[m] + 1);
		for (int i = 0; i < WIDE_RUN; i++)
			cuts[feature.n_cuts + i] = INFINITY;
		values[N] = INFINITY;
		values[N + 1] = -INFINITY;
		values[N + 2] = DBL_MAX;
		values[N + 3] = -DBL_MAX;
		values[N + 4] = cuts[0];
		values[N + 5] = cuts[feature.n_cuts - 1];
		values[N + 6] = nextafter(cuts[0], INFINITY);
		values[N + 7] = NAN;
		for (int level = CPU_PLAIN; level <= CPU_AVX512; level++)
		{
			bool		right = true;

			cpu_limit((CpuLevel) level);
			memset(bins, 255, sizeof(bins));
			for (size_t i = 0; i < N + 8; i += 1001)
				bins_search_wide(&feature, values + i, N + 8 - i < 1001 ? N + 8 - i : 1001, bins + i);
			for (size_t i = 0; i < N + 8; i++)
			{
				uint32_t	b = bins[i];

				if (values[i] != values[i])
					right = right && b == BIN_MISSING;
				else
					right = right && b >= 1 && b <= feature.n_cuts + 1 && (b == 1 || values[i] > cuts[b - 2]) &&
						(b == feature.n_cuts + 1 || values[i] <= cuts[b - 1]);
			}
			CHECK(right);
		}
	}
	cpu_limit(CPU_AVX512);
}

int
main(void)
{
	test_splits();
	test_onehot();
	test_many_levels();
	test_search();
	return check_done();
}
