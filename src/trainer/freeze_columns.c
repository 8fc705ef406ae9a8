/*
 * freeze_columns.c
 *		Profiles of the columns over all rows that a training used.
 *
 * One column a task; what a task writes is put together in the order of the
 * columns, so that the bytes are the same for any number of threads.
 *
 * A column for which there is no memory leaves no record: a training does not
 * fail for what is only to be monitored later.
 */
#include "freeze.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../core/fit/table/encode.h"
#include "../core/fit/table/text_counts.h"
#include "../core/statistics/distance.h"

#define COUNTS_MAX (UINT64_C(1) << 24)	/* counts of texts by part: columns that would have more are left out */

typedef struct ColumnWork
{
	const Freeze *freeze;
	const Matrix *matrix;
	Buffer	   *records;		/* one a column */
	ColumnCounter *counters;	/* one a column, or NULL */
	uint64_t	n_counted;		/* blocks in them */
} ColumnWork;

/* One column as a task sees it. */
typedef struct ColumnTask
{
	const Matrix *matrix;
	uint32_t	index;
	const MatrixColumn *column;
	const RowParts *parts;
} ColumnTask;

/* ---- Numbers ---- */

/* Values [first, first + n) of a block as doubles. */
static void
load_tile(const ColumnTask *task, const void *values, uint32_t first, uint32_t n, double *tile)
{
	if (task->column->storage == STORAGE_FLOAT32)
		encode_floats((const float *) values + first, n, tile);
	else
		memcpy(tile, (const double *) values + first, n * sizeof(double));
}

/* Sorts a tile's values into the tiles of their parts, each counted when it is full. */
static void
deal_tile(const ColumnTask *task, const double *tile, uint64_t row, uint32_t n, double *tiles, uint32_t *filled, ColumnCounter *counters)
{
	for (uint32_t i = 0; i < n; i++)
	{
		uint8_t		part = task->parts->of_row[row + i];

		if (part == PART_NONE)
			continue;
		tiles[(size_t) part * COUNTER_TILE + filled[part]++] = tile[i];
		if (filled[part] == COUNTER_TILE)
		{
			counter_add(&counters[part], tiles + (size_t) part * COUNTER_TILE, COUNTER_TILE);
			filled[part] = 0;
		}
	}
}

void
freeze_block(ColumnCounter *counter, const Matrix *matrix, uint32_t column, uint64_t block)
{
	ColumnTask	task = {matrix, column, &matrix->columns[column], NULL};
	const void *values = matrix_values(matrix, column, block);
	uint32_t	n_rows = matrix_block_rows(matrix, block);

	for (uint32_t first = 0; first < n_rows; first += COUNTER_TILE)
	{
		double		tile[COUNTER_TILE] __attribute__((aligned(64)));
		uint32_t	n = n_rows - first < COUNTER_TILE ? n_rows - first : COUNTER_TILE;

		load_tile(&task, values, first, n, tile);
		counter_add(counter, tile, n);
	}
}

/* Counts a column of numbers by part; tiles: one for each part. */
static void
count_numbers(const ColumnTask *task, double *tiles, ColumnCounter *counters)
{
	double		tile[COUNTER_TILE] __attribute__((aligned(64)));
	uint32_t	filled[PART_NONE] = {0};

	for (uint64_t block = 0; block < matrix_blocks(task->matrix); block++)
	{
		const void *values = matrix_values(task->matrix, task->index, block);
		uint32_t	n_rows = matrix_block_rows(task->matrix, block);

		for (uint32_t first = 0; first < n_rows; first += COUNTER_TILE)
		{
			uint32_t	n = n_rows - first < COUNTER_TILE ? n_rows - first : COUNTER_TILE;

			load_tile(task, values, first, n, tile);
			deal_tile(task, tile, block * MATRIX_BLOCK_ROWS + first, n, tiles, filled, counters);
		}
	}
	for (uint32_t part = 0; part < task->parts->n; part++)
		counter_add(&counters[part], tiles + (size_t) part * COUNTER_TILE, filled[part]);
}

/* SliceCount of a column of numbers. */
static void
slice_numbers(const void *context, const TimeSlices *slices, const ColumnCounter *counter, const uint8_t *groups, uint32_t n_cells, uint64_t *counts)
{
	const ColumnTask *task = context;

	for (uint64_t block = 0; block < matrix_blocks(task->matrix); block++)
	{
		const void *values = matrix_values(task->matrix, task->index, block);
		uint32_t	n_rows = matrix_block_rows(task->matrix, block);

		for (uint32_t first = 0; first < n_rows; first += COUNTER_TILE)
		{
			double		tile[COUNTER_TILE] __attribute__((aligned(64)));
			uint32_t	n = n_rows - first < COUNTER_TILE ? n_rows - first : COUNTER_TILE;

			load_tile(task, values, first, n, tile);
			count_slices(counter, groups, n_cells, tile, slices->of_row + block * MATRIX_BLOCK_ROWS + first, n, counts);
		}
	}
}

