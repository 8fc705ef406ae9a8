/*
 * test_best_split.c
 *		Split search against an exhaustive search over rows.
 */

#include "check.h"
#include "core/fit/trees/best_split.h"

#define MAX_ROWS 400

/* Numbers that depend on the seed alone. */
static uint64_t state;

static uint32_t
draw(uint32_t n)
{
	state += UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t) (hash64_mix(state) >> 33) % n;
}

/* Rows of a node with one feature. */
typedef struct SmallNode
{
	uint32_t	n;
	uint8_t		bins[MAX_ROWS];
	int64_t		g[MAX_ROWS];
	int64_t		h[MAX_ROWS];
	GradientScale scale;
	BinFeature	feature;
	HistogramCell cells[BINS_MAX];
	HistogramCell counts[BINS_MAX];
	GradientSums sums;
} SmallNode;

static void
fill_node(SmallNode *node, uint32_t n, uint32_t n_bins, bool categorical, bool missing, uint32_t heaviest)
{
	memset(node, 0, sizeof(*node));
	node->n = n;
	node->feature.n_bins = n_bins;
	node->feature.categorical = categorical;
	node->feature.n_cuts = categorical ? 0 : n_bins - 2;
	node->scale = (GradientScale) {.wide = true,.g_unit = 0x1p-10,.h_unit = 0x1p-10};
	for (uint32_t i = 0; i < n; i++)
	{
		uint8_t		bin = (uint8_t) (missing && draw(5) == 0 ? BIN_MISSING : 1 + draw(n_bins - 1));

		node->bins[i] = bin;
		node->h[i] = 1024 * (int64_t) (1 + draw(heaviest));
		node->g[i] = ((int64_t) draw(4001) - 2000 + 300 * (bin % 3)) * node->h[i] / 1024;
		node->cells[bin].g += node->g[i];
		node->cells[bin].h += node->h[i];
		node->counts[bin].h++;
		node->sums.g += node->g[i];
		node->sums.h += node->h[i];
	}
}

/* The best split by all bins; rows are counted where a child needs more than one. */
static void
search(const SmallNode *node, const SplitRules *rules, uint32_t feature_number, Split *best)
{
	SortItem	ordered[2 * BINS_MAX];
	SplitSearch search = {.rules = *rules,.scale = &node->scale,.ordered = ordered,.node = node->sums,.n_rows = node->n};
	CellList	all = {.cells = node->cells,.counts = rules->min_rows > 1 ? node->counts : NULL,.n = node->feature.n_bins};

	split_search(&search, &node->feature, feature_number, &all, best);
}

/* Twice the loss of a leaf of this value. */
static double
loss_of(const SplitRules *rules, double g, double h, double value)
{
	return 2 * g * value + (h + rules->lambda) * value * value + 2 * rules->alpha * fabs(value);
}

/* The value of a leaf within its bounds, by a search over all there are: the loss is convex in it. */
static double
bounded_value(const SplitRules *rules, double g, double h)
{
	double		low = fmax(rules->lowest, -1e6);
	double		high = fmin(rules->highest, 1e6);

	for (int step = 0; step < 200; step++)
	{
		double		a = low + (high - low) / 3;
		double		b = high - (high - low) / 3;

		if (loss_of(rules, g, h, a) <= loss_of(rules, g, h, b))
			high = b;
		else
			low = a;
	}
	return (low + high) / 2;
}

/* The gain of sending the marked bins left, from the rows themselves; -1 where a child is too light. */
static double
gain_of(const SmallNode *node, const SplitRules *rules, const uint8_t *goes_left)
{
	double		g[2] = {0, 0};
	double		h[2] = {0, 0};
	int64_t		rows[2] = {0, 0};
	double		terms[3];

	for (uint32_t i = 0; i < node->n; i++)
	{
		g[goes_left[node->bins[i]]] += (double) node->g[i] * node->scale.g_unit;
		h[goes_left[node->bins[i]]] += (double) node->h[i] * node->scale.h_unit;
		rows[goes_left[node->bins[i]]]++;
	}
	if (h[0] <= 0 || h[1] <= 0 || h[0] < rules->min_child_weight || h[1] < rules->min_child_weight ||
		rows[0] < rules->min_rows || rows[1] < rules->min_rows)
		return -1;
	if (rules->bounded)
	{
		double		values[3] = {bounded_value(rules, g[0], h[0]), bounded_value(rules, g[1], h[1]), bounded_value(rules, g[0] + g[1], h[0] + h[1])};

		/* side 1 goes left */
		if ((values[0] - values[1]) * rules->direction < 0)
			return -1;
		return loss_of(rules, g[0] + g[1], h[0] + h[1], values[2]) - loss_of(rules, g[0], h[0], values[0]) - loss_of(rules, g[1], h[1], values[1]);
	}
	for (int side = 0; side < 3; side++)
	{
		double		sum_g = side < 2 ? g[side] : g[0] + g[1];
		double		sum_h = side < 2 ? h[side] : h[0] + h[1];
		double		t = fmax(fabs(sum_g) - rules->alpha, 0);

		terms[side] = t * t / (sum_h + rules->lambda);
	}
	return terms[0] + terms[1] - terms[2];
}

