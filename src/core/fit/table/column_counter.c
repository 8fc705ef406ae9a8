/*
 * column_counter.c
 *		Numbers into the cells of a distribution.
 *
 * Keys of the first values wait; sorted, they tell the least width with which
 * their cells are not too many, which is a lower bound of the final one.
 * Later cells are counted until they are twice too many, and then folded (for
 * good by counter_finish()); a majority vote says what each names (profile.c).
 */
#include "column_counter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../hash.h"
#include "sort_keys.h"

#define WINDOW_KEYS		(1 << 15)	/* keys side by side that have a place each: the lowest so many, and the highest */
#define CELLS_AT_FIRST	1024
#define CELLS_AT_MOST	(2 * PROFILE_CELLS) /* before they are made wider */
#define FLOOR_TILES		64		/* between looks for the least register */

static void *
resize(void *context, void *old, size_t size)
{
	(void) context;
	if (size == 0)
	{
		free(old);
		return NULL;
	}
	return realloc(old, size);
}

const ProfileMemory counter_memory = {resize, NULL};

bool
counter_init(ColumnCounter *counter, ColumnKind kind, bool small, Error *error)
{
	memset(counter, 0, sizeof(*counter));
	distribution_init(&counter->d, kind);
	counter->small = small;
	counter->waiting = aligned_alloc(64, 2 * COUNTER_FIRST * sizeof(uint64_t));
	if (counter->waiting == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for the profile of a column");
	return true;
}

void
counter_free(ColumnCounter *counter)
{
	free(counter->cells);
	free(counter->lookup.keys);
	free(counter->lookup.direct);
	free(counter->lookup.places);
	free(counter->waiting);
	free(counter->registers);
	memset(counter, 0, sizeof(*counter));
}

/* Where the search for a key begins in the hash table (Knuth, volume 3, 6.4). */
static inline size_t
hash_place(const CellLookup *lookup, uint64_t key)
{
	return (size_t) (key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - lookup->log2_places));
}

/*
 * The place of a key: it holds its cell, or 0.  Nearly all numbers of a column
 * are of the largest magnitudes that it has, of either sign: their keys lie at both
 * ends, where windows are.
 */
static uint32_t *
find_place(const CellLookup *lookup, uint64_t key)
{
	const KeyWindows *windows = &lookup->windows;
	size_t		mask = ((size_t) 1 << lookup->log2_places) - 1;
	size_t		place;

	if (key - windows->low_first < windows->low_size)
		return &lookup->direct[key - windows->low_first];
	if (key - windows->high_first < windows->high_size)
		return &lookup->direct[windows->low_size + (key - windows->high_first)];
	place = hash_place(lookup, key);
	while (lookup->places[place] != 0 && lookup->keys[lookup->places[place] - 1] != key)
		place = (place + 1) & mask;
	return &lookup->places[place];
}

/* A hash table for the cells that there are, and as many again; those in the table of keys are left there. */
static bool
make_places(ColumnCounter *counter)
{
	counter->lookup.log2_places = 10;
	while ((size_t) 1 << counter->lookup.log2_places < 4 * (size_t) counter->n_cells)
		counter->lookup.log2_places++;
	free(counter->lookup.places);
	counter->lookup.places = calloc((size_t) 1 << counter->lookup.log2_places, sizeof(uint32_t));
	if (counter->lookup.places == NULL)
		return false;
	for (uint32_t i = 0; i < counter->n_cells; i++)
		*find_place(&counter->lookup, counter->lookup.keys[i]) = i + 1;
	return true;
}

/* Windows for the keys between two, which are shifted here. */
static bool
make_direct(ColumnCounter *counter, uint64_t lowest, uint64_t highest)
{
	KeyWindows *windows = &counter->lookup.windows;
	uint64_t	first = lowest >> windows->shift;
	uint64_t	n = counter->small ? 0 : (highest >> windows->shift) - first + 1;

	free(counter->lookup.direct);
	windows->low_first = first;
	windows->low_size = n < WINDOW_KEYS ? n : WINDOW_KEYS;
	windows->high_size = n - windows->low_size < WINDOW_KEYS ? n - windows->low_size : WINDOW_KEYS;
	windows->high_first = first + n - windows->high_size;
	counter->lookup.direct = calloc(windows->low_size + windows->high_size + 1, sizeof(uint32_t));
	return counter->lookup.direct != NULL;
}

