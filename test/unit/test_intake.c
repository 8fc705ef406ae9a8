/*
 * test_intake.c
 *		Rows that reach the trainer while they are being written.
 */
#include "trainer_case.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define BLOCKS 5
#define MANY_ROWS (BLOCKS * MATRIX_BLOCK_ROWS - 1000)

#define ROOM ((uint64_t) 64 << 20)	/* more than rows and their sums take */

/* A matrix that is laid out and empty, as the backend hands it over: a file of the size that it may have at most. */
static int
begun_file(const Matrix *matrix, uint64_t room)
{
	uint8_t		begun[sizeof(MatrixHeader) + 3 * sizeof(MatrixColumn)];
	MatrixHeader *header = (MatrixHeader *) begun;
	MatrixColumn *columns = (MatrixColumn *) (header + 1);

	memcpy(begun, matrix->base, sizeof(begun));
	header->size = header->n_rows = 0;
	for (int c = 0; c < 3; c++)
	{
		columns[c].n_codes = 0;
		columns[c].dictionary_offset = columns[c].dictionary_size = 0;
	}

	int			fd = memory_file(begun, sizeof(begun));

	if (ftruncate(fd, (off_t) room) != 0)
		exit(1);
	return fd;
}

/* Writes a part of the finished matrix. */
static void
write_part(int fd, const Matrix *matrix, uint64_t begin, uint64_t end)
{
	if (pwrite(fd, matrix->base + begin, end - begin, (off_t) begin) != (ssize_t) (end - begin))
		exit(1);
}

/* Waits until the trainer has read every word, and sleeps for want of another. */
static void
await_idle(pid_t pid, int end)
{
	for (;;)
	{
		char		path[64];
		char		text[512] = "";
		int			unread;

		if (ioctl(end, SIOCOUTQ, &unread) != 0)
			exit(1);
		snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);

		int			fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t		n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		const char *state = n > 0 ? strstr(text, ") ") : NULL;

		close(fd);
		if (!CHECK(state != NULL))
			return;
		if (unread == 0 && state[2] == 'S')
			return;
		usleep(1000);
	}
}

/* The same answer, whether rows come block by block or are there from the beginning. */
static void
check_same_model(ColumnStorage target, bool patient)
{
	Job			job = training("gradient_boosting", target == STORAGE_CODE ? TASK_BINARY : TASK_REGRESSION,
							   target == STORAGE_CODE ? LABEL_TEXT : LABEL_NONE);
	TestMatrix	test;
	const Matrix *matrix = &test.matrix;
	Buffer		bytes;
	Error		error;
	int			end;

	params[0] = 3;				/* n_estimators */
	job.n_threads = 2;
	make_many_rows(&test, target, MANY_ROWS);
	buffer_init(&bytes);
	CHECK_OK(job_write(&job, &bytes, &error), &error);

	Answer		whole = run_job(&job, &test, NULL);
	Files		files = {memory_file(NULL, 0), begun_file(matrix, ROOM), memory_file(NULL, 0), memory_file(NULL, 0)};
	pid_t		pid = start_early(files, &end);

	for (uint64_t block = 0; block + 1 < BLOCKS; block++)
	{
		uint64_t	begin = matrix->header->blocks_offset + block * matrix->header->block_size;

		write_part(files.matrix, matrix, begin, begin + matrix->header->block_size);
		CHECK(tell_rows(end, (block + 1) * MATRIX_BLOCK_ROWS));
		if (patient)
			await_idle(pid, end);
	}
	write_part(files.matrix, matrix, 0, matrix->header->size);
	if (pwrite(files.job, bytes.data, bytes.size, 0) != (ssize_t) bytes.size)
		exit(1);
	CHECK(tell_rows(end, ROWS_COMPLETE));

	Answer		piecewise = hear_out(files, pid, end);

	if (CHECK(whole.finished && piecewise.finished))
	{
		CHECK(whole.model.size == piecewise.model.size && memcmp(whole.model.data, piecewise.model.data, whole.model.size) == 0);
		CHECK(memcmp(whole.result.fingerprint, piecewise.result.fingerprint, sizeof(whole.result.fingerprint)) == 0);
		CHECK(memcmp(whole.result.columns, piecewise.result.columns, 3 * sizeof(ColumnProfile)) == 0);
	}
	answer_free(&whole);
	answer_free(&piecewise);
	buffer_free(&bytes);
	test_matrix_free(&test);
}

