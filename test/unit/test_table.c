/*
 * test_table.c
 *		Tables: canonical order, determinism, dropped rows, gathered columns.
 *
 * The rows are made from their number alone, so that a matrix can be written
 * in any order and with any dictionary; the table must not show it.
 */
#include <stdlib.h>

#include "check.h"
#include "core/cpu.h"
#include "core/fit/table/table.h"
#include "core/hash.h"
#include "support_matrix.h"

static const SplitPlan no_split = {.kind = SPLIT_RANDOM};
static const SplitPlan fifth = {.kind = SPLIT_RANDOM,.test = 0.2,.validation = 0.1,.seed = 42,.stratified = true};

/* A number from 0 to n - 1 that depends on row and purpose. */
static uint32_t
draw(uint32_t row, uint32_t purpose, uint32_t n)
{
	return (uint32_t) (hash64_combine(row, purpose) % n);
}

static const MatrixColumn *
mixed_columns(void)
{
	static MatrixColumn columns[5];

	columns[0] = test_column("f32", KIND_NUMBER, STORAGE_FLOAT32, ROLE_FEATURE);
	columns[1] = test_column("f64", KIND_NUMBER, STORAGE_FLOAT64, ROLE_FEATURE);
	columns[2] = test_column("text", KIND_CATEGORY, STORAGE_CODE, ROLE_FEATURE);
	columns[3] = test_column("label", KIND_CATEGORY, STORAGE_CODE, ROLE_TARGET);
	columns[4] = test_column("weight", KIND_NUMBER, STORAGE_FLOAT64, ROLE_WEIGHT);
	return columns;
}

/* Writes row `id`: every tenth is a copy of another; missing values, zeros of both signs, targets and weights that drop it. */
static void
mixed_row(TestMatrix *test, uint32_t id, uint32_t position)
{
	static const char *const labels[] = {"no", "yes", "maybe"};
	char		text[32];
	uint32_t	row = id % 10 == 0 ? id / 100 : id;

	snprintf(text, sizeof(text), "t%u", draw(row, 3, 50));
	test_matrix_row(test);
	test_matrix_number(test, 0, draw(row, 1, 20) == 0 ? NAN : draw(row, 1, 1000) / 8.0);
	/* which zero it is depends on where the row stands: they must count as equal */
	test_matrix_number(test, 1, draw(row, 2, 4) == 0 ? (position % 2 ? -0.0 : 0.0) : draw(row, 2, 100000) / 7.0);
	test_matrix_text(test, 2, draw(row, 4, 13) == 0 ? NULL : text);
	test_matrix_text(test, 3, draw(row, 5, 40) == 0 ? NULL : labels[draw(row, 6, 3)]);
	test_matrix_number(test, 4, draw(row, 7, 50) == 0 ? 0 : draw(row, 7, 50) == 1 ? NAN : 1 + draw(row, 7, 3));
}

/* n rows in the order (i * step + start) mod n; step and n have no common divisor. */
static void
write_mixed(TestMatrix *test, uint32_t n, uint32_t step, uint32_t start)
{
	test_matrix_begin(test, 0, mixed_columns(), 5);
	for (uint32_t i = 0; i < n; i++)
		mixed_row(test, (uint32_t) (((uint64_t) i * step + start) % n), i);
	test_matrix_open(test);
}

/* A table with the values of its columns side by side; hashed: by table_build(), or NULL. */
static bool
build_hashed(Table *table, const Matrix *matrix, HashedBlocks *hashed, const SplitPlan *split, ThreadPool *pool, Arena *arena, Error *error)
{
	return table_build(table, matrix, hashed, split, pool, arena, error) && table_gather_target(table, pool, arena, error) &&
		table_gather_features(table, (RowRange) {0, table->n_rows}, pool, arena, error);
}

static bool
build_gathered(Table *table, const Matrix *matrix, const SplitPlan *split, ThreadPool *pool, Arena *arena, Error *error)
{
	return build_hashed(table, matrix, NULL, split, pool, arena, error);
}

static bool
ranges_equal(RowRange a, RowRange b)
{
	return a.begin == b.begin && a.end == b.end;
}

static bool
columns_equal(const TableColumn *a, const TableColumn *b, size_t n_rows)
{
	size_t		width = a->source->storage == STORAGE_FLOAT64 ? 8 : 4;

	if (a->n_levels != b->n_levels || memcmp(a->u.f64, b->u.f64, n_rows * width) != 0)
		return false;
	for (uint32_t i = 0; i < a->n_levels; i++)
	{
		if (a->level_lengths[i] != b->level_lengths[i] || strcmp(a->levels[i], b->levels[i]) != 0)
			return false;
	}
	return true;
}

