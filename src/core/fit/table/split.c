/*
 * split.c
 *		Which rows train, which validate, which test.
 *
 * SPLIT_RANDOM orders the rows by a hash of (row hash, number among its
 * equals, seed) and takes round(share * n) of them, first for the test, then
 * for validation.  Stratified, each class gives its share: whole parts of
 * share * n_class first, then the classes with the largest remainders give
 * one row more until round(share * n) is reached (Hamilton's method).
 *
 * SPLIT_COLUMN follows a column; SPLIT_TIME and SPLIT_GROUP (split_group.c)
 * move whole times and groups.
 *
 * What few rows cannot give: every class, and the table as a whole, keeps at
 * least one row for training, so a single row, and the only row of a class,
 * always train; a part may then be smaller than its share, or empty.
 */
#include "split.h"

#include <math.h>
#include <string.h>

#include "../../hash.h"

size_t
split_quota(double share, size_t n)
{
	size_t		quota = (size_t) floor(share * (double) n + 0.5);

	return quota < n ? quota : n - (n > 0);
}

bool
split_begin_cuts(RowSet *rows, const double *targets, uint32_t n, Error *error)
{
	rows->cuts = arena_alloc(rows->scratch, n, sizeof(TestCut), error);
	if (rows->cuts == NULL)
		return false;
	rows->n_cuts = n;
	for (uint32_t c = 0; c < n; c++)
		rows->cuts[c] = (TestCut) {targets != NULL ? targets[c] : NAN, UINT64_MAX};
	return true;
}

#define CHUNK_ROWS 65536

typedef struct SplitRows
{
	RowSet	   *rows;
	double	   *targets;		/* one a canonical position; of texts the code */
	uint32_t   *classes;		/* one a canonical position */
	uint32_t	n_classes;
	double	   *class_targets;	/* n_classes; NULL where the split is not stratified */
} SplitRows;

typedef struct TargetClass
{
	double		value;
	uint32_t	number;
} TargetClass;

/* ---- Classes ---- */

/*
 * Targets are gathered first, and told apart afterwards: a branch on a value
 * that is still on its way from memory would wait for it, row by row.
 */
static void
load_targets(void *argument, size_t chunk)
{
	const SplitRows *split = argument;
	const RowSet *rows = split->rows;
	size_t		begin = chunk * CHUNK_ROWS;
	size_t		end = begin + CHUNK_ROWS < rows->n ? begin + CHUNK_ROWS : rows->n;
	bool		coded = rows->matrix->columns[rows->target].storage == STORAGE_CODE;

	for (size_t i = begin; i < end; i++)
		split->targets[i] = coded ? (double) matrix_code(rows->matrix, rows->target, rows->rows[i])
			: matrix_number(rows->matrix, rows->target, rows->rows[i]);
}