/* The best gain of "bin <= b", missing values on either side. */
static double
best_number_gain(const SmallNode *node, const SplitRules *rules)
{
	double		best = 0;

	for (uint32_t b = 1; b < node->feature.n_bins; b++)
	{
		for (uint8_t missing_left = 0; missing_left < 2; missing_left++)
		{
			uint8_t		goes_left[BINS_MAX] = {missing_left};

			for (uint32_t k = 1; k <= b; k++)
				goes_left[k] = 1;
			/* the last bin has no cut behind it */
			if (b <= node->feature.n_cuts)
				best = fmax(best, gain_of(node, rules, goes_left));
		}
	}
	return best;
}

/* The best gain of any set of bins against the others; of at most `largest` bins (and missing ones). */
static double
best_set_gain(const SmallNode *node, const SplitRules *rules, int largest)
{
	double		best = 0;

	for (uint32_t set = 1; set + 1 < UINT32_C(1) << node->feature.n_bins; set++)
	{
		uint8_t		goes_left[BINS_MAX] = {0};

		if (__builtin_popcount(set & ~1u) > largest)
			continue;
		for (uint32_t b = 0; b < node->feature.n_bins; b++)
			goes_left[b] = set >> b & 1;
		best = fmax(best, gain_of(node, rules, goes_left));
	}
	return best;
}

/* The split found has the gain that it claims, and it is the best one. */
static void
check_split(const SmallNode *node, const SplitRules *rules, double best_gain)
{
	Split		split = {0};
	uint8_t		goes_left[BINS_MAX];
	int64_t		left_h = 0;

	search(node, rules, 7, &split);
	if (best_gain <= 1e-9 || best_gain < rules->gamma)
	{
		CHECK(split.gain <= 1e-9);
		return;
	}
	CHECK_NEAR(split.gain, best_gain, 1e-9 * best_gain);
	CHECK(split.feature == 7);
	split_directions(&split, goes_left);
	CHECK_NEAR(gain_of(node, rules, goes_left), split.gain, 1e-9 * best_gain);
	for (uint32_t i = 0; i < node->n; i++)
		left_h += goes_left[node->bins[i]] ? node->h[i] : 0;
	CHECK(split.left.h == left_h);
	CHECK(split.missing_left == goes_left[BIN_MISSING]);
}

static void
test_numbers(void)
{
	static SmallNode node;

	for (uint32_t round = 0; round < 300; round++)
	{
		SplitRules	rules = {
			.lambda = round % 3,
			.alpha = round % 5 == 0 ? 4 : 0,
			.gamma = round % 7 == 0 ? 3 : 0,
			.min_child_weight = round % 4,
			.min_rows = round % 3 == 0 ? 1 + draw(30) : 0,
			.max_onehot = 4
		};

		fill_node(&node, 2 + draw(MAX_ROWS - 2), 2 + draw(round % 2 ? 8 : 254), false, round % 4 < 2, round % 6 < 3 ? 1 : 1000);
		check_split(&node, &rules, best_number_gain(&node, &rules));
	}
}

/* By Fisher's theorem a prefix in order of g / h is the best of all sets when nothing is penalised. */
static void
test_sets(void)
{
	static SmallNode node;
	SplitRules	rules = {.max_onehot = 1};

	for (uint32_t round = 0; round < 60; round++)
	{
		fill_node(&node, 2 + draw(MAX_ROWS - 2), 3 + draw(7), true, round % 2, round % 3 == 0 ? 1000 : 1);
		check_split(&node, &rules, best_set_gain(&node, &rules, BINS_MAX));
	}
}

/* One level against the others, or all others against it; missing values with either. */
static void
test_onehot(void)
{
	static SmallNode node;

	for (uint32_t round = 0; round < 100; round++)
	{
		SplitRules	rules = {.lambda = 1,.min_child_weight = round % 3,.min_rows = round % 4 == 0 ? 1 + draw(20) : 0,.max_onehot = 8};

		fill_node(&node, 2 + draw(MAX_ROWS - 2), 3 + draw(6), true, round % 2, round % 3 == 0 ? 1000 : 1);
		check_split(&node, &rules, best_set_gain(&node, &rules, 1));
	}
}

