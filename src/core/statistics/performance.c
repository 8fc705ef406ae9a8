/*
 * performance.c
 *		Performance of two classes and of regressions; see performance.h.
 *
 * Metrics of two classes that do not rank are functions of four cells, so the
 * influence of a row is that of its cell.
 */
#include "performance.h"

#include <float.h>
#include <string.h>

#include "performance_internal.h"

#define ECE_BINS 10

/* The cells of predicted and true classes. */
typedef enum Cell
{
	TRUE_POSITIVE,
	FALSE_POSITIVE,
	FALSE_NEGATIVE,
	TRUE_NEGATIVE,
	N_CELLS
} Cell;

void
performance_add(Performance *performance, const char *name, double value, double squares)
{
	double		deviation = isnan(value) ? NAN : sqrt(squares / performance->total);

	performance->metrics[performance->n++] = (PerformanceMetric) {name, value, deviation};
}

void
performance_start(Performance *performance, size_t n, const double *weight)
{
	Sum			total = {0};
	Sum			squares = {0};

	for (size_t row = 0; row < n; row++)
	{
		sum_add(&total, weight_of(weight, row));
		sum_add(&squares, weight_of(weight, row) * weight_of(weight, row));
	}
	memset(performance, 0, sizeof(*performance));
	performance->total = sum_value(total);
	performance->effective = ratio(performance->total * performance->total, sum_value(squares));
}

const PerformanceMetric *
performance_find(const Performance *performance, const char *name)
{
	for (int i = 0; i < performance->n; i++)
	{
		if (strcmp(performance->metrics[i].name, name) == 0)
			return &performance->metrics[i];
	}
	return NULL;
}

/* ---- Functions of the four cells ---- */

/* Adds a metric whose influence in each cell is known. */
static void
add_cells(Performance *performance, const char *name, double value, const double *cells, const double *influence)
{
	double		squares = 0;

	for (int c = 0; c < N_CELLS; c++)
	{
		if (cells[c] > 0)
			squares += cells[c] * influence[c] * influence[c];
	}
	performance_add(performance, name, value, squares);
}

/*
 * Adds a quotient of sums over cells: (sum of above * cell) / (sum of below *
 * cell).  Its influence is total (above - value * below) / denominator.
 */
static double
add_quotient(Performance *performance, const char *name, const double *cells, const double *above, const double *below, double *influence)
{
	double		numerator = 0;
	double		denominator = 0;

	for (int c = 0; c < N_CELLS; c++)
	{
		numerator += above[c] * cells[c];
		denominator += below[c] * cells[c];
	}

	double		value = share(numerator, denominator);

	for (int c = 0; c < N_CELLS; c++)
		influence[c] = performance->total * (above[c] - value * below[c]) / denominator;
	add_cells(performance, name, value, cells, influence);
	return value;
}

/* Matthews' correlation coefficient; NaN where only one class is true or predicted. */
static void
add_matthews(Performance *performance, const double *cells)
{
	double		truths = cells[TRUE_POSITIVE] + cells[FALSE_NEGATIVE];
	double		falses = cells[FALSE_POSITIVE] + cells[TRUE_NEGATIVE];
	double		positives = cells[TRUE_POSITIVE] + cells[FALSE_POSITIVE];
	double		negatives = cells[FALSE_NEGATIVE] + cells[TRUE_NEGATIVE];
	double		spread = sqrt(truths) * sqrt(falses) * sqrt(positives) * sqrt(negatives);
	double		covariance = cells[TRUE_POSITIVE] * cells[TRUE_NEGATIVE] - cells[FALSE_POSITIVE] * cells[FALSE_NEGATIVE];
	double		value = share(covariance, spread);

	/* derivatives of the covariance, and of the logarithm of the spread */
	const double covariances[N_CELLS] = {cells[TRUE_NEGATIVE], -cells[FALSE_NEGATIVE], -cells[FALSE_POSITIVE], cells[TRUE_POSITIVE]};
	const double spreads[N_CELLS] = {1 / truths + 1 / positives, 1 / falses + 1 / positives, 1 / truths + 1 / negatives, 1 / falses + 1 / negatives};
	double		influence[N_CELLS];

	for (int c = 0; c < N_CELLS; c++)
		influence[c] = performance->total * (covariances[c] / spread - value * spreads[c] / 2);
	add_cells(performance, "mcc", value, cells, influence);
}

