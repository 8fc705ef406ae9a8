/*
 * test_trainer.c
 *		The program mlops-trainer, started as a backend starts it.
 *
 * The environment variable MLOPS_TRAINER names the program; "make unit" builds
 * one with sanitizers for this test.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "core/fit/table.h"
#include "core/hash.h"
#include "core/job.h"
#include "core/model.h"
#include "support_matrix.h"

extern char **environ;

#define PATIENCE 300			/* seconds until a test that hangs is ended */
#define ROWS 600

static const char *program;
static const Buffer *init_model;	/* the version that the next training goes on from; NULL: none */

/* ---- Running it ---- */

typedef struct Files
{
	int			job;
	int			matrix;
	int			model;
	int			errors;			/* its stderr */
} Files;

/* What a trainer said before it ended. */
typedef struct Answer
{
	int			status;			/* of waitpid */
	Error		error;			/* ERROR_NONE: none */
	bool		finished;		/* there is a result */
	JobResult	result;
	char		notices[4096];
	char		phases[1024];
	uint32_t	iterations;
	Buffer		model;			/* what lies in the model's file afterwards */
} Answer;

static int
memory_file(const void *bytes, size_t size)
{
	int			fd = memfd_create("test", MFD_CLOEXEC);

	/* beyond the numbers that the trainer's own files get */
	int			high = fcntl(fd, F_DUPFD_CLOEXEC, 16);

	close(fd);
	if (high < 0 || (size > 0 && write(high, bytes, size) != (ssize_t) size))
	{
		perror("memfd");
		exit(1);
	}
	return high;
}

static Files
open_files(const void *job, size_t job_size, const void *matrix, size_t matrix_size, const void *model, size_t model_size)
{
	return (Files) {memory_file(job, job_size), memory_file(matrix, matrix_size), memory_file(model, model_size), memory_file(NULL, 0)};
}

static void
close_files(Files files)
{
	close(files.job);
	close(files.matrix);
	close(files.model);
	close(files.errors);
}

/* Starts the program; *end: our side of its socket. */
static pid_t
start(Files files, int *end)
{
	char	   *arguments[] = {(char *) program, NULL};
	posix_spawn_file_actions_t actions;
	int			ends[2];
	int			child_end;
	pid_t		pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		exit(1);
	*end = fcntl(ends[0], F_DUPFD_CLOEXEC, 16);
	child_end = fcntl(ends[1], F_DUPFD_CLOEXEC, 16);
	close(ends[0]);
	close(ends[1]);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, files.errors, STDERR_FILENO);
	posix_spawn_file_actions_adddup2(&actions, child_end, TRAINER_FD_SOCKET);
	posix_spawn_file_actions_adddup2(&actions, files.job, TRAINER_FD_JOB);
	posix_spawn_file_actions_adddup2(&actions, files.matrix, TRAINER_FD_MATRIX);
	posix_spawn_file_actions_adddup2(&actions, files.model, TRAINER_FD_MODEL);

	int			init = init_model != NULL ? memory_file(init_model->data, init_model->size) : -1;

	if (init >= 0)
		posix_spawn_file_actions_adddup2(&actions, init, TRAINER_FD_INIT);
	if (posix_spawn(&pid, program, &actions, NULL, arguments, environ) != 0)
	{
		perror(program);
		exit(1);
	}
	posix_spawn_file_actions_destroy(&actions);
	close(child_end);
	if (init >= 0)
		close(init);
	return pid;
}

