/*
 * profile.h
 *		Counting values into a Distribution, one after the other.
 *
 * A Profile is the growing form: a hash table of cells.  Numbers wait in a
 * buffer and are counted by the hundred, while the table is in the cache.
 * Memory comes from the caller's ProfileMemory; failures are remembered in
 * `failed`, and told by profile_collect().
 */
#ifndef MLOPS_CORE_PROFILE_H
#define MLOPS_CORE_PROFILE_H

#include "distribution.h"

#define PROFILE_WAITING 128		/* numbers that wait; of many columns, all in the first-level cache */

typedef struct Profile
{
	Distribution d;				/* the sums; cells is a table of 2^log2_slots slots, within `table` */
	void	   *table;			/* as it was allocated: slots begin at its first line of the cache */
	ProfileMemory memory;
	uint32_t	log2_slots;
	size_t		names_capacity;
	uint8_t    *registers;		/* what d.registers points to; ours */
	bool		distinct_unknown;	/* something was merged that does not know */
	bool		failed;			/* no memory, or too many rows */
	uint32_t	n_waiting;
	double		waiting[PROFILE_WAITING];
} Profile;

/* An empty profile; like: NULL, or the distribution whose cells it counts into (its own are at least as wide). */
extern bool profile_init(Profile *profile, ColumnKind kind, const Distribution *like, ProfileMemory memory, Error *error);

extern void profile_free(Profile *profile);

/* Counts the numbers that wait. */
extern void profile_flush(Profile *profile);

/* Counts a number: finite, infinite or NaN. */
static inline void
profile_number(Profile *profile, double value)
{
	profile->waiting[profile->n_waiting++] = value;
	if (profile->n_waiting == PROFILE_WAITING)
		profile_flush(profile);
}

static inline void
profile_null(Profile *profile)
{
	profile->d.n_null++;
}

/* Counts a text: the hash of all its bytes, and at most TEXT_NAME_MAX of them to show. */
extern void profile_text(Profile *profile, uint64_t hash, const char *name, size_t length);

/* Adds the rows of a distribution of the same kind; ERROR_TYPE for another. */
extern bool profile_merge(Profile *profile, const Distribution *part, Error *error);

/* What was counted, as a distribution in `memory`, but for the registers, which are the profile's. */
extern bool profile_collect(Profile *profile, ProfileMemory memory, Distribution *distribution, Error *error);

#endif
