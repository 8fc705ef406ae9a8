/*
 * tuple_values.c
 *		Numbers of stored tuples as cells of a matrix.
 *
 * A scan of a table hands its tuples over as they lie in their pages.  Taking
 * one apart into Datums and flags, and reading those again, is half of the
 * work of a scan of numbers.  Where every column comes after columns of fixed
 * length only, its place is the same in every tuple without NULLs, and its
 * values are read there.  Rows that lie otherwise (with NULLs, computed,
 * sorted, of another access method) take the way through values.c, which must
 * give the same cells.
 */
#include "tuple_values.h"

#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "catalog/pg_type.h"

#include "../compat.h"
#include "value_cells.h"

/* A value where it lies; tuples align it. */
#define VALUE_AT(type, data, place) (*(const type *) ((data) + (place)))

static void
take_int2(const TupleRun *run, const char *data, uint32 row)
{
	RowCells	cells = row_cells(run->run, row);

	for (uint32 i = 0; i < cells.n; i++)
		*cell_float(cells, i) = (float) VALUE_AT(int16, data, run->places[i]);
}

static void
take_int4(const TupleRun *run, const char *data, uint32 row)
{
	RowCells	cells = row_cells(run->run, row);

	for (uint32 i = 0; i < cells.n; i++)
		*cell_double(cells, i) = (double) VALUE_AT(int32, data, run->places[i]);
}

static void
take_int8(const TupleRun *run, const char *data, uint32 row)
{
	RowCells	cells = row_cells(run->run, row);

	for (uint32 i = 0; i < cells.n; i++)
		*cell_double(cells, i) = exact_integer(run->run, i, VALUE_AT(int64, data, run->places[i]));
}

static void
take_float4(const TupleRun *run, const char *data, uint32 row)
{
	RowCells	cells = row_cells(run->run, row);

	for (uint32 i = 0; i < cells.n; i++)
	{
		float		value = VALUE_AT(float, data, run->places[i]);

		if (unlikely(!isfinite(value)))
			count_special(run->run, i, value);
		*cell_float(cells, i) = value;
	}
}

static void
take_float8(const TupleRun *run, const char *data, uint32 row)
{
	RowCells	cells = row_cells(run->run, row);

	for (uint32 i = 0; i < cells.n; i++)
	{
		double		value = VALUE_AT(double, data, run->places[i]);

		if (unlikely(!isfinite(value)))
			count_special(run->run, i, value);
		*cell_double(cells, i) = value;
	}
}

static void
take_boolean(const TupleRun *run, const char *data, uint32 row)
{
	RowCells	cells = row_cells(run->run, row);

	for (uint32 i = 0; i < cells.n; i++)
		*cell_double(cells, i) = VALUE_AT(bool, data, run->places[i]) ? 1.0 : 0.0;
}

/* How numbers of a type are read; NULL: not like this. */
static TupleConvert
tuple_converter(Oid base_type, ColumnStorage storage)
{
	if (storage == STORAGE_CODE)
		return NULL;
	switch (base_type)
	{
		case INT2OID:
			return take_int2;
		case INT4OID:
			return take_int4;
		case INT8OID:
			return take_int8;
		case FLOAT4OID:
			return take_float4;
		case FLOAT8OID:
			return take_float8;
		case BOOLOID:
			return take_boolean;
		default:
			return NULL;
	}
}

/* Finds converter and places. */
bool
tuple_run_init(TupleRun *run, const ValueRun *values, Oid base_type, TupleDesc row_type, int first)
{
	ColumnStorage storage = values->writer->columns[values->first_column].storage;
	int			end = first + (int) values->n_columns;
	uint32		place = 0;

	run->convert = tuple_converter(base_type, storage);
	run->run = values;
	if (run->convert == NULL || end > row_type->natts)
		return false;
	run->places = palloc(values->n_columns * sizeof(uint32));
	for (int i = 0; i < end; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(row_type, i);

		if (attribute->attlen <= 0)
			return false;
		place = (uint32) att_align_nominal(place, attribute->attalign);
		if (i >= first)
			run->places[i - first] = place;
		place += (uint32) attribute->attlen;
	}
	return true;
}

/* A tuple of the heap, whole and without NULLs. */
const char *
tuple_data(TupleTableSlot *slot, int n)
{
	HeapTuple	tuple;

	if (slot->tts_ops != &TTSOpsBufferHeapTuple)
		return NULL;
	tuple = ((BufferHeapTupleTableSlot *) slot)->base.tuple;
	if (tuple == NULL || HeapTupleHasNulls(tuple) || HeapTupleHeaderGetNatts(tuple->t_data) < n)
		return NULL;
	return (const char *) tuple->t_data + tuple->t_data->t_hoff;
}