/* Words that cannot be: fewer rows than before, more than the file holds. */
static void
check_refused(uint64_t first, uint64_t second)
{
	TestMatrix	test;
	int			end;

	make_rows(&test, STORAGE_CODE);

	Files		files = {memory_file(NULL, 0), begun_file(&test.matrix, test.matrix.header->size), memory_file(NULL, 0), memory_file(NULL, 0)};
	pid_t		pid = start_early(files, &end);

	(void) tell_rows(end, first);
	(void) tell_rows(end, second);

	Answer		answer = hear_out(files, pid, end);

	CHECK(!answer.finished && answer.error.code == ERROR_CORRUPTED);
	CHECK(WIFEXITED(answer.status) && WEXITSTATUS(answer.status) == EXIT_FAILURE);
	answer_free(&answer);
	test_matrix_free(&test);
}

/* Pages ahead of the rows and sums of the rows together take no more memory than the matrix may still have. */
static void
test_memory_while_reading(void)
{
	TestMatrix	test;
	const Matrix *matrix = &test.matrix;
	int			end;
	struct stat whole;

	make_many_rows(&test, STORAGE_FLOAT64, MANY_ROWS);

	uint64_t	begin = matrix->header->blocks_offset;
	uint64_t	rows_end = begin + 3 * matrix->header->block_size;
	uint64_t	sums = 64 * MATRIX_BLOCK_ROWS * sizeof(uint64_t);	/* for as many blocks there is room at first */
	uint64_t	left = matrix->header->block_size / 4;	/* but for those */
	Files		files = {memory_file(NULL, 0), begun_file(matrix, rows_end + sums + left), memory_file(NULL, 0), memory_file(NULL, 0)};
	pid_t		pid = start_early(files, &end);

	write_part(files.matrix, matrix, begin, rows_end);
	CHECK(tell_rows(end, MATRIX_BLOCK_ROWS));
	await_idle(pid, end);
	CHECK(tell_rows(end, 3 * MATRIX_BLOCK_ROWS));
	await_idle(pid, end);
	CHECK(fstat(files.matrix, &whole) == 0);
	CHECK((uint64_t) whole.st_blocks * 512 <= rows_end + left + sysconf(_SC_PAGESIZE));
	close(end);
	CHECK(waitpid(pid, NULL, 0) == pid);
	close_files(files);
	test_matrix_free(&test);
}

/* The backend goes before its rows are complete: so does the trainer, and says nothing. */
static void
test_lost_while_reading(void)
{
	TestMatrix	test;
	int			end;
	int			status;

	make_rows(&test, STORAGE_CODE);

	Files		files = {memory_file(NULL, 0), begun_file(&test.matrix, test.matrix.header->size), memory_file(NULL, 0), memory_file(NULL, 0)};
	pid_t		pid = start_early(files, &end);

	await_idle(pid, end);
	close(end);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
	close_files(files);
	test_matrix_free(&test);
}

int
main(void)
{
	if (!trainer_found())
		return check_done();
	check_same_model(STORAGE_CODE, true);
	check_same_model(STORAGE_FLOAT64, true);
	check_same_model(STORAGE_FLOAT64, false);
	check_refused(MATRIX_BLOCK_ROWS, 0);
	check_refused(0, UINT64_MAX - 1);
	test_lost_while_reading();
	test_memory_while_reading();
	return check_done();
}
