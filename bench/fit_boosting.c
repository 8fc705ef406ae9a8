/*
 * fit_boosting.c
 *		Times and scores gradient boosting and forests outside the server.
 *
 *		fit_boosting floats DIR ROWS TEST_ROWS FEATURES [threads=N] [categories=N] [parameter=value ...]
 *			DIR holds X.f32 and y.f32 (row-major float32, 0/1 targets), Xt.f32
 *			and yt.f32; prints seconds by phase, and the AUC on the test rows.
 *			The first `categories` features are categories named by their numbers.
 *
 *		fit_boosting csv FILE TARGET [threads=N] [parameter=value ...]
 *			Five folds by row number modulo 5; prints the mean metric.
 *			Fields are separated by commas and not quoted; empty is missing.
 *
 * `algorithm=NAME` is gradient_boosting where it is not given; `rounds=N`
 * repeats the fit, for medians.  It goes the way of the trainer:
 * matrix, table, recipe, fit, predictions of the test rows, metrics.
 *
 * After "make", from the repository's root:
 *		cc -std=gnu11 -O2 -ffp-contract=off -DMLOPS_FIT -pthread -Isrc -Ibench bench/fit_boosting.c \
 *			$(find build/trainer/core -name '*.o') -llapack -lopenblas -lm -o build/fit_boosting
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/fit/fit.h"
#include "core/fit/metrics.h"
#include "core/hash.h"
#include "core/model/model.h"
#include "csv.h"
#include "written_matrix.h"

#define FOLDS 5

/* What is asked on the command line. */
typedef struct Options
{
	int			n_threads;
	int			rounds;
	uint32_t	n_categories;
	ParamSet	params;
	double		values[64];
	bool		given[64];
} Options;

/* Seconds of a clock that only goes forward. */
static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

/* The algorithm that the arguments name. */
static const Algorithm *
find_algorithm(int n, char **arguments)
{
	const char *name = "gradient_boosting";
	Error		error;

	for (int i = 0; i < n; i++)
	{
		if (strncmp(arguments[i], "algorithm=", 10) == 0)
			name = arguments[i] + 10;
	}

	const Algorithm *algorithm = algorithm_by_name(name, &error);

	if (algorithm == NULL)
		stop_on(&error);
	return algorithm;
}

/* Sets a parameter from its text: a number, true, false, or a word. */
static bool
set_param(ParamSet *params, const char *name, const char *text, Error *error)
{
	char	   *end;
	double		value = strtod(text, &end);

	if (*end == '\0')
		return params_set_number(params, name, value, error);
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return params_set_boolean(params, name, strcmp(text, "true") == 0, error);
	return params_set_text(params, name, text, error);
}

/* Reads name=value arguments. */
static void
read_options(Options *options, const Algorithm *algorithm, int n, char **arguments)
{
	Error		error;

	options->n_threads = 2;
	options->rounds = 1;
	options->n_categories = 0;
	params_init(&options->params, algorithm->params, algorithm->n_params, options->values, options->given);
	for (int i = 0; i < n; i++)
	{
		char	   *equals = strchr(arguments[i], '=');

		if (equals == NULL)
			stop("expected name=value", arguments[i]);
		*equals = '\0';
		if (strcmp(arguments[i], "threads") == 0)
			options->n_threads = atoi(equals + 1);
		else if (strcmp(arguments[i], "rounds") == 0)
			options->rounds = atoi(equals + 1);
		else if (strcmp(arguments[i], "categories") == 0)
			options->n_categories = (uint32_t) atoi(equals + 1);
		else if (strcmp(arguments[i], "algorithm") != 0 && !set_param(&options->params, arguments[i], equals + 1, &error))
			stop_on(&error);
	}
}

/* ---- One fit ---- */

typedef struct Outcome
{
	double		table_seconds;
	double		recipe_seconds;
	double		first_round_seconds;	/* binning and the first tree */
	double		fit_seconds;
	double		predict_seconds;
	size_t		peak_bytes;
	uint64_t	model_hash;
	double		metric;			/* roc_auc, rmse or accuracy */
} Outcome;

typedef struct Progress
{
	double		begin;
	double		first_round;
} Progress;