static bool
tables_equal(const Table *a, const Table *b)
{
	bool		equal = a->n_rows == b->n_rows && a->n_dropped == b->n_dropped && a->n_features == b->n_features &&
		ranges_equal(a->train, b->train) && ranges_equal(a->validation, b->validation) && ranges_equal(a->test, b->test) &&
		memcmp(a->fingerprint, b->fingerprint, sizeof(a->fingerprint)) == 0 &&
		columns_equal(a->target, b->target, a->n_rows);

	for (uint32_t c = 0; equal && c < a->n_features; c++)
		equal = columns_equal(&a->features[c], &b->features[c], a->n_rows);
	return equal && (a->weight == NULL || columns_equal(a->weight, b->weight, a->n_rows));
}

/* The same table where half of the blocks were hashed before, with vectors of any width. */
static void
check_hashed_before(const Table *expected, const Matrix *matrix, CpuLevel level, ThreadPool *pool)
{
	HashedBlocks hashed = {.n_blocks = matrix_blocks(matrix) / 2};
	Table		table;
	Arena		arena;
	Error		error;

	arena_init(&arena);
	cpu_limit(level);
	hashed.sums = malloc((hashed.n_blocks * MATRIX_BLOCK_ROWS + 1) * sizeof(uint64_t));
	for (uint64_t block = 0; block < hashed.n_blocks; block++)
		table_hash_numbers(matrix, block, hashed.sums + block * MATRIX_BLOCK_ROWS);
	CHECK_OK(build_hashed(&table, matrix, &hashed, &fifth, pool, &arena, &error), &error);
	CHECK(tables_equal(expected, &table) && hashed.sums == NULL);
	cpu_limit(CPU_AVX512);
	arena_free(&arena);
}

/* The same rows in any order, with any dictionary, on any number of threads: the same table, bit for bit. */
static void
determinism(uint32_t n)
{
	static const uint32_t steps[] = {1, 7919, 104729};
	Error		error;
	ThreadPool *one = pool_create(1, &error);
	ThreadPool *two = pool_create(2, &error);
	Table		first;
	Arena		first_arena;
	TestMatrix	first_matrix;

	arena_init(&first_arena);
	write_mixed(&first_matrix, n, 1, 0);
	if (!CHECK_OK(build_gathered(&first, &first_matrix.matrix, &fifth, one, &first_arena, &error), &error))
		return;
	CHECK(first.n_rows + first.n_dropped == n);
	CHECK(first.n_dropped > 0);
	CHECK(range_rows(first.train) + range_rows(first.validation) + range_rows(first.test) == first.n_rows);
	CHECK(range_rows(first.test) == (size_t) floor(0.2 * (double) first.n_rows + 0.5));
	CHECK(range_rows(first.validation) == (size_t) floor(0.1 * (double) first.n_rows + 0.5));
	for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++)
	{
		TestMatrix	test;

		write_mixed(&test, n, steps[s], n / 3);
		for (int threads = 1; threads <= 2; threads++)
		{
			Table		table;
			Arena		arena;

			arena_init(&arena);
			CHECK_OK(build_gathered(&table, &test.matrix, &fifth, threads == 1 ? one : two, &arena, &error), &error);
			CHECK(tables_equal(&first, &table));
			arena_free(&arena);
		}
		for (CpuLevel level = CPU_PLAIN; level <= CPU_AVX512; level++)
			check_hashed_before(&first, &test.matrix, level, two);
		test_matrix_free(&test);
	}

	/* another seed: the same rows and fingerprint, other members */
	SplitPlan	other = fifth;
	Table		table;

	other.seed = 43;
	CHECK_OK(build_gathered(&table, &first_matrix.matrix, &other, one, &first_arena, &error), &error);
	CHECK(!columns_equal(&first.features[1], &table.features[1], first.n_rows));
	CHECK(table.fingerprint[0] == first.fingerprint[0] && table.fingerprint[1] == first.fingerprint[1]);

	arena_free(&first_arena);
	test_matrix_free(&first_matrix);
	pool_destroy(one);
	pool_destroy(two);
}

