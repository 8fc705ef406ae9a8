/*
 * bin_source.c
 *		Bins of features, straight from the matrix.
 *
 * Values are searched block by block, as the matrix has them: a block of a
 * column is in the nearest cache, and next to each other are the values that
 * vectors take.  A code of a category has one bin, which is looked up.
 */
#include "bin_source.h"

#include <math.h>

#define SAMPLE_ROWS 200000

/* Bins of the rows of a block of the matrix. */
typedef union BlockBins
{
	uint8_t		narrow[MATRIX_BLOCK_ROWS];
	uint16_t	wide[MATRIX_BLOCK_ROWS];
} BlockBins;

/* ---- Values ---- */

/* A raw value as feature `slot` of its column; what recipe_encode() gives there. */
static double
encoded_value(const RecipeColumn *column, uint32_t slot, double raw)
{
	double		features[2] = {NAN, NAN};	/* what a validation row that the recipe refuses keeps */

	if (column->encoding != ENCODING_ONEHOT)
	{
		recipe_encode(column, raw, features);
		return features[slot];
	}

	/* one of many: the index of the level decides, found by the same encoder */
	RecipeColumn ordinal = *column;

	ordinal.encoding = ENCODING_ORDINAL;
	ordinal.scaling = SCALING_NONE;
	recipe_encode(&ordinal, raw, features);
	return slot == column->n_categories ? features[1] : features[0] == (double) slot;
}

/* The values are those of the matrix: nothing is filled, scaled or spread. */
static bool
is_plain_number(const BinFeature *feature)
{
	const RecipeColumn *recipe = &feature->column->recipe;

	return feature->slot == 0 && recipe->kind != KIND_CATEGORY && recipe->missing == MISSING_NATIVE &&
		recipe->encoding == ENCODING_NATIVE && recipe->scaling == SCALING_NONE;
}

/* The encoded value of a code of the matrix. */
static double
code_value(const BinFeature *feature, uint32_t code)
{
	const FittedColumn *column = feature->column;
	uint32_t	level = code == CODE_MISSING ? CODE_MISSING : column->table->level_of_code[code];

	/* a code that only rows left out have is no level of the table */
	if (level != CODE_MISSING)
		level = column->level_of_code[level];
	return encoded_value(&column->recipe, feature->slot, level == CODE_MISSING ? NAN : (double) level);
}

/* ---- Sampling ---- */

size_t
bin_sample_size(size_t n_rows)
{
	return n_rows < SAMPLE_ROWS ? n_rows : SAMPLE_ROWS;
}

/* Training rows at equal distances in the order of the table, listed in that of the matrix. */
static bool
choose_sample(BinSource *source, Arena *scratch, Error *error)
{
	size_t		n_train = range_rows(source->table->train);
	uint64_t   *chosen = arena_zeroed(scratch, n_train / 64 + 1, sizeof(uint64_t), error);
	size_t		n = 0;

	source->n_sample = bin_sample_size(n_train);
	source->sample = arena_alloc(scratch, source->n_sample, sizeof(uint32_t), error);
	if (chosen == NULL || source->sample == NULL)
		return false;
	for (size_t i = 0; i < source->n_sample; i++)
	{
		size_t		row = (size_t) ((unsigned __int128) i * n_train / source->n_sample);

		chosen[row / 64] |= UINT64_C(1) << row % 64;
	}
	for (size_t row = 0; n < source->n_sample; row++)
	{
		size_t		position = source->positions[row];

		if (position < n_train && chosen[position / 64] >> position % 64 & 1)
			source->sample[n++] = (uint32_t) row;
	}
	return true;
}

bool
bin_source_init(BinSource *source, const FitInput *input, size_t n_rows, Arena *scratch, Error *error)
{
	uint32_t	most_codes = 0;

	for (uint32_t f = 0; f < input->table->n_features; f++)
	{
		uint32_t	n_codes = input->table->features[f].source->n_codes;

		most_codes = n_codes > most_codes ? n_codes : most_codes;
	}
	source->table = input->table;
	source->n_rows = n_rows;
	source->code_room = (size_t) most_codes + 1;
	source->positions = table_positions(input->table, input->pool, scratch, error);
	source->code_bins = arena_alloc(scratch, source->code_room * (size_t) pool_threads(input->pool), sizeof(uint16_t), error);
	return source->positions != NULL && source->code_bins != NULL && choose_sample(source, scratch, error);
}

