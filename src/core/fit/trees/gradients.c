/*
 * gradients.c
 *		Derivatives as integers.
 */
#include "gradients.h"

#include <math.h>
#include <string.h>

#include "../../cpu.h"

/* The largest derivative may be this many times the mean one before 16 bits are too few. */
#define NARROW_RATIO 256

/* And this many times what tells most rows apart, where none is bounded: few far ones make a large mean. */
#define NARROW_TAIL_RATIO 1024

#define LANES 16

const GradientScale gradient_counts = {.wide = false,.g_unit = 1,.h_unit = 1};

/* From the exponent of limit / largest, corrected for rounding beyond the limit. */
double
gradient_unit(double largest, int64_t limit)
{
	int			exponent;

	if (!(largest > 0))
		return 1;
	frexp((double) limit / largest, &exponent);

	double		unit = ldexp(1, -(exponent - 1));

	while (rint(largest / unit) > (double) limit)
		unit *= 2;
	return unit;
}

/* Whether most of n derivatives are too small beside the largest: they are what the square of a mean root is, which few far ones hardly move. */
static bool
is_uneven(double largest, double sum, double roots, double n, bool unbounded)
{
	return largest * n > NARROW_RATIO * sum || (unbounded && largest * n * n > NARROW_TAIL_RATIO * roots * roots);
}

/* Blocks are combined in order; only largest values and sums count. */
GradientScale
gradient_scale(const GradientBlock *blocks, size_t n_blocks, size_t n_rows, bool weighted, bool unbounded)
{
	double		largest_g = 0;
	double		largest_h = 0;
	double		sum_g = 0;
	double		sum_h = 0;
	double		roots_g = 0;
	double		roots_h = 0;

	for (size_t b = 0; b < n_blocks; b++)
	{
		largest_g = fmax(largest_g, (double) blocks[b].largest_g);
		largest_h = fmax(largest_h, (double) blocks[b].largest_h);
		sum_g += blocks[b].sum_g;
		sum_h += blocks[b].sum_h;
		roots_g += blocks[b].roots_g;
		roots_h += blocks[b].roots_h;
	}

	bool		wide = weighted || is_uneven(largest_g, sum_g, roots_g, (double) n_rows, unbounded) ||
		is_uneven(largest_h, sum_h, roots_h, (double) n_rows, unbounded);

	return (GradientScale)
	{
		.wide = wide,
		.g_unit = wide ? gradient_unit(sum_g, WIDE_TOTAL) : gradient_unit(largest_g, NARROW_G_MAX),
		.h_unit = wide ? gradient_unit(sum_h, WIDE_TOTAL) : gradient_unit(largest_h, NARROW_H_MAX)
	};
}

/* The limit is the share of 2^64. */
RowSample
row_sample(double share, uint64_t seed, uint64_t tree)
{
	return (RowSample)
	{
		.all = share >= 1,
		.key = hash64_combine(seed, tree),
		.limit = share >= 1 ? UINT64_MAX : (uint64_t) ldexp(share, 64)
	};
}

/* The nearest whole number of a value below 2^51, ties to even: what is added pushes the fraction out. */
static inline int32_t
nearest(double x)
{
	const double shifter = 0x1.8p52;
	double		shifted = x + shifter;
	uint64_t	bits;

	memcpy(&bits, &shifted, sizeof(bits));
	return (int32_t) (uint32_t) bits;
}

/* The same, but 1 for what is positive and would become 0. */
static inline int32_t
nearest_positive(double x)
{
	int32_t		n = nearest(x);

	return n + ((n == 0) & (x > 0));
}

/* Narrow integers of n rows at the same places. */
CPU_BODY void
pack_body(const GradientScale *scale, const float *restrict g, const float *restrict h, size_t n, int32_t *restrict first, GradientSums *sums)
{
	double		g_inverse = 1 / scale->g_unit;
	double		h_inverse = 1 / scale->h_unit;
	int64_t		sum_g = 0;
	int64_t		sum_h = 0;

	for (size_t i = 0; i < n; i += LANES)
	{
		int32_t		whole_g[LANES] = {0};
		int32_t		whole_h[LANES] = {0};
		size_t		m = n - i < LANES ? n - i : LANES;

		if (m == LANES)
		{
			for (size_t k = 0; k < LANES; k++)
			{
				whole_g[k] = nearest((double) g[i + k] * g_inverse);
				whole_h[k] = nearest_positive((double) h[i + k] * h_inverse);
			}
		}
		else
		{
			for (size_t k = 0; k < m; k++)
			{
				whole_g[k] = nearest((double) g[i + k] * g_inverse);
				whole_h[k] = nearest_positive((double) h[i + k] * h_inverse);
			}
		}
		for (size_t k = 0; k < LANES; k++)
		{
			sum_g += whole_g[k];
			sum_h += whole_h[k];
		}
		for (size_t k = 0; k < m; k++)
			first[i + k] = (int32_t) ((uint32_t) whole_g[k] << 16 | (uint32_t) whole_h[k]);
	}
	sums->g = sum_g;
	sums->h = sum_h;
}

