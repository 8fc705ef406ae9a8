/*
 * test_distance.c
 *		Distances against published and computed vectors, and against scipy.
 */
#include "check.h"
#include "core/statistics/distance.h"
#include "fixtures/distance.h"
#include "support_profile.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const Smoothing plain = {0, 0};
static const Smoothing jeffreys = {0.5, 0};

/* Equal to nine digits, however small. */
#define CHECK_DIGITS(a, b) CHECK_NEAR((a), (b), 1e-9 * fabs(b))

static CellCounts
match(const Distribution *reference, const Distribution *current)
{
	CellCounts	counts = {0};
	Error		error;

	CHECK_OK(cells_match(&counts, reference, current, test_memory, &error), &error);
	return counts;
}

/* Two samples of categories that share their cells. */
static void
test_same_categories(void)
{
	const char *texts[] = {"a", "b", "c", "d"};
	Distribution r = distribution_of_texts(texts, (int[]) {40, 30, 20, 10}, 4);
	Distribution c = distribution_of_texts(texts, (int[]) {30, 30, 25, 15}, 4);
	CellCounts	counts = match(&r, &c);
	CellCounts	back = match(&c, &r);

	CHECK(counts.n == 4);
	CHECK_NEAR(distance_psi(&counts, plain), .060198640216296805, 1e-9);
	CHECK_NEAR(distance_kl(&counts, plain), .02989760790705423, 1e-9);
	CHECK_NEAR(distance_kl(&back, plain), .030301032309242568, 1e-9);
	CHECK_NEAR(distance_js_divergence_bits(&counts), .010809214617578495, 1e-9);
	CHECK_NEAR(distance_js_base2(&counts), .10396737285119001, 1e-9);
	CHECK_NEAR(distance_hellinger(&counts), .08665191052184985, 1e-9);
	CHECK_NEAR(distance_total_variation(&counts), .1, 1e-9);
	CHECK_NEAR(distance_l_inf(&counts), .1, 1e-9);
	CHECK_NEAR(test_chi2(&counts, 5, false).statistic, 2.984126984126984, 1e-9);
	CHECK_SAME(test_chi2(&counts, 5, false).freedom, 3);
	CHECK_DIGITS(test_chi2(&counts, 5, false).p_value, .39407896313656443);
	CHECK_NEAR(test_g(&counts, 5).statistic, 2.9969506544967253, 1e-9);
	CHECK_DIGITS(test_g(&counts, 5).p_value, .3920955643480888);
	distribution_free(&r, test_memory);
	distribution_free(&c, test_memory);
}

/* A category that vanished and one that is new. */
static void
test_other_categories(void)
{
	Distribution r = distribution_of_texts((const char *[]) {"a", "b", "c", "d"}, (int[]) {40, 30, 20, 10}, 4);
	Distribution c = distribution_of_texts((const char *[]) {"a", "b", "c", "e"}, (int[]) {30, 30, 25, 15}, 4);
	CellCounts	counts = match(&r, &c);

	CHECK(counts.n == 5);
	CHECK_NEAR(distance_psi(&counts, (Smoothing) {0, 1e-6}), 2.9789530859536324, 1e-9);
	CHECK_NEAR(distance_psi(&counts, (Smoothing) {0, 1e-4}), 1.8262618732060405, 1e-9);
	CHECK_NEAR(distance_psi(&counts, (Smoothing) {0, 1e-2}), .626285071334662, 1e-9);
	CHECK_NEAR(distance_psi(&counts, jeffreys), .8378736895571003, 1e-9);
	CHECK_SAME(distance_psi(&counts, plain), INFINITY);
	CHECK_NEAR(distance_js_base2(&counts), .363562977934239, 1e-9);
	CHECK_NEAR(distance_js_divergence_bits(&counts), .13217803892441207, 1e-9);
	CHECK_NEAR(distance_hellinger(&counts), .36053160851199384, 1e-9);
	CHECK_NEAR(distance_total_variation(&counts), .2, 1e-9);
	CHECK_NEAR(distance_l_inf(&counts), .15, 1e-9);
	CHECK_NEAR(test_chi2(&counts, 5, false).statistic, 26.984126984126984, 1e-9);
	CHECK_SAME(test_chi2(&counts, 5, false).freedom, 4);
	CHECK_DIGITS(test_chi2(&counts, 5, false).p_value, 2.00263362557564e-05);
	distribution_free(&r, test_memory);
	distribution_free(&c, test_memory);
}

