/*
 * recipe_measure.c
 *		Counts, moments, medians and modes of the training rows.
 *
 * One task a column, so that the results are the same on any number of
 * threads; one that is not gathered is loaded for as long as its task takes.
 */
#include "recipe_measure.h"

#include <math.h>

#include "encode.h"
#include "../summary.h"

typedef struct MeasureWork
{
	const FittedRecipe *recipe;
	RowRange	range;			/* the training rows */
	ColumnMeasure *measures;
	const uint32_t *positions;
	uint8_t    *rooms;			/* for each thread: of a loaded column */
	size_t		room_size;
	double	   *scratch;		/* scratch_size for each thread: of measure_median() */
	size_t		scratch_size;
} MeasureWork;

/* Counts, range, mean and spread. */
static void
measure_numbers(const TableColumn *column, RowRange range, ColumnMeasure *measure)
{
	Summary		summary = {.lowest = INFINITY,.highest = -INFINITY};

	for (size_t begin = range.begin; begin < range.end; begin += SUMMARY_TILE)
	{
		double		tile[SUMMARY_TILE] __attribute__((aligned(64)));
		size_t		n = range.end - begin < SUMMARY_TILE ? range.end - begin : SUMMARY_TILE;

		encode_numbers(column, begin, n, tile);
		summary_add(&summary, tile, n);
	}
	measure->n_null = measure->n_missing = summary.n_missing;
	measure->n_infinite = summary.n_infinite;
	measure->n_present = range_rows(range) - summary.n_missing;
	measure->squares = summary.squares;
	if (measure->n_present > 0)
	{
		measure->lowest = summary.lowest;
		measure->highest = summary.highest;
		/* with infinities the mean is infinite, or none */
		measure->mean = summary.n_infinite > 0 ? (isfinite(summary.lowest) ? 0 : summary.lowest) + (isfinite(summary.highest) ? 0 : summary.highest)
			: summary.mean;
	}
}

/* Measures one column. */
static void
measure_column(void *argument, size_t index, int thread)
{
	MeasureWork *work = argument;
	const FittedColumn *column = &work->recipe->columns[index];
	ColumnMeasure *measure = &work->measures[index];
	RowRange	range = work->range;
	TableColumn values = table_load(column->table, range, work->positions, work->rooms + (size_t) thread * work->room_size);

	measure->lowest = measure->highest = measure->mean = measure->middle = NAN;
	if (measure->counts != NULL)
	{
		for (size_t row = range.begin; row < range.end; row++)
		{
			uint32_t	code = table_code(&values, row);

			if (code == CODE_MISSING)
				measure->n_null++;
			else
				measure->counts[code]++;
		}
		return;
	}
	measure_numbers(&values, range, measure);
	if (measure->n_present > 0 && column->recipe.missing == MISSING_MEDIAN)
		measure->middle = measure_median(&values, range, measure, work->scratch + (size_t) thread * work->scratch_size);
}

/* The most frequent number, the smallest of equals; uses the pool itself. */
static bool
measure_mode(const TableColumn *column, RowRange range, ColumnMeasure *measure, ThreadPool *pool, Arena *scratch, Error *error)
{
	SortItem   *items = arena_alloc(scratch, measure->n_present, sizeof(SortItem), error);
	SortItem   *spare = arena_alloc(scratch, measure->n_present, sizeof(SortItem), error);
	size_t		n = 0;
	size_t		longest = 0;

	if (items == NULL || spare == NULL)
		return false;
	for (size_t row = range.begin; row < range.end; row++)
	{
		double		value = table_number(column, row);

		if (!isnan(value))
			items[n++] = (SortItem) {sort_number_key(value), 0, 0};
	}
	if (!sort_by_key(items, spare, n, pool, scratch, error))
		return false;
	for (size_t i = 0, end; i < n; i = end)
	{
		for (end = i + 1; end < n && items[end].key == items[i].key;)
			end++;
		if (end - i > longest)
		{
			longest = end - i;
			measure->middle = sort_key_number(items[i].key);
		}
	}
	return true;
}