/* All metrics of the four cells. */
static void
add_confusion(Performance *performance, const BinaryRows *rows)
{
	static const double all[N_CELLS] = {1, 1, 1, 1};
	static const double right[N_CELLS] = {[TRUE_POSITIVE] = 1,[TRUE_NEGATIVE] = 1};
	static const double true_positive[N_CELLS] = {[TRUE_POSITIVE] = 1};
	static const double true_negative[N_CELLS] = {[TRUE_NEGATIVE] = 1};
	static const double called_positive[N_CELLS] = {[TRUE_POSITIVE] = 1,[FALSE_POSITIVE] = 1};
	static const double positive[N_CELLS] = {[TRUE_POSITIVE] = 1,[FALSE_NEGATIVE] = 1};
	static const double negative[N_CELLS] = {[TRUE_NEGATIVE] = 1,[FALSE_POSITIVE] = 1};
	static const double either[N_CELLS] = {[TRUE_POSITIVE] = 1,[FALSE_POSITIVE] = .5,[FALSE_NEGATIVE] = .5};
	double		cells[N_CELLS];
	double		unused[N_CELLS];
	double		of_positives[N_CELLS];
	double		of_negatives[N_CELLS];
	Sum			sums[N_CELLS] = {0};

	for (size_t row = 0; row < rows->n; row++)
	{
		double		weight = weight_of(rows->weight, row);
		bool		called = rows->predicted[row] != 0;

		sum_add(&sums[called ? TRUE_POSITIVE : FALSE_NEGATIVE], weight * rows->truth[row]);
		sum_add(&sums[called ? FALSE_POSITIVE : TRUE_NEGATIVE], weight * (1 - rows->truth[row]));
	}
	for (int c = 0; c < N_CELLS; c++)
		cells[c] = sum_value(sums[c]);

	add_quotient(performance, "accuracy", cells, right, all, unused);
	add_quotient(performance, "precision", cells, true_positive, called_positive, unused);

	double		recall = add_quotient(performance, "recall", cells, true_positive, positive, of_positives);
	double		specificity = add_quotient(performance, "specificity", cells, true_negative, negative, of_negatives);
	double		balanced[N_CELLS];

	for (int c = 0; c < N_CELLS; c++)
		balanced[c] = (of_positives[c] + of_negatives[c]) / 2;
	add_cells(performance, "balanced_accuracy", (recall + specificity) / 2, cells, balanced);
	add_quotient(performance, "f1", cells, true_positive, either, unused);
	add_matthews(performance, cells);
}

/* ---- Means ---- */

/* A mean, and the squares about it, while its values come. */
typedef struct Mean
{
	double		weight;
	double		mean;
	double		squares;
} Mean;

/* West 1979. */
static void
mean_add(Mean *mean, double value, double weight)
{
	if (weight == 0)
		return;

	double		apart = value - mean->mean;

	mean->weight += weight;
	mean->mean += apart * (weight / mean->weight);
	mean->squares += weight * apart * (value - mean->mean);
}

static double
mean_value(const Mean *mean)
{
	return mean->weight > 0 ? mean->mean : NAN;
}

/* What a probability costs where the row is positive, and where it is not: 0 and 1 are taken as the nearest that can be told from them. */
static void
log_losses(double p, double *positive, double *negative)
{
	p = p < DBL_EPSILON ? DBL_EPSILON : p > 1 - DBL_EPSILON ? 1 - DBL_EPSILON : p;
	*positive = -log(p);
	*negative = -log(1 - p);
}

/* The bin of a probability: bin k holds those from k/10 to below (k+1)/10. */
static int
bin_of(double p)
{
	return p > 0 ? (int) fmin(p * ECE_BINS, ECE_BINS - 1) : 0;
}

