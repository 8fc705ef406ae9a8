/*
 * freeze_sample.c
 *		Some held-out rows, with what the model answers and what was true.
 *
 * As bytes like those of captured predictions; texts that are too long are
 * cut.
 */
#include "freeze.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../core/captured.h"
#include "../core/fit/table/text_counts.h"
#include "../core/number_text.h"

/* The features of a row. */
static void
write_features(const Table *table, size_t row, Buffer *out)
{
	for (uint32_t i = 0; i < table->n_features; i++)
	{
		const TableColumn *column = &table->features[i];
		uint8_t		bytes[CAPTURED_TEXT_HEAD];

		if (column->source->storage != STORAGE_CODE)
			buffer_bytes(out, bytes, captured_number(bytes, (ColumnKind) column->source->kind, (ColumnStorage) column->source->storage,
													 table_number(column, row)));
		else if (table_code(column, row) == CODE_MISSING)
			buffer_u8(out, CAPTURED_NULL);
		else
		{
			uint32_t	code = table_code(column, row);
			size_t		length = text_clip(column->levels[code], column->level_lengths[code], CAPTURED_TEXT_MAX);

			buffer_bytes(out, bytes, captured_text_head(bytes, CAPTURED_TEXT, length));
			buffer_bytes(out, column->levels[code], length);
		}
	}
}

/* The label as a number, where labels are; else NaN. */
static double
label_value(const Model *model, uint32_t class)
{
	const char *label = model_label(model, class);

	switch ((LabelKind) model->header->label_kind)
	{
		case LABEL_BOOLEAN:
			return strcmp(label, "true") == 0;
		case LABEL_NUMBER:
			return strtod(label, NULL);
		default:
			return NAN;
	}
}

/* What the model answers, as captured predictions have it. */
static void
set_answer(const Answers *answers, size_t row, SampleRow *out)
{
	const Model *model = answers->model;
	const double *outputs = answer_outputs(answers, row);
	uint32_t	best;

	if (model->task == TASK_REGRESSION)
	{
		out->prediction = outputs[0];
		return;
	}
	best = model_best_class(outputs, model->n_outputs);
	out->prediction = label_value(model, best);
	out->probability = outputs[model->task == TASK_BINARY ? 1 : best];
	out->class = model_label(model, best);
	out->class_size = strlen(out->class);
}

/* When a row was, as exactly as slices tell. */
static int64_t
sample_time(const TimeSlices *slices, const Table *table, size_t row)
{
	uint16_t	slice = slices->n == 0 ? SLICE_NONE : slices->of_row[table->order[row]];

	return slice == SLICE_NONE ? SAMPLE_NO_TIME : slices->origin + slice * slices->width + slices->width / 2;
}

bool
freeze_sample(const Freeze *freeze, const Answers *answers, Buffer *reference, Error *error)
{
	const Model *model = answers->model;
	bool		single = answers->table->target->source->storage == STORAGE_FLOAT32;
	size_t		begun = reference_begin_sample(reference, (uint32_t) answers->n_sample);
	Buffer		features;
	bool		done;

	buffer_init(&features);
	for (size_t i = 0; i < answers->n_sample && !features.failed; i++)
	{
		size_t		row = answers->sample[i];
		double		truth = answers->target->values[row];
		char		number[NUMBER_TEXT_SIZE];
		SampleRow	sampled = {.at = sample_time(&freeze->slices, answers->table, row),.prediction = NAN,.probability = NAN};

		features.size = 0;
		write_features(answers->table, row, &features);
		sampled.features = features.data;
		sampled.features_size = features.size;
		set_answer(answers, row, &sampled);
		number_text(truth, single, number, sizeof(number));
		sampled.outcome = model->task == TASK_REGRESSION ? number : model_label(model, (uint32_t) truth);
		sampled.outcome_size = strlen(sampled.outcome);
		reference_write_row(reference, &sampled);
	}
	reference_end_sample(reference, begun);
	done = buffer_check(&features, error);
	buffer_free(&features);
	return done;
}
