/*
 * threads.c
 *		A pool of threads for the trainer.
 *
 * Tasks are handed out by an atomic counter.  A job is published by a new
 * generation; workers enter it through a gate, and the caller closes the gate
 * when the counter is exhausted and waits for those inside.  A worker that
 * wakes late finds the gate closed: nobody waits for it, and it cannot take
 * tasks of a job that it did not enter.  Everybody spins for a bounded time
 * (the gaps between the jobs of a fit are short) and then sleeps.
 *
 * The job's fields are written while the gate is closed and read by those
 * inside.  `mutex` protects nothing but the two condition variables.
 */
#include "threads.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SPIN_ROUNDS 2000		/* some tens of microseconds */
#define GATE_OPEN	UINT32_C(0x80000000)	/* the other bits count the workers inside */

typedef struct PoolWorker
{
	ThreadPool *pool;
	pthread_t	thread;
	int			number;			/* 1 .. n_threads - 1 */
} PoolWorker;

struct ThreadPool
{
	int			n_threads;
	int			n_started;		/* workers that run, for pool_destroy */
	PoolWorker *workers;
	pthread_mutex_t mutex;
	pthread_cond_t job_published;
	pthread_cond_t job_left;

	/* the job */
	PoolThreadWork work;
	void	   *argument;
	size_t		n_tasks;

	_Alignas(64) atomic_size_t next_task;
	_Alignas(64) atomic_uint generation;
	atomic_bool stopping;
	_Alignas(64) atomic_uint gate;
	atomic_int	sleepers;		/* workers asleep, or about to be */
	atomic_bool caller_sleeps;	/* the same of the caller */
};

/* Tells the core that this is a spin loop. */
static inline void
spin_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ __volatile__("yield");
#endif
}

/* Takes tasks until none is left. */
static void
run_tasks(ThreadPool *pool, int thread)
{
	for (;;)
	{
		size_t		task = atomic_fetch_add_explicit(&pool->next_task, 1, memory_order_relaxed);

		if (task >= pool->n_tasks)
			return;
		pool->work(pool->argument, task, thread);
	}
}

/* Waits for a generation other than `seen`; returns it. */
static unsigned
await_generation(ThreadPool *pool, unsigned seen)
{
	unsigned	generation;

	for (int i = 0; i < SPIN_ROUNDS; i++)
	{
		generation = atomic_load(&pool->generation);
		if (generation != seen)
			return generation;
		spin_pause();
	}
	pthread_mutex_lock(&pool->mutex);
	atomic_fetch_add(&pool->sleepers, 1);
	while ((generation = atomic_load(&pool->generation)) == seen)
		pthread_cond_wait(&pool->job_published, &pool->mutex);
	atomic_fetch_sub(&pool->sleepers, 1);
	pthread_mutex_unlock(&pool->mutex);
	return generation;
}

/* Makes a new generation known. */
static void
publish_generation(ThreadPool *pool)
{
	atomic_fetch_add(&pool->generation, 1);
	if (atomic_load(&pool->sleepers) > 0)
	{
		pthread_mutex_lock(&pool->mutex);
		pthread_cond_broadcast(&pool->job_published);
		pthread_mutex_unlock(&pool->mutex);
	}
}

/* Enters the job; false where it is over. */
static bool
enter_gate(ThreadPool *pool)
{
	unsigned	gate = atomic_load(&pool->gate);

	while (gate & GATE_OPEN)
		if (atomic_compare_exchange_weak(&pool->gate, &gate, gate + 1))
			return true;
	return false;
}

/* Leaves the job; the last one out wakes the caller. */
static void
leave_gate(ThreadPool *pool)
{
	if (atomic_fetch_sub(&pool->gate, 1) == 1 && atomic_load(&pool->caller_sleeps))
	{
		pthread_mutex_lock(&pool->mutex);
		pthread_cond_signal(&pool->job_left);
		pthread_mutex_unlock(&pool->mutex);
	}
}

/* Lets nobody in any more, and waits until those inside have left. */
static void
close_gate(ThreadPool *pool)
{
	atomic_fetch_and(&pool->gate, ~GATE_OPEN);
	for (int i = 0; i < SPIN_ROUNDS; i++)
	{
		if (atomic_load(&pool->gate) == 0)
			return;
		spin_pause();
	}
	pthread_mutex_lock(&pool->mutex);
	atomic_store(&pool->caller_sleeps, true);
	while (atomic_load(&pool->gate) != 0)
		pthread_cond_wait(&pool->job_left, &pool->mutex);
	atomic_store(&pool->caller_sleeps, false);
	pthread_mutex_unlock(&pool->mutex);
}

