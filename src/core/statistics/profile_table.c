/*
 * profile_table.c
 *		The table of a profile's cells: finding, widening, growing.
 *
 * Cells lie in a hash table with linear probing.  Where a new cell makes too
 * many, the table is made anew with wider cells: the least shift that leaves
 * PROFILE_CELLS, found from the sorted keys.
 */
#include "profile_internal.h"

#include <stdlib.h>
#include <string.h>

#include "../hash.h"

#define CACHE_LINE 64

/* A table of free slots, none of which lies in two lines of the cache; false where there is no memory. */
bool
profile_new_table(Profile *profile, uint32_t log2_slots)
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

/* Joins a cell's name with that of another: the same value gains, another one loses. */
void
cell_join_names(const Distribution *d, DistributionCell *cell, uint64_t name, uint64_t hash, uint64_t votes)
{
	if (cell_named_hash(d, cell) == hash)
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

	if (!profile_new_table(profile, log2_slots))
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
			cell_join_names(&profile->d, cell, old[i].name, cell_named_hash(&profile->d, &old[i]), old[i].votes);
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
bool
profile_widen(Profile *profile, uint32_t shift)
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
bool
profile_settle(Profile *profile)
{
	Distribution *d = &profile->d;
	uint32_t	most = distribution_is_text(d) ? TEXT_SHIFT_MAX : NUMBER_SHIFT_MAX;

	if (d->n_cells > PROFILE_CELLS && d->shift < most)
	{
		uint32_t	drop;

		if (!bits_to_drop(profile, most - d->shift, &drop))
			return false;
		return profile_widen(profile, d->shift + drop);
	}
	if (d->n_cells * 2 > (size_t) 1 << profile->log2_slots)
		return rehash(profile, profile->log2_slots + 1, 0);
	return true;
}

/*
 * Moves the names of all cells into new memory, with room for as much again: names that were replaced by longer ones
 * are left behind, so that what is held does not grow with the rows.  Before the first one lies what cells without a name have.
 */
static bool
repack_names(Profile *profile)
{
	Distribution *d = &profile->d;
	size_t		n_slots = (size_t) 1 << profile->log2_slots;
	size_t		used = sizeof(uint64_t);
	size_t		capacity;
	uint8_t    *names;

	for (size_t i = 0; i < n_slots; i++)
		used += d->cells[i].name != 0 ? sizeof(uint64_t) + cell_name_length(d->cells[i].name) : 0;
	capacity = used * 2 + sizeof(uint64_t) + TEXT_NAME_MAX;
	names = profile->memory.resize(profile->memory.context, NULL, capacity);
	if (names == NULL)
		return false;
	memset(names, 0, sizeof(uint64_t));
	used = sizeof(uint64_t);
	for (size_t i = 0; i < n_slots; i++)
	{
		uint64_t	name = d->cells[i].name;
		size_t		size = sizeof(uint64_t) + cell_name_length(name);

		if (name == 0)
			continue;
		memcpy(names + used, d->names + cell_name_offset(name), size);
		d->cells[i].name = cell_name(used, cell_name_length(name));
		used += size;
	}
	profile->memory.resize(profile->memory.context, d->names, 0);
	d->names = names;
	d->names_size = used;
	profile->names_capacity = capacity;
	return true;
}

/* Keeps the text that a cell names, in the room of the one before where it fits. */
bool
cell_keep_name(Profile *profile, DistributionCell *cell, uint64_t hash, const char *text, size_t length)
{
	Distribution *d = &profile->d;
	size_t		offset = cell_name_offset(cell->name);

	if (cell->name == 0 || cell_name_length(cell->name) < length)
	{
		if (d->names_size + sizeof(hash) + length > profile->names_capacity && !repack_names(profile))
			return false;
		offset = d->names_size;
		d->names_size += sizeof(hash) + length;
	}
	memcpy(d->names + offset, &hash, sizeof(hash));
	memcpy(d->names + offset + sizeof(hash), text, length);
	cell->name = cell_name(offset, length);
	return true;
}
