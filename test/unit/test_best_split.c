/*
 * test_best_split.c
 *		Derivatives, histograms and split search against plain arithmetic.
 *
 * Splits are compared with an exhaustive search over rows; derivatives with
 * numerical differentiation; sums with 64-bit sums at the limits.
 */
#include <float.h>
#include <stdlib.h>

#include "check.h"
#include "core/fit/best_split.h"
#include "core/fit/cpu.h"

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

	SplitRules	counting = *rules;

	counting.n_rows = node->n;
	counting.counts = rules->min_rows > 1 ? node->counts : NULL;
	split_search(&counting, &node->scale, &node->feature, 7, node->cells, node->sums, &split);
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
		split_search(&rules, &node.scale, &node.feature, 7, node.cells, node.sums, &split);
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
		split_search(&rules, &node.scale, &node.feature, 0, node.cells, node.sums, &split);
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
	split_search(&rules, &node.scale, &node.feature, 3, node.cells, node.sums, &split);
	split_search(&rules, &node.scale, &node.feature, 4, node.cells, node.sums, &split);
	CHECK(split.feature == 3);
	CHECK(split.bin == 1);
}

/* ---- Derivatives ---- */

static void
test_derivatives(Task task, uint32_t n_groups)
{
	const Objective *objective = objective_find(OBJECTIVE_AUTO, task);
	double		base[4];
	float		scores[4];
	double		log_sum;
	double		target;
	ScoredRows	row = {.n = 1,.n_groups = n_groups,.target = &target,.base = base,.tree_scores = scores,.log_sums = &log_sum};

	for (int round = 0; round < 200; round++)
	{
		for (uint32_t k = 0; k < n_groups; k++)
		{
			base[k] = (double) draw(2001) / 250 - 4;
			scores[k] = (float) draw(2001) / 250 - 4;
		}
		target = task == TASK_REGRESSION ? (double) draw(1000) / 100 : draw(task == TASK_BINARY ? 2 : n_groups);
		for (uint32_t k = 0; k < n_groups; k++)
		{
			double		losses[3];
			float		g;
			float		h;
			double		step = 1e-3;
			double		middle = base[k];

			for (int s = 0; s < 3; s++)
			{
				base[k] = middle + (s - 1) * step;
				if (objective->prepare != NULL)
					objective->prepare(&row, 0, 1);
				objective->losses(&row, 0, 1, &losses[s]);
			}
			base[k] = middle;
			if (objective->prepare != NULL)
				objective->prepare(&row, 0, 1);
			objective->gradients(&row, k, 0, 1, &g, &h);

			/* squared error is shown without its factor 1/2; softmax takes twice the second derivative */
			double		first = (losses[2] - losses[0]) / (2 * step) * (task == TASK_REGRESSION ? 0.5 : 1);
			double		second = (losses[2] - 2 * losses[1] + losses[0]) / (step * step);

			second *= task == TASK_REGRESSION ? 0.5 : task == TASK_MULTICLASS ? 2 : 1;
			CHECK_NEAR((double) g, first, 1e-6 * fmax(1, fabs(first)));
			CHECK_NEAR((double) h, second, 1e-5);
		}
	}
}

/* Certain predictions have derivatives near 0, not NaN. */
static void
test_extreme_scores(void)
{
	double		base = 0;
	float		scores[6] = {1000, -1000, 40, -40, 0, 1e30f};
	double		target[6] = {1, 0, 1, 0, 1, 0};
	float		g[6];
	float		h[6];
	double		losses[6];
	ScoredRows	rows = {.n = 6,.n_groups = 1,.target = target,.base = &base,.tree_scores = scores};
	const Objective *objective = objective_find(OBJECTIVE_AUTO, TASK_BINARY);

	objective->gradients(&rows, 0, 0, 6, g, h);
	objective->losses(&rows, 0, 6, losses);
	for (int i = 0; i < 6; i++)
	{
		CHECK(isfinite(g[i]) && isfinite(h[i]) && h[i] >= 0);
		CHECK(isfinite(losses[i]) && losses[i] >= 0);
	}
	CHECK(g[0] == 0 && g[5] == 1);
}

