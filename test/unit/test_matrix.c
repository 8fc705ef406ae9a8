/*
 * test_matrix.c
 *		Matrices: round trip, limits, dictionaries, hostile bytes.
 */
#include <stdlib.h>

#include "check.h"
#include "support_matrix.h"

#define ROWS (2 * MATRIX_BLOCK_ROWS + 17)

/* A category for row i; missing now and then. */
static const char *
category(uint32_t i, char *buffer)
{
	if (i % 11 == 3)
		return NULL;
	snprintf(buffer, 32, "level %u", i * i % 31);
	return buffer;
}

/* What was written is read, in every block. */
static void
round_trip(void)
{
	MatrixColumn columns[] = {
		test_column("small", KIND_NUMBER, STORAGE_FLOAT32, ROLE_FEATURE),
		test_column("large", KIND_TIMESTAMP, STORAGE_FLOAT64, ROLE_TARGET),
		test_column("text", KIND_CATEGORY, STORAGE_CODE, ROLE_FEATURE)
	};
	TestMatrix	test;
	char		buffer[32];
	bool		same = true;

	test_matrix_begin(&test, 0, columns, 3);
	for (uint32_t i = 0; i < ROWS; i++)
	{
		test_matrix_row(&test);
		test_matrix_number(&test, 0, i / 4.0);
		test_matrix_number(&test, 1, i % 5 == 0 ? NAN : i / 3.0);
		test_matrix_text(&test, 2, category(i, buffer));
	}
	test_matrix_open(&test);

	const Matrix *matrix = &test.matrix;

	CHECK(matrix->header->n_rows == ROWS);
	CHECK(matrix_blocks(matrix) == 3);
	CHECK(matrix_block_rows(matrix, 1) == MATRIX_BLOCK_ROWS);
	CHECK(matrix_block_rows(matrix, 2) == 17);
	CHECK(matrix_find_role(matrix, ROLE_TARGET) == 1);
	CHECK(matrix_find_role(matrix, ROLE_WEIGHT) == -1);
	CHECK_TEXT(matrix->columns[2].name, "text");
	CHECK((matrix->columns[1].offset - matrix->columns[0].offset) % 4096 != 0);
	CHECK(matrix_bytes(columns, 3, ROWS) <= matrix->header->size);
	for (uint32_t i = 0; i < ROWS; i++)
	{
		uint64_t	block = i / MATRIX_BLOCK_ROWS;
		uint32_t	row = i % MATRIX_BLOCK_ROWS;
		double		large = ((const double *) matrix_values(matrix, 1, block))[row];
		uint32_t	code = ((const uint32_t *) matrix_values(matrix, 2, block))[row];
		const char *text = category(i, buffer);

		same = same && ((const float *) matrix_values(matrix, 0, block))[row] == (float) (i / 4.0);
		same = same && (i % 5 == 0 ? isnan(large) : large == i / 3.0);
		if (text == NULL || code == CODE_MISSING)
			same = same && text == NULL && code == CODE_MISSING;
		else
		{
			size_t		length;
			const char *found = matrix_text(matrix, 2, code, &length);

			same = same && length == strlen(text) && memcmp(found, text, length) == 0;
		}
	}
	CHECK(same);
	test_matrix_free(&test);
}

/* Many categories, among them the empty one: the same text has the same code. */
static void
dictionary(void)
{
	MatrixColumn columns[] = {test_column("id", KIND_CATEGORY, STORAGE_CODE, ROLE_FEATURE)};
	TestMatrix	test;
	Error		error;
	bool		same = true;

	test_matrix_begin(&test, 0, columns, 1);
	test_matrix_row(&test);
	test_matrix_text(&test, 0, "");
	for (uint32_t i = 0; i < 300000; i++)
	{
		char		text[32];
		int			length = snprintf(text, sizeof(text), "user_%u", i % 100000);
		uint32_t	code = matrix_writer_code(&test.writer, 0, text, (size_t) length, &error);

		same = same && code == 1 + i % 100000;
	}
	CHECK(same);
	CHECK(matrix_writer_code(&test.writer, 0, "", 0, &error) == 0);
	CHECK(matrix_writer_code(&test.writer, 0, "a", 1, &error) == 100001);
	CHECK(matrix_writer_code(&test.writer, 0, "a\0", 2, &error) == 100002);
	CHECK(matrix_writer_code(&test.writer, 0, "a", 1, &error) == 100001);
	test_matrix_open(&test);
	CHECK(test.matrix.columns[0].n_codes == 100003);
	test_matrix_free(&test);
}

