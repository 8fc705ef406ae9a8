/*
 * ndcg.h
 *		How well an order keeps what matters at its top.
 */
#ifndef MLOPS_CORE_NDCG_H
#define MLOPS_CORE_NDCG_H

#include <stddef.h>

#include "../arena.h"

/*
 * Normalised discounted cumulative gain: the sum of gain(i) / log2(i + 1)
 * with i the place by descending score, over the same sum with places by
 * descending gain (Jarvelin & Kekalainen 2002).  Of equal scores each has the
 * mean of their places' discounts.  NaN where no gain is positive; gains >= 0.  ERROR_MEMORY; ERROR_LIMIT.
 */
extern bool ndcg(double *value, size_t n, const double *gain, const double *score, Arena *arena, Error *error);

#endif
