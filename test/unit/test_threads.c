/*
 * test_threads.c
 *		The pool: every task runs once, thread numbers are right, signals stay away.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "check.h"
#include "core/threads.h"

#define MAX_THREADS 8
#define MAX_TASKS	1000

typedef struct Counts
{
	atomic_int	runs[MAX_TASKS];
	atomic_int	busy[MAX_THREADS];	/* 1 while a thread of this number is in a task */
	atomic_int	clashes;		/* two at a time under one number */
	atomic_int	strangers;		/* thread numbers out of range */
	int			n_threads;
} Counts;

static void
count_task(void *argument, size_t task)
{
	Counts	   *counts = argument;

	atomic_fetch_add(&counts->runs[task], 1);
}

static void
count_thread_task(void *argument, size_t task, int thread)
{
	Counts	   *counts = argument;

	atomic_fetch_add(&counts->runs[task], 1);
	if (thread < 0 || thread >= counts->n_threads)
	{
		atomic_fetch_add(&counts->strangers, 1);
		return;
	}
	if (atomic_exchange(&counts->busy[thread], 1) != 0)
		atomic_fetch_add(&counts->clashes, 1);
	for (volatile int i = 0; i < 100; i++)
		;
	atomic_store(&counts->busy[thread], 0);
}

static bool
all_ran(Counts *counts, size_t n, int times)
{
	for (size_t i = 0; i < MAX_TASKS; i++)
	{
		if (atomic_load(&counts->runs[i]) != (i < n ? times : 0))
			return false;
	}
	return true;
}

static void
test_every_task_once(int n_threads)
{
	static const size_t sizes[] = {0, 1, 2, 3, 7, 64, MAX_TASKS};
	Error		error;
	ThreadPool *pool = pool_create(n_threads, &error);

	if (!CHECK_OK(pool != NULL, &error))
		return;
	CHECK(pool_threads(pool) == n_threads);
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
	{
		static Counts counts;

		memset(&counts, 0, sizeof(counts));
		counts.n_threads = n_threads;
		pool_for(pool, sizes[s], count_task, &counts);
		CHECK(all_ran(&counts, sizes[s], 1));
		pool_for_thread(pool, sizes[s], count_thread_task, &counts);
		CHECK(all_ran(&counts, sizes[s], 2));
		CHECK(atomic_load(&counts.clashes) == 0);
		CHECK(atomic_load(&counts.strangers) == 0);
	}
	pool_destroy(pool);
}

/* Jobs so short that workers come late to them, one after the other without a pause. */
static void
test_short_jobs(void)
{
	Error		error;
	ThreadPool *pool = pool_create(4, &error);
	bool		right = true;

	if (!CHECK_OK(pool != NULL, &error))
		return;
	for (int job = 0; job < 20000 && right; job++)
	{
		static Counts counts;
		size_t		n = (size_t) job % 5;

		for (size_t i = 0; i < 5; i++)
			atomic_store(&counts.runs[i], 0);
		pool_for(pool, n, count_task, &counts);
		for (size_t i = 0; i < 5; i++)
			right = right && atomic_load(&counts.runs[i]) == (i < n ? 1 : 0);
	}
	CHECK(right);
	pool_destroy(pool);
}

typedef struct SignalCheck
{
	pthread_t	caller;
	atomic_int	unblocked;		/* tasks on workers that found SIGTERM or SIGUSR1 unblocked */
	atomic_int	on_workers;
} SignalCheck;

static void
look_at_mask(void *argument, size_t task)
{
	SignalCheck *check = argument;
	sigset_t	mask;

	(void) task;
	if (pthread_equal(pthread_self(), check->caller))
	{
		/* let the workers have some */
		for (volatile int i = 0; i < 100000; i++)
			;
		return;
	}
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	atomic_fetch_add(&check->on_workers, 1);
	if (!sigismember(&mask, SIGTERM) || !sigismember(&mask, SIGUSR1))
		atomic_fetch_add(&check->unblocked, 1);
}

static void
test_signals_blocked(void)
{
	Error		error;
	sigset_t	before;
	sigset_t	after;
	ThreadPool *pool;
	SignalCheck check = {.caller = pthread_self()};

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	pool = pool_create(3, &error);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	if (!CHECK_OK(pool != NULL, &error))
		return;
	CHECK(sigismember(&before, SIGTERM) == sigismember(&after, SIGTERM));
	for (int round = 0; round < 1000 && atomic_load(&check.on_workers) == 0; round++)
		pool_for(pool, 100, look_at_mask, &check);
	CHECK(atomic_load(&check.on_workers) > 0);
	CHECK(atomic_load(&check.unblocked) == 0);
	pool_destroy(pool);
}

int
main(void)
{
	for (int n = 1; n <= 3; n++)
		test_every_task_once(n);
	test_every_task_once(MAX_THREADS);
	test_short_jobs();
	test_signals_blocked();
	return check_done();
}