/* A region that is too small says so, at the row or the text that needs more, and is never written beyond. */
static void
limits(void)
{
	MatrixColumn columns[] = {
		test_column("x", KIND_NUMBER, STORAGE_FLOAT64, ROLE_FEATURE),
		test_column("c", KIND_CATEGORY, STORAGE_CODE, ROLE_FEATURE)
	};
	uint64_t	two_blocks = matrix_bytes(columns, 2, 2 * MATRIX_BLOCK_ROWS);
	size_t		limit = two_blocks + 100;
	uint8_t    *base = calloc(1, limit);
	MatrixWriter writer;
	Error		error;
	uint32_t	n = 0;
	uint32_t	n_codes = 0;

	CHECK(matrix_bytes(columns, 2, UINT64_MAX) == UINT64_MAX);
	CHECK_ERROR(matrix_writer_init(&writer, base, 1000, columns, 2, &error), &error, ERROR_LIMIT, "1000");
	matrix_writer_free(&writer);

	if (!CHECK_OK(matrix_writer_init(&writer, base, limit, columns, 2, &error), &error))
		return;
	while (matrix_writer_row(&writer, &error))
		n++;
	CHECK(n == 2 * MATRIX_BLOCK_ROWS);
	CHECK_ERROR(false, &error, ERROR_LIMIT, "mlops.max_memory");
	for (char text[] = "a"; matrix_writer_code(&writer, 1, text, 1, &error) != CODE_MISSING; text[0]++)
		n_codes++;
	CHECK(error.code == ERROR_LIMIT);
	CHECK(n_codes > 0 && n_codes * 9 + 8 <= 100);
	CHECK_OK(matrix_writer_finish(&writer, &error), &error);
	CHECK(writer.header->size <= limit);
	matrix_writer_free(&writer);
	free(base);
}

/* Opens bytes; where they are accepted, reads everything that can be reached from them. */
static bool
open_and_read(const uint8_t *bytes, size_t size)
{
	Matrix		matrix;
	Error		error;
	volatile uint8_t seen = 0;

	if (!matrix_open(&matrix, bytes, size, &error))
	{
		if (error.code != ERROR_CORRUPTED)
			CHECK(error.code == ERROR_CORRUPTED);
		return false;
	}
	for (uint32_t c = 0; c < matrix.header->n_columns; c++)
	{
		size_t		width = matrix.columns[c].storage == STORAGE_FLOAT64 ? 8 : 4;

		seen ^= (uint8_t) strlen(matrix.columns[c].name);
		for (uint64_t b = 0; b < matrix_blocks(&matrix); b++)
		{
			const uint8_t *values = matrix_values(&matrix, c, b);

			for (size_t i = 0; i < matrix_block_rows(&matrix, b) * width; i += width)
				seen ^= values[i] ^ values[i + width - 1];
			for (uint32_t i = 0; matrix.columns[c].storage == STORAGE_CODE && i < matrix_block_rows(&matrix, b); i++)
			{
				uint32_t	code = ((const uint32_t *) values)[i];
				size_t		length = 0;
				const char *text = code == CODE_MISSING ? NULL : matrix_text(&matrix, c, code, &length);

				if (length > 0)
					seen ^= (uint8_t) (text[0] ^ text[length - 1]);
			}
		}
	}
	(void) seen;
	return true;
}

/* Every byte flipped, and the whole cut at every length near its structures: refused, or safe to read. */
static void
hostile(void)
{
	MatrixColumn columns[] = {
		test_column("x", KIND_NUMBER, STORAGE_FLOAT32, ROLE_FEATURE),
		test_column("c", KIND_CATEGORY, STORAGE_CODE, ROLE_TARGET)
	};
	static const uint8_t flips[] = {0x01, 0x80, 0xff};
	TestMatrix	test;
	size_t		accepted_cuts = 0;
	bool		all_headers_refused = true;

	test_matrix_begin(&test, 0, columns, 2);
	for (uint32_t i = 0; i < 5; i++)
	{
		test_matrix_row(&test);
		test_matrix_number(&test, 0, i);
		test_matrix_text(&test, 1, i % 2 == 0 ? "even" : "odd");
	}
	test_matrix_open(&test);

	size_t		size = test.writer.header->size;
	uint8_t    *bytes = malloc(size);

	memcpy(bytes, test.base, size);
	CHECK(open_and_read(bytes, size));
	for (size_t i = 0; i < size; i++)
	{
		for (size_t flip = 0; flip < sizeof(flips); flip++)
		{
			bytes[i] ^= flips[flip];
			if (open_and_read(bytes, size) && i < sizeof(((MatrixHeader *) NULL)->magic))
				all_headers_refused = false;
			bytes[i] ^= flips[flip];
		}
	}
	CHECK(all_headers_refused);
	free(bytes);

	for (size_t cut = 0; cut < size; cut += cut > 1200 && cut + 200 < size ? 97 : 1)
	{
		uint8_t    *part = malloc(cut > 0 ? cut : 1);

		memcpy(part, test.base, cut);
		accepted_cuts += open_and_read(part, cut);
		free(part);
	}
	CHECK(accepted_cuts == 0);
	test_matrix_free(&test);
}

int
main(void)
{
	round_trip();
	dictionary();
	limits();
	hostile();
	return check_done();
}
