/*
 * isotonic.h
 *		Isotonic regression: the closest function that never falls.
 */
#ifndef MLOPS_CORE_ISOTONIC_H
#define MLOPS_CORE_ISOTONIC_H

#include <stdint.h>

#include "../arena.h"

/* A function by its knots: between two of them on the line that joins them, outside them as at the nearest. */
typedef struct Isotonic
{
	uint32_t	n;				/* knots */
	const double *x;			/* ascending, all different */
	const double *y;			/* never falling */
} Isotonic;

/*
 * Fits y to x by weighted least squares (weight NULL: all 1) by pooling
 * adjacent violators; rows of equal x count as one, with their mean.  Knots
 * that lie between two of the same height are left out.  x must be finite.
 * Rows without weight count for nothing.  The knots are in the arena.
 * ERROR_DATA where no row has weight; ERROR_LIMIT; ERROR_MEMORY.
 *
 * Barlow, Bartholomew, Bremner & Brunk, "Statistical Inference under Order Restrictions" (1972).
 */
extern bool isotonic_fit(Isotonic *fit, size_t n, const double *x, const double *y, const double *weight, Arena *arena, Error *error);

/* The function at x; NaN for NaN. */
extern double isotonic_value(const Isotonic *fit, double x);

#endif
