/*
 * capture_writer.c
 *		The process that writes the captured predictions of one database.
 *
 * It is started when its database has rows in the queue, and is gone when
 * there are none, or after a second: a connection that stays would be in the
 * way of DROP DATABASE, RENAME and CREATE DATABASE ... TEMPLATE.
 *
 * Rows go in batches, a transaction each.  They stay in the queue until it
 * has committed; between that and their being marked nothing can be
 * interrupted, so a row is never written twice, and when a batch fails its
 * rows are there for the next writer.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "../pg/capture/capture_tables.h"
#include "../pg/registry/registry.h"
#include "capture_copy.h"
#include "capture_writer.h"

#define MOST_ROWS 8192			/* of a batch */
#define MOST_BYTES (4 * 1024 * 1024)
#define STAY_MS 1000			/* connected */
#define LONGEST_LOCK_WAIT "10s"

extern PGDLLEXPORT void mlops_capture_writer_main(Datum argument);

static const char *const prediction_columns[] = {
	"prediction_id", "at", "model_id", "version", "deployment_id", "entity_key", "prediction", "class", "probability", "latency", "weight", "captured_by"
};
static const char *const features_columns[] = {"prediction_id", "at", "model_id", "layout_id", "features"};

/* What a batch has to know of a deployment. */
typedef struct Layout
{
	int64		model_id;
	int64		deployment_id;
	int32		version;
	int64		id;				/* 0: model or version are gone */
	uint64		written;		/* rows of this batch */
} Layout;

/* Rows to be written by one transaction. */
typedef struct Batch
{
	MemoryContext context;		/* of all of it */
	int			n;
	CaptureRow *rows[MOST_ROWS];
	Layout	   *layouts[MOST_ROWS];
	List	   *known;			/* of Layout */
	Oid			user;			/* whose name is known */
	const char *user_name;
} Batch;

/* Collects the rows of the database; they stay where they are. */
static void
collect(Batch *batch)
{
	size_t		size = 0;
	uint64		position;
	uint64		head;

	batch->n = 0;
	LWLockAcquire(capture_shared->lock, LW_SHARED);
	capture_ring_bounds(&position, &head);
	while (position < head && batch->n < MOST_ROWS && size < MOST_BYTES)
	{
		CaptureRow *row = capture_ring_next(&position);

		if (pg_atomic_read_u32(&row->state) != CAPTURE_READY || row->database != MyDatabaseId)
			continue;
		pg_read_barrier();
		batch->rows[batch->n++] = row;
		size += row->size;
	}
	LWLockRelease(capture_shared->lock);
}

/* The layout of a row's features. */
static Layout *
find_layout(Batch *batch, const CaptureRow *row)
{
	ListCell   *cell;
	Layout	   *layout;

	foreach(cell, batch->known)
	{
		layout = lfirst(cell);
		if (layout->deployment_id == row->deployment_id && layout->version == row->version && layout->model_id == row->model_id)
			return layout;
	}
	layout = palloc0(sizeof(Layout));
	layout->model_id = row->model_id;
	layout->deployment_id = row->deployment_id;
	layout->version = row->version;
	layout->id = capture_layout(row->model_id, row->version, row->deployment_id);
	batch->known = lappend(batch->known, layout);
	return layout;
}

/* The name of a role. */
static const char *
name_of(Batch *batch, Oid user)
{
	if (batch->user_name == NULL || batch->user != user)
	{
		batch->user = user;
		batch->user_name = GetUserNameFromId(user, true);
		if (batch->user_name == NULL)
			batch->user_name = psprintf("%u", user);
	}
	return batch->user_name;
}

/* Writes the batch, in a transaction that is under way. */
static void
write_rows(Batch *batch)
{
	CaptureCopy predictions;
	CaptureCopy features;
	int64		day = PG_INT64_MIN; /* whose partitions are there */

	capture_copy_begin(&predictions);
	capture_copy_begin(&features);
	for (int i = 0; i < batch->n; i++)
	{
		const CaptureRow *row = batch->rows[i];
		Layout	   *layout;

		if (row->error != 0)
			continue;
		layout = find_layout(batch, row);
		batch->layouts[i] = layout;
		if (layout->id == 0)
			continue;
		layout->written++;
		capture_copy_prediction(&predictions, row, name_of(batch, row->user));
		if (row->features_size > 0)
			capture_copy_features(&features, row, layout->id);
		if (row->at / USECS_PER_DAY != day)
			capture_partitions(row->at);
		day = row->at / USECS_PER_DAY;
	}
	capture_copy_run(&predictions, "prediction", prediction_columns, lengthof(prediction_columns));
	capture_copy_run(&features, "prediction_features", features_columns, lengthof(features_columns));
}