/* Numbers 1 to 6 with these counts. */
static void
test_discrete_numbers(void)
{
	const double values[] = {1, 2, 3, 4, 5, 6};
	Distribution r = distribution_of_counts(values, (int[]) {16, 18, 16, 14, 12, 12}, 6);
	Distribution c = distribution_of_counts(values, (int[]) {16, 16, 16, 16, 16, 8}, 6);
	CellCounts	counts = match(&r, &c);
	RankDistances ranks = rank_distances_of(&r, &c);

	CHECK(counts.n == 6);
	CHECK_NEAR(distance_hellinger(&counts), .06812774370983354, 1e-9);
	CHECK_NEAR(test_chi2(&counts, 5, false).statistic, 1.6224089635854342, 1e-9);
	CHECK_DIGITS(test_chi2(&counts, 5, false).p_value, .8985262394026607);
	CHECK_NEAR(distance_psi(&counts, plain), .037218381577290835, 1e-9);
	CHECK_NEAR(distance_js_base2(&counts), .08173421330573757, 1e-9);
	CHECK_NEAR(distance_total_variation(&counts), .06818181818181819, 1e-9);
	CHECK_NEAR(ranks.ks, 4.0 / 88, 1e-9);
	CHECK_NEAR(ranks.wasserstein, 8.0 / 88, 1e-9);
	distribution_free(&r, test_memory);
	distribution_free(&c, test_memory);
}

/* Cells given from outside: deciles of 1 to 1000 with open ends, against 101 to 1100. */
static void
test_given_cells(void)
{
	double		r[10];
	double		c[10];

	for (int i = 0; i < 10; i++)
	{
		r[i] = 100;
		c[i] = i == 0 ? 0 : i == 9 ? 200 : 100;
	}

	CellCounts	counts = cells_of(r, c, 10);

	CHECK_NEAR(distance_psi(&counts, (Smoothing) {0, 1e-4}), .7593994704263101, 1e-9);
	CHECK_NEAR(distance_psi(&counts, (Smoothing) {0, 1e-6}), 1.2205957516275525, 1e-9);
	CHECK_NEAR(distance_js_base2(&counts), .2495107710938078, 1e-9);
	CHECK_NEAR(distance_hellinger(&counts), .24203025381693608, 1e-9);
}

/* Examples of scipy's, TensorFlow Data Validation's, NannyML's and Deepchecks' own tests. */
static void
test_published(void)
{
	CellCounts	counts = cells_of((double[]) {1, 0}, (double[]) {.5, .5}, 2);

	CHECK_NEAR(distance_js_base2(&counts), .5579230452841438, 1e-9);
	CHECK_NEAR(distance_js_base2(&counts) * sqrt(M_LN2), .46450140402245893, 1e-9);
	counts = cells_of((double[]) {1, 0, 0}, (double[]) {0, 1, 0}, 3);
	CHECK_NEAR(distance_js_base2(&counts), 1, 1e-9);
	counts = cells_of((double[]) {10, 10, 20}, (double[]) {20, 20, 20}, 3);
	CHECK_NEAR(test_chi2(&counts, 5, false).statistic, 2.7777777777777777, 1e-9);
	CHECK_DIGITS(test_chi2(&counts, 5, false).p_value, .24935220877729622);
	CHECK_SAME(test_chi2(&counts, 5, false).freedom, 2);

	/* TensorFlow Data Validation: equal mass within their cells */
	counts = cells_of((double[]) {2, 2, 0, 0}, (double[]) {0, 1, 1, 2}, 4);
	CHECK_NEAR(distance_js_divergence_bits(&counts), .65563906222, 1e-9);
	counts = cells_of((double[]) {.1, .9}, (double[]) {.3, .7}, 2);
	CHECK_NEAR(distance_l_inf(&counts), .2, 1e-9);
	counts = cells_of((double[]) {0, .9, .1}, (double[]) {.3, .7, 0}, 3);
	CHECK_NEAR(distance_l_inf(&counts), .3, 1e-9);

	Distribution r = distribution_of((double[]) {1, 1, 1, NAN}, 4);
	Distribution c = distribution_of((double[]) {1, 1, 1, 1}, 4);

	counts = match(&r, &c);
	CHECK_NEAR(distance_js_divergence_bits(&counts), .13792538096, 1e-9);
	distribution_free(&r, test_memory);
	distribution_free(&c, test_memory);

	r = distribution_of_texts((const char *[]) {"b", "a", "c"}, (int[]) {2, 2, 1}, 3);
	c = distribution_of_texts((const char *[]) {"a", "Z", "Y", "X"}, (int[]) {2, 1, 1, 1}, 4);
	counts = match(&r, &c);
	CHECK_NEAR(distance_js_divergence_bits(&counts), .6, 1e-9);
	distribution_free(&r, test_memory);
	distribution_free(&c, test_memory);

	r = distribution_of_texts((const char *[]) {"a", "b", "c"}, (int[]) {2, 2, 2}, 3);
	c = distribution_of_texts((const char *[]) {"a", "b", "c", "d"}, (int[]) {2, 2, 2, 1}, 4);
	counts = match(&r, &c);
	CHECK_NEAR(distance_l_inf(&counts), 1.0 / 7, 1e-9);
	distribution_free(&c, test_memory);
	c = distribution_of_texts((const char *[]) {"b"}, (int[]) {5}, 1);
	counts = match(&r, &c);
	CHECK_NEAR(distance_l_inf(&counts), 2.0 / 3, 1e-9);
	distribution_free(&r, test_memory);
	distribution_free(&c, test_memory);

	/* Deepchecks corrects by Yates */
	counts = cells_of((double[]) {200, 800}, (double[]) {400, 600}, 2);
	CHECK_NEAR(distance_cramers_v(&counts, true), .2160257918350864, 1e-9);
	CHECK_NEAR(test_chi2(&counts, 5, true).statistic, 94.28809523809524, 1e-9);
	CHECK_NEAR(test_chi2(&counts, 5, false).statistic, 95.23809523809524, 1e-9);
}

