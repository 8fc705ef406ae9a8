/*
 * encode.c
 *		Raw values to features, a column's rows at a time.
 *
 * Columns of numbers and of levels are loaded into doubles first; then each
 * feature is made by one pass over them, in the caches.
 */
#include "encode.h"

#include <math.h>
#include <string.h>

#include "../../cpu.h"

typedef double Lanes __attribute__((vector_size(ENCODE_LANES * sizeof(double)), may_alias));
typedef int64_t LaneMask __attribute__((vector_size(ENCODE_LANES * sizeof(int64_t)), may_alias));
typedef float FloatLanes __attribute__((vector_size(ENCODE_LANES * sizeof(float)), aligned(sizeof(float)), may_alias));

/* a where the mask is set, else b; a macro, since a vector cannot be returned where it is wider than the machine's. */
#define SELECT(mask, a, b) ((Lanes) (((LaneMask) (a) & (mask)) | ((LaneMask) (b) & ~(mask))))

CPU_BODY void
widen_body(const float *values, size_t n, double *raw)
{
	size_t		i = 0;

	for (; i + ENCODE_LANES <= n; i += ENCODE_LANES)
		*(Lanes *) (raw + i) = __builtin_convertvector(*(const FloatLanes *) (values + i), Lanes);
	for (; i < n; i++)
		raw[i] = (double) values[i];
}

CPU_DISPATCH(widen, (const float *values, size_t n, double *raw), (values, n, raw))

CPU_BODY void
round_numbers_body(double *raw, size_t n)
{
	for (size_t i = 0; i < n; i += ENCODE_LANES)
	{
		Lanes	   *lanes = (Lanes *) (raw + i);

		*lanes = __builtin_convertvector(__builtin_convertvector(*lanes, FloatLanes), Lanes);
	}
}

CPU_DISPATCH(round_numbers, (double *raw, size_t n), (raw, n))

/* ((raw, or fill where it is missing) - center) / scale - shift */
CPU_BODY void
scale_numbers_body(const double *raw, size_t n, double fill, double center, double scale, double shift, double *out)
{
	Lanes		filled = fill - (Lanes) {0};

	for (size_t i = 0; i < n; i += ENCODE_LANES)
	{
		Lanes		value = *(const Lanes *) (raw + i);

		value = SELECT(value == value, value, filled);
		*(Lanes *) (out + i) = (value - center) / scale - shift;
	}
}

CPU_DISPATCH(scale_numbers,
			 (const double *raw, size_t n, double fill, double center, double scale, double shift, double *out),
			 (raw, n, fill, center, scale, shift, out))

/* (raw, or fill where it is missing) - shift */
CPU_BODY void
fill_numbers_body(const double *raw, size_t n, double fill, double shift, double *out)
{
	Lanes		filled = fill - (Lanes) {0};

	for (size_t i = 0; i < n; i += ENCODE_LANES)
	{
		Lanes		value = *(const Lanes *) (raw + i);

		*(Lanes *) (out + i) = SELECT(value == value, value, filled) - shift;
	}
}

CPU_DISPATCH(fill_numbers, (const double *raw, size_t n, double fill, double shift, double *out), (raw, n, fill, shift, out))

/* Whether (raw, or fill where it is missing) is a level: on or off. */
CPU_BODY void
indicate_level_body(const double *raw, size_t n, double fill, double level, double on, double off, double *out)
{
	Lanes		filled = fill - (Lanes) {0};
	Lanes		ons = on - (Lanes) {0};
	Lanes		offs = off - (Lanes) {0};

	for (size_t i = 0; i < n; i += ENCODE_LANES)
	{
		Lanes		value = *(const Lanes *) (raw + i);

		value = SELECT(value == value, value, filled);
		*(Lanes *) (out + i) = SELECT(value == level, ons, offs);
	}
}

CPU_DISPATCH(indicate_level,
			 (const double *raw, size_t n, double fill, double level, double on, double off, double *out),
			 (raw, n, fill, level, on, off, out))

/* Whether raw is missing: on or off. */
CPU_BODY void
indicate_missing_body(const double *raw, size_t n, double on, double off, double *out)
{
	Lanes		ons = on - (Lanes) {0};
	Lanes		offs = off - (Lanes) {0};

	for (size_t i = 0; i < n; i += ENCODE_LANES)
	{
		Lanes		value = *(const Lanes *) (raw + i);

		*(Lanes *) (out + i) = SELECT(value != value, ons, offs);
	}
}

CPU_DISPATCH(indicate_missing, (const double *raw, size_t n, double on, double off, double *out), (raw, n, on, off, out))

void
encode_floats(const float *values, size_t n, double *out)
{
	widen(values, n, out);
}

void
encode_numbers(const TableColumn *column, size_t begin, size_t n, double *numbers)
{
	size_t		first = begin - column->gathered.begin;

	if (!table_is_gathered(column, (RowRange) {begin, begin + n}))
	{
		for (size_t i = 0; i < n; i++)
			numbers[i] = table_number(column, begin + i);
	}
	else if (column->source->storage == STORAGE_FLOAT32)
		widen(column->u.f32 + first, n, numbers);
	else
		memcpy(numbers, column->u.f64 + first, n * sizeof(double));
}

void
encode_raw(const FittedColumn *column, size_t begin, size_t n, double *raw)
{
	if (column->recipe.storage != STORAGE_CODE)
	{
		encode_numbers(column->table, begin, n, raw);
		return;
	}
	for (size_t i = 0; i < n; i++)
		raw[i] = recipe_raw(column, begin + i);
}

void
encode_round(const RecipeColumn *column, double *raw, size_t n)
{
	if (column->storage == STORAGE_FLOAT32)
		round_numbers(raw, n);
}

void
encode_feature(const RecipeColumn *column, uint32_t index, const double *raw, size_t n, double shift, double *out)
{
	double		fill = column->missing == MISSING_NATIVE ? NAN : column->fill;

	if (column->indicator && index + 1 == column->n_features)
		indicate_missing(raw, n, 1 - shift, 0 - shift, out);
	else if (column->encoding == ENCODING_ONEHOT)
		indicate_level(raw, n, fill, index, 1 - shift, 0 - shift, out);
	else if (column->scaling == SCALING_NONE)
		fill_numbers(raw, n, fill, shift, out);
	else
		scale_numbers(raw, n, fill, column->center, column->scale, shift, out);
}
