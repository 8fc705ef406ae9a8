/*
 * distance_cells.c
 *		The cells of a reference, and another distribution counted in them.
 *
 * The reference's own cells, sorted by key, are put into groups; a group is a
 * cell of the comparison.  A cell of the other distribution goes to the
 * group of the reference's cell with its key, and where keys differ in width, of
 * the heaviest among those that it covers.  Where the reference has nothing, it goes
 * to the neighbours' group, if that is a range, and else to a cell of its own kind.
 */
#include "distance.h"

#include <math.h>
#include <string.h>

#define N_EQUAL			10		/* cells of equal mass */
#define MAX_VALUES		20		/* distinct values that each have a cell */
#define MAX_CATEGORIES_SHOWN 50

typedef struct Grouping
{
	const Distribution *reference;
	uint8_t    *group;			/* of each of the reference's cells */
	uint32_t	n_groups;
	uint32_t	n_points;		/* the first groups of values are of one value each; ranges follow */
} Grouping;

/* Numbers: points and ranges of equal mass. */
static void
group_numbers(Grouping *grouping)
{
	const Distribution *d = grouping->reference;
	bool		all_points = d->shift == 0 && d->n_cells <= MAX_VALUES;
	uint64_t	rest = d->n;

	for (size_t i = 0; i < d->n_cells; i++)
	{
		bool		is_point = all_points || d->cells[i].count >= (d->n + N_EQUAL - 1) / N_EQUAL;

		grouping->group[i] = is_point ? (uint8_t) (CELL_FIRST + grouping->n_points++) : 0;
		rest -= is_point ? d->cells[i].count : 0;
	}

	uint32_t	first = CELL_FIRST + grouping->n_points;
	uint32_t	n_ranges = rest > 0 ? (uint32_t) fmax(1, round(N_EQUAL * ((double) rest / (double) d->n))) : 0;
	double		before = 0;

	for (size_t i = 0; i < d->n_cells; i++)
	{
		if (grouping->group[i] != 0)
			continue;

		/* a cell belongs where its middle lies */
		double		count = (double) d->cells[i].count;
		uint32_t	range = (uint32_t) ((before + count / 2) / (double) rest * n_ranges);

		grouping->group[i] = (uint8_t) (first + (range < n_ranges ? range : n_ranges - 1));
		before += count;
	}
	grouping->n_groups = first + n_ranges;
}

/* Texts: the frequent ones, and all others. */
static void
group_texts(Grouping *grouping)
{
	const Distribution *d = grouping->reference;
	size_t		top[MAX_CATEGORIES_SHOWN];
	size_t		n_top = 0;

	memset(grouping->group, CELL_OTHER, d->n_cells);
	for (size_t i = 0; i < d->n_cells; i++)
	{
		size_t		place = n_top;

		if ((double) d->cells[i].count < 0.01 * (double) d->n)
			continue;
		while (place > 0 && d->cells[top[place - 1]].count < d->cells[i].count)
			place--;
		if (place == MAX_CATEGORIES_SHOWN)
			continue;
		n_top += n_top < MAX_CATEGORIES_SHOWN;
		memmove(&top[place + 1], &top[place], (n_top - place - 1) * sizeof(size_t));
		top[place] = i;
	}
	for (size_t i = 0; i < n_top; i++)
		grouping->group[top[i]] = (uint8_t) (CELL_FIRST + i);
	grouping->n_points = (uint32_t) n_top;
	grouping->n_groups = CELL_FIRST + grouping->n_points;
}

/* The group of values that the reference has not; next: its first cell behind them. */
static uint32_t
group_of_gap(const Grouping *grouping, size_t next)
{
	const Distribution *d = grouping->reference;

	if (distribution_is_text(d))
		return CELL_BETWEEN;
	if (next == 0)
		return CELL_BELOW;
	if (next == d->n_cells)
		return CELL_ABOVE;
	if (grouping->group[next - 1] >= CELL_FIRST + grouping->n_points)
		return grouping->group[next - 1];
	if (grouping->group[next] >= CELL_FIRST + grouping->n_points)
		return grouping->group[next];
	return CELL_BETWEEN;
}

