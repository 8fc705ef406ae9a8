/*
 * sort_keys.c
 *		A few thousand 64-bit keys, sorted by one thread.
 *
 * By digits of eight bits, the least first; digits that all keys share are
 * passed over.
 */
#include "sort_keys.h"

#include <string.h>

#define DIGIT_BITS	8
#define N_DIGITS	(64 / DIGIT_BITS)
#define RADIX		(1 << DIGIT_BITS)

void
sort_keys(uint64_t *keys, uint64_t *spare, size_t n)
{
	uint32_t	counts[N_DIGITS][RADIX] = {{0}};
	uint64_t   *from = keys;
	uint64_t   *to = spare;

	for (size_t i = 0; i < n; i++)
	{
		for (int digit = 0; digit < N_DIGITS; digit++)
			counts[digit][keys[i] >> (digit * DIGIT_BITS) & (RADIX - 1)]++;
	}
	for (int digit = 0; digit < N_DIGITS; digit++)
	{
		uint32_t   *next = counts[digit];
		uint32_t	sum = 0;
		uint64_t   *swap = from;

		if (n == 0 || next[from[0] >> (digit * DIGIT_BITS) & (RADIX - 1)] == n)
			continue;
		for (int value = 0; value < RADIX; value++)
		{
			uint32_t	count = next[value];

			next[value] = sum;
			sum += count;
		}
		for (size_t i = 0; i < n; i++)
			to[next[from[i] >> (digit * DIGIT_BITS) & (RADIX - 1)]++] = from[i];
		from = to;
		to = swap;
	}
	if (from != keys)
		memcpy(keys, from, n * sizeof(uint64_t));
}
