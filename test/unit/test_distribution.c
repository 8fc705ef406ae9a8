/*
 * test_distribution.c
 *		Counting, merging, taking away, reading and writing distributions.
 */
#include <stdlib.h>

#include "check.h"
#include "core/hash.h"
#include "core/statistics/distance.h"
#include "support_profile.h"

#define MANY 60000

/* Standard normal numbers by Box and Muller from a hash. */
static double
normal(uint64_t i)
{
	double		u = (double) (hash64_mix(2 * i + 1) >> 11) * 0x1p-53;
	double		v = (double) (hash64_mix(2 * i + 2) >> 11) * 0x1p-53;

	return sqrt(-2 * log(1 - u)) * cos(2 * M_PI * v);
}

static double *
normals(size_t n, uint64_t first)
{
	double	   *values = malloc(n * sizeof(double));

	for (size_t i = 0; i < n; i++)
		values[i] = normal(first + i);
	return values;
}

/* Whether two say the same, but for the last bits of moments and for the names that a vote gave. */
static bool
same_counts(const Distribution *a, const Distribution *b)
{
	bool		same = a->kind == b->kind && a->shift == b->shift && a->n_null == b->n_null && a->n_nan == b->n_nan && a->n_below == b->n_below &&
		a->n_above == b->n_above && a->n == b->n && a->n_cells == b->n_cells && (a->registers == NULL) == (b->registers == NULL) &&
		memcmp(&a->lowest, &b->lowest, 8) == 0 && memcmp(&a->highest, &b->highest, 8) == 0;

	for (size_t i = 0; same && i < a->n_cells; i++)
		same = a->cells[i].key == b->cells[i].key && a->cells[i].count == b->cells[i].count;
	return same && (a->registers == NULL || memcmp(a->registers, b->registers, N_REGISTERS) == 0);
}

static void
test_counts(void)
{
	Distribution d = distribution_of((double[]) {3, NAN, -0.0, INFINITY, 0, -2, -INFINITY, 3, INFINITY}, 9);
	bool		exact;
	size_t		top[2];

	CHECK(d.n == 5 && d.n_nan == 1 && d.n_above == 2 && d.n_below == 1 && d.n_null == 0);
	CHECK(distribution_rows(&d) == 9);
	CHECK_SAME(d.lowest, -2);
	CHECK_SAME(d.highest, 3);
	CHECK_NEAR(d.moments.mean, .8, 1e-15);
	CHECK_SAME(distribution_distinct(&d, &exact), 3);
	CHECK(exact);
	CHECK_SAME(distribution_quantile(&d, 0), -2);
	CHECK_SAME(distribution_quantile(&d, .5), 0);
	CHECK_SAME(distribution_quantile(&d, .625), 1.5);
	CHECK_SAME(distribution_quantile(&d, 1), 3);
	CHECK_SAME(distribution_quantile(&d, 2), NAN);
	CHECK(distribution_top(&d, top, 2) == 2);
	CHECK_SAME(cell_number(&d, &d.cells[top[0]]), 0);
	CHECK_SAME(cell_number(&d, &d.cells[top[1]]), 3);
	distribution_free(&d, test_memory);

	d = distribution_of(NULL, 0);
	CHECK_SAME(distribution_quantile(&d, .5), NAN);
	CHECK_SAME(d.lowest, NAN);
	CHECK_SAME(distribution_distinct(&d, &exact), 0);
	distribution_free(&d, test_memory);
}

/* Of many different numbers quantiles are good to 0.4 %, and the number of distinct ones to 2.3 % (three deviations here). */
static void
test_many_numbers(void)
{
	double	   *values = normals(MANY, 0);
	Distribution d = distribution_of(values, MANY);
	bool		exact;

	CHECK(d.shift > 0 && d.shift <= NUMBER_SHIFT_MAX);
	for (double q = .01; q < 1; q += .01)
	{
		/* the share of values below it is what decides; 0.4 % of the value, or its own cell, beside it */
		double		value = distribution_quantile(&d, q);
		double		slack = fabs(value) * 0.004 + 1e-3;
		size_t		below = 0;
		size_t		above = 0;

		for (size_t i = 0; i < MANY; i++)
		{
			below += values[i] < value - slack;
			above += values[i] > value + slack;
		}
		CHECK((double) below <= q * MANY + 1 && (double) above <= (1 - q) * MANY + 1);
	}
	CHECK_NEAR(distribution_distinct(&d, &exact), MANY, 3 * .023 * MANY);
	CHECK(!exact);
	CHECK_NEAR(d.moments.mean, 0, .02);
	CHECK_NEAR(moments_deviation(&d.moments), 1, .02);
	distribution_free(&d, test_memory);
	free(values);
}

