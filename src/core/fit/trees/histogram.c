/*
 * histogram.c
 *		Sums of derivatives by feature and bin.
 *
 * What bounds the kernels is the store of each update, not memory: rows of a
 * node are prefetched a few ahead, and a row's bins are one cache line.
 */
#include "histogram.h"

#include <string.h>

#define PREFETCH_ROWS 16

#define GROUP_CELLS (GROUP_FEATURES * CELL_STRIDE)

/* Features of all groups, the last padded. */
static size_t
padded_features(uint32_t n_features)
{
	return (n_features + 3) / 4 * 4;
}

/* All cells of all threads are zero from here on between nodes. */
bool
histogram_scratch_init(HistogramScratch *scratch, const BinnedMatrix *bins, int n_threads, Arena *arena, Error *error)
{
	size_t		n_cells = padded_features(bins->n_narrow) * CELL_STRIDE;

	scratch->bins = bins;
	scratch->n_threads = n_threads;
	scratch->threads = arena_alloc(arena, (size_t) n_threads, sizeof(ThreadHistogram), error);
	scratch->places = arena_alloc(arena, bins->n_groups, GROUP_FEATURES, error);
	scratch->n_places = arena_alloc(arena, bins->n_groups, sizeof(uint32_t), error);
	if (scratch->threads == NULL || scratch->places == NULL || scratch->n_places == NULL)
		return false;
	histogram_choose(scratch, NULL);
	for (int t = 0; t < n_threads; t++)
	{
		ThreadHistogram *own = &scratch->threads[t];

		own->narrow = arena_zeroed(arena, n_cells, sizeof(uint64_t), error);
		own->wide = arena_zeroed(arena, n_cells, sizeof(HistogramCell), error);
		own->n_narrow = arena_zeroed(arena, bins->n_groups, sizeof(uint32_t), error);
		own->any_wide = arena_zeroed(arena, bins->n_groups, sizeof(bool), error);
		if (own->narrow == NULL || own->wide == NULL || own->n_narrow == NULL || own->any_wide == NULL)
			return false;
	}
	return true;
}

/* Places in order. */
void
histogram_choose(HistogramScratch *scratch, const bool *feature_used)
{
	for (uint32_t g = 0; g < scratch->bins->n_groups; g++)
	{
		const BinGroup *group = &scratch->bins->groups[g];
		uint32_t	n = 0;

		for (uint32_t k = 0; k < group->n_features; k++)
		{
			if (feature_used == NULL || feature_used[scratch->bins->narrow[group->first_place + k]])
				scratch->places[g * GROUP_FEATURES + n++] = (uint8_t) k;
		}
		scratch->n_places[g] = n;
	}
}

/* Bytes of all cells. */
uint64_t
histogram_scratch_memory(uint32_t n_narrow, int n_threads)
{
	return (uint64_t) n_threads * padded_features(n_narrow) * CELL_STRIDE * (sizeof(uint64_t) + sizeof(HistogramCell));
}

/* One row into narrow cells, four features at a time. */
static inline __attribute__((always_inline)) void
add_narrow_row(uint64_t *cells, const uint8_t *bins, uint32_t n_features, int32_t packed)
{
	uint64_t	value = ((uint64_t) (int64_t) (packed >> 16) << 32) + (uint16_t) packed;

	for (uint32_t f = 0; f < n_features; f += 4)
	{
		cells[bins[f]] += value;
		cells[CELL_STRIDE + bins[f + 1]] += value;
		cells[2 * CELL_STRIDE + bins[f + 2]] += value;
		cells[3 * CELL_STRIDE + bins[f + 3]] += value;
		cells += 4 * CELL_STRIDE;
	}
}

/* One row into wide cells. */
static inline __attribute__((always_inline)) void
add_wide_row(HistogramCell *cells, const uint8_t *bins, uint32_t n_features, GradientSums units)
{
	for (uint32_t f = 0; f < n_features; f++)
	{
		cells[bins[f]].g += units.g;
		cells[bins[f]].h += units.h;
		cells += CELL_STRIDE;
	}
}