/* Integer 1 in a float4 column hashes as 1.0 in a float8 column does. */
static void
normal_form(void)
{
	uint64_t	fingerprints[2];

	for (int i = 0; i < 2; i++)
	{
		MatrixColumn columns[] = {
			test_column("x", KIND_NUMBER, i == 0 ? STORAGE_FLOAT32 : STORAGE_FLOAT64, ROLE_FEATURE),
			test_column("y", KIND_NUMBER, i == 0 ? STORAGE_FLOAT64 : STORAGE_FLOAT32, ROLE_TARGET)
		};
		Error		error;
		ThreadPool *pool = pool_create(1, &error);
		TestMatrix	test;
		Table		table;
		Arena		arena;

		arena_init(&arena);
		test_matrix_begin(&test, 0, columns, 2);
		for (int row = 0; row < 10; row++)
		{
			test_matrix_row(&test);
			test_matrix_number(&test, 0, row == 3 ? NAN : row);
			test_matrix_number(&test, 1, row * 0.25);
		}
		test_matrix_open(&test);
		CHECK_OK(build_gathered(&table, &test.matrix, &no_split, pool, &arena, &error), &error);
		fingerprints[i] = table.fingerprint[0];
		test_matrix_free(&test);
		arena_free(&arena);
		pool_destroy(pool);
	}
	CHECK(fingerprints[0] == fingerprints[1]);
}

static uint64_t
unshift(uint64_t x, int shift)
{
	uint64_t	y = x;

	for (int i = 0; i < 64; i += shift)
		y = x ^ (y >> shift);
	return y;
}

/* hash64_mix() backwards. */
static uint64_t
unmix(uint64_t x)
{
	x = unshift(x, 31) * UINT64_C(0x319642b2d24d8ec3);
	x = unshift(x, 27) * UINT64_C(0x96de1b173f119089);
	return unshift(x, 30);
}

/* Different rows of equal hash, made by running the hash backwards, are ordered by value. */
static void
collisions(void)
{
	MatrixColumn columns[] = {
		test_column("a", KIND_NUMBER, STORAGE_FLOAT64, ROLE_FEATURE),
		test_column("b", KIND_NUMBER, STORAGE_FLOAT64, ROLE_FEATURE),
		test_column("y", KIND_NUMBER, STORAGE_FLOAT32, ROLE_TARGET)
	};
	uint64_t	key_a = hash64_mix(UINT64_C(0x9e3779b97f4a7c15));
	uint64_t	key_b = hash64_mix(2 * UINT64_C(0x9e3779b97f4a7c15));
	uint64_t	sum = hash64_mix(hash64_number_bits(1) ^ key_a) + hash64_mix(hash64_number_bits(2) ^ key_b);
	double		pairs[2][2] = {{1, 2}};
	Error		error;
	ThreadPool *pool = pool_create(1, &error);
	Table		tables[2];
	Arena		arena;
	TestMatrix	tests[2];

	/* a second pair (a, b) of the same sum whose b is an ordinary number */
	for (double a = 3; pairs[1][1] == 0; a++)
	{
		uint64_t	bits = unmix(sum - hash64_mix(hash64_number_bits(a) ^ key_a)) ^ key_b;
		double		b;

		memcpy(&b, &bits, sizeof(b));
		if (isfinite(b) && hash64_number_bits(b) == bits)
		{
			pairs[1][0] = a;
			pairs[1][1] = b;
		}
	}
	arena_init(&arena);
	for (int t = 0; t < 2; t++)
	{
		test_matrix_begin(&tests[t], 0, columns, 3);
		for (uint32_t i = 0; i < 1000; i++)
		{
			const double *pair = pairs[t == 0 ? i % 2 : i < 500];

			test_matrix_row(&tests[t]);
			test_matrix_number(&tests[t], 0, pair[0]);
			test_matrix_number(&tests[t], 1, pair[1]);
			test_matrix_number(&tests[t], 2, 0);
		}
		test_matrix_open(&tests[t]);
		CHECK_OK(build_gathered(&tables[t], &tests[t].matrix, &fifth, pool, &arena, &error), &error);
	}
	/* one hash: the sum of a thousand is a thousand times one */
	CHECK(tables[0].fingerprint[0] % 8 == 0);
	CHECK(tables[0].fingerprint[0] == tables[1].fingerprint[0]);
	CHECK(tables_equal(&tables[0], &tables[1]));
	CHECK(tables[0].features[0].u.f64[0] == 1);
	CHECK(tables[0].features[0].u.f64[tables[0].train.end - 1] == pairs[1][0]);
	for (int t = 0; t < 2; t++)
		test_matrix_free(&tests[t]);
	arena_free(&arena);
	pool_destroy(pool);
}

