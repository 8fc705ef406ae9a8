/*
 * encode.h
 *		Raw values to features, a column's rows at a time.
 *
 * What recipe_encode() does for one value, for many: bit for bit the same.
 * Arrays are 64-byte aligned, and have room up to the next multiple of
 * ENCODE_LANES values; what is written there means nothing.
 */
#ifndef MLOPS_CORE_FIT_ENCODE_H
#define MLOPS_CORE_FIT_ENCODE_H

#include "recipe_fit.h"

#define ENCODE_LANES 8

/* Floats as doubles. */
extern void encode_floats(const float *values, size_t n, double *out);

/* n rows from `begin` on of a column of numbers. */
extern void encode_numbers(const TableColumn *column, size_t begin, size_t n, double *numbers);

/* The same of any column, as recipe_raw() gives them. */
extern void encode_raw(const FittedColumn *column, size_t begin, size_t n, double *raw);

/* Rounds raw values that come from elsewhere as the column does: to float32 where it was stored so. */
extern void encode_round(const RecipeColumn *column, double *raw, size_t n);

/*
 * out[i] = the column's feature `index` of raw[i], minus shift.  Where the
 * recipe refuses missing values, there must be none.
 */
extern void encode_feature(const RecipeColumn *column, uint32_t index, const double *raw, size_t n, double shift, double *out);

#endif
