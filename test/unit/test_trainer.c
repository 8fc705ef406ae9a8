/*
 * test_trainer.c
 *		Jobs of the trainer: trainings, evaluations, importances, refusals, notices, damage.
 */
#include "core/model/reference.h"
#include "support_profile.h"
#include "trainer_case.h"

static void
check_training(const char *algorithm, Task task, ColumnStorage target, const char *metric, double at_least)
{
	Job			job = training(algorithm, task, target == STORAGE_CODE ? LABEL_TEXT : LABEL_NONE);
	TestMatrix	matrix;
	Model		model;
	Error		error;

	make_rows(&matrix, target);

	Answer		answer = run_job(&job, &matrix, NULL);

	if (CHECK(answer.finished && answer.status == 0) && CHECK_OK(model_open(&model, answer.model.data, answer.model.size, &error), &error))
	{
		const JobResult *result = &answer.result;

		CHECK(result->n_rows == ROWS && result->n_dropped == 0 && result->n_train + result->n_test == ROWS && result->n_test > 100);
		CHECK(result->model_size == answer.model.size && result->n_features == model.n_features);
		CHECK(result->fingerprint[0] != 0 && result->peak_memory > 0 && result->seconds_fit >= 0);
		CHECK(result->n_columns == 3 && result->columns[0].n_missing == ROWS / 50 && result->columns[1].n_distinct == 3);
		CHECK(result->columns[0].lowest >= 0 && result->columns[0].highest < 10);
		CHECK_NEAR(result->columns[0].mean, 5, 0.5);
		CHECK_TEXT(model_string(&model, model.columns[1].name), "colour");
		CHECK(model.n_metrics == result->n_metrics && model.task == task);
		CHECK(answer_metric(&answer, metric, false) >= at_least);
		CHECK(strstr(answer.phases, "ordering rows\nfitting recipe\nfitting\nevaluating\n") != NULL);
		CHECK_TEXT(answer.notices, "");
		if (task == TASK_BINARY)
		{
			CHECK_TEXT(model_label(&model, 0), "no");
			CHECK_TEXT(model_label(&model, 1), "yes");
			CHECK(result->n_classes == 2);
			CHECK_NEAR(result->confusion[0] + result->confusion[1] + result->confusion[2] + result->confusion[3], (double) result->n_test, 0);
			CHECK_NEAR(answer_metric(&answer, "roc_auc", true), 0.5, 0);
		}
		else
			CHECK(answer_metric(&answer, "r2", true) < 0.1);
	}
	answer_free(&answer);
	test_matrix_free(&matrix);
}

/* The same bytes with one thread and with several. */
static void
test_threads(void)
{
	static const char *const names[] = {"baseline", "logistic_regression", "gradient_boosting"};
	TestMatrix	matrix;

	make_rows(&matrix, STORAGE_CODE);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		Job			job = training(names[i], TASK_BINARY, LABEL_TEXT);
		Answer		one = run_job(&job, &matrix, NULL);

		job.n_threads = 3;

		Answer		three = run_job(&job, &matrix, NULL);

		if (CHECK(one.finished && three.finished))
		{
			CHECK(one.model.size == three.model.size && memcmp(one.model.data, three.model.data, one.model.size) == 0);
			CHECK(one.reference.size == three.reference.size && memcmp(one.reference.data, three.reference.data, one.reference.size) == 0);
		}
		answer_free(&one);
		answer_free(&three);
	}
	test_matrix_free(&matrix);
}

/* What is frozen beside a model: profiles of each column and of the answers, a sample, and what is fitted. */
static void
test_reference(void)
{
	Job			job = training("logistic_regression", TASK_BINARY, LABEL_TEXT);
	int			seen[REFERENCE_SAMPLE + 1] = {0};
	TestMatrix	matrix;
	Reader		reader;
	Reader		body;
	ReferenceKind kind;

	make_rows(&matrix, STORAGE_CODE);
	job.sample_rows = 50;

	Answer		answer = run_job(&job, &matrix, NULL);

	CHECK(answer.finished && answer.reference.size == answer.result.reference_size);
	reader_init(&reader, answer.reference.data, answer.reference.size);
	while ((kind = reference_next(&reader, &body)) != 0)
	{
		seen[kind]++;
		if (kind == REFERENCE_PROFILE)
		{
			ReferenceColumn column;
			const void *bytes;
			size_t		size;
			Distribution distribution;
			Error		error;

			reference_read_profile(&body, &column, &bytes, &size);
			CHECK(!body.failed && column.segment[0] == '\0');
			if (CHECK_OK(distribution_open(&distribution, bytes, size, test_memory, &error), &error))
				CHECK(distribution_rows(&distribution) == (strcmp(column.role, "prediction") == 0 ? answer.result.n_test : ROWS));
			distribution_free(&distribution, test_memory);
		}
		else if (kind == REFERENCE_SAMPLE)
		{
			uint32_t	n = reference_read_sample(&body);
			SampleRow	row;

			CHECK(n == 50);
			for (uint32_t i = 0; i < n; i++)
				reference_read_row(&body, &row);
			CHECK(!body.failed && body.position == body.size && row.class != NULL && row.outcome != NULL && isnan(row.prediction));
		}
		else
		{
			ReferenceModel model;

			reference_read_model(&body, &model);
			CHECK(!body.failed && model.content_size > 2 && model.content[0] == '{');
		}
	}
	CHECK(!reader.failed);
	CHECK(seen[REFERENCE_PROFILE] == 5 && seen[REFERENCE_SAMPLE] == 1 && seen[REFERENCE_MODEL] >= 1 && seen[REFERENCE_SLICES] == 0);

	/* damaged records are told, and nothing is read behind them */
	for (size_t size = 0; size < answer.reference.size; size += 97)
	{
		reader_init(&reader, answer.reference.data, size);
		while (reference_next(&reader, &body) != 0)
			;
		CHECK(reader.failed || reader.position == size);
	}
	answer_free(&answer);
	test_matrix_free(&matrix);
}