/* Remembers when the first tree was done. */
static void
show_iteration(void *context, int iteration, int total, double train_loss, double validation_loss)
{
	Progress   *progress = context;

	(void) total;
	(void) train_loss;
	(void) validation_loss;
	if (iteration == 1)
		progress->first_round = seconds() - progress->begin;
}

/* Prints it. */
static void
show_notice(void *context, const char *text)
{
	(void) context;
	printf("notice: %s\n", text);
}

/* Outputs of the test rows, and their metric. */
static double
score_test(const FitInput *input, const FitOutput *output, const Algorithm *algorithm, uint32_t n_outputs, Arena *arena)
{
	const Table *table = input->table;
	uint32_t	n_features = input->recipe->n_features;
	Model		model = {
		.task = input->task,
		.algorithm = algorithm,
		.n_features = n_features,
		.n_outputs = n_outputs,
		.payload = output->payload.data,
		.payload_size = output->payload.size
	};
	size_t		n = range_rows(table->test);
	Error		error;
	double	   *features = arena_alloc(arena, n_features, sizeof(double), &error);
	double	   *out = arena_alloc(arena, n * n_outputs, sizeof(double), &error);
	Metrics		metrics;

	if (features == NULL || out == NULL || !algorithm->validate(&model, &error))
		stop_on(&error);
	for (size_t i = 0; i < n; i++)
	{
		for (uint32_t c = 0; c < input->recipe->n_columns; c++)
		{
			const FittedColumn *column = &input->recipe->columns[c];

			recipe_encode(&column->recipe, recipe_raw(column, table->test.begin + i), features + column->recipe.first_feature);
		}
		algorithm->predict(&model, features, out + i * n_outputs);
	}
	if (!metrics_compute(&metrics, input->task, n, input->target + table->test.begin, out, n_outputs,
						 input->weight != NULL ? input->weight + table->test.begin : NULL, arena, &error))
		stop_on(&error);
	return metrics_get(&metrics, input->task == TASK_REGRESSION ? "rmse" : input->task == TASK_BINARY ? "roc_auc" : "accuracy");
}

/* Everything from the matrix to the metric. */
static Outcome
fit_matrix(const Matrix *matrix, Task task, const Options *options, const Algorithm *algorithm)
{
	Outcome		outcome = {0};
	Error		error;
	Arena		arena;
	Table		table;
	FittedRecipe recipe;
	SplitPlan	split = {.kind = SPLIT_COLUMN,.seed = 42};
	ThreadPool *pool = pool_create(options->n_threads, &error);

	if (pool == NULL)
		stop_on(&error);
	arena_init(&arena);

	double		begin = seconds();

	if (!table_build(&table, matrix, NULL, &split, pool, &arena, &error) || !table_gather_target(&table, pool, &arena, &error) ||
		(algorithm->gathers && !table_gather_features(&table, (RowRange) {0, table.n_rows}, pool, &arena, &error)))
		stop_on(&error);
	outcome.table_seconds = seconds() - begin;
	begin = seconds();

	RecipePlan *plans = arena_zeroed(&arena, table.n_features, sizeof(RecipePlan), &error);

	for (uint32_t f = 0; f < table.n_features; f++)
		plans[f] = algorithm_recipe(algorithm, (ColumnKind) table.features[f].source->kind, plans[f]);
	if (!recipe_fit(&recipe, &table, plans, pool, &arena, &error))
		stop_on(&error);
	outcome.recipe_seconds = seconds() - begin;

	bool		coded = table.target->source->storage == STORAGE_CODE;
	double	   *target = arena_alloc(&arena, table.n_rows, sizeof(double), &error);
	uint32_t	n_classes = 0;

	for (size_t i = 0; i < table.n_rows; i++)
	{
		target[i] = coded ? table_code(table.target, i) : table_number(table.target, i);
		if (task != TASK_REGRESSION && target[i] >= n_classes)
			n_classes = (uint32_t) target[i] + 1;
	}

	Progress	progress = {.begin = seconds()};
	FitMonitor	monitor = {.context = &progress,.iteration = show_iteration,.notice = show_notice};
	FitInput	input = {
		.table = &table,
		.recipe = &recipe,
		.task = task,
		.n_classes = n_classes,
		.target = target,
		.params = &options->params,
		.seed = 42,
		.pool = pool,
		.arena = &arena,
		.monitor = &monitor
	};
	FitOutput	output = {.iterations = 0};

	buffer_init(&output.payload);
	if (!algorithm->fit(&input, &output, &error))
		stop_on(&error);
	outcome.fit_seconds = seconds() - progress.begin;
	outcome.first_round_seconds = progress.first_round;
	outcome.peak_bytes = arena.total;
	outcome.model_hash = hash64_bytes(output.payload.data, output.payload.size);

	begin = seconds();
	if (!table_gather_features(&table, table.test, pool, &arena, &error))
		stop_on(&error);
	outcome.metric = score_test(&input, &output, algorithm, task == TASK_REGRESSION ? 1 : n_classes, &arena);
	outcome.predict_seconds = seconds() - begin;
	buffer_free(&output.payload);
	arena_free(&arena);
	pool_destroy(pool);
	return outcome;
}

