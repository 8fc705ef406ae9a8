/*
 * capture_copy.c
 *		Captured rows into their tables, by COPY.
 *
 * COPY inserts many rows at a time, finds their partitions and keeps their
 * indexes: all that the server knows to do fast.  Rows are put together in
 * COPY's binary format, and handed to it from memory.
 */
#include "capture_copy.h"

#include <math.h>

#include "access/table.h"
#include "catalog/namespace.h"
#include "commands/copy.h"
#include "libpq/pqformat.h"
#include "nodes/makefuncs.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "utils/rel.h"

static const char signature[] = "PGCOPY\n\377\r\n";	/* with its final NUL */

/* What the callback reads from; it has no argument. */
static const char *source;
static const char *source_end;

void
capture_copy_begin(CaptureCopy *copy)
{
	initStringInfo(&copy->data);
	appendBinaryStringInfo(&copy->data, signature, sizeof(signature));
	pq_sendint32(&copy->data, 0);	/* flags */
	pq_sendint32(&copy->data, 0);	/* size of the header's extension */
	copy->n = 0;
}

static void
put_int64(StringInfo data, int64 value)
{
	pq_sendint32(data, sizeof(int64));
	pq_sendint64(data, value);
}

static void
put_int32(StringInfo data, int32 value)
{
	pq_sendint32(data, sizeof(int32));
	pq_sendint32(data, (uint32) value);
}

static void
put_null(StringInfo data)
{
	pq_sendint32(data, (uint32) -1);
}

/* A number; NaN is NULL. */
static void
put_double(StringInfo data, double value)
{
	if (isnan(value))
	{
		put_null(data);
		return;
	}
	pq_sendint32(data, sizeof(double));
	pq_sendfloat8(data, value);
}

static void
put_bytes(StringInfo data, const char *bytes, uint32 size)
{
	pq_sendint32(data, size);
	appendBinaryStringInfo(data, bytes, (int) size);
}

/* prediction_id, at, model_id, version, deployment_id, entity_key, prediction, class, probability, latency, weight, captured_by */
void
capture_copy_prediction(CaptureCopy *copy, const CaptureRow *row, const char *user)
{
	StringInfo	data = &copy->data;
	uint32		key_size = row->key_size == CAPTURE_NO_KEY ? 0 : row->key_size;

	pq_sendint16(data, 12);
	put_int64(data, row->prediction_id);
	put_int64(data, row->at);
	put_int64(data, row->model_id);
	put_int32(data, row->version);
	put_int64(data, row->deployment_id);
	if (row->key_size == CAPTURE_NO_KEY)
		put_null(data);
	else
		put_bytes(data, row->data, key_size);
	put_double(data, row->prediction);
	if (row->class_size == 0)
		put_null(data);
	else
		put_bytes(data, row->data + key_size, row->class_size);
	put_double(data, row->probability);
	if (isnan(row->latency))
		put_null(data);
	else
	{
		pq_sendint32(data, sizeof(float));
		pq_sendfloat4(data, row->latency);
	}
	put_double(data, row->weight);
	put_bytes(data, user, (uint32) strlen(user));
	copy->n++;
}

/* prediction_id, at, model_id, layout_id, features */
void
capture_copy_features(CaptureCopy *copy, const CaptureRow *row, int64 layout_id)
{
	StringInfo	data = &copy->data;
	uint32		key_size = row->key_size == CAPTURE_NO_KEY ? 0 : row->key_size;

	pq_sendint16(data, 5);
	put_int64(data, row->prediction_id);
	put_int64(data, row->at);
	put_int64(data, row->model_id);
	put_int64(data, layout_id);
	put_bytes(data, row->data + key_size + row->class_size, row->features_size);
	copy->n++;
}

/* COPY asks for more. */
static int
give_more(void *place, int least, int most)
{
	int			n = (int) Min(source_end - source, most);

	memcpy(place, source, n);
	source += n;
	return n;
}

void
capture_copy_run(CaptureCopy *copy, const char *table, const char *const *columns, int n_columns)
{
	Relation	relation;
	ParseState *state;
	CopyFromState from;
	List	   *names = NIL;

	if (copy->n == 0)
		return;
	pq_sendint16(&copy->data, (uint16) -1);
	source = copy->data.data;
	source_end = source + copy->data.len;
	for (int i = 0; i < n_columns; i++)
		names = lappend(names, makeString(pstrdup(columns[i])));

	relation = table_openrv(makeRangeVar("mlops", pstrdup(table), -1), RowExclusiveLock);
	state = make_parsestate(NULL);
	(void) addRangeTableEntryForRelation(state, relation, RowExclusiveLock, NULL, false, false);
	from = BeginCopyFrom(state, relation, NULL, NULL, false, give_more, names,
						 list_make1(makeDefElem("format", (Node *) makeString("binary"), -1)));
	(void) CopyFrom(from);
	EndCopyFrom(from);
	free_parsestate(state);
	table_close(relation, NoLock);
}
