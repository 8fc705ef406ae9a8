/*
 * test_metrics.c
 *		Metrics against scikit-learn's, and where they are not defined.
 */
#include "check.h"
#include "core/fit/metrics.h"
#include "core/model/metric_names.h"

typedef struct ExpectedMetric
{
	const char *name;
	double		value;
} ExpectedMetric;

typedef struct MetricsCase
{
	const char *name;
	Task		task;
	size_t		n;
	uint32_t	n_outputs;
	const double *truth;
	const double *outputs;
	const double *weight;
	const ExpectedMetric *expected;
	int			n_expected;
} MetricsCase;

#include "fixtures/metrics.h"

#define N_CASES (sizeof(metrics_cases) / sizeof(metrics_cases[0]))

/* Every case of the fixture: the same metrics, to 1e-12 of their size. */
static void
against_sklearn(void)
{
	for (size_t c = 0; c < N_CASES; c++)
	{
		const MetricsCase *expected = &metrics_cases[c];
		Metrics		metrics;
		Arena		arena;
		Error		error;

		arena_init(&arena);
		if (CHECK_OK(metrics_compute(&metrics, expected->task, expected->n, expected->truth, expected->outputs,
									 expected->n_outputs, expected->weight, &arena, &error), &error))
		{
			CHECK(metrics.n == expected->n_expected);
			for (int i = 0; i < expected->n_expected; i++)
			{
				double		value = expected->expected[i].value;
				double		found = metrics_get(&metrics, expected->expected[i].name);

				if (!CHECK_NEAR(found, value, 1e-12 * fmax(1, fabs(value))))
					printf("\t%s of %s\n", expected->expected[i].name, expected->name);
			}
		}
		arena_free(&arena);
	}
}

/* No rows: every metric is there, and NaN. */
static void
no_rows(void)
{
	static const Task tasks[] = {TASK_REGRESSION, TASK_BINARY, TASK_MULTICLASS};
	static const int counts[] = {5, 11, 9};

	for (int t = 0; t < 3; t++)
	{
		Metrics		metrics;
		Arena		arena;
		Error		error;

		arena_init(&arena);
		CHECK_OK(metrics_compute(&metrics, tasks[t], 0, NULL, NULL, (uint32_t) t + 1, NULL, &arena, &error), &error);
		CHECK(metrics.n == counts[t]);
		for (int i = 0; i < metrics.n; i++)
		{
			if (!CHECK(isnan(metrics.values[i])))
				printf("\t%s\n", metrics.names[i]);
		}
		CHECK(isnan(metrics_get(&metrics, "no such metric")));
		arena_free(&arena);
	}
}

/* The confusion matrix, metrics of one class, one row, and a class that the model does not have. */
static void
confusion(void)
{
	static const double truth[] = {0, 1, 2, 2};
	static const double outputs[] = {.8, .1, .1, .6, .3, .1, .1, .2, .7, .4, .2, .4};
	static const double weight[] = {1, 2, 4, 8};
	static const double expected[] = {1, 0, 0, 2, 0, 0, 8, 0, 4};
	double		precision;
	double		recall;
	double		f1;
	double		support;
	Metrics		metrics;
	Arena		arena;
	Error		error;

	arena_init(&arena);
	CHECK_OK(metrics_compute(&metrics, TASK_MULTICLASS, 4, truth, outputs, 3, weight, &arena, &error), &error);
	CHECK(metrics.n_classes == 3);
	CHECK(memcmp(metrics.confusion, expected, sizeof(expected)) == 0);
	metrics_class(&metrics, 2, &precision, &recall, &f1, &support);
	CHECK_SAME(precision, 1);
	CHECK_NEAR(recall, 4.0 / 12, 1e-15);
	CHECK_NEAR(f1, 0.5, 1e-15);
	CHECK_SAME(support, 12);
	CHECK_ERROR(metrics_compute(&metrics, TASK_MULTICLASS, 4, (double[]) {0, 1, 3, 2}, outputs, 3, weight, &arena, &error),
				&error, ERROR_INTERNAL, "class 3 of 3");
	CHECK_ERROR(metrics_compute(&metrics, TASK_MULTICLASS, 1, (double[]) {NAN}, outputs, 3, weight, &arena, &error),
				&error, ERROR_INTERNAL, "class");

	CHECK_OK(metrics_compute(&metrics, TASK_REGRESSION, 1, (double[]) {2}, (double[]) {3}, 1, NULL, &arena, &error), &error);
	CHECK_SAME(metrics_get(&metrics, "rmse"), 1);
	CHECK_SAME(metrics_get(&metrics, "median_absolute_error"), 1);
	CHECK(isnan(metrics_get(&metrics, "r2")));
	arena_free(&arena);
}

