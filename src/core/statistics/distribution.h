/*
 * distribution.h
 *		A mergeable summary of a column's values: what mlops.distribution holds.
 *
 * Values are counted in cells.  A number's place is a 64-bit key that sorts
 * as numbers do, a text's the hash of its bytes; a cell is what keys have in
 * common without their last `shift` bits.  With shift 0 each value has a cell
 * of its own.  Where that takes more than PROFILE_CELLS cells, shift is the
 * least with which it does not, but for numbers at most NUMBER_SHIFT_MAX:
 * seven bits of mantissa remain, so that quantiles are good to 0.4 %.  As
 * cells are nested and the rule looks at the set of values only, the cells,
 * their counts and everything made of them alone are the same in whatever
 * order rows were counted, merged or split among workers.
 *
 * Exact are: counts (rows, NULL, NaN, infinities, cells), minimum, maximum,
 * registers of the distinct estimate.  Mean and higher moments differ in
 * their last bits with the order.  In cells of several values the heaviest
 * one is named by a majority vote (Boyer & Moore 1981), which depends on the
 * order where no value has the majority.
 *
 * A Distribution is the readable form: cells sorted by key.  Its flat form is
 * one run of bytes without pointers, little-endian, that validates as
 * hostile.
 */
#ifndef MLOPS_CORE_DISTRIBUTION_H
#define MLOPS_CORE_DISTRIBUTION_H

#include "../error.h"
#include "../types.h"

#define PROFILE_CELLS		4096	/* cells beyond which they are made wider */
#define NUMBER_SHIFT_MAX	45		/* of 52 bits of mantissa 7 remain */
#define TEXT_SHIFT_MAX		63
#define TEXT_NAME_MAX		120		/* bytes of a text that are kept to show it */
#define N_REGISTERS			2048	/* of the distinct estimate, whose error is then 2.3 % */
#define REGISTER_BITS		11
#define DISTRIBUTION_ROWS_MAX (UINT64_C(1) << 62)

/* Memory for summaries: resize works like realloc, and frees for size 0. */
typedef struct ProfileMemory
{
	void	   *(*resize) (void *context, void *old, size_t size);
	void	   *context;
} ProfileMemory;

/* Of the finite values; about the mean: sums of its powers 2 to 4 (Pebay 2008, after Chan, Golub & LeVeque 1979). */
typedef struct Moments
{
	double		n;
	double		mean;
	double		m2;
	double		m3;
	double		m4;
} Moments;

typedef struct DistributionCell
{
	uint64_t	key;			/* of its values, >> shift */
	uint64_t	count;			/* values; 0 marks a free slot of a table */
	uint64_t	votes;			/* the named value was there at least so often */
	uint64_t	name;			/* numbers: the key of the value; texts: cell_name() */
} DistributionCell;

typedef struct Distribution
{
	ColumnKind	kind;
	uint32_t	shift;
	uint64_t	n_null;
	uint64_t	n_nan;
	uint64_t	n_below;		/* -infinity */
	uint64_t	n_above;		/* +infinity */
	uint64_t	n;				/* values in cells */
	double		lowest;			/* of them; NaN where there are none, or of texts */
	double		highest;
	Moments		moments;		/* of numbers */
	DistributionCell *cells;	/* n_cells, ascending by key; count > 0 */
	size_t		n_cells;
	uint8_t    *names;			/* of texts: 8 bytes of hash and the text, at each cell's offset */
	size_t		names_size;
	const uint8_t *registers;	/* N_REGISTERS of the distinct estimate; NULL where shift is 0, or it is not known */
} Distribution;

/* What a cell of a text holds: where its hash and text begin among the names, and the text's length. */
static inline uint64_t
cell_name(size_t offset, size_t length)
{
	return (uint64_t) offset << 8 | length;
}

static inline size_t
cell_name_offset(uint64_t name)
{
	return (size_t) (name >> 8);
}

static inline size_t
cell_name_length(uint64_t name)
{
	return (size_t) (name & 255);
}

