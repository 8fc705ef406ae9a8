/*
 * test_mathfun.c
 *		exp and log of our own: against libm in long double, at the edges, and bit for bit.
 */
#include "core/link.h"
#include "core/mathfun.h"
#include "check.h"

#define SAMPLES 400000

static uint64_t state = 42;

/* Uniform in 64 bits. */
static uint64_t
random_bits(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Uniform in [low, high). */
static double
random_between(double low, double high)
{
	return low + (high - low) * ((double) (random_bits() >> 11) * 0x1p-53);
}

/* Distance in units of the last place of the true value. */
static double
ulps(double value, long double truth)
{
	double		rounded = (double) truth;

	if (value == rounded || (isnan(value) && isnan(rounded)))
		return 0;
	if (!isfinite(value) || !isfinite(rounded))
		return INFINITY;
	return (double) (fabsl(value - truth) / (nextafter(fabs(rounded), INFINITY) - fabs(rounded)));
}

static void
test_accuracy(void)
{
	double		worst_exp = 0;
	double		worst_log = 0;
	double		worst_log1p = 0;
	double		worst_sigmoid = 0;
	double		worst_softplus = 0;

	for (int i = 0; i < SAMPLES; i++)
	{
		double		x = i % 2 == 0 ? random_between(-750, 715) : random_between(-4, 4);
		double		positive = math_from_bits(random_bits() % UINT64_C(0x7ff0000000000000));	/* all exponents alike */
		double		near_one = i % 2 == 0 ? random_between(0.5, 2) : random_between(-0.999, 3);
		double		small = i % 3 == 0 ? positive : near_one > -1 ? near_one : 0;

		worst_exp = fmax(worst_exp, ulps(math_exp(x), expl(x)));
		worst_log = fmax(worst_log, ulps(math_log(positive), logl(positive)));
		worst_log = fmax(worst_log, ulps(math_log(fabs(near_one)), logl(fabsl(near_one))));
		worst_log1p = fmax(worst_log1p, ulps(math_log1p(small), log1pl(small)));
		if (fabs(x) < 40)
		{
			worst_sigmoid = fmax(worst_sigmoid, ulps(math_sigmoid(x), 1 / (1 + expl(-(long double) x))));
			worst_softplus = fmax(worst_softplus, ulps(math_softplus(x), log1pl(expl(x))));
		}
	}
	CHECK(worst_exp <= 2);
	CHECK(worst_log <= 2);
	CHECK(worst_log1p <= 2);
	CHECK(worst_sigmoid <= 3);
	CHECK(worst_softplus <= 3);
}

static void
test_edges(void)
{
	CHECK_SAME(math_exp(0), 1);
	CHECK_SAME(math_exp(-0.0), 1);
	CHECK_SAME(math_exp(INFINITY), INFINITY);
	CHECK_SAME(math_exp(1e300), INFINITY);
	CHECK_SAME(math_exp(709.79), INFINITY);
	CHECK(isfinite(math_exp(709.78)));
	CHECK_SAME(math_exp(-INFINITY), 0);
	CHECK_SAME(math_exp(-1e300), 0);
	CHECK_SAME(math_exp(-745.2), 0);
	CHECK_SAME(math_exp(-745.1), 0x1p-1074);
	CHECK_SAME(math_exp(NAN), NAN);
	CHECK_SAME(math_log(1), 0);
	CHECK_SAME(math_log(0), -INFINITY);
	CHECK_SAME(math_log(-0.0), -INFINITY);
	CHECK_SAME(math_log(-1), NAN);
	CHECK_SAME(math_log(-INFINITY), NAN);
	CHECK_SAME(math_log(INFINITY), INFINITY);
	CHECK_SAME(math_log(NAN), NAN);
	CHECK_NEAR(math_log(0x1p-1074), -1074 * 0.6931471805599453, 1e-12);
	CHECK_SAME(math_log1p(0), 0);
	CHECK_SAME(math_log1p(1e-300), 1e-300);
	CHECK_SAME(math_log1p(-1), -INFINITY);
	CHECK_SAME(math_log1p(-1.5), NAN);
	CHECK_SAME(math_log1p(INFINITY), INFINITY);
	CHECK_SAME(math_log1p(NAN), NAN);
	CHECK_SAME(math_sigmoid(0), 0.5);
	CHECK_SAME(math_sigmoid(800), 1);
	CHECK_SAME(math_sigmoid(-800), 0);
	CHECK_SAME(math_softplus(800), 800);
	CHECK_SAME(math_softplus(-800), 0);
	CHECK_SAME(math_softplus(INFINITY), INFINITY);
}

static void
test_links(void)
{
	double		out[3] = {1000, 999, -1000};

	link_softmax(out, 3);
	CHECK_NEAR(out[0], 1 / (1 + exp(-1)), 1e-15);
	CHECK_SAME(out[2], 0);
	link_logistic(40, out);
	CHECK_NEAR(out[0], exp(-40), 1e-31);
	CHECK_SAME(out[1], 1);
	link_logistic(-40, out);
	CHECK_NEAR(out[1], exp(-40), 1e-31);
	link_logistic(0, out);
	CHECK_SAME(out[0], 0.5);
	CHECK_SAME(out[1], 0.5);
}

/* The same in vectors of 4 numbers, and one by one. */
#if defined(__x86_64__) && defined(__clang__)
__attribute__((target("avx2")))
#elif defined(__x86_64__)
__attribute__((target("avx2"), optimize("tree-vectorize")))
#endif
static void
fill_wide(double *restrict out, const double *restrict x, int n)
{
	for (int i = 0; i < n; i++)
		out[i] = math_softplus(x[i]) + math_log(math_exp(x[i]) + 1e-3) + math_sigmoid(x[i]);
}

__attribute__((noinline))
static void
fill_narrow(double *out, const double *x)
{
	*out = math_softplus(*x) + math_log(math_exp(*x) + 1e-3) + math_sigmoid(*x);
}

/*
 * Results are bits, not approximations: the sum of the bits of 4096 results
 * is a constant of this project.  Another compiler, machine or vector width
 * must find the same.
 */
static void
test_bits(void)
{
	static double x[4096];
	static double wide[4096];
	static double narrow[4096];
	uint64_t	sum = 0;

	state = 7;
	for (int i = 0; i < 4096; i++)
		x[i] = random_between(-30, 30);
#ifdef __x86_64__
	if (!__builtin_cpu_supports("avx2"))
	{
		CHECK_SKIP("this CPU has no AVX2");
		return;
	}
#endif
	fill_wide(wide, x, 4096);
	for (int i = 0; i < 4096; i++)
	{
		fill_narrow(&narrow[i], &x[i]);
		sum += math_bits(narrow[i]);
	}
	CHECK(memcmp(wide, narrow, sizeof(wide)) == 0);
	CHECK(sum == UINT64_C(0xf04ce1fc4a4f5649));
}

int
main(void)
{
	test_accuracy();
	test_edges();
	test_links();
	test_bits();
	return check_done();
}
