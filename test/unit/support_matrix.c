/*
 * support_matrix.c
 *		Matrices for tests.
 */
#include "support_matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PLENTY ((size_t) 4 << 30)

/* Ends the test program where what it stands on breaks. */
static void
require(bool success, const Error *error)
{
	if (success)
		return;
	printf("a matrix for a test cannot be made: %s %s\n", error->message, error->detail);
	exit(1);
}

MatrixColumn
test_column(const char *name, ColumnKind kind, ColumnStorage storage, ColumnRole role)
{
	MatrixColumn column = {.kind = kind,.storage = storage,.role = role,.frozen = role == ROLE_FEATURE || role == ROLE_TARGET};

	snprintf(column.name, sizeof(column.name), "%s", name);
	snprintf(column.type_name, sizeof(column.type_name), "%s", kind_name(kind));
	return column;
}

void
test_matrix_begin(TestMatrix *test, size_t limit, const MatrixColumn *columns, uint32_t n_columns)
{
	Error		error;

	test->limit = limit > 0 ? limit : PLENTY;
	test->base = mmap(NULL, test->limit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (test->base == MAP_FAILED)
		error_set(&error, ERROR_MEMORY, "no region of %zu bytes", test->limit);
	require(test->base != MAP_FAILED, &error);
	require(matrix_writer_init(&test->writer, test->base, test->limit, columns, n_columns, &error), &error);
}

void
test_matrix_row(TestMatrix *test)
{
	Error		error;

	require(matrix_writer_row(&test->writer, &error), &error);
}

void
test_matrix_number(TestMatrix *test, uint32_t column, double value)
{
	void	   *cell = matrix_writer_cell(&test->writer, column);

	if (test->writer.columns[column].storage == STORAGE_FLOAT32)
		*(float *) cell = (float) value;
	else
		*(double *) cell = value;
}

void
test_matrix_text(TestMatrix *test, uint32_t column, const char *text)
{
	uint32_t   *cell = matrix_writer_cell(&test->writer, column);
	Error		error;

	*cell = text == NULL ? CODE_MISSING : matrix_writer_code(&test->writer, column, text, strlen(text), &error);
	require(text == NULL || *cell != CODE_MISSING, &error);
}

void
test_matrix_open(TestMatrix *test)
{
	Error		error;

	require(matrix_writer_finish(&test->writer, &error), &error);
	require(matrix_open(&test->matrix, test->base, test->writer.header->size, &error), &error);
}

void
test_matrix_free(TestMatrix *test)
{
	matrix_writer_free(&test->writer);
	munmap(test->base, test->limit);
}
