/*
 * target.c
 *		What is to be learned: values or classes, and weights.
 *
 * Classes are those of the training rows, in canonical order: false, true;
 * numbers by value; texts by bytes.  A row of another part whose class the
 * training rows lack cannot be judged, and is an error that names the class.
 */
#include "trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/number_text.h"

#define NO_CLASS UINT32_MAX

/* Distinct numbers in increasing order. */
typedef struct NumberSet
{
	double	   *values;
	uint32_t	n;
	uint32_t	capacity;
} NumberSet;

/* Index of a number in the set, or where it would belong; without branches, which labels in no order could not foretell. */
static uint32_t
number_position(const NumberSet *set, double value)
{
	uint32_t	low = 0;
	uint32_t	n = set->n;

	if (n == 0)
		return 0;
	for (uint32_t half = n / 2; n > 1; n -= half, half = n / 2)
		low += (uint32_t) (set->values[low + half - 1] < value) * half;
	return low + (set->values[low] < value);
}

/* Enters a number; ERROR_DATA beyond MAX_CLASSES. */
static bool
number_enter(NumberSet *set, double value, const char *column, Error *error)
{
	uint32_t	position = number_position(set, value);

	if (position < set->n && set->values[position] == value)
		return true;
	if (set->n == MAX_CLASSES)
	{
		error_set(error, ERROR_DATA, "target column \"%s\" has more than %d classes", column, MAX_CLASSES);
		return error_hint(error, "To predict the number itself, use task => 'regression'.");
	}
	if (set->n == set->capacity)
	{
		uint32_t	capacity = set->capacity == 0 ? 64 : set->capacity * 2;
		double	   *values = realloc(set->values, capacity * sizeof(double));

		if (values == NULL)
			return error_set(error, ERROR_MEMORY, "out of memory for %u classes", capacity);
		set->values = values;
		set->capacity = capacity;
	}
	memmove(set->values + position + 1, set->values + position, (set->n - position) * sizeof(double));
	set->values[position] = value;
	set->n++;
	return true;
}

double
target_label_number(const char *label, const TableColumn *column)
{
	double		value;

	if (column->source->kind == KIND_BOOLEAN && (strcmp(label, "true") == 0 || strcmp(label, "false") == 0))
		return label[0] == 't';
	value = strtod(label, NULL);
	return column->source->storage == STORAGE_FLOAT32 ? (double) (float) value : value;
}

/* A text for a message: cut where it is long, between characters of UTF-8. */
static void
clip_text(const char *text, size_t length, char *out, size_t out_size)
{
	if (length >= out_size)
	{
		length = out_size - 1;
		while (length > 0 && ((uint8_t) text[length] & 0xc0) == 0x80)
			length--;
	}
	memcpy(out, text, length);
	out[length] = '\0';
}

/* The name of a class that a row has, for messages. */
static void
class_text(const TableColumn *column, size_t row, char *out, size_t out_size)
{
	if (column->source->storage == STORAGE_CODE)
	{
		uint32_t	code = table_code(column, row);

		clip_text(column->levels[code], column->level_lengths[code], out, out_size);
	}
	else if (column->source->kind == KIND_BOOLEAN)
		snprintf(out, out_size, "%s", table_number(column, row) != 0 ? "true" : "false");
	else
		number_text(table_number(column, row), column->source->storage == STORAGE_FLOAT32, out, out_size);
}

/* A level as a text ended with 0. */
static const char *
level_label(const TableColumn *column, uint32_t code, Arena *arena, Error *error)
{
	size_t		length = column->level_lengths[code];
	char	   *label = arena_alloc(arena, length + 1, 1, error);

	if (label == NULL)
		return NULL;
	memcpy(label, column->levels[code], length);
	label[length] = '\0';
	return label;
}