/* Numbers far from 0 that differ little get cells as narrow as they need. */
static void
test_far_from_zero(void)
{
	double		values[20000];
	Distribution d;

	for (size_t i = 0; i < 20000; i++)
		values[i] = 8e14 + (double) i * 1e9;
	d = distribution_of(values, 20000);
	CHECK_NEAR(distribution_quantile(&d, .5), 8e14 + 9999.5e9, 1e10);
	CHECK(d.n_cells > PROFILE_CELLS / 4);
	distribution_free(&d, test_memory);
}

/* Parts merged in any order say what the whole says. */
static void
test_merge(void)
{
	double	   *values = normals(MANY, 7);
	const size_t ends[] = {0, 100, 5000, 5001, 30000, MANY};
	Distribution parts[5];
	const Distribution *orders[][5] = {
		{&parts[0], &parts[1], &parts[2], &parts[3], &parts[4]},
		{&parts[4], &parts[2], &parts[0], &parts[3], &parts[1]},
		{&parts[2], &parts[0], &parts[1], &parts[4], &parts[3]},
	};
	Distribution whole = distribution_of(values, MANY);

	for (int i = 0; i < 5; i++)
		parts[i] = distribution_of(values + ends[i], ends[i + 1] - ends[i]);
	for (int i = 0; i < 3; i++)
	{
		Distribution all = merged(orders[i], 5);
		Distribution first = merged(orders[i], 2);
		Distribution rest = merged(orders[i] + 2, 3);
		Distribution nested = merged((const Distribution *[]) {&rest, &first}, 2);

		CHECK(same_counts(&all, &whole));
		CHECK(same_counts(&nested, &whole));
		CHECK_NEAR(all.moments.mean, whole.moments.mean, 1e-12);
		CHECK_NEAR(all.moments.m2, whole.moments.m2, 1e-12 * whole.moments.m2);
		CHECK_NEAR(all.moments.m3, whole.moments.m3, 1e-10 * whole.moments.m4);
		CHECK_NEAR(all.moments.m4, whole.moments.m4, 1e-12 * whole.moments.m4);
		distribution_free(&all, test_memory);
		distribution_free(&first, test_memory);
		distribution_free(&rest, test_memory);
		distribution_free(&nested, test_memory);
	}

	/* and what is taken away is what was not there */
	Distribution others = merged((const Distribution *[]) {&parts[0], &parts[1], &parts[2], &parts[3]}, 4);
	Error		error;

	CHECK_OK(distribution_subtract(&whole, &parts[4], &error), &error);
	CHECK(whole.n == others.n && whole.n_null == 0);
	for (double q = .05; q < 1; q += .05)
		CHECK_NEAR(distribution_quantile(&whole, q), distribution_quantile(&others, q), 1e-2);
	CHECK_NEAR(whole.moments.mean, others.moments.mean, 1e-12);
	CHECK_NEAR(whole.moments.m2, others.moments.m2, 1e-9 * others.moments.m2);
	CHECK_NEAR(whole.moments.m4, others.moments.m4, 1e-9 * others.moments.m4);
	CHECK_ERROR(distribution_subtract(&parts[0], &parts[4], &error), &error, ERROR_DATA, "rows");
	for (int i = 0; i < 5; i++)
		distribution_free(&parts[i], test_memory);
	distribution_free(&others, test_memory);
	distribution_free(&whole, test_memory);
	free(values);
}

