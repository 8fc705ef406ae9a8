/*
 * bin_source.h
 *		Bins of features, straight from the matrix.
 *
 * A feature is gone through in the order of the matrix, once for the cuts and
 * once for the bins, which go to the rows' positions in a column.
 */
#ifndef MLOPS_CORE_FIT_BIN_SOURCE_H
#define MLOPS_CORE_FIT_BIN_SOURCE_H

#include "bins.h"

typedef struct BinSource
{
	const Table *table;
	size_t		n_rows;			/* rows of the table to bin, from its first on */
	uint32_t   *positions;		/* see table_positions() */
	uint32_t   *sample;			/* rows of the matrix, ascending */
	size_t		n_sample;
	uint16_t   *code_bins;		/* for each thread: bins of the codes of a column */
	size_t		code_room;
} BinSource;

/* All of it lies in scratch. */
extern bool bin_source_init(BinSource *source, const FitInput *input, size_t n_rows, Arena *scratch, Error *error);

/* The encoded values of one feature in the sampled rows; their order is that of the matrix. */
extern void bin_source_sample(const BinSource *source, const BinFeature *feature, double *out);

/* The bins of one feature: n_rows of uint8_t, or of uint16_t where it is wide, and room for one more. */
extern void bin_source_fill(const BinSource *source, const BinFeature *feature, int thread, void *out);

/* Rows of the sample at most. */
extern size_t bin_sample_size(size_t n_rows);

#endif