static void
test_ranks(void)
{
	Distribution r = distribution_of_range(1, 100);
	Distribution c = distribution_of_range(51, 150);
	RankDistances ranks = rank_distances_of(&r, &c);

	CHECK_NEAR(ranks.ks, .5, 1e-12);
	CHECK_DIGITS(ks_p_value(ranks.ks, 100, 100), 1.0024645454361508e-11);
	CHECK_DIGITS(kolmogorov_upper(sqrt(50) * ranks.ks), 2.7775887729927942e-11);
	CHECK_NEAR(ranks.wasserstein, 50, 1e-9);
	CHECK_NEAR(moments_population_deviation(&r.moments), 28.86607004772212, 1e-9);
	CHECK_NEAR(distance_in_deviations(ranks.wasserstein, &r), 1.7321374166049877, 1e-9);
	CHECK_NEAR(distance_mean_shift(&r, &c), 1.7321374166049877, 1e-9);
	CHECK_NEAR(ranks.energy, 6.455230437405005, 1e-9);
	distribution_free(&r, test_memory);
	distribution_free(&c, test_memory);

	r = distribution_of_range(1, 1000);
	c = distribution_of_range(51, 550);
	ranks = rank_distances_of(&r, &c);
	CHECK_NEAR(ranks.ks, .45, 1e-12);
	CHECK_DIGITS(ks_p_value(ranks.ks, 1000, 500), 2.678759238691722e-61);
	CHECK_NEAR(ranks.wasserstein, 205, 1e-9);
	distribution_free(&r, test_memory);
	distribution_free(&c, test_memory);

	r = distribution_of_range(1, 1000);
	c = distribution_of_range(101, 1100);
	ranks = rank_distances_of(&r, &c);
	CHECK_NEAR(ranks.ks, .1, 1e-12);
	CHECK_NEAR(distance_in_deviations(ranks.wasserstein, &r), .3464103347189862, 1e-9);
	distribution_free(&r, test_memory);
	distribution_free(&c, test_memory);

	r = distribution_of_range(1, 5);
	c = distribution_of_range(3, 7);
	ranks = rank_distances_of(&r, &c);
	CHECK_NEAR(ranks.ks, .4, 1e-12);
	CHECK_DIGITS(ks_p_value(ranks.ks, 5, 5), .873015873015873);
	CHECK_NEAR(ranks.wasserstein, 2, 1e-9);
	distribution_free(&r, test_memory);
	distribution_free(&c, test_memory);

	/* ties */
	r = distribution_of_counts((double[]) {0, 1, 2, 3}, (int[]) {500, 300, 150, 50}, 4);
	c = distribution_of_counts((double[]) {0, 1, 2, 3, 4}, (int[]) {200, 150, 90, 50, 10}, 5);
	ranks = rank_distances_of(&r, &c);
	CHECK_NEAR(ranks.ks, .1, 1e-12);
	CHECK_DIGITS(ks_p_value(ranks.ks, 1000, 500), .002472838872061108);
	CHECK_NEAR(ranks.wasserstein, .29, 1e-9);
	distribution_free(&r, test_memory);
	distribution_free(&c, test_memory);

	ranks = rank_distances((double[]) {0, 1, 3}, 3, (double[]) {5, 6, 8}, 3);
	CHECK_NEAR(ranks.wasserstein, 5, 1e-9);
	ranks = rank_distances((double[]) {0, 0, 0, 1}, 4, (double[]) {0, 1}, 2);
	CHECK_NEAR(ranks.wasserstein, .25, 1e-9);
}

