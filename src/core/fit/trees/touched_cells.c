/*
 * touched_cells.c
 *		Sums of a feature over few rows.
 */
#include "touched_cells.h"

/* Words of n bits. */
static inline size_t
words_of(size_t n)
{
	return (n + 63) / 64;
}

/* Everything for features of at most so many bins. */
bool
touched_init(TouchedCells *touched, uint32_t most_bins, Arena *arena, Error *error)
{
	size_t		n = most_bins < BINS_MAX ? BINS_MAX : most_bins;

	touched->cells = arena_zeroed(arena, n, sizeof(HistogramCell), error);
	touched->marks = arena_zeroed(arena, words_of(n), sizeof(uint64_t), error);
	touched->summary = arena_zeroed(arena, words_of(words_of(n)), sizeof(uint64_t), error);
	touched->listed = arena_alloc(arena, n, sizeof(HistogramCell), error);
	touched->bins = arena_alloc(arena, n, sizeof(uint16_t), error);
	return touched->cells != NULL && touched->marks != NULL && touched->summary != NULL && touched->listed != NULL &&
		touched->bins != NULL;
}

/* Bytes of these. */
uint64_t
touched_memory(uint32_t most_bins)
{
	uint64_t	n = most_bins < BINS_MAX ? BINS_MAX : most_bins;

	return n * (2 * sizeof(HistogramCell) + sizeof(uint16_t)) + (words_of(n) + words_of(words_of(n))) * sizeof(uint64_t) + 5 * 64;
}

/* Adds one row to a cell. */
static inline __attribute__((always_inline)) void
touch(TouchedCells *touched, uint32_t bin, GradientSums units)
{
	touched->cells[bin].g += units.g;
	touched->cells[bin].h += units.h;
	touched->marks[bin / 64] |= UINT64_C(1) << (bin % 64);
}

/* Adds rows of a feature of one byte; all its words are looked at anyway. */
static inline __attribute__((always_inline)) void
touch_narrow(TouchedCells *touched, const uint8_t *rows, size_t stride, const GradientScale *scale, bool wide, const RowList *list,
			 size_t begin, size_t end)
{
	double		g_inverse = 1 / scale->g_unit;
	double		h_inverse = 1 / scale->h_unit;

	for (size_t i = begin; i < end; i++)
		touch(touched, rows[(list->rows != NULL ? list->rows[i] : i) * stride], gradient_units(list, i, wide, g_inverse, h_inverse));
}

/* Adds rows of a feature of two bytes. */
static inline __attribute__((always_inline)) void
touch_wide(TouchedCells *touched, const uint16_t *column, const GradientScale *scale, bool wide, const RowList *list, size_t begin, size_t end)
{
	double		g_inverse = 1 / scale->g_unit;
	double		h_inverse = 1 / scale->h_unit;

	for (size_t i = begin; i < end; i++)
	{
		uint32_t	bin = column[list->rows != NULL ? list->rows[i] : i];

		touch(touched, bin, gradient_units(list, i, wide, g_inverse, h_inverse));
		touched->summary[bin / 4096] |= UINT64_C(1) << (bin / 64 % 64);
	}
}

/* Lists the cells marked in one word, and makes them zero. */
static inline uint32_t
list_word(TouchedCells *touched, uint32_t word, uint32_t n)
{
	for (uint64_t bits = touched->marks[word]; bits != 0; bits &= bits - 1)
	{
		uint32_t	bin = 64 * word + (uint32_t) __builtin_ctzll(bits);

		touched->listed[n] = touched->cells[bin];
		touched->bins[n++] = (uint16_t) bin;
		touched->cells[bin] = (HistogramCell) {0, 0};
	}
	touched->marks[word] = 0;
	return n;
}

/* Rows in, cells out. */
CellList
touched_list(TouchedCells *touched, const BinnedMatrix *bins, uint32_t feature, const GradientScale *scale, const RowList *list, size_t begin,
			 size_t end)
{
	const BinFeature *f = &bins->features[feature];
	uint32_t	n = 0;

	if (!f->wide)
	{
		const BinGroup *group = &bins->groups[f->place / GROUP_FEATURES];
		const uint8_t *rows = group->rows + f->place % GROUP_FEATURES;

		if (scale->wide)
			touch_narrow(touched, rows, group->stride, scale, true, list, begin, end);
		else
			touch_narrow(touched, rows, group->stride, scale, false, list, begin, end);
		touched->marks[0] |= 3;
		for (uint32_t word = 0; word < BINS_MAX / 64; word++)
			n = list_word(touched, word, n);
	}
	else
	{
		const uint16_t *column = bins_wide_column(bins, f);

		if (scale->wide)
			touch_wide(touched, column, scale, true, list, begin, end);
		else
			touch_wide(touched, column, scale, false, list, begin, end);
		touched->marks[0] |= 3;
		touched->summary[0] |= 1;
		for (uint32_t s = 0; s < WIDE_BINS_MAX / 4096; s++)
		{
			if (4096 * s >= f->n_bins)
				break;
			for (uint64_t bits = touched->summary[s]; bits != 0; bits &= bits - 1)
				n = list_word(touched, 64 * s + (uint32_t) __builtin_ctzll(bits), n);
			touched->summary[s] = 0;
		}
	}
	return (CellList)
	{
		.cells = touched->listed,.bins = touched->bins,.n = n
	};
}
