/*
 * freeze_answers.c
 *		What the model answers on held-out rows, as distributions.
 *
 * The value, or the probability of the positive class; and the class.  Of all
 * held-out rows, and of those of each segment.
 */
#include "freeze.h"

#include <stdlib.h>
#include <string.h>

#include "../core/fit/table/text_counts.h"
#include "../core/statistics/distance.h"

/* Some of the rows: a part of a division, or all. */
typedef struct AnswerRows
{
	const Answers *answers;
	const RowParts *parts;		/* NULL: all */
	uint32_t	part;
} AnswerRows;

static bool
has_row(const AnswerRows *rows, size_t row)
{
	return rows->parts == NULL || rows->parts->of_row[rows->answers->table->order[row]] == rows->part;
}

/* The number that is counted of a row: of many classes there is none. */
static double
answer_number(const Answers *answers, size_t row)
{
	return answer_outputs(answers, row)[answers->model->task == TASK_BINARY ? 1 : 0];
}

/* Numbers of rows [first, first + n), which go on to `n` of a tile. */
static size_t
load_answers(const Answers *answers, size_t first, double *tile)
{
	size_t		n = answers->range.end - first < COUNTER_TILE ? answers->range.end - first : COUNTER_TILE;

	for (size_t i = 0; i < n; i++)
		tile[i] = answer_number(answers, first + i);
	return n;
}

/* SliceCount of the numbers. */
static void
slice_numbers(const void *context, const TimeSlices *slices, const ColumnCounter *counter, const uint8_t *groups, uint32_t n_cells, uint64_t *counts)
{
	const Answers *answers = context;

	for (size_t row = answers->range.begin; row < answers->range.end; row += COUNTER_TILE)
	{
		double		tile[COUNTER_TILE];
		uint16_t	of_row[COUNTER_TILE];
		size_t		n = load_answers(answers, row, tile);

		for (size_t i = 0; i < n; i++)
			of_row[i] = slices->of_row[answers->table->order[row + i]];
		count_slices(counter, groups, n_cells, tile, of_row, n, counts);
	}
}

static bool
freeze_numbers(const AnswerRows *rows, const TimeSlices *slices, ReferenceColumn column, Buffer *reference, Error *error)
{
	const Answers *answers = rows->answers;
	ColumnCounter counter;
	Distribution distribution;
	bool		done = counter_init(&counter, KIND_NUMBER, false, error);

	for (size_t row = answers->range.begin; done && row < answers->range.end; row += COUNTER_TILE)
	{
		double		tile[COUNTER_TILE] __attribute__((aligned(64)));

		size_t		n = load_answers(answers, row, tile);
		size_t		kept = 0;

		for (size_t i = 0; i < n; i++)
		{
			if (has_row(rows, row + i))
				tile[kept++] = tile[i];
		}
		counter_add(&counter, tile, kept);
	}
	strcpy(column.name, "prediction");
	done = done && counter_finish(&counter, counter_memory, &distribution, error);
	if (done)
	{
		done = distribution_rows(&distribution) == 0 ||
			record_column(reference, &column, &distribution, &counter, slices, slice_numbers, answers, error);
		distribution_free(&distribution, counter_memory);
	}
	counter_free(&counter);
	return done;
}

/* What slices of classes are counted by. */
typedef struct ClassSlices
{
	const Answers *answers;
	const Distribution *distribution;
} ClassSlices;

/* SliceCount of the classes: groups are those of the distribution's cells. */
static void
slice_classes(const void *context, const TimeSlices *slices, const ColumnCounter *counter, const uint8_t *groups, uint32_t n_cells, uint64_t *counts)
{
	const ClassSlices *by = context;
	const Answers *answers = by->answers;
	const Model *model = answers->model;

	(void) counter;
	for (size_t row = answers->range.begin; row < answers->range.end; row++)
	{
		uint16_t	slice = slices->of_row[answers->table->order[row]];
		const char *label = model_label(model, model_best_class(answer_outputs(answers, row), model->n_outputs));
		size_t		cell = text_cell(by->distribution, label, strlen(label));

		if (slice != SLICE_NONE && cell != SIZE_MAX)
			counts[(size_t) slice * n_cells + groups[cell]]++;
	}
}

static bool
freeze_classes(const AnswerRows *rows, const TimeSlices *slices, ReferenceColumn column, Buffer *reference, Error *error)
{
	const Answers *answers = rows->answers;
	const Model *model = answers->model;
	TextCount  *labels = calloc(model->n_outputs, sizeof(TextCount));
	Profile		profile;
	Distribution distribution;
	ClassSlices by = {answers, &distribution};
	bool		done;

	if (labels == NULL || !profile_init(&profile, KIND_CATEGORY, NULL, counter_memory, error))
	{
		free(labels);
		return error_set(error, ERROR_MEMORY, "out of memory for the profile of %u classes", model->n_outputs);
	}
	for (uint32_t i = 0; i < model->n_outputs; i++)
		labels[i] = (TextCount) {model_label(model, i), strlen(model_label(model, i)), 0};
	for (size_t row = answers->range.begin; row < answers->range.end; row++)
	{
		if (has_row(rows, row))
			labels[model_best_class(answer_outputs(answers, row), model->n_outputs)].count++;
	}
	strcpy(column.name, "class");
	done = count_texts(&profile, labels, model->n_outputs, error) && profile_collect(&profile, counter_memory, &distribution, error);
	if (done)
	{
		done = distribution_rows(&distribution) == 0 ||
			record_column(reference, &column, &distribution, NULL, slices, slice_classes, &by, error);
		distribution_free(&distribution, counter_memory);
	}
	profile_free(&profile);
	free(labels);
	return done;
}

static bool
freeze_part(const AnswerRows *rows, const TimeSlices *slices, const char *segment, Buffer *reference, Error *error)
{
	Task		task = rows->answers->model->task;
	ReferenceColumn column = {.role = "prediction"};

	memcpy(column.segment, segment, SEGMENT_SIZE);
	return (task == TASK_MULTICLASS || freeze_numbers(rows, slices, column, reference, error)) &&
		(task == TASK_REGRESSION || freeze_classes(rows, slices, column, reference, error));
}

bool
freeze_answers(const Freeze *freeze, const Answers *answers, Buffer *reference, Error *error)
{
	AnswerRows	rows = {.answers = answers};
	TimeSlices	none = {0};

	if (!freeze_part(&rows, &freeze->slices, freeze->used.segments[0], reference, error))
		return false;
	for (uint32_t i = 0; i < freeze->n_divisions; i++)
	{
		rows.parts = &freeze->divisions[i];
		for (rows.part = 0; rows.part < rows.parts->n; rows.part++)
		{
			if (!freeze_part(&rows, &none, rows.parts->segments[rows.part], reference, error))
				return false;
		}
	}
	return true;
}
