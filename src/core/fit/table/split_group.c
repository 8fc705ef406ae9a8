/*
 * split_group.c
 *		Splits that keep rows together: by time and by group.
 *
 * Rows are sorted by a key (the time, latest first; or a hash of the group's
 * value and the seed), which makes runs that go to one part whole.  A part
 * takes a run if that brings it nearer to round(share * n) rows.  Times are
 * taken in sequence, from the latest, up to the first that does not; groups
 * that do not are passed over.  A part whose share is a row or more gets at
 * least one run (the first time, the smallest group), and one run at least is
 * left for training; too few different values for that are an error.
 */
#include "split.h"

#include "../../hash.h"

/* One behind the run of equal keys that begins at i. */
static size_t
run_end(const RowSet *rows, size_t i)
{
	size_t		end = i + 1;

	while (end < rows->n && rows->items[end].key == rows->items[i].key)
		end++;
	return end;
}

static size_t
count_runs(const RowSet *rows)
{
	size_t		n_runs = 0;

	for (size_t i = 0; i < rows->n; i = run_end(rows, i))
		n_runs++;
	return n_runs;
}

static size_t
distance(size_t a, size_t b)
{
	return a > b ? a - b : b - a;
}

/* Gives the run that begins at i to a part; its length. */
static size_t
take_run(RowSet *rows, size_t i, Part part)
{
	size_t		end = run_end(rows, i);

	for (size_t k = i; k < end; k++)
		rows->parts[rows->items[k].index] = (uint8_t) part;
	return end - i;
}

/* Gives a part its runs; leaves at least `reserve` of the n_free free ones alone.  The runs that stay free. */
static size_t
take_runs(RowSet *rows, Part part, size_t quota, bool in_sequence, size_t n_free, size_t reserve)
{
	size_t		taken = 0;
	size_t		shortest = 0;
	size_t		shortest_length = SIZE_MAX;

	for (size_t i = 0, end; i < rows->n && quota > 0 && n_free > reserve; i = end)
	{
		end = run_end(rows, i);
		if (rows->parts[rows->items[i].index] != PART_TRAIN)
			continue;
		if (distance(taken + end - i, quota) < distance(taken, quota) || (in_sequence && taken == 0))
		{
			taken += take_run(rows, i, part);
			n_free--;
		}
		else if (in_sequence)
			break;
		else if (end - i < shortest_length)
		{
			shortest = i;
			shortest_length = end - i;
		}
	}
	if (quota > 0 && taken == 0)
	{
		take_run(rows, shortest, part);
		n_free--;
	}
	return n_free;
}

/* Sorts the positions by their keys; test and validation are the first runs. */
static bool
split_runs(RowSet *rows, const SplitPlan *plan, bool in_sequence, const char *what, Error *error)
{
	size_t		test = split_quota(plan->test, rows->n);
	size_t		validation = split_quota(plan->validation, rows->n);
	size_t		n_runs;
	size_t		needed = 1 + (test > 0) + (validation > 0);

	if (!sort_by_key(rows->items, rows->spare, rows->n, rows->pool, rows->scratch, error))
		return false;
	n_runs = count_runs(rows);
	if (n_runs < needed)
	{
		error_set(error, ERROR_DATA, "split column \"%s\" has too few different values", rows->matrix->columns[rows->split].name);
		return error_detail(error, "It has %zu, and the parts need at least %zu %s.", n_runs, needed, what);
	}
	n_runs = take_runs(rows, PART_TEST, test, in_sequence, n_runs, needed - (test > 0));
	take_runs(rows, PART_VALIDATION, validation, in_sequence, n_runs, 1);
	if (test == 0)
		return true;
	if (!split_begin_cuts(rows, NULL, 1, error))
		return false;
	for (size_t i = 0; i < rows->n; i++)
		split_note(rows, 0, rows->items[i].index, rows->items[i].key);
	return true;
}

bool
split_by_time(RowSet *rows, const SplitPlan *plan, Error *error)
{
	const Matrix *matrix = rows->matrix;
	const MatrixColumn *column = &matrix->columns[rows->split];

	if (column->storage == STORAGE_CODE)
	{
		error_set(error, ERROR_TYPE, "split column \"%s\" of type %s is not a time", column->name, column->type_name);
		return error_hint(error, "Split by a date, a timestamp or a number, or use \"column\" or \"group\".");
	}
	for (size_t i = 0; i < rows->n; i++)
	{
		rows->items[i].key = ~sort_number_key(matrix_number(matrix, rows->split, rows->rows[i]));
		rows->items[i].index = (uint32_t) i;
	}
	return split_runs(rows, plan, true, "times", error);
}

bool
split_by_group(RowSet *rows, const SplitPlan *plan, Error *error)
{
	const Matrix *matrix = rows->matrix;
	const MatrixColumn *column = &matrix->columns[rows->split];

	for (size_t i = 0; i < rows->n; i++)
	{
		uint64_t	value;

		if (column->storage == STORAGE_CODE)
		{
			size_t		length;
			const char *text = matrix_text(matrix, rows->split, matrix_code(matrix, rows->split, rows->rows[i]), &length);

			value = hash64_bytes(text, length);
		}
		else
			value = hash64_number_bits(matrix_number(matrix, rows->split, rows->rows[i]));
		rows->items[i].key = hash64_combine(value, plan->seed);
		rows->items[i].index = (uint32_t) i;
	}
	return split_runs(rows, plan, false, "groups", error);
}