/* A model judged on other rows, and on rows that it cannot be judged on. */
static void
test_evaluation(void)
{
	Job			job = training("logistic_regression", TASK_BINARY, LABEL_TEXT);
	TestMatrix	matrix;

	make_rows(&matrix, STORAGE_CODE);
	job.test = 0;

	Answer		trained = run_job(&job, &matrix, NULL);

	CHECK(trained.finished && trained.result.n_metrics == 0 && trained.result.n_test == 0);
	job.kind = JOB_EVALUATE;
	job.n_params = 0;
	job.n_features = 0;

	Answer		judged = run_job(&job, &matrix, &trained.model);

	CHECK(judged.finished && judged.result.n_test == ROWS);
	CHECK(answer_metric(&judged, "roc_auc", false) > 0.8);
	CHECK(answer_metric(&judged, "roc_auc", true) == 0.5);
	CHECK(judged.model.size == trained.model.size && memcmp(judged.model.data, trained.model.data, judged.model.size) == 0);
	answer_free(&judged);
	test_matrix_free(&matrix);

	begin_matrix(&matrix, STORAGE_CODE);
	for (int i = 0; i < 10; i++)
	{
		test_matrix_row(&matrix);
		test_matrix_number(&matrix, 0, i);
		test_matrix_text(&matrix, 1, "violet");
		test_matrix_text(&matrix, 2, i == 5 ? "perhaps" : "yes");
	}
	test_matrix_open(&matrix);
	judged = run_job(&job, &matrix, &trained.model);
	CHECK_ERROR(judged.finished, &judged.error, ERROR_DATA, "perhaps");
	answer_free(&judged);

	Buffer		damaged;

	buffer_init(&damaged);
	buffer_bytes(&damaged, trained.model.data, trained.model.size - 1);
	judged = run_job(&job, &matrix, &damaged);
	CHECK(!judged.finished && judged.error.code == ERROR_CORRUPTED);
	answer_free(&judged);
	buffer_free(&damaged);
	test_matrix_free(&matrix);
	answer_free(&trained);
}

/* A training that goes on from a version has its trees, its recipe and its hash; the version's bytes are as hostile as any. */
static void
test_continuing(void)
{
	Job			job = training("gradient_boosting", TASK_BINARY, LABEL_TEXT);
	TestMatrix	matrix;
	Model		model;
	Error		error;

	make_rows(&matrix, STORAGE_CODE);
	params[0] = 10;

	Answer		first = run_job(&job, &matrix, NULL);

	CHECK(first.finished && first.result.iterations == 10);
	snprintf(job.init_hash, sizeof(job.init_hash), "c0ffee");
	params[0] = 5;
	init_model = &first.model;

	Answer		more = run_job(&job, &matrix, NULL);

	CHECK(more.finished && more.iterations == 5 && more.result.iterations == 15 && more.model.size > first.model.size);
	if (CHECK_OK(model_open(&model, more.model.data, more.model.size, &error), &error))
	{
		CHECK_TEXT(model_string(&model, model.params[model.n_params - 1].name), "init_model");
		CHECK_TEXT(model_string(&model, model.params[model.n_params - 1].value), "c0ffee");
	}
	answer_free(&more);

	job.task = TASK_MULTICLASS;
	more = run_job(&job, &matrix, NULL);
	CHECK_ERROR(more.finished, &more.error, ERROR_CORRUPTED, "not of the kind");
	answer_free(&more);
	job.task = TASK_BINARY;
	init_model = NULL;
	more = run_job(&job, &matrix, NULL);
	CHECK_ERROR(more.finished, &more.error, ERROR_CORRUPTED, "version to continue is empty");
	answer_free(&more);

	Buffer		damaged;

	buffer_init(&damaged);
	buffer_bytes(&damaged, first.model.data, first.model.size / 2);
	init_model = &damaged;
	more = run_job(&job, &matrix, NULL);
	CHECK(!more.finished && more.error.code == ERROR_CORRUPTED);
	answer_free(&more);
	buffer_free(&damaged);
	init_model = NULL;
	answer_free(&first);
	test_matrix_free(&matrix);
}