/* The records of one part. */
static bool
record_numbers(const ColumnTask *task, ColumnCounter *counter, const ReferenceColumn *name, const TimeSlices *slices, Buffer *records, Error *error)
{
	Distribution distribution;
	bool		done;

	if (!counter_finish(counter, counter_memory, &distribution, error))
		return false;
	done = distribution_rows(&distribution) == 0 ||
		record_column(records, name, &distribution, counter, slices, slice_numbers, task, error);
	distribution_free(&distribution, counter_memory);
	return done;
}

/* A column of numbers of which all rows count: a counter that has its first blocks already, or NULL. */
static bool
freeze_all_numbers(const ColumnTask *task, ColumnCounter *begun, uint64_t n_counted, ReferenceColumn *name, const TimeSlices *slices,
				   Buffer *records, Error *error)
{
	ColumnCounter own;
	ColumnCounter *counter = begun != NULL ? begun : &own;
	bool		done = begun != NULL || counter_init(&own, (ColumnKind) task->column->kind, false, error);

	for (uint64_t block = begun != NULL ? n_counted : 0; done && block < matrix_blocks(task->matrix); block++)
		freeze_block(counter, task->matrix, task->index, block);
	memcpy(name->segment, task->parts->segments[0], SEGMENT_SIZE);
	done = done && record_numbers(task, counter, name, slices, records, error);
	if (begun == NULL)
		counter_free(&own);
	return done;
}

/* A column of numbers by part. */
static bool
freeze_numbers(const ColumnTask *task, ReferenceColumn *name, const TimeSlices *slices, Buffer *records, Error *error)
{
	const RowParts *parts = task->parts;
	ColumnCounter *counters = calloc(parts->n, sizeof(ColumnCounter));
	double	   *tiles = aligned_alloc(64, (size_t) parts->n * COUNTER_TILE * sizeof(double));
	bool		done = counters != NULL && tiles != NULL;

	for (uint32_t part = 0; part < parts->n && done; part++)
		done = counter_init(&counters[part], (ColumnKind) task->column->kind, parts->n > 1, error);
	if (done)
		count_numbers(task, tiles, counters);
	for (uint32_t part = 0; part < parts->n && done; part++)
	{
		memcpy(name->segment, parts->segments[part], SEGMENT_SIZE);
		done = record_numbers(task, &counters[part], name, slices, records, error);
	}
	for (uint32_t part = 0; part < parts->n && counters != NULL; part++)
		counter_free(&counters[part]);
	free(counters);
	free(tiles);
	return done;
}

/* ---- Texts ---- */

/* Counts codes by part: counts[part x (n_codes + 1)], NULL last. */
static void
count_codes(const ColumnTask *task, uint64_t *counts)
{
	const uint8_t *of_row = task->parts->of_row;
	uint32_t	n_codes = task->column->n_codes;

	for (uint64_t block = 0; block < matrix_blocks(task->matrix); block++)
	{
		const uint32_t *codes = matrix_values(task->matrix, task->index, block);
		uint32_t	n_rows = matrix_block_rows(task->matrix, block);

		for (uint32_t row = 0; row < n_rows; row++)
		{
			uint8_t		part = of_row != NULL ? of_row[block * MATRIX_BLOCK_ROWS + row] : 0;
			uint32_t	code = codes[row] == CODE_MISSING ? n_codes : codes[row];

			if (part != PART_NONE)
				counts[(size_t) part * (n_codes + 1) + code]++;
		}
	}
}

/* What slices of a column of texts are counted by. */
typedef struct CodeSlices
{
	const ColumnTask *task;
	const Distribution *distribution;
} CodeSlices;

/* SliceCount of a column of texts: groups are those of the distribution's cells. */
static void
slice_codes(const void *context, const TimeSlices *slices, const ColumnCounter *counter, const uint8_t *groups, uint32_t n_cells, uint64_t *counts)
{
	const CodeSlices *by = context;
	const ColumnTask *task = by->task;
	uint32_t	n_codes = task->column->n_codes;
	uint8_t    *cells = malloc((size_t) n_codes + 1);

	(void) counter;
	if (cells == NULL)
		return;
	for (uint32_t code = 0; code < n_codes; code++)
	{
		size_t		length;
		const char *text = matrix_text(task->matrix, task->index, code, &length);
		size_t		cell = text_cell(by->distribution, text, length);

		cells[code] = cell == SIZE_MAX ? CELL_BETWEEN : groups[cell];
	}
	for (uint64_t block = 0; block < matrix_blocks(task->matrix); block++)
	{
		const uint32_t *codes = matrix_values(task->matrix, task->index, block);
		uint32_t	n_rows = matrix_block_rows(task->matrix, block);

		for (uint32_t row = 0; row < n_rows; row++)
		{
			uint16_t	slice = slices->of_row[block * MATRIX_BLOCK_ROWS + row];

			if (slice != SLICE_NONE)
				counts[(size_t) slice * n_cells + (codes[row] == CODE_MISSING ? CELL_NULL : cells[codes[row]])]++;
		}
	}
	free(cells);
}

