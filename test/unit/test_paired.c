/*
 * test_paired.c
 *		Differences between two models on the same rows, against their definitions.
 */
#include "check.h"
#include "core/fit/paired.h"

typedef struct PairedCase
{
	Task		task;
	size_t		n;
	uint32_t	n_outputs;
	const double *truth;
	const double *first;
	const double *second;
	const double *weight;
	double		difference;
	double		standard_error;
} PairedCase;

#include "fixtures/paired.h"

static Paired
compare(const PairedCase *rows, size_t n, const double *second)
{
	Paired		paired = {0};
	Arena		arena;
	Error		error;

	arena_init(&arena);
	CHECK_OK(paired_compare(&paired, rows->task, n, rows->truth, rows->first, second, rows->n_outputs, rows->weight, &arena, &error), &error);
	arena_free(&arena);
	return paired;
}

int
main(void)
{
	for (size_t c = 0; c < sizeof(paired_cases) / sizeof(paired_cases[0]); c++)
	{
		const PairedCase *rows = &paired_cases[c];
		Paired		paired = compare(rows, rows->n, rows->second);

		CHECK_NEAR(paired.difference, rows->difference, 1e-12);
		CHECK_NEAR(paired.standard_error, rows->standard_error, 1e-12);

		/* the same model twice differs by nothing, and that is sure */
		paired = compare(rows, rows->n, rows->first);
		CHECK_SAME(paired.difference, 0);
		CHECK_SAME(paired.standard_error, 0);

		/* what few rows do not define */
		CHECK(isnan(compare(rows, 0, rows->second).difference));
		CHECK(isnan(compare(rows, 1, rows->second).standard_error));
	}
	return check_done();
}
