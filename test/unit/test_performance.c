/*
 * test_performance.c
 *		Performance with its errors: against the metrics of training, against derivatives taken numerically, and vectors.
 */
#include "check.h"
#include "core/fit/metrics.h"
#include "core/hash.h"
#include "core/statistics/performance.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define ROWS 60
#define CLASSES 3

/* A number from 0 to 1. */
static double
uniform(uint64_t seed)
{
	return (double) (hash64_mix(seed) >> 11) * 0x1p-53;
}

static double truth[ROWS];
static double predicted[ROWS];
static double probability[ROWS];
static double outputs[2 * ROWS];
static double weight[ROWS];

/* Rows with ties; the second class is positive. */
static void
make_rows(void)
{
	for (int i = 0; i < ROWS; i++)
	{
		probability[i] = floor(20 * uniform(3 * (uint64_t) i)) / 20 + .01;
		truth[i] = uniform(3 * (uint64_t) i + 1) < probability[i];
		predicted[i] = probability[i] > .5;
		outputs[2 * i] = 1 - probability[i];
		outputs[2 * i + 1] = probability[i];
		weight[i] = .5 + uniform(3 * (uint64_t) i + 2);
	}
}

static Performance
measure_binary(const double *truths, const double *weights)
{
	BinaryRows	rows = {ROWS, truths, predicted, probability, probability, weights};
	Performance performance = {0};
	Arena		arena;
	Error		error;

	arena_init(&arena);
	CHECK_OK(performance_binary(&performance, &rows, &arena, &error), &error);
	arena_free(&arena);
	return performance;
}

static Performance
measure_regression(const double *truths, const double *weights)
{
	Performance performance;

	performance_regression(&performance, ROWS, truths, probability, weights);
	return performance;
}

/* Classes of a row: from the truth, and from what was predicted of another row. */
static Performance
measure_classes(const double *truths, const double *weights)
{
	ClassCell	cells[ROWS];
	Performance performance = {0};
	Arena		arena;
	Error		error;

	for (int i = 0; i < ROWS; i++)
	{
		uint32_t	class = (uint32_t) truths[i] + (probability[i] > .7);
		uint32_t	guess = (uint32_t) predicted[i] + (probability[i] > .8 && i % 4 > 0);

		cells[i] = (ClassCell) {class, guess, weights[i], weights[i] * weights[i]};
	}
	arena_init(&arena);
	CHECK_OK(performance_classes(&performance, CLASSES, ROWS, cells, &arena, &error), &error);
	arena_free(&arena);
	return performance;
}

/* The deviations are those of the derivatives by the weights, and these sum to 0. */
static void
derivatives(Performance (*measure) (const double *, const double *), const double *truths)
{
	const double step = 1e-5;
	Performance at = measure(truths, weight);
	double		squares[PERFORMANCE_MAX] = {0};

	CHECK(at.n > 3);
	for (int i = 0; i < ROWS; i++)
	{
		double		changed[ROWS];

		memcpy(changed, weight, sizeof(changed));
		changed[i] = weight[i] + step;

		Performance above = measure(truths, changed);

		changed[i] = weight[i] - step;

		Performance below = measure(truths, changed);

		for (int m = 0; m < at.n; m++)
		{
			double		influence = at.total * (above.metrics[m].value - below.metrics[m].value) / (2 * step);

			squares[m] += weight[i] * influence * influence;
		}
	}
	for (int m = 0; m < at.n; m++)
	{
		double		deviation = sqrt(squares[m] / at.total);

		CHECK(at.metrics[m].deviation > 0);
		if (!CHECK_NEAR(at.metrics[m].deviation, deviation, 1e-6 * deviation))
			printf("\t%s\n", at.metrics[m].name);
	}
}

/* Metrics that training has, too, are the same. */
static void
against_metrics(Task task, const double *truths, const double *predictions, uint32_t n_outputs, const Performance *performance, int expected)
{
	Metrics		metrics;
	Arena		arena;
	Error		error;
	int			found = 0;

	arena_init(&arena);
	CHECK_OK(metrics_compute(&metrics, task, ROWS, truths, predictions, n_outputs, weight, &arena, &error), &error);
	for (int i = 0; i < metrics.n; i++)
	{
		const PerformanceMetric *metric = performance_find(performance, metrics.names[i]);

		if (metric == NULL)
			continue;
		found++;
		if (!CHECK_NEAR(metric->value, metrics.values[i], 1e-12))
			printf("\t%s\n", metric->name);
	}
	CHECK(found == expected);
	arena_free(&arena);
}

/* The classes that measure_classes() makes, as training sees them. */
static void
against_class_metrics(void)
{
	double		classes[ROWS];
	double		scores[CLASSES * ROWS] = {0};
	Performance performance = measure_classes(truth, weight);

	for (int i = 0; i < ROWS; i++)
	{
		classes[i] = truth[i] + (probability[i] > .7);
		scores[CLASSES * i + (int) predicted[i] + (probability[i] > .8 && i % 4 > 0)] = 1;
	}
	against_metrics(TASK_MULTICLASS, classes, scores, CLASSES, &performance, 8);
}