/* Narrow rows of a list; rows NULL: row i is at i. */
static void
add_narrow(uint64_t *cells, const BinGroup *group, const uint32_t *rows, const int32_t *packed, size_t begin, size_t end)
{
	const uint8_t *bins = group->rows;
	size_t		stride = group->stride;
	uint32_t	n_features = group->n_features;
	size_t		i = begin;

	if (rows == NULL)
	{
		for (; i < end; i++)
			add_narrow_row(cells, bins + i * stride, n_features, packed[i]);
		return;
	}
	for (; i + PREFETCH_ROWS < end; i++)
	{
		__builtin_prefetch(bins + rows[i + PREFETCH_ROWS] * stride);
		add_narrow_row(cells, bins + rows[i] * stride, n_features, packed[i]);
	}
	for (; i < end; i++)
		add_narrow_row(cells, bins + rows[i] * stride, n_features, packed[i]);
}

/* The same for some of a group's features. */
static void
add_narrow_places(uint64_t *cells, const BinGroup *group, const uint8_t *places, uint32_t n_places, const uint32_t *rows,
				  const int32_t *packed, size_t begin, size_t end)
{
	for (size_t i = begin; i < end; i++)
	{
		const uint8_t *bins = group->rows + (rows != NULL ? rows[i] : i) * group->stride;
		uint64_t	value = ((uint64_t) (int64_t) (packed[i] >> 16) << 32) + (uint16_t) packed[i];

		if (rows != NULL && i + PREFETCH_ROWS < end)
			__builtin_prefetch(group->rows + (size_t) rows[i + PREFETCH_ROWS] * group->stride);
		for (uint32_t k = 0; k < n_places; k++)
			cells[places[k] * (size_t) CELL_STRIDE + bins[places[k]]] += value;
	}
}

/* Wide rows of a list. */
static void
add_wide(HistogramCell *cells, const BinGroup *group, const GradientScale *scale, const RowList *list, size_t begin, size_t end)
{
	double		g_inverse = 1 / scale->g_unit;
	double		h_inverse = 1 / scale->h_unit;
	const uint8_t *bins = group->rows;
	size_t		stride = group->stride;
	uint32_t	n_features = group->n_features;
	const uint32_t *rows = list->rows;
	size_t		i = begin;

	if (rows == NULL)
	{
		for (; i < end; i++)
			add_wide_row(cells, bins + i * stride, n_features, gradient_units(list, i, true, g_inverse, h_inverse));
		return;
	}
	for (; i + PREFETCH_ROWS < end; i++)
	{
		__builtin_prefetch(bins + rows[i + PREFETCH_ROWS] * stride);
		add_wide_row(cells, bins + rows[i] * stride, n_features, gradient_units(list, i, true, g_inverse, h_inverse));
	}
	for (; i < end; i++)
		add_wide_row(cells, bins + rows[i] * stride, n_features, gradient_units(list, i, true, g_inverse, h_inverse));
}

/* Adds narrow cells to wide ones, and makes them zero. */
static void
empty_narrow(uint64_t *narrow, HistogramCell *wide, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		wide[i].g += (int64_t) narrow[i] >> 32;
		wide[i].h += (uint32_t) narrow[i];
	}
	memset(narrow, 0, n * sizeof(uint64_t));
}

