/*
 * significance.c
 *		What chance alone makes of differences: noise floors, and p of many tests.
 */
#include "significance.h"

#include <float.h>
#include <math.h>

#include "distance.h"

/* By bisection, the tail being monotone. */
double
upper_quantile(UpperTail *tail, double upper, double freedom)
{
	double		low = 0;
	double		high = 1;

	while (tail(high, freedom) > upper && high < DBL_MAX / 4)
	{
		low = high;
		high *= 2;
	}
	for (;;)
	{
		double		middle = low + (high - low) / 2;

		if (middle <= low || middle >= high)
			return middle;
		if (tail(middle, freedom) > upper)
			low = middle;
		else
			high = middle;
	}
}

/* The value that chi-square exceeds with probability `upper`. */
double
chi2_quantile(double upper, double freedom)
{
	return freedom > 0 ? upper_quantile(chi2_upper, upper, freedom) : 0;
}

/* What PSI exceeds by chance with probability `upper`. */
double
psi_noise_floor(double n_reference, double n_current, uint32_t cells, double upper)
{
	return (1 / n_reference + 1 / n_current) * chi2_quantile(upper, (double) cells - 1);
}

/* The two-proportion z test. */
ProportionTest
test_two_proportions(double hits_reference, double n_reference, double hits_current, double n_current)
{
	double		pooled = (hits_reference + hits_current) / (n_reference + n_current);
	double		variance = pooled * (1 - pooled) * (1 / n_reference + 1 / n_current);
	ProportionTest test = {.p_value = 1};

	if (!(variance > 0))
		return test;
	test.z = (hits_reference / n_reference - hits_current / n_current) / sqrt(variance);
	test.p_value = erfc(fabs(test.z) / sqrt(2));
	return test;
}

/* Moves order[i] down a heap of n whose greatest p is at its top. */
static void
sift_down(const double *p, size_t *order, size_t i, size_t n)
{
	for (;;)
	{
		size_t		child = 2 * i + 1;
		size_t		moved = order[i];

		if (child >= n)
			return;
		if (child + 1 < n && p[order[child + 1]] > p[order[child]])
			child++;
		if (p[order[child]] <= p[moved])
			return;
		order[i] = order[child];
		order[child] = moved;
		i = child;
	}
}

/* Adjusts p for the number of tests, from the greatest down. */
void
adjust_p_values(double *p, size_t n, size_t *order)
{
	size_t		tests = 0;
	double		least = 1;

	for (size_t i = 0; i < n; i++)
	{
		if (!isnan(p[i]))
			order[tests++] = i;
	}
	for (size_t i = tests / 2; i-- > 0;)
		sift_down(p, order, i, tests);

	/* the heap's top is the p of rank `left`; what is adjusted leaves the heap */
	for (size_t left = tests; left > 0; left--)
	{
		size_t		top = order[0];

		least = fmin(least, p[top] * (double) tests / (double) left);
		p[top] = least;
		order[0] = order[left - 1];
		sift_down(p, order, 0, left - 1);
	}
}
