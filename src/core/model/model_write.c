/*
 * model_write.c
 *		Writing a model: sections grow side by side and are joined at the end.
 *
 * A failed allocation is remembered by the section's Buffer and found by
 * model_writer_finish().
 */
#include <string.h>

#include "../crc32c.h"
#include "../hash.h"
#include "model.h"

void
model_writer_init(ModelWriter *writer)
{
	memset(&writer->header, 0, sizeof(writer->header));
	for (int i = 0; i < ARTIFACT_SECTIONS; i++)
		buffer_init(&writer->sections[i]);

	/* the empty text */
	buffer_u8(&writer->sections[SECTION_STRINGS], 0);
}

void
model_writer_free(ModelWriter *writer)
{
	for (int i = 0; i < ARTIFACT_SECTIONS; i++)
		buffer_free(&writer->sections[i]);
}

uint64_t
model_writer_string(ModelWriter *writer, const char *text, size_t length)
{
	Buffer	   *strings = &writer->sections[SECTION_STRINGS];

	if (length == 0)
		return 0;

	uint64_t	offset = strings->size;

	buffer_bytes(strings, text, length);
	buffer_u8(strings, 0);
	return offset;
}

/* Appends the hash slots of one column: at most half of them used. */
static void
write_slots(ModelWriter *writer, RecipeColumn *column, const char *const *levels, const size_t *lengths)
{
	Buffer	   *section = &writer->sections[SECTION_SLOTS];

	column->slots = section->size / sizeof(uint32_t);
	column->n_slots = 0;
	if (column->n_categories == 0)
		return;
	for (column->n_slots = 4; column->n_slots < 2 * column->n_categories;)
		column->n_slots *= 2;
	buffer_zeros(section, column->n_slots * sizeof(uint32_t));
	if (section->failed)
		return;

	uint32_t   *slots = (uint32_t *) section->data + column->slots;
	uint32_t	mask = column->n_slots - 1;

	for (uint32_t i = 0; i < column->n_categories; i++)
	{
		uint32_t	slot = (uint32_t) hash64_bytes(levels[i], lengths[i]) & mask;

		while (slots[slot] != 0)
			slot = (slot + 1) & mask;
		slots[slot] = i + 1;
	}
}

void
model_writer_column(ModelWriter *writer, RecipeColumn *column, const char *name, const char *type_name,
					const char *const *levels, const size_t *lengths, uint32_t n_levels)
{
	Buffer	   *categories = &writer->sections[SECTION_CATEGORIES];

	column->name = model_writer_string(writer, name, strlen(name));
	column->type_name = model_writer_string(writer, type_name, strlen(type_name));
	column->categories = categories->size / sizeof(uint64_t);
	column->n_categories = n_levels;
	for (uint32_t i = 0; i < n_levels; i++)
		buffer_u64(categories, model_writer_string(writer, levels[i], lengths[i]));
	write_slots(writer, column, levels, lengths);
	buffer_bytes(&writer->sections[SECTION_COLUMNS], column, sizeof(*column));
}

void
model_writer_label(ModelWriter *writer, const char *label)
{
	buffer_u64(&writer->sections[SECTION_LABELS], model_writer_string(writer, label, strlen(label)));
}

void
model_writer_param(ModelWriter *writer, const char *name, const char *value)
{
	Buffer	   *params = &writer->sections[SECTION_PARAMS];

	buffer_u64(params, model_writer_string(writer, name, strlen(name)));
	buffer_u64(params, model_writer_string(writer, value, strlen(value)));
}

void
model_writer_metric(ModelWriter *writer, const char *name, double value, double baseline)
{
	Buffer	   *metrics = &writer->sections[SECTION_METRICS];

	buffer_u64(metrics, model_writer_string(writer, name, strlen(name)));
	buffer_f64(metrics, value);
	buffer_f64(metrics, baseline);
}

/* Counts that follow from the sections. */
static void
count_items(ModelWriter *writer)
{
	const Buffer *columns = &writer->sections[SECTION_COLUMNS];
	ArtifactHeader *header = &writer->header;

	header->n_columns = (uint32_t) (columns->size / sizeof(RecipeColumn));
	header->n_features = 0;
	for (uint32_t i = 0; i < header->n_columns; i++)
		header->n_features += ((const RecipeColumn *) columns->data)[i].n_features;
	header->n_outputs = header->task == TASK_REGRESSION ? 1 : (uint32_t) (writer->sections[SECTION_LABELS].size / sizeof(uint64_t));
}

bool
model_writer_finish(ModelWriter *writer, Buffer *out, Error *error)
{
	ArtifactHeader *header = &writer->header;

	for (int i = 0; i < ARTIFACT_SECTIONS; i++)
	{
		if (!buffer_check(&writer->sections[i], error))
			return false;
	}
	count_items(writer);
	memcpy(header->magic, ARTIFACT_MAGIC, sizeof(header->magic));
	header->format = ARTIFACT_FORMAT;

	buffer_zeros(out, sizeof(*header));
	for (int i = 0; i < ARTIFACT_SECTIONS; i++)
	{
		buffer_align(out, 8);
		header->sections[i].offset = out->size;
		header->sections[i].size = writer->sections[i].size;
		buffer_bytes(out, writer->sections[i].data, writer->sections[i].size);
	}
	if (!buffer_check(out, error))
		return false;
	header->size = out->size;
	header->container = 0;
	header->checksum = 0;
	memcpy(out->data, header, sizeof(*header));

	size_t		checked = offsetof(ArtifactHeader, checksum) + sizeof(header->checksum);

	header->checksum = crc32c(out->data + checked, out->size - checked);
	memcpy(out->data + offsetof(ArtifactHeader, checksum), &header->checksum, sizeof(header->checksum));
	return true;
}
