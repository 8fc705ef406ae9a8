/*
 * bins.h
 *		Features as bins: what tree algorithms see of the rows.
 *
 * Bin 0 means missing.  Bins of a number are 1 .. n_cuts + 1: x lies in bin b
 * when cuts[b - 2] < x <= cuts[b - 1], so "bin <= b" is "x <= cuts[b - 1]"
 * exactly, in the double arithmetic of prediction.  Bins of a category are
 * the index of its level + 1.
 *
 * Most features have at most 256 bins: a value is one byte.  The bytes are
 * held twice: by column, for whoever looks at one feature of many rows
 * (partition), and by row in groups of up to 32 features, half a cache line,
 * for whoever looks at all features of a row (histograms, walks); with more,
 * the histogram of a group leaves the nearest caches.  Features of more bins
 * are wide: a value is two bytes, held by column only.  Forests, whose nodes
 * look at few features, have no use for rows, and their bins have none.
 */
#ifndef MLOPS_CORE_FIT_BINS_H
#define MLOPS_CORE_FIT_BINS_H

#include "../fit.h"

#define BIN_MISSING		0
#define BINS_MAX		256		/* of a feature that is not wide */
#define WIDE_BINS_MAX	65536
#define GROUP_FEATURES	32
#define WIDE_RUN		32		/* cuts of a wide feature that are compared at once */

typedef struct BinFeature
{
	const FittedColumn *column;
	uint32_t	slot;			/* which of the column's features */
	bool		categorical;
	bool		constant;		/* cannot be split, and has no cells */
	bool		wide;			/* n_bins > BINS_MAX */
	uint32_t	place;			/* among the features that are wide, or not wide, as it is */
	uint32_t	n_bins;			/* bin 0 included */
	uint32_t	n_cuts;			/* numbers only: n_bins - 2, or 0 */
	double	   *cuts;			/* ascending, finite; then infinity, up to BINS_MAX or WIDE_RUN more */
	float	   *float_cuts;		/* not wide: BINS_MAX largest floats <= cuts, then infinity; what float32 columns are compared with */
	double	   *middles;		/* numbers, where they are wanted: the middle of the sampled values in each bin */
	size_t		first_cell;		/* of its n_bins cells in a histogram of all features */
} BinFeature;

/* What is wanted of bins. */
typedef struct BinPlan
{
	size_t		n_rows;			/* of the table from its first on: training rows, and perhaps validation rows */
	uint32_t	max_bin;		/* < WIDE_BINS_MAX */
	bool		by_row;			/* rows as well as columns */
	bool		middles;
} BinPlan;

typedef struct BinGroup
{
	uint32_t	first_place;
	uint32_t	n_features;
	uint32_t	stride;			/* bytes of a row: a power of two >= n_features */
	uint8_t    *rows;
} BinGroup;

typedef struct BinnedMatrix
{
	size_t		n_rows;			/* as planned; row i is that of the table */
	size_t		n_train;
	uint32_t	n_features;
	uint32_t	n_narrow;		/* features that are neither wide nor constant */
	uint32_t	n_wide;
	uint32_t	n_groups;
	BinFeature *features;
	uint32_t   *narrow;			/* numbers of features by place */
	uint32_t   *wide;
	BinGroup   *groups;
	uint8_t    *columns;		/* by place */
	uint16_t   *wide_columns;	/* by place */
	size_t		column_stride;	/* values */
	size_t		n_cells;		/* of a histogram */
	uint32_t	most_bins;		/* of any feature */
} BinnedMatrix;

/* The bins of a feature that is not wide. */
static inline const uint8_t *
bins_column(const BinnedMatrix *bins, const BinFeature *feature)
{
	return bins->columns + (size_t) feature->place * bins->column_stride;
}

/* The bins of a wide feature. */
static inline const uint16_t *
bins_wide_column(const BinnedMatrix *bins, const BinFeature *feature)
{
	return bins->wide_columns + (size_t) feature->place * bins->column_stride;
}

/* The bin of one value. */
static inline uint32_t
bins_at(const BinnedMatrix *bins, size_t row, uint32_t feature)
{
	const BinFeature *f = &bins->features[feature];

	if (f->wide)
		return bins_wide_column(bins, f)[row];

	const BinGroup *group = &bins->groups[f->place / GROUP_FEATURES];

	return group->rows[row * group->stride + f->place % GROUP_FEATURES];
}

/* Finds the cuts on the training rows, and bins the rows of the plan. */
extern bool bins_build(BinnedMatrix *bins, const FitInput *input, const BinPlan *plan, Error *error);

/* Bytes that bins_build() takes at most, beside the positions of the rows. */
extern uint64_t bins_memory(const FittedRecipe *recipe, const BinPlan *plan, int n_threads);

/* Bins of a feature at most, before it was built. */
extern uint32_t bins_at_most(const RecipeColumn *column, uint32_t max_bin);

/* ---- The parts of it ---- */

/* Sets n_bins, n_cuts and cuts (room for max_bin) of a number from a sample of its values; work has room for 2n. */
extern void bins_find_cuts(BinFeature *feature, const double *sample, size_t n, uint32_t max_bin, uint64_t *work);

/* The bins of n numbers of a feature that is not wide. */
extern void bins_search_double(const BinFeature *feature, const double *values, size_t n, uint8_t *out);
extern void bins_search_float(const BinFeature *feature, const float *values, size_t n, uint8_t *out);

/* The same of a wide one; with at most WIDE_RUN * WIDE_RUN cuts, WIDE_RUN infinite ones lie behind them. */
extern void bins_search_wide(const BinFeature *feature, const double *values, size_t n, uint16_t *out);

#endif
