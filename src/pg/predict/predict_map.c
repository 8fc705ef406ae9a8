/*
 * predict_map.c
 *		Which column of a row is which column of a model, and reading a row so.
 *
 * Columns are matched by name.  An array x serves for columns x[1] ... x[n] of
 * the model, where the row has no columns of these names.
 */
#include "predict_map.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"

/*
 * The column of the row type with this name, or -1; AMBIGUOUS_COLUMN where
 * there are two.  Names in a type of its own are unique, and mostly in the
 * order of the model's columns: likely is where to look first.
 */
static int
find_attribute(TupleDesc row_type, const char *name, int likely)
{
	int			found = -1;

	if (row_type->tdtypeid != RECORDOID && likely < row_type->natts && !TupleDescAttr(row_type, likely)->attisdropped &&
		strcmp(NameStr(TupleDescAttr(row_type, likely)->attname), name) == 0)
		return likely;
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
map_array(RowMap *map, const Predictor *predictor, TupleDesc row_type, uint32 column)
{
	ArrayField *field = &map->arrays[map->n_arrays];
	Oid			type;
	Oid			element_type;

	field->run = predictor->runs[column];
	if (field->run == NULL)
		return false;
	field->attribute = find_attribute(row_type, field->run->name, 0);
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
	map->n_attributes = Max(map->n_attributes, field->attribute + 1);
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

/* The plain fields that a column belongs to, by how it is read; NULL where it is none. */
static PlainFields *
plain_fields(RowMap *map, const ValueReader *reader)
{
	if (reader->check_boolean)
		return NULL;
	switch (reader->as)
	{
		case READ_FLOAT4:
			return &map->floats;
		case READ_INT4:
			return &map->integers;
		case READ_FLOAT8:
			return &map->doubles;
		default:
			return NULL;
	}
}

/* Enters a column of the row as a column of the model. */
static void
map_scalar(RowMap *map, const Predictor *predictor, TupleDesc row_type, int attribute, uint32 column)
{
	ScalarField *field = &map->scalars[map->n_scalars];

	map->n_attributes = Max(map->n_attributes, attribute + 1);
	field->attribute = attribute;
	value_reader_init(&field->reader, predictor, column, TupleDescAttr(row_type, attribute)->atttypid);

	PlainFields *plain = plain_fields(map, &field->reader);

	if (plain != NULL)
		plain->fields[plain->n++] = (PlainField) {.attribute = attribute, .column = column};
	else
		map->n_scalars++;
}

/* Finds a field for each column of the model. */
void
row_map_init(RowMap *map, const Predictor *predictor, TupleDesc row_type)
{
	uint32		n_columns = predictor->model->n_columns;
	bool	   *lacking = palloc0((n_columns + 1) * sizeof(bool));
	bool		any_lacking = false;
	uint32		column = 0;
	int			likely = 0;

	memset(map, 0, sizeof(*map));
	map->scalars = palloc((n_columns + 1) * sizeof(ScalarField));
	map->arrays = palloc((n_columns + 1) * sizeof(ArrayField));
	map->floats.fields = palloc((n_columns + 1) * sizeof(PlainField));
	map->integers.fields = palloc((n_columns + 1) * sizeof(PlainField));
	map->doubles.fields = palloc((n_columns + 1) * sizeof(PlainField));
	while (column < n_columns)
	{
		int			attribute = find_attribute(row_type, predictor->names[column], likely);

		if (attribute < 0 && map_array(map, predictor, row_type, column))
		{
			column += map->arrays[map->n_arrays - 1].run->n_columns;
			continue;
		}
		if (attribute < 0)
			lacking[column] = any_lacking = true;
		else
			map_scalar(map, predictor, row_type, attribute, column);
		likely = attribute + 1;
		column++;
	}
	if (any_lacking)
		refuse_lacking(predictor, lacking, row_type);
}

/* Where the map says which attribute a field is; *n of them. */
static int **
attribute_places(RowMap *map, int *n)
{
	PlainFields *plain[] = {&map->floats, &map->integers, &map->doubles};
	int		  **places = palloc((map->floats.n + map->integers.n + map->doubles.n + map->n_scalars + map->n_arrays + 1) * sizeof(int *));

	*n = 0;
	for (int kind = 0; kind < (int) lengthof(plain); kind++)
	{
		for (int i = 0; i < plain[kind]->n; i++)
			places[(*n)++] = &plain[kind]->fields[i].attribute;
	}
	for (int i = 0; i < map->n_scalars; i++)
		places[(*n)++] = &map->scalars[i].attribute;
	for (int i = 0; i < map->n_arrays; i++)
		places[(*n)++] = &map->arrays[i].attribute;
	return places;
}

/* Numbers the attributes that are read. */
int
row_map_compact(RowMap *map, int *numbers, int n_attributes)
{
	int			n_places;
	int		  **places = attribute_places(map, &n_places);
	bool	   *read = palloc0((n_attributes + 1) * sizeof(bool));
	int			n = 0;

	for (int i = 0; i < n_places; i++)
		read[*places[i]] = true;
	for (int attribute = 0; attribute < n_attributes; attribute++)
		numbers[attribute] = read[attribute] ? n++ : -1;
	for (int i = 0; i < n_places; i++)
		*places[i] = numbers[*places[i]];
	map->n_attributes = n;
	pfree(read);
	pfree(places);
	return n;
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

/* Reads a row. */
void
row_map_read(const RowMap *map, const Predictor *predictor, const Datum *values, const bool *nulls)
{
	double	   *raw = predictor->raw;

	for (const PlainField *field = map->floats.fields; field < map->floats.fields + map->floats.n; field++)
		raw[field->column] = nulls[field->attribute] ? get_float8_nan() : (double) DatumGetFloat4(values[field->attribute]);
	for (const PlainField *field = map->integers.fields; field < map->integers.fields + map->integers.n; field++)
		raw[field->column] = nulls[field->attribute] ? get_float8_nan() : (double) DatumGetInt32(values[field->attribute]);
	for (const PlainField *field = map->doubles.fields; field < map->doubles.fields + map->doubles.n; field++)
		raw[field->column] = nulls[field->attribute] ? get_float8_nan() : DatumGetFloat8(values[field->attribute]);
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