/* The same with memory that is given back before the next column. */
static bool
find_mode(const TableColumn *column, RowRange range, ColumnMeasure *measure, ThreadPool *pool, Error *error)
{
	Arena		scratch;

	arena_init(&scratch);

	bool		found = measure_mode(column, range, measure, pool, &scratch, error);

	arena_free(&scratch);
	return found;
}

/* What loading columns takes, where there is one to load. */
static bool
prepare_loads(MeasureWork *work, const Table *table, ThreadPool *pool, Arena *scratch, Error *error)
{
	for (uint32_t f = 0; f < table->n_features; f++)
	{
		if (table_is_gathered(&table->features[f], work->range))
			continue;
		work->room_size = (range_rows(work->range) + 1) * sizeof(double);
		work->positions = table_positions(table, pool, scratch, error);
		work->rooms = arena_alloc(scratch, (size_t) pool_threads(pool), work->room_size, error);
		return work->positions != NULL && work->rooms != NULL;
	}
	return true;
}

/* What medians take, where there is one to find. */
static bool
prepare_medians(MeasureWork *work, ThreadPool *pool, Arena *scratch, Error *error)
{
	bool		any = false;

	for (uint32_t c = 0; c < work->recipe->n_columns; c++)
		any = any || work->recipe->columns[c].recipe.missing == MISSING_MEDIAN;
	if (!any)
		return true;
	work->scratch_size = measure_median_scratch(range_rows(work->range));
	work->scratch = arena_alloc(scratch, (size_t) pool_threads(pool) * work->scratch_size, sizeof(double), error);
	return work->scratch != NULL;
}

bool
measure_columns(const FittedRecipe *recipe, const Table *table, ColumnMeasure *measures, ThreadPool *pool, Arena *scratch,
				Error *error)
{
	MeasureWork work = {.recipe = recipe,.range = table->train,.measures = measures};

	if (!prepare_loads(&work, table, pool, scratch, error))
		return false;

	for (uint32_t c = 0; c < recipe->n_columns; c++)
	{
		const FittedColumn *column = &recipe->columns[c];

		if (column->recipe.storage != STORAGE_CODE)
			continue;
		measures[c].counts = arena_zeroed(scratch, column->table->n_levels, sizeof(uint64_t), error);
		if (measures[c].counts == NULL)
			return false;
	}
	if (!prepare_medians(&work, pool, scratch, error))
		return false;
	pool_for_thread(pool, recipe->n_columns, measure_column, &work);
	for (uint32_t c = 0; c < recipe->n_columns; c++)
	{
		const FittedColumn *column = &recipe->columns[c];

		if (column->recipe.missing == MISSING_MOST_FREQUENT && measures[c].counts == NULL && measures[c].n_present > 0 &&
			!find_mode(column->table, table->train, &measures[c], pool, error))
			return false;
	}
	return true;
}

void
measure_levels(const FittedColumn *column, ColumnMeasure *measure)
{
	double		sum = 0;

	measure->n_missing = measure->n_null;
	for (uint32_t code = 0; code < column->table->n_levels; code++)
	{
		uint32_t	level = column->level_of_code[code];

		if (level == CODE_MISSING)
			measure->n_missing += measure->counts[code];
		else
		{
			measure->n_present += measure->counts[code];
			sum += (double) level * (double) measure->counts[code];
		}
	}
	if (measure->n_present == 0)
		return;
	measure->lowest = 0;
	measure->highest = column->recipe.n_categories - 1;
	measure->mean = sum / (double) measure->n_present;
	for (uint32_t code = 0; code < column->table->n_levels; code++)
	{
		double		apart = (double) column->level_of_code[code] - measure->mean;

		if (column->level_of_code[code] != CODE_MISSING)
			measure->squares += apart * apart * (double) measure->counts[code];
	}
}