/* A worker's life. */
static void *
worker_main(void *argument)
{
	PoolWorker *worker = argument;
	ThreadPool *pool = worker->pool;
	unsigned	seen = 0;

	for (;;)
	{
		seen = await_generation(pool, seen);
		if (atomic_load(&pool->stopping))
			return NULL;
		if (enter_gate(pool))
		{
			run_tasks(pool, worker->number);
			leave_gate(pool);
		}
	}
}

/* Starts n_threads - 1 workers with all signals blocked: signals belong to the caller's thread. */
ThreadPool *
pool_create(int n_threads, Error *error)
{
	ThreadPool *pool = aligned_alloc(_Alignof(ThreadPool), sizeof(ThreadPool));

	if (pool == NULL)
	{
		error_set(error, ERROR_MEMORY, "out of memory: failed on a request of %zu bytes", sizeof(ThreadPool));
		return NULL;
	}
	memset(pool, 0, sizeof(*pool));
	pool->n_threads = n_threads;
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_cond_init(&pool->job_published, NULL);
	pthread_cond_init(&pool->job_left, NULL);
	pool->workers = calloc((size_t) n_threads, sizeof(PoolWorker));
	if (pool->workers == NULL)
	{
		error_set(error, ERROR_MEMORY, "out of memory: failed on a request of %zu bytes", (size_t) n_threads * sizeof(PoolWorker));
		pool_destroy(pool);
		return NULL;
	}

	sigset_t	all;
	sigset_t	before;
	int			failure = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (failure == 0 && pool->n_started < n_threads - 1)
	{
		PoolWorker *worker = &pool->workers[pool->n_started];

		worker->pool = pool;
		worker->number = pool->n_started + 1;
		failure = pthread_create(&worker->thread, NULL, worker_main, worker);
		if (failure == 0)
			pool->n_started++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);

	if (failure != 0)
	{
		error_set(error, ERROR_LIMIT, "could not start thread %d of %d: %s", pool->n_started + 2, n_threads, strerror(failure));
		pool_destroy(pool);
		return NULL;
	}
	return pool;
}

/* Ends the workers and frees the pool; NULL is allowed. */
void
pool_destroy(ThreadPool *pool)
{
	if (pool == NULL)
		return;
	atomic_store(&pool->stopping, true);
	publish_generation(pool);
	for (int i = 0; i < pool->n_started; i++)
		pthread_join(pool->workers[i].thread, NULL);
	pthread_cond_destroy(&pool->job_left);
	pthread_cond_destroy(&pool->job_published);
	pthread_mutex_destroy(&pool->mutex);
	free(pool->workers);
	free(pool);
}

/* Threads that take part, the caller included. */
int
pool_threads(const ThreadPool *pool)
{
	return pool->n_threads;
}

/* Runs a job; the caller is thread 0. */
void
pool_for_thread(ThreadPool *pool, size_t n_tasks, PoolThreadWork work, void *argument)
{
	if (pool->n_threads == 1 || n_tasks <= 1)
	{
		for (size_t task = 0; task < n_tasks; task++)
			work(argument, task, 0);
		return;
	}
	pool->work = work;
	pool->argument = argument;
	pool->n_tasks = n_tasks;
	atomic_store(&pool->next_task, 0);
	atomic_fetch_or(&pool->gate, GATE_OPEN);
	publish_generation(pool);
	run_tasks(pool, 0);
	close_gate(pool);
}

typedef struct PlainWork
{
	PoolWork	work;
	void	   *argument;
} PlainWork;

/* A PoolWork as a PoolThreadWork. */
static void
run_plain(void *argument, size_t task, int thread)
{
	const PlainWork *plain = argument;

	(void) thread;
	plain->work(plain->argument, task);
}

/* Runs a job whose work need not know its thread. */
void
pool_for(ThreadPool *pool, size_t n_tasks, PoolWork work, void *argument)
{
	PlainWork	plain = {work, argument};

	pool_for_thread(pool, n_tasks, run_plain, &plain);
}
