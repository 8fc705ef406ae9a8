/*
 * written_matrix.h
 *		Matrices that a benchmark writes itself, as a backend does for the trainer.
 */
#ifndef MLOPS_BENCH_WRITTEN_MATRIX_H
#define MLOPS_BENCH_WRITTEN_MATRIX_H

#include <stdio.h>
#include <sys/mman.h>

#include "core/matrix.h"
#include "csv.h"

#define MATRIX_LIMIT (UINT64_C(64) << 30)

/* Ends the program with an Error. */
static inline void
stop_on(const Error *error)
{
	stop(error->message, error->detail[0] != '\0' ? error->detail : error->hint);
}

/* An empty matrix with room for whatever comes. */
static inline void *
start_matrix(MatrixWriter *writer, const MatrixColumn *columns, uint32_t n_columns)
{
	Error		error;
	void	   *region = mmap(NULL, MATRIX_LIMIT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (region == MAP_FAILED)
		stop("mmap", "no address space");
	if (!matrix_writer_init(writer, region, MATRIX_LIMIT, columns, n_columns, &error))
		stop_on(&error);
	return region;
}

/* Begins a row. */
static inline void
next_row(MatrixWriter *writer)
{
	Error		error;

	if (!matrix_writer_row(writer, &error))
		stop_on(&error);
}

/* Sets a number in the current row. */
static inline void
put_number(const MatrixWriter *writer, uint32_t column, double value)
{
	void	   *cell = matrix_writer_cell(writer, column);

	if (writer->columns[column].storage == STORAGE_FLOAT32)
		*(float *) cell = (float) value;
	else
		*(double *) cell = value;
}

/* Ends writing; the matrix as the trainer sees it. */
static inline Matrix
finish_matrix(MatrixWriter *writer, void *region)
{
	Error		error;
	Matrix		matrix;

	if (!matrix_writer_finish(writer, &error) || !matrix_open(&matrix, region, writer->header->size, &error))
		stop_on(&error);
	matrix_writer_free(writer);
	return matrix;
}

/* A column of numbers or categories. */
static inline MatrixColumn
describe_column(const char *name, ColumnStorage storage, ColumnRole role)
{
	MatrixColumn column = {
		.kind = storage == STORAGE_CODE ? KIND_CATEGORY : KIND_NUMBER,
		.storage = storage,
		.role = role
	};

	snprintf(column.name, sizeof(column.name), "%s", name);
	return column;
}

/* Gives its memory back. */
static inline void
free_matrix(void *region)
{
	munmap(region, MATRIX_LIMIT);
}

#endif
