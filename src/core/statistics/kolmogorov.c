/*
 * kolmogorov.c
 *		p-values of the two-sample Kolmogorov-Smirnov statistic.
 */
#include "distance.h"

#include <math.h>
#include <stdlib.h>

#define EXACT_ROWS	10000		/* of either sample, as scipy has it */
#define EXACT_WORK	2e7			/* lattice points that are visited at most */

static uint64_t
common_divisor(uint64_t a, uint64_t b)
{
	while (b != 0)
	{
		uint64_t	rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/*
 * Upper tail of the limit distribution: two series, of which one converges at
 * once (Kolmogorov 1933; the other by the theta function's transformation).
 */
double
kolmogorov_upper(double lambda)
{
	double		sum = 0;

	if (!(lambda > 0))
		return 1;
	if (lambda < 1.18)
	{
		for (int k = 1; k <= 9; k += 2)
			sum += exp(-k * k * M_PI * M_PI / (8 * lambda * lambda));
		return 1 - sqrt(2 * M_PI) / lambda * sum;
	}
	for (int k = 1; k <= 9; k++)
		sum += (k % 2 == 1 ? 2 : -2) * exp(-2.0 * k * k * lambda * lambda);
	return sum;
}

/* n and m of a statistic as whole steps: |i * m - j * n| / g >= steps lies outside. */
static uint64_t
statistic_steps(double d, uint64_t n, uint64_t m, uint64_t g)
{
	return (uint64_t) llround(d * ((double) n / (double) g) * (double) m);
}

/*
 * Exact: the share of the orders of n + m values, all equally likely, whose path over the lattice
 * leaves the band.  A path at (i, j) came from (i - 1, j) with probability
 * i / (i + j), so that h(i, j), the probability that it has left the band by
 * then, is a mean of its two neighbours; sums of positive terms only, so that small p
 * keep their digits.  Points outside the band have h = 1, and are not visited.
 * NaN without memory.
 */
double
ks_p_exact(double d, uint64_t n, uint64_t m)
{
	uint64_t	g = common_divisor(n, m);
	int64_t		steps = (int64_t) statistic_steps(d, n, m, g);
	int64_t		step_i = (int64_t) (m / g);
	int64_t		step_j = (int64_t) (n / g);
	double	   *left = malloc((m + 1) * sizeof(double));

	if (left == NULL)
		return NAN;
	if (steps <= 0)
	{
		free(left);
		return 1;
	}
	for (uint64_t j = 0; j <= m; j++)
		left[j] = (int64_t) j * step_j >= steps ? 1 : 0;
	for (uint64_t i = 1; i <= n; i++)
	{
		int64_t		at = (int64_t) i * step_i;
		int64_t		first = at - steps < 0 ? 0 : (at - steps) / step_j + 1;	/* least j with at - j * step_j < steps */
		int64_t		end = (at + steps + step_j - 1) / step_j;	/* least j with j * step_j - at >= steps */

		if (end > (int64_t) m + 1)
			end = (int64_t) m + 1;
		if (first > 0)
			left[first - 1] = 1;
		if (first == 0)
			first = 1;			/* h(i, 0) stays what it was: inside, it came from inside */
		for (int64_t j = first; j < end; j++)
			left[j] = ((double) i * left[j] + (double) j * left[j - 1]) / (double) ((int64_t) i + j);
		if (end <= (int64_t) m)
			left[end] = 1;
	}

	double		p = left[m];

	free(left);
	return p;
}

/* The p-value. */
double
ks_p_value(double d, uint64_t n, uint64_t m)
{
	if (isnan(d) || n == 0 || m == 0)
		return NAN;
	if (n <= EXACT_ROWS && m <= EXACT_ROWS && 2 * d * (double) n * (double) m <= EXACT_WORK)
	{
		double		p = ks_p_exact(d, n, m);

		if (!isnan(p))
			return p;
	}

	double		e = (double) n / ((double) n + (double) m) * (double) m;

	return kolmogorov_upper((sqrt(e) + 0.12 + 0.11 / sqrt(e)) * d);
}