/* The expected calibration error: its influence takes the sign of each bin's gap. */
static void
add_calibration_error(Performance *performance, const BinaryRows *rows)
{
	Sum			gaps[ECE_BINS] = {0};
	double		error = 0;
	Mean		mean = {0};

	for (size_t row = 0; row < rows->n; row++)
		sum_add(&gaps[bin_of(rows->probability[row])], weight_of(rows->weight, row) * (rows->truth[row] - rows->probability[row]));
	for (int bin = 0; bin < ECE_BINS; bin++)
		error += fabs(sum_value(gaps[bin]));
	for (size_t row = 0; row < rows->n; row++)
	{
		double		weight = weight_of(rows->weight, row);
		double		p = rows->probability[row];
		double		sign = sum_value(gaps[bin_of(p)]) < 0 ? -1 : 1;

		mean_add(&mean, sign * (1 - p), weight * rows->truth[row]);
		mean_add(&mean, sign * -p, weight * (1 - rows->truth[row]));
	}
	performance_add(performance, "ece", share(error, performance->total), mean.squares);
}

/* What probabilities cost. */
static void
add_probabilities(Performance *performance, const BinaryRows *rows)
{
	Mean		log_loss = {0};
	Mean		brier = {0};

	for (size_t row = 0; row < rows->n; row++)
	{
		double		weight = weight_of(rows->weight, row);
		double		truth = rows->truth[row];
		double		p = rows->probability[row];
		double		positive;
		double		negative;

		log_losses(p, &positive, &negative);
		mean_add(&log_loss, positive, weight * truth);
		mean_add(&log_loss, negative, weight * (1 - truth));
		mean_add(&brier, (1 - p) * (1 - p), weight * truth);
		mean_add(&brier, p * p, weight * (1 - truth));
	}
	performance_add(performance, "log_loss", mean_value(&log_loss), log_loss.squares);
	performance_add(performance, "brier", mean_value(&brier), brier.squares);
	add_calibration_error(performance, rows);
}

bool
performance_binary(Performance *performance, const BinaryRows *rows, Arena *arena, Error *error)
{
	if (!performance_ranking(performance, rows, arena, error))
		return false;
	add_confusion(performance, rows);
	if (rows->probability != NULL)
		add_probabilities(performance, rows);
	return true;
}

void
performance_regression(Performance *performance, size_t n, const double *truth, const double *prediction, const double *weight)
{
	Mean		squares = {0};
	Mean		absolutes = {0};
	Mean		relatives = {0};
	Mean		truths = {0};

	performance_start(performance, n, weight);
	for (size_t row = 0; row < n; row++)
	{
		double		apart = fabs(truth[row] - prediction[row]);

		mean_add(&squares, apart * apart, weight_of(weight, row));
		mean_add(&absolutes, apart, weight_of(weight, row));
		mean_add(&relatives, apart / fmax(fabs(truth[row]), DBL_EPSILON), weight_of(weight, row));
		mean_add(&truths, truth[row], weight_of(weight, row));
	}

	double		error = mean_value(&squares);
	double		variance = truths.squares / performance->total;
	double		rmse = sqrt(error);
	Sum			unexplained = {0};

	/* r2 is 1 - error / variance */
	for (size_t row = 0; row < n; row++)
	{
		double		apart = truth[row] - prediction[row];
		double		about = truth[row] - truths.mean;
		double		influence = (apart * apart - error * about * about / variance) / variance;

		sum_add(&unexplained, weight_of(weight, row) * influence * influence);
	}
	performance_add(performance, "rmse", rmse, rmse > 0 ? squares.squares / (4 * error) : 0);
	performance_add(performance, "mae", mean_value(&absolutes), absolutes.squares);
	performance_add(performance, "r2", variance > 0 ? 1 - error / variance : NAN, sum_value(unexplained));
	performance_add(performance, "mape", mean_value(&relatives), relatives.squares);
}
