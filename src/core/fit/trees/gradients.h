/*
 * gradients.h
 *		Derivatives as integers, so that their sums are exact in any order.
 *
 * A derivative is a whole number of units, and a unit is a power of two, so
 * that whole numbers of weights stay whole.  Usually 16 bits are enough, and
 * g and h share one word.  Where a few rows outweigh the others so much that
 * these would be lost, each has 64 bits (`wide`): lists carry the derivatives
 * as they are, in float32, and whoever adds them up makes the integers.  The
 * unit is then the sum of all rows in WIDE_TOTAL parts, finer than what sums
 * of doubles would keep, whatever the weights.
 *
 * h is at least one unit where it is not zero: a sum of h is 0 only without rows.
 */
#ifndef MLOPS_CORE_FIT_GRADIENTS_H
#define MLOPS_CORE_FIT_GRADIENTS_H

#include <string.h>

#include "../../hash.h"
#include "objective.h"

/* Largest values of one row; sums of 2^16 of them fit into 32 bits. */
#define NARROW_G_MAX	INT64_C(32767)
#define NARROW_H_MAX	INT64_C(65535)

/* Largest sum of the absolute values of all rows; 2^32 rows whose h became one unit still fit beside it. */
#define WIDE_TOTAL		(INT64_C(1) << 61)

/* Rows of a tree in some order, with their derivatives. */
typedef struct RowList
{
	uint32_t   *rows;			/* NULL: row i is at i */
	int32_t    *first;			/* narrow: g << 16 | h; wide: the bits of g as float32 */
	int32_t    *second;			/* wide: the bits of h */
} RowList;

typedef struct GradientScale
{
	bool		wide;
	double		g_unit;
	double		h_unit;
} GradientScale;

typedef struct GradientSums
{
	int64_t		g;				/* in units */
	int64_t		h;
} GradientSums;

/* Of lists that count rows: 1 in `first`. */
extern const GradientScale gradient_counts;

/* The number whose bits a word has. */
static inline float
gradient_float(int32_t word)
{
	float		x;

	memcpy(&x, &word, sizeof(x));
	return x;
}

/* Units of a wide g, and of a wide h; inverse: 1 / unit. */
static inline int64_t
gradient_wide_g(float g, double inverse)
{
	return (int64_t) ((double) g * inverse);
}

static inline int64_t
gradient_wide_h(float h, double inverse)
{
	int64_t		n = (int64_t) ((double) h * inverse);

	return n + ((n == 0) & (h > 0));
}

/* The sums in units of row i of a list. */
static inline __attribute__((always_inline)) GradientSums
gradient_units(const RowList *list, size_t i, bool wide, double g_inverse, double h_inverse)
{
	int32_t		first = list->first[i];

	if (!wide)
		return (GradientSums) {first >> 16, (uint16_t) first};
	return (GradientSums) {gradient_wide_g(gradient_float(first), g_inverse), gradient_wide_h(gradient_float(list->second[i]), h_inverse)};
}

/* The largest power of two that, as 1 / unit, keeps |x| <= largest at or below `limit` units. */
extern double gradient_unit(double largest, int64_t limit);

/*
 * Chooses width and units from the blocks that objective_gradients() filled.
 * weighted: weights differ, and must lose nothing to 16 bits.  unbounded:
 * derivatives may be of any size; those of probabilities that are small
 * beside 1 have nothing more to say.
 */
extern GradientScale gradient_scale(const GradientBlock *blocks, size_t n_blocks, size_t n_rows, bool weighted, bool unbounded);

/* Which rows a tree sees: all, or those whose hash is below a limit. */
typedef struct RowSample
{
	bool		all;
	uint64_t	key;			/* of seed and tree */
	uint64_t	limit;
} RowSample;

extern RowSample row_sample(double share, uint64_t seed, uint64_t tree);

static inline bool
row_sampled(const RowSample *sample, uint64_t row)
{
	return sample->all || hash64_combine(sample->key, row) < sample->limit;
}

/*
 * Turns derivatives of all n rows into integers, and lists those in the
 * sample: list->rows is used only where the sample is not all.  offsets: one
 * a block of OBJECTIVE_BLOCK rows; partial: the same.  Returns the number of rows listed; *sums: theirs.
 */
extern size_t gradients_to_list(const GradientScale *scale, const RowSample *sample, const float *g, const float *h, size_t n,
								RowList *list, size_t *offsets, GradientSums *partial, GradientSums *sums, ThreadPool *pool);

#endif