/* Classes of a target of texts: the levels that training rows have; class_of_code[n_levels]. */
static bool
find_text_classes(Target *target, const Table *table, uint32_t *class_of_code, Arena *arena, Error *error)
{
	const TableColumn *column = table->target;

	for (uint32_t code = 0; code < column->n_levels; code++)
		class_of_code[code] = NO_CLASS;
	for (size_t row = table->train.begin; row < table->train.end; row++)
		class_of_code[table_code(column, row)] = 0;
	for (uint32_t code = 0; code < column->n_levels; code++)
		if (class_of_code[code] != NO_CLASS)
			class_of_code[code] = target->n_classes++;
	if (target->n_classes > MAX_CLASSES)
		return error_set(error, ERROR_DATA, "target column \"%s\" has %u classes, more than %d",
						 column->source->name, target->n_classes, MAX_CLASSES);

	target->labels = arena_alloc(arena, target->n_classes, sizeof(*target->labels), error);
	if (target->labels == NULL)
		return false;
	for (uint32_t code = 0; code < column->n_levels; code++)
	{
		if (class_of_code[code] == NO_CLASS)
			continue;

		const char *label = level_label(column, code, arena, error);

		if (label == NULL)
			return false;
		target->labels[class_of_code[code]] = label;
	}
	return true;
}

/* Classes of a target of numbers or booleans. */
static bool
find_number_classes(Target *target, const Table *table, LabelKind label_kind, NumberSet *set, Arena *arena, Error *error)
{
	const TableColumn *column = table->target;

	for (size_t row = table->train.begin; row < table->train.end; row++)
		if (!number_enter(set, table_number(column, row) + 0.0, column->source->name, error))
			return false;

	target->n_classes = set->n;
	target->labels = arena_alloc(arena, set->n, sizeof(*target->labels), error);
	if (target->labels == NULL)
		return false;
	for (uint32_t i = 0; i < set->n; i++)
	{
		char		text[NUMBER_TEXT_SIZE];

		if (label_kind == LABEL_BOOLEAN)
			snprintf(text, sizeof(text), "%s", set->values[i] != 0 ? "true" : "false");
		else
			number_text(set->values[i], column->source->storage == STORAGE_FLOAT32, text, sizeof(text));

		target->labels[i] = arena_copy(arena, text, strlen(text) + 1, error);
		if (target->labels[i] == NULL)
			return false;
	}
	return true;
}

/* Class index of a row, or NO_CLASS. */
static uint32_t
row_class(const TableColumn *column, size_t row, const uint32_t *class_of_code, const NumberSet *set)
{
	if (column->source->storage == STORAGE_CODE)
		return class_of_code[table_code(column, row)];

	double		value = table_number(column, row);
	uint32_t	position = number_position(set, value);

	return position < set->n && set->values[position] == value ? position : NO_CLASS;
}

/* Room for the values; the weights, where there are any: table_build() has seen to it that they are positive and finite. */
static bool
target_init(Target *target, const Table *table, Arena *arena, Error *error)
{
	memset(target, 0, sizeof(*target));
	target->values = arena_alloc(arena, table->n_rows, sizeof(double), error);
	if (target->values == NULL)
		return false;
	if (table->weight == NULL)
		return true;

	target->weights = arena_alloc(arena, table->n_rows, sizeof(double), error);
	if (target->weights == NULL)
		return false;
	for (size_t row = 0; row < table->n_rows; row++)
		target->weights[row] = table_number(table->weight, row);
	return true;
}

/* The target of a regression: numbers. */
static bool
regression_values(Target *target, const Table *table, Error *error)
{
	const TableColumn *column = table->target;

	if (column->source->storage == STORAGE_CODE)
	{
		error_set(error, ERROR_TYPE, "target column \"%s\" of type %s cannot be the target of a regression",
				  column->source->name, column->source->type_name);
		return error_hint(error, "A regression needs a number; for classes use task => 'binary' or 'multiclass'.");
	}
	for (size_t row = 0; row < table->n_rows; row++)
		target->values[row] = table_number(column, row);
	return true;
}

/* One training row teaches nothing; table_build() has seen to it that there is one. */
static bool
check_rows(const Table *table, Error *error)
{
	if (range_rows(table->train) >= 2)
		return true;
	error_set(error, ERROR_DATA, "there is only one row to train on");
	if (table->n_rows > 1)
		error_detail(error, "Of %zu usable rows, %zu are for validation and %zu for the test.", table->n_rows,
					 range_rows(table->validation), range_rows(table->test));
	return error_hint(error, "A training needs at least 2 rows, and rows of 2 classes for a classification.");
}

static bool
check_regression(const Target *target, const Table *table, Error *error)
{
	for (size_t row = table->train.begin + 1; row < table->train.end; row++)
		if (target->values[row] != target->values[table->train.begin])
			return true;
	error_set(error, ERROR_DATA, "target column \"%s\" is %g in all training rows: there is nothing to learn",
			  table->target->source->name, target->values[table->train.begin]);
	return error_detail(error, "The training has %zu rows.", range_rows(table->train));
}

