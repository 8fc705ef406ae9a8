/*
 * job_result.c
 *		Results and errors as bytes, on their way from the trainer to the backend.
 *
 * The rules are those of job.c: fields in the order of the structs, and what
 * is read is checked as if a stranger had written it.
 */
#include "job.h"

#include <stdlib.h>
#include <string.h>

#define METRIC_SIZE		20		/* least bytes of a ResultMetric */
#define COLUMN_SIZE		64		/* least bytes of a ColumnProfile */
#define IMPORTANCE_SIZE	16

void
result_write(const JobResult *result, Buffer *out)
{
	buffer_u64(out, result->n_rows);
	buffer_u64(out, result->n_dropped);
	buffer_u64(out, result->n_train);
	buffer_u64(out, result->n_validation);
	buffer_u64(out, result->n_test);
	buffer_u64(out, result->fingerprint[0]);
	buffer_u64(out, result->fingerprint[1]);
	buffer_u32(out, result->iterations);
	buffer_u32(out, result->n_features);
	buffer_u64(out, result->model_size);
	buffer_u64(out, result->reference_size);
	buffer_u64(out, result->peak_memory);
	buffer_f64(out, result->seconds_fit);
	buffer_u32(out, result->n_metrics);
	buffer_u32(out, result->n_classes);
	buffer_u32(out, result->n_columns);
	buffer_u32(out, result->n_importances);
	buffer_u32(out, result->n_cuts);
	buffer_u32(out, result->n_phases);
	for (uint32_t i = 0; i < result->n_metrics; i++)
	{
		buffer_string(out, result->metrics[i].name);
		buffer_f64(out, result->metrics[i].value);
		buffer_f64(out, result->metrics[i].baseline);
	}
	buffer_bytes(out, result->confusion, (size_t) result->n_classes * result->n_classes * sizeof(double));
	for (uint32_t i = 0; i < result->n_columns; i++)
	{
		const ColumnProfile *column = &result->columns[i];

		buffer_string(out, column->name);
		buffer_string(out, column->type_name);
		buffer_u32(out, column->role);
		buffer_u32(out, column->kind);
		buffer_u64(out, column->n_missing);
		buffer_u64(out, column->n_distinct);
		buffer_f64(out, column->lowest);
		buffer_f64(out, column->highest);
		buffer_f64(out, column->mean);
		buffer_f64(out, column->deviation);
	}
	for (uint32_t i = 0; i < result->n_importances; i++)
	{
		buffer_f64(out, result->importances[i].mean);
		buffer_f64(out, result->importances[i].deviation);
	}
	for (uint32_t i = 0; i < result->n_cuts; i++)
		buffer_u64(out, result->cuts[i]);
	for (uint32_t i = 0; i < result->n_phases; i++)
	{
		buffer_string(out, result->phases[i].name);
		buffer_f64(out, result->phases[i].seconds);
	}
}

