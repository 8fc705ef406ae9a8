/*
 * recipe_median.c
 *		The exact median of a column, without sorting or copying it.
 *
 * Numbers are compared by keys that sort as they do.  A sample brackets the
 * median between two keys; a pass over the column counts the keys below, and
 * those between them in bins of equal width.  The bin with the median is the
 * next bracket, until it holds few enough keys to collect and sort them: two
 * passes for most columns.  A bracket that missed is replaced by the whole
 * range, so that the result never depends on the sample.
 *
 * In a long column a larger sample brackets the median so closely that what
 * lies inside is few enough to be copied, in one pass; the copy then takes
 * the place of the column.
 */
#include <math.h>

#include "encode.h"
#include "recipe_measure.h"

#define SAMPLE_ROWS 512
#define SAMPLE_MARGIN 48		/* four standard deviations of the rank of the sample's median */
#define BINS 2048
#define COLLECT_MAX 4096

#define LONG_ROWS 65536
#define LONG_SAMPLE 4096
#define LONG_MARGIN 128			/* four standard deviations again */

typedef struct Bracket
{
	uint64_t	low;			/* keys */
	uint64_t	high;
	uint64_t	n_below;		/* numbers below low */
	uint64_t	n_inside;		/* numbers from low to high */
} Bracket;

/* Around the median of a sample at equal distances; the whole range where the column is small. */
static Bracket
sample_bracket(const TableColumn *column, RowRange range, const ColumnMeasure *measure)
{
	Bracket		bracket = {sort_number_key(measure->lowest), sort_number_key(measure->highest), 0, measure->n_present};
	SortItem	items[SAMPLE_ROWS];
	SortItem	spare[SAMPLE_ROWS];
	Error		none;
	size_t		n = 0;

	if (range_rows(range) < 2 * COLLECT_MAX)
		return bracket;
	for (size_t i = 0; i < SAMPLE_ROWS; i++)
	{
		double		value = table_number(column, range.begin + i * (range_rows(range) / SAMPLE_ROWS));

		if (!isnan(value))
			items[n++] = (SortItem) {sort_number_key(value), 0, 0};
	}
	if (n < 3 * SAMPLE_MARGIN)
		return bracket;
	sort_by_key(items, spare, n, NULL, NULL, &none);
	bracket.low = items[n / 2 - SAMPLE_MARGIN].key;
	bracket.high = items[n / 2 + SAMPLE_MARGIN].key;
	return bracket;
}

/* Counts what lies below and inside; the counts of bins of 2^shift keys each. */
static void
count_bins(const TableColumn *column, RowRange range, Bracket *bracket, int shift, uint64_t *bins)
{
	uint64_t	low = bracket->low;
	uint64_t	width = bracket->high - low;

	memset(bins, 0, BINS * sizeof(uint64_t));
	bracket->n_below = bracket->n_inside = 0;
	for (size_t begin = range.begin; begin < range.end; begin += MEASURE_BLOCK)
	{
		double		values[MEASURE_BLOCK];
		size_t		n = measure_load(column, begin, range.end, values);

		for (size_t i = 0; i < n; i++)
		{
			uint64_t	key = sort_number_key(values[i]);

			bracket->n_below += key < low;
			if (key - low <= width)
				bins[(key - low) >> shift]++;
		}
	}
	for (int bin = 0; bin < BINS; bin++)
		bracket->n_inside += bins[bin];
}

/* The bin of a bracket that holds rank k. */
static Bracket
narrow(const Bracket *bracket, int shift, const uint64_t *bins, uint64_t k)
{
	Bracket		inner = *bracket;
	uint64_t	bin = 0;

	for (; k >= inner.n_below + bins[bin]; bin++)
		inner.n_below += bins[bin];
	inner.low = bracket->low + (bin << shift);
	if (bracket->high - inner.low >= UINT64_C(1) << shift)
		inner.high = inner.low + ((UINT64_C(1) << shift) - 1);
	inner.n_inside = bins[bin];
	return inner;
}