/* Narrow cells are emptied whenever they have taken NARROW_ROWS rows. */
void
histogram_add(HistogramScratch *scratch, int thread, uint32_t group, const GradientScale *scale, const RowList *list, size_t begin, size_t end)
{
	const BinGroup *bin_group = &scratch->bins->groups[group];
	ThreadHistogram *own = &scratch->threads[thread];
	uint64_t   *narrow_cells = own->narrow + (size_t) group * GROUP_CELLS;
	HistogramCell *wide_cells = own->wide + (size_t) group * GROUP_CELLS;

	if (scale->wide)
	{
		add_wide(wide_cells, bin_group, scale, list, begin, end);
		own->any_wide[group] = true;
		return;
	}
	while (begin < end)
	{
		if (own->n_narrow[group] == NARROW_ROWS)
		{
			empty_narrow(narrow_cells, wide_cells, bin_group->n_features * (size_t) CELL_STRIDE);
			own->any_wide[group] = true;
			own->n_narrow[group] = 0;
		}

		size_t		room = NARROW_ROWS - own->n_narrow[group];
		size_t		n = end - begin < room ? end - begin : room;

		if (scratch->n_places[group] < bin_group->n_features)
			add_narrow_places(narrow_cells, bin_group, scratch->places + (size_t) group * GROUP_FEATURES, scratch->n_places[group],
							  list->rows, list->first, begin, begin + n);
		else
			add_narrow(narrow_cells, bin_group, list->rows, list->first, begin, begin + n);
		own->n_narrow[group] += (uint32_t) n;
		begin += n;
	}
}

/* Sums over threads; their cells become zero. */
void
histogram_collect(HistogramScratch *scratch, int first_thread, int end_thread, const BinFeature *feature, HistogramCell *cells)
{
	uint32_t	n_bins = feature->n_bins;
	uint32_t	group = feature->place / GROUP_FEATURES;
	size_t		first_cell = (size_t) feature->place * CELL_STRIDE;

	memset(cells, 0, n_bins * sizeof(HistogramCell));
	for (int t = first_thread; t < end_thread; t++)
	{
		ThreadHistogram *own = &scratch->threads[t];
		HistogramCell *wide = own->wide + first_cell;

		if (own->n_narrow[group] > 0)
			empty_narrow(own->narrow + first_cell, cells, n_bins);
		if (own->any_wide[group])
		{
			for (uint32_t b = 0; b < n_bins; b++)
			{
				cells[b].g += wide[b].g;
				cells[b].h += wide[b].h;
			}
			memset(wide, 0, n_bins * sizeof(HistogramCell));
		}
	}
}

/* Counts and flags follow their cells. */
void
histogram_collected(HistogramScratch *scratch, int first_thread, int end_thread, uint32_t group)
{
	for (int t = first_thread; t < end_thread; t++)
	{
		scratch->threads[t].n_narrow[group] = 0;
		scratch->threads[t].any_wide[group] = false;
	}
}

/* Rows of a wide feature into its cells; rows NULL: row i is at i. */
static inline __attribute__((always_inline)) void
add_wide_feature(HistogramCell *cells, const uint16_t *column, const uint32_t *rows, const GradientScale *scale, bool wide, const RowList *list,
				 size_t begin, size_t end)
{
	double		g_inverse = 1 / scale->g_unit;
	double		h_inverse = 1 / scale->h_unit;

	for (size_t i = begin; i < end; i++)
	{
		HistogramCell *cell = &cells[column[rows != NULL ? rows[i] : i]];
		GradientSums units = gradient_units(list, i, wide, g_inverse, h_inverse);

		cell->g += units.g;
		cell->h += units.h;
	}
}

/* By the width of the derivatives; the root's rows are read without their list. */
void
histogram_wide_feature(const BinnedMatrix *bins, const BinFeature *feature, const GradientScale *scale, const RowList *list, size_t begin,
					   size_t end, HistogramCell *cells)
{
	const uint16_t *column = bins_wide_column(bins, feature);

	memset(cells, 0, feature->n_bins * sizeof(HistogramCell));
	if (scale->wide)
		add_wide_feature(cells, column, list->rows, scale, true, list, begin, end);
	else if (list->rows != NULL)
		add_wide_feature(cells, column, list->rows, scale, false, list, begin, end);
	else
		add_wide_feature(cells, column, NULL, scale, false, list, begin, end);
}
