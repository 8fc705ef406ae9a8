/*
 * check.h
 *		What a unit test is made of.
 *
 * A test is a program: it checks, and ends with "return check_done()".  A
 * check that fails says where and what, and the test goes on.
 */
#ifndef MLOPS_TEST_CHECK_H
#define MLOPS_TEST_CHECK_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

static int	check_passed;
static int	check_failed;
static int	check_skipped;

/* Counts one check; false where it failed. */
static inline bool
check_count(bool passed, const char *file, int line, const char *what)
{
	if (passed)
		check_passed++;
	else
	{
		check_failed++;
		printf("%s:%d: failed: %s\n", file, line, what);
	}
	return passed;
}

static inline bool
check_number(double a, double b, double tolerance, const char *file, int line, const char *what)
{
	bool		same = a == b || (a != a && b != b) || fabs(a - b) <= tolerance;

	if (!check_count(same, file, line, what))
		printf("\t%.17g against %.17g, tolerance %g\n", a, b, tolerance);
	return same;
}

static inline bool
check_text(const char *a, const char *b, const char *file, int line, const char *what)
{
	bool		same = strcmp(a, b) == 0;

	if (!check_count(same, file, line, what))
		printf("\t\"%s\" against \"%s\"\n", a, b);
	return same;
}

/* A call that succeeds; what it reports where not. */
static inline bool
check_success(bool result, const Error *error, const char *file, int line, const char *what)
{
	if (!check_count(result, file, line, what))
		printf("\terror %d: %s %s\n", (int) error->code, error->message, error->detail);
	return result;
}

/* A call that fails with this code and these words in its message, detail or hint. */
static inline bool
check_error(bool result, const Error *error, ErrorCode code, const char *words, const char *file, int line, const char *what)
{
	bool		right = !result && error->code == code &&
		(strstr(error->message, words) != NULL || strstr(error->detail, words) != NULL || strstr(error->hint, words) != NULL);

	if (!check_count(right, file, line, what))
		printf("\terror %d: %s | %s | %s\n", (int) error->code, error->message, error->detail, error->hint);
	return right;
}

#define CHECK(condition) check_count((condition), __FILE__, __LINE__, #condition)
#define CHECK_NEAR(a, b, tolerance) check_number((a), (b), (tolerance), __FILE__, __LINE__, #a " ~ " #b)
#define CHECK_SAME(a, b) check_number((a), (b), 0, __FILE__, __LINE__, #a " == " #b)
#define CHECK_TEXT(a, b) check_text((a), (b), __FILE__, __LINE__, #a " == " #b)
#define CHECK_OK(call, error) check_success((call), (error), __FILE__, __LINE__, #call)
#define CHECK_ERROR(call, error, code, words) check_error((call), (error), (code), (words), __FILE__, __LINE__, #call)

/* Says aloud what is not tested here, and why. */
#define CHECK_SKIP(reason) \
	(check_skipped++, printf("%s:%d: SKIP: %s\n", __FILE__, __LINE__, (reason)))

#define CHECK_FAILED 3			/* exit status of a test that ran to its end and failed; a sanitizer's is another */

/* The last line of a test, and its exit status. */
static inline int
check_summary(const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *name = slash == NULL ? file : slash + 1;

	printf("%.*s: %d passed, %d failed, %d skipped\n", (int) strcspn(name, "."), name, check_passed, check_failed, check_skipped);
	return check_failed > 0 ? CHECK_FAILED : 0;
}

#define check_done() check_summary(__FILE__)

#endif