/* A bracket around the number of rank k that holds few numbers, or one number many times. */
static Bracket
find_bracket(const TableColumn *column, RowRange range, const ColumnMeasure *measure, uint64_t k)
{
	Bracket		bracket = sample_bracket(column, range, measure);

	for (;;)
	{
		uint64_t	bins[BINS];
		int			shift = 0;

		while ((bracket.high - bracket.low) >> shift >= BINS)
			shift++;
		count_bins(column, range, &bracket, shift, bins);
		if (k < bracket.n_below || k - bracket.n_below >= bracket.n_inside)
		{
			bracket.low = sort_number_key(measure->lowest);
			bracket.high = sort_number_key(measure->highest);
			continue;
		}
		bracket = narrow(&bracket, shift, bins, k);
		if (bracket.n_inside <= COLLECT_MAX || bracket.low == bracket.high)
			return bracket;
	}
}

/* Smallest key above a bracket, of which there is one. */
static uint64_t
key_above(const TableColumn *column, RowRange range, uint64_t high)
{
	uint64_t	above = UINT64_MAX;

	for (size_t row = range.begin; row < range.end; row++)
	{
		uint64_t	key = sort_number_key(table_number(column, row));

		if (key > high && key < above)
			above = key;
	}
	return above;
}

/* The keys of ranks k and k + 1 (where next is not NULL). */
static void
select_keys(const TableColumn *column, RowRange range, const ColumnMeasure *measure, uint64_t k, uint64_t *key, uint64_t *next)
{
	Bracket		bracket = find_bracket(column, range, measure, k);
	SortItem	items[COLLECT_MAX];
	SortItem	spare[COLLECT_MAX];
	Error		none;
	size_t		n = 0;

	k -= bracket.n_below;
	if (bracket.low == bracket.high)
	{
		*key = bracket.low;
		if (next != NULL)
			*next = k + 1 < bracket.n_inside ? bracket.low : key_above(column, range, bracket.high);
		return;
	}
	for (size_t row = range.begin; row < range.end; row++)
	{
		uint64_t	candidate = sort_number_key(table_number(column, row));

		if (candidate - bracket.low <= bracket.high - bracket.low)
			items[n++] = (SortItem) {candidate, 0, 0};
	}
	sort_by_key(items, spare, n, NULL, NULL, &none);
	*key = items[k].key;
	if (next != NULL)
		*next = k + 1 < n ? items[k + 1].key : key_above(column, range, bracket.high);
}

/* ---- Long columns ---- */

/* Copies the numbers from low to high of a tile; how many, and adds to *n_below those below. */
static inline size_t
copy_inside(const double *tile, size_t n, double low, double high, double *out, uint64_t *n_below)
{
	size_t		n_inside = 0;
	uint64_t	below = 0;

	/* without branches, which could not be foretold */
	for (size_t i = 0; i < n; i++)
	{
		out[n_inside] = tile[i];
		n_inside += (size_t) ((tile[i] >= low) & (tile[i] <= high));
		below += tile[i] < low;
	}
	*n_below += below;
	return n_inside;
}

/* The median of a larger sample, and numbers around it; false where there are too few for one. */
static bool
bracket_closely(const TableColumn *column, RowRange range, double *low, double *middle, double *high)
{
	SortItem	items[LONG_SAMPLE];
	SortItem	spare[LONG_SAMPLE];
	Error		none;
	size_t		n = 0;

	for (size_t i = 0; i < LONG_SAMPLE; i++)
	{
		double		value = table_number(column, range.begin + i * (range_rows(range) / LONG_SAMPLE));

		if (!isnan(value))
			items[n++] = (SortItem) {sort_number_key(value), 0, 0};
	}
	if (n < 3 * LONG_MARGIN)
		return false;
	sort_by_key(items, spare, n, NULL, NULL, &none);
	*low = sort_key_number(items[n / 2 - LONG_MARGIN].key);
	*middle = sort_key_number(items[n / 2].key);
	*high = sort_key_number(items[n / 2 + LONG_MARGIN].key);
	return true;
}

size_t
measure_median_scratch(size_t n_rows)
{
	return n_rows < LONG_ROWS ? 0 : n_rows / 8 + MEASURE_BLOCK;
}

/* How a column's numbers lie around one of them. */
typedef struct Neighbours
{
	uint64_t	n_below;
	uint64_t	n_equal;
	double		below;			/* the nearest on each side; infinite where there is none */
	double		above;
} Neighbours;

