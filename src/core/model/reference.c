/*
 * reference.c
 *		What a training freezes beside its model, as bytes.
 */
#include "reference.h"

#include <string.h>

/* ---- Writing ---- */

/* Begins a record; where its body begins. */
static size_t
begin(Buffer *out, ReferenceKind kind)
{
	buffer_u8(out, (uint8_t) kind);
	buffer_u64(out, 0);
	return out->size;
}

/* Fills in the size of the body. */
static void
end(Buffer *out, size_t begun)
{
	uint64_t	size = out->size - begun;

	if (!out->failed)
		memcpy(out->data + begun - sizeof(size), &size, sizeof(size));
}

static void
write_column(Buffer *out, const ReferenceColumn *column)
{
	buffer_string(out, column->role);
	buffer_string(out, column->name);
	buffer_string(out, column->segment);
}

void
reference_write_profile(Buffer *out, const ReferenceColumn *column, const Distribution *distribution)
{
	size_t		begun = begin(out, REFERENCE_PROFILE);
	size_t		size = distribution_size(distribution);
	size_t		offset;

	write_column(out, column);
	offset = out->size;
	buffer_zeros(out, size);
	if (!out->failed)
		distribution_write(distribution, out->data + offset);
	end(out, begun);
}

void
reference_write_slices(Buffer *out, const ReferenceColumn *column, const ReferenceSlices *slices)
{
	size_t		begun = begin(out, REFERENCE_SLICES);

	write_column(out, column);
	buffer_u64(out, (uint64_t) slices->origin);
	buffer_u64(out, (uint64_t) slices->width);
	buffer_u32(out, slices->n_slices);
	buffer_u32(out, slices->n_cells);
	buffer_bytes(out, slices->counts, (size_t) slices->n_slices * slices->n_cells * sizeof(uint64_t));
	end(out, begun);
}

void
reference_write_model(Buffer *out, const ReferenceModel *model)
{
	size_t		begun = begin(out, REFERENCE_MODEL);

	buffer_string(out, model->kind);
	buffer_string(out, model->name);
	buffer_u64(out, model->content_size);
	buffer_bytes(out, model->content, model->content_size);
	buffer_u64(out, model->artifact_size);
	buffer_bytes(out, model->artifact, model->artifact_size);
	end(out, begun);
}

size_t
reference_begin_sample(Buffer *out, uint32_t n_rows)
{
	size_t		begun = begin(out, REFERENCE_SAMPLE);

	buffer_u32(out, n_rows);
	return begun;
}

/* A text, or that there is none. */
static void
write_text(Buffer *out, const char *text, size_t size)
{
	buffer_u8(out, text != NULL);
	if (text == NULL)
		return;
	buffer_u32(out, (uint32_t) size);
	buffer_bytes(out, text, size);
}

void
reference_write_row(Buffer *out, const SampleRow *row)
{
	buffer_u64(out, (uint64_t) row->at);
	buffer_u32(out, (uint32_t) row->features_size);
	buffer_bytes(out, row->features, row->features_size);
	buffer_f64(out, row->prediction);
	buffer_f64(out, row->probability);
	write_text(out, row->class, row->class_size);
	write_text(out, row->outcome, row->outcome_size);
}

void
reference_end_sample(Buffer *out, size_t begun)
{
	end(out, begun);
}

/* ---- Reading ---- */

ReferenceKind
reference_next(Reader *records, Reader *body)
{
	uint8_t		kind;
	uint64_t	size;
	const void *bytes;

	if (records->failed || records->position == records->size)
		return 0;
	kind = reader_u8(records);
	size = reader_u64(records);
	bytes = reader_bytes(records, size);
	if (bytes == NULL || kind < REFERENCE_PROFILE || kind > REFERENCE_SAMPLE)
	{
		records->failed = true;
		return 0;
	}
	reader_init(body, bytes, size);
	return (ReferenceKind) kind;
}

static void
read_column(Reader *body, ReferenceColumn *column)
{
	reader_string(body, column->role, sizeof(column->role));
	reader_string(body, column->name, sizeof(column->name));
	reader_string(body, column->segment, sizeof(column->segment));
}

/* Nothing may follow. */
static void
expect_end(Reader *body)
{
	if (body->position != body->size)
		body->failed = true;
}

void
reference_read_profile(Reader *body, ReferenceColumn *column, const void **profile, size_t *size)
{
	read_column(body, column);
	*size = body->failed ? 0 : body->size - body->position;
	*profile = reader_bytes(body, *size);
}

void
reference_read_slices(Reader *body, ReferenceColumn *column, ReferenceSlices *slices)
{
	uint64_t	n;

	read_column(body, column);
	slices->origin = (int64_t) reader_u64(body);
	slices->width = (int64_t) reader_u64(body);
	slices->n_slices = reader_u32(body);
	slices->n_cells = reader_u32(body);
	n = (uint64_t) slices->n_slices * slices->n_cells;
	slices->counts = n <= body->size / sizeof(uint64_t) ? reader_bytes(body, n * sizeof(uint64_t)) : NULL;
	if (slices->counts == NULL)
		body->failed = true;
	expect_end(body);
}

void
reference_read_model(Reader *body, ReferenceModel *model)
{
	reader_string(body, model->kind, sizeof(model->kind));
	reader_string(body, model->name, sizeof(model->name));
	model->content_size = reader_u64(body);
	model->content = reader_bytes(body, model->content_size);
	model->artifact_size = reader_u64(body);
	model->artifact = reader_bytes(body, model->artifact_size);
	expect_end(body);
}

uint32_t
reference_read_sample(Reader *body)
{
	return reader_u32(body);
}

/* Whether there is a text, and which. */
static const char *
read_text(Reader *body, size_t *size)
{
	*size = 0;
	if (reader_u8(body) == 0)
		return NULL;
	*size = reader_u32(body);
	return reader_bytes(body, *size);
}

void
reference_read_row(Reader *body, SampleRow *row)
{
	row->at = (int64_t) reader_u64(body);
	row->features_size = reader_u32(body);
	row->features = reader_bytes(body, row->features_size);
	row->prediction = reader_f64(body);
	row->probability = reader_f64(body);
	row->class = read_text(body, &row->class_size);
	row->outcome = read_text(body, &row->outcome_size);
}