/* Few values: all is exact, also after subtraction. */
static void
test_subtract_exact(void)
{
	Distribution whole = distribution_of((double[]) {1, 2, 2, 3, 5, NAN, 5, 9}, 8);
	Distribution part = distribution_of((double[]) {9, 2, NAN}, 3);
	Distribution rest = distribution_of((double[]) {1, 2, 3, 5, 5}, 5);
	Error		error;

	CHECK_OK(distribution_subtract(&whole, &part, &error), &error);

	Buffer		a = flat(&whole);
	Buffer		b = flat(&rest);

	CHECK_SAME(whole.highest, 5);
	CHECK(same_counts(&whole, &rest));
	CHECK_NEAR(whole.moments.m2, rest.moments.m2, 1e-12);
	CHECK(a.size == b.size);
	buffer_free(&a);
	buffer_free(&b);
	distribution_free(&whole, test_memory);
	distribution_free(&part, test_memory);
	distribution_free(&rest, test_memory);
}

/* Texts beyond the limit: frequent ones are named and counted well among many rare ones, in any order of merging. */
static void
test_many_texts(void)
{
	Profile		profiles[3];
	Distribution parts[2];
	Distribution whole;
	Distribution joined;
	Error		error;
	size_t		top[3];
	size_t		length;
	bool		exact;

	for (int i = 0; i < 3; i++)
		CHECK_OK(profile_init(&profiles[i], KIND_CATEGORY, NULL, test_memory, &error), &error);
	for (int i = 0; i < MANY; i++)
	{
		char		text[32];

		snprintf(text, sizeof(text), i % 10 == 0 ? "often" : i % 10 == 1 && i % 3 > 0 ? "less often" : "rare %d", i);

		uint64_t	hash = hash64_bytes(text, strlen(text));

		profile_text(&profiles[0], hash, text, strlen(text));
		profile_text(&profiles[1 + i * 7 % 2], hash, text, strlen(text));
	}
	CHECK_OK(profile_collect(&profiles[0], test_memory, &whole, &error), &error);
	CHECK_OK(profile_collect(&profiles[1], test_memory, &parts[0], &error), &error);
	CHECK_OK(profile_collect(&profiles[2], test_memory, &parts[1], &error), &error);
	joined = merged((const Distribution *[]) {&parts[1], &parts[0]}, 2);
	CHECK(whole.n_cells <= PROFILE_CELLS);
	CHECK(same_counts(&whole, &joined));
	CHECK(distribution_top(&joined, top, 3) >= 2);
	CHECK(strncmp(cell_text(&joined, &joined.cells[top[0]], &length), "often", 5) == 0 && length == 5);
	CHECK(strncmp(cell_text(&joined, &joined.cells[top[1]], &length), "less often", 10) == 0 && length == 10);
	CHECK_NEAR((double) cell_named_count(&joined.cells[top[0]]), 6000, 60);
	CHECK_NEAR((double) cell_named_count(&joined.cells[top[1]]), 4000, 60);
	CHECK_NEAR(distribution_distinct(&joined, &exact), 50002, 3 * .023 * 50002);

	Buffer		bytes = flat(&whole);
	Distribution again;

	CHECK_OK(distribution_open(&again, bytes.data, bytes.size, test_memory, &error), &error);
	CHECK(same_counts(&whole, &again));
	distribution_free(&again, test_memory);
	buffer_free(&bytes);
	for (int i = 0; i < 3; i++)
		profile_free(&profiles[i]);
	distribution_free(&parts[0], test_memory);
	distribution_free(&parts[1], test_memory);
	distribution_free(&whole, test_memory);
	distribution_free(&joined, test_memory);
}

