/*
 * performance_classes.c
 *		Performance of many classes, from their confusion; see performance.h.
 *
 * A row is one of its true and one of its predicted class, so what it
 * changes of a mean over the classes are these two.
 */
#include "performance.h"

#include "performance_internal.h"

/* Sums of one class, and what follows from them. */
typedef struct ClassSums
{
	double		correct;
	double		predicted;
	double		support;
	double		precision;
	double		recall;
	double		f1;
} ClassSums;

/* Means over the classes. */
typedef enum ClassMean
{
	ACCURACY,
	BALANCED_ACCURACY,
	MACRO_PRECISION,
	MACRO_RECALL,
	MACRO_F1,
	WEIGHTED_PRECISION,
	WEIGHTED_RECALL,
	WEIGHTED_F1,
	N_MEANS
} ClassMean;

static const char *const names[N_MEANS] = {
	"accuracy", "balanced_accuracy", "macro_precision", "macro_recall", "macro_f1", "weighted_precision", "weighted_recall", "weighted_f1"
};

/* Sums over the cells; false with an error. */
static ClassSums *
sum_classes(uint32_t n_classes, size_t n_cells, const ClassCell *cells, Arena *arena, Error *error)
{
	ClassSums  *classes = arena_zeroed(arena, n_classes, sizeof(ClassSums), error);

	if (classes == NULL)
		return NULL;
	for (size_t i = 0; i < n_cells; i++)
	{
		classes[cells[i].truth].support += cells[i].weight;
		classes[cells[i].predicted].predicted += cells[i].weight;
		if (cells[i].truth == cells[i].predicted)
			classes[cells[i].truth].correct += cells[i].weight;
	}
	for (uint32_t c = 0; c < n_classes; c++)
	{
		classes[c].precision = ratio(classes[c].correct, classes[c].predicted);
		classes[c].recall = ratio(classes[c].correct, classes[c].support);
		classes[c].f1 = ratio(2 * classes[c].correct, classes[c].predicted + classes[c].support);
	}
	return classes;
}

/* How many classes occur: at all, and as a truth. */
static void
count_classes(const ClassSums *classes, uint32_t n_classes, double *occurring, double *true_ones)
{
	*occurring = 0;
	*true_ones = 0;
	for (uint32_t c = 0; c < n_classes; c++)
	{
		*occurring += classes[c].support > 0 || classes[c].predicted > 0;
		*true_ones += classes[c].support > 0;
	}
}

/* The means themselves. */
static void
take_means(double *means, const ClassSums *classes, uint32_t n_classes, double total)
{
	double		occurring;
	double		true_ones;

	count_classes(classes, n_classes, &occurring, &true_ones);
	for (int i = 0; i < N_MEANS; i++)
		means[i] = 0;
	for (uint32_t c = 0; c < n_classes; c++)
	{
		const ClassSums *class = &classes[c];

		means[ACCURACY] += class->correct / total;
		means[BALANCED_ACCURACY] += class->recall / true_ones;
		means[MACRO_PRECISION] += class->precision / occurring;
		means[MACRO_RECALL] += class->recall / occurring;
		means[MACRO_F1] += class->f1 / occurring;
		means[WEIGHTED_PRECISION] += class->support * class->precision / total;
		means[WEIGHTED_RECALL] += class->support * class->recall / total;
		means[WEIGHTED_F1] += class->support * class->f1 / total;
	}
}

/* Derivatives of the means by the weight of a cell's rows, times the total. */
static void
take_influences(double *influence, const double *means, const ClassSums *classes, uint32_t n_classes, const ClassCell *cell, double total)
{
	const ClassSums *truth = &classes[cell->truth];
	const ClassSums *predicted = &classes[cell->predicted];
	double		right = cell->truth == cell->predicted;
	double		by_precision = (right - predicted->precision) / predicted->predicted;
	double		by_recall = (right - truth->recall) / truth->support;
	double		of_truth = (2 * right - truth->f1 * (1 + right)) / (truth->predicted + truth->support);
	double		of_predicted = right ? 0 : -predicted->f1 / (predicted->predicted + predicted->support);
	double		occurring;
	double		true_ones;

	count_classes(classes, n_classes, &occurring, &true_ones);
	influence[ACCURACY] = right - means[ACCURACY];
	influence[BALANCED_ACCURACY] = total * by_recall / true_ones;
	influence[MACRO_PRECISION] = total * by_precision / occurring;
	influence[MACRO_RECALL] = total * by_recall / occurring;
	influence[MACRO_F1] = total * (of_truth + of_predicted) / occurring;
	influence[WEIGHTED_PRECISION] = truth->precision - means[WEIGHTED_PRECISION] + predicted->support * by_precision;
	influence[WEIGHTED_RECALL] = right - means[WEIGHTED_RECALL];
	influence[WEIGHTED_F1] = truth->f1 - means[WEIGHTED_F1] + truth->support * of_truth + predicted->support * of_predicted;
}

bool
performance_classes(Performance *performance, uint32_t n_classes, size_t n_cells, const ClassCell *cells, Arena *arena, Error *error)
{
	ClassSums  *classes = sum_classes(n_classes, n_cells, cells, arena, error);
	double		squares = 0;
	double		means[N_MEANS];
	double		influence[N_MEANS];
	double		influences[N_MEANS] = {0};

	if (classes == NULL)
		return false;
	performance_start(performance, 0, NULL);
	for (size_t i = 0; i < n_cells; i++)
	{
		performance->total += cells[i].weight;
		squares += cells[i].squares;
	}
	performance->effective = ratio(performance->total * performance->total, squares);
	take_means(means, classes, n_classes, performance->total);
	for (size_t i = 0; i < n_cells; i++)
	{
		if (cells[i].weight == 0)
			continue;
		take_influences(influence, means, classes, n_classes, &cells[i], performance->total);
		for (int m = 0; m < N_MEANS; m++)
			influences[m] += cells[i].weight * influence[m] * influence[m];
	}
	for (int m = 0; m < N_MEANS; m++)
		performance_add(performance, names[m], performance->total > 0 ? means[m] : NAN, influences[m]);
	return true;
}
