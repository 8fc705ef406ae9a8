/*
 * capture_save.c
 *		The queue across a shutdown: what is in it is written to a file, and read at the next start.
 *
 * Like the file of pg_stat_statements it lies in pg_stat, is made by the
 * postmaster when all others have ended in order, and is removed when it has
 * been read: after a crash there is none.  An immediate shutdown is a crash,
 * though the postmaster ends it with code 0: processes were killed wherever
 * they were, a writer perhaps between its commit and marking its rows, a
 * backend perhaps with the queue's spinlock held.
 */
#include "capture_save.h"

#include <unistd.h>

#include "catalog/pg_control.h"
#include "common/controldata_utils.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"

#include "capture_ring.h"

#define SAVE_FILE PGSTAT_STAT_PERMANENT_DIRECTORY "/mlops_capture.stat"

/* What the file begins with. */
typedef struct SaveHeader
{
	char		magic[8];
	uint32		server;			/* PG_VERSION_NUM */
	uint32		row_size;		/* of the fixed part of a row */
} SaveHeader;

static const SaveHeader save_header = {.magic = "MLOPSQ2", .server = PG_VERSION_NUM, .row_size = offsetof(CaptureRow, data)};

/* Writes the rows that wait; how many, or -1. */
static int64
write_rows(FILE *file)
{
	int64		n = 0;
	uint64		position;
	uint64		head;

	if (fwrite(&save_header, sizeof(save_header), 1, file) != 1)
		return -1;
	capture_ring_bounds(&position, &head);
	while (position < head)
	{
		CaptureRow *row = capture_ring_next(&position);

		if (pg_atomic_read_u32(&row->state) != CAPTURE_READY)
			continue;
		if (fwrite(row, row->size, 1, file) != 1)
			return -1;
		n++;
	}
	return n;
}

/* Whether the server's last checkpoint is that of a shutdown. */
static bool
ended_in_order(void)
{
	bool		whole;
	ControlFileData *control = get_controlfile(DataDir, &whole);

	return whole && (control->state == DB_SHUTDOWNED || control->state == DB_SHUTDOWNED_IN_RECOVERY);
}

/* Says how many rows an immediate shutdown loses. */
static void
say_lost(void)
{
	uint64		n = 0;

	for (uint32 i = 0; i <= CAPTURE_OTHERS; i++)
	{
		CaptureCounters *counters = capture_counters_at(i);

		if (counters != NULL)
			n += pg_atomic_read_u64(&counters->waiting);
	}
	if (n > 0)
		ereport(LOG,
				(errmsg("an immediate shutdown loses " UINT64_FORMAT " captured predictions that were not in their table yet", n)));
}

void
capture_save(int code, Datum unused)
{
	uint64		tail;
	uint64		head;
	FILE	   *file;
	int64		n = -1;

	if (code != 0 || capture_shared == NULL)
		return;
	if (!ended_in_order())
	{
		say_lost();
		return;
	}
	capture_ring_bounds(&tail, &head);
	if (tail == head)
		return;
	file = AllocateFile(SAVE_FILE, PG_BINARY_W);
	if (file != NULL)
	{
		n = write_rows(file);
		if (FreeFile(file) != 0)
			n = -1;
	}
	if (n >= 0)
		return;
	ereport(LOG,
			(errcode_for_file_access(),
			 errmsg("could not write file \"%s\": %m", SAVE_FILE),
			 errdetail("Captured predictions that were not in their table yet are lost.")));
	(void) unlink(SAVE_FILE);
}

/* Reads the rows of the file into the queue; false where it is not whole, or the queue is too small. */
static bool
read_rows(FILE *file)
{
	SaveHeader	header;
	union
	{
		CaptureRow	row;
		char		bytes[offsetof(CaptureRow, data)];
	}			fixed;

	if (fread(&header, sizeof(header), 1, file) != 1 || memcmp(&header, &save_header, sizeof(header)) != 0)
		return false;
	while (fread(fixed.bytes, sizeof(fixed.bytes), 1, file) == 1)
	{
		CaptureRow *row;
		size_t		data_size = (fixed.row.key_size == CAPTURE_NO_KEY ? 0 : (size_t) fixed.row.key_size) + fixed.row.class_size +
			(size_t) fixed.row.features_size;

		if (fixed.row.size < sizeof(fixed.bytes) || fixed.row.size - sizeof(fixed.bytes) < data_size)
			return false;
		row = capture_ring_restore(&fixed.row);
		if (row == NULL || (fixed.row.size > sizeof(fixed.bytes) &&
							fread(row->data, fixed.row.size - sizeof(fixed.bytes), 1, file) != 1))
			return false;
		pg_atomic_write_u32(&row->state, CAPTURE_READY);
	}
	return feof(file) != 0;
}

void
capture_restore(void)
{
	FILE	   *file = AllocateFile(SAVE_FILE, PG_BINARY_R);

	if (file == NULL)
		return;
	if (!read_rows(file))
		ereport(LOG,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("not all of file \"%s\" could be read into the queue of captured predictions", SAVE_FILE)));
	FreeFile(file);
	(void) unlink(SAVE_FILE);
}