static Neighbours
find_neighbours(const TableColumn *column, RowRange range, double number)
{
	Neighbours	found = {.below = -INFINITY,.above = INFINITY};

	for (size_t begin = range.begin; begin < range.end; begin += MEASURE_BLOCK)
	{
		double		tile[MEASURE_BLOCK] __attribute__((aligned(64)));
		size_t		n = range.end - begin < MEASURE_BLOCK ? range.end - begin : MEASURE_BLOCK;

		encode_numbers(column, begin, n, tile);
		for (size_t i = 0; i < n; i++)
		{
			bool		is_below = tile[i] < number;
			bool		is_above = tile[i] > number;

			found.n_below += is_below;
			found.n_equal += tile[i] == number;
			found.below = (is_below & (tile[i] > found.below)) ? tile[i] : found.below;
			found.above = (is_above & (tile[i] < found.above)) ? tile[i] : found.above;
		}
	}
	return found;
}

/* The keys of ranks k and k + 1, where one of them is this number or the next one on the way to them; else false. */
static bool
select_frequent(const TableColumn *column, RowRange range, uint64_t k, double number, uint64_t *key, uint64_t *next)
{
	for (int step = 0; step < 2; step++)
	{
		Neighbours	near = find_neighbours(column, range, number);

		if (k + 1 < near.n_below)
			number = near.below;
		else if (k >= near.n_below + near.n_equal)
			number = near.above;
		else
		{
			*key = sort_number_key(k < near.n_below ? near.below : number);
			*next = sort_number_key(k + 1 < near.n_below + near.n_equal ? number : near.above);
			return true;
		}
	}
	return false;
}

/* The keys of ranks k and k + 1, from a copy of what is near them; false where the copy would be too large or misses them. */
static bool
select_copied(const TableColumn *column, RowRange range, uint64_t k, double low, double high, double *scratch, uint64_t *key, uint64_t *next)
{
	size_t		limit = measure_median_scratch(range_rows(range)) - MEASURE_BLOCK;
	ColumnMeasure inside = {.lowest = low,.highest = high};
	uint64_t	n_below = 0;

	for (size_t begin = range.begin; begin < range.end; begin += MEASURE_BLOCK)
	{
		double		tile[MEASURE_BLOCK] __attribute__((aligned(64)));
		size_t		n = range.end - begin < MEASURE_BLOCK ? range.end - begin : MEASURE_BLOCK;

		encode_numbers(column, begin, n, tile);
		inside.n_present += copy_inside(tile, n, low, high, scratch + inside.n_present, &n_below);
		if (inside.n_present > limit)
			return false;
	}
	if (k < n_below || k + 1 >= n_below + inside.n_present)
		return false;

	MatrixColumn source = {.storage = STORAGE_FLOAT64};
	TableColumn copy = {.source = &source,.gathered = {0, inside.n_present},.u.f64 = scratch};

	select_keys(&copy, (RowRange) {0, inside.n_present}, &inside, k - n_below, key, next);
	return true;
}

/* The keys of ranks k and k + 1 of a long column; false where they are not near the sample's median. */
static bool
select_nearby(const TableColumn *column, RowRange range, uint64_t k, double *scratch, uint64_t *key, uint64_t *next)
{
	double		low;
	double		middle;
	double		high;

	if (!bracket_closely(column, range, &low, &middle, &high))
		return false;
	if ((low == middle || middle == high) && select_frequent(column, range, k, middle, key, next))
		return true;
	return select_copied(column, range, k, low, high, scratch, key, next);
}

/* Mean of the two numbers in the middle, the one where their number is odd. */
double
measure_median(const TableColumn *column, RowRange range, const ColumnMeasure *measure, double *scratch)
{
	uint64_t	n = measure->n_present;
	uint64_t	k = (n - 1) / 2;
	uint64_t	low;
	uint64_t	high;

	if (range_rows(range) < LONG_ROWS || !select_nearby(column, range, k, scratch, &low, &high))
		select_keys(column, range, measure, k, &low, n % 2 == 0 ? &high : NULL);
	if (n % 2 == 1)
		return sort_key_number(low);

	double		a = sort_key_number(low);
	double		b = sort_key_number(high);
	double		mean = (a + b) / 2;

	return isfinite(mean) ? mean : a / 2 + b / 2;
}
