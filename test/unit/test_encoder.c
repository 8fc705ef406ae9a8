/*
 * test_encoder.c
 *		Rows encoded with vectors are those that the recipe encodes column by column, bit for bit.
 *
 * Random recipes with runs of plain numbers of all lengths between other
 * columns; values missing, infinite, too large or too small for a float.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "core/model/encoder.h"
#include "check.h"

#define MAX_TEST_COLUMNS 60
#define N_MODELS 200
#define N_ROWS 20

static uint64_t state = 1;

static uint32_t
random_below(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t) (((state >> 33) * (uint64_t) n) >> 31);
}

/* Any recipe; most are of plain numbers. */
static RecipeColumn
random_column(void)
{
	bool		plain = random_below(12) != 0;
	RecipeColumn column = {
		.storage = random_below(2) ? STORAGE_FLOAT32 : STORAGE_FLOAT64,
		.missing = (uint8_t) (MISSING_NATIVE + random_below(MISSING_ZERO - MISSING_NATIVE + 1)),
		.encoding = random_below(2) ? ENCODING_NATIVE : ENCODING_ORDINAL,
		.scaling = (uint8_t) (SCALING_NONE + random_below(3)),
		.fill = random_below(100) - 50.25,
		.center = random_below(1000) / 3.0,
		.scale = (random_below(1000) + 1) / 7.0,
		.n_features = 1
	};

	if (!plain)
	{
		column.indicator = (uint8_t) random_below(2);
		if (random_below(2))
		{
			column.encoding = ENCODING_ONEHOT;
			column.n_categories = random_below(5);
		}
		column.n_features = (column.encoding == ENCODING_ONEHOT ? column.n_categories : 1) + column.indicator;
	}
	return column;
}

static double
random_raw(void)
{
	static const double odd[] = {NAN, INFINITY, -INFINITY, 0, -0.0, 1e300, -1e300, 1e-300, 5e-324, 16777217};

	return random_below(3) == 0 ? odd[random_below(10)] : random_below(100000) / 7.0 - 5000;
}

/* Random rows of a model, encoded both ways at one width. */
static bool
same_rows(const Model *model, const Encoder *encoder)
{
	double		raw[MAX_TEST_COLUMNS];
	double		expected[6 * MAX_TEST_COLUMNS];
	double		features[6 * MAX_TEST_COLUMNS];
	Error		error;

	for (int row = 0; row < N_ROWS; row++)
	{
		for (uint32_t i = 0; i < model->n_columns; i++)
			raw[i] = random_raw();
		memset(expected, 0, sizeof(expected));
		memset(features, 0, sizeof(features));
		if (!model_encode(model, raw, expected, &error) || !encoder_encode(encoder, raw, features, &error) ||
			memcmp(features, expected, sizeof(features)) != 0)
			return false;
	}
	return true;
}

/* A column that refuses missing values does so between others, too. */
static void
check_refusal(Model *model, RecipeColumn *columns, Encoder *encoder, void *memory)
{
	uint32_t	i = random_below(model->n_columns);
	double		raw[MAX_TEST_COLUMNS] = {0};
	double		features[6 * MAX_TEST_COLUMNS];
	Error		error;

	columns[i].missing = MISSING_ERROR;
	encoder_init(encoder, model, memory);
	CHECK(encoder_encode(encoder, raw, features, &error));
	raw[i] = NAN;
	CHECK(!encoder_encode(encoder, raw, features, &error));
	CHECK(strcmp(error.message, "missing value in column \"x\"") == 0);
}

int
main(void)
{
	for (int i = 0; i < N_MODELS; i++)
	{
		RecipeColumn columns[MAX_TEST_COLUMNS];
		Model		model = {.columns = columns, .n_columns = 1 + random_below(MAX_TEST_COLUMNS), .strings = "x"};
		void	   *memory = malloc(encoder_size(&model));
		Encoder		encoder;

		for (uint32_t j = 0; j < model.n_columns; j++)
		{
			columns[j] = random_column();
			columns[j].first_feature = model.n_features;
			model.n_features += columns[j].n_features;
		}
		encoder_init(&encoder, &model, memory);
		for (CpuLevel level = CPU_PLAIN; level <= CPU_AVX512; level++)
		{
			cpu_limit(level);
			CHECK(same_rows(&model, &encoder));
		}
		cpu_limit(CPU_AVX512);
		check_refusal(&model, columns, &encoder, memory);
		free(memory);
	}
	return check_done();
}
