/*
 * mathfun.h
 *		Exponential and logarithm that give the same bits everywhere.
 *
 * libm's results differ between versions and machines, and a gradient that
 * differs in its last bit may end in another tree.  These are polynomials
 * evaluated in a fixed order with nothing but IEEE 754 additions,
 * multiplications and divisions in double, so compilers, vector widths and
 * machines agree, as long as nobody fuses or reorders (-ffp-contract=off, no
 * -fassociative-math).  All are free of branches, so loops over them
 * vectorise.  The error is below 2 units in the last place.
 *
 * Reduction: Cody & Waite, "Software Manual for the Elementary Functions"
 * (1980).  Coefficients: minimax by the algorithm of Remez over the reduced
 * range; relative error 3.6e-18 (exp) and 2.5e-18 (log) before rounding.
 */
#ifndef MLOPS_CORE_MATHFUN_H
#define MLOPS_CORE_MATHFUN_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* clang fuses within an expression by default, where bitcode is compiled for the machine it runs on. */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

/* ln 2 in two parts; the first has 21 zero bits at its end, so that small integers times it are exact. */
#define MATH_LN2_HIGH	0x1.62e42fee00000p-1
#define MATH_LN2_LOW	0x1.a39ef35793c76p-33

#define MATH_MANTISSA	UINT64_C(0x000fffffffffffff)
#define MATH_SQRT_HALF	UINT64_C(0x3fe6a09e667f3bcd)	/* bits of sqrt(1/2) */
#define MATH_ONE		UINT64_C(0x3ff0000000000000)	/* bits of 1 */
#define MATH_2_52		UINT64_C(0x4330000000000000)	/* bits of 2^52 */

static inline uint64_t
math_bits(double x)
{
	uint64_t	bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

static inline double
math_from_bits(uint64_t bits)
{
	double		x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* a where the condition holds, else b: by masks, since compilers keep a branch around what might trap, and branches do not vectorise. */
static inline double
math_select(int condition, double a, double b)
{
	uint64_t	mask = -(uint64_t) condition;

	return math_from_bits((math_bits(a) & mask) | (math_bits(b) & ~mask));
}

/* e^x; 0 and infinity beyond the range of double, NaN for NaN. */
static inline double
math_exp(double x)
{
	const double shifter = 0x1.8p52;	/* adding it rounds to an integer, left in the low bits */

	x = math_select(x > 710.0, 710.0, x);
	x = math_select(x < -746.0, -746.0, x);

	double		shifted = x * 0x1.71547652b82fep+0 + shifter;
	double		k = shifted - shifter;
	double		r = (x - k * MATH_LN2_HIGH) - k * MATH_LN2_LOW;
	double		r2 = r * r;
	double		r4 = r2 * r2;

	/* (e^r - 1 - r) / r^2 */
	double		q01 = 0x1.000000000000ap-1 + r * 0x1.55555555554fap-3;
	double		q23 = 0x1.555555555087cp-5 + r * 0x1.1111111127bebp-7;
	double		q45 = 0x1.6c16c1842a162p-10 + r * 0x1.a01a012a56180p-13;
	double		q67 = 0x1.a0199a0c58aaap-16 + r * 0x1.71df255522282p-19;
	double		q89 = 0x1.28ad72db67022p-22 + r * 0x1.ad7f6b551273cp-26;
	double		q = (q01 + r2 * q23) + r4 * ((q45 + r2 * q67) + r4 * q89);
	double		power = 1.0 + (r + r2 * q);

	/* times 2^k in two steps: 2^k alone may lie outside the range where the result does not */
	uint64_t	exponent = math_bits(shifted) - math_bits(shifter) + 2 * 1023;
	uint64_t	half = (exponent >> 1) & 0x7ff;
	uint64_t	rest = (exponent - half) & 0x7ff;

	return power * math_from_bits(half << 52) * math_from_bits(rest << 52);
}

/* Logarithm of x + tail, where the tail lies below the last place of x: x positive, normal and finite. */
static inline double
math_log_normal(double x, double tail, double exponent_bias)
{
	uint64_t	bits = math_bits(x) + (MATH_ONE - MATH_SQRT_HALF);
	double		k = math_from_bits(MATH_2_52 | (bits >> 52)) - (0x1p52 + exponent_bias);
	double		f = math_from_bits((bits & MATH_MANTISSA) + MATH_SQRT_HALF) - 1.0;
	double		s = f / (2.0 + f);
	double		z = s * s;
	double		z2 = z * z;

	/* log(1 + f) = 2 atanh(s) = 2s + s * series; written around f - f^2/2, whose errors are smaller than those of 2s */
	double		p01 = 0.6666666666666734 + z * 0.3999999999941432;
	double		p23 = 0.2857142874247455 + z * 0.22222198563522214;
	double		p45 = 0.18183564864860705 + z * 0.15314035876562163;
	double		series = z * ((p01 + z2 * p23) + (z2 * z2) * (p45 + z2 * 0.14796105085017378));
	double		half_square = 0.5 * f * f;

	return k * MATH_LN2_HIGH - ((half_square - (s * (half_square + series) + (k * MATH_LN2_LOW + tail / x))) - f);
}

/* Natural logarithm; -infinity for 0, NaN for negative numbers and NaN. */
static inline double
math_log(double x)
{
	int			subnormal = x < 0x1p-1022;
	double		normal = x * math_select(subnormal, 0x1p54, 1.0);
	double		result = math_log_normal(normal, 0.0, math_select(subnormal, 1023.0 + 54.0, 1023.0));

	result = math_select(x == INFINITY, INFINITY, result);
	result = math_select(x == 0.0, -INFINITY, result);
	return math_select(x >= 0.0, result, NAN);
}

/* log(1 + x), exact for small x as well; -infinity for -1, NaN below it. */
static inline double
math_log1p(double x)
{
	double		sum = 1.0 + x;

	/* what the sum lost: exact, by Dekker's two-sum for whichever is larger */
	double		tail = math_select(x > 1.0, 1.0 - (sum - x), x - (sum - 1.0));
	double		result = math_log_normal(sum, tail, 1023.0);

	result = math_select(x == INFINITY, INFINITY, result);
	result = math_select(x == -1.0, -INFINITY, result);
	return math_select(x >= -1.0, result, NAN);
}

/* 1 / (1 + e^-x) */
static inline double
math_sigmoid(double x)
{
	return 1.0 / (1.0 + math_exp(-x));
}

/* log(1 + e^x): the log loss of a score, without overflow. */
static inline double
math_softplus(double x)
{
	return math_select(x > 0.0, x, 0.0) + math_log1p(math_exp(-fabs(x)));
}

#endif
