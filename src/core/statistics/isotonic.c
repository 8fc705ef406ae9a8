/*
 * isotonic.c
 *		Isotonic regression: the closest function that never falls.
 *
 * Rows are sorted by x.  Blocks of rows are kept on a stack, each with its
 * mean; a row begins a block, and while the block before is not lower, the
 * two become one.  Each row is pushed once and pooled at most once.
 */
#include "isotonic.h"

#include <math.h>

#include "../sort.h"

/* Neighbouring values of x with the same fitted y. */
typedef struct Block
{
	double		y;				/* weighted mean */
	double		weight;
	double		first;			/* least x */
	double		last;			/* greatest x */
} Block;

/* Blocks a and b as one. */
static Block
block_join(Block a, Block b)
{
	double		weight = a.weight + b.weight;

	return (Block) {a.y + (b.y - a.y) * (b.weight / weight), weight, a.first, b.last};
}

/* Pushes a block, and pools it with those before that are not lower; the number of blocks then. */
static size_t
push_block(Block *blocks, size_t n, Block block)
{
	while (n > 0 && blocks[n - 1].y >= block.y)
		block = block_join(blocks[--n], block);
	blocks[n] = block;
	return n + 1;
}

/* The blocks of sorted rows; how many. */
static size_t
pool_rows(Block *blocks, const SortItem *items, size_t n, const double *x, const double *y, const double *weight)
{
	size_t		n_blocks = 0;

	for (size_t i = 0; i < n;)
	{
		uint64_t	key = items[i].key;
		double		at = x[items[i].index];
		Block		ties = {0, 0, at, at};

		for (; i < n && items[i].key == key; i++)
		{
			size_t		row = items[i].index;

			ties = block_join(ties, (Block) {y[row], weight == NULL ? 1 : weight[row], at, at});
		}
		n_blocks = push_block(blocks, n_blocks, ties);
	}
	return n_blocks;
}

/* Where blocks begin and end, as knots. */
static bool
set_knots(Isotonic *fit, const Block *blocks, size_t n_blocks, Arena *arena, Error *error)
{
	double	   *x = arena_alloc(arena, 2 * n_blocks, sizeof(double), error);
	double	   *y = arena_alloc(arena, 2 * n_blocks, sizeof(double), error);
	uint32_t	n = 0;

	if (x == NULL || y == NULL)
		return false;
	for (size_t b = 0; b < n_blocks; b++)
	{
		x[n] = blocks[b].first;
		y[n++] = blocks[b].y;
		if (blocks[b].last > blocks[b].first)
		{
			x[n] = blocks[b].last;
			y[n++] = blocks[b].y;
		}
	}
	*fit = (Isotonic) {n, x, y};
	return true;
}

bool
isotonic_fit(Isotonic *fit, size_t n, const double *x, const double *y, const double *weight, Arena *arena, Error *error)
{
	if (n > UINT32_MAX / 2)
		return error_set(error, ERROR_LIMIT, "%zu rows are too many for an isotonic regression", n);

	SortItem   *items = arena_alloc(arena, n, sizeof(SortItem), error);
	SortItem   *spare = arena_alloc(arena, n, sizeof(SortItem), error);
	Block	   *blocks = arena_alloc(arena, n, sizeof(Block), error);
	size_t		used = 0;

	if (items == NULL || spare == NULL || blocks == NULL)
		return false;
	for (size_t row = 0; row < n; row++)
	{
		if (weight == NULL || weight[row] > 0)
			items[used++] = (SortItem) {sort_number_key(x[row]), (uint32_t) row, 0};
	}
	if (used == 0)
		return error_set(error, ERROR_DATA, "an isotonic regression needs rows");
	sort_items(items, spare, used);
	return set_knots(fit, blocks, pool_rows(blocks, items, used, x, y, weight), arena, error);
}

double
isotonic_value(const Isotonic *fit, double x)
{
	uint32_t	low = 0;
	uint32_t	high = fit->n - 1;

	if (isnan(x))
		return NAN;
	if (x <= fit->x[low])
		return fit->y[low];
	if (x >= fit->x[high])
		return fit->y[high];
	while (high - low > 1)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (fit->x[middle] <= x)
			low = middle;
		else
			high = middle;
	}
	if (fit->y[low] == fit->y[high])
		return fit->y[low];
	return fit->y[low] + (fit->y[high] - fit->y[low]) * ((x - fit->x[low]) / (fit->x[high] - fit->x[low]));
}