/* Means need sums: of the weights, and of a regression's target times these. */
static bool
check_sums(const Target *target, const Table *table, Error *error)
{
	double		weights = 0;
	double		values = 0;

	for (size_t row = table->train.begin; row < table->train.end; row++)
	{
		double		weight = target->weights != NULL ? target->weights[row] : 1;

		weights += weight;
		values += target->n_classes > 0 ? 0 : weight * fabs(target->values[row]);
	}
	if (isfinite(weights) && isfinite(values))
		return true;
	if (!isfinite(weights))
		error_set(error, ERROR_DATA, "the weights in column \"%s\" are too large to be added up", table->weight->source->name);
	else
		error_set(error, ERROR_DATA, "the numbers in target column \"%s\" are too large to be added up", table->target->source->name);
	return error_hint(error, "Rescale them in the source query.");
}

static bool
check_classes(const Target *target, const Table *table, Task task, Error *error)
{
	const char *name = table->target->source->name;

	if (target->n_classes < 2)
	{
		char		label[128];

		clip_text(target->labels[0], strlen(target->labels[0]), label, sizeof(label));
		error_set(error, ERROR_DATA, "target column \"%s\" has only one class in the training rows: \"%s\"", name, label);
		return error_hint(error, "A classification needs rows of at least 2 classes.");
	}
	if (task == TASK_BINARY && target->n_classes > 2)
	{
		error_set(error, ERROR_DATA, "target column \"%s\" has %u classes, but a binary classification has 2", name, target->n_classes);
		return error_hint(error, "Use task => 'multiclass'.");
	}
	return true;
}

/* The label kind of the job must suit the storage that came with it. */
static bool
check_label_kind(const TableColumn *column, LabelKind label_kind, Error *error)
{
	bool		coded = column->source->storage == STORAGE_CODE;

	if (coded == (label_kind == LABEL_TEXT) && label_kind != LABEL_NONE)
		return true;
	return error_set(error, ERROR_TYPE, "target column \"%s\" of type %s cannot have labels of this kind",
					 column->source->name, column->source->type_name);
}

/* Fills values with class indexes; ERROR_DATA for a row whose class there is not. */
static bool
class_values(Target *target, const Table *table, const uint32_t *class_of_code, const NumberSet *set, Error *error)
{
	for (size_t row = 0; row < table->n_rows; row++)
	{
		uint32_t	class_index = row_class(table->target, row, class_of_code, set);

		if (class_index == NO_CLASS)
		{
			char		text[128];

			class_text(table->target, row, text, sizeof(text));
			return error_set(error, ERROR_DATA, "class \"%s\" of target column \"%s\" is none that the model knows", text,
							 table->target->source->name);
		}
		target->values[row] = class_index;
	}
	return true;
}

/* Both kinds of classes, with the scratch that finding them takes. */
static bool
learn_classes(Target *target, const Table *table, LabelKind label_kind, uint32_t *class_of_code, NumberSet *set, Arena *arena, Error *error)
{
	bool		found = table->target->source->storage == STORAGE_CODE
		? find_text_classes(target, table, class_of_code, arena, error)
		: find_number_classes(target, table, label_kind, set, arena, error);

	if (!found)
		return false;
	if (!class_values(target, table, class_of_code, set, error))
	{
		error_detail(error, "It occurs in rows for validation or test, but not in the training rows.");
		return error_hint(error, "Leave rows of this class out, or choose another split.");
	}

	target->counts = arena_zeroed(arena, target->n_classes, sizeof(uint64_t), error);
	if (target->counts == NULL)
		return false;
	for (size_t row = table->train.begin; row < table->train.end; row++)
		target->counts[(size_t) target->values[row]]++;
	return true;
}

