/*
 * distribution.h
 *		The SQL type mlops.distribution: a column's summary as a value.
 */
#ifndef MLOPS_PG_DISTRIBUTION_H
#define MLOPS_PG_DISTRIBUTION_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/expandeddatum.h"

#include "../compat.h"

#include "../../core/statistics/profile.h"

/*
 * The state of the aggregates: a growing profile as an expanded object, in a
 * memory context of its own that holds all of it.
 */
typedef struct ProfileObject
{
	ExpandedObjectHeader header;
	char	   *flat;			/* the flat form while it is being asked for, or NULL */
	Size		flat_size;
	Profile		profile;
} ProfileObject;

/* How values of one type are counted. */
typedef struct ValueCounter ValueCounter;
typedef void (*ValueCount) (Profile *profile, Datum value, ValueCounter *counter);

struct ValueCounter
{
	ColumnKind	kind;
	ValueCount	count;			/* not NULL values; allocates in the current context */
	FmgrInfo	output;			/* of texts by their output function */
};

/* Memory of profiles in a context. */
extern ProfileMemory profile_memory(MemoryContext context);

/* A new one in a child of a context; like: NULL or whose cells it counts into. */
extern ProfileObject *profile_object_new(MemoryContext parent, ColumnKind kind, const Distribution *like);

/* Of the expanded objects that are ProfileObjects. */
extern const ExpandedObjectMethods profile_methods;

/* The object behind a value that may be changed in place, or NULL. */
static inline ProfileObject *
profile_object_writable(Datum value)
{
	ExpandedObjectHeader *header;

	if (!VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(value)))
		return NULL;
	memcpy(&header, VARDATA_EXTERNAL(DatumGetPointer(value)), sizeof(header));
	return header->eoh_methods == &profile_methods ? (ProfileObject *) header : NULL;
}

/* That object, or a new one with a copy of the value. */
extern ProfileObject *profile_object_of(Datum value, MemoryContext parent);

/* A value to read, in the current context; DATA_CORRUPTED where its bytes are none. */
extern Distribution *distribution_read(Datum value);

/* Its flat form as a value. */
extern Datum distribution_datum(const Distribution *distribution);

/* How values of a type are counted; false where they cannot be. */
extern bool value_counter(ValueCounter *counter, Oid type, MemoryContext context);

/* A number of a kind as a text: shortest, or as its type is written; NaN is NULL. */
extern char *distribution_number_text(ColumnKind kind, double number);

/* The text that a cell names, or its number. */
extern char *distribution_cell_text(const Distribution *distribution, const DistributionCell *cell);

#endif
