/*
 * distribution.c
 *		What a distribution says: bounds, quantiles, distinct values, top values; taking one away from another.
 */
#include "distribution.h"

#include <math.h>
#include <string.h>

#include "../hash.h"

/* An empty one. */
void
distribution_init(Distribution *distribution, ColumnKind kind)
{
	memset(distribution, 0, sizeof(Distribution));
	distribution->kind = kind;
	distribution->lowest = NAN;
	distribution->highest = NAN;
}

/* Frees what an opened or collected one holds. */
void
distribution_free(Distribution *distribution, ProfileMemory memory)
{
	distribution->cells = memory.resize(memory.context, distribution->cells, 0);
	distribution->names = memory.resize(memory.context, distribution->names, 0);
	distribution->n_cells = 0;
}

/* The least and the greatest number of a cell. */
void
cell_bounds(const Distribution *distribution, const DistributionCell *cell, double *low, double *high)
{
	uint64_t	first = cell->key << distribution->shift;
	uint64_t	last = first | ((UINT64_C(1) << distribution->shift) - 1);

	*low = fmax(key_number(first), distribution->lowest);
	*high = fmin(key_number(last == KEY_OF_MINUS_ZERO ? last - 1 : last), distribution->highest);
}

/* A number that stands for a cell. */
double
cell_number(const Distribution *distribution, const DistributionCell *cell)
{
	double		low;
	double		high;

	if (cell->votes == cell->count)
		return key_number(cell->name);
	cell_bounds(distribution, cell, &low, &high);
	return low / 2 + high / 2;
}

/* The text of a cell of texts. */
const char *
cell_text(const Distribution *distribution, const DistributionCell *cell, size_t *length)
{
	*length = cell_name_length(cell->name);
	return (const char *) distribution->names + cell_name_offset(cell->name) + sizeof(uint64_t);
}

/* The value of one rank, 0 the least; within a cell ranks lie evenly. */
static double
value_of_rank(const Distribution *d, uint64_t rank)
{
	double		low;
	double		high;
	size_t		i = 0;

	while (i + 1 < d->n_cells && rank >= d->cells[i].count)
		rank -= d->cells[i++].count;
	if (d->cells[i].votes == d->cells[i].count)
		return key_number(d->cells[i].name);
	cell_bounds(d, &d->cells[i], &low, &high);
	return low + (high - low) * (((double) rank + 0.5) / (double) d->cells[i].count);
}

/* Quantile of the finite values. */
double
distribution_quantile(const Distribution *distribution, double q)
{
	if (distribution->n == 0 || distribution_is_text(distribution) || !(q >= 0 && q <= 1))
		return NAN;

	uint64_t	last = distribution->n - 1;
	double		place = q * (double) last;
	uint64_t	rank = place >= (double) last ? last : (uint64_t) place;
	double		part = place - (double) rank;
	double		low = value_of_rank(distribution, rank);

	if (rank == 0 && part <= 0)
		return distribution->lowest;
	if (rank == last)
		return distribution->highest;
	return part <= 0 ? low : low + part * (value_of_rank(distribution, rank + 1) - low);
}

/* Of Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6. */
static double
ertl_sigma(double x)
{
	double		y = 1;
	double		z = x;
	double		before;

	if (x == 1)
		return INFINITY;
	do
	{
		x *= x;
		before = z;
		z += x * y;
		y += y;
	} while (z != before);
	return z;
}

static double
ertl_tau(double x)
{
	double		y = 1;
	double		z = 1 - x;
	double		before;

	if (x == 0 || x == 1)
		return 0;
	do
	{
		x = sqrt(x);
		before = z;
		y *= 0.5;
		z -= (1 - x) * (1 - x) * y;
	} while (z != before);
	return z / 3;
}

static double
estimate_distinct(const uint8_t *registers)
{
	const int	most = 64 - REGISTER_BITS + 1;
	double		counts[64 - REGISTER_BITS + 2] = {0};
	double		m = N_REGISTERS;
	double		z;

	for (size_t i = 0; i < N_REGISTERS; i++)
		counts[registers[i]]++;
	z = m * ertl_tau(1 - counts[most] / m);
	for (int k = most - 1; k >= 1; k--)
		z = 0.5 * (z + counts[k]);
	z += m * ertl_sigma(counts[0] / m);
	return m * m / (2 * M_LN2 * z);
}

/* Distinct values. */
double
distribution_distinct(const Distribution *distribution, bool *exact)
{
	*exact = distribution->shift == 0;
	if (*exact)
		return (double) distribution->n_cells;
	if (distribution->registers == NULL)
		return NAN;
	/* every cell has a value, and no row has two */
	return fmin(fmax(round(estimate_distinct(distribution->registers)), (double) distribution->n_cells), (double) distribution->n);
}

