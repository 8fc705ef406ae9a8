/*
 * profile.c
 *		Counting values into a Distribution, and merging others into it.
 */
#include "profile_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../hash.h"

#define LANES 4				/* divides PROFILE_WAITING */

/*
 * Counts finite numbers.  The vote is written without branches: in wide cells nothing predicts them, and
 * a misprediction costs more than the rest.
 */
static bool
count_numbers(Profile *profile, const double *values, uint32_t n)
{
	/* the tables of many columns do not fit into the cache: their lines are asked for all at once */
	for (uint32_t i = 0; i < n; i++)
		__builtin_prefetch(&profile->d.cells[first_slot(profile, number_key(values[i]) >> profile->d.shift)], 1);
	for (uint32_t i = 0; i < n; i++)
	{
		uint64_t	value = number_key(values[i]);
		uint64_t	key = value >> profile->d.shift;
		DistributionCell *cell = find_slot(profile, key);
		bool		is_new = cell->count == 0;
		bool		is_free = cell->votes == 0;

		cell->key = key;
		cell->count++;
		cell->votes += (is_free | (cell->name == value)) ? 1 : UINT64_MAX;
		cell->name = is_free ? value : cell->name;
		if (is_new)
		{
			profile->d.n_cells++;
			if (!profile_settle(profile))
				return false;
		}
	}
	return true;
}

/*
 * Range, mean and central moments of finite numbers: two passes, in four
 * lanes that are added at the end, so that no sum waits for the one before.  The last lanes are filled up with
 * what changes nothing.
 */
static Moments
measure(double *values, uint32_t n, double *lowest, double *highest)
{
	Moments		block = {n, 0, 0, 0, 0};
	uint32_t	padded = (n + LANES - 1) / LANES * LANES;
	double		low[LANES];
	double		high[LANES];
	double		sums[4][LANES] = {{0}};

	for (int lane = 0; lane < LANES; lane++)
		low[lane] = high[lane] = values[0];
	for (uint32_t i = n; i < padded; i++)
		values[i] = 0;
	for (uint32_t i = 0; i < padded; i += LANES)
	{
		for (int lane = 0; lane < LANES; lane++)
			sums[0][lane] += values[i + lane];
	}
	block.mean = ((sums[0][0] + sums[0][1]) + (sums[0][2] + sums[0][3])) / n;
	for (uint32_t i = n; i < padded; i++)
		values[i] = values[0];
	for (uint32_t i = 0; i < padded; i += LANES)
	{
		for (int lane = 0; lane < LANES; lane++)
		{
			double		value = values[i + lane];

			low[lane] = value < low[lane] ? value : low[lane];
			high[lane] = value > high[lane] ? value : high[lane];
		}
	}
	*lowest = low[0];
	*highest = high[0];
	for (int lane = 1; lane < LANES; lane++)
	{
		*lowest = low[lane] < *lowest ? low[lane] : *lowest;
		*highest = high[lane] > *highest ? high[lane] : *highest;
	}
	/* the sum is rounded: of equal numbers the mean would be another one, and its distance from them a deviation */
	if (*lowest == *highest)
		block.mean = *lowest;
	for (uint32_t i = n; i < padded; i++)
		values[i] = block.mean;
	for (uint32_t i = 0; i < padded; i += LANES)
	{
		for (int lane = 0; lane < LANES; lane++)
		{
			double		d = values[i + lane] - block.mean;
			double		square = d * d;

			sums[1][lane] += square;
			sums[2][lane] += square * d;
			sums[3][lane] += square * square;
		}
	}
	block.m2 = (sums[1][0] + sums[1][1]) + (sums[1][2] + sums[1][3]);
	block.m3 = (sums[2][0] + sums[2][1]) + (sums[2][2] + sums[2][3]);
	block.m4 = (sums[3][0] + sums[3][1]) + (sums[3][2] + sums[3][3]);
	return block;
}

/* Moves the finite numbers to the front and counts the others; returns how many there are. */
static uint32_t
part_finite(Profile *profile)
{
	uint32_t	n = 0;

	for (uint32_t i = 0; i < profile->n_waiting; i++)
	{
		double		value = profile->waiting[i];

		profile->waiting[n] = value;
		n += isfinite(value) ? 1 : 0;
		if (isnan(value))
			profile->d.n_nan++;
		else if (value == INFINITY)
			profile->d.n_above++;
		else if (value == -INFINITY)
			profile->d.n_below++;
	}
	return n;
}

