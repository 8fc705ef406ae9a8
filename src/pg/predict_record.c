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
#include "predict.h"

#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "compat.h"
#include "report.h"

/* A column of the row that is one column of the model. */
typedef struct ScalarField
{
	int			attribute;		/* of the row, from 0 */
	ValueReader reader;
} ScalarField;

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

/* An array of the row that is neighbouring columns of the model. */
typedef struct ArrayField
{
	int			attribute;
	const ElementRun *run;
	ValueReader *readers;		/* one a column of the run */
	int16		element_length;
	bool		element_by_value;
	char		element_align;
} ArrayField;

typedef struct RecordMap
{
	MemoryContext context;
	Oid			type;
	int32		typmod;
	uint64		identifier;		/* of this state of the type */
	TupleTableSlot *slot;
	int			n_deform;		/* columns of the row to deform */
	int			n_scalars;
	ScalarField *scalars;
	int			n_arrays;
	ArrayField *arrays;

	/* For rows that have all columns, of row types without needed arrays. */
	Attribute  *attributes;		/* n_deform of them; NULL: the server deforms */
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

/* The column of the row type with this name, or -1; AMBIGUOUS_COLUMN where there are two. */
static int
find_attribute(TupleDesc row_type, const char *name)
{
	int			found = -1;

	for (int i = 0; i < row_type->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(row_type, i);

		if (attribute->attisdropped || strcmp(NameStr(attribute->attname), name) != 0)
			continue;
		if (found >= 0)
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_COLUMN),
					 errmsg("the features have more than one column \"%s\"", name)));
		found = i;
	}
	return found;
}

/* Maps an array to a run of the model's columns; false where the row has no such array. */
static bool
map_array(RecordMap *map, const Predictor *predictor, TupleDesc row_type, uint32 column)
{
	ArrayField *field = &map->arrays[map->n_arrays];
	Oid			type;
	Oid			element_type;

	field->run = predictor->runs[column];
	if (field->run == NULL)
		return false;
	field->attribute = find_attribute(row_type, field->run->name);
	if (field->attribute < 0)
		return false;
	type = TupleDescAttr(row_type, field->attribute)->atttypid;
	element_type = get_base_element_type(type);
	if (!OidIsValid(element_type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" is of type %s, but the model expects an array of %d elements",
						field->run->name, format_type_be(type), field->run->n_elements)));

	get_typlenbyvalalign(element_type, &field->element_length, &field->element_by_value, &field->element_align);
	field->readers = palloc(field->run->n_columns * sizeof(ValueReader));
	for (uint32 i = 0; i < field->run->n_columns; i++)
		value_reader_init(&field->readers[i], predictor, column + i, element_type);
	map->n_arrays++;
	map->n_deform = Max(map->n_deform, field->attribute + 1);
	return true;
}

/* Raises UNDEFINED_COLUMN with what the row type has. */
static void
refuse_lacking(const Predictor *predictor, const bool *lacking, TupleDesc row_type)
{
	const char **given = palloc((row_type->natts + 1) * sizeof(char *));
	int			n = 0;

	for (int i = 0; i < row_type->natts; i++)
	{
		if (!TupleDescAttr(row_type, i)->attisdropped)
			given[n++] = NameStr(TupleDescAttr(row_type, i)->attname);
	}
	predict_missing_columns(predictor, lacking, given, n);
}

/* Finds a field for each column of the model. */
static void
map_fields(RecordMap *map, const Predictor *predictor, TupleDesc row_type)
{
	uint32		n_columns = predictor->model->n_columns;
	bool	   *lacking = palloc0((n_columns + 1) * sizeof(bool));
	bool		any_lacking = false;
	uint32		column = 0;

	map->scalars = palloc((n_columns + 1) * sizeof(ScalarField));
	map->arrays = palloc((n_columns + 1) * sizeof(ArrayField));
	while (column < n_columns)
	{
		int			attribute = find_attribute(row_type, predictor->names[column]);

		if (attribute < 0 && map_array(map, predictor, row_type, column))
		{
			column += map->arrays[map->n_arrays - 1].run->n_columns;
			continue;
		}
		if (attribute < 0)
			lacking[column] = any_lacking = true;
		else
		{
			ScalarField *field = &map->scalars[map->n_scalars++];

			field->attribute = attribute;
			value_reader_init(&field->reader, predictor, column, TupleDescAttr(row_type, attribute)->atttypid);
			map->n_deform = Max(map->n_deform, attribute + 1);
		}
		column++;
	}
	if (any_lacking)
		refuse_lacking(predictor, lacking, row_type);
}

