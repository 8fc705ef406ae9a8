/*
 * capture_ring.c
 *		The queue of captured predictions in shared memory.
 *
 * A ring of bytes.  Any number of backends put rows in: each reserves room
 * under a spinlock, which also writes the row's size and state, then copies
 * without any lock and marks the row READY.  So whoever walks over the ring
 * always finds whole headers, and a row that is being written holds up
 * nobody but itself.  Between reserving and publishing nothing can fail; a
 * process that is killed there makes the server start anew, by PostgreSQL's
 * own rules, and should it be gone in another way its row is given up.
 *
 * One writer at a time (src/jobs/capture_writer.c) takes rows out, those of
 * its database, in order; rows become DONE when its transaction has
 * committed, and the tail moves over what is done.  lock protects rows that
 * are READY against being finished while somebody looks at them.
 *
 * A crash loses what is in the ring, and capture_counters.c knows how much
 * that is; an orderly shutdown loses nothing (capture_save.c).
 */
#include "capture_ring.h"

#include <limits.h>

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "capture_parallel.h"
#include "capture_save.h"
#include "../clock.h"

#define RING_NAME "mlops capture queue"
#define DEFAULT_KILOBYTES (32 * 1024)
#define ID_BITS 21				/* of an id below its milliseconds */

CaptureShared *capture_shared;

static char *ring;				/* capture_shared->size bytes */
static int	capture_queue_size; /* mlops.capture_queue_size, kB */

static shmem_request_hook_type earlier_shmem_request;
static shmem_startup_hook_type earlier_shmem_startup;

static size_t
ring_size(void)
{
	return (size_t) capture_queue_size * 1024;
}

/* Asks for shared memory while the server starts. */
static void
request_memory(void)
{
	if (earlier_shmem_request != NULL)
		earlier_shmem_request();
	if (capture_queue_size == 0)
		return;
	RequestAddinShmemSpace(MAXALIGN(sizeof(CaptureShared)));
	RequestAddinShmemSpace(add_size(ring_size(), CAPTURE_ALIGNMENT));
	RequestAddinShmemSpace(capture_parallel_size());
	RequestNamedLWLockTranche(RING_NAME, 1);
}

/* Lays out shared memory, or finds it. */
static void
start_memory(void)
{
	bool		found;

	if (earlier_shmem_startup != NULL)
		earlier_shmem_startup();
	capture_shared = NULL;
	if (capture_queue_size == 0 || !capture_counters_mapped())
		return;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	capture_shared = ShmemInitStruct(RING_NAME, sizeof(CaptureShared), &found);
	ring = (char *) TYPEALIGN(CAPTURE_ALIGNMENT, ShmemInitStruct(RING_NAME " rows", add_size(ring_size(), CAPTURE_ALIGNMENT), &found));
	capture_parallel_start(ShmemInitStruct(RING_NAME " statements", capture_parallel_size(), &found), found);
	if (!found)
	{
		memset(capture_shared, 0, sizeof(CaptureShared));
		capture_shared->size = ring_size();
		capture_shared->lock = &GetNamedLWLockTranche(RING_NAME)->lock;
		SpinLockInit(&capture_shared->mutex);
		pg_atomic_init_u32(&capture_shared->sleeping, 0);
		ConditionVariableInit(&capture_shared->finished);
		capture_counters_restart();
		capture_restore();
	}
	LWLockRelease(AddinShmemInitLock);
	if (!IsUnderPostmaster)
		on_shmem_exit(capture_save, (Datum) 0);
}

/* The time now, to be given to a row. */
static inline TimestampTz
time_now(void)
{
	return unlikely(clock_stands()) ? clock_now() : GetCurrentTimestamp();
}

/* An id from the clock, larger than the last one; with the mutex held. */
static int64
take_id(TimestampTz *at, bool stands)
{
	int64	   *last = &capture_shared->last_ids[stands ? 1 : 0];
	int64		id = *at / 1000 << ID_BITS;

	if (id <= *last)
	{
		/* more than one in this millisecond, or the clock stepped back: the time follows the id */
		id = *last + 1;
		if (id >> ID_BITS != *at / 1000)
			*at = (id >> ID_BITS) * 1000;
	}
	*last = id;
	return id;
}

