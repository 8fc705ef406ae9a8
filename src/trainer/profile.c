/*
 * profile.c
 *		What a snapshot says about each column: counts, range, mean, deviation.
 *
 * Over all rows of the query, in the order of the matrix: a column's blocks
 * are added one after the other, the first of them while later rows are still
 * being written.  Mean and deviation are of the finite values.
 */
#include "trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../core/fit/table/encode.h"

ColumnTally *
profile_begin(uint32_t n_columns)
{
	ColumnTally *tallies = calloc((size_t) n_columns + 1, sizeof(ColumnTally));

	for (uint32_t c = 0; tallies != NULL && c < n_columns; c++)
		tallies[c].summary = (Summary) {.lowest = INFINITY,.highest = -INFINITY};
	return tallies;
}

/* Values [first, first + n) of a block as doubles. */
static void
load_tile(const void *values, uint32_t storage, uint32_t first, uint32_t n, double *tile)
{
	if (storage == STORAGE_FLOAT32)
		encode_floats((const float *) values + first, n, tile);
	else
		memcpy(tile, (const double *) values + first, n * sizeof(double));
}

void
profile_block(ColumnTally *tally, const Matrix *matrix, uint32_t column, uint64_t block)
{
	uint32_t	storage = matrix->columns[column].storage;
	const void *values = matrix_values(matrix, column, block);
	uint32_t	n_rows = matrix_block_rows(matrix, block);

	if (storage == STORAGE_CODE)
	{
		for (uint32_t row = 0; row < n_rows; row++)
			tally->n_missing += ((const uint32_t *) values)[row] == CODE_MISSING;
		return;
	}
	for (uint32_t first = 0; first < n_rows; first += SUMMARY_TILE)
	{
		double		tile[SUMMARY_TILE] __attribute__((aligned(64)));
		uint32_t	n = n_rows - first < SUMMARY_TILE ? n_rows - first : SUMMARY_TILE;

		load_tile(values, storage, first, n, tile);
		summary_add(&tally->summary, tile, n);
	}
}

/* What a snapshot keeps of all blocks of a column. */
static void
summarise(const ColumnTally *tally, const MatrixColumn *column, ColumnProfile *profile)
{
	const Summary *summary = &tally->summary;

	memcpy(profile->name, column->name, sizeof(profile->name));
	memcpy(profile->type_name, column->type_name, sizeof(profile->type_name));
	profile->role = column->role;
	profile->kind = column->kind;
	profile->lowest = NAN;
	profile->highest = NAN;
	profile->mean = NAN;
	profile->deviation = NAN;
	if (column->storage == STORAGE_CODE)
	{
		profile->n_missing = tally->n_missing;
		profile->n_distinct = column->n_codes;
		return;
	}
	profile->n_missing = summary->n_missing;
	if (summary->n_finite + summary->n_infinite > 0)
	{
		profile->lowest = summary->lowest;
		profile->highest = summary->highest;
	}
	if (summary->n_finite >= 1)
		profile->mean = summary->mean;
	if (summary->n_finite >= 2)
		profile->deviation = sqrt(summary->squares / (double) (summary->n_finite - 1));
}

/* Task: the blocks of one column that are left. */
static void
profile_column(void *argument, size_t column)
{
	Trainer    *trainer = argument;

	for (uint64_t block = trainer->n_profiled; block < matrix_blocks(&trainer->matrix); block++)
		profile_block(&trainer->tallies[column], &trainer->matrix, (uint32_t) column, block);
	summarise(&trainer->tallies[column], &trainer->matrix.columns[column], &trainer->result.columns[column]);
}

bool
profile_columns(Trainer *trainer, Error *error)
{
	uint32_t	n = trainer->matrix.header->n_columns;

	trainer->result.columns = calloc((size_t) n + 1, sizeof(ColumnProfile));
	if (trainer->result.columns == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for the profiles of %u columns", n);
	trainer->result.n_columns = n;
	pool_for(trainer->pool, n, profile_column, trainer);
	return true;
}