/* n bytes, or fewer at the end of the stream. */
static size_t
read_all(int fd, void *out, size_t n)
{
	size_t		done = 0;

	while (done < n)
	{
		ssize_t		got = read(fd, (char *) out + done, n - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += (size_t) got;
	}
	return done;
}

static void
append_line(char *text, size_t size, Reader *body)
{
	char		line[2048];

	reader_string(body, line, sizeof(line));
	CHECK(!body->failed);
	snprintf(text + strlen(text), size - strlen(text), "%s\n", line);
}

static void
take_frame(Answer *answer, MessageType type, const uint8_t *body, uint32_t size)
{
	Reader		reader;

	reader_init(&reader, body, size);
	switch (type)
	{
		case MESSAGE_PHASE:
			append_line(answer->phases, sizeof(answer->phases), &reader);
			break;
		case MESSAGE_ITERATION:
			answer->iterations = reader_u32(&reader);
			break;
		case MESSAGE_NOTICE:
			append_line(answer->notices, sizeof(answer->notices), &reader);
			break;
		case MESSAGE_ERROR:
			CHECK(error_read(&answer->error, body, size));
			break;
		case MESSAGE_RESULT:
			{
				Error		error;

				answer->finished = CHECK_OK(result_read(&answer->result, body, size, &error), &error);
				break;
			}
		default:
			CHECK(!"a known type of message");
	}
}

/* All frames until the trainer closes its end. */
static void
listen_to(int end, Answer *answer)
{
	uint8_t		header[5];

	while (read_all(end, header, sizeof(header)) == sizeof(header))
	{
		uint32_t	size;

		memcpy(&size, header, sizeof(size));
		if (!CHECK(size <= MESSAGE_MAX))
			return;

		uint8_t    *body = malloc(size + 1);

		if (CHECK(read_all(end, body, size) == size))
			take_frame(answer, header[4], body, size);
		free(body);
	}
}

/* Its stderr: the error's message and no more; what a sanitizer wrote is shown. */
static void
check_last_words(int errors, const Answer *answer)
{
	char		words[8192];
	char		expected[600] = "";
	ssize_t		n = pread(errors, words, sizeof(words) - 1, 0);

	words[n > 0 ? n : 0] = '\0';
	if (answer->error.code != ERROR_NONE)
		snprintf(expected, sizeof(expected), "mlops-trainer: %s\n", answer->error.message);
	if (!CHECK(strcmp(words, expected) == 0))
		printf("\tstderr: %s\n", words);
}

/* Runs a job from its bytes to its end. */
static Answer
run_bytes(const void *job, size_t job_size, const void *matrix, size_t matrix_size, const Buffer *model)
{
	Files		files = open_files(job, job_size, matrix, matrix_size, model != NULL ? model->data : NULL, model != NULL ? model->size : 0);
	Answer		answer = {.finished = false};
	int			end;
	pid_t		pid = start(files, &end);

	buffer_init(&answer.model);
	error_clear(&answer.error);
	listen_to(end, &answer);
	close(end);
	if (waitpid(pid, &answer.status, 0) != pid)
		exit(1);

	off_t		size = lseek(files.model, 0, SEEK_END);

	buffer_zeros(&answer.model, (size_t) size);
	if (pread(files.model, answer.model.data, (size_t) size, 0) != size)
		exit(1);
	check_last_words(files.errors, &answer);
	close_files(files);
	return answer;
}

static void
answer_free(Answer *answer)
{
	result_free(&answer->result);
	buffer_free(&answer->model);
}

/* ---- Jobs ---- */

static RecipePlan plans[2];
static double params[64];
static bool params_given[64];

static Job
training(const char *algorithm_name, Task task, LabelKind label_kind)
{
	Error		error;
	const Algorithm *algorithm = algorithm_by_name(algorithm_name, &error);
	ParamSet	set;

	params_init(&set, algorithm->params, algorithm->n_params, params, params_given);
	plans[0] = algorithm_recipe(algorithm, KIND_NUMBER, (RecipePlan) {0});
	plans[1] = algorithm_recipe(algorithm, KIND_CATEGORY, (RecipePlan) {0});
	return (Job) {
		.kind = JOB_TRAIN,.algorithm = algorithm->id,.task = task,.label_kind = label_kind,.seed = 42,.n_threads = 1,
		.max_memory = (uint64_t) 1 << 30,.split_kind = SPLIT_RANDOM,.test = 0.25,.n_features = 2,.plans = plans,
		.n_params = (uint32_t) algorithm->n_params,.params = params,.params_given = params_given
	};
}

static Answer
run_job(const Job *job, const TestMatrix *matrix, const Buffer *model)
{
	Buffer		bytes;
	Error		error;

	buffer_init(&bytes);
	CHECK_OK(job_write(job, &bytes, &error), &error);

	Answer		answer = run_bytes(bytes.data, bytes.size, matrix->matrix.base, matrix->matrix.header->size, model);

	buffer_free(&bytes);
	return answer;
}

/* Columns size (with NULLs), colour, and a target of numbers or texts that depends on both. */
static void
begin_matrix(TestMatrix *matrix, ColumnStorage target)
{
	MatrixColumn columns[] = {
		test_column("size", KIND_NUMBER, STORAGE_FLOAT64, ROLE_FEATURE),
		test_column("colour", KIND_CATEGORY, STORAGE_CODE, ROLE_FEATURE),
		test_column("target", target == STORAGE_CODE ? KIND_CATEGORY : KIND_NUMBER, target, ROLE_TARGET)
	};

	test_matrix_begin(matrix, 0, columns, 3);
}

static void
make_rows(TestMatrix *matrix, ColumnStorage target)
{
	static const char *const colours[] = {"red", "green", "blue"};

	begin_matrix(matrix, target);
	for (uint64_t i = 0; i < ROWS; i++)
	{
		double		size = (double) (hash64_mix(i + 1) % 1000) / 100;
		uint64_t	colour = hash64_mix(i + 7777) % 3;
		double		noise = (double) (hash64_mix(i + 55555) % 1000) / 100;

		test_matrix_row(matrix);
		test_matrix_number(matrix, 0, i % 50 == 0 ? NAN : size);
		test_matrix_text(matrix, 1, i % 60 == 0 ? NULL : colours[colour]);
		if (target == STORAGE_CODE)
			test_matrix_text(matrix, 2, size + 3 * (double) colour + noise > 13 ? "yes" : "no");
		else
			test_matrix_number(matrix, 2, 2 * size + 3 * (double) colour + noise);
	}
	test_matrix_open(matrix);
}

static double
answer_metric(const Answer *answer, const char *name, bool baseline)
{
	for (uint32_t i = 0; i < answer->result.n_metrics; i++)
		if (strcmp(answer->result.metrics[i].name, name) == 0)
			return baseline ? answer->result.metrics[i].baseline : answer->result.metrics[i].value;
	return NAN;
}

/* ---- Tests ---- */

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
			CHECK(one.model.size == three.model.size && memcmp(one.model.data, three.model.data, one.model.size) == 0);
		answer_free(&one);
		answer_free(&three);
	}
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