/* Estimated from probabilities: a published vector, and rows split into their outcomes. */
static void
expected_performance(void)
{
	static const double c[] = {.9, .8, .7, .6, .4, .3, .2, .1};
	static const double called[] = {1, 1, 1, 1, 0, 0, 0, 0};
	static const char *const quarters[] = {"accuracy", "precision", "recall", "f1", "specificity"};
	BinaryRows	rows = {N(c), c, called, NULL, c, NULL};
	double		both_truth[2 * N(c)];
	double		both_called[2 * N(c)];
	double		both_score[2 * N(c)];
	double		both_weight[2 * N(c)];
	BinaryRows	both = {2 * N(c), both_truth, both_called, both_score, both_score, both_weight};
	Performance performance;
	Performance split;
	Arena		arena;
	Error		error;

	arena_init(&arena);
	CHECK_OK(performance_binary(&performance, &rows, &arena, &error), &error);
	for (size_t i = 0; i < N(quarters); i++)
		CHECK_NEAR(performance_find(&performance, quarters[i])->value, .75, 1e-12);
	CHECK_NEAR(performance_find(&performance, "roc_auc")->value, .8125, 1e-12);
	CHECK(performance_find(&performance, "brier") == NULL);
	CHECK_SAME(performance.effective, N(c));

	for (size_t i = 0; i < N(c); i++)
	{
		for (size_t side = 0; side < 2; side++)
		{
			both_truth[2 * i + side] = (double) side;
			both_called[2 * i + side] = called[i];
			both_score[2 * i + side] = c[i];
			both_weight[2 * i + side] = side ? c[i] : 1 - c[i];
		}
	}
	rows.probability = c;
	CHECK_OK(performance_binary(&performance, &rows, &arena, &error), &error);
	CHECK_OK(performance_binary(&split, &both, &arena, &error), &error);
	CHECK(performance.n == split.n && split.n == 12);
	for (int m = 0; m < split.n; m++)
	{
		CHECK_NEAR(performance.metrics[m].value, split.metrics[m].value, 1e-12);
		CHECK_NEAR(performance.metrics[m].deviation, split.metrics[m].deviation, 1e-12);
	}
	CHECK_NEAR(performance_find(&performance, "ece")->value, 0, 1e-12);
	arena_free(&arena);
}

/* Means have the standard errors that everybody knows. */
static void
known_errors(void)
{
	Performance performance = measure_binary(truth, NULL);
	const PerformanceMetric *accuracy = performance_find(&performance, "accuracy");
	const PerformanceMetric *recall = performance_find(&performance, "recall");
	double		positives = 0;

	for (int i = 0; i < ROWS; i++)
		positives += truth[i];
	CHECK_NEAR(accuracy->deviation, sqrt(accuracy->value * (1 - accuracy->value)), 1e-12);
	CHECK_NEAR(recall->deviation / sqrt(ROWS), sqrt(recall->value * (1 - recall->value) / positives), 1e-12);
	CHECK_SAME(performance.total, ROWS);
	CHECK_SAME(performance.effective, ROWS);
}

/* What some rows do not define is NaN, with its error. */
static void
not_defined(void)
{
	static const double ones[ROWS] = {[0 ... ROWS - 1] = 1};
	Performance performance = measure_binary(ones, NULL);
	BinaryRows	none = {0};
	Arena		arena;
	Error		error;

	CHECK(isnan(performance_find(&performance, "roc_auc")->value) && isnan(performance_find(&performance, "roc_auc")->deviation));
	CHECK(isnan(performance_find(&performance, "specificity")->value));
	CHECK(isnan(performance_find(&performance, "balanced_accuracy")->value));
	CHECK(isnan(performance_find(&performance, "mcc")->value));
	CHECK_SAME(performance_find(&performance, "precision")->value, 1);
	CHECK_SAME(performance_find(&performance, "precision")->deviation, 0);
	performance = measure_regression(ones, NULL);
	CHECK(isnan(performance_find(&performance, "r2")->value));
	CHECK(performance_find(&performance, "rmse")->value > 0);

	arena_init(&arena);
	CHECK_OK(performance_binary(&performance, &none, &arena, &error), &error);
	for (int m = 0; m < performance.n; m++)
		CHECK(isnan(performance.metrics[m].value) && isnan(performance.metrics[m].deviation));
	performance_regression(&performance, 0, NULL, NULL, NULL);
	for (int m = 0; m < performance.n; m++)
		CHECK(isnan(performance.metrics[m].value) && isnan(performance.metrics[m].deviation));
	CHECK_OK(performance_classes(&performance, CLASSES, 0, NULL, &arena, &error), &error);
	for (int m = 0; m < performance.n; m++)
		CHECK(isnan(performance.metrics[m].value) && isnan(performance.metrics[m].deviation));
	arena_free(&arena);
}

int
main(void)
{
	make_rows();

	Performance binary = measure_binary(truth, weight);
	Performance regression = measure_regression(outputs, weight);

	against_metrics(TASK_BINARY, truth, outputs, 2, &binary, 11);
	against_metrics(TASK_REGRESSION, outputs, probability, 1, &regression, 4);
	against_class_metrics();
	derivatives(measure_binary, truth);
	derivatives(measure_regression, outputs);
	derivatives(measure_classes, truth);
	expected_performance();
	known_errors();
	not_defined();
	return check_done();
}
