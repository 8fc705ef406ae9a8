/*
 * linalg.c
 *		Factors of p x p matrices, by LAPACK on one thread.
 *
 * LAPACK is called by its Fortran names: every BLAS library that brings it
 * has those, and not all bring the C interface.
 */
#include "linalg.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>

extern void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
extern void dpocon_(const char *uplo, const int *n, const double *a, const int *lda, const double *norm, double *rcond,
					double *work, int *iwork, int *info);
extern void dgeqrf_(const int *m, const int *n, double *a, const int *lda, double *tau, double *work, const int *lwork, int *info);
extern void dgeqp3_(const int *m, const int *n, double *a, const int *lda, int *jpvt, double *tau, double *work, const int *lwork, int *info);
extern void dormqr_(const char *side, const char *trans, const int *m, const int *n, const int *k, const double *a, const int *lda,
					const double *tau, double *c, const int *ldc, double *work, const int *lwork, int *info);
extern void dpstrf_(const char *uplo, const int *n, double *a, const int *lda, int *piv, int *rank, const double *tol, double *work, int *info);
extern void dtrtrs_(const char *uplo, const char *trans, const char *diag, const int *n, const int *n_rhs, const double *a, const int *lda,
					double *b, const int *ldb, int *info);

/* OpenBLAS has a thread pool of its own; other libraries need not have this function. */
extern void openblas_set_num_threads(int n) __attribute__((weak));

/* What OpenBLAS takes at its first call, rounded up; little of it is ever touched. */
#define BLAS_BUFFER ((size_t) 160 * 1024 * 1024)

/* Block size that the work arrays are made for. */
#define LAPACK_BLOCK 32