/* Learns from gathered values. */
static bool
learn_gathered(Target *target, const Table *table, Task task, LabelKind label_kind, Arena *arena, Error *error)
{
	if (!check_rows(table, error) || !target_init(target, table, arena, error))
		return false;
	if (task == TASK_REGRESSION)
		return regression_values(target, table, error) && check_regression(target, table, error) &&
			check_sums(target, table, error);
	if (!check_label_kind(table->target, label_kind, error))
		return false;

	NumberSet	set = {NULL, 0, 0};
	uint32_t   *class_of_code = arena_alloc(arena, table->target->n_levels, sizeof(uint32_t), error);
	bool		learned = class_of_code != NULL && learn_classes(target, table, label_kind, class_of_code, &set, arena, error);

	free(set.values);
	return learned && check_classes(target, table, task, error) && check_sums(target, table, error);
}

/* Class index for each table code, by the model's labels. */
static bool
map_text_classes(const Table *table, const Model *model, uint32_t *class_of_code, Arena *arena, Error *error)
{
	for (uint32_t code = 0; code < table->target->n_levels; code++)
	{
		const char *label = level_label(table->target, code, arena, error);

		if (label == NULL)
			return false;

		int			class_index = model_find_label(model, label);

		class_of_code[code] = class_index < 0 ? NO_CLASS : (uint32_t) class_index;
	}
	return true;
}

/* The model's labels as numbers, which are in the order of their values. */
static bool
map_number_classes(const Table *table, const Model *model, NumberSet *set, Arena *arena, Error *error)
{
	set->values = arena_alloc(arena, model->n_outputs, sizeof(double), error);
	if (set->values == NULL)
		return false;
	for (uint32_t i = 0; i < model->n_outputs; i++)
		set->values[i] = target_label_number(model_label(model, i), table->target);
	set->n = model->n_outputs;
	set->capacity = set->n;
	return true;
}

/* Maps gathered values. */
static bool
map_gathered(Target *target, const Table *table, const Model *model, Arena *arena, Error *error)
{
	if (!target_init(target, table, arena, error))
		return false;
	if (model->task == TASK_REGRESSION)
		return regression_values(target, table, error);
	if (!check_label_kind(table->target, (LabelKind) model->header->label_kind, error))
		return false;

	NumberSet	set = {NULL, 0, 0};
	uint32_t   *class_of_code = arena_alloc(arena, table->target->n_levels, sizeof(uint32_t), error);

	target->n_classes = model->n_outputs;
	target->labels = arena_alloc(arena, model->n_outputs, sizeof(*target->labels), error);
	if (class_of_code == NULL || target->labels == NULL)
		return false;
	for (uint32_t i = 0; i < model->n_outputs; i++)
		target->labels[i] = model_label(model, i);

	bool		mapped = table->target->source->storage == STORAGE_CODE
		? map_text_classes(table, model, class_of_code, arena, error)
		: map_number_classes(table, model, &set, arena, error);

	if (!mapped)
		return false;
	if (!class_values(target, table, class_of_code, &set, error))
		return error_detail(error, "The model was trained with %u classes.", model->n_outputs);
	return true;
}

/* What the table gathers is given back: a Target has all of it. */
bool
target_learn(Target *target, Table *table, Task task, LabelKind label_kind, ThreadPool *pool, Arena *arena, Error *error)
{
	Arena		scratch;

	arena_init(&scratch);

	bool		learned = table_gather_target(table, pool, &scratch, error) && learn_gathered(target, table, task, label_kind, arena, error);

	table_release_target(table);
	arena_free(&scratch);
	return learned;
}

bool
target_of_model(Target *target, Table *table, const Model *model, ThreadPool *pool, Arena *arena, Error *error)
{
	Arena		scratch;

	arena_init(&scratch);

	bool		mapped = table_gather_target(table, pool, &scratch, error) && map_gathered(target, table, model, arena, error);

	table_release_target(table);
	arena_free(&scratch);
	return mapped;
}

bool
target_continue(Target *target, Table *table, const Model *model, ThreadPool *pool, Arena *arena, Error *error)
{
	if (!check_rows(table, error))
		return false;
	if (!target_of_model(target, table, model, pool, arena, error))
	{
		if (error->code == ERROR_DATA)
			error_hint(error, "A version is continued on rows of its own classes: leave the others out, or train anew.");
		return false;
	}
	if (target->n_classes > 0)
	{
		target->counts = arena_zeroed(arena, target->n_classes, sizeof(uint64_t), error);
		if (target->counts == NULL)
			return false;
		for (size_t row = table->train.begin; row < table->train.end; row++)
			target->counts[(size_t) target->values[row]]++;
	}
	return check_sums(target, table, error);
}
