/*
 * linalg_rows.c
 *		The kernels that run over rows.
 *
 * Vectors of eight doubles are GCC's generic ones: the compiler makes two,
 * four or one machine vector of them, and each lane does the same IEEE
 * operations in the same order on all of them.
 */
#include "linalg.h"

#include "../cpu.h"

typedef double Lanes __attribute__((vector_size(LINALG_LANES * sizeof(double)), may_alias));

/* Rows of a tile of the Gram matrix. */
#define TILE_ROWS		4

/* Rows are done together while they lie in the first-level cache. */
#define CACHE_DOUBLES	4096
#define CHUNK_MIN_ROWS	16
#define CHUNK_MAX_ROWS	256

CPU_BODY double
dot(const double *a, const double *b, size_t n)
{
	Lanes		sum = {0};

	for (size_t j = 0; j < n; j += LINALG_LANES)
		sum += *(const Lanes *) (a + j) * *(const Lanes *) (b + j);
	return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

double
linalg_dot(const double *a, const double *b, size_t n)
{
	return dot(a, b, n);
}

void
linalg_axpy(double factor, const double *a, double *out, size_t n)
{
	for (size_t j = 0; j < n; j += LINALG_LANES)
		*(Lanes *) (out + j) += factor * *(const Lanes *) (a + j);
}

CPU_BODY void
scores_body(double *out, const double *coefficients, const double *x, size_t n_rows, size_t stride)
{
	for (size_t row = 0; row < n_rows; row++)
		out[row] = dot(coefficients, x + row * stride, stride);
}

CPU_DISPATCH(scores, (double *out, const double *coefficients, const double *x, size_t n_rows, size_t stride), (out, coefficients, x, n_rows, stride))

void
linalg_scores(double *out, const double *coefficients, const double *x, size_t n_rows, size_t stride)
{
	scores(out, coefficients, x, n_rows, stride);
}

/* Lanes after lanes of columns, so that a sum stays in a register while the rows pass. */
CPU_BODY void
combine_body(double *sum, const double *factor, const double *x, size_t n_rows, size_t stride)
{
	for (size_t j = 0; j < stride; j += LINALG_LANES)
	{
		Lanes		lanes = *(Lanes *) (sum + j);

		for (size_t row = 0; row < n_rows; row++)
			lanes += factor[row] * *(const Lanes *) (x + row * stride + j);
		*(Lanes *) (sum + j) = lanes;
	}
}

CPU_DISPATCH(combine, (double *sum, const double *factor, const double *x, size_t n_rows, size_t stride), (sum, factor, x, n_rows, stride))

static size_t
chunk_rows(size_t stride)
{
	size_t		rows = CACHE_DOUBLES / stride;

	return rows < CHUNK_MIN_ROWS ? CHUNK_MIN_ROWS : rows > CHUNK_MAX_ROWS ? CHUNK_MAX_ROWS : rows;
}

void
linalg_combine(double *sum, const double *factor, const double *x, size_t n_rows, size_t stride)
{
	size_t		rows = chunk_rows(stride);

	for (size_t begin = 0; begin < n_rows; begin += rows)
		combine(sum, factor + begin, x + begin * stride, n_rows - begin < rows ? n_rows - begin : rows, stride);
}

size_t
linalg_gram_scratch(size_t stride)
{
	return chunk_rows(stride) * stride;
}

/* out[row] = h[row] * x[row]. */
CPU_BODY void
weigh_body(double *out, const double *h, const double *x, size_t n_rows, size_t stride)
{
	for (size_t row = 0; row < n_rows; row++)
		for (size_t j = 0; j < stride; j += LINALG_LANES)
			*(Lanes *) (out + row * stride + j) = h[row] * *(const Lanes *) (x + row * stride + j);
}

CPU_DISPATCH(weigh, (double *out, const double *h, const double *x, size_t n_rows, size_t stride), (out, h, x, n_rows, stride))

/* One tile, TILE_ROWS x LINALG_LANES: c += a' b over a chunk's rows. */
CPU_BODY void
gram_tile(double *c, const double *a, const double *b, size_t n_rows, size_t stride)
{
	Lanes		c0 = *(Lanes *) c;
	Lanes		c1 = *(Lanes *) (c + stride);
	Lanes		c2 = *(Lanes *) (c + 2 * stride);
	Lanes		c3 = *(Lanes *) (c + 3 * stride);

	for (size_t row = 0; row < n_rows; row++, a += stride, b += stride)
	{
		Lanes		right = *(const Lanes *) b;

		c0 += a[0] * right;
		c1 += a[1] * right;
		c2 += a[2] * right;
		c3 += a[3] * right;
	}
	*(Lanes *) c = c0;
	*(Lanes *) (c + stride) = c1;
	*(Lanes *) (c + 2 * stride) = c2;
	*(Lanes *) (c + 3 * stride) = c3;
}

/* All tiles that touch the upper triangle. */
CPU_BODY void
gram_chunk_body(double *c, const double *a, const double *b, size_t n_rows, size_t stride)
{
	for (size_t i = 0; i < stride; i += TILE_ROWS)
		for (size_t j = i / LINALG_LANES * LINALG_LANES; j < stride; j += LINALG_LANES)
			gram_tile(c + i * stride + j, a + i, b + j, n_rows, stride);
}

CPU_DISPATCH(gram_chunk, (double *c, const double *a, const double *b, size_t n_rows, size_t stride), (c, a, b, n_rows, stride))

void
linalg_gram(double *gram, const double *x, const double *h, size_t n_rows, size_t stride, double *scratch)
{
	size_t		rows = chunk_rows(stride);

	for (size_t begin = 0; begin < n_rows; begin += rows)
	{
		size_t		n = n_rows - begin < rows ? n_rows - begin : rows;
		const double *a = x + begin * stride;
		const double *b = a;

		if (h != NULL)
		{
			weigh(scratch, h + begin, a, n, stride);
			b = scratch;
		}
		gram_chunk(gram, a, b, n, stride);
	}
}
