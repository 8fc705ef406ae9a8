/*
 * trainer_case.h
 *		The program mlops-trainer, started as a backend starts it.
 *
 * The environment variable MLOPS_TRAINER names the program; "make unit" builds
 * one with sanitizers for the tests.
 */
#ifndef MLOPS_TEST_TRAINER_CASE_H
#define MLOPS_TEST_TRAINER_CASE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "core/fit/table/table.h"
#include "core/hash.h"
#include "core/job.h"
#include "core/model/model.h"
#include "support_matrix.h"

extern char **environ;

#define PATIENCE 300			/* seconds until a test that hangs is ended */
#define ROWS 600

static const char *trainer_program;
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
	Buffer		reference;		/* what a training froze beside it */
} Answer;

static inline int
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

static inline Files
open_files(const void *job, size_t job_size, const void *matrix, size_t matrix_size, const void *model, size_t model_size)
{
	return (Files) {memory_file(job, job_size), memory_file(matrix, matrix_size), memory_file(model, model_size), memory_file(NULL, 0)};
}

static inline void
close_files(Files files)
{
	close(files.job);
	close(files.matrix);
	close(files.model);
	close(files.errors);
}

/* Tells the program how many rows are complete. */
static inline bool
tell_rows(int end, uint64_t word)
{
	return send(end, &word, sizeof(word), MSG_NOSIGNAL) == (ssize_t) sizeof(word);
}

/* Starts the program, which waits for its rows; *end: our side of its socket. */
static inline pid_t
start_early(Files files, int *end)
{
	char	   *arguments[] = {(char *) trainer_program, NULL};
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
	if (posix_spawn(&pid, trainer_program, &actions, NULL, arguments, environ) != 0)
	{
		perror(trainer_program);
		exit(1);
	}
	posix_spawn_file_actions_destroy(&actions);
	close(child_end);
	if (init >= 0)
		close(init);
	return pid;
}

/* Starts it on rows that are complete. */
static inline pid_t
start(Files files, int *end)
{
	pid_t		pid = start_early(files, end);

	CHECK(tell_rows(*end, ROWS_COMPLETE));
	return pid;
}

/* n bytes, or fewer at the end of the stream. */
static inline size_t
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

static inline void
append_line(char *text, size_t size, Reader *body)
{
	char		line[2048];

	reader_string(body, line, sizeof(line));
	CHECK(!body->failed);
	snprintf(text + strlen(text), size - strlen(text), "%s\n", line);
}

static inline void
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
static inline void
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
static inline void
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

/* Hears a program to its end, and closes its files. */
static inline Answer
hear_out(Files files, pid_t pid, int end)
{
	Answer		answer = {.finished = false};

	buffer_init(&answer.model);
	buffer_init(&answer.reference);
	error_clear(&answer.error);
	listen_to(end, &answer);
	close(end);
	if (waitpid(pid, &answer.status, 0) != pid)
		exit(1);

	off_t		size = lseek(files.model, 0, SEEK_END);

	buffer_zeros(&answer.model, (size_t) size);
	if (pread(files.model, answer.model.data, (size_t) size, 0) != size)
		exit(1);
	if (answer.finished && answer.result.model_size > 0 && CHECK(answer.result.model_size + answer.result.reference_size == (uint64_t) size))
	{
		buffer_bytes(&answer.reference, answer.model.data + answer.result.model_size, answer.result.reference_size);
		answer.model.size = answer.result.model_size;
	}
	check_last_words(files.errors, &answer);
	close_files(files);
	return answer;
}

/* Runs a job from its bytes to its end. */
static inline Answer
run_bytes(const void *job, size_t job_size, const void *matrix, size_t matrix_size, const Buffer *model)
{
	Files		files = open_files(job, job_size, matrix, matrix_size, model != NULL ? model->data : NULL, model != NULL ? model->size : 0);
	int			end;
	pid_t		pid = start(files, &end);

	return hear_out(files, pid, end);
}

static inline void
answer_free(Answer *answer)
{
	result_free(&answer->result);
	buffer_free(&answer->model);
	buffer_free(&answer->reference);
}

/* ---- Jobs ---- */

static RecipePlan plans[2];
static double params[64];
static bool params_given[64];

static inline Job
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

static inline Answer
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
static inline void
begin_matrix(TestMatrix *matrix, ColumnStorage target)
{
	MatrixColumn columns[] = {
		test_column("size", KIND_NUMBER, STORAGE_FLOAT64, ROLE_FEATURE),
		test_column("colour", KIND_CATEGORY, STORAGE_CODE, ROLE_FEATURE),
		test_column("target", target == STORAGE_CODE ? KIND_CATEGORY : KIND_NUMBER, target, ROLE_TARGET)
	};

	test_matrix_begin(matrix, 0, columns, 3);
}

static inline void
make_many_rows(TestMatrix *matrix, ColumnStorage target, uint64_t n)
{
	static const char *const colours[] = {"red", "green", "blue"};

	begin_matrix(matrix, target);
	for (uint64_t i = 0; i < n; i++)
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

static inline void
make_rows(TestMatrix *matrix, ColumnStorage target)
{
	make_many_rows(matrix, target, ROWS);
}

static inline double
answer_metric(const Answer *answer, const char *name, bool baseline)
{
	for (uint32_t i = 0; i < answer->result.n_metrics; i++)
		if (strcmp(answer->result.metrics[i].name, name) == 0)
			return baseline ? answer->result.metrics[i].baseline : answer->result.metrics[i].value;
	return NAN;
}

/* Finds the program; false, and said, where there is none. */
static inline bool
trainer_found(void)
{
	trainer_program = getenv("MLOPS_TRAINER");
	if (trainer_program == NULL || access(trainer_program, X_OK) != 0)
	{
		CHECK_SKIP("MLOPS_TRAINER names no program");
		return false;
	}
	alarm(PATIENCE);
	signal(SIGPIPE, SIG_IGN);
	return true;
}

#endif
