/*
 * distance.c
 *		Distances between the probabilities of cells.
 */
#include "distance.h"

#include <math.h>

/* Of two arrays of counts. */
CellCounts
cells_of(const double *reference, const double *current, uint32_t n)
{
	CellCounts	counts = {.n = n};

	for (uint32_t i = 0; i < n; i++)
	{
		counts.reference[i] = reference[i];
		counts.current[i] = current[i];
		counts.n_reference += reference[i];
		counts.n_current += current[i];
	}
	return counts;
}

/* The two probabilities of a cell, smoothed. */
static void
probabilities(const CellCounts *counts, Smoothing smoothing, uint32_t i, double *p, double *q)
{
	double		added = smoothing.smoothing * counts->n;

	*p = (counts->reference[i] + smoothing.smoothing) / (counts->n_reference + added);
	*q = (counts->current[i] + smoothing.smoothing) / (counts->n_current + added);
	*p = *p == 0 ? smoothing.epsilon : *p;
	*q = *q == 0 ? smoothing.epsilon : *q;
}

/* Population stability index: symmetric, infinite where a cell is empty on one side. */
double
distance_psi(const CellCounts *counts, Smoothing smoothing)
{
	double		sum = 0;

	for (uint32_t i = 0; i < counts->n; i++)
	{
		double		p;
		double		q;

		probabilities(counts, smoothing, i, &p, &q);
		if (p != q)
			sum += (q - p) * log(q / p);
	}
	return sum;
}

/* Kullback-Leibler divergence of the reference from the current one. */
double
distance_kl(const CellCounts *counts, Smoothing smoothing)
{
	double		sum = 0;

	for (uint32_t i = 0; i < counts->n; i++)
	{
		double		p;
		double		q;

		probabilities(counts, smoothing, i, &p, &q);
		if (p > 0)
			sum += p * log(p / q);
	}
	return sum;
}

/* Jensen-Shannon divergence, in bits: 0 to 1. */
double
distance_js_divergence_bits(const CellCounts *counts)
{
	double		sum = 0;

	for (uint32_t i = 0; i < counts->n; i++)
	{
		double		p = counts->reference[i] / counts->n_reference;
		double		q = counts->current[i] / counts->n_current;
		double		middle = (p + q) / 2;

		sum += p > 0 ? p * log2(p / middle) / 2 : 0;
		sum += q > 0 ? q * log2(q / middle) / 2 : 0;
	}
	return fmax(sum, 0);
}

/* Jensen-Shannon distance, base 2: 0 to 1. */
double
distance_js_base2(const CellCounts *counts)
{
	return sqrt(distance_js_divergence_bits(counts));
}

double
distance_hellinger(const CellCounts *counts)
{
	double		sum = 0;

	for (uint32_t i = 0; i < counts->n; i++)
	{
		double		difference = sqrt(counts->reference[i] / counts->n_reference) - sqrt(counts->current[i] / counts->n_current);

		sum += difference * difference;
	}
	return sqrt(sum / 2);
}

double
distance_total_variation(const CellCounts *counts)
{
	double		sum = 0;

	for (uint32_t i = 0; i < counts->n; i++)
		sum += fabs(counts->reference[i] / counts->n_reference - counts->current[i] / counts->n_current);
	return sum / 2;
}

double
distance_l_inf(const CellCounts *counts)
{
	double		most = 0;

	for (uint32_t i = 0; i < counts->n; i++)
		most = fmax(most, fabs(counts->reference[i] / counts->n_reference - counts->current[i] / counts->n_current));
	return most;
}
