/*
 * load.c
 *		Reading the bytes of a version.
 *
 * Its chunks are put together behind a length word, which gives a value of
 * type mlops.artifact.  They are read by index under the active snapshot,
 * without SPI, so this works in parallel workers and on a standby.
 */
#include "registry.h"

#include "access/detoast.h"
#include "access/table.h"
#include "access/tableam.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "../compat.h"
#include "registry_scan.h"

/* A size that a value can have. */
void
registry_check_size(int64 model_id, int32 version, int64 size)
{
	if (size < 0 || size > (int64) (MaxAllocSize - VARHDRSZ))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("version %d of model " INT64_FORMAT " has no valid size", version, model_id)));
}

/* Bytes of a version behind the length word, as its row says. */
static int64
stored_size(int64 model_id, int32 version)
{
	RegistryScan scan;
	int64		size = -1;

	registry_scan_open(&scan, "model_version");
	registry_scan_key_int64(&scan, "model_id", model_id);
	registry_scan_key_int32(&scan, "version", version);
	registry_scan_start(&scan, "model_version_pkey");
	if (registry_scan_next(&scan))
		size = DatumGetInt64(registry_scan_get(&scan, registry_scan_column(&scan, "size")));
	registry_scan_close(&scan);
	registry_check_size(model_id, version, size);
	return size;
}

/*
 * Puts the bytes of a stored chunk into a place with room for so many; their
 * number, or -1 where there are more.  What lies out of line as it is, as
 * chunks do, is read without a copy in between.
 */
static int64
read_chunk(Datum stored, char *place, int64 room)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(stored);
	bytea	   *piece;
	int64		length;

	if (VARATT_IS_EXTERNAL_ONDISK(value))
	{
		struct varatt_external pointer;

		VARATT_EXTERNAL_GET_POINTER(pointer, value);
		length = VARATT_EXTERNAL_GET_EXTSIZE(pointer);
		if (length == pointer.va_rawsize - VARHDRSZ)	/* not compressed */
		{
			Relation	toast;

			if (length > room)
				return -1;
			toast = table_open(pointer.va_toastrelid, AccessShareLock);
			/* of the result it writes only what is behind the length word */
			table_relation_fetch_toast_slice(toast, pointer.va_valueid, (int32) length, 0, (int32) length,
											 (struct varlena *) (place - VARHDRSZ));
			table_close(toast, AccessShareLock);
			return length;
		}
	}
	piece = DatumGetByteaPP(stored);
	length = VARSIZE_ANY_EXHDR(piece);
	if (length > room)
		return -1;
	memcpy(place, VARDATA_ANY(piece), length);
	if (PointerGetDatum(piece) != stored)
		pfree(piece);
	return length;
}

/* Puts the chunks of a version together behind the length word of place. */
static void
read_chunks(int64 model_id, int32 version, int64 size, struct varlena *place)
{
	int64		filled = 0;
	int32		n = 0;
	RegistryScan scan;

	registry_scan_open(&scan, "model_chunk");

	AttrNumber	chunk = registry_scan_column(&scan, "chunk");
	AttrNumber	bytes = registry_scan_column(&scan, "bytes");

	registry_scan_key_int64(&scan, "model_id", model_id);
	registry_scan_key_int32(&scan, "version", version);
	registry_scan_start(&scan, "model_chunk_pkey");
	while (registry_scan_next(&scan))
	{
		CHECK_FOR_INTERRUPTS();

		if (DatumGetInt32(registry_scan_get(&scan, chunk)) != n++)
			break;

		int64		length = read_chunk(registry_scan_get(&scan, bytes), VARDATA(place) + filled, size - filled);

		if (length < 0)
			break;
		filled += length;
	}
	registry_scan_close(&scan);
	if (filled != size)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("version %d of model " INT64_FORMAT " is not whole", version, model_id),
				 errdetail("Of its " INT64_FORMAT " bytes, " INT64_FORMAT " could be read.", size, filled)));
	SET_VARSIZE(place, VARHDRSZ + size);
}

/* The bytes of a version as a value of type mlops.artifact, not validated. */
struct varlena *
registry_load(int64 model_id, int32 version)
{
	int64		size = stored_size(model_id, version);
	struct varlena *artifact = palloc(VARHDRSZ + size);

	read_chunks(model_id, version, size, artifact);
	return artifact;
}

/* The same into memory of the caller's. */
void
registry_read(const ModelRef *ref, struct varlena *place)
{
	read_chunks(ref->model_id, ref->version, ref->size, place);
}

/* Locks the indexes of an open table. */
static void
lock_indexes(Relation table)
{
	List	   *indexes = RelationGetIndexList(table);
	ListCell   *cell;

	foreach(cell, indexes)
		LockRelationOid(lfirst_oid(cell), AccessShareLock);
	list_free(indexes);
}

/* Locks the table of chunks, the table that their bytes are stored in, and the indexes of both. */
void
registry_lock_chunks(void)
{
	RegistryScan scan;

	registry_scan_open(&scan, "model_chunk");
	LockRelationOid(RelationGetRelid(scan.relation), AccessShareLock);
	lock_indexes(scan.relation);
	if (OidIsValid(scan.relation->rd_rel->reltoastrelid))
	{
		Relation	toast = table_open(scan.relation->rd_rel->reltoastrelid, AccessShareLock);

		lock_indexes(toast);
		table_close(toast, NoLock);
	}
	registry_scan_close(&scan);
}
