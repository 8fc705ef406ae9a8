/*
 * profile.c
 *		What a snapshot says about each column: counts, range, moments.
 *
 * Over all rows of the query, in the order of the matrix, one column a task.
 * Mean and deviation are of the finite values.
 */
#include "trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../core/fit/encode.h"
#include "../core/fit/summary.h"

typedef struct ProfileWork
{
	const Matrix *matrix;
	ColumnProfile *columns;
} ProfileWork;

/* Values [first, first + n) of a block as doubles. */
static void
load_tile(const void *values, uint32_t storage, uint32_t first, uint32_t n, double *tile)
{
	if (storage == STORAGE_FLOAT32)
		encode_floats((const float *) values + first, n, tile);
	else
		memcpy(tile, (const double *) values + first, n * sizeof(double));
}

static void
profile_numbers(const Matrix *matrix, uint32_t index, ColumnProfile *profile)
{
	uint32_t	storage = matrix->columns[index].storage;
	Summary		summary = {.lowest = INFINITY,.highest = -INFINITY};

	for (uint64_t block = 0; block < matrix_blocks(matrix); block++)
	{
		const void *values = matrix_values(matrix, index, block);
		uint32_t	n_rows = matrix_block_rows(matrix, block);

		for (uint32_t first = 0; first < n_rows; first += SUMMARY_TILE)
		{
			double		tile[SUMMARY_TILE] __attribute__((aligned(64)));
			uint32_t	n = n_rows - first < SUMMARY_TILE ? n_rows - first : SUMMARY_TILE;

			load_tile(values, storage, first, n, tile);
			summary_add(&summary, tile, n);
		}
	}
	profile->n_missing = summary.n_missing;
	if (summary.n_finite + summary.n_infinite > 0)
	{
		profile->lowest = summary.lowest;
		profile->highest = summary.highest;
	}
	if (summary.n_finite >= 1)
		profile->mean = summary.mean;
	if (summary.n_finite >= 2)
		profile->deviation = sqrt(summary.squares / (double) (summary.n_finite - 1));
}

static void
profile_codes(const Matrix *matrix, uint32_t index, ColumnProfile *profile)
{
	for (uint64_t block = 0; block < matrix_blocks(matrix); block++)
	{
		const uint32_t *codes = matrix_values(matrix, index, block);
		uint32_t	n_rows = matrix_block_rows(matrix, block);

		for (uint32_t row = 0; row < n_rows; row++)
			profile->n_missing += codes[row] == CODE_MISSING;
	}
	profile->n_distinct = matrix->columns[index].n_codes;
}

static void
profile_task(void *argument, size_t index)
{
	const ProfileWork *work = argument;
	const MatrixColumn *column = &work->matrix->columns[index];
	ColumnProfile *profile = &work->columns[index];

	memcpy(profile->name, column->name, sizeof(profile->name));
	memcpy(profile->type_name, column->type_name, sizeof(profile->type_name));
	profile->role = column->role;
	profile->kind = column->kind;
	profile->lowest = NAN;
	profile->highest = NAN;
	profile->mean = NAN;
	profile->deviation = NAN;
	if (column->storage == STORAGE_CODE)
		profile_codes(work->matrix, (uint32_t) index, profile);
	else
		profile_numbers(work->matrix, (uint32_t) index, profile);
}

bool
profile_columns(Trainer *trainer, Error *error)
{
	uint32_t	n = trainer->matrix.header->n_columns;
	ColumnProfile *columns = calloc(n > 0 ? n : 1, sizeof(ColumnProfile));
	ProfileWork work = {&trainer->matrix, columns};

	if (columns == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for the profiles of %u columns", n);
	trainer->result.columns = columns;
	trainer->result.n_columns = n;
	pool_for(trainer->pool, n, profile_task, &work);
	return true;
}
