/*
 * trainer_process.c
 *		Starting and ending the program mlops-trainer.
 *
 * The trainer is a child of this backend, in a process group of its own, so
 * that signals for the backend's group do not reach it.  It gets the files of
 * job.h and no others, and an environment of a few variables.  It ends with
 * the memory context that its TrainerProcess lives in, or, where the backend
 * dies without unwinding, by its own PR_SET_PDEATHSIG.
 */
#include "trainer_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/fd.h"

#include "../core.h"

#define LAST_WORDS 1024			/* bytes of stderr that are looked at */

/* Kills, reaps, closes. */
static void
trainer_release(void *argument)
{
	TrainerProcess *process = argument;

	if (process->pid > 0)
	{
		kill(process->pid, SIGKILL);
		while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (process->socket >= 0)
		close(process->socket);
	if (process->child_socket >= 0)
		close(process->child_socket);
	for (; process->n_external_fds > 0; process->n_external_fds--)
		ReleaseExternalFD();
}

/* The two ends of a socket, above the descriptors that the trainer's own are put to. */
static void
open_socket(TrainerProcess *process)
{
	int			ends[2];

	for (int i = 0; i < 2; i++)
	{
		if (!AcquireExternalFD())
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
					 errmsg("too many open files to start a trainer: %m")));
		process->n_external_fds++;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not make a socket for the trainer: %m")));
	process->socket = ends[0];
	process->child_socket = ends[1];
	if (process->child_socket <= TRAINER_FD_LAST)
	{
		int			fd = fcntl(process->child_socket, F_DUPFD_CLOEXEC, TRAINER_FD_LAST + 1);

		close(process->child_socket);
		process->child_socket = fd;
	}
	if (process->child_socket < 0 || fcntl(process->socket, F_SETFL, O_NONBLOCK) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not prepare the trainer's socket: %m")));
}

/* The program beside the running server's. */
static char *
trainer_path(void)
{
	char		directory[MAXPGPATH];

	strlcpy(directory, my_exec_path, sizeof(directory));
	get_parent_directory(directory);
	return psprintf("%s/mlops-trainer", directory);
}

/* "NAME=value" of a variable of ours where it is set, else NULL. */
static char *
inherited(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? psprintf("%s=%s", name, value) : NULL;
}

/* Spawns with files from TRAINER_FD_SOCKET on; an errno value. */
static int
spawn(TrainerProcess *process, char *path, const int *files, int n_files)
{
	char	   *arguments[] = {path, NULL};
	char	   *environment[5] = {"LC_ALL=C", "OPENBLAS_NUM_THREADS=1", NULL};
	char	   *core_type = inherited("OPENBLAS_CORETYPE");
	char	   *library_path = inherited("LD_LIBRARY_PATH");
	int			n = 2;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t	signals;
	int			failure;

	if (core_type != NULL)
		environment[n++] = core_type;
	if (library_path != NULL)
		environment[n++] = library_path;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, process->errors->fd, STDERR_FILENO);
	for (int i = 0; i < n_files; i++)
		posix_spawn_file_actions_adddup2(&actions, files[i], TRAINER_FD_SOCKET + i);
	posix_spawn_file_actions_addclosefrom_np(&actions, TRAINER_FD_SOCKET + n_files);

	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	sigemptyset(&signals);
	posix_spawnattr_setsigmask(&attributes, &signals);
	sigfillset(&signals);
	posix_spawnattr_setsigdefault(&attributes, &signals);

	failure = posix_spawn(&process->pid, path, &actions, &attributes, arguments, environment);
	if (failure != 0)
		process->pid = 0;
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return failure;
}

/* Starts a trainer. */
TrainerProcess *
trainer_start(const MemoryFile *job, const MemoryFile *matrix, const MemoryFile *model, const MemoryFile *init)
{
	TrainerProcess *process = palloc0(sizeof(TrainerProcess));
	char	   *path = trainer_path();
	int			failure;

	trainer_reap();
	process->socket = process->child_socket = -1;
	process->cleanup.func = trainer_release;
	process->cleanup.arg = process;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &process->cleanup);
	process->errors = memory_file_create("mlops-stderr", 0, false);
	open_socket(process);

	{
		int			files[] = {process->child_socket, job->fd, matrix->fd, model->fd, init != NULL ? init->fd : -1};

		failure = spawn(process, path, files, (int) lengthof(files) - (init == NULL ? 1 : 0));
	}
	if (failure != 0)
	{
		errno = failure;
		ereport(ERROR,
				(errcode(failure == ENOENT || failure == EACCES ? ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE : ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("could not start \"%s\": %m", path),
				 errhint("\"make install\" of mlops puts it beside the server's programs.")));
	}
	close(process->child_socket);
	process->child_socket = -1;
	return process;
}

/* Waits for a trainer that has closed its socket. */
int
trainer_wait(TrainerProcess *process)
{
	int			status = 0;

	while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
		;
	process->pid = 0;
	return status;
}

/* The last line that a trainer wrote to stderr, or NULL. */
static char *
last_words(const TrainerProcess *process)
{
	size_t		size = memory_file_size(process->errors);
	size_t		n = Min(size, LAST_WORDS);
	char	   *text = palloc(n + 1);
	char	   *line;

	memory_file_read(process->errors, size - n, text, n);
	while (n > 0 && isspace((unsigned char) text[n - 1]))
		n--;
	text[n] = '\0';
	line = strrchr(text, '\n');
	line = line != NULL ? line + 1 : text;
	line[pg_encoding_verifymbstr(GetDatabaseEncoding(), line, (int) strlen(line))] = '\0';
	return *line != '\0' ? line : NULL;
}

/* Raises the death of a trainer. */
void
trainer_report_death(const TrainerProcess *process, int status, const char *phase)
{
	char	   *words = last_words(process);
	char	   *how = WIFSIGNALED(status)
		? psprintf("was terminated by signal %d (%s)", WTERMSIG(status), pg_strsignal(WTERMSIG(status)))
		: psprintf("ended with status %d", WEXITSTATUS(status));

	ereport(ERROR,
			(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
			 errmsg("the trainer %s during: %s", how, phase),
			 words != NULL ? errdetail("Its last words: %s", words) : errdetail("It said nothing."),
			 WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
			 ? errhint("The kernel kills a trainer first when memory runs out: lower mlops.max_memory, or train on fewer rows or columns.")
			 : errhint("Nothing was stored. The server is not affected.")));
	pg_unreachable();
}