/* ---- Life and death ---- */

/* Files of a job that takes far longer than this test. */
static Files
endless_job(void)
{
	Job			job = training("gradient_boosting", TASK_BINARY, LABEL_TEXT);
	TestMatrix	matrix;
	Buffer		bytes;
	Error		error;

	params[0] = 100000;			/* n_estimators */
	make_rows(&matrix, STORAGE_CODE);
	buffer_init(&bytes);
	CHECK_OK(job_write(&job, &bytes, &error), &error);

	Files		files = open_files(bytes.data, bytes.size, matrix.matrix.base, matrix.matrix.header->size, NULL, 0);

	buffer_free(&bytes);
	test_matrix_free(&matrix);
	return files;
}

typedef struct Orphans
{
	pid_t		trainer;
	pid_t		holder;			/* keeps the trainer's socket open, so that it has no other reason to end; 0: none */
} Orphans;

/* The parent that dies. */
static void
be_parent(Files files, bool wait_for_first_frame, int report)
{
	int			end;
	Orphans		orphans = {.trainer = start(files, &end)};
	uint8_t		byte;

	alarm(PATIENCE);
	if (wait_for_first_frame)
	{
		read_all(end, &byte, 1);
		orphans.holder = fork();
		if (orphans.holder == 0)
		{
			alarm(PATIENCE);
			for (;;)
				pause();
		}
	}
	if (write(report, &orphans, sizeof(orphans)) != sizeof(orphans))
		_exit(1);
	while (wait_for_first_frame)
		pause();
	_exit(0);
}

