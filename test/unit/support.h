/*
 * support.h
 *		Small models that tests and fuzzers share.
 */
#ifndef MLOPS_TEST_SUPPORT_H
#define MLOPS_TEST_SUPPORT_H

#include "core/buffer.h"
#include "core/model/model.h"

typedef bool (*ExampleModel) (Buffer *out, Error *error);

/*
 * Columns x (float8), age (float4, filled with 40), job (admin < clerk <
 * retired, native).  Two trees: x <= 0.5 ? (job in {admin, retired} ? 1 : 2) : 3,
 * missing x left, missing job right; and age <= 30.5 ? 0.25 : -0.25, missing
 * left.  Base score 10, identity.
 */
extern bool example_regression_trees(Buffer *out, Error *error);

/* The same columns; classes no < yes; base score 0, the leaves as above less 2. */
extern bool example_binary_trees(Buffer *out, Error *error);

/* One column x; classes 1, 2, 10; two rounds of three trees; numeric labels. */
extern bool example_multiclass_trees(Buffer *out, Error *error);

/* One column x; no < yes; the mean of x <= 1.5 ? 0.25 : 1 and 0.5. */
extern bool example_binary_forest(Buffer *out, Error *error);

/*
 * One column x; classes 1, 2, 10; nine trees t = 0 .. 8: class 10 where x > t,
 * a quarter 1 and the rest 2 where x <= t - 1, half 2 and half 10 between.
 */
extern bool example_multiclass_forest(Buffer *out, Error *error);

/*
 * Columns x (mean 2, deviation 4, filled with 3, indicator) and job (admin <
 * clerk < retired, one-hot, filled with clerk): y = 1 + 2 x' + 0.5 [x missing]
 * + 10 admin + 20 clerk + 30 retired.  Half of the training rows were admins, three
 * eighths clerks, an eighth retired; an eighth had no x.
 */
extern bool example_linear(Buffer *out, Error *error);

/* One column x that must not be missing; multinomial with three text classes. */
extern bool example_softmax(Buffer *out, Error *error);

/* No columns; frequencies .25 and .75 of false and true. */
extern bool example_baseline(Buffer *out, Error *error);

/* All of them; NULL at the end. */
extern const ExampleModel example_models[];

/* Puts the right checksum into the bytes of a model, where they are long enough for a header. */
extern void repair_checksum(void *bytes, size_t size);

#endif