/* Permutation importance of a model's columns: the same with several threads, and none for a metric that there is not. */
static void
test_importance(void)
{
	Job			job = training("gradient_boosting", TASK_BINARY, LABEL_TEXT);
	TestMatrix	matrix;

	make_rows(&matrix, STORAGE_CODE);

	Answer		trained = run_job(&job, &matrix, NULL);

	CHECK(trained.finished && trained.result.n_importances == 0);
	job.kind = JOB_IMPORTANCE;
	job.n_params = 0;
	job.n_features = 0;
	job.repeats = 3;

	Answer		one = run_job(&job, &matrix, &trained.model);

	job.n_threads = 3;

	Answer		three = run_job(&job, &matrix, &trained.model);

	if (CHECK(one.finished && three.finished && one.result.n_importances == 2 && three.result.n_importances == 2))
	{
		const ResultImportance *importances = one.result.importances;

		CHECK(memcmp(importances, three.result.importances, 2 * sizeof(ResultImportance)) == 0);
		CHECK(importances[0].mean > importances[1].mean && importances[1].mean > 0.01 && importances[0].mean < 0.5);
		CHECK(importances[0].deviation > 0 && importances[0].deviation < 0.05);
		CHECK(one.iterations == 6 && one.result.n_test == ROWS);
	}
	answer_free(&one);
	answer_free(&three);
	strcpy(job.metric, "r2");
	one = run_job(&job, &matrix, &trained.model);
	CHECK_ERROR(one.finished, &one.error, ERROR_PARAMETER, "roc_auc");
	answer_free(&one);
	job.metric[0] = '\0';
	job.max_memory = 4096;
	one = run_job(&job, &matrix, &trained.model);
	CHECK_ERROR(one.finished, &one.error, ERROR_LIMIT, "the importance needs");
	answer_free(&one);
	test_matrix_free(&matrix);
	answer_free(&trained);
}

/* Rows of one kind: size is i, colour and target as given. */
static void
make_small(TestMatrix *matrix, const char *const *colours, const char *const *targets, int n)
{
	begin_matrix(matrix, STORAGE_CODE);
	for (int i = 0; i < n; i++)
	{
		test_matrix_row(matrix);
		test_matrix_number(matrix, 0, i);
		test_matrix_text(matrix, 1, colours[i]);
		test_matrix_text(matrix, 2, targets[i]);
	}
	test_matrix_open(matrix);
}

static void
check_refused(const char *const *targets, int n, Task task, ErrorCode code, const char *words)
{
	static const char *const colours[8] = {"a", "b", "c", "d", "e", "f", "g", "h"};
	Job			job = training("logistic_regression", task, LABEL_TEXT);
	TestMatrix	matrix;

	make_small(&matrix, colours, targets, n);
	job.test = 0;

	Answer		answer = run_job(&job, &matrix, NULL);

	CHECK_ERROR(answer.finished, &answer.error, code, words);
	CHECK(WIFEXITED(answer.status) && WEXITSTATUS(answer.status) == EXIT_FAILURE);
	CHECK(answer.model.size == 0);
	answer_free(&answer);
	test_matrix_free(&matrix);
}

static void
test_refusals(void)
{
	static const char *const same[] = {"x", "x", "x", "x"};
	static const char *const missing[] = {NULL, NULL, NULL};
	static const char *const three[] = {"x", "y", "z", "x"};

	check_refused(same, 4, TASK_BINARY, ERROR_DATA, "only one class");
	check_refused(missing, 3, TASK_BINARY, ERROR_DATA, "\"target\"");
	check_refused(three, 1, TASK_BINARY, ERROR_DATA, "only one row");
	check_refused(three, 0, TASK_BINARY, ERROR_DATA, "no rows");
	check_refused(three, 4, TASK_BINARY, ERROR_DATA, "multiclass");

	Job			job = training("linear_regression", TASK_REGRESSION, LABEL_NONE);
	TestMatrix	matrix;

	make_rows(&matrix, STORAGE_CODE);

	Answer		answer = run_job(&job, &matrix, NULL);

	CHECK_ERROR(answer.finished, &answer.error, ERROR_TYPE, "\"target\"");
	answer_free(&answer);

	job = training("gradient_boosting", TASK_BINARY, LABEL_TEXT);
	job.max_memory = 4096;
	answer = run_job(&job, &matrix, NULL);
	CHECK_ERROR(answer.finished, &answer.error, ERROR_LIMIT, "mlops.max_memory");
	answer_free(&answer);
	test_matrix_free(&matrix);
}

