/*
 * sort.c
 *		Sorting rows by 64-bit keys, and by comparison where keys are equal.
 *
 * By key: digit by digit from the top (MSD radix sort), down to runs short
 * enough for insertion.
 */
#include "sort.h"

#define DIGIT_BITS 8
#define DIGITS (1 << DIGIT_BITS)
#define INSERTION_MAX 24

static void
insertion_sort(SortItem *items, size_t n)
{
	for (size_t i = 1; i < n; i++)
	{
		SortItem	item = items[i];
		size_t		j = i;

		for (; j > 0 && items[j - 1].key > item.key; j--)
			items[j] = items[j - 1];
		items[j] = item;
	}
}

void
sort_digits(SortItem *items, SortItem *other, size_t n, int bits, bool into_other)
{
	if (n <= INSERTION_MAX || bits == 0)
	{
		if (bits > 0)
			insertion_sort(items, n);
		if (into_other)
			memcpy(other, items, n * sizeof(SortItem));
		return;
	}

	int			shift = bits > DIGIT_BITS ? bits - DIGIT_BITS : 0;
	uint32_t	mask = (1u << (bits - shift)) - 1;
	uint32_t	counts[DIGITS] = {0};
	uint32_t	places[DIGITS];
	uint32_t	sum = 0;

	for (size_t i = 0; i < n; i++)
		counts[(items[i].key >> shift) & mask]++;
	if (counts[(items[0].key >> shift) & mask] == n)
	{
		sort_digits(items, other, n, shift, into_other);
		return;
	}
	for (uint32_t d = 0; d <= mask; d++)
	{
		places[d] = sum;
		sum += counts[d];
	}
	for (size_t i = 0; i < n; i++)
		other[places[(items[i].key >> shift) & mask]++] = items[i];
	for (uint32_t d = 0, start = 0; d <= mask; start += counts[d++])
	{
		if (counts[d] > 0)
			sort_digits(other + start, items + start, counts[d], shift, !into_other);
	}
}

void
sort_items(SortItem *items, SortItem *spare, size_t n)
{
	sort_digits(items, spare, n, 64, false);
}

void
sort_by_comparison(SortItem *items, SortItem *spare, size_t n, SortCompare compare, const void *context)
{
	if (n < 2)
		return;

	size_t		half = n / 2;

	sort_by_comparison(items, spare, half, compare, context);
	sort_by_comparison(items + half, spare, n - half, compare, context);
	memcpy(spare, items, half * sizeof(SortItem));
	for (size_t left = 0, right = half, out = 0; left < half; out++)
	{
		if (right < n && compare(&items[right], &spare[left], context) < 0)
			items[out] = items[right++];
		else
			items[out] = spare[left++];
	}
}

uint64_t
sort_text_key(const char *text, size_t length)
{
	uint64_t	key = 0;

	memcpy(&key, text, length < sizeof(key) ? length : sizeof(key));
	return __builtin_bswap64(key);
}

int
text_compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t		common = a_length < b_length ? a_length : b_length;
	int			order = common == 0 ? 0 : memcmp(a, b, common);

	return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}
