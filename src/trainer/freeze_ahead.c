/*
 * freeze_ahead.c
 *		Columns counted for the reference while the backend still writes rows.
 *
 * All rows count, for which of them will be used is not known yet; where
 * some are dropped, the columns are counted again.  Nor is the job known: the columns
 * themselves say that they are a training's.  Columns of numbers only:
 * texts are counted by their codes, which is soon done.
 */
#include "freeze.h"

#include <stdlib.h>

#define COLUMNS_MAX 100			/* counters hold a few hundred kB each */

/* Whether a column is counted ahead. */
static bool
takes(const MatrixColumn *column)
{
	return column->frozen && column->storage != STORAGE_CODE;
}

bool
freeze_ahead_begin(Trainer *trainer, const Matrix *matrix, Error *error)
{
	uint32_t	n = matrix->header->n_columns;

	if (n > COLUMNS_MAX)
		return true;
	trainer->counters = calloc((size_t) n + 1, sizeof(ColumnCounter));
	if (trainer->counters == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for the profiles of %u columns", n);
	trainer->n_counters = n;
	for (uint32_t c = 0; c < n; c++)
	{
		if (takes(&matrix->columns[c]) && !counter_init(&trainer->counters[c], (ColumnKind) matrix->columns[c].kind, false, error))
			return false;
	}
	return true;
}

void
freeze_ahead_block(Trainer *trainer, const Matrix *matrix, uint64_t block)
{
	for (uint32_t c = 0; c < trainer->n_counters; c++)
	{
		if (takes(&matrix->columns[c]))
			freeze_block(&trainer->counters[c], matrix, c, block);
	}
}

void
freeze_ahead_end(Trainer *trainer)
{
	for (uint32_t c = 0; c < trainer->n_counters; c++)
		counter_free(&trainer->counters[c]);
	free(trainer->counters);
	trainer->counters = NULL;
	trainer->n_counters = 0;
}
