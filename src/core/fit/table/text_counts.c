/*
 * text_counts.c
 *		Texts that were counted already, as a distribution.
 *
 * They become a distribution with a cell each, which is merged into an empty
 * profile; that makes cells wider where they are too many.
 */
#include "text_counts.h"

#include <stdlib.h>
#include <string.h>

#include "../../hash.h"

size_t
text_clip(const char *text, size_t length, size_t most)
{
	if (length <= most)
		return length;
	while (most > 0 && ((uint8_t) text[most] & 0xc0) == 0x80)
		most--;
	return most;
}

static int
compare_cells(const void *a, const void *b)
{
	uint64_t	x = ((const DistributionCell *) a)->key;
	uint64_t	y = ((const DistributionCell *) b)->key;

	return (x > y) - (x < y);
}

/* Fills cells and names, for which there is room. */
static void
fill_cells(Distribution *d, const TextCount *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		uint64_t	hash = hash64_bytes(texts[i].text, texts[i].length);
		size_t		shown = text_clip(texts[i].text, texts[i].length, TEXT_NAME_MAX);

		if (texts[i].count == 0)
			continue;
		d->cells[d->n_cells++] = (DistributionCell) {hash, texts[i].count, texts[i].count, cell_name(d->names_size, shown)};
		memcpy(d->names + d->names_size, &hash, sizeof(hash));
		memcpy(d->names + d->names_size + sizeof(hash), texts[i].text, shown);
		d->names_size += sizeof(hash) + shown;
		d->n += texts[i].count;
	}
}

bool
count_texts(Profile *profile, const TextCount *texts, size_t n, Error *error)
{
	Distribution d;
	bool		done;

	distribution_init(&d, KIND_CATEGORY);
	d.cells = malloc((n + 1) * sizeof(DistributionCell));
	d.names = malloc((n + 1) * (sizeof(uint64_t) + TEXT_NAME_MAX));
	if (d.cells == NULL || d.names == NULL)
	{
		free(d.cells);
		free(d.names);
		return error_set(error, ERROR_MEMORY, "out of memory for the profile of %zu texts", n);
	}
	/* before the first name lies what cells without one have */
	memset(d.names, 0, sizeof(uint64_t));
	d.names_size = sizeof(uint64_t);
	fill_cells(&d, texts, n);
	qsort(d.cells, d.n_cells, sizeof(DistributionCell), compare_cells);
	done = profile_merge(profile, &d, error);
	free(d.cells);
	free(d.names);
	return done;
}

size_t
text_cell(const Distribution *distribution, const char *text, size_t length)
{
	uint64_t	key = hash64_bytes(text, length) >> distribution->shift;
	size_t		low = 0;
	size_t		high = distribution->n_cells;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (distribution->cells[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low < distribution->n_cells && distribution->cells[low].key == key ? low : SIZE_MAX;
}