/* Counting into a reference's cells: no cell is narrower, and the distance is what it is otherwise. */
static void
test_reference_cells(void)
{
	double	   *values = normals(MANY, 0);
	double	   *others = normals(5000, MANY);
	Distribution reference = distribution_of(values, MANY);
	Distribution free_cells = distribution_of(others, 3000);
	Profile		profile;
	Distribution frozen;
	CellCounts	a = {0};
	CellCounts	b = {0};
	Error		error;

	CHECK_OK(profile_init(&profile, KIND_NUMBER, &reference, test_memory, &error), &error);
	for (size_t i = 0; i < 3000; i++)
		profile_number(&profile, others[i]);
	CHECK_OK(profile_collect(&profile, test_memory, &frozen, &error), &error);
	CHECK(free_cells.shift == 0);
	CHECK(frozen.shift == reference.shift);
	CHECK_OK(cells_match(&a, &reference, &free_cells, test_memory, &error), &error);
	CHECK_OK(cells_match(&b, &reference, &frozen, test_memory, &error), &error);
	CHECK(memcmp(&a, &b, sizeof(a)) == 0);
	CHECK(a.n >= 10 && a.n <= 12);
	for (uint32_t i = 0; i < a.n; i++)
		CHECK(a.reference[i] == 0 || fabs(a.reference[i] / MANY - .1) < .01);
	profile_free(&profile);
	CHECK_ERROR(profile_init(&profile, KIND_CATEGORY, &reference, test_memory, &error), &error, ERROR_TYPE, "cells");
	distribution_free(&frozen, test_memory);
	distribution_free(&free_cells, test_memory);
	distribution_free(&reference, test_memory);
	free(values);
	free(others);
}

/* A value with much of the mass has a cell of its own: that its share falls from 92 % to 50 % is seen. */
static void
test_point_mass(void)
{
	double		values[1000];
	Distribution r;
	Distribution c;
	CellCounts	counts = {0};
	Error		error;

	for (int i = 0; i < 1000; i++)
		values[i] = i < 920 ? 0 : i;
	r = distribution_of(values, 1000);
	for (int i = 500; i < 1000; i++)
		values[i] = 920 + i % 80;
	c = distribution_of(values, 1000);
	CHECK_OK(cells_match(&counts, &r, &c, test_memory, &error), &error);
	CHECK(distance_psi(&counts, (Smoothing) {.5, 0}) > .5);
	distribution_free(&r, test_memory);
	distribution_free(&c, test_memory);

	/* a constant: below it, it, above it */
	r = distribution_of((double[]) {7, 7, 7}, 3);
	c = distribution_of((double[]) {6.9999, 7, 8}, 3);
	CHECK_OK(cells_match(&counts, &r, &c, test_memory, &error), &error);
	CHECK(counts.n == 3);
	CHECK_NEAR(distance_total_variation(&counts), 2.0 / 3, 1e-12);
	CHECK_SAME(distance_mean_shift(&r, &c), INFINITY);
	CHECK_SAME(distance_mean_shift(&r, &r), 0);
	distribution_free(&c, test_memory);

	/* and with two values, what lies between them; NULL and NaN count, too */
	c = distribution_of((double[]) {7, 7.5, 9, NAN}, 4);
	distribution_free(&r, test_memory);
	r = distribution_of((double[]) {7, 9, 7, 9}, 4);
	CHECK_OK(cells_match(&counts, &r, &c, test_memory, &error), &error);
	CHECK(counts.n == 4);
	CHECK_NEAR(distance_total_variation(&counts), .5, 1e-12);
	distribution_free(&r, test_memory);
	distribution_free(&c, test_memory);
}

static void
test_refusals(void)
{
	Distribution numbers = distribution_of_range(1, 3);
	Distribution texts = distribution_of_texts((const char *[]) {"a", NULL}, (int[]) {1, 2}, 2);
	Distribution none = distribution_of(NULL, 0);
	CellCounts	counts;
	Error		error;

	CHECK(texts.n_null == 2);
	CHECK_ERROR(cells_match(&counts, &numbers, &texts, test_memory, &error), &error, ERROR_TYPE, "category");
	CHECK_ERROR(cells_match(&counts, &numbers, &none, test_memory, &error), &error, ERROR_DATA, "without rows");
	CHECK_ERROR(distribution_subtract(&numbers, &texts, &error), &error, ERROR_TYPE, "category");
	CHECK_SAME(rank_distances_of(&numbers, &none).ks, NAN);
	distribution_free(&numbers, test_memory);
	distribution_free(&texts, test_memory);
	distribution_free(&none, test_memory);
}

