/*
 * profile_object.c
 *		A growing profile as PostgreSQL's executor carries it: an expanded object.
 *
 * The aggregates' state is of the type mlops.distribution, so that workers
 * can send it; but made flat after each row it would cost more than the row.
 * The executor keeps a read-write expanded object where it is as long as the
 * transition function returns it (ExecAggTransReparent), and makes it flat
 * when it must leave the process.
 */
#include "distribution.h"

#include "utils/memutils.h"

#include "../compat.h"
#include "../report.h"

/* core's realloc. */
static void *
resize(void *context, void *old, size_t size)
{
	if (size == 0)
	{
		if (old != NULL)
			pfree(old);
		return NULL;
	}
	return old == NULL ? MemoryContextAllocHuge(context, size) : repalloc_huge(old, size);
}

/* Memory of profiles in a context. */
ProfileMemory
profile_memory(MemoryContext context)
{
	return (ProfileMemory) {resize, context};
}

/* The flat form, made and kept until it is copied. */
static Size
object_flat_size(ExpandedObjectHeader *header)
{
	ProfileObject *object = (ProfileObject *) header;
	MemoryContext old = MemoryContextSwitchTo(header->eoh_context);
	Distribution distribution;
	Error		error;

	if (!profile_collect(&object->profile, object->profile.memory, &distribution, &error))
		report_error(&error);
	if (object->flat != NULL)
		pfree(object->flat);
	object->flat = DatumGetPointer(distribution_datum(&distribution));
	object->flat_size = VARSIZE(object->flat);
	distribution_free(&distribution, object->profile.memory);
	MemoryContextSwitchTo(old);
	return object->flat_size;
}

static void
object_flatten(ExpandedObjectHeader *header, void *result, Size size)
{
	ProfileObject *object = (ProfileObject *) header;

	if (object->flat == NULL || object->flat_size != size)
		elog(ERROR, "a profile is made flat whose size was not asked for");
	memcpy(result, object->flat, size);
	pfree(object->flat);
	object->flat = NULL;
}

const ExpandedObjectMethods profile_methods = {object_flat_size, object_flatten};

/* A new one. */
ProfileObject *
profile_object_new(MemoryContext parent, ColumnKind kind, const Distribution *like)
{
	MemoryContext context = AllocSetContextCreate(parent, "mlops profile", ALLOCSET_START_SMALL_SIZES);
	ProfileObject *object = MemoryContextAlloc(context, sizeof(ProfileObject));
	Error		error;

	EOH_init_header(&object->header, &profile_methods, context);
	object->flat = NULL;
	if (!profile_init(&object->profile, kind, like, profile_memory(context), &error))
		report_error(&error);
	return object;
}

/* The profile behind an expanded value of ours, or NULL. */
static ProfileObject *
expanded_object(Datum value)
{
	ExpandedObjectHeader *header;

	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
		return NULL;
	header = DatumGetEOHP(value);
	return header->eoh_methods == &profile_methods ? (ProfileObject *) header : NULL;
}

/* The object behind a value that may be changed. */
ProfileObject *
profile_object_of(Datum value, MemoryContext parent)
{
	ProfileObject *object = profile_object_writable(value);
	Distribution *distribution;
	Error		error;

	if (object != NULL)
		return object;
	distribution = distribution_read(value);
	object = profile_object_new(parent, distribution->kind, NULL);
	if (!profile_merge(&object->profile, distribution, &error))
		report_error(&error);
	distribution_free(distribution, profile_memory(CurrentMemoryContext));
	pfree(distribution);
	return object;
}

/* A value to read. */
Distribution *
distribution_read(Datum value)
{
	Distribution *distribution = palloc(sizeof(Distribution));
	ProfileObject *object = expanded_object(value);
	ProfileMemory memory = profile_memory(CurrentMemoryContext);
	bool		success;
	Error		error;

	if (object != NULL)
		success = profile_collect(&object->profile, memory, distribution, &error);
	else
	{
		struct varlena *flat = PG_DETOAST_DATUM_PACKED(value);

		success = distribution_open(distribution, VARDATA_ANY(flat), VARSIZE_ANY_EXHDR(flat), memory, &error);
	}
	if (!success)
		report_error(&error);
	return distribution;
}
