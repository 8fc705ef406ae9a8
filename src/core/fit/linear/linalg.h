/*
 * linalg.h
 *		Dense linear algebra for the linear models.
 *
 * What runs over rows is our own and adds in a fixed order, so that neither
 * the number of threads nor the width of the machine's vectors changes a
 * bit.  What is p x p goes to LAPACK, on one thread.
 *
 * Rows come in panels, column by column, so that a vector holds the values
 * of eight rows and every loop over rows is one over contiguous memory.
 */
#ifndef MLOPS_CORE_FIT_LINALG_H
#define MLOPS_CORE_FIT_LINALG_H

#include <stdint.h>

#include "../../arena.h"

#define LINALG_LANES 8

/* Doubles of a row with n columns. */
static inline size_t
linalg_stride(size_t n)
{
	return (n + LINALG_LANES - 1) / LINALG_LANES * LINALG_LANES;
}

/* Has BLAS set up its buffer, for one thread; each fit that uses what is below calls it first.  ERROR_MEMORY. */
extern bool linalg_start(Error *error);

/*
 * Rows of a matrix: column j is at x + j * ld, 64-byte aligned.  ld is a
 * multiple of LINALG_LANES.  What lies behind the rows up to the next multiple
 * of LINALG_LANES, and behind the columns up to linalg_stride(), is zero.
 */
typedef struct Panel
{
	const double *x;
	size_t		ld;
	size_t		n_rows;
	size_t		n_columns;
} Panel;

/* Sums of a[j] and of a[j] * b[j]: LINALG_LANES partial sums, added pairwise.  n: a multiple of LINALG_LANES, or zeros up to that. */
extern double linalg_sum(const double *a, size_t n);
extern double linalg_dot(const double *a, const double *b, size_t n);

/* out[j] += factor * a[j].  n: as above. */
extern void linalg_axpy(double factor, const double *a, double *out, size_t n);

/* out[row] = sum over columns of coefficients[j] * x[j][row], in the order of columns. */
extern void linalg_scores(double *out, const double *coefficients, const Panel *panel);

/* sum[j] += linalg_dot(factor, x[j]); what lies behind the rows in factor must be finite. */
extern void linalg_combine(double *sum, const double *factor, const Panel *panel);

/* sum[j] += sum over rows of factor[row] * x[j][row]^2; factor as above. */
extern void linalg_combine_squares(double *sum, const double *factor, const Panel *panel);

/* Doubles of scratch that linalg_gram() needs for linalg_stride() of the columns. */
extern size_t linalg_gram_scratch(size_t stride);

/*
 * gram += sum over rows of h[row] * x[row] x[row]', the upper triangle of a
 * stride x stride matrix, stride >= linalg_stride(n_columns).  h NULL: all 1;
 * what lies behind the rows in it must be finite.
 */
extern void linalg_gram(double *gram, size_t stride, const Panel *panel, const double *h, double *scratch);

/*
 * A factor of a symmetric positive definite matrix, or of the rows that it is
 * the Gram matrix of: for kept columns k, matrix = D^-1 P (R'R) P' D^-1.
 */
typedef struct Factor
{
	uint32_t	n;				/* order of the matrix */
	uint32_t	rank;			/* columns kept */
	double	   *r;				/* n x n, column-major, upper triangle; rank x rank in use */
	double	   *scale;			/* D: n */
	int		   *order;			/* order[i]: column of the i-th pivot; n, the first `rank` of them kept */
	double		rcond;			/* estimated reciprocal condition of R'R */
} Factor;

/* Memory for a factor of order n. */
extern bool factor_init(Factor *factor, uint32_t n, Arena *arena, Error *error);

/*
 * Cholesky factor of the upper triangle of a row-major matrix, scaled to a
 * unit diagonal.  False where it is not positive definite; no error is set.
 */
extern bool factor_cholesky(Factor *factor, const double *matrix, size_t stride, double *work, int *iwork);

/* Room for the work of factor_cholesky() and factor_columns(), in doubles and ints, for order n. */
extern size_t factor_work(uint32_t n);

/*
 * Least squares from the triangular factor of [X y], n + 1 columns of ld
 * doubles, by QR with column pivoting (LAPACK dgeqp3): solution[n], and the
 * factor of X'X.  Columns whose pivot is below tolerance, relative to their
 * own length, are dropped and get 0.  r is overwritten.
 */
extern bool factor_columns(Factor *factor, double *r, uint32_t ld, double tolerance, double *solution, double *work, int *iwork);

/*
 * Which columns of a Gram matrix (upper triangle, row-major) others determine,
 * by Cholesky with complete pivoting (LAPACK dpstrf): order[n] begins with
 * the columns to keep; returns their number.  Uses factor->r and ->scale.
 */
extern uint32_t factor_rank(Factor *factor, const double *matrix, size_t stride, double tolerance, double *work);

/* x becomes the solution of matrix * solution = x; dropped columns get 0.  work: n. */
extern void factor_solve(const Factor *factor, double *x, double *work);

/*
 * The triangular factor of [R; rows]: stack (column-major, ld x n, ld >= n)
 * holds R in its first n rows and new rows behind them; afterwards R in its
 * upper triangle and zeros elsewhere.  work: at least 64 * n doubles.
 */
extern bool stack_reduce(double *stack, uint32_t ld, uint32_t n_rows, uint32_t n, double *work);

#endif
