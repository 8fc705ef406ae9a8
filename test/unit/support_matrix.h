/*
 * support_matrix.h
 *		Matrices for tests: written row by row into a region of their own.
 */
#ifndef MLOPS_TEST_SUPPORT_MATRIX_H
#define MLOPS_TEST_SUPPORT_MATRIX_H

#include "core/matrix.h"

typedef struct TestMatrix
{
	void	   *base;
	size_t		limit;
	MatrixWriter writer;
	Matrix		matrix;			/* after test_matrix_open() */
} TestMatrix;

/* One column's description. */
extern MatrixColumn test_column(const char *name, ColumnKind kind, ColumnStorage storage, ColumnRole role);

/* Begins a matrix in a region of `limit` bytes (0: plenty); dies where that fails. */
extern void test_matrix_begin(TestMatrix *test, size_t limit, const MatrixColumn *columns, uint32_t n_columns);

/* The next row; its numbers (NaN: missing) and its texts (NULL: missing). */
extern void test_matrix_row(TestMatrix *test);
extern void test_matrix_number(TestMatrix *test, uint32_t column, double value);
extern void test_matrix_text(TestMatrix *test, uint32_t column, const char *text);

/* Finishes the matrix and opens it. */
extern void test_matrix_open(TestMatrix *test);
extern void test_matrix_free(TestMatrix *test);

#endif