/* Place of a value among the sorted classes, whether it is there or not. */
static uint32_t
class_place(const TargetClass *classes, uint32_t n, double value)
{
	uint32_t	low = 0;
	uint32_t	high = n;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (classes[middle].value < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * Numbers the classes of the rows by their first appearance in canonical
 * order, which is the same for the same rows; all 0 where the split is not
 * stratified.
 */
static bool
find_classes(SplitRows *split, bool stratified, Error *error)
{
	RowSet	   *rows = split->rows;
	TargetClass *classes = arena_alloc(rows->scratch, MAX_CLASSES + 1, sizeof(TargetClass), error);
	uint32_t	n = 0;

	split->classes = arena_zeroed(rows->scratch, rows->n, sizeof(uint32_t), error);
	split->targets = arena_alloc(rows->scratch, rows->n, sizeof(double), error);
	if (classes == NULL || split->classes == NULL || split->targets == NULL)
		return false;
	split->n_classes = 1;
	if (!stratified)
		return true;

	pool_for(rows->pool, (rows->n + CHUNK_ROWS - 1) / CHUNK_ROWS, load_targets, split);
	for (size_t i = 0; i < rows->n; i++)
	{
		double		value = split->targets[i];
		uint32_t	place = class_place(classes, n, value);

		if (place == n || classes[place].value != value)
		{
			if (n == MAX_CLASSES)
			{
				error_set(error, ERROR_DATA, "target column \"%s\" has more than %d classes",
						  rows->matrix->columns[rows->target].name, MAX_CLASSES);
				return error_hint(error, "A number with so many different values is a regression: use task => 'regression'.");
			}
			memmove(classes + place + 1, classes + place, (n - place) * sizeof(TargetClass));
			classes[place] = (TargetClass) {value, n++};
		}
		split->classes[i] = classes[place].number;
	}
	split->n_classes = n;
	split->class_targets = arena_alloc(rows->scratch, n, sizeof(double), error);
	if (split->class_targets == NULL)
		return false;
	for (uint32_t c = 0; c < n; c++)
		split->class_targets[classes[c].number] = classes[c].value;
	return true;
}

/* ---- Shares of classes ---- */

/* Gives out round(share * total) rows among classes, from each at most room[c]; takes them from room. */
static bool
allot(RowSet *rows, uint32_t n_classes, const size_t *counts, size_t *room, double share, size_t *quotas, Error *error)
{
	SortItem   *items = arena_alloc(rows->scratch, n_classes, sizeof(SortItem), error);
	SortItem   *spare = arena_alloc(rows->scratch, n_classes, sizeof(SortItem), error);
	size_t		total = 0;
	size_t		given = 0;

	if (items == NULL || spare == NULL)
		return false;
	for (uint32_t c = 0; c < n_classes; c++)
	{
		double		exact = share * (double) counts[c];

		quotas[c] = (size_t) floor(exact);
		if (quotas[c] > room[c])
			quotas[c] = room[c];
		total += counts[c];
		given += quotas[c];

		/* the largest remainder first */
		items[c] = (SortItem) {sort_number_key(-(exact - floor(exact))), c, 0};
	}
	if (!sort_by_key(items, spare, n_classes, rows->pool, rows->scratch, error))
		return false;

	size_t		wanted = split_quota(share, total);

	for (uint32_t i = 0; i < n_classes && given < wanted; i++)
	{
		uint32_t	c = items[i].index;

		if (quotas[c] < room[c])
		{
			quotas[c]++;
			given++;
		}
	}
	for (uint32_t c = 0; c < n_classes; c++)
		room[c] -= quotas[c];
	return true;
}

/* ---- By hash ---- */

/* Replaces the hashes by what decides membership; the class travels with the position. */
static void
hash_membership(const SplitRows *split, uint64_t seed)
{
	RowSet	   *rows = split->rows;
	uint64_t	hash = 0;
	uint64_t	number = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		number = i > 0 && rows->items[i].key == hash ? number + 1 : 0;
		hash = rows->items[i].key;
		rows->items[i].key = hash64_combine(hash64_combine(hash, number), seed);
		rows->items[i].index = (uint32_t) i;
		rows->items[i].extra = split->classes[i];
	}
}

/* Takes shares of the rows that are in training so far. */
static bool
split_by_hash(SplitRows *split, const SplitPlan *plan, double test, double validation, Error *error)
{
	RowSet	   *rows = split->rows;
	size_t	   *counts;
	size_t	   *room;
	size_t	   *test_quotas;
	size_t	   *validation_quotas;

	if (test == 0 && validation == 0)
		return true;
	if (!find_classes(split, plan->stratified, error))
		return false;
	counts = arena_zeroed(rows->scratch, split->n_classes, sizeof(size_t), error);
	room = arena_alloc(rows->scratch, split->n_classes, sizeof(size_t), error);
	test_quotas = arena_alloc(rows->scratch, split->n_classes, sizeof(size_t), error);
	validation_quotas = arena_alloc(rows->scratch, split->n_classes, sizeof(size_t), error);
	if (counts == NULL || room == NULL || test_quotas == NULL || validation_quotas == NULL)
		return false;

	for (size_t i = 0; i < rows->n; i++)
		counts[split->classes[i]] += rows->parts[i] == PART_TRAIN;
	for (uint32_t c = 0; c < split->n_classes; c++)
		room[c] = counts[c] - (counts[c] > 0);
	if (!allot(rows, split->n_classes, counts, room, test, test_quotas, error) ||
		!allot(rows, split->n_classes, counts, room, validation, validation_quotas, error))
		return false;

	hash_membership(split, plan->seed);
	if (!sort_by_key(rows->items, rows->spare, rows->n, rows->pool, rows->scratch, error) ||
		(test > 0 && !split_begin_cuts(rows, split->class_targets, split->n_classes, error)))
		return false;
	for (size_t i = 0; i < rows->n; i++)
	{
		uint32_t	position = rows->items[i].index;
		uint32_t	class = rows->items[i].extra;

		if (rows->parts[position] != PART_TRAIN)
			continue;
		if (test_quotas[class] > 0)
		{
			rows->parts[position] = PART_TEST;
			test_quotas[class]--;
		}
		else if (validation_quotas[class] > 0)
		{
			rows->parts[position] = PART_VALIDATION;
			validation_quotas[class]--;
		}
		if (test > 0)
			split_note(rows, class, position, rows->items[i].key);
	}
	return true;
}

/* ---- By a column ---- */

/* Membership keys: the column alone decides. */
#define COLUMN_KEY_TEST 0
#define COLUMN_KEY_OTHER 1

/* The part that a word names, or -1. */
static int
part_of_word(const char *text, size_t length)
{
	static const char *const words[] = {"train", "validation", "test"};

	for (int part = PART_TRAIN; part <= PART_TEST; part++)
	{
		if (text_compare(text, length, words[part], strlen(words[part])) == 0)
			return part;
	}
	return -1;
}

/* A text column names the part of each row. */
static bool
split_by_words(RowSet *rows, Error *error)
{
	const Matrix *matrix = rows->matrix;
	const MatrixColumn *column = &matrix->columns[rows->split];

	for (size_t i = 0; i < rows->n; i++)
	{
		size_t		length;
		const char *text = matrix_text(matrix, rows->split, matrix_code(matrix, rows->split, rows->rows[i]), &length);
		int			part = part_of_word(text, length);

		if (part < 0)
		{
			error_set(error, ERROR_DATA, "split column \"%s\" has the value \"%.*s\"", column->name,
					  length < 64 ? (int) length : 64, text);
			return error_hint(error, "A text column names the part of each row: train, validation or test.");
		}
		rows->parts[i] = (uint8_t) part;
	}
	return true;
}

/* The column decides; a share of what it leaves for training may go to validation. */
static bool
split_by_column(SplitRows *split, const SplitPlan *plan, Error *error)
{
	RowSet	   *rows = split->rows;
	bool		coded = rows->matrix->columns[rows->split].storage == STORAGE_CODE;
	bool		has_validation = false;

	if ((coded && !split_by_words(rows, error)) || !split_begin_cuts(rows, NULL, 1, error))
		return false;
	for (size_t i = 0; i < rows->n; i++)
	{
		if (!coded && matrix_number(rows->matrix, rows->split, rows->rows[i]) != 0)
			rows->parts[i] = PART_TEST;
		split_note(rows, 0, i, rows->parts[i] == PART_TEST ? COLUMN_KEY_TEST : COLUMN_KEY_OTHER);
		has_validation = has_validation || rows->parts[i] == PART_VALIDATION;
	}
	if (has_validation && plan->validation > 0)
	{
		error_set(error, ERROR_PARAMETER, "split column \"%s\" names validation rows already",
				  rows->matrix->columns[rows->split].name);
		return error_hint(error, "Leave out \"validation\" in split, or the word validation in the column.");
	}
	return split_by_hash(split, plan, 0, plan->validation, error);
}

/* Every row used has a value in the split column. */
static bool
check_split_column(const RowSet *rows, Error *error)
{
	const Matrix *matrix = rows->matrix;
	size_t		n_missing = 0;

	if (rows->split < 0)
		return error_set(error, ERROR_INTERNAL, "the matrix has no split column");

	bool		coded = matrix->columns[rows->split].storage == STORAGE_CODE;

	for (size_t i = 0; i < rows->n; i++)
	{
		if (coded)
			n_missing += matrix_code(matrix, rows->split, rows->rows[i]) == CODE_MISSING;
		else
			n_missing += isnan(matrix_number(matrix, rows->split, rows->rows[i])) != 0;
	}
	if (n_missing > 0)
	{
		error_set(error, ERROR_DATA, "split column \"%s\" is NULL in %zu rows", matrix->columns[rows->split].name, n_missing);
		return error_hint(error, "Every row needs a value there; leave the others out of the source query.");
	}
	return true;
}

bool
split_rows(RowSet *rows, const SplitPlan *plan, Error *error)
{
	SplitRows	split = {.rows = rows};

	rows->parts = arena_zeroed(rows->scratch, rows->n, sizeof(uint8_t), error);
	if (rows->parts == NULL)
		return false;
	if (plan->keep_keys)
	{
		rows->keys = arena_zeroed(rows->scratch, rows->n, sizeof(uint64_t), error);
		if (rows->keys == NULL)
			return false;
	}
	if (plan->kind != SPLIT_RANDOM && !check_split_column(rows, error))
		return false;
	switch (plan->kind)
	{
		case SPLIT_RANDOM:
			return split_by_hash(&split, plan, plan->test, plan->validation, error);
		case SPLIT_COLUMN:
			return split_by_column(&split, plan, error);
		case SPLIT_TIME:
			return split_by_time(rows, plan, error);
		case SPLIT_GROUP:
			return split_by_group(rows, plan, error);
	}
	return error_set(error, ERROR_INTERNAL, "unknown kind of split %d", (int) plan->kind);
}
