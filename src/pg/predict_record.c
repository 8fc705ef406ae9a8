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

#include "compat.h"

/* A column of the row as it is deformed. */
typedef struct Attribute
{
	int16		length;			/* as in pg_type */
	char		align;
	bool		by_value;
	int			scalar;			/* the field that needs it, or -1 */
	uint32		offset;			/* in rows without NULLs, where all columns before have a fixed width */
} Attribute;

/* A column whose place is fixed, and that is a number. */
typedef struct FixedField
{
	uint32		offset;
	uint32		column;			/* of the model */
} FixedField;

/* How rows of one type are read. */
typedef struct RecordMap
{
	MemoryContext context;
	Oid			type;
	int32		typmod;
	uint64		identifier;		/* of this state of the type */
	TupleTableSlot *slot;
	RowMap		fields;

	/* For rows that have all columns, of row types without needed arrays. */
	Attribute  *attributes;		/* n_attributes of them; NULL: the server deforms */
	int			n_fixed;		/* columns with a fixed place */
	uint32		fixed_end;		/* where they end */
	FixedField *floats;			/* among them: float4, int4 and float8 that are needed as they are */
	FixedField *integers;
	FixedField *doubles;
	int			n_floats;
	int			n_integers;
	int			n_doubles;
	int		   *others;			/* scalars among them, the rest */
	int			n_others;
} RecordMap;

/* Lists a column with a fixed place. */
static void
place_field(RecordMap *map, const Attribute *attribute)
{
	const ScalarField *scalar = &map->fields.scalars[attribute->scalar];
	FixedField	field = {.offset = attribute->offset, .column = scalar->reader.column};

	if (scalar->reader.as == READ_FLOAT4 && !scalar->reader.check_boolean)
		map->floats[map->n_floats++] = field;
	else if (scalar->reader.as == READ_INT4 && !scalar->reader.check_boolean)
		map->integers[map->n_integers++] = field;
	else if (scalar->reader.as == READ_FLOAT8 && !scalar->reader.check_boolean)
		map->doubles[map->n_doubles++] = field;
	else
		map->others[map->n_others++] = attribute->scalar;
}

/* Plans how rows of a type are deformed. */
static void
plan_deforming(RecordMap *map, TupleDesc row_type)
{
	uint32		offset = 0;
	bool		fixed = true;

	if (map->fields.n_arrays > 0)
		return;
	map->attributes = palloc0((map->fields.n_attributes + 1) * sizeof(Attribute));
	map->floats = palloc((map->fields.n_scalars + 1) * sizeof(FixedField));
	map->integers = palloc((map->fields.n_scalars + 1) * sizeof(FixedField));
	map->doubles = palloc((map->fields.n_scalars + 1) * sizeof(FixedField));
	map->others = palloc((map->fields.n_scalars + 1) * sizeof(int));
	for (int i = 0; i < map->fields.n_attributes; i++)
		map->attributes[i].scalar = -1;
	for (int i = 0; i < map->fields.n_scalars; i++)
		map->attributes[map->fields.scalars[i].attribute].scalar = i;
	for (int i = 0; i < map->fields.n_attributes; i++)
	{
		Form_pg_attribute form = TupleDescAttr(row_type, i);
		Attribute  *attribute = &map->attributes[i];

		attribute->length = form->attlen;
		attribute->align = form->attalign;
		attribute->by_value = form->attbyval;
		fixed = fixed && form->attlen > 0;
		if (!fixed)
			continue;
		offset = (uint32) att_align_nominal(offset, form->attalign);
		attribute->offset = offset;
		offset += (uint32) form->attlen;
		map->n_fixed = i + 1;
		map->fixed_end = offset;
		if (attribute->scalar >= 0)
			place_field(map, attribute);
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
}

/* The map of a row type. */
static pg_noinline RecordMap *
find_map(Predictor *predictor, Oid type, int32 typmod)
{
	RecordMap  *map = predictor->record;
	uint64		identifier = assign_record_type_identifier(type, typmod);

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

/* Reads the columns with a fixed place. */
static inline void
read_fixed(const RecordMap *map, const Predictor *predictor, const char *data)
{
	double	   *raw = predictor->raw;

	for (int i = 0; i < map->n_floats; i++)
		raw[map->floats[i].column] = *(const float4 *) (data + map->floats[i].offset);
	for (int i = 0; i < map->n_integers; i++)
		raw[map->integers[i].column] = *(const int32 *) (data + map->integers[i].offset);
	for (int i = 0; i < map->n_doubles; i++)
		raw[map->doubles[i].column] = *(const float8 *) (data + map->doubles[i].offset);
	for (int i = 0; i < map->n_others; i++)
	{
		ScalarField *field = &map->fields.scalars[map->others[i]];
		const Attribute *attribute = &map->attributes[field->attribute];

		raw[field->reader.column] = value_read(&field->reader, predictor,
											   fetch_att(data + attribute->offset, attribute->by_value, attribute->length));
	}
}

/* Reads columns from one on, which begins behind offset; bitmap: NULL where nothing is. */
static void
read_from(const RecordMap *map, const Predictor *predictor, const char *data, const bits8 *bitmap, int first, uint32 offset)
{
	for (int i = first; i < map->fields.n_attributes; i++)
	{
		const Attribute *attribute = &map->attributes[i];
		ScalarField *field = attribute->scalar < 0 ? NULL : &map->fields.scalars[attribute->scalar];

		if (bitmap != NULL && att_isnull(i, bitmap))
		{
			if (field != NULL)
				predictor->raw[field->reader.column] = get_float8_nan();
			continue;
		}
		offset = (uint32) att_align_pointer(offset, attribute->align, attribute->length, data + offset);
		if (field != NULL)
			predictor->raw[field->reader.column] = value_read(&field->reader, predictor,
															  fetch_att(data + offset, attribute->by_value, attribute->length));
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