/* An id for a row that does not go through the queue. */
int64
capture_next_id(TimestampTz *at)
{
	int64		id;

	*at = time_now();
	SpinLockAcquire(&capture_shared->mutex);
	id = take_id(at, clock_stands());
	SpinLockRelease(&capture_shared->mutex);
	return id;
}

/* The time of an id. */
TimestampTz
capture_id_time(int64 prediction_id)
{
	return (prediction_id >> ID_BITS) * 1000;
}

/* The row at a position. */
static inline CaptureRow *
row_at(uint64 position)
{
	return (CaptureRow *) (ring + position % capture_shared->size);
}

/* Takes the next place, with what others may read of a row that is being written; NULL where there is no room. */
static CaptureRow *
take_place(size_t size, int64 model_id, TimestampTz *at)
{
	volatile CaptureShared *shared = capture_shared;
	bool		stands = clock_stands();
	CaptureRow *row = NULL;

	SpinLockAcquire(&capture_shared->mutex);

	/* a row never lies around the end: what is left there is padding */
	size_t		place = shared->head % shared->size;
	size_t		padding = place + size > shared->size ? shared->size - place : 0;

	if (shared->head + padding + size - shared->tail <= shared->size)
	{
		if (padding > 0)
		{
			row = row_at(shared->head);
			row->size = (uint32) padding;
			pg_atomic_init_u32(&row->state, CAPTURE_DONE);
		}
		row = row_at(shared->head + padding);
		row->size = (uint32) size;
		pg_atomic_init_u32(&row->state, CAPTURE_WRITING);
		row->database = MyDatabaseId;
		row->pid = MyProcPid;
		row->model_id = model_id;
		row->prediction_id = take_id(at, stands);
		shared->head += padding + size;
	}
	SpinLockRelease(&capture_shared->mutex);
	return row;
}

/* Reserves room for a row, and counts it. */
CaptureRow *
capture_ring_reserve(CaptureCounters *counted, int64 model_id, size_t data_size)
{
	size_t		size = TYPEALIGN(CAPTURE_ALIGNMENT, offsetof(CaptureRow, data) + data_size);
	TimestampTz at = time_now();
	CaptureRow *row = NULL;

	pg_atomic_fetch_add_u64(&counted->waiting, 1);
	if (size <= capture_shared->size / 4)
		row = take_place(size, model_id, &at);
	if (row == NULL)
	{
		pg_atomic_fetch_sub_u64(&counted->waiting, 1);
		pg_atomic_fetch_add_u64(&counted->dropped, 1);
		return NULL;
	}
	row->at = at;
	row->user = GetUserId();
	row->place = capture_counters_place(counted);
	row->error = 0;
	return row;
}

/* Room for a row that an earlier server left, with what it said. */
CaptureRow *
capture_ring_restore(const CaptureRow *saved)
{
	TimestampTz at = saved->at;
	CaptureRow *row = NULL;

	if (saved->size % CAPTURE_ALIGNMENT == 0 && saved->size <= capture_shared->size / 4)
		row = take_place(saved->size, saved->model_id, &at);
	if (row == NULL)
		return NULL;
	memcpy((char *) row + offsetof(CaptureRow, database), (const char *) saved + offsetof(CaptureRow, database),
		   offsetof(CaptureRow, data) - offsetof(CaptureRow, database));

	CaptureCounters *counted = capture_counters_restore(saved->database, saved->model_id);

	row->place = capture_counters_place(counted);
	pg_atomic_fetch_add_u64(&counted->waiting, 1);
	return row;
}

/* Gives a row that is filled in to the writer. */
void
capture_ring_publish(CaptureRow *row)
{
	pg_write_barrier();
	pg_atomic_write_u32(&row->state, CAPTURE_READY);
	pg_memory_barrier();
	if (pg_atomic_read_u32(&capture_shared->sleeping) != 0 && pg_atomic_exchange_u32(&capture_shared->sleeping, 0) != 0)
		capture_wake_launcher();
}

/* Wakes the launcher. */
void
capture_wake_launcher(void)
{
	Latch	   *latch = *(Latch *volatile *) &capture_shared->launcher;

	if (latch != NULL)
		SetLatch(latch);
}

