/*
 * test_gradients.c
 *		Derivatives, their integers, and histograms against plain arithmetic.
 *
 * Derivatives are compared with numerical differentiation, sums with 64-bit
 * sums at the limits.
 */

#include "check.h"
#include "core/cpu.h"
#include "core/fit/trees/histogram.h"

/* Numbers that depend on the seed alone. */
static uint64_t state;

static uint32_t
draw(uint32_t n)
{
	state += UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t) (hash64_mix(state) >> 33) % n;
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
	static const int64_t limits[] = {NARROW_G_MAX, NARROW_H_MAX, WIDE_TOTAL};

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
		CHECK(gradient_unit((double) limits[k] * (1 + 0x1p-16), limits[k]) == 2);
		CHECK(gradient_unit(0, limits[k]) == 1);
	}
}

static void
test_widths(void)
{
	GradientBlock even = {.largest_g = 1,.largest_h = 0.25f,.sum_g = 300,.sum_h = 200,.roots_g = 500,.roots_h = 440};
	GradientBlock uneven = {.largest_g = 1e5f,.largest_h = 1e5f,.sum_g = 1e6,.sum_h = 1e6};

	CHECK(!gradient_scale(&even, 1, 1000, false, true).wide);
	CHECK(gradient_scale(&even, 1, 1000, true, true).wide);
	CHECK(gradient_scale(&uneven, 1, 30000, false, false).wide);

	/* ten of a thousand are 1e4, the others 1: a mean of 101, but a mean root of 2 */
	GradientBlock tailed = {.largest_g = 1e4f,.largest_h = 1,.sum_g = 100990,.sum_h = 1000,.roots_g = 1990,.roots_h = 1000};

	CHECK(gradient_scale(&tailed, 1, 1000, false, true).wide);
	CHECK(!gradient_scale(&tailed, 1, 1000, false, false).wide);

	/* the sums of wide ones have room, with the finest unit that leaves it */
	GradientScale scale = gradient_scale(&uneven, 1, 30000, false, false);

	CHECK(uneven.sum_g / scale.g_unit <= (double) WIDE_TOTAL && uneven.sum_g / scale.g_unit * 2.01 >= (double) WIDE_TOTAL);
	CHECK(uneven.sum_h / scale.h_unit <= (double) WIDE_TOTAL && uneven.sum_h / scale.h_unit * 2.01 >= (double) WIDE_TOTAL);
}

/* The integers of row k of a list. */
static GradientSums
units_of(const RowList *list, size_t k, const GradientScale *scale)
{
	return gradient_units(list, k, scale->wide, 1 / scale->g_unit, 1 / scale->h_unit);
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
			.g_unit = wide ? gradient_unit(N, WIDE_TOTAL) : gradient_unit(1, NARROW_G_MAX),
			.h_unit = wide ? gradient_unit(0.25 * N, WIDE_TOTAL) : gradient_unit(0.25, NARROW_H_MAX)
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
					GradientSums units = units_of(&list, k, &scale);
					double		furthest = wide ? scale.g_unit : scale.g_unit / 2;

					sum_g += units.g;
					sum_h += units.h;
					right = right && fabs((double) units.g * scale.g_unit - (double) g[i]) <= furthest &&
						fabs((double) units.h * scale.h_unit - (double) h[i]) <= scale.h_unit && (units.h > 0) == (h[i] > 0);
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
	BinnedMatrix matrix = {.n_features = 1,.n_narrow = 1,.n_groups = 1,.features = &feature,.groups = &group,.n_cells = 3};
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
		GradientBlock all = {.largest_g = 1,.largest_h = 1,.sum_g = N,.sum_h = N};
		GradientScale scale = wide ? gradient_scale(&all, 1, N, true, false) : gradient_counts;
		const float one = 1;
		const float minus_one = -1;
		int64_t		g = wide ? (int64_t) (1 / scale.g_unit) : NARROW_G_MAX;
		int64_t		h = wide ? (int64_t) (1 / scale.h_unit) : NARROW_H_MAX;

		CHECK(!wide || g * N == WIDE_TOTAL);

		for (size_t i = 0; i < N; i++)
		{
			bool		second_bin = i >= N / 2;

			list.rows[i] = second_bin;
			list.first[i] = (int32_t) ((uint32_t) (second_bin ? -g : g) << 16 | (uint32_t) h);
			if (wide)
			{
				memcpy(&list.first[i], second_bin ? &minus_one : &one, sizeof(float));
				memcpy(&list.second[i], &one, sizeof(float));
			}
		}
		/* two threads, in pieces that end anywhere */
		for (size_t begin = 0; begin < N;)
		{
			size_t		end = begin + 100003 < N ? begin + 100003 : N;

			histogram_add(&scratch, begin / 100003 % 2, 0, &scale, &list, begin, end);
			begin = end;
		}
		histogram_collect(&scratch, 0, 2, &feature, cells);
		histogram_collected(&scratch, 0, 2, 0);
		CHECK(cells[0].g == 0 && cells[0].h == 0);
		CHECK(cells[1].g == g * (N / 2) && cells[1].h == h * (N / 2));
		CHECK(cells[2].g == -g * (N / 2) && cells[2].h == h * (N / 2));
		/* and what was collected is gone */
		histogram_collect(&scratch, 0, 2, &feature, cells);
		CHECK(cells[1].g == 0 && cells[1].h == 0);
	}
	arena_free(&arena);
}

int
main(void)
{
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
