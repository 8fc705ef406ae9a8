/*
 * freeze_parts.c
 *		Which rows are counted, to which slice of time they belong, and to which segments.
 *
 * Rows without a target, or without a weight, were not used, and are not
 * counted.  Slices are as narrow as a list of widths allows, so that not more
 * than SLICES_MAX cover the rows; they begin at multiples of their width, so
 * that those of a day are days of UTC, those of a week begin on Mondays.
 */
#include "freeze.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/fit/table/text_counts.h"
#include "../core/number_text.h"

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

/* ---- Segments ---- */

#define SEGMENTS_MAX	50		/* values of a column that have profiles: the most frequent ones */
#define VALUES_MAX		4096	/* values of a column of numbers: with more, it makes no segments */

/* A value of a segment column. */
typedef struct SegmentValue
{
	char		text[SEGMENT_SIZE];
	double		number;
	uint64_t	count;
	uint8_t		part;
} SegmentValue;

typedef struct SegmentColumn
{
	const Matrix *matrix;
	uint32_t	index;
	const MatrixColumn *column;
	SegmentValue *values;		/* those of a column of texts by code; NULL's last */
	uint32_t	n;				/* without NULL's */
	uint32_t	last;			/* the value found last */
} SegmentColumn;

/* Number of a row's value: n for NULL, UINT32_MAX where there are too many. */
static uint32_t
find_value(SegmentColumn *segment, uint64_t row)
{
	double		number;

	if (segment->column->storage == STORAGE_CODE)
	{
		uint32_t	code = matrix_code(segment->matrix, segment->index, row);

		return code == CODE_MISSING ? segment->n : code;
	}
	number = matrix_number(segment->matrix, segment->index, row);
	if (isnan(number))
		return VALUES_MAX;
	if (segment->last < segment->n && segment->values[segment->last].number == number)
		return segment->last;
	for (uint32_t i = 0; i < segment->n; i++)
	{
		if (segment->values[i].number == number)
			return segment->last = i;
	}
	if (segment->n == VALUES_MAX)
		return UINT32_MAX;
	segment->values[segment->n].number = number;
	return segment->last = segment->n++;
}

/* column=value, as the database writes it. */
static void
name_segment(const SegmentColumn *segment, uint32_t value, char *out)
{
	char		number[NUMBER_TEXT_SIZE];
	const char *text = number;
	size_t		length;

	if (segment->column->storage == STORAGE_CODE)
		text = matrix_text(segment->matrix, segment->index, value, &length);
	else
	{
		if (segment->column->kind == KIND_BOOLEAN)
			strcpy(number, segment->values[value].number != 0 ? "true" : "false");
		else
			number_text(segment->values[value].number, segment->column->storage == STORAGE_FLOAT32, number, sizeof(number));
		length = strlen(number);
	}
	snprintf(out, SEGMENT_SIZE, "%s=%.*s", segment->column->name, (int) text_clip(text, length, SEGMENT_SIZE - COLUMN_NAME_MAX - 2), text);
}

/* More frequent ones come first; of equally frequent ones the one whose name does. */
static int
compare_values(const void *a, const void *b)
{
	const SegmentValue *x = *(SegmentValue *const *) a;
	const SegmentValue *y = *(SegmentValue *const *) b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(x->text, y->text);
}

/* Gives the most frequent values a part each, and rows that of their value. */
static bool
divide_rows(RowParts *parts, SegmentColumn *segment, const RowParts *used, Trainer *trainer, Error *error)
{
	uint64_t	n_rows = segment->matrix->header->n_rows;
	uint32_t	n_values = segment->column->storage == STORAGE_CODE ? segment->column->n_codes + 1 : VALUES_MAX + 1;
	SegmentValue **order = arena_alloc(&trainer->arena, n_values, sizeof(SegmentValue *), error);
	uint8_t    *of_row = arena_alloc(&trainer->arena, n_rows, 1, error);

	if (order == NULL || of_row == NULL)
		return false;
	for (uint64_t row = 0; row < n_rows; row++)
	{
		uint32_t	value = used->of_row != NULL && used->of_row[row] == PART_NONE ? n_values : find_value(segment, row);

		if (value == UINT32_MAX)
			return true;
		if (value < n_values)
			segment->values[value].count++;
	}
	for (uint32_t i = 0; i < n_values; i++)
	{
		order[i] = &segment->values[i];
		segment->values[i].part = PART_NONE;
		if (i == n_values - 1)
			snprintf(segment->values[i].text, SEGMENT_SIZE, "%s=NULL", segment->column->name);
		else if (segment->values[i].count > 0)
			name_segment(segment, i, segment->values[i].text);
	}
	qsort(order, n_values, sizeof(SegmentValue *), compare_values);
	for (uint32_t i = 0; i < n_values && order[i]->count > 0; i++)
	{
		uint32_t	part = 0;

		/* NULL and the text NULL, and texts that are cut to the same, are one segment: so they are to monitors */
		while (part < parts->n && strcmp(order[part]->text, order[i]->text) != 0)
			part++;
		if (part == parts->n && part < SEGMENTS_MAX)
			order[parts->n++] = order[i];
		if (part < parts->n)
			order[i]->part = (uint8_t) part;
	}
	parts->segments = arena_alloc(&trainer->arena, parts->n, SEGMENT_SIZE, error);
	if (parts->segments == NULL)
		return false;
	for (uint32_t i = 0; i < parts->n; i++)
		memcpy(parts->segments[i], order[i]->text, SEGMENT_SIZE);
	for (uint64_t row = 0; row < n_rows; row++)
		of_row[row] = used->of_row != NULL && used->of_row[row] == PART_NONE ? PART_NONE : segment->values[find_value(segment, row)].part;
	parts->of_row = of_row;
	return true;
}

/* The rows by each column of segments; one of numbers that has too many values is passed over. */
static bool
find_divisions(Freeze *freeze, Trainer *trainer, Error *error)
{
	const Matrix *matrix = &trainer->matrix;
	uint32_t	n_columns = matrix->header->n_columns;

	freeze->divisions = arena_zeroed(&trainer->arena, n_columns, sizeof(RowParts), error);
	if (freeze->divisions == NULL)
		return false;
	for (uint32_t c = 0; c < n_columns; c++)
	{
		const MatrixColumn *column = &matrix->columns[c];
		bool		coded = column->storage == STORAGE_CODE;
		SegmentColumn segment = {.matrix = matrix,.index = c,.column = column,.n = coded ? column->n_codes : 0};
		RowParts   *parts = &freeze->divisions[freeze->n_divisions];

		/* texts that nearly all differ make no segments */
		if (!column->segment || column->n_codes > VALUES_MAX)
			continue;
		segment.values = arena_zeroed(&trainer->arena, coded ? column->n_codes + 1 : VALUES_MAX + 1, sizeof(SegmentValue), error);
		if (segment.values == NULL || !divide_rows(parts, &segment, &freeze->used, trainer, error))
			return false;
		freeze->n_divisions += parts->n > 0 && parts->of_row != NULL;
	}
	return true;
}

bool
freeze_parts(Freeze *freeze, Trainer *trainer, const Table *table, Error *error)
{
	memset(freeze, 0, sizeof(*freeze));
	return find_used(&freeze->used, trainer, table, error) &&
		find_slices(&freeze->slices, trainer, &freeze->used, error) &&
		find_divisions(freeze, trainer, error);
}
