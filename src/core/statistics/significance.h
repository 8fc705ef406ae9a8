/*
 * significance.h
 *		What chance alone makes of differences: noise floors, and p of many tests.
 */
#ifndef MLOPS_CORE_SIGNIFICANCE_H
#define MLOPS_CORE_SIGNIFICANCE_H

#include <stddef.h>
#include <stdint.h>

/* How likely a statistic is to be exceeded by chance, with so many degrees of freedom; falls from above `upper` at 0. */
typedef double UpperTail(double statistic, double freedom);

/* The statistic >= 0 that is exceeded with probability `upper`, 0 < upper < 1. */
extern double upper_quantile(UpperTail *tail, double upper, double freedom);

/* The value that chi-square exceeds with probability `upper`, 0 < upper < 1; 0 without degrees of freedom. */
extern double chi2_quantile(double upper, double freedom);

/*
 * What the PSI of a window of m rows against n rows of reference exceeds by
 * chance with probability `upper`: (1/n + 1/m) times the quantile of
 * chi-square, whose freedom is one less than the cells that are not empty.
 */
extern double psi_noise_floor(double n_reference, double n_current, uint32_t cells, double upper);

typedef struct ProportionTest
{
	double		z;				/* > 0: the current share is the lesser */
	double		p_value;		/* two-sided */
} ProportionTest;

/* The two-proportion z test with the pooled share; z 0 and p 1 where the pooled share is 0 or 1. */
extern ProportionTest test_two_proportions(double hits_reference, double n_reference, double hits_current, double n_current);

/*
 * Adjusts the p of n tests for their number, in place, so that rejecting those
 * at most alpha keeps the false discovery rate at alpha (Benjamini & Hochberg
 * 1995).  NaN is no test, and stays.  `order` has room for n numbers.
 */
extern void adjust_p_values(double *p, size_t n, size_t *order);

#endif