/* Counts the numbers that wait. */
void
profile_flush(Profile *profile)
{
	Distribution *d = &profile->d;
	uint32_t	n = part_finite(profile);

	profile->n_waiting = 0;
	if (n == 0 || profile->failed)
		return;

	double		lowest;
	double		highest;
	Moments		block = measure(profile->waiting, n, &lowest, &highest);

	d->lowest = d->lowest <= lowest ? d->lowest : lowest + 0.0;
	d->highest = d->highest >= highest ? d->highest : highest + 0.0;
	moments_merge(&d->moments, &block);
	d->n += n;
	if (!count_numbers(profile, profile->waiting, n))
		profile->failed = true;
	if (profile->registers != NULL)
	{
		for (uint32_t i = 0; i < n; i++)
			register_hash(profile->registers, hash64_mix(number_key(profile->waiting[i])));
	}
}

/* One vote for a value of a cell that has several; true where the value is now the one that it names. */
static inline bool
vote(DistributionCell *cell, bool same)
{
	if (same)
		cell->votes++;
	else if (cell->votes > 0)
		cell->votes--;
	else
	{
		cell->votes = 1;
		return true;
	}
	return false;
}

/* Counts a text. */
void
profile_text(Profile *profile, uint64_t hash, const char *name, size_t length)
{
	Distribution *d = &profile->d;
	DistributionCell *cell = find_slot(profile, hash >> d->shift);
	bool		is_new = cell->count == 0;

	if (profile->failed)
		return;
	d->n++;
	if (is_new)
	{
		cell->key = hash >> d->shift;
		d->n_cells++;
	}
	cell->count++;
	if (vote(cell, !is_new && cell_named_hash(d, cell) == hash) && !cell_keep_name(profile, cell, hash, name, length))
		profile->failed = true;
	if (profile->registers != NULL)
		register_hash(profile->registers, hash64_mix(hash));
	if (is_new && !profile->failed && !profile_settle(profile))
		profile->failed = true;
}

/* Adds a cell of another distribution, whose key is as wide as ours. */
static bool
merge_cell(Profile *profile, const Distribution *part, const DistributionCell *from, uint64_t key)
{
	Distribution *d = &profile->d;
	DistributionCell *cell = find_slot(profile, key);
	uint64_t	hash = cell_named_hash(part, from);

	if (cell->count != 0 && (cell_named_hash(d, cell) == hash || cell->votes >= from->votes))
	{
		cell_join_names(d, cell, 0, hash, from->votes);
		cell->count += from->count;
		return true;
	}

	bool		is_new = cell->count == 0;
	size_t		length;
	const char *text;

	cell->key = key;
	cell->count += from->count;
	cell->votes = from->votes - cell->votes;
	if (!distribution_is_text(d))
		cell->name = from->name;
	else
	{
		text = cell_text(part, from, &length);
		if (!cell_keep_name(profile, cell, hash, text, length))
			return false;
	}
	d->n_cells += is_new;
	return !is_new || profile_settle(profile);
}

/* Joins the distinct estimates. */
static bool
merge_registers(Profile *profile, const Distribution *part)
{
	if (part->shift > 0 && part->registers == NULL)
		profile->distinct_unknown = true;
	if (profile->distinct_unknown)
	{
		profile->registers = profile->memory.resize(profile->memory.context, profile->registers, 0);
		return true;
	}
	if (part->registers != NULL)
	{
		if (profile->d.shift == 0 && !profile_widen(profile, part->shift))
			return false;
		for (size_t i = 0; i < N_REGISTERS; i++)
		{
			if (part->registers[i] > profile->registers[i])
				profile->registers[i] = part->registers[i];
		}
	}
	return true;
}

