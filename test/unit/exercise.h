/*
 * exercise.h
 *		Opens bytes that may be a model and uses every part of it.
 */
#ifndef MLOPS_TEST_EXERCISE_H
#define MLOPS_TEST_EXERCISE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/algorithm.h"
#include "core/explain/explain.h"
#include "core/model/linear_model.h"
#include "core/model/model.h"
#include "core/model/tree_inspect.h"
#include "core/ready/ready.h"

/* Keeps the compiler from leaving out what nobody looks at. */
extern volatile double exercise_sink;

/* A column's raw values: out of range on all sides, missing, or a level found by its own text. */
static inline double
exercise_raw(const Model *model, const RecipeColumn *column, int round)
{
	static const double numbers[] = {0, NAN, INFINITY, -INFINITY, 1e308, -3, 0.5};

	if (column->kind == KIND_CATEGORY && column->n_categories > 0 && round % 2 == 0)
	{
		uint32_t	level = (uint32_t) round % column->n_categories;
		const char *text = model_string(model, model->categories[column->categories + level]);

		return model_category(model, column, text, strlen(text));
	}
	return numbers[round % 7];
}

/* Reads every text; the sum of their lengths. */
static inline size_t
exercise_texts(const Model *model)
{
	size_t		length = strlen(model_string(model, model->header->target_name)) + strlen(model_string(model, model->header->target_type));

	for (uint32_t i = 0; i < model->n_columns; i++)
	{
		const RecipeColumn *column = &model->columns[i];

		length += strlen(model_string(model, column->name)) + strlen(model_string(model, column->type_name));
		for (uint32_t j = 0; j < column->n_categories; j++)
			length += strlen(model_string(model, model->categories[column->categories + j]));
		length += isnan(model_category(model, column, "unseen\0text", 11));
	}
	for (uint32_t i = 0; model->task != TASK_REGRESSION && i < model->n_outputs; i++)
		length += strlen(model_label(model, i));
	for (size_t i = 0; i < model->n_params; i++)
		length += strlen(model_string(model, model->params[i].name)) + strlen(model_string(model, model->params[i].value));
	for (size_t i = 0; i < model->n_metrics; i++)
		length += strlen(model_string(model, model->metrics[i].name));
	return length + (size_t) model_find_label(model, "yes");
}

/* Tells every node and split of a model's trees, and the first levels of each set. */
static inline void
exercise_trees(const Model *model)
{
	double	   *shares = malloc(model->n_columns * sizeof(double) + 1);

	for (uint32_t tree = 0; tree < tree_payload(model)->n_trees; tree++)
	{
		exercise_sink = tree_base_score(model, tree % tree_payload(model)->n_groups);
		for (uint32_t node = 0; node < tree_n_nodes(model, tree); node++)
		{
			if (tree_node_view(model, tree, node).leaf)
				continue;

			TreeSplit	split = tree_split(model, tree, node);

			exercise_sink = split.bound + (double) strlen(model_string(model, split.column->name));
			for (uint64_t level = 0; level < split.n_levels && level < 200; level++)
				exercise_sink = tree_split_level(&split, level);
		}
	}
	for (TreeImportance kind = IMPORTANCE_GAIN; kind <= IMPORTANCE_SPLITS; kind++)
		tree_importance(model, kind, shares);
	free(shares);
}

/* Makes the ready form of a model, and ends the program where it answers a row otherwise than the reference. */
static inline void
exercise_ready(const Model *model, const double *raw, double *features, const double *expected)
{
	ReadyPlan  *plan = ready_plan(model);
	Ready		ready;
	Error		error;

	if (plan == NULL)
		return;

	void	   *bytes = aligned_alloc(READY_ALIGN, ready_plan_size(plan));

	ready_plan_write(plan, bytes);
	ready_plan_free(plan);
	ready_open(&ready, model, bytes);

	uint8_t    *lanes = aligned_alloc(READY_ALIGN, READY_ROWS * ready.row_size);
	void	   *scratch = aligned_alloc(READY_ALIGN, (ready.scratch_size + READY_ALIGN - 1) / READY_ALIGN * READY_ALIGN);
	double	   *out = malloc(READY_ROWS * model->n_outputs * sizeof(double));
	size_t		size = model->n_outputs * sizeof(double);

	memset(lanes, 0, READY_ROWS * ready.row_size);
	if (!ready_bin(&ready, raw, features, lanes, &error))
		abort();
	ready_row(&ready, lanes, out);
	if (memcmp(out, expected, size) != 0)
		abort();
	ready_block(&ready, lanes, READY_ROWS, scratch, out);
	if (memcmp(out, expected, size) != 0)
		abort();
	free(bytes);
	free(lanes);
	free(scratch);
	free(out);
}

/* Explains the first and the last output for one row, with interactions where there are few columns. */
static inline void
exercise_explanations(const Model *model, const double *features)
{
	double	   *contributions = malloc(model->n_columns * sizeof(double) + 1);
	double	   *matrix = model->n_columns <= 64 ? malloc((size_t) model->n_columns * model->n_columns * sizeof(double) + 1) : NULL;
	Error		error;

	for (int last = 0; last < 2; last++)
	{
		Explainer  *explainer = explainer_create(model, last ? model->n_outputs - 1 : 0, NULL, &error);

		if (explainer == NULL)
			continue;
		explain_row(explainer, features, contributions);
		if (matrix != NULL)
			explain_row_pairs(explainer, features, matrix);
		exercise_sink = explainer_base(explainer) + (double) explainer_size(explainer);
		explainer_free(explainer);
	}
	free(contributions);
	free(matrix);
}

/* True where the bytes are a valid model; then it has been read, has predicted and explained. */
static inline bool
exercise_model(const void *bytes, size_t size)
{
	Model		model;
	Error		error;

	if (!model_open(&model, bytes, size, &error))
		return false;

	/* exactly as large as the model says, so that a write behind them shows */
	double	   *raw = malloc(model.n_columns * sizeof(double) + 1);
	double	   *features = malloc(model.n_features * sizeof(double) + 1);
	double	   *out = malloc(model.n_outputs * sizeof(double));

	exercise_sink = (double) exercise_texts(&model);
	if (model_has_trees(&model))
		exercise_trees(&model);
	else if (model_is_linear(&model))
		exercise_sink = linear_intercept(model.payload)[0];
	for (int round = 0; round < 14; round++)
	{
		for (uint32_t i = 0; i < model.n_columns; i++)
			raw[i] = exercise_raw(&model, &model.columns[i], round + (int) i);
		if (!model_predict(&model, raw, features, out, &error))
			continue;
		exercise_sink = out[model_best_class(out, model.n_outputs)];
		if (model_has_trees(&model) && round % 5 == 0)
			exercise_ready(&model, raw, features, out);
	}
	if (model_encode(&model, raw, features, &error))
		exercise_explanations(&model, features);
	free(raw);
	free(features);
	free(out);
	return true;
}

#endif
