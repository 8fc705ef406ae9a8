/*
 * distance.h
 *		How far two distributions are apart.
 *
 * Three families.  Those on the probabilities of cells (PSI ... total
 * variation) and the tests on contingency tables need counts of both in the
 * same cells, which cells_match() makes from the reference.  Those on
 * cumulative distributions (Kolmogorov-Smirnov, Wasserstein, energy) merge
 * sorted values: of raw columns, or of two distributions' own cells.
 */
#ifndef MLOPS_CORE_DISTANCE_H
#define MLOPS_CORE_DISTANCE_H

#include "distribution.h"

#define CELLS_MAX 64			/* of one comparison */

/* Cells that every reference has; those of its values follow. */
enum
{
	CELL_BELOW, CELL_ABOVE, CELL_BETWEEN, CELL_NULL, CELL_NOT_FINITE, CELL_OTHER, CELL_FIRST	/* with 50 categories, or 20 values, all fit into CELLS_MAX */
};

/* Counts of a reference and of what is compared with it, in the same cells. */
typedef struct CellCounts
{
	uint32_t	n;				/* cells, none of them empty in both */
	double		n_reference;	/* sums */
	double		n_current;
	double		reference[CELLS_MAX];
	double		current[CELLS_MAX];
} CellCounts;

/*
 * Cells of a reference, and both counted in them.  Numbers: each value with at
 * least a tenth of the reference's finite values has its own cell, with at
 * most 20 distinct ones every value; the rest is cut into cells of equal mass,
 * ten where there is no such value.  Texts: those with at least 1 %, the 50
 * most frequent at most, and one cell for the reference's others.  For values that the reference has
 * not: below its least, above its greatest, between its values.  Then NULL;
 * and NaN with the infinities.  Empty cells are left out.  The cells depend on the
 * reference alone.  ERROR_TYPE where their kinds are not comparable; ERROR_DATA where one has no rows.
 */
extern bool cells_match(CellCounts *counts, const Distribution *reference, const Distribution *current, ProfileMemory memory, Error *error);

/*
 * The counts of a distribution in all cells of a reference, empty ones too:
 * arrays of one reference align.  counts: room for CELLS_MAX.  ERROR_TYPE likewise.
 */
extern bool cells_count(const Distribution *reference, const Distribution *current, double *counts, uint32_t *n, ProfileMemory memory, Error *error);

/* The cell of each of the reference's own, n_cells of them, by its number in those arrays; returns the length of these. */
extern uint32_t cells_group(const Distribution *reference, uint8_t *group);

/* Of two arrays of at most CELLS_MAX counts. */
extern CellCounts cells_of(const double *reference, const double *current, uint32_t n);

/* ---- Probabilities of cells; p: reference, q: current ---- */

/* What is done about empty cells: adds `smoothing` to each count, then takes `epsilon` for probabilities that are 0 (0: leaves them). */
typedef struct Smoothing
{
	double		smoothing;
	double		epsilon;
} Smoothing;

extern double distance_psi(const CellCounts *counts, Smoothing smoothing);	/* sum (q - p) ln(q / p), nats */
extern double distance_kl(const CellCounts *counts, Smoothing smoothing);	/* sum p ln(p / q), nats */
extern double distance_js_divergence_bits(const CellCounts *counts);
extern double distance_js_base2(const CellCounts *counts);	/* its square root */
extern double distance_hellinger(const CellCounts *counts);
extern double distance_total_variation(const CellCounts *counts);
extern double distance_l_inf(const CellCounts *counts);

/* ---- Tests on the 2 x n table of counts ---- */

typedef struct TableTest
{
	double		statistic;
	double		freedom;		/* degrees of it */
	double		p_value;		/* 1 without freedom */
} TableTest;

/*
 * Pearson's chi-square and the likelihood ratio G, in the contingency form,
 * which knows that the reference is a sample, too.  Cells with an expected
 * count below least_expected are pooled.  yates: the correction for 2 x 2.
 */
extern TableTest test_chi2(const CellCounts *counts, double least_expected, bool yates);
extern TableTest test_g(const CellCounts *counts, double least_expected);

/* Cramer's V, corrected for bias (Bergsma 2013). */
extern double distance_cramers_v(const CellCounts *counts, bool yates);

/* Upper tail of chi-square. */
extern double chi2_upper(double statistic, double freedom);

/* ---- Cumulative distributions ---- */

typedef struct RankDistances
{
	double		ks;				/* sup |F - G| */
	double		wasserstein;	/* integral of |F - G|, in the values' unit */
	double		energy;			/* sqrt(2 integral of (F - G)^2) */
} RankDistances;

/* Of two sorted arrays of finite numbers, n > 0 and m > 0. */
extern RankDistances rank_distances(const double *reference, size_t n, const double *current, size_t m);

/* Of the finite values of two distributions of numbers, exact where both have cells of one value; NaN where one has none. */
extern RankDistances rank_distances_of(const Distribution *reference, const Distribution *current);

/*
 * Two-sided p of the two-sample Kolmogorov-Smirnov statistic: exact for samples of
 * at most 10,000 values and statistics that make few lattice points lie
 * inside; otherwise by the limit distribution with Stephens' correction (1970).
 */
extern double ks_p_value(double d, uint64_t n, uint64_t m);
extern double ks_p_exact(double d, uint64_t n, uint64_t m);
extern double kolmogorov_upper(double lambda);

/* (mean of current - mean of reference) / deviation of the reference as a population; 0 / 0 is 0. */
extern double distance_mean_shift(const Distribution *reference, const Distribution *current);

/* Wasserstein distance in deviations of the reference, likewise. */
extern double distance_in_deviations(double distance, const Distribution *reference);

#endif