/* Leaves within bounds and features that only rise or fall, against values found by search. */
static void
test_bounded(void)
{
	static SmallNode node;
	int			n_found = 0;

	for (uint32_t round = 0; round < 240; round++)
	{
		SplitRules	rules = {
			.lambda = 1 + round % 3,
			.alpha = round % 5 == 0 ? 4 : 0,
			.min_child_weight = round % 4,
			.max_onehot = 20,
			.bounded = true,
			.lowest = round % 2 ? -INFINITY : -0.5 + 0.1 * (double) (round % 7),
			.highest = round % 3 ? INFINITY : 0.2 + 0.1 * (double) (round % 7)
		};
		bool		categorical = round % 8 == 7;
		Split		split = {0};
		uint8_t		goes_left[BINS_MAX];
		double		best;

		rules.direction = categorical ? 0 : (int) (round % 3) - 1;
		fill_node(&node, 2 + draw(60), 2 + draw(categorical ? 6 : 12), categorical, round % 4 < 2, round % 6 < 3 ? 1 : 10);
		best = categorical ? best_set_gain(&node, &rules, 1) : best_number_gain(&node, &rules);
		search(&node, &rules, 7, &split);
		CHECK_NEAR(split.gain, best, 1e-6 * fmax(1, best));
		if (split.gain < 1e-6)
			continue;
		n_found++;
		split_directions(&split, goes_left);
		CHECK_NEAR(gain_of(&node, &rules, goes_left), split.gain, 1e-6 * fmax(1, best));

		GradientSums right = {node.sums.g - split.left.g, node.sums.h - split.left.h};
		double		left_value = split_leaf(&rules, (double) split.left.g * 0x1p-10, (double) split.left.h * 0x1p-10);
		double		right_value = split_leaf(&rules, (double) right.g * 0x1p-10, (double) right.h * 0x1p-10);

		CHECK((right_value - left_value) * rules.direction >= 0);
		CHECK(left_value >= rules.lowest && left_value <= rules.highest && right_value >= rules.lowest && right_value <= rules.highest);
	}
	CHECK(n_found > 100);
}

/* Levels without rows in the node, and missing values where there are none, go with the heavier child. */
static void
test_absent(void)
{
	static SmallNode node;
	SplitRules	rules = {.lambda = 1,.max_onehot = 4};

	for (int categorical = 0; categorical < 2; categorical++)
	{
		Split		split = {0};
		uint8_t		goes_left[BINS_MAX];

		memset(&node, 0, sizeof(node));
		node.feature.n_bins = 9;
		node.feature.n_cuts = categorical ? 0 : 7;
		node.feature.categorical = categorical;
		node.scale = (GradientScale) {.g_unit = 1,.h_unit = 1};
		node.cells[2] = (HistogramCell) {-100, 100};
		node.cells[5] = (HistogramCell) {-20, 10};
		node.cells[7] = (HistogramCell) {50, 10};
		node.sums = (GradientSums) {-70, 120};
		node.n = 120;
		search(&node, &rules, 0, &split);
		split_directions(&split, goes_left);
		CHECK(split.gain > 0);
		CHECK(goes_left[2] == goes_left[5] && goes_left[2] != goes_left[7]);
		CHECK(goes_left[BIN_MISSING] == goes_left[2]);
		CHECK(!categorical || goes_left[8] == goes_left[2]);
	}
}

/* Of equal gains the first feature wins, then the first bin. */
static void
test_ties(void)
{
	static SmallNode node;
	SplitRules	rules = {.lambda = 1,.max_onehot = 4};
	Split		split = {0};

	memset(&node, 0, sizeof(node));
	node.feature.n_bins = 7;
	node.feature.n_cuts = 5;
	node.scale = (GradientScale) {.g_unit = 1,.h_unit = 1};
	node.cells[1] = (HistogramCell) {10, 10};
	node.cells[4] = (HistogramCell) {-10, 10};
	node.sums = (GradientSums) {0, 20};
	node.n = 20;
	search(&node, &rules, 3, &split);
	search(&node, &rules, 4, &split);
	CHECK(split.feature == 3);
	CHECK(split.bin == 1);
}

int
main(void)
{
	test_numbers();
	test_sets();
	test_onehot();
	test_bounded();
	test_absent();
	test_ties();
	return check_done();
}
