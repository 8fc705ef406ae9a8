/*
 * profile.c
 *		Counting values into a Distribution.
 *
 * Cells lie in a hash table with linear probing.  Where a new cell makes too
 * many, the table is made anew with wider cells: the least shift that leaves
 * PROFILE_CELLS, found from the sorted keys.
 */
#include "profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

#define FIRST_LOG2_SLOTS 5
#define CACHE_LINE 64
#define GROUP_BITS 1
#define LANES 4				/* divides PROFILE_WAITING */

/*
 * Where a key's search begins: its high bits after a multiplication (Knuth,
 * volume 3, 6.4).  Neighbours stay together, because what is near is frequent together: two share a line
 * of the cache.
 */
static inline size_t
first_slot(const Profile *profile, uint64_t key)
{
	uint64_t	group = (key >> GROUP_BITS) * UINT64_C(0x9e3779b97f4a7c15) >> (64 + GROUP_BITS - profile->log2_slots);

	return (size_t) (group << GROUP_BITS | (key & ((1 << GROUP_BITS) - 1)));
}

/* The slot of a key: its cell, or a free one. */
static inline DistributionCell *
find_slot(const Profile *profile, uint64_t key)
{
	DistributionCell *cells = profile->d.cells;
	size_t		mask = ((size_t) 1 << profile->log2_slots) - 1;
	size_t		slot = first_slot(profile, key);

	while (cells[slot].count != 0 && cells[slot].key != key)
		slot = (slot + 1) & mask;
	return &cells[slot];
}

/* A table of free slots, none of which lies in two lines of the cache; false where there is no memory. */
static bool
new_table(Profile *profile, uint32_t log2_slots)
{
	size_t		size = sizeof(DistributionCell) << log2_slots;
	uint8_t    *table = profile->memory.resize(profile->memory.context, NULL, size + CACHE_LINE);

	if (table == NULL)
		return false;
	profile->table = table;
	profile->d.cells = (DistributionCell *) (table + (CACHE_LINE - (uintptr_t) table % CACHE_LINE));
	profile->log2_slots = log2_slots;
	memset(profile->d.cells, 0, size);
	return true;
}

/* The hash of the value that a cell names. */
static uint64_t
named_hash(const Distribution *d, const DistributionCell *cell)
{
	uint64_t	hash;

	if (!distribution_is_text(d))
		return cell->name;
	memcpy(&hash, d->names + cell_name_offset(cell->name), sizeof(hash));
	return hash;
}

/* Joins a cell's name with that of another: the same value gains, another one loses. */
static void
join_names(const Distribution *d, DistributionCell *cell, uint64_t name, uint64_t hash, uint64_t votes)
{
	if (named_hash(d, cell) == hash)
		cell->votes += votes;
	else if (cell->votes >= votes)
		cell->votes -= votes;
	else
	{
		cell->votes = votes - cell->votes;
		cell->name = name;
	}
}

/* Moves cells into a table of another size, dropping `drop` bits of their keys. */
static bool
rehash(Profile *profile, uint32_t log2_slots, uint32_t drop)
{
	DistributionCell *old = profile->d.cells;
	void	   *old_table = profile->table;
	size_t		n_old = (size_t) 1 << profile->log2_slots;

	if (!new_table(profile, log2_slots))
		return false;
	profile->d.n_cells = 0;
	for (size_t i = 0; i < n_old; i++)
	{
		if (old[i].count == 0)
			continue;

		DistributionCell *cell = find_slot(profile, old[i].key >> drop);

		if (cell->count == 0)
		{
			*cell = old[i];
			cell->key = old[i].key >> drop;
			profile->d.n_cells++;
		}
		else
		{
			join_names(&profile->d, cell, old[i].name, named_hash(&profile->d, &old[i]), old[i].votes);
			cell->count += old[i].count;
		}
	}
	profile->memory.resize(profile->memory.context, old_table, 0);
	return true;
}

/* From exact values to wider cells: each names its value, and the distinct estimate begins. */
static bool
leave_exact(Profile *profile)
{
	Distribution *d = &profile->d;

	if (d->shift != 0 || profile->distinct_unknown)
		return true;
	profile->registers = profile->memory.resize(profile->memory.context, NULL, N_REGISTERS);
	if (profile->registers == NULL)
		return false;
	memset(profile->registers, 0, N_REGISTERS);
	for (size_t i = 0; i < (size_t) 1 << profile->log2_slots; i++)
	{
		if (d->cells[i].count != 0)
			register_hash(profile->registers, hash64_mix(d->cells[i].key));
	}
	return true;
}

/* Makes cells wider. */
static bool
widen(Profile *profile, uint32_t shift)
{
	if (!leave_exact(profile) || !rehash(profile, profile->log2_slots, shift - profile->d.shift))
		return false;
	profile->d.shift = shift;
	return true;
}

