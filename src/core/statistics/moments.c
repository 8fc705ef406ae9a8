/*
 * moments.c
 *		Count, mean and central moments, merged and taken apart.
 *
 * Formulas of Pebay, "Formulas for robust, one-pass parallel computation of
 * covariances and arbitrary-order statistical moments" (2008), which for the
 * second moment are those of Chan, Golub & LeVeque (1979): nothing cancels as
 * in sums of squares.
 */
#include "distribution.h"

#include <math.h>

/* Adds what was counted apart. */
void
moments_merge(Moments *total, const Moments *part)
{
	if (part->n == 0)
		return;
	if (total->n == 0)
	{
		*total = *part;
		return;
	}

	double		a = total->n;
	double		b = part->n;
	double		n = a + b;
	double		d = part->mean - total->mean;
	double		d_n = d / n;

	total->m4 += part->m4 + d * d_n * d_n * d_n * a * b * (a * a - a * b + b * b) +
		6 * d_n * d_n * (a * a * part->m2 + b * b * total->m2) + 4 * d_n * (a * part->m3 - b * total->m3);
	total->m3 += part->m3 + d * d_n * d_n * a * b * (a - b) + 3 * d_n * (a * part->m2 - b * total->m2);
	total->m2 += part->m2 + d * d_n * a * b;
	total->mean += d_n * b;
	total->n = n;
}

/* Takes away what was counted together: the formulas of moments_merge, solved for one of the parts. */
void
moments_subtract(Moments *total, const Moments *part)
{
	double		a = total->n - part->n;
	double		b = part->n;

	if (b == 0)
		return;
	if (a <= 0)
	{
		*total = (Moments) {0};
		return;
	}

	double		n = total->n;
	double		mean = total->mean + (total->mean - part->mean) * (b / a);
	double		d = part->mean - mean;
	double		d_n = d / n;
	double		m2 = fmax(total->m2 - part->m2 - d * d_n * a * b, 0);
	double		m3 = total->m3 - part->m3 - d * d_n * d_n * a * b * (a - b) - 3 * d_n * (a * part->m2 - b * m2);
	double		m4 = total->m4 - part->m4 - d * d_n * d_n * d_n * a * b * (a * a - a * b + b * b) -
		6 * d_n * d_n * (a * a * part->m2 + b * b * m2) - 4 * d_n * (a * part->m3 - b * m3);

	*total = (Moments) {a, mean, m2, m3, fmax(m4, 0)};
}

/* Standard deviation of a sample. */
double
moments_deviation(const Moments *moments)
{
	return moments->n >= 2 ? sqrt(moments->m2 / (moments->n - 1)) : NAN;
}

/* Standard deviation of a population. */
double
moments_population_deviation(const Moments *moments)
{
	return moments->n >= 1 ? sqrt(moments->m2 / moments->n) : NAN;
}
