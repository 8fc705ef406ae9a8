/*
 * capture_counters.c
 *		What is counted about captured predictions, by model, in shared memory.
 *
 * The counters lie in memory that the postmaster maps for itself: unlike the
 * queue, it survives when a crash makes the server start anew, so that it is
 * known how many rows of which model were lost.
 *
 * It is a hash table of places with open addressing.  A place is taken into
 * use with capture_shared->lock held exclusively, and stays in use; but where
 * all counts are 0, written to mlops.capture_count, and nobody holds it, it
 * may be given to another model when no place is free.  Holding is one
 * increment of holders; who gives a place away does so by setting GIVING,
 * which succeeds only where holders is 0, so a place that is held keeps its
 * model.  When a crash makes the server start anew nobody holds any.
 *
 * Where all places are in use and none can be given away, models are counted
 * together in a last place.
 */
#include "capture_counters.h"

#include <sys/mman.h>

#include "miscadmin.h"
#include "storage/lwlock.h"

#include "../../core/hash.h"
#include "capture_ring.h"

#define GIVING 0x80000000U		/* of holders: the place is being given to another model */

static CaptureCounters *counters;	/* CAPTURE_MODELS, and that of others; NULL: the library is not preloaded */

void
capture_counters_map(void)
{
	counters = mmap(NULL, (CAPTURE_MODELS + 1) * sizeof(CaptureCounters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counters == MAP_FAILED)
		ereport(FATAL,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not map memory for the counters of captured predictions: %m")));
}

bool
capture_counters_mapped(void)
{
	return counters != NULL;
}

void
capture_counters_restart(void)
{
	for (int i = 0; i <= CAPTURE_MODELS; i++)
	{
		pg_atomic_write_u32(&counters[i].holders, 0);
		pg_atomic_fetch_add_u64(&counters[i].lost, (int64) pg_atomic_exchange_u64(&counters[i].waiting, 0));
	}
}

/* Where a model's places begin. */
static uint32
first_place(Oid database, int64 model_id)
{
	return (uint32) hash64_combine((uint64) model_id, database) % CAPTURE_MODELS;
}

/* Whether a place is a model's. */
static inline bool
belongs(const CaptureCounters *place, Oid database, int64 model_id)
{
	return place->database == database && place->model_id == model_id;
}

/* The place of a model, or the first free one, or NULL: all are in use by others. */
static CaptureCounters *
find_place(Oid database, int64 model_id)
{
	uint32		first = first_place(database, model_id);

	for (uint32 i = 0; i < CAPTURE_MODELS; i++)
	{
		CaptureCounters *place = &counters[(first + i) % CAPTURE_MODELS];

		if (place->database == InvalidOid || belongs(place, database, model_id))
			return place;
	}
	return NULL;
}

/* Gives a place to a model. */
static void
give(CaptureCounters *place, Oid database, int64 model_id)
{
	place->model_id = model_id;
	pg_write_barrier();
	place->database = database;
	pg_write_barrier();
}

/* Whether nothing is counted. */
static bool
is_empty(CaptureCounters *place)
{
	return pg_atomic_read_u64(&place->waiting) == 0 && pg_atomic_read_u64(&place->dropped) == 0 && pg_atomic_read_u64(&place->lost) == 0 &&
		pg_atomic_read_u64(&place->sampled) == 0 && pg_atomic_read_u64(&place->standby) == 0 && pg_atomic_read_u64(&place->uncommitted) == 0;
}

/* A place that its model needs no more, given to another; or that of others. */
static CaptureCounters *
reuse_place(Oid database, int64 model_id)
{
	uint32		first = first_place(database, model_id);

	for (uint32 i = 0; i < CAPTURE_MODELS; i++)
	{
		CaptureCounters *place = &counters[(first + i) % CAPTURE_MODELS];
		uint32		nobody = 0;

		if (!is_empty(place) || !pg_atomic_compare_exchange_u32(&place->holders, &nobody, GIVING))
			continue;

		/* whoever held it until just now may have counted */
		if (is_empty(place))
			give(place, database, model_id);
		pg_atomic_fetch_sub_u32(&place->holders, GIVING);
		if (belongs(place, database, model_id))
			return place;
	}
	return &counters[CAPTURE_OTHERS];
}

/* The place of a model, taken into use where it has none; with the lock held exclusively, or while nobody else is there. */
static CaptureCounters *
take_place(Oid database, int64 model_id)
{
	CaptureCounters *place = find_place(database, model_id);

	if (place == NULL)
		return reuse_place(database, model_id);
	if (place->database == InvalidOid)
		give(place, database, model_id);
	return place;
}

CaptureCounters *
capture_counters_hold(int64 model_id)
{
	CaptureCounters *place = find_place(MyDatabaseId, model_id);

	if (place != NULL && belongs(place, MyDatabaseId, model_id))
	{
		uint32		before = pg_atomic_fetch_add_u32(&place->holders, 1);

		if ((before & GIVING) == 0 && belongs(place, MyDatabaseId, model_id))
			return place;
		capture_counters_release(place);
	}
	LWLockAcquire(capture_shared->lock, LW_EXCLUSIVE);
	place = take_place(MyDatabaseId, model_id);
	pg_atomic_fetch_add_u32(&place->holders, 1);
	LWLockRelease(capture_shared->lock);
	return place;
}

void
capture_counters_release(CaptureCounters *held)
{
	pg_atomic_fetch_sub_u32(&held->holders, 1);
}

CaptureCounters *
capture_counters_restore(Oid database, int64 model_id)
{
	return take_place(database, model_id);
}

uint32
capture_counters_place(const CaptureCounters *place)
{
	return (uint32) (place - counters);
}

CaptureCounters *
capture_counters_at(uint32 place)
{
	return place == CAPTURE_OTHERS || counters[place].database != InvalidOid ? &counters[place] : NULL;
}

void
capture_counters_forget(Oid database)
{
	for (uint32 i = 0; i < CAPTURE_MODELS; i++)
	{
		if (counters[i].database != database)
			continue;
		pg_atomic_write_u64(&counters[i].dropped, 0);
		pg_atomic_write_u64(&counters[i].lost, 0);
		pg_atomic_write_u64(&counters[i].sampled, 0);
		pg_atomic_write_u64(&counters[i].standby, 0);
		pg_atomic_write_u64(&counters[i].uncommitted, 0);
	}
}