/* The limit distribution and the tail of chi-square at known places. */
static void
test_tails(void)
{
	CHECK_DIGITS(kolmogorov_upper(.5), .9639452436648751);
	CHECK_DIGITS(kolmogorov_upper(1), .26999967167735456);
	CHECK_DIGITS(kolmogorov_upper(1.3580986393225507), .05);
	CHECK_DIGITS(kolmogorov_upper(1.6276236115189504), .01);
	CHECK_DIGITS(kolmogorov_upper(2), 6.709252557796953e-4);
	CHECK_NEAR(kolmogorov_upper(1.1799999), kolmogorov_upper(1.1800001), 1e-6);
	CHECK_DIGITS(chi2_upper(16.918977604620448, 9), .05);
	CHECK_DIGITS(chi2_upper(100, 10), 5.4497019829205215e-17);
	CHECK_SAME(chi2_upper(0, 3), 1);
	CHECK_SAME(chi2_upper(INFINITY, 3), 0);
}

/* Samples of different sizes and shapes, as scipy judges them. */
static void
test_against_scipy(void)
{
	for (size_t i = 0; i < N(distance_cases); i++)
	{
		const DistanceCase *expected = &distance_cases[i];
		Distribution r = distribution_of(expected->reference, (size_t) expected->n);
		Distribution c = distribution_of(expected->current, (size_t) expected->m);
		RankDistances ranks = rank_distances_of(&r, &c);

		CHECK_NEAR(ranks.ks, expected->ks, 1e-9);
		CHECK_DIGITS(ks_p_value(ranks.ks, (uint64_t) expected->n, (uint64_t) expected->m), expected->p);
		CHECK_NEAR(ranks.wasserstein, expected->wasserstein, 1e-9);
		CHECK_NEAR(ranks.energy, expected->energy, 1e-9);
		CHECK_NEAR(moments_deviation(&r.moments), expected->deviation, 1e-9);
		CHECK_NEAR(sqrt(r.moments.n) * r.moments.m3 / pow(r.moments.m2, 1.5), expected->skewness, 1e-9);
		CHECK_NEAR(r.moments.n * r.moments.m4 / (r.moments.m2 * r.moments.m2), expected->kurtosis, 1e-9);
		for (size_t q = 0; q < N(expected->quantiles); q++)
			CHECK_NEAR(distribution_quantile(&r, (double) q / (N(expected->quantiles) - 1)), expected->quantiles[q], 1e-9);
		distribution_free(&r, test_memory);
		distribution_free(&c, test_memory);
	}
	for (size_t i = 0; i < N(table_cases); i++)
	{
		const TableCase *expected = &table_cases[i];
		CellCounts	counts = cells_of(expected->reference, expected->current, (uint32_t) expected->n);

		CHECK_NEAR(test_chi2(&counts, 0, false).statistic, expected->chi2, 1e-9);
		CHECK_DIGITS(test_chi2(&counts, 0, false).p_value, expected->chi2_p);
		CHECK_NEAR(test_g(&counts, 0).statistic, expected->g, 1e-9);
		CHECK_DIGITS(test_g(&counts, 0).p_value, expected->g_p);
		CHECK_NEAR(distance_js_base2(&counts), expected->js, 1e-9);
	}
}

/* Of few expected counts, tests pool cells; with one cell left there is nothing to test. */
static void
test_pooling(void)
{
	CellCounts	counts = cells_of((double[]) {500, 3, 1, 2, 0}, (double[]) {400, 2, 2, 1, 0}, 5);
	CellCounts	pooled = cells_of((double[]) {500, 6}, (double[]) {400, 5}, 2);

	CHECK_NEAR(test_chi2(&counts, 4, false).statistic, test_chi2(&pooled, 0, false).statistic, 1e-12);
	CHECK_SAME(test_chi2(&counts, 4, false).freedom, 1);
	CHECK_SAME(test_chi2(&counts, 0, false).freedom, 3);
	CHECK_SAME(test_chi2(&counts, 5, false).p_value, 1);
	counts = cells_of((double[]) {7}, (double[]) {9}, 1);
	CHECK_SAME(test_chi2(&counts, 5, false).p_value, 1);
	CHECK_SAME(distance_cramers_v(&counts, false), 0);
}

int
main(void)
{
	test_same_categories();
	test_other_categories();
	test_discrete_numbers();
	test_given_cells();
	test_published();
	test_ranks();
	test_tails();
	test_against_scipy();
	test_pooling();
	return check_done();
}
