/*
 * reference.c
 *		Storing what a training froze beside its model.
 *
 * Rows of one table are inserted many at a time, as arrays: a statement takes
 * longer to begin than a row to write.  The trainer's records are read as
 * hostile.
 */
#include "reference.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "../core.h"
#include "distribution.h"
#include "../registry/registry.h"
#include "../report.h"

#define BATCH_ROWS	1000		/* of one statement; and rows of the sample in one of its table */
#define BATCH_BYTES (8 * 1024 * 1024)
#define N_FIELDS	6			/* at most, beside model and version */

/* Rows that wait to be inserted: fields side by side. */
typedef struct Batch
{
	int64		model_id;
	int32		version;
	const char *statement;
	int			n_fields;
	const Oid  *types;			/* of an element of each */
	Datum	   *values[N_FIELDS];	/* BATCH_ROWS each */
	bool	   *nulls[N_FIELDS];
	int			n;
	size_t		bytes;
	MemoryContext context;		/* of the values, reset with each statement */
} Batch;

/* Raises: the trainer and this library are not of one build, or its memory was damaged. */
static void
refuse_records(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
			 errmsg("the trainer wrote a reference that cannot be read"),
			 errhint("Install the trainer and the library from the same build.")));
}

static void
batch_init(Batch *batch, int64 model_id, int32 version, const char *statement, int n_fields, const Oid *types)
{
	batch->model_id = model_id;
	batch->version = version;
	batch->statement = statement;
	batch->n_fields = n_fields;
	batch->types = types;
	batch->n = 0;
	batch->bytes = 0;
	for (int i = 0; i < n_fields; i++)
	{
		batch->values[i] = palloc(BATCH_ROWS * sizeof(Datum));
		batch->nulls[i] = palloc0(BATCH_ROWS * sizeof(bool));
	}
	batch->context = AllocSetContextCreate(CurrentMemoryContext, "mlops reference", ALLOCSET_DEFAULT_SIZES);
}

/* The array type of an element's. */
static Oid
array_type(Oid element)
{
	switch (element)
	{
		case INT8OID:
			return INT8ARRAYOID;
		case FLOAT8OID:
			return FLOAT8ARRAYOID;
		case TIMESTAMPTZOID:
			return TIMESTAMPTZARRAYOID;
		case BYTEAOID:
			return BYTEAARRAYOID;
		default:
			return TEXTARRAYOID;
	}
}

/* A field of all rows as an array. */
static Datum
field_array(const Batch *batch, int field)
{
	Oid			type = batch->types[field];
	bool		fixed = type == INT8OID || type == FLOAT8OID || type == TIMESTAMPTZOID;
	int			n = batch->n;
	int			lower_bound = 1;

	return PointerGetDatum(construct_md_array(batch->values[field], batch->nulls[field], 1, &n, &lower_bound, type,
											  fixed ? 8 : -1, fixed && FLOAT8PASSBYVAL, fixed ? TYPALIGN_DOUBLE : TYPALIGN_INT));
}

