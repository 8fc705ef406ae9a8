/*
 * task.c
 *		What a training is to answer: given, or derived from the target.
 */
#include "task.h"

#include <math.h>

#include "catalog/pg_type.h"

#include "../report.h"

#define DISTINCT_MAX 20			/* more distinct integers than this are a regression */
#define CLASSIFICATION (TASK_BIT(TASK_BINARY) | TASK_BIT(TASK_MULTICLASS))

static const char *const task_words[] = {"regression", "classification", "binary", "multiclass"};
static const unsigned task_word_bits[] = {
	TASK_BIT(TASK_REGRESSION), CLASSIFICATION, TASK_BIT(TASK_BINARY), TASK_BIT(TASK_MULTICLASS)
};

/* The tasks that a word means. */
static unsigned
bits_of_word(const char *name)
{
	for (int i = 0; i < (int) lengthof(task_words); i++)
	{
		if (strcmp(task_words[i], name) == 0)
			return task_word_bits[i];
	}
	report_unknown_name(ERRCODE_INVALID_PARAMETER_VALUE, psprintf("unknown task \"%s\"", name),
						"tasks", name, task_words, lengthof(task_words));
}

static bool
is_integer(const ScanColumn *column)
{
	Oid			type = column->source->base_type;

	return type == INT2OID || type == INT4OID || type == INT8OID;
}

/* The tasks that a target's type allows. */
static unsigned
bits_of_type(const ScanColumn *target)
{
	if (target->kind == KIND_BOOLEAN)
		return TASK_BIT(TASK_BINARY);
	if (target->kind == KIND_CATEGORY)
		return CLASSIFICATION;
	return is_integer(target) ? TASK_BIT(TASK_REGRESSION) | CLASSIFICATION : TASK_BIT(TASK_REGRESSION);
}

/* Raises: the algorithm has no such task. */
static void
report_unfit(const Algorithm *algorithm, unsigned possible, const ScanColumn *target)
{
	const char *names[64];
	int			n = 0;

	for (int i = 0; i < n_algorithms && n < (int) lengthof(names); i++)
	{
		if ((algorithms[i]->tasks & possible) != 0)
			names[n++] = algorithms[i]->name;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s cannot do %s, which target \"%s\" of type %s asks for", algorithm->name,
					(possible & CLASSIFICATION) != 0 ? "classification" : "regression", target->source->name, target->source->type_name),
			 errdetail("Algorithms that can are %s.", report_list(names, n, n)),
			 target->kind != KIND_CATEGORY ? errhint("Or say what the target is with the argument \"task\".") : 0));
}

/* What is possible before any row is seen. */
TaskChoice
task_expect(const char *name, const Algorithm *algorithm, const ParamSet *params, const ScanColumn *target)
{
	TaskChoice	choice = {.given = name != NULL};
	Task		by_objective = algorithm_objective_task(algorithm, params);
	Error		error;

	if (choice.given)
		choice.possible = bits_of_word(name);
	else if (by_objective != 0)
	{
		choice.possible = TASK_BIT(by_objective);
		choice.by_objective = true;
	}
	else
		choice.possible = bits_of_type(target);

	if ((choice.possible & CLASSIFICATION) == 0 && target->kind == KIND_CATEGORY)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("target column \"%s\" of type %s cannot be the target of a regression", target->source->name, target->source->type_name),
				 choice.by_objective ? errhint("Leave \"objective\" out: it follows the task.")
				 : errhint("Cast it to a number in the source query, or use task => 'classification'.")));
	if ((choice.possible & algorithm->tasks) == 0)
		report_unfit(algorithm, choice.possible, target);
	choice.possible &= algorithm->tasks;

	/* where only one is left, what the algorithm has to say about it is said before the scan */
	for (Task task = TASK_REGRESSION; task <= TASK_MULTICLASS; task++)
	{
		if (choice.possible == TASK_BIT(task) && algorithm->check != NULL && !algorithm->check(params, task, &error))
			report_error(&error);
	}
	return choice;
}

/* Enters a value among those seen; their number. */
static int
see_value(double *seen, int n, double value)
{
	for (int i = 0; i < n; i++)
	{
		if (seen[i] == value)
			return n;
	}
	seen[n] = value;
	return n + 1;
}

