/*
 * test_column_counter.c
 *		Counting a column in bulk gives what counting its values one by one gives.
 */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "core/fit/table/column_counter.h"
#include "core/fit/table/text_counts.h"
#include "core/hash.h"
#include "core/matrix.h"
#include "support.h"
#include "support_profile.h"

#define N_VALUES 60000

/* A check of one of many columns, whose name is told. */
#define CHECK_OF(column, condition) \
	do { \
		if (!CHECK(condition)) \
			printf("\tof column \"%s\"\n", column); \
	} while (0)

/* Powers of huge numbers are none on both sides. */
static bool
near(double a, double b)
{
	return (!isfinite(a) && !isfinite(b)) || fabs(a - b) <= 1e-9 * b;
}

/* Counts values both ways, in tiles of different sizes, and compares cell by cell. */
static void
compare(const char *what, const double *values, size_t n, bool small, bool same_names)
{
	double		tile[COUNTER_TILE] __attribute__((aligned(64)));
	ColumnCounter counter;
	Profile		profile;
	Distribution bulk;
	Distribution single;
	Error		error;
	uint64_t	seed = 7;

	CHECK_OF(what, counter_init(&counter, KIND_NUMBER, small, &error) && profile_init(&profile, KIND_NUMBER, NULL, test_memory, &error));
	for (size_t done = 0; done < n;)
	{
		size_t		size = 1 + hash64_mix(seed++) % COUNTER_TILE;

		if (seed % 3 == 0)
			size = COUNTER_TILE;
		if (size > n - done)
			size = n - done;
		memcpy(tile, values + done, size * sizeof(double));
		counter_add(&counter, tile, size);
		done += size;
	}
	for (size_t i = 0; i < n; i++)
	{
		if (matrix_is_null(values[i]))
			profile_null(&profile);
		else
			profile_number(&profile, values[i]);
	}
	CHECK_OF(what, counter_finish(&counter, test_memory, &bulk, &error));
	CHECK_OF(what, profile_collect(&profile, test_memory, &single, &error));

	CHECK_OF(what, bulk.shift == single.shift && bulk.n_cells == single.n_cells && bulk.n == single.n);
	CHECK_OF(what, bulk.n_null == single.n_null && bulk.n_nan == single.n_nan && bulk.n_below == single.n_below && bulk.n_above == single.n_above);
	if (bulk.n_cells == single.n_cells)
	{
		size_t		wrong = 0;
		size_t		misnamed = 0;

		for (size_t i = 0; i < bulk.n_cells; i++)
		{
			wrong += bulk.cells[i].key != single.cells[i].key || bulk.cells[i].count != single.cells[i].count;
			misnamed += bulk.cells[i].name != single.cells[i].name || bulk.cells[i].votes != single.cells[i].votes;
		}
		CHECK_OF(what, wrong == 0);
		CHECK_OF(what, !same_names || misnamed == 0);
	}
	if (single.n > 0)
	{
		CHECK_OF(what, bulk.lowest == single.lowest && bulk.highest == single.highest);
		CHECK_OF(what, fabs(bulk.moments.mean - single.moments.mean) <= 1e-12 * (fabs(single.lowest) + fabs(single.highest)));
		CHECK_OF(what, near(bulk.moments.m2, single.moments.m2));
		CHECK_OF(what, near(bulk.moments.m4, single.moments.m4));
	}
	CHECK_OF(what, (bulk.registers == NULL) == (single.registers == NULL) &&
				  (bulk.registers == NULL || memcmp(bulk.registers, single.registers, N_REGISTERS) == 0));

	/* each value is found in the cell that it went to */
	uint8_t    *group = malloc(bulk.n_cells + 1);
	uint8_t    *groups = malloc(counter.n_cells + 1);
	uint64_t	counts[256] = {0};
	uint64_t	expected[256] = {0};

	for (size_t i = 0; i < bulk.n_cells; i++)
	{
		group[i] = (uint8_t) (bulk.cells[i].key % 251);
		expected[group[i]] += bulk.cells[i].count;
	}
	counter_groups(&counter, &bulk, group, groups);
	for (size_t i = 0; i < n; i++)
		if (isfinite(values[i]))
			counts[groups[counter_cell(&counter, values[i])]]++;
	CHECK_OF(what, memcmp(counts, expected, sizeof(counts)) == 0);
	free(group);
	free(groups);

	distribution_free(&bulk, test_memory);
	distribution_free(&single, test_memory);
	counter_free(&counter);
	profile_free(&profile);
}

static double
uniform(uint64_t *state)
{
	return (double) (hash64_mix(++*state) >> 11) * 0x1p-53;
}

/* Two uniform numbers make a normal one (Box & Muller 1958). */
static double
normal(uint64_t *state)
{
	double		radius = sqrt(-2 * log(uniform(state) + 0x1p-60));

	return radius * cos(2 * 3.14159265358979323846 * uniform(state));
}

