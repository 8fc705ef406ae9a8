/*
 * sort.h
 *		Sorting rows by 64-bit keys, and by comparison where keys are equal.
 */
#ifndef MLOPS_CORE_SORT_H
#define MLOPS_CORE_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct SortItem
{
	uint64_t	key;
	uint32_t	index;			/* of what is sorted */
	uint32_t	extra;			/* travels with it */
} SortItem;

/* < 0, 0, > 0 as a comes before, with or behind b. */
typedef int (*SortCompare) (const SortItem *a, const SortItem *b, const void *context);

/* By key, ascending and stable; spare has room for n <= UINT32_MAX items. */
extern void sort_items(SortItem *items, SortItem *spare, size_t n);

/* By the lowest `bits` bits of the keys, the others being equal; the result is in `other` where wanted. */
extern void sort_digits(SortItem *items, SortItem *other, size_t n, int bits, bool into_other);

/* By comparison, stable, on this thread; spare has room for n. */
extern void sort_by_comparison(SortItem *items, SortItem *spare, size_t n, SortCompare compare, const void *context);

/* A key that sorts as the number does, NaN last; -0 and 0 alike. */
static inline uint64_t
sort_number_key(double value)
{
	uint64_t	bits;

	if (value != value)
		return UINT64_MAX;
	value += 0.0;
	memcpy(&bits, &value, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/* The number of a key that is not NaN's. */
static inline double
sort_key_number(uint64_t key)
{
	uint64_t	bits = key >> 63 ? key & ~(UINT64_C(1) << 63) : ~key;
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* A key of the first 8 bytes of a text that sorts as they do. */
extern uint64_t sort_text_key(const char *text, size_t length);

/* memcmp's order; a text comes before those that it begins. */
extern int	text_compare(const char *a, size_t a_length, const char *b, size_t b_length);

#endif