/* Adds the rows of a distribution. */
bool
profile_merge(Profile *profile, const Distribution *part, Error *error)
{
	Distribution *d = &profile->d;

	if (part->kind != d->kind)
		return error_set(error, ERROR_TYPE, "a distribution of kind %s cannot be merged with one of kind %s",
						 kind_name(part->kind), kind_name(d->kind));
	profile_flush(profile);
	if (distribution_rows(d) + distribution_rows(part) > DISTRIBUTION_ROWS_MAX)
		return error_set(error, ERROR_LIMIT, "the merged distributions have too many rows");
	if (!merge_registers(profile, part) || (part->shift > d->shift && !profile_widen(profile, part->shift)))
		return error_set(error, ERROR_MEMORY, "out of memory for a profile");

	for (size_t i = 0; i < part->n_cells; i++)
	{
		const DistributionCell *cell = &part->cells[i];

		if (part->shift == 0 && profile->registers != NULL)
			register_hash(profile->registers, hash64_mix(cell->key));
		if (!merge_cell(profile, part, cell, cell->key >> (d->shift - part->shift)))
			return error_set(error, ERROR_MEMORY, "out of memory for a profile");
	}
	d->n_null += part->n_null;
	d->n_nan += part->n_nan;
	d->n_below += part->n_below;
	d->n_above += part->n_above;
	d->n += part->n;
	if (part->n > 0)
	{
		d->lowest = d->lowest <= part->lowest ? d->lowest : part->lowest;
		d->highest = d->highest >= part->highest ? d->highest : part->highest;
		moments_merge(&d->moments, &part->moments);
	}
	return true;
}

/* An empty profile. */
bool
profile_init(Profile *profile, ColumnKind kind, const Distribution *like, ProfileMemory memory, Error *error)
{
	memset(profile, 0, offsetof(Profile, waiting));
	distribution_init(&profile->d, kind);
	profile->memory = memory;
	if (like != NULL && !kinds_comparable(like->kind, kind))
		return error_set(error, ERROR_TYPE, "values of kind %s cannot be counted into the cells of a distribution of kind %s",
						 kind_name(kind), kind_name(like->kind));
	if (!profile_new_table(profile, FIRST_LOG2_SLOTS))
		return error_set(error, ERROR_MEMORY, "out of memory for a profile");
	if (like != NULL && like->shift > 0 && !profile_widen(profile, like->shift))
		return error_set(error, ERROR_MEMORY, "out of memory for a profile");
	return true;
}

void
profile_free(Profile *profile)
{
	profile->table = profile->memory.resize(profile->memory.context, profile->table, 0);
	profile->d.cells = NULL;
	distribution_free(&profile->d, profile->memory);
	profile->registers = profile->memory.resize(profile->memory.context, profile->registers, 0);
}

static int
compare_cells(const void *a, const void *b)
{
	uint64_t	x = ((const DistributionCell *) a)->key;
	uint64_t	y = ((const DistributionCell *) b)->key;

	return (x > y) - (x < y);
}

/* What was counted, as a distribution. */
bool
profile_collect(Profile *profile, ProfileMemory memory, Distribution *distribution, Error *error)
{
	profile_flush(profile);
	*distribution = profile->d;
	distribution->cells = NULL;
	distribution->names = NULL;
	if (profile->failed)
		return error_set(error, ERROR_MEMORY, "out of memory for a profile");
	if (distribution_rows(&profile->d) > DISTRIBUTION_ROWS_MAX)
		return error_set(error, ERROR_LIMIT, "a distribution has too many rows");

	/* room for one more: an allocation of nothing would be a release */
	distribution->cells = memory.resize(memory.context, NULL, (profile->d.n_cells + 1) * sizeof(DistributionCell));
	distribution->names = memory.resize(memory.context, NULL, profile->d.names_size + 1);
	if (distribution->cells == NULL || distribution->names == NULL)
	{
		distribution_free(distribution, memory);
		return error_set(error, ERROR_MEMORY, "out of memory for a profile");
	}
	if (profile->d.names_size > 0)
		memcpy(distribution->names, profile->d.names, profile->d.names_size);

	size_t		n = 0;

	for (size_t i = 0; i < (size_t) 1 << profile->log2_slots; i++)
	{
		if (profile->d.cells[i].count != 0)
			distribution->cells[n++] = profile->d.cells[i];
	}
	qsort(distribution->cells, n, sizeof(DistributionCell), compare_cells);
	distribution->registers = profile->registers;
	return true;
}
