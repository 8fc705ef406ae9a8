/*
 * trainer_reap.c
 *		Trainers whose result is there, until the kernel is done with them.
 *
 * Taking back the memory of a training takes the kernel a while: 35 ms for
 * 1,000,000 x 28.  No statement waits for that.  What is left behind is
 * reaped by a timer, also in a session that does nothing any more, and before
 * the next trainer starts.  Errors stop timers: the end of the transaction
 * sets it again.
 *
 * The list is changed by the timer's handler: it is stopped while others do.
 */
#include "trainer_process.h"

#include <signal.h>
#include <sys/wait.h>

#include "access/xact.h"
#include "utils/timeout.h"

#define LEFT_MAX 16
#define REAP_MS 50

static pid_t left[LEFT_MAX];
static int	n_left = 0;
static bool registered = false;
static TimeoutId timer;

/* Reaps those that are dead. */
static void
reap_dead(void)
{
	int			n = 0;

	for (int i = 0; i < n_left; i++)
	{
		pid_t		reaped = waitpid(left[i], NULL, WNOHANG);

		if (reaped == 0 || (reaped < 0 && errno == EINTR))
			left[n++] = left[i];
	}
	n_left = n;
}

/* Reaps, and comes back for the others. */
static void
reap_on_time(void)
{
	reap_dead();
	if (n_left > 0)
		enable_timeout_after(timer, REAP_MS);
}

/* At the end of each transaction. */
static void
reap_after_transaction(XactEvent event, void *argument)
{
	(void) argument;
	if (n_left > 0 && (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE))
		trainer_reap();
}

/* Reaps those left that are dead. */
void
trainer_reap(void)
{
	if (n_left == 0)
		return;
	disable_timeout(timer, false);
	reap_on_time();
}

/* Leaves a trainer behind. */
void
trainer_leave(TrainerProcess *process)
{
	if (!registered)
	{
		timer = RegisterTimeout(USER_TIMEOUT, reap_on_time);
		RegisterXactCallback(reap_after_transaction, NULL);
		registered = true;
	}
	disable_timeout(timer, false);
	reap_dead();

	/* with so many it stays its context's, whose end waits for it */
	if (n_left < LEFT_MAX)
	{
		kill(process->pid, SIGKILL);
		left[n_left++] = process->pid;
		process->pid = 0;
	}
	if (n_left > 0)
		enable_timeout_after(timer, REAP_MS);
}