/* ---- floats ---- */

/* A whole file of float32. */
static float *
read_floats(const char *directory, const char *name, size_t n)
{
	char		path[4096];
	float	   *values = malloc(n * sizeof(float));

	snprintf(path, sizeof(path), "%s/%s", directory, name);

	FILE	   *file = fopen(path, "rb");

	if (values == NULL || file == NULL || fread(values, sizeof(float), n, file) != n)
		stop("cannot read", path);
	fclose(file);
	return values;
}

/* The same, or a category named by the number. */
static void
put_feature(MatrixWriter *writer, uint32_t column, double value)
{
	Error		error;
	char		name[32];

	if (writer->columns[column].storage != STORAGE_CODE)
	{
		put_number(writer, column, value);
		return;
	}
	snprintf(name, sizeof(name), "%.0f", value);
	*(uint32_t *) matrix_writer_cell(writer, column) = matrix_writer_code(writer, column, name, strlen(name), &error);
}

/* Rows of the training or the test part. */
static void
add_floats(MatrixWriter *writer, const float *x, const float *y, size_t n, uint32_t n_features, bool is_test)
{
	for (size_t i = 0; i < n; i++)
	{
		next_row(writer);
		for (uint32_t f = 0; f < n_features; f++)
			put_feature(writer, f, (double) x[i * n_features + f]);
		put_number(writer, n_features, (double) y[i]);
		put_number(writer, n_features + 1, is_test);
	}
}

/* The first form of the command. */
static void
run_floats(const char *directory, size_t n_rows, size_t n_test, uint32_t n_features, const Options *options, const Algorithm *algorithm)
{
	MatrixColumn *columns = calloc(n_features + 2, sizeof(MatrixColumn));
	MatrixWriter writer;

	for (uint32_t f = 0; f < n_features; f++)
	{
		char		name[16];

		snprintf(name, sizeof(name), "x%u", f);
		columns[f] = describe_column(name, f < options->n_categories ? STORAGE_CODE : STORAGE_FLOAT32, ROLE_FEATURE);
	}
	columns[n_features] = describe_column("y", STORAGE_FLOAT64, ROLE_TARGET);
	columns[n_features + 1] = describe_column("is_test", STORAGE_FLOAT64, ROLE_SPLIT);
	columns[n_features + 1].kind = KIND_BOOLEAN;

	void	   *region = start_matrix(&writer, columns, n_features + 2);
	float	   *x = read_floats(directory, "X.f32", n_rows * n_features);
	float	   *y = read_floats(directory, "y.f32", n_rows);
	float	   *test_x = read_floats(directory, "Xt.f32", n_test * n_features);
	float	   *test_y = read_floats(directory, "yt.f32", n_test);

	add_floats(&writer, x, y, n_rows, n_features, false);
	add_floats(&writer, test_x, test_y, n_test, n_features, true);
	free(x);
	free(y);
	free(test_x);
	free(test_y);

	Matrix		matrix = finish_matrix(&writer, region);

	for (int r = 0; r < options->rounds; r++)
	{
		Outcome		outcome = fit_matrix(&matrix, TASK_BINARY, options, algorithm);

		printf("table %.3f s, recipe %.3f s, fit %.3f s (to the first tree %.3f s), predict %.3f s, arena %.0f MB, "
			   "auc %.5f, model %016llx\n", outcome.table_seconds, outcome.recipe_seconds, outcome.fit_seconds,
			   outcome.first_round_seconds, outcome.predict_seconds, (double) outcome.peak_bytes / 1e6, outcome.metric,
			   (unsigned long long) outcome.model_hash);
		fflush(stdout);
	}
	free_matrix(region);
	free(columns);
}