CPU_DISPATCH(pack, (const GradientScale *scale, const float *g, const float *h, size_t n, int32_t *first, GradientSums *sums),
			 (scale, g, h, n, first, sums))

/* Wide ones: the numbers themselves, and the sums of their integers. */
static void
keep(const GradientScale *scale, const float *g, const float *h, size_t n, int32_t *first, int32_t *second, GradientSums *sums)
{
	double		g_inverse = 1 / scale->g_unit;
	double		h_inverse = 1 / scale->h_unit;

	*sums = (GradientSums) {0, 0};
	for (size_t i = 0; i < n; i++)
	{
		sums->g += gradient_wide_g(g[i], g_inverse);
		sums->h += gradient_wide_h(h[i], h_inverse);
	}
	memcpy(first, g, n * sizeof(int32_t));
	memcpy(second, h, n * sizeof(int32_t));
}

/* Either. */
static void
quantise(const GradientScale *scale, const float *g, const float *h, size_t n, int32_t *first, int32_t *second, GradientSums *sums)
{
	if (scale->wide)
		keep(scale, g, h, n, first, second, sums);
	else
		pack(scale, g, h, n, first, sums);
}

typedef struct ListWork
{
	const GradientScale *scale;
	const RowSample *sample;
	const float *g;
	const float *h;
	size_t		n;
	RowList    *list;
	size_t	   *offsets;
	GradientSums *partial;
} ListWork;

/* One behind the last row of a block. */
static inline size_t
block_end(size_t block, size_t n)
{
	size_t		end = (block + 1) * OBJECTIVE_BLOCK;

	return end < n ? end : n;
}

/* Task: how many rows of a block are in the sample. */
static void
count_block(void *argument, size_t task)
{
	const ListWork *work = argument;
	size_t		count = 0;

	for (size_t i = task * OBJECTIVE_BLOCK; i < block_end(task, work->n); i++)
		count += row_sampled(work->sample, i);
	work->offsets[task] = count;
}

/* Task: the integers of a block. */
static void
list_block(void *argument, size_t task)
{
	const ListWork *work = argument;
	size_t		begin = task * OBJECTIVE_BLOCK;
	size_t		end = block_end(task, work->n);
	size_t		out = work->sample->all ? begin : work->offsets[task];
	RowList    *list = work->list;
	int32_t    *second = list->second != NULL ? list->second + out : NULL;

	if (work->sample->all)
	{
		quantise(work->scale, work->g + begin, work->h + begin, end - begin, list->first + out, second, &work->partial[task]);
		return;
	}

	float		g[OBJECTIVE_BLOCK];
	float		h[OBJECTIVE_BLOCK];
	size_t		count = 0;

	for (size_t i = begin; i < end; i++)
	{
		if (!row_sampled(work->sample, i))
			continue;
		list->rows[out + count] = (uint32_t) i;
		g[count] = work->g[i];
		h[count] = work->h[i];
		count++;
	}
	quantise(work->scale, g, h, count, list->first + out, second, &work->partial[task]);
}

/* Counts the sample by blocks, so that each block knows its place; then makes the integers. */
size_t
gradients_to_list(const GradientScale *scale, const RowSample *sample, const float *g, const float *h, size_t n,
				  RowList *list, size_t *offsets, GradientSums *partial, GradientSums *sums, ThreadPool *pool)
{
	size_t		n_blocks = objective_blocks(n);
	size_t		n_listed = n;
	ListWork	work = {
		.scale = scale,
		.sample = sample,
		.g = g,
		.h = h,
		.n = n,
		.list = list,
		.offsets = offsets,
		.partial = partial
	};

	if (!sample->all)
	{
		pool_for(pool, n_blocks, count_block, &work);
		n_listed = 0;
		for (size_t b = 0; b < n_blocks; b++)
		{
			size_t		count = offsets[b];

			offsets[b] = n_listed;
			n_listed += count;
		}
	}
	pool_for(pool, n_blocks, list_block, &work);
	*sums = (GradientSums) {0, 0};
	for (size_t b = 0; b < n_blocks; b++)
	{
		sums->g += partial[b].g;
		sums->h += partial[b].h;
	}
	return n_listed;
}
