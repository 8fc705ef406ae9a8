/*
 * capture_ring.h
 *		The queue of captured predictions in shared memory, and what is counted about it.
 */
#ifndef MLOPS_PG_CAPTURE_RING_H
#define MLOPS_PG_CAPTURE_RING_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/spin.h"

#include "capture_counters.h"

#define CAPTURE_NO_KEY UINT32_MAX	/* key_size of a row without a key */

typedef enum CaptureRowState
{
	CAPTURE_WRITING,			/* a backend fills it in */
	CAPTURE_READY,				/* to be written to its table */
	CAPTURE_DONE				/* written, given up, or padding */
} CaptureRowState;

/* A row of the queue. */
typedef struct CaptureRow
{
	uint32		size;			/* of all of it; a multiple of CAPTURE_ALIGNMENT */
	pg_atomic_uint32 state;		/* CaptureRowState */
	Oid			database;
	Oid			user;
	int32		pid;			/* of the backend that fills it in */
	int32		version;
	int64		prediction_id;
	TimestampTz at;
	int64		model_id;
	int64		deployment_id;
	double		prediction;		/* NaN: there is none */
	double		probability;	/* the same */
	double		weight;
	float		latency;		/* microseconds */
	uint32		key_size;		/* or CAPTURE_NO_KEY */
	uint32		class_size;		/* 0: none */
	uint32		features_size;	/* 0: not captured */
	uint32		place;			/* of its counters */
	int			error;			/* what the prediction failed with, as errcode(); 0: it did not, and what follows is its row */
	char		data[FLEXIBLE_ARRAY_MEMBER];	/* key, class, features */
} CaptureRow;

#define CAPTURE_ALIGNMENT 16	/* of rows: the first fields of one always fit in front of the end */

/* What is shared beside the queue's bytes. */
typedef struct CaptureShared
{
	size_t		size;			/* of the queue */
	slock_t		mutex;			/* protects what follows */
	uint64		head;			/* where the next row begins; positions only grow */
	uint64		tail;			/* all before is done; is moved with the lock held, too */
	int64		last_ids[2];	/* by the clock, and by mlops.now */
	bool		hurry;			/* somebody waits in flush_capture() */
	Latch	   *launcher;		/* NULL while there is none */
	pg_atomic_uint32 sleeping;	/* the launcher waits for a first row */
	LWLock	   *lock;			/* of rows: shared to walk over them, exclusive to finish them */
	ConditionVariable finished; /* rows were finished */
	Oid			writer_database;	/* which a writer is connected to, or InvalidOid; written by the launcher */
	bool		writer_failed;	/* the latest one ended by an error */
} CaptureShared;

extern CaptureShared *capture_shared;	/* NULL: the library is not preloaded, or the queue has size 0 */

/* Defines mlops.capture_queue_size, and asks for the memory where the library is preloaded. */
extern void capture_ring_init(void);

/*
 * A new row of a model for so many bytes of data, with size, state, database,
 * user, pid, model_id, prediction_id and at set, counted as waiting; NULL where
 * the queue is full, which is counted, too.  Whoever reserves a row publishes
 * it before anything that can fail.
 */
extern CaptureRow *capture_ring_reserve(CaptureCounters *counted, int64 model_id, size_t data_size);
extern void capture_ring_publish(CaptureRow *row);

/* Room for a row that was saved, with its fixed part; NULL where there is none. */
extern CaptureRow *capture_ring_restore(const CaptureRow *saved);

/* The next id of a prediction and its time. */
extern int64 capture_next_id(TimestampTz *at);

/* The time that an id holds, to the millisecond below. */
extern TimestampTz capture_id_time(int64 prediction_id);

/* Where the queue ends and begins now. */
extern void capture_ring_bounds(uint64 *tail, uint64 *head);

/* The row at a position before head; moves the position behind it.  With the lock held. */
extern CaptureRow *capture_ring_next(uint64 *position);

/* Moves the tail over what is done, and tells those who wait.  With the lock held exclusively. */
extern void capture_ring_advance(void);

/* Gives up the oldest row where the process that was to fill it in is gone.  With the lock held exclusively. */
extern void capture_ring_abandon(void);

/* Marks a row as done; lost: it was not written.  With the lock held exclusively. */
extern void capture_ring_finish(CaptureRow *row, bool lost);

/*
 * Gives up the oldest rows of databases that cannot be written, until the
 * others have a quarter of the queue; the number of rows.
 */
typedef bool (*CaptureCannotWrite) (Oid database);
extern uint64 capture_ring_make_room(CaptureCannotWrite cannot_write);

/* Gives up the rows of a database that is being dropped, and what is counted of it. */
extern void capture_ring_forget(Oid database);

/* Wakes the launcher, where there is one. */
extern void capture_wake_launcher(void);

#endif
