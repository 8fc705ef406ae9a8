/*
 * capture_parallel.c
 *		What the processes of a parallel query share about what they capture.
 *
 * Each process that leads a parallel query has a slot, found by its place
 * among the server's processes.  Its counter belongs to one statement, which
 * is told by the time it began: workers know their leader's.  A spinlock
 * protects the slot; numbers are taken many at a time.
 */
#include "capture_parallel.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "storage/spin.h"

#include "../compat.h"

#define NUMBERS_AT_ONCE 64

typedef struct ParallelSlot
{
	slock_t		mutex;
	TimestampTz statement;
	uint64		reserved;		/* numbers of its rows that are taken */
	int			explainer;		/* pid of the leader, while it runs EXPLAIN; one that was terminated there left its own */
} ParallelSlot;

static ParallelSlot *slots;		/* NULL: there is no shared memory */

/* Processes that may lead. */
static int
n_slots(void)
{
	return MaxBackends + NUM_AUXILIARY_PROCS;
}

size_t
capture_parallel_size(void)
{
	return mul_size(n_slots(), sizeof(ParallelSlot));
}

void
capture_parallel_start(void *memory, bool found)
{
	slots = memory;
	if (found)
		return;
	memset(slots, 0, capture_parallel_size());
	for (int i = 0; i < n_slots(); i++)
		SpinLockInit(&slots[i].mutex);
}

/* The slot of the process that leads us: often ourselves. */
static ParallelSlot *
our_slot(void)
{
	PGPROC	   *leader = MyProc->lockGroupLeader != NULL ? MyProc->lockGroupLeader : MyProc;

	return &slots[compat_process_number(leader)];
}

uint64
capture_parallel_reserve(uint64 *last)
{
	ParallelSlot *slot = our_slot();
	TimestampTz statement = GetCurrentStatementStartTimestamp();
	uint64		first;

	SpinLockAcquire(&slot->mutex);
	if (slot->statement != statement)
	{
		slot->statement = statement;
		slot->reserved = 0;
	}
	first = slot->reserved;
	slot->reserved += NUMBERS_AT_ONCE;
	SpinLockRelease(&slot->mutex);
	*last = first + NUMBERS_AT_ONCE;
	return first;
}

void
capture_parallel_explain(bool explains)
{
	if (slots != NULL)
		our_slot()->explainer = explains ? MyProcPid : 0;
}

bool
capture_parallel_explained(void)
{
	PGPROC	   *leader = MyProc->lockGroupLeader;

	return slots != NULL && leader != NULL && our_slot()->explainer == leader->pid;
}
