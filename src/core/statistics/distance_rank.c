/*
 * distance_rank.c
 *		Distances between cumulative distributions: one pass over the sorted values of both.
 */
#include "distance.h"

#include <math.h>

/* The values of one side in ascending order, equal ones together. */
typedef struct Cursor
{
	const double *values;		/* raw: sorted */
	const Distribution *d;		/* or cells, made as wide as `shift` */
	uint32_t	shift;
	size_t		size;			/* values or cells */
	size_t		next;
	double		passed;			/* values so far */
	double		total;
} Cursor;

/* The key that the next value is compared by. */
static uint64_t
cursor_key(const Cursor *cursor)
{
	if (cursor->values != NULL)
		return number_key(cursor->values[cursor->next]);
	return cursor->d->cells[cursor->next].key >> (cursor->shift - cursor->d->shift);
}

static double
cursor_number(const Cursor *cursor)
{
	return cursor->values != NULL ? cursor->values[cursor->next] : cell_number(cursor->d, &cursor->d->cells[cursor->next]);
}

/* Passes all values with a key; the number that stands for them: their weighted mean. */
static double
pass_key(Cursor *cursor, uint64_t key, double *weight)
{
	double		number = 0;

	*weight = 0;
	while (cursor->next < cursor->size && cursor_key(cursor) == key)
	{
		double		count = cursor->values != NULL ? 1 : (double) cursor->d->cells[cursor->next].count;

		*weight += count;
		number += (cursor_number(cursor) - number) * (count / *weight);
		cursor->next++;
	}
	cursor->passed += *weight;
	return number;
}

/* One pass over both. */
static RankDistances
merge_cursors(Cursor r, Cursor c)
{
	RankDistances result = {0};
	double		squares = 0;
	double		difference = 0;
	double		number = 0;

	while (r.next < r.size || c.next < c.size)
	{
		uint64_t	key = r.next == r.size ? cursor_key(&c) : cursor_key(&r);
		double		weight_r;
		double		weight_c;
		double		before = number;

		if (c.next < c.size && cursor_key(&c) < key)
			key = cursor_key(&c);

		double		number_r = pass_key(&r, key, &weight_r);
		double		number_c = pass_key(&c, key, &weight_c);

		/* equal numbers stay what they are, however large */
		number = number_r == number_c ? number_r
			: number_r * (weight_r / (weight_r + weight_c)) + number_c * (weight_c / (weight_r + weight_c));
		result.wasserstein += difference == 0 ? 0 : fabs(difference) * (number - before);
		squares += difference == 0 ? 0 : difference * difference * (number - before);

		/* over one denominator: a tie of the two shares is then exactly 0 */
		difference = (r.passed * c.total - c.passed * r.total) / (r.total * c.total);
		result.ks = fmax(result.ks, fabs(difference));
	}
	result.energy = sqrt(2 * squares);
	return result;
}

/* Of two sorted arrays. */
RankDistances
rank_distances(const double *reference, size_t n, const double *current, size_t m)
{
	return merge_cursors((Cursor) {.values = reference, .size = n, .total = (double) n},
						 (Cursor) {.values = current, .size = m, .total = (double) m});
}

/* Of two distributions. */
RankDistances
rank_distances_of(const Distribution *reference, const Distribution *current)
{
	uint32_t	shift = reference->shift > current->shift ? reference->shift : current->shift;

	if (reference->n == 0 || current->n == 0)
		return (RankDistances) {NAN, NAN, NAN};
	return merge_cursors((Cursor) {.d = reference, .shift = shift, .size = reference->n_cells, .total = (double) reference->n},
						 (Cursor) {.d = current, .shift = shift, .size = current->n_cells, .total = (double) current->n});
}

/* A distance in deviations; none is none, however small the deviation. */
double
distance_in_deviations(double distance, const Distribution *reference)
{
	return distance == 0 ? 0 : distance / moments_population_deviation(&reference->moments);
}

/* Shift of the mean. */
double
distance_mean_shift(const Distribution *reference, const Distribution *current)
{
	if (reference->n == 0 || current->n == 0)
		return NAN;
	return distance_in_deviations(current->moments.mean - reference->moments.mean, reference);
}
