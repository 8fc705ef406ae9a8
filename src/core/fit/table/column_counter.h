/*
 * column_counter.h
 *		A column of numbers into a distribution, a thousand values at a time.
 *
 * The result is that of profile.h: the same cells with the same counts, and
 * the same value named by each where one has the majority; moments differ in
 * their last bits.  Built for speed: the first values decide how wide
 * cells are at least, so that the cells are made wider a few times only; a
 * cell is found by its key's place in a table, without a search where keys are
 * short enough; vectors do the rest.
 *
 * One thread at a time works on a counter.  Its memory is malloc'ed.
 */
#ifndef MLOPS_CORE_FIT_COLUMN_COUNTER_H
#define MLOPS_CORE_FIT_COLUMN_COUNTER_H

#include "../../statistics/profile.h"
#include "column_measure.h"

#define COUNTER_TILE 1024		/* values that are counted at a time */
#define COUNTER_FIRST 8192		/* values that wait before cells are made */

/* What counting touches of a cell, in as few bytes as it goes; a table has fewer than 2^32 rows. */
typedef struct CountedCell
{
	uint64_t	name;
	uint32_t	count;
	uint32_t	votes;
} CountedCell;

/* How a key finds its cell. */
typedef struct CellLookup
{
	KeyWindows	windows;
	uint32_t	log2_places;
	uint64_t   *keys;			/* of the cells, which are without the windows' bits */
	uint32_t   *direct;			/* of each place in the windows: number of its cell + 1; 0: none, as behind the last */
	uint32_t   *places;			/* the same of other keys, in a hash table */
} CellLookup;

typedef struct ColumnCounter
{
	Distribution d;				/* the sums; its cells stay NULL */
	CountedCell *cells;			/* in the order in which they came */
	uint32_t	n_cells;
	uint32_t	capacity;		/* of cells and their keys */
	CellLookup	lookup;
	bool		small;
	bool		counting;		/* cells are there; before, keys wait */
	uint32_t	n_waiting;
	uint64_t   *waiting;		/* keys of the first values; later, room for keys of cells */
	uint8_t    *registers;		/* of the distinct estimate; NULL while each value has its cell */
	uint32_t	register_floor; /* no register is less */
	uint32_t	tiles;			/* since the floor was looked for */
	bool		failed;			/* no memory: told by counter_finish() */
} ColumnCounter;

/* An empty one; small: of many at once, so that none takes a large table.  counter_free() in any case. */
extern bool counter_init(ColumnCounter *counter, ColumnKind kind, bool small, Error *error);
extern void counter_free(ColumnCounter *counter);

/*
 * Counts n <= COUNTER_TILE values: numbers, MATRIX_NULL, NaN, infinities.
 * values: 64-byte aligned with room for a whole tile; overwritten.
 */
extern void counter_add(ColumnCounter *counter, double *values, size_t n);

/* Counts rows without a value. */
extern void counter_add_nulls(ColumnCounter *counter, uint64_t n);

/* What was counted; cells belong to memory, registers to the counter.  Nothing is added afterwards. */
extern bool counter_finish(ColumnCounter *counter, ProfileMemory memory, Distribution *distribution, Error *error);

/*
 * After counter_finish(): for each cell of the counter the number that `group`
 * gives the distribution's cell that it became.  group: of each of the
 * distribution's cells; out: counter->n_cells.
 */
extern void counter_groups(const ColumnCounter *counter, const Distribution *distribution, const uint8_t *group, uint8_t *out);

/* The counter's cell of a finite number that was counted. */
extern uint32_t counter_cell(const ColumnCounter *counter, double value);

/* Memory of distributions by malloc. */
extern const ProfileMemory counter_memory;

#endif