/* ---- Integers ---- */

static void
test_units(void)
{
	static const int64_t limits[] = {NARROW_G_MAX, NARROW_H_MAX, WIDE_MAX};

	for (int k = 0; k < 3; k++)
	{
		for (int exponent = -100; exponent <= 100; exponent += 7)
		{
			for (int m = 0; m < 50; m++)
			{
				double		largest = ldexp(1 + (double) m / 50, exponent);
				double		unit = gradient_unit(largest, limits[k]);
				int			power;

				CHECK(rint(largest / unit) <= (double) limits[k]);
				CHECK(rint(largest / unit) * 2.01 >= (double) limits[k]);
				CHECK(frexp(unit, &power) == 0.5);
			}
		}
		/* at the limit itself, and where rounding goes beyond it */
		CHECK(gradient_unit((double) limits[k], limits[k]) == 1);
		CHECK(gradient_unit((double) limits[k] + 0.6, limits[k]) == 2);
		CHECK(gradient_unit(0, limits[k]) == 1);
	}
}

static void
test_widths(void)
{
	GradientBlock even = {.largest_g = 1,.largest_h = 0.25f,.sum_g = 300,.sum_h = 200};
	GradientBlock uneven = {.largest_g = 1e5f,.largest_h = 1e5f,.sum_g = 1e6,.sum_h = 1e6};

	CHECK(!gradient_scale(&even, 1, 1000, false).wide);
	CHECK(gradient_scale(&even, 1, 1000, true).wide);
	CHECK(gradient_scale(&uneven, 1, 30000, false).wide);
}

/* The same integers and the same list, whatever the vector width; exact sums; nothing positive becomes 0. */
static void
test_quantise(void)
{
	enum {N = 10007};
	static float g[N];
	static float h[N];
	static int32_t first[3][N];
	static int32_t second[3][N];
	static uint32_t rows[3][N];
	Error		error;
	ThreadPool *pool = pool_create(2, &error);

	if (!CHECK_OK(pool != NULL, &error))
		return;
	for (int i = 0; i < N; i++)
	{
		g[i] = (float) draw(2000001) / 1000000 - 1;
		h[i] = i % 100 == 0 ? 0 : i % 100 == 1 ? 1e-12f : (float) draw(1000000) / 4000000;
	}
	for (int wide = 0; wide < 2; wide++)
	{
		GradientScale scale = {
			.wide = wide,
			.g_unit = gradient_unit(1, wide ? WIDE_MAX : NARROW_G_MAX),
			.h_unit = gradient_unit(0.25, wide ? WIDE_MAX : NARROW_H_MAX)
		};

		for (int sampled = 0; sampled < 2; sampled++)
		{
			RowSample	sample = row_sample(sampled ? 0.3 : 1, 42, 5);
			size_t		n_listed[3];

			for (int level = CPU_PLAIN; level <= CPU_AVX512; level++)
			{
				RowList		list = {rows[level], first[level], second[level]};
				size_t		offsets[4];
				GradientSums partial[4];
				GradientSums sums;
				int64_t		sum_g = 0;
				int64_t		sum_h = 0;
				bool		right = true;

				cpu_limit((CpuLevel) level);
				n_listed[level] = gradients_to_list(&scale, &sample, g, h, N, &list, offsets, partial, &sums, pool);
				for (size_t k = 0; k < n_listed[level]; k++)
				{
					size_t		i = sampled ? rows[level][k] : k;
					int64_t		whole_g = wide ? first[level][k] : first[level][k] >> 16;
					int64_t		whole_h = wide ? second[level][k] : first[level][k] & 0xffff;

					sum_g += whole_g;
					sum_h += whole_h;
					right = right && fabs((double) whole_g * scale.g_unit - (double) g[i]) <= scale.g_unit / 2 &&
						fabs((double) whole_h * scale.h_unit - (double) h[i]) <= scale.h_unit && (whole_h > 0) == (h[i] > 0);
				}
				CHECK(right);
				CHECK(sums.g == sum_g && sums.h == sum_h);
				CHECK(n_listed[level] == n_listed[0]);
				CHECK(memcmp(first[level], first[0], n_listed[0] * sizeof(int32_t)) == 0);
				CHECK(!wide || memcmp(second[level], second[0], n_listed[0] * sizeof(int32_t)) == 0);
				CHECK(!sampled || memcmp(rows[level], rows[0], n_listed[0] * sizeof(uint32_t)) == 0);
			}
			CHECK(sampled ? fabs((double) n_listed[0] / N - 0.3) < 0.02 : n_listed[0] == N);
		}
	}
	cpu_limit(CPU_AVX512);
	pool_destroy(pool);
}

