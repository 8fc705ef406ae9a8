/*
 * process.c
 *		What the trainer makes of its process before it works.
 *
 * A trainer must not outlive the backend that wants its result, must not
 * take the server's memory, and must not keep the server's files open.
 */
#include "process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../core/job.h"

/* Beside the budget: BLAS's buffer, of which little is touched, and for each thread its stack and malloc's arena. */
#define SLACK_PROCESS	(UINT64_C(256) * 1024 * 1024)
#define SLACK_THREAD	(UINT64_C(16) * 1024 * 1024)

bool
process_has_job(void)
{
	struct stat status;

	for (int fd = TRAINER_FD_SOCKET; fd <= TRAINER_FD_MODEL; fd++)
		if (fstat(fd, &status) != 0 || S_ISSOCK(status.st_mode) != (fd == TRAINER_FD_SOCKET))
			return false;
	return true;
}

/*
 * Makes the parent's death ours.  A parent that died before prctl() sends
 * nothing, but then another process than the one that made the socket is our
 * parent.
 */
static void
tie_to_parent(void)
{
	struct ucred peer;
	socklen_t	size = sizeof(peer);

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
		getsockopt(TRAINER_FD_SOCKET, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
		peer.pid != getppid())
		_exit(EXIT_FAILURE);
}

/* Lets the kernel take this process before any of the server's when memory runs out; needs no privilege. */
static void
volunteer_for_oom(void)
{
	int			fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;					/* no /proc: the kernel chooses by size, which is us as well */

	ssize_t		written = write(fd, "1000", 4);

	(void) written;
	close(fd);
}

/* All signals to their defaults and none blocked, except that writing to a lost backend is an error we see. */
static void
reset_signals(void)
{
	sigset_t	none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void
process_isolate(void)
{
	struct rlimit no_core = {0, 0};

	tie_to_parent();
	volunteer_for_oom();
	reset_signals();
	close_range(TRAINER_FD_LAST + 1, ~0U, 0);
	setrlimit(RLIMIT_CORE, &no_core);
}

/* A field of /proc/self/status in bytes, 0 where it is not there. */
static uint64_t
status_bytes(const char *field)
{
	FILE	   *status = fopen("/proc/self/status", "re");
	char		line[256];
	size_t		length = strlen(field);
	uint64_t	bytes = 0;

	if (status == NULL)
		return 0;
	while (fgets(line, sizeof(line), status) != NULL)
		if (strncmp(line, field, length) == 0 && line[length] == ':')
			bytes = strtoull(line + length + 1, NULL, 10) * 1024;
	fclose(status);
	return bytes;
}

/*
 * RLIMIT_DATA counts private writable memory: what we allocate, not the
 * matrix that we are handed.  What is mapped already comes on top of the
 * budget, because it is there before any job.
 */
void
process_limit_memory(uint64_t budget, uint32_t n_threads)
{
	uint64_t	bytes = status_bytes("VmData") + SLACK_PROCESS + n_threads * SLACK_THREAD;
	struct rlimit limit;

	if (__builtin_add_overflow(bytes, budget, &bytes) || getrlimit(RLIMIT_DATA, &limit) != 0)
		return;
	if (limit.rlim_cur == RLIM_INFINITY || bytes < limit.rlim_cur)
	{
		limit.rlim_cur = bytes;
		setrlimit(RLIMIT_DATA, &limit);
	}
}

uint64_t
process_peak_memory(void)
{
	uint64_t	peak = status_bytes("VmHWM");
	uint64_t	shared = status_bytes("RssShmem");

	return peak > shared ? peak - shared : 0;
}