/* Number of different values of a numeric column, at most `most` + 1. */
static int
count_distinct(const Matrix *matrix, uint32 column, int most)
{
	double	   *seen = palloc0((most + 1) * sizeof(double));
	int			n = 0;
	bool		single = matrix->columns[column].storage == STORAGE_FLOAT32;

	for (uint64 block = 0; block < matrix_blocks(matrix) && n <= most; block++)
	{
		const void *values = matrix_values(matrix, column, block);
		uint32		n_rows = matrix_block_rows(matrix, block);

		for (uint32 row = 0; row < n_rows && n <= most; row++)
		{
			double		value = single ? ((const float *) values)[row] : ((const double *) values)[row];

			/* two classes in no order would be two guesses of the processor a row: both are compared, and one branch is left */
			if (n < 2 || !((value == seen[0]) | (value == seen[1]) | (value != value)))
				n = isnan(value) ? n : see_value(seen, n, value);
		}
	}
	pfree(seen);
	return n;
}

/* Tells what was derived, and why. */
static void
tell_task(const TaskChoice *choice, const Algorithm *algorithm, Task task, const ScanColumn *target, int n_distinct)
{
	const char *values = n_distinct > DISTINCT_MAX
		? psprintf("more than %d different values", DISTINCT_MAX)
		: psprintf("%d different value%s", n_distinct, n_distinct == 1 ? "" : "s");
	bool		classes = task != TASK_REGRESSION;

	if (choice->given || choice->by_objective)
		return;
	if (is_integer(target) && classes != (n_distinct <= DISTINCT_MAX))
		ereport(NOTICE,
				(errmsg("task is %s: target \"%s\" has %s, but %s does no %s", task_name(task), target->source->name, values,
						algorithm->name, classes ? "regression" : "classification")));
	else if (classes || is_integer(target))
		ereport(NOTICE,
				(errmsg("task is %s: target \"%s\" is of type %s and has %s",
						task_name(task), target->source->name, target->source->type_name, values)));
	else
		ereport(NOTICE,
				(errmsg("task is %s: target \"%s\" is of type %s",
						task_name(task), target->source->name, target->source->type_name)));
}

/* Decides by the rows. */
Task
task_decide(const TaskChoice *choice, const Algorithm *algorithm, const ScanColumn *target, const Matrix *matrix)
{
	uint32		column = (uint32) matrix_find_role(matrix, ROLE_TARGET);
	const MatrixColumn *header = &matrix->columns[column];
	unsigned	classes = choice->possible & CLASSIFICATION;
	int			n_distinct;
	Task		task;

	if (header->n_missing + header->n_nan == matrix->header->n_rows)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("target column \"%s\" is %s in every row", target->source->name, header->n_nan > 0 ? "NULL or NaN" : "NULL")));

	if (classes == 0 && (choice->given || choice->by_objective || !is_integer(target)))
		n_distinct = 0;			/* a regression, whatever the values are, and nothing to be told of them */
	else
		n_distinct = header->storage == STORAGE_CODE ? (int) header->n_codes : count_distinct(matrix, column, DISTINCT_MAX);
	if ((choice->possible & TASK_BIT(TASK_REGRESSION)) != 0 && (classes == 0 || n_distinct > DISTINCT_MAX))
		task = TASK_REGRESSION;
	else if (classes == CLASSIFICATION)
		task = n_distinct <= 2 ? TASK_BINARY : TASK_MULTICLASS;
	else
		task = classes == TASK_BIT(TASK_BINARY) ? TASK_BINARY : TASK_MULTICLASS;

	if (task == TASK_BINARY && n_distinct > 2)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("target column \"%s\" has more than two different values, but the task is binary", target->source->name),
				 choice->by_objective ? errhint("Leave \"objective\" out, or make two classes of it in the source query.")
				 : errhint("Use task => 'multiclass', or make two classes of it in the source query.")));
	tell_task(choice, algorithm, task, target, n_distinct);
	return task;
}

/* How labels of a target come back. */
LabelKind
task_label_kind(Task task, const ScanColumn *target)
{
	if (task == TASK_REGRESSION)
		return LABEL_NONE;
	return target->kind == KIND_BOOLEAN ? LABEL_BOOLEAN : target->kind == KIND_CATEGORY ? LABEL_TEXT : LABEL_NUMBER;
}