/* A binary column and the largest derivatives in 2^24 rows: no cell overflows, narrow or wide. */
static void
test_overflow(void)
{
	enum {N = 1 << 24};
	uint8_t		bins[8] = {1, 0, 0, 0, 2, 0, 0, 0};
	BinFeature	feature = {.n_bins = 3};
	BinGroup	group = {.n_features = 1,.stride = 4,.rows = bins};
	BinnedMatrix matrix = {.n_features = 1,.n_groups = 1,.features = &feature,.groups = &group,.n_cells = 3};
	HistogramScratch scratch;
	HistogramCell cells[3];
	Arena		arena;
	Error		error;

	arena_init(&arena);

	RowList		list = {
		.rows = arena_alloc(&arena, N, sizeof(uint32_t), &error),
		.first = arena_alloc(&arena, N, sizeof(int32_t), &error),
		.second = arena_alloc(&arena, N, sizeof(int32_t), &error)
	};

	if (!CHECK(list.rows != NULL && list.first != NULL && list.second != NULL) ||
		!CHECK_OK(histogram_scratch_init(&scratch, &matrix, 2, &arena, &error), &error))
		return;
	for (int wide = 0; wide < 2; wide++)
	{
		int64_t		g = wide ? WIDE_MAX : NARROW_G_MAX;
		int64_t		h = wide ? WIDE_MAX : NARROW_H_MAX;

		for (size_t i = 0; i < N; i++)
		{
			bool		second_bin = i >= N / 2;

			list.rows[i] = second_bin;
			list.first[i] = (int32_t) (wide ? (second_bin ? -g : g) :
									   (int64_t) (int32_t) ((uint32_t) (second_bin ? -g : g) << 16 | (uint32_t) h));
			list.second[i] = (int32_t) h;
		}
		/* two threads, in pieces that end anywhere */
		for (size_t begin = 0; begin < N;)
		{
			size_t		end = begin + 100003 < N ? begin + 100003 : N;

			histogram_add(&scratch, begin / 100003 % 2, 0, wide, &list, begin, end);
			begin = end;
		}
		histogram_collect(&scratch, 0, 2, 0, cells);
		histogram_collected(&scratch, 0, 2, 0);
		CHECK(cells[0].g == 0 && cells[0].h == 0);
		CHECK(cells[1].g == g * (N / 2) && cells[1].h == h * (N / 2));
		CHECK(cells[2].g == -g * (N / 2) && cells[2].h == h * (N / 2));
		/* and what was collected is gone */
		histogram_collect(&scratch, 0, 2, 0, cells);
		CHECK(cells[1].g == 0 && cells[1].h == 0);
	}
	arena_free(&arena);
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
	test_derivatives(TASK_REGRESSION, 1);
	test_derivatives(TASK_BINARY, 1);
	test_derivatives(TASK_MULTICLASS, 4);
	test_extreme_scores();
	test_units();
	test_widths();
	test_quantise();
	test_overflow();
	return check_done();
}