/* When its parent is killed, the trainer is killed; when that happens before it has begun, it ends, too. */
static void
check_orphan(bool wait_for_first_frame)
{
	Files		files = endless_job();
	int			report[2];
	Orphans		orphans;
	int			status;

	if (pipe(report) != 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		exit(1);

	pid_t		parent = fork();

	if (parent == 0)
		be_parent(files, wait_for_first_frame, report[1]);
	CHECK(read_all(report[0], &orphans, sizeof(orphans)) == sizeof(orphans));
	if (wait_for_first_frame)
		kill(parent, SIGKILL);
	CHECK(waitpid(parent, &status, 0) == parent);
	CHECK(waitpid(orphans.trainer, &status, 0) == orphans.trainer);
	if (wait_for_first_frame)
	{
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		kill(orphans.holder, SIGKILL);
		CHECK(waitpid(orphans.holder, &status, 0) == orphans.holder);
	}
	else
		CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
	close(report[0]);
	close(report[1]);
	close_files(files);
}

/* When nobody listens any more, it ends. */
static void
test_lost_backend(void)
{
	Files		files = endless_job();
	int			end;
	pid_t		pid = start(files, &end);
	uint8_t		byte;
	int			status;

	CHECK(read_all(end, &byte, 1) == 1);
	close(end);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
	close_files(files);
}

/* Its score for the kernel's out-of-memory killer, and its descriptors. */
static void
test_process(void)
{
	Files		files = endless_job();
	int			stray = memory_file("x", 1);
	int			end;
	char		path[64];
	char		text[16] = "";
	uint8_t		byte;
	int			status;

	fcntl(stray, F_SETFD, 0);

	pid_t		pid = start(files, &end);

	CHECK(read_all(end, &byte, 1) == 1);
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int) pid);

	int			fd = open(path, O_RDONLY | O_CLOEXEC);

	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	CHECK_TEXT(text, "1000\n");
	close(fd);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int) pid, stray);
	CHECK(readlink(path, text, sizeof(text)) < 0 && errno == ENOENT);
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, &status, 0) == pid);
	close(end);
	close(stray);
	close_files(files);
}

/* By hand it explains itself. */
static void
check_by_hand(const char *argument, int expected, const char *words)
{
	char		command[512];
	char		text[512];

	snprintf(command, sizeof(command), "'%s' %s 2>&1 </dev/null 3<&- 4<&- 5<&- 6<&-", program, argument);

	FILE	   *output = popen(command, "re");
	size_t		n = fread(text, 1, sizeof(text) - 1, output);
	int			status = pclose(output);

	text[n] = '\0';
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == expected);
	CHECK(strstr(text, words) != NULL);
}

int
main(void)
{
	program = getenv("MLOPS_TRAINER");
	if (program == NULL || access(program, X_OK) != 0)
	{
		CHECK_SKIP("MLOPS_TRAINER names no program");
		return check_done();
	}
	alarm(PATIENCE);
	signal(SIGPIPE, SIG_IGN);
	check_training("baseline", TASK_REGRESSION, STORAGE_FLOAT64, "rmse", 0);
	check_training("linear_regression", TASK_REGRESSION, STORAGE_FLOAT64, "r2", 0.75);
	check_training("gradient_boosting", TASK_REGRESSION, STORAGE_FLOAT64, "r2", 0.7);
	check_training("baseline", TASK_BINARY, STORAGE_CODE, "accuracy", 0.4);
	check_training("logistic_regression", TASK_BINARY, STORAGE_CODE, "roc_auc", 0.8);
	check_training("gradient_boosting", TASK_BINARY, STORAGE_CODE, "roc_auc", 0.75);
	test_threads();
	test_evaluation();
	test_continuing();
	test_importance();
	test_refusals();
	test_notices();
	test_hostile();
	check_orphan(true);
	check_orphan(false);
	test_lost_backend();
	test_process();
	check_by_hand("--version", 0, "mlops-trainer ");
	check_by_hand("", 2, "usage");
	return check_done();
}