/* Counts the current cells; both are sorted, so that one pass does it. */
static void
count_current(const Grouping *grouping, const Distribution *current, double *counts)
{
	const Distribution *d = grouping->reference;
	uint32_t	narrower = current->shift < d->shift ? d->shift - current->shift : 0;
	uint32_t	wider = current->shift > d->shift ? current->shift - d->shift : 0;
	size_t		i = 0;

	for (size_t j = 0; j < current->n_cells; j++)
	{
		uint64_t	first = current->cells[j].key >> narrower << wider;
		uint64_t	last = first + ((UINT64_C(1) << wider) - 1);
		uint64_t	heaviest = 0;
		uint32_t	group;

		while (i < d->n_cells && d->cells[i].key < first)
			i++;
		group = group_of_gap(grouping, i);
		for (size_t k = i; k < d->n_cells && d->cells[k].key <= last; k++)
		{
			if (d->cells[k].count > heaviest)
			{
				heaviest = d->cells[k].count;
				group = grouping->group[k];
			}
		}
		counts[group] += (double) current->cells[j].count;
	}
}

/* The counts that do not depend on cells. */
static void
count_others(const Distribution *d, double *counts)
{
	counts[CELL_NULL] = (double) d->n_null;
	counts[CELL_NOT_FINITE] = (double) (d->n_nan + d->n_below + d->n_above);
}

static bool
check_comparable(const Distribution *reference, const Distribution *current, Error *error)
{
	if (!kinds_comparable(reference->kind, current->kind))
		return error_set(error, ERROR_TYPE, "a distribution of kind %s cannot be compared with one of kind %s",
						 kind_name(reference->kind), kind_name(current->kind));
	return true;
}

/* The cell of each of a reference's own; how many cells there are. */
static Grouping
make_groups(const Distribution *reference, uint8_t *group)
{
	Grouping	grouping = {.reference = reference,.group = group};

	if (distribution_is_text(reference))
		group_texts(&grouping);
	else
		group_numbers(&grouping);
	return grouping;
}

uint32_t
cells_group(const Distribution *reference, uint8_t *group)
{
	return make_groups(reference, group).n_groups;
}

/* Counts of both in all cells of a reference; arrays of CELLS_MAX zeros, of_reference NULL where it is not wanted. */
static bool
count_cells(const Distribution *reference, const Distribution *current, double *of_reference, double *of_current, uint32_t *n,
			ProfileMemory memory, Error *error)
{
	uint8_t    *group;
	Grouping	grouping;

	if (!check_comparable(reference, current, error))
		return false;
	group = memory.resize(memory.context, NULL, reference->n_cells + 1);
	if (group == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for the cells of a distribution");
	grouping = make_groups(reference, group);
	*n = grouping.n_groups;
	count_current(&grouping, current, of_current);
	count_others(current, of_current);
	if (of_reference != NULL)
	{
		for (size_t i = 0; i < reference->n_cells; i++)
			of_reference[group[i]] += (double) reference->cells[i].count;
		count_others(reference, of_reference);
	}
	memory.resize(memory.context, group, 0);
	return true;
}

bool
cells_count(const Distribution *reference, const Distribution *current, double *counts, uint32_t *n, ProfileMemory memory, Error *error)
{
	memset(counts, 0, CELLS_MAX * sizeof(double));
	return count_cells(reference, current, NULL, counts, n, memory, error);
}

/* Cells of a reference, and both counted in them. */
bool
cells_match(CellCounts *counts, const Distribution *reference, const Distribution *current, ProfileMemory memory, Error *error)
{
	double		of_reference[CELLS_MAX] = {0};
	double		of_current[CELLS_MAX] = {0};
	uint32_t	n_all;
	uint32_t	n = 0;

	if (!count_cells(reference, current, of_reference, of_current, &n_all, memory, error))
		return false;
	if (distribution_rows(reference) == 0 || distribution_rows(current) == 0)
		return error_set(error, ERROR_DATA, "a distribution without rows cannot be compared");
	for (uint32_t i = 0; i < n_all; i++)
	{
		if (of_reference[i] == 0 && of_current[i] == 0)
			continue;
		of_reference[n] = of_reference[i];
		of_current[n++] = of_current[i];
	}
	*counts = cells_of(of_reference, of_current, n);
	return true;
}