/* Levels are sorted by bytes, also where texts share long prefixes; those of dropped rows alone do not appear. */
static void
levels(void)
{
	MatrixColumn columns[] = {
		test_column("text", KIND_CATEGORY, STORAGE_CODE, ROLE_FEATURE),
		test_column("y", KIND_NUMBER, STORAGE_FLOAT64, ROLE_TARGET)
	};
	static const char *const texts[] = {
		"customer-000000000000002", "customer-0000000000000010", "customer-\xc3\xa4", "customer-000000000000001",
		"customer-", "customer-0000000000000001", "customer-Z", "customer-dropped"
	};
	static const char *const sorted[] = {
		"customer-", "customer-0000000000000001", "customer-000000000000001", "customer-0000000000000010",
		"customer-000000000000002", "customer-Z", "customer-\xc3\xa4"
	};
	Error		error;
	ThreadPool *pool = pool_create(1, &error);
	TestMatrix	test;
	Table		table;
	Arena		arena;
	bool		right = true;

	arena_init(&arena);
	test_matrix_begin(&test, 0, columns, 2);
	for (uint32_t i = 0; i < 8; i++)
	{
		test_matrix_row(&test);
		test_matrix_text(&test, 0, texts[i]);
		test_matrix_number(&test, 1, i == 7 ? NAN : i);
	}
	test_matrix_open(&test);
	CHECK_OK(build_gathered(&table, &test.matrix, &no_split, pool, &arena, &error), &error);
	CHECK(table.n_rows == 7 && table.n_dropped == 1);
	CHECK(table.features[0].n_levels == 7);
	for (uint32_t i = 0; i < 7 && i < table.features[0].n_levels; i++)
		CHECK_TEXT(table.features[0].levels[i], sorted[i]);
	for (size_t row = 0; row < table.n_rows; row++)
		right = right && strcmp(table.features[0].levels[table.features[0].u.codes[row]],
								texts[(int) table.target->u.f64[row]]) == 0;
	CHECK(right);
	test_matrix_free(&test);
	arena_free(&arena);
	pool_destroy(pool);
}

/* Builds a table of one feature, a target and a weight from these numbers. */
static bool
build_small(uint32_t n, const double *targets, const double *weights, Error *error)
{
	MatrixColumn columns[] = {
		test_column("x", KIND_NUMBER, STORAGE_FLOAT64, ROLE_FEATURE),
		test_column("price", KIND_NUMBER, STORAGE_FLOAT64, ROLE_TARGET),
		test_column("w", KIND_NUMBER, STORAGE_FLOAT64, ROLE_WEIGHT)
	};
	ThreadPool *pool = pool_create(1, error);
	TestMatrix	test;
	Table		table;
	Arena		arena;
	bool		built;

	arena_init(&arena);
	test_matrix_begin(&test, 0, columns, 3);
	for (uint32_t i = 0; i < n; i++)
	{
		test_matrix_row(&test);
		test_matrix_number(&test, 0, i);
		test_matrix_number(&test, 1, targets[i]);
		test_matrix_number(&test, 2, weights[i]);
	}
	test_matrix_open(&test);
	built = build_gathered(&table, &test.matrix, &fifth, pool, &arena, error);
	test_matrix_free(&test);
	arena_free(&arena);
	pool_destroy(pool);
	return built;
}

static void
unusable_rows(void)
{
	Error		error;

	CHECK_ERROR(build_small(0, NULL, NULL, &error), &error, ERROR_DATA, "no rows");
	CHECK_ERROR(build_small(2, (double[]) {NAN, NAN}, (double[]) {1, 1}, &error), &error, ERROR_DATA, "\"price\"");
	CHECK_ERROR(build_small(2, (double[]) {1, NAN}, (double[]) {0, 1}, &error), &error, ERROR_DATA, "no rows are left");
	CHECK_ERROR(build_small(2, (double[]) {1, INFINITY}, (double[]) {1, 1}, &error), &error, ERROR_DATA, "\"price\" is infinite in 1 ");
	CHECK_ERROR(build_small(2, (double[]) {1, 2}, (double[]) {1, -1}, &error), &error, ERROR_DATA, "\"w\" is negative");
	CHECK_ERROR(build_small(2, (double[]) {1, 2}, (double[]) {1, INFINITY}, &error), &error, ERROR_DATA, "\"w\"");
	CHECK_OK(build_small(2, (double[]) {1, 2}, (double[]) {1, 1}, &error), &error);
	CHECK_OK(build_small(1, (double[]) {1}, (double[]) {1}, &error), &error);
}

int
main(void)
{
	determinism(997);
	determinism(100003);
	normal_form();
	collisions();
	levels();
	unusable_rows();
	return check_done();
}
