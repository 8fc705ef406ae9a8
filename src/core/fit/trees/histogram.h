/*
 * histogram.h
 *		Sums of derivatives by feature and bin over the rows of a node.
 *
 * Rows are added into histograms that belong to a thread: narrow derivatives
 * as one 64-bit word a cell (g << 32 + h), emptied into wide cells before
 * their halves can overflow, wide ones into wide cells at once.  Then all
 * threads' cells of a feature are collected into the node's histogram, which
 * leaves them zero for the next node.  Wide features are one thread's each,
 * and added into the node's histogram at once.  All sums are of integers:
 * threads and order do not matter.
 *
 * The threads' histograms give each feature CELL_STRIDE cells.  With 256 the
 * same bin of every feature would lie at the same offset of its page, and a
 * load would wait for the store before it (4K aliasing): ten times slower
 * where most rows of several features fall into one bin.
 */
#ifndef MLOPS_CORE_FIT_HISTOGRAM_H
#define MLOPS_CORE_FIT_HISTOGRAM_H

#include "bins.h"
#include "gradients.h"

#define CELL_STRIDE 264
#define NARROW_ROWS 65536		/* rows that a narrow cell can take */

_Static_assert(NARROW_ROWS * NARROW_G_MAX <= INT32_MAX && NARROW_ROWS * NARROW_H_MAX <= UINT32_MAX, "narrow cells must not overflow");

typedef GradientSums HistogramCell;

/* Histograms of one thread over all features, groups padded to a multiple of 4 features. */
typedef struct ThreadHistogram
{
	uint64_t   *narrow;
	HistogramCell *wide;
	uint32_t   *n_narrow;		/* by group: rows in its narrow cells */
	bool	   *any_wide;		/* by group: its wide cells are not all zero */
} ThreadHistogram;

typedef struct HistogramScratch
{
	const BinnedMatrix *bins;
	int			n_threads;
	ThreadHistogram *threads;
	uint8_t    *places;			/* by group: which of its features are added up */
	uint32_t   *n_places;		/* by group: how many these are */
} HistogramScratch;

extern bool histogram_scratch_init(HistogramScratch *scratch, const BinnedMatrix *bins, int n_threads, Arena *arena, Error *error);
extern uint64_t histogram_scratch_memory(uint32_t n_narrow, int n_threads);

/* Chooses the features (NULL: all) that are added up from now on; the others' cells stay zero. */
extern void histogram_choose(HistogramScratch *scratch, const bool *feature_used);

/* Adds rows begin .. end - 1 of a list for one group of features. */
extern void histogram_add(HistogramScratch *scratch, int thread, uint32_t group, const GradientScale *scale, const RowList *list,
						  size_t begin, size_t end);

/* Moves what threads first_thread .. end_thread - 1 have of a feature that is not wide into cells[n_bins]. */
extern void histogram_collect(HistogramScratch *scratch, int first_thread, int end_thread, const BinFeature *feature, HistogramCell *cells);

/* Sets the cells[n_bins] of a wide feature to the sums of rows begin .. end - 1 of a list. */
extern void histogram_wide_feature(const BinnedMatrix *bins, const BinFeature *feature, const GradientScale *scale, const RowList *list,
								   size_t begin, size_t end, HistogramCell *cells);

/* After all features of a group were collected. */
extern void histogram_collected(HistogramScratch *scratch, int first_thread, int end_thread, uint32_t group);

#endif
