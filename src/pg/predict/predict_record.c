/*
 * predict_record.c
 *		Features from a row.
 *
 * The columns of a row type are matched to those of the model by name, once;
 * the map is kept for the next rows of the same type.  A row is deformed up
 * to the last column that the model needs, in one pass that takes only what
 * is needed: first all columns whose place is the same in every row, as long
 * as nothing is NULL and all widths are fixed, then one by one.  Rows that
 * are older than a column of their type are deformed by the server, in a slot
 * that belongs to the map.  The map lives in a memory context of its own
 * under the predictor's.
 */
#include "predict_map.h"

#include "executor/tuptable.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "../compat.h"

/* What is taken of a column as it is deformed. */
typedef enum Take
{
	TAKE_NOTHING,
	TAKE_FLOAT,					/* float4, int4, float8 as they are */
	TAKE_INTEGER,
	TAKE_DOUBLE,
	TAKE_VALUE					/* by a reader */
} Take;

/* A column of the row. */
typedef struct Attribute
{
	int16		length;			/* as in pg_type */
	char		align;
	bool		by_value;
	uint8		take;			/* Take */
	uint32		offset;			/* in rows without NULLs, where all columns before have a fixed width */
	uint32		column;			/* of the model */
	ScalarField *scalar;		/* TAKE_VALUE */
} Attribute;

/* A column of the model at a fixed place of the row. */
typedef struct FixedField
{
	uint32		offset;
	uint32		column;			/* of the model */
} FixedField;

/* Those of one type. */
typedef struct FixedFields
{
	int			n;
	FixedField *fields;
} FixedFields;

/* How rows of one type are read. */
typedef struct RecordMap
{
	MemoryContext context;
	Oid			type;
	int32		typmod;
	uint64		identifier;		/* of this state of the type */
	TupleTableSlot *slot;
	RowMap		fields;

	/* For rows that have all columns, of row types without arrays that are needed. */
	Attribute  *attributes;		/* NULL: the server deforms */
	int			n_fixed;		/* columns with a fixed place */
	uint32		fixed_end;		/* where they end */
	FixedFields fixed[TAKE_VALUE];	/* those that are needed, by Take */
	int		   *others;			/* columns with a fixed place and a reader */
	int			n_others;
} RecordMap;

/* Notes what is taken of plain fields. */
static void
take_plain(RecordMap *map, const PlainFields *plain, Take take)
{
	for (int i = 0; i < plain->n; i++)
	{
		map->attributes[plain->fields[i].attribute].take = take;
		map->attributes[plain->fields[i].attribute].column = plain->fields[i].column;
	}
	map->fixed[take].fields = palloc((plain->n + 1) * sizeof(FixedField));
}

/* Lists a column with a fixed place. */
static void
place_attribute(RecordMap *map, int i)
{
	const Attribute *attribute = &map->attributes[i];
	FixedFields *fixed = &map->fixed[attribute->take];

	if (attribute->take == TAKE_VALUE)
		map->others[map->n_others++] = i;
	else if (attribute->take != TAKE_NOTHING)
		fixed->fields[fixed->n++] = (FixedField) {.offset = attribute->offset, .column = attribute->column};
}

/* Plans how rows of a type are deformed. */
static void
plan_deforming(RecordMap *map, TupleDesc row_type)
{
	int			n = map->fields.n_attributes;
	uint32		offset = 0;

	if (map->fields.n_arrays > 0)
		return;
	map->attributes = palloc0((n + 1) * sizeof(Attribute));
	map->others = palloc((n + 1) * sizeof(int));
	take_plain(map, &map->fields.floats, TAKE_FLOAT);
	take_plain(map, &map->fields.integers, TAKE_INTEGER);
	take_plain(map, &map->fields.doubles, TAKE_DOUBLE);
	for (int i = 0; i < map->fields.n_scalars; i++)
	{
		ScalarField *scalar = &map->fields.scalars[i];
		Attribute  *attribute = &map->attributes[scalar->attribute];

		attribute->take = TAKE_VALUE;
		attribute->column = scalar->reader.column;
		attribute->scalar = scalar;
	}
	for (int i = 0; i < n; i++)
	{
		Form_pg_attribute form = TupleDescAttr(row_type, i);
		Attribute  *attribute = &map->attributes[i];

		attribute->length = form->attlen;
		attribute->align = form->attalign;
		attribute->by_value = form->attbyval;
		if (form->attlen <= 0 || map->n_fixed < i)
			continue;
		offset = (uint32) att_align_nominal(offset, form->attalign);
		attribute->offset = offset;
		offset += (uint32) form->attlen;
		map->n_fixed = i + 1;
		map->fixed_end = offset;
		place_attribute(map, i);
	}
}

/* Makes the map of a row type. */
static RecordMap *
make_map(Predictor *predictor, Oid type, int32 typmod, uint64 identifier)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "mlops row type", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	TupleDesc	shared = lookup_rowtype_tupdesc(type, typmod);
	TupleDesc	row_type = CreateTupleDescCopyConstr(shared);
	RecordMap  *map = palloc0(sizeof(RecordMap));

	ReleaseTupleDesc(shared);
	map->context = context;
	map->type = type;
	map->typmod = typmod;
	map->identifier = identifier;
	map->slot = MakeSingleTupleTableSlot(row_type, &TTSOpsHeapTuple);
	row_map_init(&map->fields, predictor, row_type);
	plan_deforming(map, row_type);
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(context, predictor->context);
	return map;
}