static int
compare_keys(const void *a, const void *b)
{
	uint64_t	x = *(const uint64_t *) a;
	uint64_t	y = *(const uint64_t *) b;

	return (x > y) - (x < y);
}

/* The least number of bits to drop from keys so that PROFILE_CELLS cells remain, at most `most`. */
static bool
bits_to_drop(const Profile *profile, uint32_t most, uint32_t *drop)
{
	size_t		n = 0;
	uint64_t   *keys = profile->memory.resize(profile->memory.context, NULL, profile->d.n_cells * sizeof(uint64_t));
	size_t		parted[65] = {0};	/* neighbours that dropping so many bits joins, and no fewer */

	if (keys == NULL)
		return false;
	for (size_t i = 0; i < (size_t) 1 << profile->log2_slots; i++)
	{
		if (profile->d.cells[i].count != 0)
			keys[n++] = profile->d.cells[i].key;
	}
	qsort(keys, n, sizeof(uint64_t), compare_keys);
	for (size_t i = 1; i < n; i++)
		parted[64 - __builtin_clzll(keys[i - 1] ^ keys[i])]++;
	profile->memory.resize(profile->memory.context, keys, 0);

	for (*drop = 0; *drop < most && n > PROFILE_CELLS;)
		n -= parted[++*drop];
	return true;
}

/* After a new cell: keeps the number of cells, and the table's load, within their limits. */
static bool
settle(Profile *profile)
{
	Distribution *d = &profile->d;
	uint32_t	most = distribution_is_text(d) ? TEXT_SHIFT_MAX : NUMBER_SHIFT_MAX;

	if (d->n_cells > PROFILE_CELLS && d->shift < most)
	{
		uint32_t	drop;

		if (!bits_to_drop(profile, most - d->shift, &drop))
			return false;
		return widen(profile, d->shift + drop);
	}
	if (d->n_cells * 2 > (size_t) 1 << profile->log2_slots)
		return rehash(profile, profile->log2_slots + 1, 0);
	return true;
}

/* Keeps the text that a cell names, in the room of the one before where it fits. */
static bool
keep_name(Profile *profile, DistributionCell *cell, uint64_t hash, const char *text, size_t length)
{
	Distribution *d = &profile->d;
	size_t		offset = cell_name_offset(cell->name);

	if (cell->name == 0 || cell_name_length(cell->name) < length)
	{
		offset = d->names_size;
		if (offset + sizeof(hash) + length > profile->names_capacity)
		{
			size_t		capacity = profile->names_capacity * 2 + sizeof(hash) + TEXT_NAME_MAX;
			uint8_t    *names = profile->memory.resize(profile->memory.context, d->names, capacity);

			if (names == NULL)
				return false;
			d->names = names;
			profile->names_capacity = capacity;
		}
		d->names_size += sizeof(hash) + length;
	}
	memcpy(d->names + offset, &hash, sizeof(hash));
	memcpy(d->names + offset + sizeof(hash), text, length);
	cell->name = cell_name(offset, length);
	return true;
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
		cell->votes += is_free | (cell->name == value) ? 1 : UINT64_MAX;
		cell->name = is_free ? value : cell->name;
		if (is_new)
		{
			profile->d.n_cells++;
			if (!settle(profile))
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
	*lowest = low[0];
	*highest = high[0];
	for (int lane = 1; lane < LANES; lane++)
	{
		*lowest = low[lane] < *lowest ? low[lane] : *lowest;
		*highest = high[lane] > *highest ? high[lane] : *highest;
	}
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
	if (vote(cell, !is_new && named_hash(d, cell) == hash) && !keep_name(profile, cell, hash, name, length))
		profile->failed = true;
	if (profile->registers != NULL)
		register_hash(profile->registers, hash64_mix(hash));
	if (is_new && !profile->failed && !settle(profile))
		profile->failed = true;
}

/* Adds a cell of another distribution, whose key is as wide as ours. */
static bool
merge_cell(Profile *profile, const Distribution *part, const DistributionCell *from, uint64_t key)
{
	Distribution *d = &profile->d;
	DistributionCell *cell = find_slot(profile, key);
	uint64_t	hash = named_hash(part, from);

	if (cell->count != 0 && (named_hash(d, cell) == hash || cell->votes >= from->votes))
	{
		join_names(d, cell, 0, hash, from->votes);
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
		if (!keep_name(profile, cell, hash, text, length))
			return false;
	}
	d->n_cells += is_new;
	return !is_new || settle(profile);
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
		if (profile->d.shift == 0 && !widen(profile, part->shift))
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
	if (!merge_registers(profile, part) || (part->shift > d->shift && !widen(profile, part->shift)))
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
	if (!new_table(profile, FIRST_LOG2_SLOTS))
		return error_set(error, ERROR_MEMORY, "out of memory for a profile");
	if (like != NULL && like->shift > 0 && !widen(profile, like->shift))
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
