/*
 * touched_cells.h
 *		Sums of a feature over few rows, without looking at all of its bins.
 *
 * The rows are added into cells that are zero otherwise, and each bin is
 * marked in bits, with a bit for each word of these; going through the marks
 * gives the touched cells in order, and leaves all as it was.  So a node of
 * 20 rows costs 20 cells, whether the feature has 256 bins or 65,536.
 */
#ifndef MLOPS_CORE_FIT_TOUCHED_CELLS_H
#define MLOPS_CORE_FIT_TOUCHED_CELLS_H

#include "best_split.h"

/* Of one thread. */
typedef struct TouchedCells
{
	HistogramCell *cells;		/* zero between uses */
	uint64_t   *marks;			/* a bit a bin; zero, too */
	uint64_t   *summary;		/* a bit a word of marks; zero, too */
	HistogramCell *listed;
	uint16_t   *bins;
} TouchedCells;

extern bool touched_init(TouchedCells *touched, uint32_t most_bins, Arena *arena, Error *error);
extern uint64_t touched_memory(uint32_t most_bins);

/* The cells of a feature over rows begin .. end - 1 of a list; they stay until the next call. */
extern CellList touched_list(TouchedCells *touched, const BinnedMatrix *bins, uint32_t feature, const GradientScale *scale,
							 const RowList *list, size_t begin, size_t end);

#endif
