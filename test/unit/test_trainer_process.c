/*
 * test_trainer_process.c
 *		The trainer as a process: its life and death, what it keeps and gives away.
 */
#include "trainer_case.h"

#include <sys/prctl.h>

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

	snprintf(command, sizeof(command), "'%s' %s 2>&1 </dev/null 3<&- 4<&- 5<&- 6<&-", trainer_program, argument);

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
	if (!trainer_found())
		return check_done();
	check_orphan(true);
	check_orphan(false);
	test_lost_backend();
	test_process();
	check_by_hand("--version", 0, "mlops-trainer ");
	check_by_hand("", 2, "usage");
	return check_done();
}
