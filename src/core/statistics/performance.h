/*
 * performance.h
 *		How good predictions were on some rows, and how much that depends on which rows these are.
 *
 * Each metric is a function of sums over the rows, and with each comes the
 * standard deviation of its influence: W dT / dw, the derivative of the
 * metric T by the weight w of a row, times the total weight W.  The standard
 * error of the metric on n rows alike is that deviation / sqrt(n) (the
 * infinitesimal jackknife: Jaeckel 1972; of the area under the ROC curve it
 * is DeLong's, 1988).  So a reference says what to expect of a window of any size.
 *
 * Names and definitions are those of fit/metrics.h, and specificity, the
 * recall of the negatives; but where the rows do not define a metric it is
 * NaN, not 0, and so is its deviation.
 */
#ifndef MLOPS_CORE_PERFORMANCE_H
#define MLOPS_CORE_PERFORMANCE_H

#include <stdint.h>

#include "../arena.h"

#define PERFORMANCE_MAX 16

typedef struct PerformanceMetric
{
	const char *name;
	double		value;
	double		deviation;		/* of the influence of a row */
} PerformanceMetric;

typedef struct Performance
{
	double		total;			/* sum of the weights */
	double		effective;		/* rows of equal weight that say as much: total^2 / sum of squares */
	int			n;
	PerformanceMetric metrics[PERFORMANCE_MAX];
} Performance;

/*
 * Two classes.  The truth of a row is 1 for positive, 0 for negative; what
 * lies between is the probability that it is positive: the row then counts
 * for both, in shares.  So given calibrated probabilities instead of
 * outcomes, the result is what is to be expected of outcomes, their chance
 * included in the deviations.
 */
typedef struct BinaryRows
{
	size_t		n;
	const double *truth;		/* 0 to 1 */
	const double *predicted;	/* 1: positive, 0: negative */
	const double *probability;	/* of being positive, 0 to 1: for log loss, Brier score and calibration; NULL: not these */
	const double *score;		/* what ranks the rows, not NaN */
	const double *weight;		/* >= 0; NULL: all 1 */
} BinaryRows;

/* roc_auc, pr_auc, accuracy, balanced_accuracy, precision, recall, specificity, f1, mcc; log_loss, brier, ece.  ERROR_MEMORY; ERROR_LIMIT. */
extern bool performance_binary(Performance *performance, const BinaryRows *rows, Arena *arena, Error *error);

/* The first two alone: they take sorting. */
extern bool performance_ranking(Performance *performance, const BinaryRows *rows, Arena *arena, Error *error);

/* rmse, mae, r2, mape. */
extern void performance_regression(Performance *performance, size_t n, const double *truth, const double *prediction, const double *weight);

/* Rows of one class that were taken for one class. */
typedef struct ClassCell
{
	uint32_t	truth;
	uint32_t	predicted;
	double		weight;			/* sum over the rows */
	double		squares;		/* sum of the squares */
} ClassCell;

/*
 * Many classes, from their confusion: accuracy, balanced_accuracy, macro_precision,
 * macro_recall, macro_f1, weighted_precision, weighted_recall, weighted_f1.
 * A class that is predicted and never true, or the other way round, counts with 0.  ERROR_MEMORY.
 */
extern bool performance_classes(Performance *performance, uint32_t n_classes, size_t n_cells, const ClassCell *cells, Arena *arena, Error *error);

/* By name; NULL where it is not among them. */
extern const PerformanceMetric *performance_find(const Performance *performance, const char *name);

#endif