static void
test_numbers(void)
{
	double	   *values = malloc(N_VALUES * sizeof(double));
	uint64_t	state = 1;

	for (size_t i = 0; i < N_VALUES; i++)
		values[i] = normal(&state);
	compare("normal", values, N_VALUES, false, false);
	compare("normal, hashed", values, N_VALUES, true, false);
	compare("few", values, 100, false, true);
	compare("none", values, 0, false, true);
	for (size_t i = 0; i < N_VALUES; i++)
		values[i] = (double) i;
	compare("ascending integers", values, N_VALUES, false, false);
	for (size_t i = 0; i < N_VALUES; i++)
		values[i] = floor(uniform(&state) * 5000);
	compare("five thousand integers", values, N_VALUES, false, false);
	compare("five thousand integers, hashed", values, N_VALUES, true, false);
	for (size_t i = 0; i < N_VALUES; i++)
		values[i] = floor(uniform(&state) * 4096) / 7;
	compare("as many values as cells", values, N_VALUES, false, true);
	for (size_t i = 0; i < N_VALUES; i++)
		values[i] = uniform(&state) < 0.92 ? 0 : exp(10 * uniform(&state));
	compare("mostly zeros", values, N_VALUES, false, false);
	for (size_t i = 0; i < N_VALUES; i++)
		values[i] = exp(600 * normal(&state) / 3) * (uniform(&state) < 0.5 ? -1 : 1);
	compare("all magnitudes", values, N_VALUES, false, false);
	compare("all magnitudes, hashed", values, N_VALUES, true, false);
	for (size_t i = 0; i < N_VALUES; i++)
		values[i] = (double) (float) (100 + normal(&state));
	compare("floats", values, N_VALUES, false, false);
	for (size_t i = 0; i < N_VALUES; i++)
		values[i] = 1e300 * (i % 2 == 0 ? 1 : -1) / (double) (1 + i % 3);
	compare("huge", values, 1000, false, true);
	for (size_t i = 0; i < N_VALUES; i++)
	{
		double		u = uniform(&state);

		values[i] = u < 0.1 ? MATRIX_NULL : u < 0.2 ? NAN : u < 0.25 ? INFINITY : u < 0.3 ? -INFINITY : u < 0.4 ? -0.0 : u < 0.5 ? 0 : u;
	}
	compare("with what is no number", values, N_VALUES, false, false);
	for (size_t i = 0; i < N_VALUES; i++)
		values[i] = MATRIX_NULL;
	compare("nothing but NULL", values, N_VALUES, false, true);
	free(values);
}

/* Values that come in an order which keeps cells narrow for long. */
static void
test_orders(void)
{
	double	   *values = malloc(N_VALUES * sizeof(double));
	uint64_t	state = 2;

	for (size_t i = 0; i < N_VALUES; i++)
		values[i] = i < 30000 ? 1 : normal(&state);
	compare("constant at first", values, N_VALUES, false, false);
	compare("constant at first, hashed", values, N_VALUES, true, false);
	for (size_t i = 0; i < N_VALUES; i++)
		values[i] = (double) (i / 4) * 0.001;
	compare("in runs", values, N_VALUES, false, false);
	free(values);
}

static void
test_null_is_a_nan_of_its_own(void)
{
	volatile float single = MATRIX_NULL_FLOAT;

	CHECK(matrix_is_null((double) single));
	CHECK(matrix_is_null(MATRIX_NULL));
	CHECK(isnan(MATRIX_NULL));
	CHECK(!matrix_is_null(NAN));
	CHECK(!matrix_is_null(0));
}

static void
test_texts(void)
{
	enum
	{
		N = 10000
	};
	static char names[N][32];
	TextCount  *texts = calloc(N, sizeof(TextCount));
	Profile		bulk;
	Profile		single;
	Distribution a;
	Distribution b;
	Error		error;

	for (int kinds = 5; kinds <= N; kinds *= 2000)
	{
		CHECK(profile_init(&bulk, KIND_CATEGORY, NULL, test_memory, &error) && profile_init(&single, KIND_CATEGORY, NULL, test_memory, &error));
		for (int i = 0; i < kinds; i++)
		{
			snprintf(names[i], sizeof(names[i]), "level %d", i);
			texts[i] = (TextCount) {names[i], strlen(names[i]), (uint64_t) (i % 4)};
			for (int j = 0; j < i % 4; j++)
				profile_text(&single, hash64_bytes(names[i], strlen(names[i])), names[i], strlen(names[i]));
		}
		CHECK(count_texts(&bulk, texts, (size_t) kinds, &error));
		CHECK(profile_collect(&bulk, test_memory, &a, &error) && profile_collect(&single, test_memory, &b, &error));
		CHECK(a.shift == b.shift && a.n_cells == b.n_cells && a.n == b.n);
		for (size_t i = 0; i < a.n_cells && i < b.n_cells; i++)
			CHECK(a.cells[i].key == b.cells[i].key && a.cells[i].count == b.cells[i].count);
		CHECK((a.registers == NULL) == (b.registers == NULL) && (a.registers == NULL || memcmp(a.registers, b.registers, N_REGISTERS) == 0));
		CHECK(text_cell(&a, names[1], strlen(names[1])) < a.n_cells);
		if (a.shift == 0)
			CHECK(text_cell(&a, "never", 5) == SIZE_MAX && a.n_cells == 3);
		distribution_free(&a, test_memory);
		distribution_free(&b, test_memory);
		profile_free(&bulk);
		profile_free(&single);
	}
	free(texts);
	CHECK(text_clip("abc", 3, 120) == 3);
	CHECK(text_clip("a\xc3\xa4" "b", 4, 2) == 1);
	CHECK(text_clip("a\xc3\xa4" "b", 4, 3) == 3);
}

int
main(void)
{
	for (int level = CPU_PLAIN; level <= CPU_AVX512; level++)
	{
		cpu_limit((CpuLevel) level);
		test_numbers();
		test_orders();
	}
	cpu_limit(CPU_AVX512);
	test_null_is_a_nan_of_its_own();
	test_texts();
	return check_done();
}