bool
linalg_start(Error *error)
{
	double		matrix[4] = {1, 0, 0, 1};
	int			n = 2;
	int			info;

	/* OpenBLAS tries forever where it cannot have its buffer, so it is found out here whether it can. */
	void	   *probe = mmap(NULL, BLAS_BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (probe == MAP_FAILED)
		return error_set(error, ERROR_MEMORY, "out of memory: BLAS needs %zu bytes for a buffer", BLAS_BUFFER);
	munmap(probe, BLAS_BUFFER);
	if (openblas_set_num_threads != NULL)
		openblas_set_num_threads(1);
	dpotrf_("U", &n, matrix, &n, &info);
	return true;
}

size_t
factor_work(uint32_t n)
{
	return (size_t) n * (LAPACK_BLOCK + 4) + 2 * LAPACK_BLOCK;
}

bool
factor_init(Factor *factor, uint32_t n, Arena *arena, Error *error)
{
	factor->n = n;
	factor->rank = 0;
	factor->rcond = 0;
	factor->r = arena_alloc(arena, (size_t) n * n, sizeof(double), error);
	factor->scale = arena_alloc(arena, n, sizeof(double), error);
	factor->order = arena_alloc(arena, n, sizeof(int), error);
	return factor->r != NULL && factor->scale != NULL && factor->order != NULL;
}

/* Largest sum of absolute values of a column of the symmetric matrix whose upper triangle is given. */
static double
symmetric_norm(const double *r, uint32_t n, double *sums)
{
	double		largest = 0;

	memset(sums, 0, n * sizeof(double));
	for (uint32_t j = 0; j < n; j++)
		for (uint32_t i = 0; i <= j; i++)
		{
			double		value = fabs(r[(size_t) j * n + i]);

			sums[j] += value;
			if (i != j)
				sums[i] += value;
		}
	for (uint32_t j = 0; j < n; j++)
		if (sums[j] > largest)
			largest = sums[j];
	return largest;
}

/* The matrix with a diagonal of ones into factor->r; false where the diagonal is not positive. */
static bool
load_scaled(Factor *factor, const double *matrix, size_t stride)
{
	uint32_t	n = factor->n;

	for (uint32_t j = 0; j < n; j++)
	{
		double		diagonal = matrix[(size_t) j * stride + j];

		if (!(diagonal > 0 && isfinite(diagonal)))
			return false;
		factor->scale[j] = 1 / sqrt(diagonal);
		factor->order[j] = (int) j;
	}
	for (uint32_t j = 0; j < n; j++)
		for (uint32_t i = 0; i <= j; i++)
			factor->r[(size_t) j * n + i] = matrix[(size_t) i * stride + j] * factor->scale[i] * factor->scale[j];
	return true;
}

bool
factor_cholesky(Factor *factor, const double *matrix, size_t stride, double *work, int *iwork)
{
	int			n = (int) factor->n;
	int			info;

	factor->rank = factor->n;
	factor->rcond = 1;
	if (n == 0)
		return true;
	if (!load_scaled(factor, matrix, stride))
		return false;

	double		norm = symmetric_norm(factor->r, factor->n, work);

	dpotrf_("U", &n, factor->r, &n, &info);
	if (info != 0)
		return false;
	dpocon_("U", &n, factor->r, &n, &norm, &factor->rcond, work, iwork, &info);
	return info == 0;
}

uint32_t
factor_rank(Factor *factor, const double *matrix, size_t stride, double tolerance, double *work)
{
	int			n = (int) factor->n;
	int			rank = 0;
	int			info;

	if (n == 0 || !load_scaled(factor, matrix, stride))
		return factor->n;
	dpstrf_("U", &n, factor->r, &n, factor->order, &rank, &tolerance, work, &info);
	for (int j = 0; j < n; j++)
		factor->order[j]--;
	return (uint32_t) rank;
}

bool
factor_columns(Factor *factor, double *r, uint32_t ld, double tolerance, double *solution, double *work, int *iwork)
{
	int			n = (int) factor->n;
	int			one = 1;
	int			work_size = (int) factor_work(factor->n) - n;
	double	   *tau = work + work_size;
	double	   *right = r + (size_t) n * ld;
	int			info;

	if (n == 0)
		return true;

	/* Columns of one length, so that a pivot says how much of a column the others leave unexplained. */
	for (int j = 0; j < n; j++)
	{
		double		length = 0;

		for (int i = 0; i <= j; i++)
			length = hypot(length, r[(size_t) j * ld + i]);
		factor->scale[j] = length > 0 ? 1 / length : 1;
		for (int i = 0; i < n; i++)
			factor->r[(size_t) j * n + i] = i <= j ? r[(size_t) j * ld + i] * factor->scale[j] : 0;
		iwork[j] = 0;
	}
	dgeqp3_(&n, &n, factor->r, &n, iwork, tau, work, &work_size, &info);
	if (info != 0)
		return false;
	dormqr_("L", "T", &n, &one, &n, factor->r, &n, tau, right, &n, work, &work_size, &info);
	if (info != 0)
		return false;

	while (factor->rank < factor->n && fabs(factor->r[(size_t) factor->rank * n + factor->rank]) > tolerance)
		factor->rank++;

	int			rank = (int) factor->rank;

	memset(solution, 0, factor->n * sizeof(double));
	for (int j = 0; j < n; j++)
		factor->order[j] = iwork[j] - 1;
	if (rank == 0)
		return true;

	double		ratio = factor->r[(size_t) (rank - 1) * n + rank - 1] / factor->r[0];

	factor->rcond = ratio * ratio;
	dtrtrs_("U", "N", "N", &rank, &one, factor->r, &n, right, &n, &info);
	for (int j = 0; j < rank; j++)
		solution[factor->order[j]] = right[j] * factor->scale[factor->order[j]];
	return info == 0;
}

void
factor_solve(const Factor *factor, double *x, double *work)
{
	int			n = (int) factor->n;
	int			rank = (int) factor->rank;
	int			one = 1;
	int			info;

	if (rank > 0)
	{
		for (int i = 0; i < rank; i++)
			work[i] = x[factor->order[i]] * factor->scale[factor->order[i]];
		dtrtrs_("U", "T", "N", &rank, &one, factor->r, &n, work, &rank, &info);
		dtrtrs_("U", "N", "N", &rank, &one, factor->r, &n, work, &rank, &info);
	}
	memset(x, 0, factor->n * sizeof(double));
	for (int i = 0; i < rank; i++)
		x[factor->order[i]] = work[i] * factor->scale[factor->order[i]];
}

bool
stack_reduce(double *stack, uint32_t ld, uint32_t n_rows, uint32_t n, double *work)
{
	int			m = (int) n_rows;
	int			columns = (int) n;
	int			lda = (int) ld;
	int			work_size = LAPACK_BLOCK * columns;
	int			info;

	dgeqrf_(&m, &columns, stack, &lda, work + work_size, work, &work_size, &info);
	if (info != 0)
		return false;
	for (uint32_t j = 0; j < n; j++)
		memset(stack + (size_t) j * ld + j + 1, 0, (n_rows - j - 1) * sizeof(double));
	return true;
}
