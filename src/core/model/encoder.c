/*
 * encoder.c
 *		Rows of a model encoded with vectors.
 *
 * A column's recipe takes two cache lines, of which four numbers are needed;
 * here they lie by kind, so that eight columns are a few instructions.  A
 * division that is not asked for is one by 1.
 */
#include "encoder.h"

#include <math.h>
#include <string.h>

#include "../algorithm.h"
#include "../cpu.h"

#define LANES 8					/* columns that are encoded at once */

/* A column that becomes one feature, whatever its value. */
static bool
is_plain(const RecipeColumn *column)
{
	return column->encoding != ENCODING_ONEHOT && !column->indicator && column->missing != MISSING_ERROR;
}

size_t
encoder_size(const Model *model)
{
	return (size_t) model->n_columns * (sizeof(uint64_t) + 3 * sizeof(double) + sizeof(uint32_t));
}

void
encoder_init(Encoder *encoder, const Model *model, void *memory)
{
	uint32_t	n_columns = model->n_columns;

	encoder->model = model;
	encoder->rounds = memory;
	encoder->fill = (double *) (encoder->rounds + n_columns);
	encoder->center = encoder->fill + n_columns;
	encoder->scale = encoder->center + n_columns;
	encoder->n = (uint32_t *) (encoder->scale + n_columns);
	for (uint32_t i = n_columns; i-- > 0;)
	{
		const RecipeColumn *column = &model->columns[i];
		bool		scaled = column->scaling != SCALING_NONE;

		encoder->rounds[i] = column->storage == STORAGE_FLOAT32 ? UINT64_MAX : 0;
		encoder->fill[i] = column->missing == MISSING_NATIVE ? NAN : column->fill;
		encoder->center[i] = scaled ? column->center : 0;
		encoder->scale[i] = scaled ? column->scale : 1;
		encoder->n[i] = !is_plain(column) ? 0 : i + 1 < n_columns ? encoder->n[i + 1] + 1 : 1;
	}
}

typedef double Lanes __attribute__((vector_size(LANES * sizeof(double)), aligned(sizeof(double)), may_alias));
typedef int64_t LaneBits __attribute__((vector_size(LANES * sizeof(int64_t)), aligned(sizeof(int64_t)), may_alias));
typedef float FloatLanes __attribute__((vector_size(LANES * sizeof(float))));

/* Encodes LANES columns. */
CPU_BODY void
encode_lanes(const Encoder *encoder, uint32_t first, const double *raw, double *features)
{
	Lanes		value = *(const Lanes *) raw;
	Lanes		rounded = __builtin_convertvector(__builtin_convertvector(value, FloatLanes), Lanes);
	LaneBits	rounds = *(const LaneBits *) (encoder->rounds + first);

	value = (Lanes) (((LaneBits) rounded & rounds) | ((LaneBits) value & ~rounds));

	LaneBits	missing = value != value;

	value = (Lanes) ((*(const LaneBits *) (encoder->fill + first) & missing) | ((LaneBits) value & ~missing));
	*(Lanes *) features = (value - *(const Lanes *) (encoder->center + first)) / *(const Lanes *) (encoder->scale + first);
}

/* Encodes n columns of plain numbers, at least LANES: the last ones end with the last column, and overlap those before. */
CPU_BODY void
encode_many_body(const Encoder *encoder, uint32_t first, uint32_t n, const double *raw, double *features)
{
	for (uint32_t i = 0; i < n; i += LANES)
	{
		uint32_t	at = n - i < LANES ? n - LANES : i;

		encode_lanes(encoder, first + at, raw + at, features + at);
	}
}

CPU_DISPATCH(encode_many, (const Encoder *encoder, uint32_t first, uint32_t n, const double *raw, double *features),
			 (encoder, first, n, raw, features))

bool
encoder_encode(const Encoder *encoder, const double *raw, double *features, Error *error)
{
	const Model *model = encoder->model;

	for (uint32_t i = 0; i < model->n_columns;)
	{
		uint32_t	n = encoder->n[i];

		if (n >= LANES)
		{
			encode_many(encoder, i, n, raw + i, features + model->columns[i].first_feature);
			i += n;
		}
		else if (model_encode_column(model, i, raw[i], features, error))
			i++;
		else
			return false;
	}
	return true;
}

bool
encoder_predict(const Encoder *encoder, const double *raw, double *features, double *out, Error *error)
{
	if (!encoder_encode(encoder, raw, features, error))
		return false;
	encoder->model->algorithm->predict(encoder->model, features, out);
	return true;
}