/* What a user should hear about the rows. */
static void
test_notices(void)
{
	Job			job = training("logistic_regression", TASK_BINARY, LABEL_TEXT);
	TestMatrix	matrix;

	job.test = 0;
	begin_matrix(&matrix, STORAGE_CODE);
	for (int i = 0; i < 100; i++)
	{
		char		name[16];

		snprintf(name, sizeof(name), "id%d", i);
		test_matrix_row(&matrix);
		test_matrix_number(&matrix, 0, 7);
		test_matrix_text(&matrix, 1, name);
		test_matrix_text(&matrix, 2, i < 3 ? NULL : i == 50 ? "rare" : "common");
	}
	test_matrix_open(&matrix);

	Answer		answer = run_job(&job, &matrix, NULL);

	CHECK(answer.finished && answer.result.n_dropped == 3);
	CHECK(strstr(answer.notices, "3 of 100 rows left out") != NULL);
	CHECK(strstr(answer.notices, "\"colour\" looks like an identifier") != NULL);
	CHECK(strstr(answer.notices, "constant in the training rows: \"size\"") != NULL);
	CHECK(strstr(answer.notices, "only one training row: \"rare\"") != NULL);
	answer_free(&answer);
	test_matrix_free(&matrix);
}

/* Damaged jobs and matrices: an error or a result, never a crash. */
static void
test_hostile(void)
{
	Job			job = training("baseline", TASK_BINARY, LABEL_TEXT);
	TestMatrix	matrix;
	Buffer		bytes;
	Error		error;
	uint8_t    *copy;

	make_rows(&matrix, STORAGE_CODE);
	buffer_init(&bytes);
	CHECK_OK(job_write(&job, &bytes, &error), &error);
	copy = malloc(matrix.matrix.header->size);
	memcpy(copy, matrix.matrix.base, matrix.matrix.header->size);

	for (size_t i = 0; i < 40; i++)
	{
		size_t		position = i * bytes.size / 40;

		bytes.data[position] ^= (uint8_t) (1 + hash64_mix(i + 1) % 255);

		Answer		answer = run_bytes(bytes.data, bytes.size, copy, matrix.matrix.header->size, NULL);

		CHECK(answer.finished || answer.error.code != ERROR_NONE);
		CHECK(WIFEXITED(answer.status) && WEXITSTATUS(answer.status) == (answer.finished ? EXIT_SUCCESS : EXIT_FAILURE));
		answer_free(&answer);
		buffer_free(&bytes);
		CHECK_OK(job_write(&job, &bytes, &error), &error);
	}
	for (size_t size = 0; size < bytes.size; size += 9)
	{
		Answer		answer = run_bytes(bytes.data, size, copy, matrix.matrix.header->size, NULL);

		CHECK(!answer.finished && answer.error.code == ERROR_CORRUPTED);
		answer_free(&answer);
	}
	for (size_t i = 0; i < 40; i++)
	{
		size_t		position = hash64_mix(i + 1) % (sizeof(MatrixHeader) + 3 * sizeof(MatrixColumn));
		uint8_t		before = copy[position];

		copy[position] ^= (uint8_t) (1 << i % 8);

		Answer		answer = run_bytes(bytes.data, bytes.size, copy, matrix.matrix.header->size, NULL);

		CHECK(answer.finished || answer.error.code != ERROR_NONE);
		CHECK(WIFEXITED(answer.status) && WEXITSTATUS(answer.status) == (answer.finished ? EXIT_SUCCESS : EXIT_FAILURE));
		answer_free(&answer);
		copy[position] = before;
	}
	free(copy);
	buffer_free(&bytes);
	test_matrix_free(&matrix);
}

int
main(void)
{
	if (!trainer_found())
		return check_done();
	check_training("baseline", TASK_REGRESSION, STORAGE_FLOAT64, "rmse", 0);
	check_training("linear_regression", TASK_REGRESSION, STORAGE_FLOAT64, "r2", 0.75);
	check_training("gradient_boosting", TASK_REGRESSION, STORAGE_FLOAT64, "r2", 0.7);
	check_training("baseline", TASK_BINARY, STORAGE_CODE, "accuracy", 0.4);
	check_training("logistic_regression", TASK_BINARY, STORAGE_CODE, "roc_auc", 0.8);
	check_training("gradient_boosting", TASK_BINARY, STORAGE_CODE, "roc_auc", 0.75);
	test_threads();
	test_reference();
	test_evaluation();
	test_continuing();
	test_importance();
	test_refusals();
	test_notices();
	test_hostile();
	return check_done();
}
