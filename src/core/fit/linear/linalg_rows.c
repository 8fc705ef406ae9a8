/*
 * linalg_rows.c
 *		The kernels that run over rows.
 *
 * Vectors of eight doubles are GCC's generic ones: the compiler makes two,
 * four or one machine vector of them, and each lane does the same IEEE
 * operations in the same order on all of them.  A lane is every eighth row;
 * what the lanes have summed is added pairwise at the end.
 */
#include "linalg.h"

#include "../../cpu.h"

typedef double Lanes __attribute__((vector_size(LINALG_LANES * sizeof(double)), may_alias));

/* A tile of the Gram matrix: its sums stay in registers while the rows pass. */
#define TILE_ROWS		4
#define TILE_COLUMNS	2

/* Rows that tiles are summed over at a time, so that their columns stay in the first-level cache. */
#define GRAM_ROWS		256

CPU_BODY double
add_lanes(const Lanes *lanes)
{
	Lanes		sum = *lanes;

	return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

double
linalg_dot(const double *a, const double *b, size_t n)
{
	Lanes		sum = {0};

	for (size_t j = 0; j < n; j += LINALG_LANES)
		sum += *(const Lanes *) (a + j) * *(const Lanes *) (b + j);
	return add_lanes(&sum);
}

void
linalg_axpy(double factor, const double *a, double *out, size_t n)
{
	for (size_t j = 0; j < n; j += LINALG_LANES)
		*(Lanes *) (out + j) += factor * *(const Lanes *) (a + j);
}

double
linalg_sum(const double *a, size_t n)
{
	Lanes		sum = {0};

	for (size_t j = 0; j < n; j += LINALG_LANES)
		sum += *(const Lanes *) (a + j);
	return add_lanes(&sum);
}

/* Four lanes' rows at a time, while the columns pass. */
CPU_BODY void
scores_body(double *out, const double *coefficients, const Panel *panel)
{
	size_t		row = 0;

	for (; row + 4 * LINALG_LANES <= panel->n_rows; row += 4 * LINALG_LANES)
	{
		const double *x = panel->x + row;
		Lanes		sum0 = {0};
		Lanes		sum1 = {0};
		Lanes		sum2 = {0};
		Lanes		sum3 = {0};

		for (size_t j = 0; j < panel->n_columns; j++, x += panel->ld)
		{
			const Lanes *values = (const Lanes *) x;

			sum0 += coefficients[j] * values[0];
			sum1 += coefficients[j] * values[1];
			sum2 += coefficients[j] * values[2];
			sum3 += coefficients[j] * values[3];
		}

		Lanes	   *sums = (Lanes *) (out + row);

		sums[0] = sum0;
		sums[1] = sum1;
		sums[2] = sum2;
		sums[3] = sum3;
	}
	for (; row < panel->n_rows; row += LINALG_LANES)
	{
		const double *x = panel->x + row;
		Lanes		sum = {0};

		for (size_t j = 0; j < panel->n_columns; j++, x += panel->ld)
			sum += coefficients[j] * *(const Lanes *) x;
		*(Lanes *) (out + row) = sum;
	}
}

CPU_DISPATCH(scores, (double *out, const double *coefficients, const Panel *panel), (out, coefficients, panel))

void
linalg_scores(double *out, const double *coefficients, const Panel *panel)
{
	scores(out, coefficients, panel);
}

/* Four columns at a time, so that a factor is loaded once for them. */
CPU_BODY void
combine_body(double *sum, const double *factor, const Panel *panel)
{
	size_t		ld = panel->ld;

	for (size_t j = 0; j < panel->n_columns; j += TILE_ROWS)
	{
		const double *x = panel->x + j * ld;
		Lanes		sum0 = {0};
		Lanes		sum1 = {0};
		Lanes		sum2 = {0};
		Lanes		sum3 = {0};

		for (size_t row = 0; row < panel->n_rows; row += LINALG_LANES)
		{
			Lanes		f = *(const Lanes *) (factor + row);

			sum0 += f * *(const Lanes *) (x + row);
			sum1 += f * *(const Lanes *) (x + ld + row);
			sum2 += f * *(const Lanes *) (x + 2 * ld + row);
			sum3 += f * *(const Lanes *) (x + 3 * ld + row);
		}
		sum[j] += add_lanes(&sum0);
		sum[j + 1] += add_lanes(&sum1);
		sum[j + 2] += add_lanes(&sum2);
		sum[j + 3] += add_lanes(&sum3);
	}
}

CPU_DISPATCH(combine, (double *sum, const double *factor, const Panel *panel), (sum, factor, panel))

void
linalg_combine(double *sum, const double *factor, const Panel *panel)
{
	combine(sum, factor, panel);
}

CPU_BODY void
combine_squares_body(double *sum, const double *factor, const Panel *panel)
{
	for (size_t j = 0; j < panel->n_columns; j++)
	{
		const double *x = panel->x + j * panel->ld;
		Lanes		lanes = {0};

		for (size_t row = 0; row < panel->n_rows; row += LINALG_LANES)
			lanes += *(const Lanes *) (factor + row) * *(const Lanes *) (x + row) * *(const Lanes *) (x + row);
		sum[j] += add_lanes(&lanes);
	}
}

CPU_DISPATCH(combine_squares, (double *sum, const double *factor, const Panel *panel), (sum, factor, panel))

void
linalg_combine_squares(double *sum, const double *factor, const Panel *panel)
{
	combine_squares(sum, factor, panel);
}

size_t
linalg_gram_scratch(size_t stride)
{
	return GRAM_ROWS * stride;
}

/* out[column][row] = h[row] * x[column][row]; columns of the result are GRAM_ROWS apart. */
CPU_BODY void
weigh_body(double *out, const double *h, const double *x, size_t n_rows, size_t ld, size_t n_columns)
{
	for (size_t j = 0; j < n_columns; j++, x += ld, out += GRAM_ROWS)
		for (size_t row = 0; row < n_rows; row += LINALG_LANES)
			*(Lanes *) (out + row) = *(const Lanes *) (h + row) * *(const Lanes *) (x + row);
}

CPU_DISPATCH(weigh,
			 (double *out, const double *h, const double *x, size_t n_rows, size_t ld, size_t n_columns),
			 (out, h, x, n_rows, ld, n_columns))

/* c += a' b over some rows; written out, since compilers keep an array of sums in memory. */
CPU_BODY void
gram_tile(double *c, size_t stride, const double *a, size_t lda, const double *b, size_t ldb, size_t n_rows)
{
	Lanes		sum00 = {0};
	Lanes		sum01 = {0};
	Lanes		sum10 = {0};
	Lanes		sum11 = {0};
	Lanes		sum20 = {0};
	Lanes		sum21 = {0};
	Lanes		sum30 = {0};
	Lanes		sum31 = {0};

	for (size_t row = 0; row < n_rows; row += LINALG_LANES)
	{
		Lanes		right0 = *(const Lanes *) (b + row);
		Lanes		right1 = *(const Lanes *) (b + ldb + row);
		Lanes		left0 = *(const Lanes *) (a + row);
		Lanes		left1 = *(const Lanes *) (a + lda + row);
		Lanes		left2 = *(const Lanes *) (a + 2 * lda + row);
		Lanes		left3 = *(const Lanes *) (a + 3 * lda + row);

		sum00 += left0 * right0;
		sum01 += left0 * right1;
		sum10 += left1 * right0;
		sum11 += left1 * right1;
		sum20 += left2 * right0;
		sum21 += left2 * right1;
		sum30 += left3 * right0;
		sum31 += left3 * right1;
	}
	c[0] += add_lanes(&sum00);
	c[1] += add_lanes(&sum01);
	c[stride] += add_lanes(&sum10);
	c[stride + 1] += add_lanes(&sum11);
	c[2 * stride] += add_lanes(&sum20);
	c[2 * stride + 1] += add_lanes(&sum21);
	c[3 * stride] += add_lanes(&sum30);
	c[3 * stride + 1] += add_lanes(&sum31);
}

/* All tiles that touch the upper triangle. */
CPU_BODY void
gram_rows_body(double *gram, size_t stride, const double *a, size_t lda, const double *b, size_t ldb, size_t n_rows, size_t n_columns)
{
	for (size_t i = 0; i < n_columns; i += TILE_ROWS)
		for (size_t j = i; j < n_columns; j += TILE_COLUMNS)
			gram_tile(gram + i * stride + j, stride, a + i * lda, lda, b + j * ldb, ldb, n_rows);
}

CPU_DISPATCH(gram_rows,
			 (double *gram, size_t stride, const double *a, size_t lda, const double *b, size_t ldb, size_t n_rows, size_t n_columns),
			 (gram, stride, a, lda, b, ldb, n_rows, n_columns))

void
linalg_gram(double *gram, size_t stride, const Panel *panel, const double *h, double *scratch)
{
	for (size_t begin = 0; begin < panel->n_rows; begin += GRAM_ROWS)
	{
		size_t		n = panel->n_rows - begin < GRAM_ROWS ? panel->n_rows - begin : GRAM_ROWS;
		const double *x = panel->x + begin;

		if (h == NULL)
			gram_rows(gram, stride, x, panel->ld, x, panel->ld, n, panel->n_columns);
		else
		{
			weigh(scratch, h + begin, x, n, panel->ld, linalg_stride(panel->n_columns));
			gram_rows(gram, stride, x, panel->ld, scratch, GRAM_ROWS, n, panel->n_columns);
		}
	}
}