/* Lists a column with a fixed place. */
static void
place_field(RecordMap *map, const Attribute *attribute)
{
	const ScalarField *scalar = &map->scalars[attribute->scalar];
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

	if (map->n_arrays > 0)
		return;
	map->attributes = palloc0((map->n_deform + 1) * sizeof(Attribute));
	map->floats = palloc((map->n_scalars + 1) * sizeof(FixedField));
	map->integers = palloc((map->n_scalars + 1) * sizeof(FixedField));
	map->doubles = palloc((map->n_scalars + 1) * sizeof(FixedField));
	map->others = palloc((map->n_scalars + 1) * sizeof(int));
	for (int i = 0; i < map->n_deform; i++)
		map->attributes[i].scalar = -1;
	for (int i = 0; i < map->n_scalars; i++)
		map->attributes[map->scalars[i].attribute].scalar = i;
	for (int i = 0; i < map->n_deform; i++)
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
	map_fields(map, predictor, row_type);
	plan_deforming(map, row_type);
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(context, predictor->context);
	return map;
}

/* A new statement began: what the map says of enums may be outdated. */
static void
forget_memos(RecordMap *map)
{
	for (int i = 0; i < map->n_scalars; i++)
	{
		ValueMemo  *memo = map->scalars[i].reader.memo;

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

/* Reads the elements of one array. */
static void
read_array(const ArrayField *field, const Predictor *predictor, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const char *element = predict_array_data(array);
	const bits8 *bitmap = ARR_NULLBITMAP(array);
	double	   *raw = predictor->raw + field->run->first;
	uint32		next = 0;

	if (n != field->run->n_elements || ARR_NDIM(array) > 1)
		predict_wrong_length(field->run->name, n, field->run->n_elements);
	for (int i = 0; i < n; i++)
	{
		bool		null = bitmap != NULL && (bitmap[i / 8] & (1 << (i % 8))) == 0;
		bool		wanted = next < field->run->n_columns && field->run->positions[next] == i;

		if (wanted && null)
			raw[next] = get_float8_nan();
		else if (wanted)
			raw[next] = value_read(&field->readers[next], predictor,
								   fetch_att(element, field->element_by_value, field->element_length));
		if (!null)
		{
			element = att_addlength_pointer(element, field->element_length, element);
			element = (const char *) att_align_nominal(element, field->element_align);
		}
		next += wanted ? 1 : 0;
	}
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
		ScalarField *field = &map->scalars[map->others[i]];
		const Attribute *attribute = &map->attributes[field->attribute];

		raw[field->reader.column] = value_read(&field->reader, predictor,
											   fetch_att(data + attribute->offset, attribute->by_value, attribute->length));
	}
}

/* Reads columns from one on, which begins behind offset; bitmap: NULL where nothing is. */
static void
read_from(const RecordMap *map, const Predictor *predictor, const char *data, const bits8 *bitmap, int first, uint32 offset)
{
	for (int i = first; i < map->n_deform; i++)
	{
		const Attribute *attribute = &map->attributes[i];
		ScalarField *field = attribute->scalar < 0 ? NULL : &map->scalars[attribute->scalar];

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
	slot_getsomeattrs(map->slot, map->n_deform);

	const Datum *values = map->slot->tts_values;
	const bool *nulls = map->slot->tts_isnull;

	for (int i = 0; i < map->n_scalars; i++)
	{
		ScalarField *field = &map->scalars[i];

		predictor->raw[field->reader.column] = nulls[field->attribute]
			? get_float8_nan()
			: value_read(&field->reader, predictor, values[field->attribute]);
	}
	for (int i = 0; i < map->n_arrays; i++)
	{
		const ArrayField *field = &map->arrays[i];

		if (!nulls[field->attribute])
			read_array(field, predictor, values[field->attribute]);
		else
		{
			for (uint32 j = 0; j < field->run->n_columns; j++)
				predictor->raw[field->run->first + j] = get_float8_nan();
		}
	}
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

	if (map->attributes == NULL || (int) HeapTupleHeaderGetNatts(record) < map->n_deform)
		read_deformed(map, predictor, record);
	else if (record->t_infomask & HEAP_HASNULL)
		read_from(map, predictor, data, record->t_bits, 0, 0);
	else
	{
		read_fixed(map, predictor, data);
		read_from(map, predictor, data, NULL, map->n_fixed, map->fixed_end);
	}
}
