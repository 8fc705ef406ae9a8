/*
 * test_significance.c
 *		Quantiles of chi-square, noise floors, tests of proportions, adjusted p.
 */
#include "check.h"

#include <math.h>

#include "core/statistics/significance.h"
#include "core/statistics/student.h"

/* What scipy.stats.chi2.isf() gives. */
static void
test_quantiles(void)
{
	CHECK_NEAR(chi2_quantile(0.05, 9), 16.918977604620448, 1e-12);
	CHECK_NEAR(chi2_quantile(0.01, 9), 21.665994333461924, 1e-12);
	CHECK_NEAR(chi2_quantile(0.01, 1), 6.6348966010212145, 1e-12);
	CHECK_NEAR(chi2_quantile(0.5, 2), 1.3862943611198906, 1e-12);
	CHECK(chi2_quantile(0.05, 0) == 0);
}

/* As simulations of no drift have it (quantile .95 of PSI): 10 cells of samples of 1,000 and of 1,000; of 10,000 and 200 in 20. */
static void
test_floors(void)
{
	CHECK_NEAR(psi_noise_floor(1000, 1000, 10, 0.05), 0.033837955209240896, 1e-12);
	CHECK_NEAR(psi_noise_floor(10000, 200, 20, 0.05), 0.1537319887487954, 1e-12);
	CHECK(psi_noise_floor(1000, 1000, 1, 0.05) == 0);
}

/* 200 of 1,000 and 130 of 500. */
static void
test_proportions(void)
{
	ProportionTest test = test_two_proportions(200, 1000, 130, 500);

	CHECK_NEAR(test.z, -2.6444294267397255, 1e-12);
	CHECK_NEAR(test.p_value, 0.008182876859376994, 1e-12);
	test = test_two_proportions(0, 1000, 0, 500);
	CHECK(test.z == 0 && test.p_value == 1);
	test = test_two_proportions(1000, 1000, 500, 500);
	CHECK(test.p_value == 1);
}

/* The example of Benjamini & Hochberg (1995), in another order, with places that are no test. */
static void
test_adjusting(void)
{
	double		p[] = {0.0298, 0.0001, NAN, 0.0459, 0.0004, 0.7590, 0.0201, 0.0019, 0.5719, 0.0095, 0.3240, 1, 0.0278, 0.4262, 0.0344, NAN, 0.6528};
	size_t		order[sizeof(p) / sizeof(p[0])];
	int			rejected = 0;

	adjust_p_values(p, sizeof(p) / sizeof(p[0]), order);
	for (size_t i = 0; i < sizeof(p) / sizeof(p[0]); i++)
		rejected += p[i] <= 0.05;
	CHECK(rejected == 4);
	CHECK_NEAR(p[9], 0.035625, 1e-12);
	CHECK_NEAR(p[6], 0.0603, 1e-12);
	CHECK_NEAR(p[1], 0.0015, 1e-12);
	CHECK_NEAR(p[11], 1, 1e-12);
	CHECK(isnan(p[2]) && isnan(p[15]));

	/* equal p, one p, none */
	double		equal[] = {0.02, 0.02, 0.02};
	double		one[] = {0.03};

	adjust_p_values(equal, 3, order);
	CHECK(equal[0] == 0.02 && equal[1] == 0.02 && equal[2] == 0.02);
	adjust_p_values(one, 1, order);
	CHECK(one[0] == 0.03);
	adjust_p_values(one, 0, order);
}

/* What scipy.stats.t.sf() and isf() give, to their relative error. */
static void
test_student(void)
{
	static const double tails[][3] = {
		{0, 3, 0.5},
		{0.5, 1, 0.35241638234956674},
		{2, 1, 0.14758361765043326},
		{3, 8, 0.008535840616891326},
		{-1.5, 7, 0.911350756505015},
		{10, 2.5, 0.0022207478836537117},
		{25, 41, 9.679536411458337e-27},
		{0.001, 9, 0.49961196516298667},
		{4.2, 200, 2.0087757452116033e-05},
		{1e8, 3, 1.1026577908435833e-24},
	};
	static const double quantiles[][3] = {
		{0.01, 8, 2.8964594477096224},
		{0.01, 41, 2.4208029917290794},
		{0.0013498980316300933, 7, 4.529973678733427},
		{0.25, 1, 1.0000000000000002},
		{0.9, 5, -1.4758840488244815},
		{0.05, 1e6, 1.6448551507220406},
	};

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		CHECK_NEAR(student_upper(tails[i][0], tails[i][1]) / tails[i][2], 1, 1e-10);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		CHECK_NEAR(student_quantile(quantiles[i][0], quantiles[i][1]) / quantiles[i][2], 1, 1e-10);
	CHECK(student_upper(INFINITY, 3) == 0 && student_upper(-INFINITY, 3) == 1);
	CHECK(isnan(student_upper(1, 0)) && isnan(student_upper(NAN, 3)) && isnan(student_quantile(0, 3)));
}

int
main(void)
{
	test_student();
	test_quantiles();
	test_floors();
	test_proportions();
	test_adjusting();
	return check_done();
}
