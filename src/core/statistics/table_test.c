/*
 * table_test.c
 *		Tests of independence on the 2 x n table of two samples' counts.
 */
#include "distance.h"

#include <math.h>
#include <string.h>

/* Lower regularised gamma by its series, for x < a + 1 (Abramowitz & Stegun 6.5.29). */
static double
gamma_lower_series(double a, double x)
{
	double		term = 1 / a;
	double		sum = term;

	for (double k = a + 1; term > sum * 1e-17; k++)
	{
		term *= x / k;
		sum += term;
	}
	return sum * exp(a * log(x) - x - lgamma(a));
}

/* Upper regularised gamma by its continued fraction (6.5.31), evaluated as Lentz does. */
static double
gamma_upper_fraction(double a, double x)
{
	const double tiny = 1e-300;
	double		b = x + 1 - a;
	double		c = 1 / tiny;
	double		d = 1 / b;
	double		h = d;

	for (int i = 1; i < 10000; i++)
	{
		double		an = i * (a - i);
		double		step;

		b += 2;
		d = an * d + b;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = b + an / c;
		c = fabs(c) < tiny ? tiny : c;
		step = d * c;
		h *= step;
		if (fabs(step - 1) < 1e-16)
			break;
	}
	return h * exp(a * log(x) - x - lgamma(a));
}

/* Upper tail of chi-square. */
double
chi2_upper(double statistic, double freedom)
{
	double		a = freedom / 2;
	double		x = statistic / 2;

	if (!(freedom > 0) || !(statistic > 0))
		return 1;
	if (isinf(statistic))
		return 0;
	return x < a + 1 ? 1 - gamma_lower_series(a, x) : gamma_upper_fraction(a, x);
}

/* The least expected count of a cell. */
static double
least_expected_count(const CellCounts *counts, uint32_t i)
{
	double		column = counts->reference[i] + counts->current[i];

	return column * fmin(counts->n_reference, counts->n_current) / (counts->n_reference + counts->n_current);
}

/* Moves cell i into cell `into`; the last cell takes its place. */
static void
join_cells(CellCounts *counts, uint32_t i, uint32_t into)
{
	counts->reference[into] += counts->reference[i];
	counts->current[into] += counts->current[i];
	counts->n--;
	counts->reference[i] = counts->reference[counts->n];
	counts->current[i] = counts->current[counts->n];
}

/* The two cells with the least counts, the least first; n >= 2. */
static void
two_least(const CellCounts *counts, uint32_t *least, uint32_t *next)
{
	*least = least_expected_count(counts, 1) < least_expected_count(counts, 0);
	*next = !*least;
	for (uint32_t i = 2; i < counts->n; i++)
	{
		double		count = least_expected_count(counts, i);

		if (count < least_expected_count(counts, *least))
		{
			*next = *least;
			*least = i;
		}
		else if (count < least_expected_count(counts, *next))
			*next = i;
	}
}

/* The cells, those of too few pooled: the two least, until none is too small. */
static CellCounts
pool_cells(const CellCounts *counts, double least_expected)
{
	CellCounts	pooled = *counts;

	for (uint32_t i = 0; i < pooled.n;)
	{
		if (pooled.reference[i] + pooled.current[i] == 0)
			join_cells(&pooled, i, i == 0 ? pooled.n - 1 : 0);
		else
			i++;
	}
	while (pooled.n > 1)
	{
		uint32_t	least;
		uint32_t	next;

		two_least(&pooled, &least, &next);
		if (least_expected_count(&pooled, least) >= least_expected)
			break;
		join_cells(&pooled, least, next);
	}
	return pooled;
}

/* One cell's part of Pearson's statistic. */
static double
pearson(double observed, double expected, double correction)
{
	double		difference = fmax(fabs(observed - expected) - correction, 0);

	return difference * difference / expected;
}

static double
likelihood(double observed, double expected)
{
	return observed > 0 ? 2 * observed * log(observed / expected) : 0;
}

/* Either test. */
static TableTest
test_table(const CellCounts *counts, double least_expected, bool yates, bool ratio)
{
	CellCounts	cells = pool_cells(counts, least_expected);
	TableTest	test = {0, cells.n > 1 ? cells.n - 1 : 0, 1};
	double		total = cells.n_reference + cells.n_current;

	for (uint32_t i = 0; i < cells.n && cells.n > 1; i++)
	{
		double		column = cells.reference[i] + cells.current[i];
		double		expected = column * cells.n_reference / total;
		double		expected_current = column * cells.n_current / total;
		double		correction = yates && cells.n == 2 ? fmin(0.5, fabs(cells.reference[i] - expected)) : 0;

		test.statistic += ratio
			? likelihood(cells.reference[i], expected) + likelihood(cells.current[i], expected_current)
			: pearson(cells.reference[i], expected, correction) + pearson(cells.current[i], expected_current, correction);
	}
	test.p_value = chi2_upper(test.statistic, test.freedom);
	return test;
}

/* Pearson's chi-square. */
TableTest
test_chi2(const CellCounts *counts, double least_expected, bool yates)
{
	return test_table(counts, least_expected, yates, false);
}

/* The likelihood ratio G. */
TableTest
test_g(const CellCounts *counts, double least_expected)
{
	return test_table(counts, least_expected, false, true);
}

/* Cramer's V of a 2 x n table, corrected for bias. */
double
distance_cramers_v(const CellCounts *counts, bool yates)
{
	TableTest	test = test_chi2(counts, 0, yates);
	double		rows = counts->n_reference + counts->n_current;
	double		columns = test.freedom + 1;
	double		phi2 = fmax(0, test.statistic / rows - test.freedom / (rows - 1));
	double		fewer_rows = 2 - 1 / (rows - 1);
	double		fewer_columns = columns - test.freedom * test.freedom / (rows - 1);
	double		least = fmin(fewer_rows, fewer_columns) - 1;

	return test.freedom > 0 && least > 0 ? sqrt(phi2 / least) : 0;
}