/* How often the named value of a cell was there. */
uint64_t
cell_named_count(const DistributionCell *cell)
{
	return cell->votes + (cell->count - cell->votes) / 2;
}

/* Numbers of the cells whose named values are the most frequent. */
size_t
distribution_top(const Distribution *distribution, size_t *top, size_t most)
{
	size_t		n = 0;

	for (size_t i = 0; i < distribution->n_cells; i++)
	{
		const DistributionCell *cell = &distribution->cells[i];
		uint64_t	count = cell_named_count(cell);
		size_t		place = n;

		/* not the majority of its cell: nothing is known of it */
		if (cell->votes * 2 <= cell->count)
			continue;
		while (place > 0 && cell_named_count(&distribution->cells[top[place - 1]]) < count)
			place--;
		if (place >= most)
			continue;
		n = n < most ? n + 1 : most;
		memmove(&top[place + 1], &top[place], (n - place - 1) * sizeof(size_t));
		top[place] = i;
	}
	return n;
}

/* Moments of exact values, from their cells. */
static void
measure_cells(Distribution *d)
{
	Moments		moments = {(double) d->n, 0, 0, 0, 0};
	double		mean = 0;

	for (size_t i = 0; i < d->n_cells; i++)
		mean += key_number(d->cells[i].key) * ((double) d->cells[i].count / moments.n);
	moments.mean = d->n > 0 ? mean : 0;
	for (size_t i = 0; i < d->n_cells; i++)
	{
		double		count = (double) d->cells[i].count;
		double		distance = key_number(d->cells[i].key) - moments.mean;
		double		square = distance * distance;

		moments.m2 += count * square;
		moments.m3 += count * square * distance;
		moments.m4 += count * square * square;
	}
	d->moments = moments;
}

static bool
not_contained(Error *error)
{
	return error_set(error, ERROR_DATA, "the distribution to subtract has rows that the other one has not");
}

/* Takes the part's cells away; both have the whole's shift or a narrower one. */
static bool
subtract_cells(Distribution *whole, const Distribution *part, Error *error)
{
	uint32_t	drop = whole->shift - part->shift;
	size_t		i = 0;
	size_t		n = 0;

	for (size_t j = 0; j < part->n_cells; j++)
	{
		uint64_t	key = part->cells[j].key >> drop;
		DistributionCell *cell;

		while (i < whole->n_cells && whole->cells[i].key < key)
			i++;
		cell = &whole->cells[i];
		if (i == whole->n_cells || cell->key != key || cell->count < part->cells[j].count)
			return not_contained(error);
		cell->count -= part->cells[j].count;
		cell->votes -= cell->votes < part->cells[j].count ? cell->votes : part->cells[j].count;
	}
	for (i = 0; i < whole->n_cells; i++)
	{
		if (whole->cells[i].count > 0)
			whole->cells[n++] = whole->cells[i];
	}
	whole->n_cells = n;
	return true;
}

/* The range that the remaining cells allow. */
static void
narrow_range(Distribution *d)
{
	double		low;
	double		high;

	if (d->n_cells == 0 || distribution_is_text(d))
	{
		d->lowest = d->highest = NAN;
		return;
	}
	cell_bounds(d, &d->cells[0], &low, &high);
	d->lowest = low;
	cell_bounds(d, &d->cells[d->n_cells - 1], &low, &high);
	d->highest = high;
}

/* Takes away the rows of a part. */
bool
distribution_subtract(Distribution *whole, const Distribution *part, Error *error)
{
	if (whole->kind != part->kind)
		return error_set(error, ERROR_TYPE, "a distribution of kind %s cannot be subtracted from one of kind %s",
						 kind_name(part->kind), kind_name(whole->kind));
	if (part->shift > whole->shift || part->n > whole->n || part->n_null > whole->n_null || part->n_nan > whole->n_nan ||
		part->n_below > whole->n_below || part->n_above > whole->n_above)
		return not_contained(error);
	if (!subtract_cells(whole, part, error))
		return false;
	whole->n_null -= part->n_null;
	whole->n_nan -= part->n_nan;
	whole->n_below -= part->n_below;
	whole->n_above -= part->n_above;
	whole->n -= part->n;
	whole->registers = NULL;
	narrow_range(whole);
	if (distribution_is_text(whole))
		return true;
	if (whole->shift == 0)
		measure_cells(whole);
	else
		moments_subtract(&whole->moments, &part->moments);
	return true;
}