/* Inserts what waits: model and version as $1 and $2, then the fields; `position` behind them, where it is not negative. */
static void
batch_flush(Batch *batch, int32 position)
{
	MemoryContext old = MemoryContextSwitchTo(batch->context);
	Oid			types[N_FIELDS + 3] = {INT8OID, INT4OID};
	Datum		values[N_FIELDS + 3] = {Int64GetDatum(batch->model_id), Int32GetDatum(batch->version)};
	int			n = 2;

	if (batch->n > 0)
	{
		for (int i = 0; i < batch->n_fields; i++, n++)
		{
			types[n] = array_type(batch->types[i]);
			values[n] = field_array(batch, i);
		}
		if (position >= 0)
		{
			types[n] = INT4OID;
			values[n++] = Int32GetDatum(position);
		}
		registry_execute(batch->statement, n, types, values, NULL, NULL);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(batch->context);
	batch->n = 0;
	batch->bytes = 0;
	CHECK_FOR_INTERRUPTS();
}

/* Whether a batch must be inserted before another row is added. */
static bool
batch_is_full(const Batch *batch)
{
	return batch->n == BATCH_ROWS || batch->bytes >= BATCH_BYTES;
}

static Datum
bytea_datum(const void *bytes, size_t size)
{
	bytea	   *value = palloc(VARHDRSZ + size);

	SET_VARSIZE(value, VARHDRSZ + size);
	memcpy(VARDATA(value), bytes, size);
	return PointerGetDatum(value);
}

/* ---- Profiles ---- */

/* Cuts the names of texts to what is valid in the database's encoding: the trainer knows none but UTF-8. */
static void
clip_names(Distribution *distribution)
{
	for (size_t i = 0; distribution_is_text(distribution) && i < distribution->n_cells; i++)
	{
		DistributionCell *cell = &distribution->cells[i];
		size_t		length;
		const char *text = cell_text(distribution, cell, &length);
		size_t		valid = (size_t) pg_encoding_verifymbstr(GetDatabaseEncoding(), text, (int) length);

		if (valid < length)
			cell->name = cell_name(cell_name_offset(cell->name), valid);
	}
}

static void
add_profile(Batch *batch, Reader *body)
{
	MemoryContext old;
	ReferenceColumn column;
	const void *bytes;
	size_t		size;
	Distribution distribution;
	Error		error;
	Datum		row[N_FIELDS];

	reference_read_profile(body, &column, &bytes, &size);
	if (body->failed)
		refuse_records();
	if (batch_is_full(batch))
		batch_flush(batch, -1);
	old = MemoryContextSwitchTo(batch->context);
	if (!distribution_open(&distribution, bytes, size, profile_memory(CurrentMemoryContext), &error))
		refuse_records();
	clip_names(&distribution);
	row[0] = CStringGetTextDatum(column.role);
	row[1] = CStringGetTextDatum(column.name);
	row[2] = CStringGetTextDatum(column.segment);
	row[3] = Int64GetDatum((int64) distribution_rows(&distribution));
	row[4] = distribution_datum(&distribution);
	distribution_free(&distribution, profile_memory(CurrentMemoryContext));
	MemoryContextSwitchTo(old);
	for (int i = 0; i < batch->n_fields; i++)
		batch->values[i][batch->n] = row[i];
	batch->n++;
	batch->bytes += size;
}

/* ---- Slices ---- */

/* The counts of a slice as the text of an array; their sum in *rows. */
static char *
counts_text(const ReferenceSlices *slices, uint32 slice, int64 *rows)
{
	StringInfoData text;

	initStringInfo(&text);
	*rows = 0;
	for (uint32 i = 0; i < slices->n_cells; i++)
	{
		uint64_t	count;

		memcpy(&count, (const char *) slices->counts + ((size_t) slice * slices->n_cells + i) * sizeof(count), sizeof(count));
		*rows += (int64) count;
		appendStringInfo(&text, "%c" UINT64_FORMAT, i == 0 ? '{' : ',', (uint64) count);
	}
	appendStringInfoChar(&text, '}');
	return text.data;
}

static void
add_slices(Batch *batch, Reader *body)
{
	ReferenceColumn column;
	ReferenceSlices slices;

	reference_read_slices(body, &column, &slices);
	if (body->failed || slices.n_cells == 0)
		refuse_records();
	for (uint32 slice = 0; slice < slices.n_slices; slice++)
	{
		MemoryContext old;
		TimestampTz begin = slices.origin + (int64) slice * slices.width;
		int64		rows;
		char	   *counts;
		Datum		row[N_FIELDS];

		if (batch_is_full(batch))
			batch_flush(batch, -1);
		old = MemoryContextSwitchTo(batch->context);
		counts = counts_text(&slices, slice, &rows);
		row[0] = CStringGetTextDatum(column.role);
		row[1] = CStringGetTextDatum(column.name);
		row[2] = TimestampTzGetDatum(begin);
		row[3] = TimestampTzGetDatum(begin + slices.width);
		row[4] = Int64GetDatum(rows);
		row[5] = CStringGetTextDatum(counts);
		MemoryContextSwitchTo(old);
		if (rows == 0)
			continue;
		for (int i = 0; i < batch->n_fields; i++)
			batch->values[i][batch->n] = row[i];
		batch->n++;
		batch->bytes += strlen(counts);
	}
}

/* ---- Fitted models ---- */

static void
store_model(int64 model_id, int32 version, Reader *body)
{
	ReferenceModel model;
	Oid			types[] = {INT8OID, INT4OID, TEXTOID, TEXTOID, TEXTOID, BYTEAOID};
	Datum		values[lengthof(types)] = {Int64GetDatum(model_id), Int32GetDatum(version)};
	bool		nulls[lengthof(types)] = {0};

	reference_read_model(body, &model);
	if (body->failed || model.content_size > MaxAllocSize / 2 || model.artifact_size > MaxAllocSize / 2)
		refuse_records();
	values[2] = CStringGetTextDatum(model.kind);
	values[3] = CStringGetTextDatum(model.name);
	values[4] = PointerGetDatum(cstring_to_text_with_len(model.content, (int) model.content_size));
	nulls[5] = model.artifact_size < sizeof(uint32);
	/* a model's first word is the length word of its value */
	if (!nulls[5])
		values[5] = bytea_datum((const char *) model.artifact + sizeof(uint32), model.artifact_size - sizeof(uint32));
	registry_execute("insert into mlops.reference_model (model_id, version, kind, name, content, artifact) "
					 "values ($1, $2, $3, $4, $5::pg_catalog.jsonb, $6::mlops.artifact)",
					 lengthof(types), types, values, nulls, NULL);
}

/* ---- The sample ---- */

/* A text of a row, or NULL. */
static void
set_text(Batch *batch, int field, const char *text, size_t size)
{
	batch->nulls[field][batch->n] = text == NULL;
	if (text != NULL)
		batch->values[field][batch->n] = PointerGetDatum(cstring_to_text_with_len(text, (int) size));
}

static void
set_number(Batch *batch, int field, double number)
{
	batch->nulls[field][batch->n] = isnan(number);
	batch->values[field][batch->n] = Float8GetDatum(number);
}

static void
store_sample(int64 model_id, int32 version, Reader *body)
{
	static const Oid types[] = {BYTEAOID, FLOAT8OID, TEXTOID, FLOAT8OID, TEXTOID, TIMESTAMPTZOID};
	uint32		n_rows = reference_read_sample(body);
	int32		position = 0;
	Batch		batch;

	batch_init(&batch, model_id, version,
			   "insert into mlops.reference_sample (model_id, version, features, prediction, class, probability, outcome, at, position) "
			   "values ($1, $2, $3, $4, $5, $6, $7, $8, $9)", lengthof(types), types);
	for (uint32 i = 0; i < n_rows; i++)
	{
		MemoryContext old;
		SampleRow	row;

		reference_read_row(body, &row);
		if (body->failed || row.features_size > MaxAllocSize / 2)
			refuse_records();
		if (batch_is_full(&batch))
		{
			batch_flush(&batch, position);
			position = (int32) i;
		}
		old = MemoryContextSwitchTo(batch.context);
		batch.values[0][batch.n] = bytea_datum(row.features, row.features_size);
		set_number(&batch, 1, row.prediction);
		set_text(&batch, 2, row.class, row.class_size);
		set_number(&batch, 3, row.probability);
		set_text(&batch, 4, row.outcome, row.outcome_size);
		batch.nulls[5][batch.n] = row.at == SAMPLE_NO_TIME;
		batch.values[5][batch.n] = TimestampTzGetDatum(row.at);
		MemoryContextSwitchTo(old);
		batch.n++;
		batch.bytes += row.features_size;
	}
	if (body->position != body->size)
		refuse_records();
	batch_flush(&batch, position);
}

/* ---- All of it ---- */

/* Stores the records. */
void
reference_store(int64 model_id, int32 version, const void *records, size_t size)
{
	static const Oid profile_types[] = {TEXTOID, TEXTOID, TEXTOID, INT8OID, BYTEAOID};
	static const Oid slice_types[] = {TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, TEXTOID};
	Batch		profiles;
	Batch		slices;
	Reader		reader;
	Reader		body;
	ReferenceKind kind;

	batch_init(&profiles, model_id, version,
			   "insert into mlops.reference_profile (model_id, version, role, name, segment, rows, profile) "
			   "select $1, $2, r.role, r.name, r.segment, r.rows, r.profile::mlops.distribution "
			   "from rows from (unnest($3), unnest($4), unnest($5), unnest($6), unnest($7)) as r (role, name, segment, rows, profile)",
			   lengthof(profile_types), profile_types);
	batch_init(&slices, model_id, version,
			   "insert into mlops.reference_slice (model_id, version, role, name, period, rows, counts) "
			   "select $1, $2, r.role, r.name, pg_catalog.tstzrange(r.first, r.last), r.rows, r.counts::pg_catalog.int8[] "
			   "from rows from (unnest($3), unnest($4), unnest($5), unnest($6), unnest($7), unnest($8)) as r (role, name, first, last, rows, counts)",
			   lengthof(slice_types), slice_types);
	reader_init(&reader, records, size);
	while ((kind = reference_next(&reader, &body)) != 0)
	{
		switch (kind)
		{
			case REFERENCE_PROFILE:
				add_profile(&profiles, &body);
				break;
			case REFERENCE_SLICES:
				add_slices(&slices, &body);
				break;
			case REFERENCE_MODEL:
				store_model(model_id, version, &body);
				break;
			case REFERENCE_SAMPLE:
				store_sample(model_id, version, &body);
				break;
		}
	}
	if (reader.failed)
		refuse_records();
	batch_flush(&profiles, -1);
	batch_flush(&slices, -1);
}
