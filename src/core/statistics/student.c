/*
 * student.c
 *		Student's t, by the incomplete beta function (Abramowitz & Stegun 1964, 26.7.1 and 26.5.8).
 */
#include "student.h"

#include <float.h>
#include <math.h>

#include "significance.h"

#define STEPS_MAX 10000

/* The continued fraction of the incomplete beta function, by Lentz's method; fast where x < (a + 1) / (a + b + 2). */
static double
beta_fraction(double a, double b, double x)
{
	double		c = 1;
	double		d = 1 - (a + b) * x / (a + 1);
	double		fraction;

	d = 1 / (fabs(d) < DBL_MIN ? DBL_MIN : d);
	fraction = d;
	for (int m = 1; m <= STEPS_MAX; m++)
	{
		double		even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double		odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double		factor;

		d = 1 + even * d;
		c = 1 + even / c;
		d = 1 / (fabs(d) < DBL_MIN ? DBL_MIN : d);
		c = fabs(c) < DBL_MIN ? DBL_MIN : c;
		fraction *= c * d;

		d = 1 + odd * d;
		c = 1 + odd / c;
		d = 1 / (fabs(d) < DBL_MIN ? DBL_MIN : d);
		c = fabs(c) < DBL_MIN ? DBL_MIN : c;
		factor = c * d;
		fraction *= factor;
		if (fabs(factor - 1) < 2 * DBL_EPSILON)
			break;
	}
	return fraction;
}

/* log gamma(a + 1/2) - log gamma(a); of large a by its expansion, for the difference loses what both have in common. */
static double
half_step(double a)
{
	double		square = a * a;

	if (a < 50)
		return lgamma(a + .5) - lgamma(a);
	return log(a) / 2 - (1 - (1 / 24. - 1 / (80 * square)) / square) / (8 * a);
}

/* The incomplete beta function of a and 1/2 at x; 1 - x is given, too: it may be too small to be had from x. */
static double
incomplete_beta(double a, double x, double rest)
{
	double		front;

	if (x <= 0 || rest <= 0)
		return x <= 0 ? 0 : 1;
	front = exp(half_step(a) + a * (rest < .5 ? log1p(-rest) : log(x)) + log(rest / M_PI) / 2);
	if (x < (a + 1) / (a + 2.5))
		return front * beta_fraction(a, .5, x) / a;
	return 1 - front * beta_fraction(.5, a, rest) / .5;
}

double
student_upper(double t, double freedom)
{
	double		tail;

	if (!(freedom > 0) || isnan(t))
		return NAN;
	if (isinf(t))
		return t > 0 ? 0 : 1;

	/* t * t may be too great for a number */
	double		ratio = fabs(t) / sqrt(freedom);
	double		rest = 1 / (1 + 1 / ratio / ratio);

	tail = incomplete_beta(freedom / 2, 1 / (1 + ratio * ratio), ratio == 0 ? 0 : rest) / 2;
	return t >= 0 ? tail : 1 - tail;
}

double
student_quantile(double upper, double freedom)
{
	if (!(freedom > 0) || !(upper > 0 && upper < 1))
		return NAN;
	if (upper > .5)
		return -student_quantile(1 - upper, freedom);
	return upper_quantile(student_upper, upper, freedom);
}