/* Arrays of a result, whose counts cannot exceed what the bytes left could hold. */
static bool
result_allocate(JobResult *result, const Reader *reader, Error *error)
{
	size_t		left = reader->size - reader->position;
	uint64_t	n_cells = (uint64_t) result->n_classes * result->n_classes;

	if (result->n_metrics > left / METRIC_SIZE || n_cells > left / sizeof(double) || result->n_columns > left / COLUMN_SIZE ||
		result->n_importances > left / IMPORTANCE_SIZE || result->n_cuts > left / sizeof(uint64_t) || result->n_phases > PHASES_MAX)
		return error_set(error, ERROR_CORRUPTED, "result is damaged: more items than bytes");
	result->metrics = calloc((size_t) result->n_metrics + 1, sizeof(ResultMetric));
	result->confusion = calloc(n_cells + 1, sizeof(double));
	result->columns = calloc((size_t) result->n_columns + 1, sizeof(ColumnProfile));
	result->importances = calloc((size_t) result->n_importances + 1, sizeof(ResultImportance));
	result->cuts = calloc((size_t) result->n_cuts + 1, sizeof(uint64_t));
	if (result->metrics == NULL || result->confusion == NULL || result->columns == NULL || result->importances == NULL || result->cuts == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for a result of %zu bytes", reader->size);
	return true;
}

static void
read_columns(JobResult *result, Reader *reader)
{
	for (uint32_t i = 0; i < result->n_columns; i++)
	{
		ColumnProfile *column = &result->columns[i];

		reader_string(reader, column->name, sizeof(column->name));
		reader_string(reader, column->type_name, sizeof(column->type_name));
		column->role = reader_u32(reader);
		column->kind = reader_u32(reader);
		column->n_missing = reader_u64(reader);
		column->n_distinct = reader_u64(reader);
		column->lowest = reader_f64(reader);
		column->highest = reader_f64(reader);
		column->mean = reader_f64(reader);
		column->deviation = reader_f64(reader);
		if (column->role < ROLE_FEATURE || column->role > ROLE_SEGMENT || column->kind < KIND_NUMBER || column->kind > KIND_CATEGORY)
			reader->failed = true;
	}
}

/* The arrays of a result, and nothing behind them. */
static bool
read_arrays(JobResult *result, Reader *reader, Error *error)
{
	for (uint32_t i = 0; i < result->n_metrics; i++)
	{
		reader_string(reader, result->metrics[i].name, sizeof(result->metrics[i].name));
		result->metrics[i].value = reader_f64(reader);
		result->metrics[i].baseline = reader_f64(reader);
	}
	for (size_t i = 0; i < (size_t) result->n_classes * result->n_classes; i++)
		result->confusion[i] = reader_f64(reader);
	read_columns(result, reader);
	for (uint32_t i = 0; i < result->n_importances; i++)
	{
		result->importances[i].mean = reader_f64(reader);
		result->importances[i].deviation = reader_f64(reader);
	}
	for (uint32_t i = 0; i < result->n_cuts; i++)
		result->cuts[i] = reader_u64(reader);
	for (uint32_t i = 0; i < result->n_phases; i++)
	{
		reader_string(reader, result->phases[i].name, sizeof(result->phases[i].name));
		result->phases[i].seconds = reader_f64(reader);
	}
	if (!reader_check(reader, "result", error))
		return false;
	if (reader->position != reader->size)
		return error_set(error, ERROR_CORRUPTED, "result is damaged: %zu bytes too many", reader->size - reader->position);
	return true;
}

bool
result_read(JobResult *result, const void *body, size_t size, Error *error)
{
	Reader		reader;

	memset(result, 0, sizeof(*result));
	reader_init(&reader, body, size);
	result->n_rows = reader_u64(&reader);
	result->n_dropped = reader_u64(&reader);
	result->n_train = reader_u64(&reader);
	result->n_validation = reader_u64(&reader);
	result->n_test = reader_u64(&reader);
	result->fingerprint[0] = reader_u64(&reader);
	result->fingerprint[1] = reader_u64(&reader);
	result->iterations = reader_u32(&reader);
	result->n_features = reader_u32(&reader);
	result->model_size = reader_u64(&reader);
	result->reference_size = reader_u64(&reader);
	result->peak_memory = reader_u64(&reader);
	result->seconds_fit = reader_f64(&reader);
	result->n_metrics = reader_u32(&reader);
	result->n_classes = reader_u32(&reader);
	result->n_columns = reader_u32(&reader);
	result->n_importances = reader_u32(&reader);
	result->n_cuts = reader_u32(&reader);
	result->n_phases = reader_u32(&reader);
	if (!reader_check(&reader, "result", error))
		return false;
	if (!result_allocate(result, &reader, error) || !read_arrays(result, &reader, error))
	{
		result_free(result);
		return false;
	}
	return true;
}

void
result_free(JobResult *result)
{
	free(result->metrics);
	free(result->confusion);
	free(result->columns);
	free(result->importances);
	free(result->cuts);
	result->cuts = NULL;
	result->importances = NULL;
	result->metrics = NULL;
	result->confusion = NULL;
	result->columns = NULL;
}

/* ---- Error ---- */

void
error_write(const Error *error, Buffer *out)
{
	buffer_u32(out, error->code);
	buffer_string(out, error->message);
	buffer_string(out, error->detail);
	buffer_string(out, error->hint);
}

bool
error_read(Error *out, const void *body, size_t size)
{
	Reader		reader;

	error_clear(out);
	reader_init(&reader, body, size);

	uint32_t	code = reader_u32(&reader);

	reader_string(&reader, out->message, sizeof(out->message));
	reader_string(&reader, out->detail, sizeof(out->detail));
	reader_string(&reader, out->hint, sizeof(out->hint));
	if (reader.failed || reader.position != size || code == ERROR_NONE || code > ERROR_INTERNAL)
	{
		error_clear(out);
		return false;
	}
	out->code = (ErrorCode) code;
	return true;
}
