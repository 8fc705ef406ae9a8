/*
 * bins.h
 *		Features as bins: what tree algorithms see of the rows.
 *
 * Every feature has at most 256 bins, so a value is one byte.  Bin 0 means
 * missing.  Bins of a number are 1 .. n_cuts + 1: x lies in bin b when
 * cuts[b - 2] < x <= cuts[b - 1], so "bin <= b" is "x <= cuts[b - 1]" exactly,
 * in the double arithmetic of prediction.  Bins of a category are the index
 * of its level + 1.
 *
 * The bytes are held twice: by column, for whoever looks at one feature of
 * many rows (partition), and by row in groups of up to 64 features, a cache
 * line, for whoever looks at all features of a row (histograms, walks).
 */
#ifndef MLOPS_CORE_FIT_BINS_H
#define MLOPS_CORE_FIT_BINS_H

#include "fit.h"

#define BIN_MISSING		0
#define BINS_MAX		256
#define LEVELS_MAX		(BINS_MAX - 1)
#define GROUP_FEATURES	64

typedef struct BinFeature
{
	const FittedColumn *column;
	uint32_t	slot;			/* which of the column's features */
	bool		categorical;
	uint32_t	n_bins;			/* bin 0 included */
	uint32_t	n_cuts;			/* numbers only: n_bins - 2, or 0 */
	double	   *cuts;			/* ascending, finite */
	float	   *float_cuts;		/* BINS_MAX: largest floats <= cuts, then infinity; what float32 columns are compared with */
	size_t		first_cell;		/* of its n_bins cells in a histogram of all features */
} BinFeature;

typedef struct BinGroup
{
	uint32_t	first_feature;
	uint32_t	n_features;
	uint32_t	stride;			/* bytes of a row: a power of two >= n_features */
	uint8_t    *rows;
} BinGroup;

typedef struct BinnedMatrix
{
	size_t		n_rows;			/* training rows, then validation rows */
	size_t		n_train;
	uint32_t	n_features;
	uint32_t	n_groups;
	BinFeature *features;
	BinGroup   *groups;
	uint8_t    *columns;
	size_t		column_stride;	/* bytes */
	size_t		n_cells;		/* of a histogram */
} BinnedMatrix;

static inline const uint8_t *
bins_column(const BinnedMatrix *bins, uint32_t feature)
{
	return bins->columns + (size_t) feature * bins->column_stride;
}

/* The bin of one value. */
static inline uint8_t
bins_at(const BinnedMatrix *bins, size_t row, uint32_t feature)
{
	const BinGroup *group = &bins->groups[feature / GROUP_FEATURES];

	return group->rows[row * group->stride + feature % GROUP_FEATURES];
}

/*
 * Finds the cuts on the training rows and bins training and validation rows.
 * ERROR_LIMIT for a category with more than LEVELS_MAX levels.
 */
extern bool bins_build(BinnedMatrix *bins, const FitInput *input, uint32_t max_bin, Error *error);

/* Bytes that bins_build takes. */
extern uint64_t bins_memory(uint64_t n_rows, uint32_t n_features);

/* ---- The parts of it ---- */

/* The encoded values of one feature for rows begin .. begin + n - 1 of the table. */
extern void bins_values(const BinFeature *feature, size_t begin, size_t n, double *out);

/* Sets n_bins, n_cuts and cuts (room for BINS_MAX) of a number from a sample of its values; work has room for 2n. */
extern void bins_find_cuts(BinFeature *feature, const double *sample, size_t n, uint32_t max_bin, uint64_t *work);

/* The bins of n numbers. */
extern void bins_search_double(const BinFeature *feature, const double *values, size_t n, uint8_t *out);
extern void bins_search_float(const BinFeature *feature, const float *values, size_t n, uint8_t *out);

#endif