void
bin_source_sample(const BinSource *source, const BinFeature *feature, double *out)
{
	const TableColumn *column = feature->column->table;
	bool		coded = column->source->storage == STORAGE_CODE;
	bool		plain = is_plain_number(feature);

	for (size_t i = 0; i < source->n_sample; i++)
	{
		if (coded)
		{
			out[i] = code_value(feature, matrix_code(column->matrix, column->number, source->sample[i]));
			continue;
		}

		double		value = matrix_number(column->matrix, column->number, source->sample[i]);

		out[i] = plain ? value : encoded_value(&feature->column->recipe, feature->slot, value);
	}
}

/* ---- Bins ---- */

/* Bins of n numbers. */
static void
search(const BinFeature *feature, const double *values, size_t n, BlockBins *out)
{
	if (feature->wide)
		bins_search_wide(feature, values, n, out->wide);
	else
		bins_search_double(feature, values, n, out->narrow);
}

/* The bins of all codes of a column; that of a missing one is the last. */
static void
find_code_bins(const BinFeature *feature, uint16_t *code_bins)
{
	uint32_t	n_codes = feature->column->table->source->n_codes;

	for (uint32_t code = 0; code <= n_codes; code++)
	{
		double		value = code_value(feature, code < n_codes ? code : CODE_MISSING);
		BlockBins	bin;

		if (feature->categorical)
		{
			code_bins[code] = (uint16_t) (value == value ? value + 1 : BIN_MISSING);
			continue;
		}
		search(feature, &value, 1, &bin);
		code_bins[code] = feature->wide ? bin.wide[0] : bin.narrow[0];
	}
}

/* Bins of a block of codes. */
static void
look_up(const BinFeature *feature, const uint32_t *codes, size_t n, const uint16_t *code_bins, BlockBins *out)
{
	uint32_t	missing = feature->column->table->source->n_codes;

	for (size_t i = 0; i < n; i++)
	{
		uint16_t	bin = code_bins[codes[i] < missing ? codes[i] : missing];

		if (feature->wide)
			out->wide[i] = bin;
		else
			out->narrow[i] = (uint8_t) bin;
	}
}

/* Bins of a block of numbers. */
static void
search_block(const BinFeature *feature, const void *block, size_t n, BlockBins *out)
{
	double		values[MATRIX_BLOCK_ROWS];
	bool		single = feature->column->table->source->storage == STORAGE_FLOAT32;
	bool		plain = is_plain_number(feature);

	if (plain && single && !feature->wide)
	{
		bins_search_float(feature, block, n, out->narrow);
		return;
	}
	if (plain && !single)
	{
		search(feature, block, n, out);
		return;
	}
	for (size_t i = 0; i < n; i++)
		values[i] = single ? (double) ((const float *) block)[i] : ((const double *) block)[i];
	for (size_t i = 0; i < n && !plain; i++)
		values[i] = encoded_value(&feature->column->recipe, feature->slot, values[i]);
	search(feature, values, n, out);
}

/* Puts the bins of a block at the rows' positions; those of other rows behind the last, since a branch would be guessed wrong. */
#define DEFINE_PLACE(name, type) \
static void \
name(const type *bins, const uint32_t *positions, size_t n, size_t n_rows, type *out) \
{ \
	for (size_t i = 0; i < n; i++) \
		out[positions[i] < n_rows ? positions[i] : n_rows] = bins[i]; \
}

DEFINE_PLACE(place_narrow, uint8_t)
DEFINE_PLACE(place_wide, uint16_t)

void
bin_source_fill(const BinSource *source, const BinFeature *feature, int thread, void *out)
{
	const TableColumn *column = feature->column->table;
	bool		coded = column->source->storage == STORAGE_CODE;
	const uint32_t *positions = source->positions;
	uint16_t   *code_bins = source->code_bins + (size_t) thread * source->code_room;

	if (coded)
		find_code_bins(feature, code_bins);
	for (uint64_t b = 0; b < matrix_blocks(column->matrix); b++)
	{
		const void *block = matrix_values(column->matrix, column->number, b);
		size_t		n = matrix_block_rows(column->matrix, b);
		BlockBins	bins;

		if (coded)
			look_up(feature, block, n, code_bins, &bins);
		else
			search_block(feature, block, n, &bins);
		if (feature->wide)
			place_wide(bins.wide, positions, n, source->n_rows, out);
		else
			place_narrow(bins.narrow, positions, n, source->n_rows, out);
		positions += n;
	}
}