/* A new statement began: what the map says of enums may be outdated. */
static void
forget_memos(RecordMap *map)
{
	for (int i = 0; i < map->fields.n_scalars; i++)
	{
		ValueMemo  *memo = map->fields.scalars[i].reader.memo;

		if (memo != NULL)
			memset(memo->used, 0, sizeof(memo->used));
	}
	for (int i = 0; i < map->fields.n_arrays; i++)
	{
		const ArrayField *field = &map->fields.arrays[i];

		for (uint32 j = 0; j < field->run->n_columns; j++)
		{
			ValueMemo  *memo = field->readers[j].memo;

			if (memo != NULL)
				memset(memo->used, 0, sizeof(memo->used));
		}
	}
}

/* The map of a row type. */
static pg_noinline RecordMap *
find_map(Predictor *predictor, Oid type, int32 typmod)
{
	uint64		identifier = assign_record_type_identifier(type, typmod);
	RecordMap  *map = predictor->record;

	if (map == NULL || map->type != type || map->typmod != typmod || map->identifier != identifier)
	{
		RecordMap  *made = make_map(predictor, type, typmod, identifier);

		predictor->record = made;
		if (map != NULL)
			MemoryContextDelete(map->context);
	}
	else
		forget_memos(map);
	predictor->recheck_types = false;
	return predictor->record;
}

/* What is taken of a column whose value lies at data. */
static inline double
take_value(const Attribute *attribute, const Predictor *predictor, const char *data)
{
	switch ((Take) attribute->take)
	{
		case TAKE_FLOAT:
			return *(const float4 *) data;
		case TAKE_INTEGER:
			return *(const int32 *) data;
		case TAKE_DOUBLE:
			return *(const float8 *) data;
		case TAKE_VALUE:
			return value_read(&attribute->scalar->reader, predictor, fetch_att(data, attribute->by_value, attribute->length));
		case TAKE_NOTHING:
			break;
	}
	return 0;
}

/* Reads the columns with a fixed place. */
static inline void
read_fixed(const RecordMap *map, const Predictor *predictor, const char *data)
{
	const FixedFields *floats = &map->fixed[TAKE_FLOAT];
	const FixedFields *integers = &map->fixed[TAKE_INTEGER];
	const FixedFields *doubles = &map->fixed[TAKE_DOUBLE];
	double	   *raw = predictor->raw;

	for (const FixedField *field = floats->fields; field < floats->fields + floats->n; field++)
		raw[field->column] = *(const float4 *) (data + field->offset);
	for (const FixedField *field = integers->fields; field < integers->fields + integers->n; field++)
		raw[field->column] = *(const int32 *) (data + field->offset);
	for (const FixedField *field = doubles->fields; field < doubles->fields + doubles->n; field++)
		raw[field->column] = *(const float8 *) (data + field->offset);
	for (int i = 0; i < map->n_others; i++)
	{
		const Attribute *attribute = &map->attributes[map->others[i]];

		raw[attribute->column] = take_value(attribute, predictor, data + attribute->offset);
	}
}

/* Reads columns from one on, which begins behind offset; bitmap: NULL where nothing is. */
static void
read_from(const RecordMap *map, const Predictor *predictor, const char *data, const bits8 *bitmap, int first, uint32 offset)
{
	int			n = map->fields.n_attributes;

	for (int i = first; i < n; i++)
	{
		const Attribute *attribute = &map->attributes[i];

		if (bitmap != NULL && att_isnull(i, bitmap))
		{
			if (attribute->take != TAKE_NOTHING)
				predictor->raw[attribute->column] = get_float8_nan();
			continue;
		}
		offset = (uint32) att_align_pointer(offset, attribute->align, attribute->length, data + offset);
		if (attribute->take != TAKE_NOTHING)
			predictor->raw[attribute->column] = take_value(attribute, predictor, data + offset);
		offset = (uint32) att_addlength_pointer(offset, attribute->length, data + offset);
	}
}

/* Reads a row as the server deforms it. */
static void
read_deformed(const RecordMap *map, const Predictor *predictor, HeapTupleHeader record)
{
	HeapTupleData tuple;

	tuple.t_len = HeapTupleHeaderGetDatumLength(record);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = record;
	ExecStoreHeapTuple(&tuple, map->slot, false);
	slot_getsomeattrs(map->slot, map->fields.n_attributes);
	row_map_read(&map->fields, predictor, map->slot->tts_values, map->slot->tts_isnull);
}

/* Reads a row. */
void
predict_from_record(Predictor *predictor, HeapTupleHeader record)
{
	Oid			type = HeapTupleHeaderGetTypeId(record);
	int32		typmod = HeapTupleHeaderGetTypMod(record);
	RecordMap  *map = predictor->record;

	if (unlikely(map == NULL || map->type != type || map->typmod != typmod || predictor->recheck_types))
		map = find_map(predictor, type, typmod);

	const char *data = (const char *) record + record->t_hoff;

	if (map->attributes == NULL || (int) HeapTupleHeaderGetNatts(record) < map->fields.n_attributes)
		read_deformed(map, predictor, record);
	else if (record->t_infomask & HEAP_HASNULL)
		read_from(map, predictor, data, record->t_bits, 0, 0);
	else
	{
		read_fixed(map, predictor, data);
		read_from(map, predictor, data, NULL, map->n_fixed, map->fixed_end);
	}
}