/* A key that sorts as the number does, which is not NaN; -0 and 0 alike. */
static inline uint64_t
number_key(double value)
{
	uint64_t	bits;

	value += 0.0;
	__builtin_memcpy(&bits, &value, sizeof(bits));
	return bits ^ (uint64_t) ((int64_t) bits >> 63 | INT64_MIN);
}

/* The key that -0 would have; no value has it. */
#define KEY_OF_MINUS_ZERO (UINT64_MAX >> 1)

/* The number of a key. */
static inline double
key_number(uint64_t key)
{
	uint64_t	bits = key >> 63 ? key & INT64_MAX : ~key;
	double		value;

	__builtin_memcpy(&value, &bits, sizeof(value));
	return value;
}

static inline bool
distribution_is_text(const Distribution *distribution)
{
	return distribution->kind == KIND_CATEGORY;
}

/* Whether values of two kinds can be compared: those of one kind, and numbers with booleans. */
static inline bool
kinds_comparable(ColumnKind a, ColumnKind b)
{
	return a == b || (a <= KIND_BOOLEAN && b <= KIND_BOOLEAN);
}

/* Rows that were summarised. */
static inline uint64_t
distribution_rows(const Distribution *d)
{
	return d->n_null + d->n_nan + d->n_below + d->n_above + d->n;
}

/* An empty one. */
extern void distribution_init(Distribution *distribution, ColumnKind kind);

/* Frees what an opened or collected one holds. */
extern void distribution_free(Distribution *distribution, ProfileMemory memory);

/* Parses the flat form; trusts nothing.  registers points into bytes.  ERROR_CORRUPTED or ERROR_MEMORY. */
extern bool distribution_open(Distribution *distribution, const void *bytes, size_t size, ProfileMemory memory, Error *error);

/* Bytes of the flat form, and the form itself, which has so many. */
extern size_t distribution_size(const Distribution *distribution);
extern void distribution_write(const Distribution *distribution, uint8_t *out);

/*
 * Takes `part`, whose rows are among those of `whole`, away from it; ERROR_DATA
 * where they are not.  The cells stay those of the whole; the distinct estimate is lost where they are wider than values.
 */
extern bool distribution_subtract(Distribution *whole, const Distribution *part, Error *error);

/* The least and the greatest number of a cell, kept within what was seen. */
extern void cell_bounds(const Distribution *distribution, const DistributionCell *cell, double *low, double *high);

/* A number that stands for a cell: its value, or the middle of its bounds. */
extern double cell_number(const Distribution *distribution, const DistributionCell *cell);

/* The text of a cell of texts, not ended with 0. */
extern const char *cell_text(const Distribution *distribution, const DistributionCell *cell, size_t *length);

/* Quantile of the finite values, 0 <= q <= 1, interpolated as percentile_cont does; NaN where there are none. */
extern double distribution_quantile(const Distribution *distribution, double q);

/* Distinct values, NULL and NaN apart: exact where `exact`, else estimated to 2.3 %; NaN where not known. */
extern double distribution_distinct(const Distribution *distribution, bool *exact);

/* Numbers of the `most` cells with the greatest counts of named values (by cell_share), descending; returns how many. */
extern size_t distribution_top(const Distribution *distribution, size_t *top, size_t most);

/* Of a cell: how often its named value was there; the middle between what is sure and what is possible. */
extern uint64_t cell_named_count(const DistributionCell *cell);

/* Standard deviation of the finite values: of a sample (n - 1), and of a population. */
extern double moments_deviation(const Moments *moments);
extern double moments_population_deviation(const Moments *moments);

/* Adds what was counted apart; takes away what was counted together. */
extern void moments_merge(Moments *total, const Moments *part);
extern void moments_subtract(Moments *total, const Moments *part);

/* Enters a mixed hash into registers: the greatest number of leading zeros is kept. */
static inline void
register_hash(uint8_t *registers, uint64_t hash)
{
	uint8_t    *place = &registers[hash >> (64 - REGISTER_BITS)];
	uint64_t	rest = hash << REGISTER_BITS | UINT64_C(1) << (REGISTER_BITS - 1);
	uint8_t		rank = (uint8_t) (__builtin_clzll(rest) + 1);

	if (rank > *place)
		*place = rank;
}

#endif
