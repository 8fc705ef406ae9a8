/*
 * profile_internal.h
 *		The table of a profile's cells, between the files that count into it.
 */
#ifndef MLOPS_CORE_PROFILE_INTERNAL_H
#define MLOPS_CORE_PROFILE_INTERNAL_H

#include "profile.h"

#include <string.h>

#define FIRST_LOG2_SLOTS 5
#define GROUP_BITS 1			/* neighbours that share a line of the cache */

/*
 * Where a key's search begins: its high bits after a multiplication (Knuth,
 * volume 3, 6.4).  Neighbours stay together, because what is near is frequent together: they share a line
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

/* The hash of the value that a cell names. */
static inline uint64_t
cell_named_hash(const Distribution *d, const DistributionCell *cell)
{
	uint64_t	hash;

	if (!distribution_is_text(d))
		return cell->name;
	memcpy(&hash, d->names + cell_name_offset(cell->name), sizeof(hash));
	return hash;
}

/* A table of free slots, none of which lies in two lines of the cache; false where there is no memory. */
extern bool profile_new_table(Profile *profile, uint32_t log2_slots);

/* Makes cells wider. */
extern bool profile_widen(Profile *profile, uint32_t shift);

/* After a new cell: keeps the number of cells, and the table's load, within their limits.  Moves all cells. */
extern bool profile_settle(Profile *profile);

/* Joins a cell's name with that of another: the same value gains, another one loses. */
extern void cell_join_names(const Distribution *d, DistributionCell *cell, uint64_t name, uint64_t hash, uint64_t votes);

/* Keeps the text that a cell names, in the room of the one before where it fits. */
extern bool cell_keep_name(Profile *profile, DistributionCell *cell, uint64_t hash, const char *text, size_t length);

#endif