/* The record of one part of a column of texts. */
static bool
record_texts(const ColumnTask *task, TextCount *texts, const uint64_t *counts, ReferenceColumn *name, const TimeSlices *slices, Buffer *records,
			 Error *error)
{
	uint32_t	n = task->column->n_codes;
	Profile		profile;
	Distribution distribution;
	CodeSlices	by = {task, &distribution};
	bool		done;

	for (uint32_t code = 0; code < n; code++)
		texts[code].count = counts[code];
	if (!profile_init(&profile, KIND_CATEGORY, NULL, counter_memory, error))
		return false;
	profile.d.n_null = counts[n];
	done = count_texts(&profile, texts, n, error) && profile_collect(&profile, counter_memory, &distribution, error);
	if (done)
	{
		done = distribution_rows(&distribution) == 0 ||
			record_column(records, name, &distribution, NULL, slices, slice_codes, &by, error);
		distribution_free(&distribution, counter_memory);
	}
	profile_free(&profile);
	return done;
}

/* A column of texts by part. */
static bool
freeze_texts(const ColumnTask *task, ReferenceColumn *name, const TimeSlices *slices, Buffer *records, Error *error)
{
	const RowParts *parts = task->parts;
	uint32_t	n = task->column->n_codes;
	uint64_t	n_counts = (uint64_t) parts->n * ((uint64_t) n + 1);
	uint64_t   *counts = parts->n == 1 || n_counts <= COUNTS_MAX ? calloc(n_counts, sizeof(uint64_t)) : NULL;
	TextCount  *texts = malloc(((size_t) n + 1) * sizeof(TextCount));
	bool		done = counts != NULL && texts != NULL;

	if (done)
		count_codes(task, counts);
	for (uint32_t code = 0; code < n && done; code++)
		texts[code].text = matrix_text(task->matrix, task->index, code, &texts[code].length);
	for (uint32_t part = 0; part < parts->n && done; part++)
	{
		memcpy(name->segment, parts->segments[part], SEGMENT_SIZE);
		done = record_texts(task, texts, counts + (size_t) part * (n + 1), name, slices, records, error);
	}
	free(counts);
	free(texts);
	return done;
}

/* ---- All columns ---- */

/* One column by one division of the rows. */
static void
freeze_column(const ColumnWork *work, uint32_t index, const RowParts *parts, const TimeSlices *slices)
{
	const MatrixColumn *column = &work->matrix->columns[index];
	ColumnTask	task = {work->matrix, index, column, parts};
	Buffer	   *records = &work->records[index];
	size_t		before = records->size;
	ReferenceColumn name;
	Error		error;
	bool		done;

	strcpy(name.role, column->role == ROLE_TARGET ? "target" : "feature");
	memcpy(name.name, column->name, sizeof(name.name));
	if (column->storage == STORAGE_CODE)
		done = freeze_texts(&task, &name, slices, records, &error);
	else if (parts->of_row == NULL)
		done = freeze_all_numbers(&task, work->counters != NULL && column->frozen ? &work->counters[index] : NULL, work->n_counted, &name, slices, records, &error);
	else
		done = freeze_numbers(&task, &name, slices, records, &error);
	if (!done && !records->failed)
		records->size = before;
}

static void
column_task(void *argument, size_t index)
{
	const ColumnWork *work = argument;
	const Freeze *freeze = work->freeze;
	TimeSlices	none = {0};

	if (!work->matrix->columns[index].frozen)
		return;
	freeze_column(work, (uint32_t) index, &freeze->used, &freeze->slices);
	for (uint32_t i = 0; i < freeze->n_divisions; i++)
		freeze_column(work, (uint32_t) index, &freeze->divisions[i], &none);
}

bool
freeze_columns(const Freeze *freeze, Trainer *trainer, Buffer *reference, Error *error)
{
	uint32_t	n = trainer->matrix.header->n_columns;
	ColumnWork	work = {freeze, &trainer->matrix, calloc((size_t) n + 1, sizeof(Buffer)), trainer->counters, trainer->n_profiled};

	if (work.records == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for the profiles of %u columns", n);
	for (uint32_t i = 0; i < n; i++)
		buffer_init(&work.records[i]);
	pool_for(trainer->pool, n, column_task, &work);
	for (uint32_t i = 0; i < n; i++)
	{
		if (!work.records[i].failed)
			buffer_bytes(reference, work.records[i].data, work.records[i].size);
		buffer_free(&work.records[i]);
	}
	free(work.records);
	freeze_ahead_end(trainer);
	return buffer_check(reference, error);
}
