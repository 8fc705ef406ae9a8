/*
 * quadrature.c
 *		Gauss-Legendre quadrature on the interval from 0 to 1.
 *
 * The nodes are the roots of the Legendre polynomial, by Newton's method from
 * Tricomi's approximation; the polynomial and its derivative follow from the
 * three-term recurrence (Press et al., Numerical Recipes, 4.6).
 */
#include "quadrature.h"

#include <math.h>

#define NEWTON_STEPS	100		/* four or five do */
#define PI				3.14159265358979323846

/* The Legendre polynomial of degree n at x in (-1, 1); *slope: its derivative there. */
static double
legendre(uint32_t n, double x, double *slope)
{
	double		before = 0;
	double		value = 1;

	for (uint32_t j = 0; j < n; j++)
	{
		double		next = ((2.0 * j + 1) * x * value - j * before) / (j + 1);

		before = value;
		value = next;
	}
	*slope = n * (x * value - before) / (x * x - 1);
	return value;
}

void
quadrature_points(uint32_t n, double *nodes, double *weights)
{
	for (uint32_t i = 0; i < (n + 1) / 2; i++)
	{
		double		x = cos(PI * (i + 0.75) / (n + 0.5));
		double		slope;

		for (int step = 0; step < NEWTON_STEPS; step++)
		{
			double		change = legendre(n, x, &slope) / slope;

			x -= change;
			if (fabs(change) < 1e-15)
				break;
		}
		legendre(n, x, &slope);

		/* from (-1, 1) to (0, 1); the roots lie on both sides of the middle */
		nodes[i] = (1 - x) / 2;
		nodes[n - 1 - i] = (1 + x) / 2;
		weights[i] = weights[n - 1 - i] = 1 / ((1 - x * x) * slope * slope);
	}
}