/* Where the queue ends and begins. */
void
capture_ring_bounds(uint64 *tail, uint64 *head)
{
	SpinLockAcquire(&capture_shared->mutex);
	*tail = capture_shared->tail;
	*head = capture_shared->head;
	SpinLockRelease(&capture_shared->mutex);
}

/* Walks over the queue. */
CaptureRow *
capture_ring_next(uint64 *position)
{
	CaptureRow *row = row_at(*position);

	*position += row->size;
	return row;
}

/* Moves the tail. */
void
capture_ring_advance(void)
{
	uint64		tail;
	uint64		head;

	capture_ring_bounds(&tail, &head);
	while (tail < head && pg_atomic_read_u32(&row_at(tail)->state) == CAPTURE_DONE)
		tail += row_at(tail)->size;
	SpinLockAcquire(&capture_shared->mutex);
	capture_shared->tail = tail;
	SpinLockRelease(&capture_shared->mutex);
	ConditionVariableBroadcast(&capture_shared->finished);
}

/* Marks a row as done. */
void
capture_ring_finish(CaptureRow *row, bool lost)
{
	CaptureCounters *counted = capture_counters_at(row->place);

	pg_atomic_fetch_sub_u64(&counted->waiting, 1);
	if (lost)
		pg_atomic_fetch_add_u64(&counted->lost, 1);
	pg_atomic_write_u32(&row->state, CAPTURE_DONE);
}

/* Gives up the oldest row where its process is gone: the only one that keeps others from their room. */
void
capture_ring_abandon(void)
{
	uint64		tail;
	uint64		head;
	CaptureRow *row;

	capture_ring_bounds(&tail, &head);
	if (tail == head)
		return;
	row = capture_ring_next(&tail);
	if (pg_atomic_read_u32(&row->state) == CAPTURE_WRITING && BackendPidGetProc(row->pid) == NULL)
		capture_ring_finish(row, true);
}

/* Gives up the oldest rows of databases that cannot be written. */
uint64
capture_ring_make_room(CaptureCannotWrite cannot_write)
{
	uint64		most = capture_shared->size / 4 * 3;
	uint64		n = 0;
	uint64		position;
	uint64		head;

	capture_ring_bounds(&position, &head);
	if (head - position <= most)
		return 0;
	LWLockAcquire(capture_shared->lock, LW_EXCLUSIVE);
	while (head - position > most)
	{
		CaptureRow *row = capture_ring_next(&position);

		if (pg_atomic_read_u32(&row->state) != CAPTURE_READY || !cannot_write(row->database))
			continue;
		capture_ring_finish(row, true);
		n++;
	}
	capture_ring_advance();
	LWLockRelease(capture_shared->lock);
	return n;
}

/* Gives up the rows of a database. */
void
capture_ring_forget(Oid database)
{
	uint64		position;
	uint64		head;

	if (capture_shared == NULL)
		return;
	LWLockAcquire(capture_shared->lock, LW_EXCLUSIVE);
	capture_ring_bounds(&position, &head);
	while (position < head)
	{
		CaptureRow *row = capture_ring_next(&position);

		if (pg_atomic_read_u32(&row->state) == CAPTURE_READY && row->database == database)
			capture_ring_finish(row, true);
	}
	capture_ring_advance();
	capture_counters_forget(database);
	LWLockRelease(capture_shared->lock);
}

/* Defines the setting; asks for memory where the server is starting. */
void
capture_ring_init(void)
{
	bool		preloaded = process_shared_preload_libraries_in_progress;

	DefineCustomIntVariable("mlops.capture_queue_size",
							"Shared memory that captured predictions wait in until they are written.",
							"It takes shared_preload_libraries = 'mlops'. 0: predictions are captured by mlops.score() only.",
							&capture_queue_size, DEFAULT_KILOBYTES, 0, INT_MAX / 2,
							preloaded ? PGC_POSTMASTER : PGC_SIGHUP, GUC_UNIT_KB, NULL, NULL, NULL);
	if (!preloaded)
		return;
	capture_counters_map();
	earlier_shmem_request = shmem_request_hook;
	shmem_request_hook = request_memory;
	earlier_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = start_memory;
}
