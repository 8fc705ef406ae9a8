/*
 * main.c
 *		mlops-trainer: the program that fits models.
 *
 * A backend starts it with the descriptors of job.h, and it does the one job
 * that it finds there: takes the rows as they come, fits, judges, writes the
 * model, and sends a result or an error.  It knows no PostgreSQL and no file.  When its
 * parent dies, it dies; when it dies, one statement fails.
 */
#include "trainer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process.h"

#define EXIT_USAGE 2

/* More threads than any setting asks for. */
#define THREADS_MAX 1024

const void *
map_descriptor(int fd, const char *what, size_t *size, Error *error)
{
	struct stat status;

	if (fstat(fd, &status) != 0 || status.st_size <= 0)
	{
		error_set(error, ERROR_CORRUPTED, "the %s is empty", what);
		return NULL;
	}
	*size = (size_t) status.st_size;

	void	   *bytes = mmap(NULL, *size, PROT_READ, MAP_SHARED, fd, 0);

	if (bytes == MAP_FAILED)
	{
		error_set(error, ERROR_MEMORY, "cannot map the %s of %zu bytes: %s", what, *size, strerror(errno));
		return NULL;
	}
	return bytes;
}

bool
write_descriptor(int fd, const Buffer *bytes, Error *error)
{
	for (size_t done = 0; done < bytes->size;)
	{
		ssize_t		written = write(fd, bytes->data + done, bytes->size - done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return error_set(error, ERROR_MEMORY, "cannot write %zu bytes of the model: %s", bytes->size, strerror(errno));
		done += (size_t) written;
	}
	return true;
}

/* Reads the job, which says how much memory and how many threads there are. */
static bool
read_job(Trainer *trainer, Error *error)
{
	size_t		size;
	const void *bytes = map_descriptor(TRAINER_FD_JOB, "job", &size, error);

	if (bytes == NULL)
		return false;

	bool		read = job_read(&trainer->job, bytes, size, error);

	munmap((void *) bytes, size);
	if (read && trainer->job.n_threads > THREADS_MAX)
		return error_set(error, ERROR_CORRUPTED, "the job asks for %u threads, more than %d", trainer->job.n_threads, THREADS_MAX);
	return read;
}

/* The job from its bytes to a filled result. */
static bool
run_job(Trainer *trainer, Error *error)
{
	if (!intake_rows(trainer, error))
		return false;
	timing_start(trainer);
	if (matrix_find_role(&trainer->matrix, ROLE_TARGET) < 0)
		return error_set(error, ERROR_CORRUPTED, "the rows have no target column");
	if (!read_job(trainer, error))
		return false;

	uint64_t	budget = trainer->job.max_memory;
	uint64_t	rows = trainer->matrix.header->size;

	/* the rows count towards the budget, but are not ours to allocate */
	budget -= budget < rows ? budget : rows;
	process_limit_memory(budget, trainer->job.n_threads);
	trainer->pool = pool_create((int) trainer->job.n_threads, error);
	if (trainer->pool == NULL)
		return false;
	timing_mark(trainer, "start");
	switch (trainer->job.kind)
	{
		case JOB_TRAIN:
			return train_job(trainer, error);
		case JOB_EVALUATE:
			return evaluate_job(trainer, error);
		case JOB_IMPORTANCE:
			return importance_job(trainer, error);
		case JOB_COMPARE:
			return compare_job(trainer, error);
	}
	return error_set(error, ERROR_CORRUPTED, "the job is of unknown kind %d", (int) trainer->job.kind);
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
	{
		printf("mlops-trainer %s\n", MLOPS_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc > 1 || !process_has_job())
	{
		fprintf(stderr, "usage: mlops-trainer is started by a PostgreSQL server that has the extension mlops; by hand only with --version\n");
		return EXIT_USAGE;
	}
	process_isolate();

	Trainer		trainer = {.channel = {TRAINER_FD_SOCKET}};
	Error		error;

	error_clear(&error);
	arena_init(&trainer.arena);

	bool		done = run_job(&trainer, &error);

	trainer.result.peak_memory = process_peak_memory();
	done = done && channel_result(&trainer.channel, &trainer.result, &error);
	if (!done)
		channel_error(&trainer.channel, &error);

	/* The backend need not wait until the kernel has taken this process's memory back. */
	close(TRAINER_FD_SOCKET);

	/* Freed so that a leak checker sees what else was forgotten. */
	if (trainer.pool != NULL)
		pool_destroy(trainer.pool);
	arena_free(&trainer.arena);
	free(trainer.hashed.sums);
	free(trainer.tallies);
	freeze_ahead_end(&trainer);
	result_free(&trainer.result);
	job_free(&trainer.job);
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