/* ---- csv ---- */

/* Regression for a numeric target of more than 20 values. */
static Task
csv_task(const Csv *csv, uint32_t target)
{
	double		values[20];
	int			n = 0;

	if (!csv->numeric[target])
		return TASK_BINARY;
	for (size_t i = 0; i < csv->n_rows; i++)
	{
		double		value = atof(csv->fields[i * csv->n_columns + target]);
		int			k = 0;

		while (k < n && values[k] != value)
			k++;
		if (k == 20)
			return TASK_REGRESSION;
		if (k == n)
			values[n++] = value;
	}
	return n > 2 ? TASK_MULTICLASS : TASK_BINARY;
}

/* The second form of the command. */
static void
run_csv(const char *path, const char *target_name, const Options *options, const Algorithm *algorithm)
{
	Csv			csv = read_csv(path);
	MatrixColumn columns[MAX_FIELDS + 1];
	uint32_t	target = 0;
	double		sum = 0;
	double		time = 0;

	while (target < csv.n_columns && strcmp(csv.names[target], target_name) != 0)
		target++;
	if (target == csv.n_columns)
		stop("no such column", target_name);
	for (uint32_t c = 0; c < csv.n_columns; c++)
		columns[c] = describe_column(csv.names[c], csv.numeric[c] ? STORAGE_FLOAT64 : STORAGE_CODE,
									 c == target ? ROLE_TARGET : ROLE_FEATURE);
	columns[csv.n_columns] = describe_column("is_test", STORAGE_FLOAT64, ROLE_SPLIT);
	columns[csv.n_columns].kind = KIND_BOOLEAN;

	for (size_t fold = 0; fold < FOLDS; fold++)
	{
		MatrixWriter writer;
		void	   *region = start_matrix(&writer, columns, csv.n_columns + 1);
		Error		error;

		for (size_t i = 0; i < csv.n_rows; i++)
		{
			next_row(&writer);
			for (uint32_t c = 0; c < csv.n_columns; c++)
			{
				const char *field = csv.fields[i * csv.n_columns + c];

				if (csv.numeric[c])
					put_number(&writer, c, field[0] == '\0' ? NAN : atof(field));
				else
					*(uint32_t *) matrix_writer_cell(&writer, c) = field[0] == '\0' ? CODE_MISSING :
						matrix_writer_code(&writer, c, field, strlen(field), &error);
			}
			put_number(&writer, csv.n_columns, i % FOLDS == fold);
		}

		Matrix		matrix = finish_matrix(&writer, region);
		Outcome		outcome = fit_matrix(&matrix, csv_task(&csv, target), options, algorithm);

		sum += outcome.metric;
		time += outcome.fit_seconds;
		free_matrix(region);
	}
	printf("%s: mean metric %.6g, fits %.3f s\n", path, sum / FOLDS, time);
	free(csv.fields);
	free(csv.text);
}

/* Reads the command line. */
int
main(int n, char **arguments)
{
	const Algorithm *algorithm = find_algorithm(n, arguments);
	Options		options;

	if (n >= 6 && strcmp(arguments[1], "floats") == 0)
	{
		read_options(&options, algorithm, n - 6, arguments + 6);
		run_floats(arguments[2], (size_t) atol(arguments[3]), (size_t) atol(arguments[4]), (uint32_t) atoi(arguments[5]), &options, algorithm);
	}
	else if (n >= 4 && strcmp(arguments[1], "csv") == 0)
	{
		read_options(&options, algorithm, n - 4, arguments + 4);
		run_csv(arguments[2], arguments[3], &options, algorithm);
	}
	else
		stop("usage", "floats DIR ROWS TEST_ROWS FEATURES [name=value ...] | csv FILE TARGET [name=value ...]");
	return 0;
}