/* Whatever byte is changed or cut off: refused, or a distribution that is written as it was read. */
static void
check_hostile(const Buffer *bytes)
{
	for (size_t i = 0; i < bytes->size; i++)
	{
		uint8_t    *copy = malloc(bytes->size);
		Distribution d;
		Error		error;

		CHECK(!distribution_open(&d, bytes->data, i, test_memory, &error) && error.code == ERROR_CORRUPTED);
		memcpy(copy, bytes->data, bytes->size);
		copy[i] ^= (uint8_t) (1 << i % 8);
		if (distribution_open(&d, copy, bytes->size, test_memory, &error))
		{
			Buffer		again = flat(&d);

			CHECK(again.size == bytes->size && memcmp(again.data, copy, again.size) == 0);
			buffer_free(&again);
			distribution_free(&d, test_memory);
		}
		free(copy);
	}
}

static void
test_hostile(void)
{
	double	   *values = normals(6000, 0);
	Distribution examples[] = {
		distribution_of((double[]) {1, 2, 2, NAN, -5, 1e300}, 6),
		distribution_of_texts((const char *[]) {"a", "", "long enough", NULL}, (int[]) {3, 1, 200, 2}, 4),
	};
	Distribution many = distribution_of(values, 6000);

	for (int i = 0; i < 2; i++)
	{
		Buffer		bytes = flat(&examples[i]);

		check_hostile(&bytes);
		buffer_free(&bytes);
		distribution_free(&examples[i], test_memory);
	}

	Buffer		bytes = flat(&many);
	Error		error;
	Distribution d;

	CHECK(!distribution_open(&d, bytes.data, bytes.size - 1, test_memory, &error));
	bytes.data[bytes.size - 1] = 255;
	CHECK_ERROR(distribution_open(&d, bytes.data, bytes.size, test_memory, &error), &error, ERROR_CORRUPTED, "no valid distribution");
	buffer_free(&bytes);
	distribution_free(&many, test_memory);
	free(values);
}

/* Equal numbers have no spread, though their sum is rounded; nothing is an ulp of shift. */
static void
test_constant(void)
{
	const double tenth = 0.1;
	Distribution reference = distribution_of_counts(&tenth, (int[]) {1000}, 1);
	Distribution current = distribution_of_counts(&tenth, (int[]) {7}, 1);

	CHECK_SAME(reference.moments.mean, .1);
	CHECK_SAME(reference.moments.m2, 0);
	CHECK_SAME(moments_deviation(&reference.moments), 0);
	CHECK_SAME(distance_mean_shift(&reference, &current), 0);
	distribution_free(&reference, test_memory);
	distribution_free(&current, test_memory);
}

/* What is left at the end of the negative numbers can be read again: its range ends before 0. */
static void
test_next_to_zero(void)
{
	double	   *values = normals(6000, 0);
	Distribution left;
	Distribution part = distribution_of(values, 6000);
	Distribution tiny = distribution_of((double[]) {-1e-323}, 1);
	Distribution whole = merged((const Distribution *[]) {&part, &tiny}, 2);
	Error		error;

	CHECK_OK(distribution_subtract(&whole, &part, &error), &error);

	Buffer		bytes = flat(&whole);

	CHECK(whole.n == 1 && whole.highest < 0);
	if (CHECK_OK(distribution_open(&left, bytes.data, bytes.size, test_memory, &error), &error))
		distribution_free(&left, test_memory);
	buffer_free(&bytes);
	distribution_free(&whole, test_memory);
	distribution_free(&tiny, test_memory);
	distribution_free(&part, test_memory);
	free(values);
}

/* Names that are replaced again and again take no more memory. */
static void
test_replaced_names(void)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
	Profile		profile;
	Error		error;

	CHECK_OK(profile_init(&profile, KIND_CATEGORY, NULL, test_memory, &error), &error);
	for (uint64_t i = 0; i < 1000000; i++)
		profile_text(&profile, hash64_mix(i + 1), letters, hash64_mix(i) % 50);
	CHECK(!profile.failed && profile.d.n == 1000000);
	CHECK(profile.d.names_size <= (PROFILE_CELLS + 2) * (2 * (sizeof(uint64_t) + 50)) + TEXT_NAME_MAX);
	profile_free(&profile);
}

int
main(void)
{
	test_counts();
	test_constant();
	test_next_to_zero();
	test_replaced_names();
	test_many_numbers();
	test_far_from_zero();
	test_merge();
	test_subtract_exact();
	test_many_texts();
	test_reference_cells();
	test_point_mass();
	test_refusals();
	test_hostile();
	return check_done();
}
