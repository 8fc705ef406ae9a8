/*
 * performance_rank.c
 *		Metrics of the order that scores put rows into; see performance.h.
 *
 * Rows are gone through from the highest score to the lowest; those of equal
 * score are one step.  What lies above a step is known when it is reached;
 * what lies below it, once the last has been: so steps are kept, and gone
 * through back for the influences.
 */
#include "performance.h"

#include "performance_internal.h"
#include "../sort.h"

/* Rows of equal score. */
typedef struct Step
{
	double		positives;		/* weight of its positives */
	double		negatives;
	double		above;			/* weight of the positives of higher scores */
	double		others;			/* and of the negatives of these */
} Step;

/* The steps of the rows, highest score first; NULL with an error. */
static Step *
make_steps(const BinaryRows *rows, size_t *n_steps, Arena *arena, Error *error)
{
	if (rows->n > UINT32_MAX)
	{
		error_set(error, ERROR_LIMIT, "%zu rows are too many to rank", rows->n);
		return NULL;
	}

	SortItem   *items = arena_alloc(arena, rows->n, sizeof(SortItem), error);
	SortItem   *spare = arena_alloc(arena, rows->n, sizeof(SortItem), error);
	Step	   *steps = arena_alloc(arena, rows->n, sizeof(Step), error);
	Sum			positives = {0};
	Sum			negatives = {0};

	if (items == NULL || spare == NULL || steps == NULL)
		return NULL;
	for (size_t row = 0; row < rows->n; row++)
		items[row] = (SortItem) {~sort_number_key(rows->score[row]), (uint32_t) row, 0};
	sort_items(items, spare, rows->n);
	*n_steps = 0;
	for (size_t i = 0; i < rows->n;)
	{
		uint64_t	key = items[i].key;
		Sum			step_positives = {0};
		Sum			step_negatives = {0};

		for (; i < rows->n && items[i].key == key; i++)
		{
			double		weight = weight_of(rows->weight, items[i].index);
			double		truth = rows->truth[items[i].index];

			sum_add(&step_positives, weight * truth);
			sum_add(&step_negatives, weight * (1 - truth));
		}
		steps[(*n_steps)++] = (Step) {sum_value(step_positives), sum_value(step_negatives), sum_value(positives), sum_value(negatives)};
		sum_add(&positives, sum_value(step_positives));
		sum_add(&negatives, sum_value(step_negatives));
	}
	return steps;
}

/*
 * Area under the ROC curve by trapezoids: a tie counts one half.  The
 * influence of a positive is what it beats of the negatives, less the area,
 * by the share of positives; that of a negative likewise.
 */
static void
add_roc_auc(Performance *performance, const Step *steps, size_t n, double positives, double negatives)
{
	Sum			area = {0};
	Sum			squares = {0};

	for (size_t i = 0; i < n; i++)
		sum_add(&area, steps[i].negatives * (steps[i].above + steps[i].positives / 2));

	double		auc = positives > 0 && negatives > 0 ? sum_value(area) / (positives * negatives) : NAN;

	for (size_t i = 0; i < n; i++)
	{
		double		beaten = 1 - (steps[i].others + steps[i].negatives / 2) / negatives;
		double		beating = (steps[i].above + steps[i].positives / 2) / positives;
		double		of_positive = performance->total / positives * (beaten - auc);
		double		of_negative = performance->total / negatives * (beating - auc);

		sum_add(&squares, steps[i].positives * of_positive * of_positive);
		sum_add(&squares, steps[i].negatives * of_negative * of_negative);
	}
	performance_add(performance, "roc_auc", auc, sum_value(squares));
}

/*
 * Average precision: the mean over the positives of the precision at their
 * step.  A row changes the precision of its own step and of all below; with
 * a(k) the positives of step k, p(k) its precision and n(k) all rows down to
 * it, the numerator's derivative by a row of step j is
 * truth p(j) + sum over k >= j of a(k) (truth - p(k)) / n(k).
 */
static void
add_average_precision(Performance *performance, const Step *steps, size_t n, double positives)
{
	Sum			precisions = {0};
	Sum			gains = {0};	/* sum of a(k) / n(k) from the lowest step up */
	Sum			losses = {0};	/* sum of a(k) p(k) / n(k) */
	Sum			squares = {0};

	for (size_t i = 0; i < n; i++)
	{
		double		hits = steps[i].above + steps[i].positives;

		sum_add(&precisions, steps[i].positives * ratio(hits, hits + steps[i].others + steps[i].negatives));
	}

	double		average = share(sum_value(precisions), positives);

	for (size_t i = n; i-- > 0;)
	{
		double		hits = steps[i].above + steps[i].positives;
		double		rows = hits + steps[i].others + steps[i].negatives;
		double		precision = ratio(hits, rows);

		sum_add(&gains, ratio(steps[i].positives, rows));
		sum_add(&losses, ratio(steps[i].positives, rows) * precision);

		double		of_positive = performance->total / positives * (precision + sum_value(gains) - sum_value(losses) - average);
		double		of_negative = performance->total / positives * -sum_value(losses);

		sum_add(&squares, steps[i].positives * of_positive * of_positive);
		sum_add(&squares, steps[i].negatives * of_negative * of_negative);
	}
	performance_add(performance, "pr_auc", average, sum_value(squares));
}

bool
performance_ranking(Performance *performance, const BinaryRows *rows, Arena *arena, Error *error)
{
	size_t		n;
	Step	   *steps = make_steps(rows, &n, arena, error);

	if (steps == NULL)
		return false;

	double		positives = n == 0 ? 0 : steps[n - 1].above + steps[n - 1].positives;
	double		negatives = n == 0 ? 0 : steps[n - 1].others + steps[n - 1].negatives;

	performance_start(performance, rows->n, rows->weight);
	add_roc_auc(performance, steps, n, positives, negatives);
	add_average_precision(performance, steps, n, positives);
	return true;
}
