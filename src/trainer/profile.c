/*
 * profile.c
 *		What a snapshot says about each column: counts, range, moments.
 *
 * Over all rows of the query, in the order of the matrix, one column a task.
 * Mean and deviation are of the finite values; blocks are merged by Chan,
 * Golub & LeVeque (1979), which does not cancel as sums of squares do.
 */
#include "trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Count, mean and sum of squared differences from it. */
typedef struct Moments
{
	double		n;
	double		mean;
	double		squares;
} Moments;

typedef struct ProfileWork
{
	const Matrix *matrix;
	ColumnProfile *columns;
} ProfileWork;

static inline double
value_at(const void *values, uint32_t storage, uint32_t row)
{
	return storage == STORAGE_FLOAT32 ? (double) ((const float *) values)[row] : ((const double *) values)[row];
}

/* Two passes over one block. */
static Moments
block_moments(const void *values, uint32_t storage, uint32_t n_rows)
{
	Moments		block = {0, 0, 0};

	for (uint32_t row = 0; row < n_rows; row++)
	{
		double		value = value_at(values, storage, row);

		if (isfinite(value))
		{
			block.n++;
			block.mean += value;
		}
	}
	if (block.n > 0)
		block.mean /= block.n;
	for (uint32_t row = 0; row < n_rows; row++)
	{
		double		value = value_at(values, storage, row);

		if (isfinite(value))
			block.squares += (value - block.mean) * (value - block.mean);
	}
	return block;
}

static void
moments_merge(Moments *total, Moments block)
{
	if (block.n == 0)
		return;

	double		n = total->n + block.n;
	double		difference = block.mean - total->mean;

	total->squares += block.squares + difference * difference * (total->n * block.n / n);
	total->mean += difference * (block.n / n);
	total->n = n;
}

static void
profile_numbers(const Matrix *matrix, uint32_t index, ColumnProfile *profile)
{
	uint32_t	storage = matrix->columns[index].storage;
	Moments		total = {0, 0, 0};

	for (uint64_t block = 0; block < matrix_blocks(matrix); block++)
	{
		const void *values = matrix_values(matrix, index, block);
		uint32_t	n_rows = matrix_block_rows(matrix, block);

		for (uint32_t row = 0; row < n_rows; row++)
		{
			double		value = value_at(values, storage, row);

			if (isnan(value))
				profile->n_missing++;
			if (!(value >= profile->lowest))
				profile->lowest = isnan(value) ? profile->lowest : value;
			if (!(value <= profile->highest))
				profile->highest = isnan(value) ? profile->highest : value;
		}
		moments_merge(&total, block_moments(values, storage, n_rows));
	}
	if (total.n >= 1)
		profile->mean = total.mean;
	if (total.n >= 2)
		profile->deviation = sqrt(total.squares / (total.n - 1));
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
