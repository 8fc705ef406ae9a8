/*
 * freeze_parts.c
 *		Which rows are counted, and to which slice of time they belong.
 *
 * Rows without a target, or without a weight, were not used, and are not
 * counted.  Slices are as narrow as a list of widths allows, so that not more
 * than SLICES_MAX cover the rows; they begin at multiples of their width, so
 * that those of a day are days of UTC, those of a week begin on Mondays.
 */
#include "freeze.h"

#include <math.h>
#include <string.h>

#define SLICES_MAX	400
#define HOUR		INT64_C(3600000000)
#define DAY			(24 * HOUR)
#define MONDAY		(2 * DAY)	/* 2000-01-03 */

static const int64_t widths[] = {HOUR, 6 * HOUR, DAY, 7 * DAY, 28 * DAY};

/* Marks the rows that table_build() left out. */
static bool
find_used(RowParts *used, Trainer *trainer, const Table *table, Error *error)
{
	const Matrix *matrix = &trainer->matrix;
	uint8_t    *of_row;

	used->n = 1;
	used->segments = arena_zeroed(&trainer->arena, 1, SEGMENT_SIZE, error);
	if (used->segments == NULL)
		return false;
	if (table->n_dropped == 0)
		return true;
	of_row = arena_alloc(&trainer->arena, matrix->header->n_rows, 1, error);
	if (of_row == NULL)
		return false;
	memset(of_row, PART_NONE, matrix->header->n_rows);
	for (size_t i = 0; i < table->n_rows; i++)
		of_row[table->order[i]] = 0;
	used->of_row = of_row;
	return true;
}

/* The time of a row in microseconds; NaN where it has none. */
static double
row_time(const Matrix *matrix, uint32_t column, uint64_t row)
{
	double		time = matrix_number(matrix, column, row);

	return matrix->columns[column].kind == KIND_DATE ? time * (double) DAY : time;
}

/* The narrowest slices that are not too many for a range of time; false where the range is none. */
static bool
choose_width(TimeSlices *slices, double lowest, double highest)
{
	int64_t		width = widths[0];

	if (!(lowest <= highest) || fabs(lowest) > 1e18 || fabs(highest) > 1e18)
		return false;
	for (size_t i = 0;; i++)
	{
		width = i < sizeof(widths) / sizeof(widths[0]) ? widths[i] : width * 2;
		slices->width = width;
		slices->origin = (int64_t) (floor((lowest - (double) MONDAY) / (double) width)) * width + MONDAY;
		if ((highest - (double) slices->origin) / (double) width < SLICES_MAX)
			break;
	}
	slices->n = (uint32_t) ((highest - (double) slices->origin) / (double) width) + 1;
	return true;
}

/* The slice of each row, where the split goes by a time that people know. */
static bool
find_slices(TimeSlices *slices, Trainer *trainer, const RowParts *used, Error *error)
{
	const Matrix *matrix = &trainer->matrix;
	int			column = matrix_find_role(matrix, ROLE_SPLIT);
	uint64_t	n_rows = matrix->header->n_rows;
	double		lowest = INFINITY;
	double		highest = -INFINITY;
	uint16_t   *of_row;

	if (trainer->job.split_kind != SPLIT_TIME || column < 0 ||
		(matrix->columns[column].kind != KIND_DATE && matrix->columns[column].kind != KIND_TIMESTAMP && matrix->columns[column].kind != KIND_TIMESTAMPTZ))
		return true;
	for (uint64_t row = 0; row < n_rows; row++)
	{
		double		time = row_time(matrix, (uint32_t) column, row);

		if (!isfinite(time) || (used->of_row != NULL && used->of_row[row] == PART_NONE))
			continue;
		lowest = time < lowest ? time : lowest;
		highest = time > highest ? time : highest;
	}
	if (!choose_width(slices, lowest, highest))
		return true;
	of_row = arena_alloc(&trainer->arena, n_rows, sizeof(uint16_t), error);
	if (of_row == NULL)
		return false;
	for (uint64_t row = 0; row < n_rows; row++)
	{
		double		time = row_time(matrix, (uint32_t) column, row);
		bool		is_used = isfinite(time) && (used->of_row == NULL || used->of_row[row] != PART_NONE);

		of_row[row] = is_used ? (uint16_t) (((int64_t) time - slices->origin) / slices->width) : SLICE_NONE;
	}
	slices->of_row = of_row;
	return true;
}

bool
freeze_parts(Freeze *freeze, Trainer *trainer, const Table *table, Error *error)
{
	memset(freeze, 0, sizeof(*freeze));
	return find_used(&freeze->used, trainer, table, error) &&
		find_slices(&freeze->slices, trainer, &freeze->used, error);
}