/* A cell of a key that has none. */
static bool
add_cell(ColumnCounter *counter, uint32_t *place, uint64_t key)
{
	if (counter->n_cells == counter->capacity)
	{
		uint32_t	capacity = counter->capacity == 0 ? CELLS_AT_FIRST : counter->capacity * 2;
		CountedCell *cells = realloc(counter->cells, capacity * sizeof(CountedCell));
		uint64_t   *keys;

		if (cells == NULL)
			return false;
		counter->cells = cells;
		keys = realloc(counter->lookup.keys, capacity * sizeof(uint64_t));
		if (keys == NULL)
			return false;
		counter->lookup.keys = keys;
		counter->capacity = capacity;
	}
	counter->cells[counter->n_cells] = (CountedCell) {0};
	counter->lookup.keys[counter->n_cells] = key;
	*place = ++counter->n_cells;
	return true;
}

/* Begins the distinct estimate with the keys that there are: as in profile.c, only where cells hold several values. */
static bool
begin_registers(ColumnCounter *counter, const uint64_t *keys, size_t n)
{
	counter->registers = calloc(N_REGISTERS, 1);
	if (counter->registers == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		register_hash(counter->registers, hash64_mix(keys[i]));
	return true;
}

/* The least shift, from `shift` on, with which sorted keys without `shift` bits have no more than PROFILE_CELLS cells. */
static uint32_t
least_shift(const uint64_t *keys, size_t n, uint32_t shift)
{
	size_t		parted[65] = {0};	/* neighbours that dropping so many bits joins, and no fewer */
	size_t		n_cells = n > 0 ? 1 : 0;
	uint32_t	drop = 0;

	for (size_t i = 1; i < n; i++)
	{
		if (keys[i] == keys[i - 1])
			continue;
		parted[64 - __builtin_clzll(keys[i - 1] ^ keys[i])]++;
		n_cells++;
	}
	while (n_cells > PROFILE_CELLS && shift + drop < NUMBER_SHIFT_MAX)
		n_cells -= parted[++drop];
	return shift + drop;
}

/* Keys of the cells, ascending, in the room for waiting keys or in more of it; NULL without memory. */
static uint64_t *
sorted_cell_keys(ColumnCounter *counter)
{
	size_t		n = counter->n_cells;

	if (n > COUNTER_FIRST)
	{
		uint64_t   *room = realloc(counter->waiting, 2 * n * sizeof(uint64_t));

		if (room == NULL)
			return NULL;
		counter->waiting = room;
	}
	if (n > 0)
		memcpy(counter->waiting, counter->lookup.keys, n * sizeof(uint64_t));
	sort_keys(counter->waiting, counter->waiting + n, n);
	return counter->waiting;
}

/* Votes of two cells that become one: the same value gains, another one loses. */
static inline void
join_votes(uint64_t *votes, uint64_t *name, uint64_t other_votes, uint64_t other_name)
{
	if (*name == other_name)
		*votes += other_votes;
	else if (*votes >= other_votes)
		*votes -= other_votes;
	else
	{
		*votes = other_votes - *votes;
		*name = other_name;
	}
}

/* Makes the cells wider. */
static bool
widen(ColumnCounter *counter, const uint64_t *keys, uint32_t shift)
{
	uint32_t	drop = shift - counter->lookup.windows.shift;
	uint32_t	n_old = counter->n_cells;

	if (counter->lookup.windows.shift == 0 && !begin_registers(counter, keys, n_old))
		return false;
	counter->n_cells = 0;
	counter->lookup.windows.shift = shift;
	if (!make_direct(counter, keys[0] << (shift - drop), keys[n_old - 1] << (shift - drop)) || !make_places(counter))
		return false;

	/* a cell moves to where others were, never to one that is still to be moved */
	for (uint32_t i = 0; i < n_old; i++)
	{
		CountedCell moved = counter->cells[i];
		uint64_t	key = counter->lookup.keys[i] >> drop;
		uint32_t   *place = find_place(&counter->lookup, key);

		if (*place != 0)
		{
			CountedCell *cell = &counter->cells[*place - 1];
			uint64_t	votes = cell->votes;

			join_votes(&votes, &cell->name, moved.votes, moved.name);
			cell->votes = (uint32_t) votes;
			cell->count += moved.count;
		}
		else
		{
			counter->cells[counter->n_cells] = moved;
			counter->lookup.keys[counter->n_cells] = key;
			*place = ++counter->n_cells;

			/* the table grows with them: in a full one a search would not end */
			if (counter->n_cells * 2 > (size_t) 1 << counter->lookup.log2_places && !make_places(counter))
				return false;
		}
	}
	return true;
}

/* After new cells: keeps their number and the load of the hash table within their limits. */
static bool
settle(ColumnCounter *counter)
{
	if (counter->n_cells > CELLS_AT_MOST && counter->lookup.windows.shift < NUMBER_SHIFT_MAX)
	{
		uint64_t   *keys = sorted_cell_keys(counter);
		uint32_t	shift;

		if (keys == NULL)
			return false;
		shift = least_shift(keys, counter->n_cells, counter->lookup.windows.shift);
		return widen(counter, keys, shift);
	}
	return counter->n_cells * 2 <= (size_t) 1 << counter->lookup.log2_places || make_places(counter);
}

/* Finds the cell of a key, or makes one, which may make all of them wider; 0 without memory. */
static uint32_t
cell_of(ColumnCounter *counter, uint64_t value)
{
	uint32_t   *place = find_place(&counter->lookup, value >> counter->lookup.windows.shift);

	if (*place != 0)
		return *place;
	if (!add_cell(counter, place, value >> counter->lookup.windows.shift) || !settle(counter))
		return 0;
	return *find_place(&counter->lookup, value >> counter->lookup.windows.shift);
}

/* Counts the keys of a tile.  The vote is written without branches: in wide cells nothing predicts them. */
static bool
count_tile(ColumnCounter *counter, const uint64_t *keys, size_t n)
{
	uint32_t	places[COUNTER_TILE] __attribute__((aligned(64)));

	/* copies, because the compiler must think that counting changes them */
	const uint32_t *direct = counter->lookup.direct;
	CountedCell *cells = counter->cells;

	measure_places(keys, n, &counter->lookup.windows, places);
	for (size_t i = 0; i < n; i++)
	{
		uint32_t	number = direct[places[i]];
		uint64_t	value = keys[i];

		if (__builtin_expect(number == 0, 0))
		{
			uint32_t	shift = counter->lookup.windows.shift;

			number = cell_of(counter, value);
			if (number == 0)
				return false;
			if (counter->lookup.windows.shift != shift)
				measure_places(keys, n, &counter->lookup.windows, places);
			direct = counter->lookup.direct;
			cells = counter->cells;
		}

		CountedCell *cell = &cells[number - 1];
		uint64_t	is_free = cell->votes == 0;
		uint64_t	is_named = cell->name == value;

		cell->count++;
		cell->votes += (uint32_t) (2 * (is_free | is_named) - 1);
		cell->name ^= (cell->name ^ value) & -is_free;
	}
	return true;
}

/* Counts keys, tile by tile. */
static bool
count_keys(ColumnCounter *counter, const uint64_t *keys, size_t n)
{
	for (size_t first = 0; first < n; first += COUNTER_TILE)
	{
		if (!count_tile(counter, keys + first, n - first < COUNTER_TILE ? n - first : COUNTER_TILE))
			return false;
	}
	return true;
}

/* Enters keys into the distinct estimate: few get past the least register. */
static void
register_keys(ColumnCounter *counter, const uint64_t *keys, size_t n)
{
	uint64_t	hashes[COUNTER_TILE] __attribute__((aligned(64)));
	uint32_t	floor = counter->register_floor;

	if (counter->tiles++ % FLOOR_TILES == 0)
	{
		floor = UINT8_MAX;
		for (size_t i = 0; i < N_REGISTERS; i++)
			floor = counter->registers[i] < floor ? counter->registers[i] : floor;
		counter->register_floor = floor;
	}
	measure_mix(keys, n, hashes);
	for (size_t i = 0; i < n; i++)
	{
		/* a rank above the floor has so many zeros behind the bits that name the register */
		if (hashes[i] << REGISTER_BITS >> (63 - floor) <= 1)
			register_hash(counter->registers, hashes[i]);
	}
}

/* Makes cells of the keys that wait. */
static void
begin_counting(ColumnCounter *counter)
{
	size_t		n = counter->n_waiting;
	uint64_t   *keys = counter->waiting;
	uint64_t   *sorted = malloc((2 * n + 1) * sizeof(uint64_t));

	counter->counting = true;
	if (sorted == NULL)
	{
		counter->failed = true;
		return;
	}
	memcpy(sorted, keys, n * sizeof(uint64_t));
	sort_keys(sorted, sorted + n, n);
	counter->lookup.windows.shift = least_shift(sorted, n, 0);
	if ((counter->lookup.windows.shift > 0 && !begin_registers(counter, sorted, n)) || (n > 0 && !make_direct(counter, sorted[0], sorted[n - 1])) ||
		!make_places(counter) || !count_keys(counter, keys, n))
		counter->failed = true;
	free(sorted);
}

/* Counts keys of finite numbers, or lets them wait. */
static void
take_keys(ColumnCounter *counter, const uint64_t *keys, size_t n)
{
	if (!counter->counting)
	{
		memcpy(counter->waiting + counter->n_waiting, keys, n * sizeof(uint64_t));
		counter->n_waiting += (uint32_t) n;
		if (counter->n_waiting + COUNTER_TILE > COUNTER_FIRST)
			begin_counting(counter);
		return;
	}
	if (!count_keys(counter, keys, n))
		counter->failed = true;
	else if (counter->registers != NULL)
		register_keys(counter, keys, n);
}

void
counter_add(ColumnCounter *counter, double *values, size_t n)
{
	Distribution *d = &counter->d;
	uint64_t	keys[COUNTER_TILE] __attribute__((aligned(64)));
	TileMoments tile;

	if (!measure_all_finite(values, n))
		n = measure_part_finite(values, n, d);
	if (n == 0 || counter->failed)
		return;
	measure_tile(values, n, &tile);
	d->lowest = d->lowest <= tile.lowest ? d->lowest : tile.lowest + 0.0;
	d->highest = d->highest >= tile.highest ? d->highest : tile.highest + 0.0;
	moments_merge(&d->moments, &tile.moments);
	d->n += n;
	measure_keys(values, n, keys);
	take_keys(counter, keys, n);
}

void
counter_add_nulls(ColumnCounter *counter, uint64_t n)
{
	counter->d.n_null += n;
}

bool
counter_finish(ColumnCounter *counter, ProfileMemory memory, Distribution *distribution, Error *error)
{
	uint64_t   *keys = NULL;
	uint32_t	shift;
	size_t		n = 0;

	if (!counter->counting && !counter->failed)
		begin_counting(counter);
	if (!counter->failed)
		keys = sorted_cell_keys(counter);
	if (keys == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for the profile of a column");
	shift = least_shift(keys, counter->n_cells, counter->lookup.windows.shift);
	if (shift > 0 && counter->lookup.windows.shift == 0 && !begin_registers(counter, keys, counter->n_cells))
		return error_set(error, ERROR_MEMORY, "out of memory for the profile of a column");

	*distribution = counter->d;
	distribution->shift = shift;
	distribution->registers = counter->registers;
	distribution->cells = memory.resize(memory.context, NULL, ((size_t) counter->n_cells + 1) * sizeof(DistributionCell));
	if (distribution->cells == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for the profile of a column");
	for (uint32_t i = 0; i < counter->n_cells; i++)
	{
		const CountedCell *from = &counter->cells[*find_place(&counter->lookup, keys[i]) - 1];
		uint64_t	key = keys[i] >> (shift - counter->lookup.windows.shift);
		DistributionCell *cell = &distribution->cells[n];

		if (n > 0 && cell[-1].key == key)
		{
			cell[-1].count += from->count;
			join_votes(&cell[-1].votes, &cell[-1].name, from->votes, from->name);
			continue;
		}
		*cell = (DistributionCell) {key, from->count, from->votes, from->name};
		n++;
	}
	distribution->n_cells = n;
	return true;
}

void
counter_groups(const ColumnCounter *counter, const Distribution *distribution, const uint8_t *group, uint8_t *out)
{
	uint32_t	drop = distribution->shift - counter->lookup.windows.shift;

	for (uint32_t i = 0; i < counter->n_cells; i++)
	{
		uint64_t	key = counter->lookup.keys[i] >> drop;
		size_t		low = 0;
		size_t		n = distribution->n_cells;

		while (n > 1)
		{
			size_t		half = n / 2;

			low += distribution->cells[low + half].key <= key ? half : 0;
			n -= half;
		}
		out[i] = group[low];
	}
}

uint32_t
counter_cell(const ColumnCounter *counter, double value)
{
	return *find_place(&counter->lookup, number_key(value) >> counter->lookup.windows.shift) - 1;
}
