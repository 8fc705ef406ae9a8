/*
 * quadrature.h
 *		Gauss-Legendre quadrature on the interval from 0 to 1.
 */
#ifndef MLOPS_CORE_QUADRATURE_H
#define MLOPS_CORE_QUADRATURE_H

#include <stdint.h>

/* The n nodes, ascending, and their weights: exact for polynomials of degree 2n - 1, but for rounding. */
extern void quadrature_points(uint32_t n, double *nodes, double *weights);

#endif
