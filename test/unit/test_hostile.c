/*
 * test_hostile.c
 *		Damaged and forged models: every byte changed, every length cut.
 *
 * The sanitizers are the judge: whatever model_open() lets through is
 * described, encoded and predicted, and must not read out of range.  Each
 * model lies at the end of its own allocation, so that a read behind it shows.
 */
#include <stdlib.h>

#include "core/algorithm.h"
#include "core/model/model.h"
#include "check.h"
#include "exercise.h"
#include "support.h"

volatile double exercise_sink;

static int	opened;
static int	refused;

/* Opens a copy of these bytes and, where that works, uses all of it. */
static bool
try_model(const uint8_t *bytes, size_t size)
{
	uint8_t    *copy = malloc(size + 1);
	bool		valid;

	memcpy(copy, bytes, size);
	copy = realloc(copy, size > 0 ? size : 1);
	valid = exercise_model(copy, size);
	free(copy);
	*(valid ? &opened : &refused) += 1;
	return valid;
}

/* Every byte with several values; without the checksum nothing passes, with it repaired the validator is on its own. */
static void
flip_bytes(const Buffer *model)
{
	static const uint8_t masks[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff, 0x7f};
	uint8_t    *bytes = malloc(model->size);
	int			passed = 0;

	for (size_t i = sizeof(uint32_t); i < model->size; i++)
	{
		for (size_t m = 0; m < sizeof(masks); m++)
		{
			memcpy(bytes, model->data, model->size);
			bytes[i] ^= masks[m];
			passed += try_model(bytes, model->size);
			repair_checksum(bytes, model->size);
			try_model(bytes, model->size);
		}
		memcpy(bytes, model->data, model->size);
		if (bytes[i] != 0)
		{
			bytes[i] = 0;
			repair_checksum(bytes, model->size);
			try_model(bytes, model->size);
		}
	}
	CHECK(passed == 0);
	free(bytes);
}

/* Every 4- and 8-byte word replaced by the numbers at which arithmetic goes wrong. */
static void
forge_words(const Buffer *model)
{
	static const uint64_t values[] = {
		UINT64_MAX, UINT64_MAX - 7, INT64_MAX, UINT64_C(0x8000000000000000), UINT32_MAX, UINT64_C(0x100000000), INT32_MAX, 0x80000000,
		0x7ff0000000000000, 0x7ff8000000000000, 0xfff0000000000000, 0x20000000, 65535, 65536, 1048577, 8, 0
	};
	uint8_t    *bytes = malloc(model->size);

	for (size_t width = 4; width <= 8; width += 4)
	{
		for (size_t i = sizeof(uint32_t); i + width <= model->size; i += 4)
		{
			for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++)
			{
				memcpy(bytes, model->data, model->size);
				memcpy(bytes + i, &values[v], width);
				repair_checksum(bytes, model->size);
				try_model(bytes, model->size);
			}
		}
	}
	free(bytes);
}

/* Every length, with the size in the header as it was and as it is, with the checksum as it was and as it should be. */
static void
truncate_bytes(const Buffer *model)
{
	uint8_t    *bytes = malloc(model->size + 16);
	int			passed = 0;

	memcpy(bytes, model->data, model->size);
	memset(bytes + model->size, 0, 16);
	for (size_t size = 0; size < model->size + 16; size++)
	{
		uint64_t	claimed = size;

		if (size == model->size)
			continue;
		passed += try_model(bytes, size);
		if (size < sizeof(ArtifactHeader))
			continue;

		uint8_t    *forged = malloc(size);

		memcpy(forged, bytes, size);
		memcpy(forged + offsetof(ArtifactHeader, size), &claimed, sizeof(claimed));
		repair_checksum(forged, size);
		try_model(forged, size);
		free(forged);
	}
	CHECK(passed == 0);
	free(bytes);
}

/* Bytes that hold nothing of a model. */
static void
refuse_nonsense(void)
{
	static const uint64_t zeros[64];
	Model		model;
	Error		error;

	CHECK_ERROR(model_open(&model, zeros, 0, &error), &error, ERROR_CORRUPTED, "too few");
	CHECK_ERROR(model_open(&model, zeros, sizeof(zeros), &error), &error, ERROR_CORRUPTED, "no model");
	CHECK_ERROR(model_open(&model, (const char *) zeros + 4, 300, &error), &error, ERROR_INTERNAL, "aligned");
}

/* A format that a later release may write is told from damage. */
static void
refuse_later_format(void)
{
	Buffer		bytes;
	Model		model;
	Error		error;

	buffer_init(&bytes);
	CHECK_OK(example_linear(&bytes, &error), &error);
	bytes.data[offsetof(ArtifactHeader, format)]++;
	repair_checksum(bytes.data, bytes.size);
	CHECK_ERROR(model_open(&model, bytes.data, bytes.size, &error), &error, ERROR_CORRUPTED, "format 2");
	buffer_free(&bytes);
}

int
main(void)
{
	for (int i = 0; example_models[i] != NULL; i++)
	{
		Buffer		model;
		Error		error;

		buffer_init(&model);
		if (!CHECK_OK(example_models[i] (&model, &error), &error) || !CHECK(try_model(model.data, model.size)))
			continue;
		flip_bytes(&model);
		forge_words(&model);
		truncate_bytes(&model);
		buffer_free(&model);
	}

	/* both sides of the validator were reached */
	CHECK(refused > 10000);
	CHECK(opened > 1000);
	refuse_nonsense();
	refuse_later_format();
	return check_done();
}