/* Which metrics are better when they are smaller. */
static void
test_directions(void)
{
	static const char *const losses[] = {"rmse", "mae", "mape", "median_absolute_error", "log_loss", "brier", "ece"};
	static const char *const gains[] = {
		"r2", "roc_auc", "pr_auc", "accuracy", "balanced_accuracy", "precision", "recall", "f1", "mcc", "macro_f1", "weighted_recall", "macro_precision"
	};

	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++)
		CHECK(!metric_larger_is_better(losses[i]));
	for (size_t i = 0; i < sizeof(gains) / sizeof(gains[0]); i++)
		CHECK(metric_larger_is_better(gains[i]));
}

/* Weights are shares: however large or small all of them are, the metrics stay what they were. */
static void
scaled_weights(void)
{
	static const double scales[] = {0x1p-1060, 0x1p-900, 0x1p-60, 0x1p60, 0x1p900};
	double		weight[256];

	for (size_t c = 0; c < N_CASES; c++)
	{
		const MetricsCase *test = &metrics_cases[c];

		for (size_t s = 0; test->weight != NULL && s < sizeof(scales) / sizeof(scales[0]); s++)
		{
			Metrics		plain;
			Metrics		scaled;
			Arena		arena;
			Error		error;

			if (!CHECK(test->n <= sizeof(weight) / sizeof(weight[0])))
				return;
			for (size_t i = 0; i < test->n; i++)
				weight[i] = rint(test->weight[i] * 4096);
			arena_init(&arena);
			CHECK_OK(metrics_compute(&plain, test->task, test->n, test->truth, test->outputs, test->n_outputs, weight, &arena, &error), &error);
			for (size_t i = 0; i < test->n; i++)
				weight[i] *= scales[s];
			CHECK_OK(metrics_compute(&scaled, test->task, test->n, test->truth, test->outputs, test->n_outputs, weight, &arena, &error), &error);
			for (int i = 0; i < plain.n; i++)
			{
				if (!CHECK_SAME(scaled.values[i], plain.values[i]))
					printf("\t%s of %s, weights times %g\n", plain.names[i], test->name, scales[s]);
			}
			for (uint32_t k = 0; k < plain.n_classes * plain.n_classes; k++)
				CHECK_SAME(scaled.confusion[k], plain.confusion[k] * scales[s]);
			arena_free(&arena);
		}
	}
}

/* Every metric that is computed can be asked for by name, and no other. */
static void
test_names(void)
{
	static const double truth[] = {0, 1, 0, 1, 2, 2};
	static const double outputs[18] = {0.5, 0.3, 0.2, 0.1, 0.8, 0.1, 0.6, 0.2, 0.2, 0.3, 0.4, 0.3, 0.2, 0.2, 0.6, 0.3, 0.3, 0.4};

	for (Task task = TASK_REGRESSION; task <= TASK_MULTICLASS; task++)
	{
		char		names[] = METRIC_NAMES;
		Arena		arena;
		Metrics		metrics;
		Error		error;
		int			n_known = 0;

		arena_init(&arena);
		if (CHECK_OK(metrics_compute(&metrics, task, task == TASK_MULTICLASS ? 6 : 4, truth, outputs, (uint32_t) task, NULL, &arena, &error), &error))
		{
			for (int i = 0; i < metrics.n; i++)
				CHECK_OK(metric_check(metrics.names[i], task, &error), &error);
			for (char *name = strtok(names, "|"); name != NULL; name = strtok(NULL, "|"))
				n_known += metric_check(name, task, &error);
			CHECK(n_known == metrics.n);
		}
		arena_free(&arena);
	}

	Error		error;

	CHECK_ERROR(metric_check("rmse", TASK_BINARY, &error), &error, ERROR_PARAMETER, "It has roc_auc");
	CHECK(metric_larger_is_better("roc_auc") && metric_larger_is_better("r2") && !metric_larger_is_better("log_loss"));
}

int
main(void)
{
	against_sklearn();
	no_rows();
	scaled_weights();
	confusion();
	test_directions();
	test_names();
	return check_done();
}
