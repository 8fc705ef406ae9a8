/*
 * test_recipe_encode.c
 *		Features by a fitted recipe: those that the model gives for the same values, bit for bit.
 */
#include <stdlib.h>

#include "core/cpu.h"
#include "core/hash.h"
#include "core/model/linear_model.h"
#include "core/model/model.h"
#include "recipe_case.h"

/* What the columns of random_table() ask for, policy by policy. */
static RecipePlan
random_plan(uint32_t column, uint32_t round)
{
	static const MissingPolicy number_policies[] = {MISSING_NATIVE, MISSING_MEAN, MISSING_MEDIAN, MISSING_MOST_FREQUENT, MISSING_ZERO};
	static const Encoding encodings[] = {ENCODING_NATIVE, ENCODING_ONEHOT, ENCODING_ORDINAL};

	if (column < 2)
		return plan(number_policies[round % 5], ENCODING_NATIVE, (Scaling) (SCALING_NONE + round % 3),
					(IndicatorPolicy) (INDICATOR_NEVER + round % 2), 0);
	return plan(round % 2 ? MISSING_NATIVE : MISSING_MOST_FREQUENT, encodings[round % 3], (Scaling) (SCALING_NONE + round % 3),
				(IndicatorPolicy) (INDICATOR_NEVER + round / 2 % 2), round % 4 == 0 ? 5 : 100);
}

/* Writes the recipe into a constant model and opens it. */
static bool
write_model(const FittedRecipe *recipe, Buffer *out, Model *model, Error *error)
{
	static const double zero = 0;
	ModelWriter writer;
	bool		written;

	model_writer_init(&writer);
	writer.header.algorithm = ALGORITHM_BASELINE;
	writer.header.task = TASK_REGRESSION;
	writer.header.label_kind = LABEL_NONE;
	writer.header.target_name = model_writer_string(&writer, "y", 1);
	writer.header.target_type = model_writer_string(&writer, "float8", 6);
	writer.header.n_training_rows = 1;
	recipe_write(recipe, &writer);
	buffer_init(out);
	written = linear_model_write(LINEAR_CONSTANT, 1, 0, &zero, NULL, NULL, &writer.sections[SECTION_PAYLOAD], error) &&
		model_writer_finish(&writer, out, error) &&
		model_open(model, out->data, out->size, error);
	model_writer_free(&writer);
	return written;
}

/* The features of every row are those that the model gives for the same raw values, bit for bit. */
static void
as_the_model_does(void)
{
	enum {ROWS = 3000};
	MatrixColumn columns[] = {
		test_column("f32", KIND_NUMBER, STORAGE_FLOAT32, ROLE_FEATURE),
		test_column("f64", KIND_NUMBER, STORAGE_FLOAT64, ROLE_FEATURE),
		test_column("text", KIND_CATEGORY, STORAGE_CODE, ROLE_FEATURE),
		test_column("y", KIND_NUMBER, STORAGE_FLOAT64, ROLE_TARGET)
	};
	Bench		bench;

	begin(&bench, columns, 4);
	for (uint32_t i = 0; i < ROWS; i++)
	{
		uint64_t	hash = hash64_mix(i);
		char		text[16];

		snprintf(text, sizeof(text), "t%u", (uint32_t) (hash >> 40) % 12);
		test_matrix_row(&bench.matrix);
		test_matrix_number(&bench.matrix, 0, hash % 7 == 0 ? NAN : (double) (hash % 1000) / 3);
		test_matrix_number(&bench.matrix, 1, hash % 5 == 0 ? NAN : (double) (hash >> 20) * 1e-7);
		test_matrix_text(&bench.matrix, 2, hash % 11 == 0 ? NULL : text);
		test_matrix_number(&bench.matrix, 3, i);
	}
	CHECK_OK(make_table(&bench, 0.3), &bench.error);

	for (uint32_t round = 0; round < 30; round++)
	{
		RecipePlan	plans[] = {random_plan(0, round), random_plan(1, round + 1), random_plan(2, round)};
		Buffer		bytes;
		Model		model;
		bool		equal = true;

		/* with every width of vectors */
		cpu_limit((CpuLevel) (round % 3));
		if (!CHECK_OK(recipe_fit(&bench.recipe, &bench.table, plans, bench.pool, &bench.arena, &bench.error), &bench.error) ||
			!CHECK_OK(write_model(&bench.recipe, &bytes, &model, &bench.error), &bench.error))
			break;
		CHECK(model.n_features == bench.recipe.n_features);

		size_t		stride = bench.recipe.n_features + round % 3;
		double	   *encoded = malloc(ROWS * stride * sizeof(double));
		double	   *features = malloc(bench.recipe.n_features * sizeof(double));

		encode_rows(&bench.recipe, 10, ROWS - 10, encoded, stride);
		for (size_t row = 10; row < ROWS; row++)
		{
			const TableColumn *text = &bench.table.features[2];
			uint32_t	code = table_code(text, row);
			double		raw[] = {table_number(&bench.table.features[0], row), table_number(&bench.table.features[1], row), NAN};

			if (code != CODE_MISSING)
				raw[2] = model_category(&model, &model.columns[2], text->levels[code], text->level_lengths[code]);
			for (int c = 0; c < 3; c++)
				equal = equal && (raw[c] == recipe_raw(&bench.recipe.columns[c], row) || isnan(raw[c]));
			if (!model_encode(&model, raw, features, &bench.error))
				equal = false;
			for (uint32_t f = 0; f < model.n_features; f++)
				equal = equal && memcmp(&features[f], &encoded[(row - 10) * stride + f], sizeof(double)) == 0;
		}
		CHECK(equal);
		free(encoded);
		free(features);
		buffer_free(&bytes);
	}

	cpu_limit(CPU_AVX512);

	/* what is fitted does not see the test rows */
	RecipePlan	plans[] = {random_plan(0, 1), random_plan(1, 1), random_plan(2, 1)};
	double		sum = 0;
	size_t		n = 0;

	CHECK_OK(recipe_fit(&bench.recipe, &bench.table, plans, bench.pool, &bench.arena, &bench.error), &bench.error);
	for (size_t row = bench.table.train.begin; row < bench.table.train.end; row++)
	{
		double		value = table_number(&bench.table.features[0], row);

		sum += isnan(value) ? 0 : value;
		n += !isnan(value);
	}
	CHECK_NEAR(bench.recipe.columns[0].recipe.fill, sum / (double) n, 1e-10);
	end(&bench);
}

int
main(void)
{
	as_the_model_does();
	return check_done();
}