/* Counts predictions that failed. */
static void
write_errors(const Batch *batch)
{
	CaptureErrors errors = {.n = 0};

	for (int i = 0; i < batch->n; i++)
	{
		const CaptureRow *row = batch->rows[i];

		if (row->error == 0)
			continue;
		if (errors.n > 0 && (row->error != errors.code || row->model_id != errors.model_id || row->version != errors.version ||
							 row->at / USECS_PER_MINUTE != errors.at / USECS_PER_MINUTE))
		{
			capture_errors_write(&errors);
			errors.n = 0;
		}
		errors.model_id = row->model_id;
		errors.version = row->version;
		errors.at = row->at;
		errors.code = row->error;
		errors.n++;
	}
	if (errors.n > 0)
		capture_errors_write(&errors);
}

/* The counts of a model, added where there are none. */
static CaptureCount *
find_count(List **counts, int64 model_id)
{
	ListCell   *cell;
	CaptureCount *count;

	foreach(cell, *counts)
	{
		count = lfirst(cell);
		if (count->model_id == model_id)
			return count;
	}
	count = palloc0(sizeof(CaptureCount));
	count->model_id = model_id;
	*counts = lappend(*counts, count);
	return count;
}

/* Writes down what was counted, of this batch and in shared memory; what it was. */
static List *
write_counts(Batch *batch)
{
	List	   *counts = NIL;
	ListCell   *cell;

	for (uint32 i = 0; i < CAPTURE_MODELS; i++)
	{
		CaptureCounters *counters = capture_counters_at(i);

		if (counters != NULL && counters->database == MyDatabaseId)
			capture_count_read(find_count(&counts, counters->model_id), counters);
	}
	foreach(cell, batch->known)
	{
		const Layout *layout = lfirst(cell);

		find_count(&counts, layout->model_id)->captured += layout->written;
	}
	foreach(cell, counts)
	{
		if (!capture_count_write(lfirst(cell)))
			counts = foreach_delete_current(counts, cell);
	}
	return counts;
}

/* Marks what was written; nothing here can fail or be interrupted. */
static void
finish(Batch *batch, List *counts)
{
	ListCell   *cell;

	LWLockAcquire(capture_shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < batch->n; i++)
		capture_ring_finish(batch->rows[i], batch->rows[i]->error == 0 && (batch->layouts[i] == NULL || batch->layouts[i]->id == 0));
	capture_ring_advance();
	LWLockRelease(capture_shared->lock);
	foreach(cell, counts)
		capture_count_subtract(lfirst(cell));
}

/* Writes one batch; false where there was nothing. */
static bool
write_batch(Batch *batch)
{
	List	   *counts = NIL;
	bool		installed;

	MemoryContextReset(batch->context);
	batch->known = NIL;
	batch->user_name = NULL;
	memset(batch->layouts, 0, sizeof(batch->layouts));
	collect(batch);
	if (batch->n == 0)
		return false;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	pgstat_report_activity(STATE_RUNNING, "writing captured predictions");
	MemoryContextSwitchTo(batch->context);
	installed = OidIsValid(get_extension_oid("mlops", true));
	if (installed)
	{
		write_rows(batch);
		write_errors(batch);
		counts = write_counts(batch);
	}
	PopActiveSnapshot();
	HOLD_INTERRUPTS();
	CommitTransactionCommand();
	finish(batch, counts);
	if (!installed)
		capture_counters_forget(MyDatabaseId);
	RESUME_INTERRUPTS();
	pgstat_report_stat(true);
	pgstat_report_activity(STATE_IDLE, NULL);
	return true;
}

/*
 * What the database's or the server's settings must not change: the rows'
 * texts are in the database's encoding, writing is what this process is for,
 * and whoever holds a lock in one database must not hold up the others.
 */
static void
pin_settings(void)
{
	const char *const settings[][2] = {
		{"search_path", "pg_catalog, pg_temp"},
		{"role", "none"},
		{"row_security", "on"},
		{"client_encoding", GetDatabaseEncodingName()},
		{"default_transaction_read_only", "off"},
		{"default_transaction_isolation", "read committed"},
		{"lock_timeout", LONGEST_LOCK_WAIT}
	};

	for (int i = 0; i < (int) lengthof(settings); i++)
		SetConfigOption(settings[i][0], settings[i][1], PGC_SUSET, PGC_S_OVERRIDE);
}

/* The process. */
void
mlops_capture_writer_main(Datum argument)
{
	TimestampTz start = GetCurrentTimestamp();
	Batch	   *batch;
	Oid			database;

	memcpy(&database, MyBgworkerEntry->bgw_extra, sizeof(database));
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, BGWORKER_BYPASS_ALLOWCONN);
	pin_settings();

	batch = MemoryContextAllocZero(TopMemoryContext, sizeof(Batch));
	batch->context = AllocSetContextCreate(TopMemoryContext, "mlops captured predictions", ALLOCSET_DEFAULT_SIZES);
	while (write_batch(batch))
	{
		CHECK_FOR_INTERRUPTS();
		if (TimestampDifferenceExceeds(start, GetCurrentTimestamp(), STAY_MS))
			break;
	}
	capture_shared->writer_failed = false;
	proc_exit(0);
}
