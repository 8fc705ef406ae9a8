/*
 * train_job.c
 *		The walk of a training, from the rows to the model's bytes.
 *
 * Table (canonical order, split) -> classes -> recipe -> fit -> model ->
 * predictions of the test rows by that model -> metrics -> the model again,
 * with its metrics in it.  What the fit allocates is given back before the
 * model is judged.
 */
#include "trainer.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../core/fit/clock.h"
#include "freeze.h"

typedef struct Training
{
	Trainer    *trainer;
	const Algorithm *algorithm;
	ParamSet	params;
	Table		table;
	Target		target;
	FittedRecipe recipe;
	FitOutput	output;
	ModelWriter writer;
	Buffer		model;			/* the artifact's bytes */
	const double *outputs;		/* of the test rows */
	Freeze		freeze;
	Buffer		reference;		/* what is frozen beside it */
} Training;

/* Whether features are put side by side: those of a version to continue are walked by its trees. */
static bool
gathers(const Training *training)
{
	return training->algorithm->gathers || training->trainer->init != NULL;
}

/* Bytes of the test rows, where they are not gathered yet, and of the outputs on them, of the model and of the constant predictor. */
static uint64_t
scoring_memory(const Training *training)
{
	uint64_t	n_test = range_rows(training->table.test);
	uint64_t	n_outputs = training->target.n_classes > 0 ? training->target.n_classes : 1;

	return (gathers(training) ? 0 : table_gather_memory(&training->trainer->matrix, n_test)) +
		2 * n_test * n_outputs * sizeof(double) + n_outputs * n_outputs * sizeof(double);
}

/* Refuses what would not fit into the budget beside the rows and their order, before it starts. */
static bool
check_memory(const Trainer *trainer, uint64_t order, uint64_t work, const char *what, Error *error)
{
	uint64_t	rows = trainer->matrix.header->size;
	uint64_t	needed = rows + order + work;

	if (needed <= trainer->job.max_memory)
		return true;
	error_set(error, ERROR_LIMIT, "the training needs %llu bytes of memory, but mlops.max_memory allows %llu",
			  (unsigned long long) needed, (unsigned long long) trainer->job.max_memory);
	error_detail(error, "The rows take %llu bytes, their order %llu, %s %llu.", (unsigned long long) rows,
				 (unsigned long long) order, what, (unsigned long long) work);
	return error_hint(error, "Raise mlops.max_memory to at least %lluMB, or train on fewer rows or columns.",
					  (unsigned long long) (needed >> 20) + 1);
}

/* The algorithm and its parameters, as the job names them. */
static bool
find_algorithm(Training *training, Error *error)
{
	Job		   *job = &training->trainer->job;

	training->algorithm = algorithm_by_id(job->algorithm);
	if (training->algorithm == NULL || job->n_params != (uint32_t) training->algorithm->n_params)
		return error_set(error, ERROR_CORRUPTED, "the job names algorithm %u with %u parameters, which there is not", job->algorithm, job->n_params);
	if (!(training->algorithm->tasks & TASK_BIT(job->task)))
		return error_set(error, ERROR_UNSUPPORTED, "algorithm %s does not do the task %s", training->algorithm->name, task_name((Task) job->task));
	training->params.specs = training->algorithm->params;
	training->params.n = training->algorithm->n_params;
	training->params.values = job->params;
	training->params.given = job->params_given;
	training->params.n_maps = (int) job->n_maps;
	for (uint32_t m = 0; m < job->n_maps; m++)
		training->params.maps[m] = job->maps[m];
	training->params.model = job->init_hash[0] != '\0' ? job->init_hash : NULL;
	return true;
}

/* The rows in canonical order, split. */
static bool
order_rows(Training *training, Error *error)
{
	Trainer    *trainer = training->trainer;
	const Job  *job = &trainer->job;
	SplitPlan	split = {
		.kind = (SplitKind) job->split_kind,
		.test = job->test,
		.validation = job->validation,
		.seed = job->seed,
		.stratified = job->task != TASK_REGRESSION
	};

	channel_phase(&trainer->channel, "ordering rows");
	if (!check_memory(trainer, table_build_memory(&trainer->matrix), 0, "the fit", error) ||
		!table_build(&training->table, &trainer->matrix, &trainer->hashed, &split, trainer->pool, &trainer->arena, error))
		return false;
	timing_table(trainer, &training->table);
	if (!profile_columns(trainer, error))
		return false;
	timing_mark(trainer, "profile");
	return true;
}

/* What later rows are compared with. */
static bool
freeze_rows(Training *training, Error *error)
{
	Trainer    *trainer = training->trainer;
	bool		done = freeze_parts(&training->freeze, trainer, &training->table, error) &&
		freeze_columns(&training->freeze, trainer, &training->reference, error);

	timing_mark(trainer, "freeze columns");
	return done;
}

/* Parameters by column and by label name those that there are. */
static bool
check_keys(const Training *training, Error *error)
{
	const Table *table = &training->table;
	Arena	   *arena = &training->trainer->arena;
	const char **names = arena_alloc(arena, table->n_features, sizeof(*names), error);
	ColumnKind *kinds = arena_alloc(arena, table->n_features, sizeof(ColumnKind), error);

	if (names == NULL || kinds == NULL)
		return false;
	for (uint32_t i = 0; i < table->n_features; i++)
	{
		names[i] = table->features[i].source->name;
		kinds[i] = (ColumnKind) table->features[i].source->kind;
	}
	return params_check_columns(&training->params, names, kinds, table->n_features, error) &&
		params_check_labels(&training->params, training->target.labels, training->target.n_classes, error);
}

/* Bytes that stay for as long as the training: the order of the rows, target and weight, and gathered features. */
static uint64_t
rows_memory(const Training *training)
{
	const Matrix *matrix = &training->trainer->matrix;
	uint64_t	n_rows = training->table.n_rows;

	return table_memory(matrix) + n_rows * sizeof(double) * (training->table.weight != NULL ? 2 : 1) +
		(gathers(training) ? table_gather_memory(matrix, n_rows) : 0);
}

/* Values that the fit reads one by one are put side by side; trees make bins of each value once. */
static bool
gather_features(Training *training, Error *error)
{
	Trainer    *trainer = training->trainer;

	return !gathers(training) ||
		(check_memory(trainer, rows_memory(training), 0, "the fit", error) &&
		 table_gather_features(&training->table, (RowRange) {0, training->table.n_rows}, trainer->pool, &trainer->arena, error));
}

/* What is to be learned, and from what. */
static bool
prepare(Training *training, Error *error)
{
	Trainer    *trainer = training->trainer;
	Table	   *table = &training->table;

	notice_dropped(trainer, table);
	notice_untested(trainer, table);
	if (trainer->init != NULL ? !target_continue(&training->target, table, trainer->init, trainer->pool, &trainer->arena, error)
		: !target_learn(&training->target, table, (Task) trainer->job.task, (LabelKind) trainer->job.label_kind, trainer->pool,
						&trainer->arena, error))
		return false;
	if (table->n_features != trainer->job.n_features)
		return error_set(error, ERROR_CORRUPTED, "the job plans %u feature columns, but the rows have %u", trainer->job.n_features, table->n_features);
	if (!check_keys(training, error))
		return false;
	notice_identifiers(trainer, table);
	notice_single_classes(trainer, &training->target);
	if (!gather_features(training, error))
		return false;
	timing_mark(trainer, "gather");

	channel_phase(&trainer->channel, "fitting recipe");
	if (trainer->init != NULL)
	{
		if (!recipe_keep(&training->recipe, table, trainer->init, &trainer->arena, error))
			return false;
		notice_unknown_categories(trainer, table, &training->recipe);
		timing_mark(trainer, "recipe");
		return true;
	}
	if (!check_memory(trainer, rows_memory(training), recipe_fit_memory(table, trainer->job.plans, pool_threads(trainer->pool)), "the recipe", error) ||
		!recipe_fit(&training->recipe, table, trainer->job.plans, trainer->pool, &trainer->arena, error))
		return false;
	notice_uninformative(trainer, table, &training->recipe);
	notice_cut_categories(trainer, table, &training->recipe);
	timing_mark(trainer, "recipe");
	return true;
}

/* Losses, remarks and metrics of a fit, on to the backend. */
static void
monitor_iteration(void *context, int iteration, int total, double train_loss, double validation_loss)
{
	channel_iteration(context, iteration, total, train_loss, validation_loss);
}

static void
monitor_notice(void *context, const char *text)
{
	channel_notice(context, text);
}

static void
monitor_metric(void *context, const char *name, double train_value, double validation_value)
{
	channel_metric(context, name, train_value, validation_value);
}

/* Runs the algorithm in an arena of its own. */
static bool
fit(Training *training, Error *error)
{
	Trainer    *trainer = training->trainer;
	const Algorithm *algorithm = training->algorithm;
	Arena		arena;
	FitMonitor	monitor = {&trainer->channel, monitor_iteration, monitor_notice, monitor_metric};
	FitInput	input = {
		.table = &training->table,
		.recipe = &training->recipe,
		.task = (Task) trainer->job.task,
		.n_classes = training->target.n_classes,
		.labels = training->target.labels,
		.target = training->target.values,
		.weight = training->target.weights,
		.params = &training->params,
		.seed = trainer->job.seed,
		.pool = trainer->pool,
		.arena = &arena,
		.monitor = &monitor,
		.init = trainer->init
	};
	uint64_t	bytes = algorithm->memory(&training->params, training->table.n_rows - range_rows(training->table.test), &training->recipe,
									  training->target.n_classes, pool_threads(trainer->pool)) + continue_memory(trainer);

	if (bytes < scoring_memory(training))
		bytes = scoring_memory(training);
	if (!check_memory(trainer, rows_memory(training), bytes, "the fit", error))
		return false;

	channel_phase(&trainer->channel, "fitting");
	arena_init(&arena);

	double		start = clock_seconds();
	bool		fitted = algorithm->fit(&input, &training->output, error);

	trainer->result.seconds_fit = clock_seconds() - start;
	arena_free(&arena);
	timing_mark(trainer, "fit");
	return fitted;
}

/* All parameters as texts; of a version that was continued its hash. */
static void
enter_params(Training *training)
{
	ModelWriter *writer = &training->writer;
	Buffer		value;

	buffer_init(&value);
	for (int i = 0; i < training->params.n; i++)
	{
		value.size = 0;
		if (training->params.specs[i].type == PARAM_MODEL && training->params.model == NULL)
			continue;
		params_write_text(&training->params, i, &value);
		buffer_u8(&value, 0);
		if (value.failed)
			writer->sections[SECTION_PARAMS].failed = true;
		else
			model_writer_param(writer, training->params.specs[i].name, (const char *) value.data);
	}
	buffer_free(&value);
}

/* Everything that goes into the model but its metrics. */
static void
enter_model(Training *training)
{
	Trainer    *trainer = training->trainer;
	const MatrixColumn *target = training->table.target->source;
	ModelWriter *writer = &training->writer;
	ArtifactHeader *header = &writer->header;

	header->algorithm = trainer->job.algorithm;
	header->task = trainer->job.task;
	header->n_columns = training->recipe.n_columns;
	header->n_features = training->recipe.n_features;
	header->n_outputs = training->target.n_classes > 0 ? training->target.n_classes : 1;
	header->label_kind = training->target.n_classes > 0 ? trainer->job.label_kind : LABEL_NONE;
	header->target_name = model_writer_string(writer, target->name, strlen(target->name));
	header->target_type = model_writer_string(writer, target->type_name, strlen(target->type_name));
	header->n_training_rows = range_rows(training->table.train);

	recipe_write(&training->recipe, writer);
	for (uint32_t i = 0; i < training->target.n_classes; i++)
		model_writer_label(writer, training->target.labels[i]);
	enter_params(training);
	buffer_bytes(&writer->sections[SECTION_PAYLOAD], training->output.payload.data, training->output.payload.size);
}

/* The test rows predicted by the model as it will be stored: metrics into the result. */
static bool
score_model(Training *training, const Model *model, Error *error)
{
	Trainer    *trainer = training->trainer;
	RowRange	test = training->table.test;
	uint32_t	n_outputs = training->writer.header.n_outputs;
	RowSource	source;

	channel_phase(&trainer->channel, "evaluating");

	double	   *constant = arena_alloc(&trainer->arena, n_outputs, sizeof(double), error);

	if (constant == NULL || !table_gather_features(&training->table, test, trainer->pool, &trainer->arena, error) ||
		!row_source_init(&source, &training->table, model, &trainer->arena, error))
		return false;
	baseline_constant(training->target.values, training->target.weights, training->target.n_classes, training->table.train, constant);

	training->outputs = score_rows(model, &source, test, trainer->pool, &trainer->arena, error);
	return training->outputs != NULL && score_metrics(trainer, model->task, &training->target, test, training->outputs, constant, error);
}

/* The model scored, and its metrics entered into it. */
static bool
judge_model(Training *training, Error *error)
{
	Trainer    *trainer = training->trainer;
	Model		model;

	if (!model_writer_finish(&training->writer, &training->model, error) ||
		!model_open(&model, training->model.data, training->model.size, error))
		return false;
	if (range_rows(training->table.test) > 0 && !score_model(training, &model, error))
		return false;
	if (!score_add(trainer, &training->output.metrics, &training->output.baseline, error))
		return false;
	if (trainer->result.n_metrics == 0)
		return true;
	for (uint32_t i = 0; i < trainer->result.n_metrics; i++)
		model_writer_metric(&training->writer, trainer->result.metrics[i].name, trainer->result.metrics[i].value,
							trainer->result.metrics[i].baseline);
	buffer_free(&training->model);
	return model_writer_finish(&training->writer, &training->model, error) &&
		model_open(&model, training->model.data, training->model.size, error);
}

/* What later answers are compared with. */
static bool
freeze_model(Training *training, Error *error)
{
	Model		model;

	return training->outputs == NULL ||
		(model_open(&model, training->model.data, training->model.size, error) &&
		 freeze_held_out(&training->freeze, training->trainer, &training->table, &training->target, &model, training->outputs,
						 &training->reference, error));
}

/* The artifact, from its header on, and the reference behind it, into the descriptor. */
static bool
hand_over(const Training *training, Error *error)
{
	if (ftruncate(TRAINER_FD_MODEL, 0) != 0 || lseek(TRAINER_FD_MODEL, 0, SEEK_SET) != 0)
		return error_set(error, ERROR_INTERNAL, "cannot write the model: %s", strerror(errno));
	return write_descriptor(TRAINER_FD_MODEL, &training->model, error) && write_descriptor(TRAINER_FD_MODEL, &training->reference, error);
}

/* What the backend stores beside the model. */
static bool
fill_result(Training *training, Error *error)
{
	JobResult  *result = &training->trainer->result;
	const Table *table = &training->table;

	result->n_rows = training->trainer->matrix.header->n_rows;
	result->n_dropped = table->n_dropped;
	result->n_train = range_rows(table->train);
	result->n_validation = range_rows(table->validation);
	result->n_test = range_rows(table->test);
	result->fingerprint[0] = table->fingerprint[0];
	result->fingerprint[1] = table->fingerprint[1];
	result->iterations = (uint32_t) training->output.iterations;
	result->n_features = training->recipe.n_features;
	result->model_size = training->model.size;
	result->reference_size = training->reference.size;
	result->cuts = target_cuts(&training->target, table, &result->n_cuts, error);
	return result->cuts != NULL;
}

static void
training_begin(Training *training, Trainer *trainer)
{
	*training = (Training) {.trainer = trainer};
	buffer_init(&training->output.payload);
	buffer_init(&training->model);
	buffer_init(&training->reference);
	model_writer_init(&training->writer);
}

static void
training_end(Training *training)
{
	buffer_free(&training->output.payload);
	buffer_free(&training->model);
	buffer_free(&training->reference);
	model_writer_free(&training->writer);
	continue_close(training->trainer);
}

/* The model from the fit's payload, judged where there are test rows. */
static bool
finish_model(Training *training, Error *error)
{
	enter_model(training);
	buffer_free(&training->output.payload);
	return judge_model(training, error);
}

bool
train_quietly(Trainer *trainer, Buffer *model, Error *error)
{
	Training	training;

	training_begin(&training, trainer);

	bool		done = find_algorithm(&training, error) &&
		order_rows(&training, error) &&
		prepare(&training, error) &&
		fit(&training, error) &&
		finish_model(&training, error);

	if (done)
	{
		*model = training.model;
		buffer_init(&training.model);
	}
	training_end(&training);
	return done;
}

bool
train_job(Trainer *trainer, Error *error)
{
	Training	training;

	training_begin(&training, trainer);

	bool		done = find_algorithm(&training, error) &&
		continue_open(trainer, error) &&
		order_rows(&training, error) &&
		freeze_rows(&training, error) &&
		prepare(&training, error) &&
		fit(&training, error);

	if (done)
	{
		done = finish_model(&training, error);
		timing_mark(trainer, "evaluate");
		done = done && freeze_model(&training, error);
		timing_mark(trainer, "freeze answers");
		done = done && hand_over(&training, error);
		timing_mark(trainer, "write");
	}
	done = done && fill_result(&training, error);

	training_end(&training);
	return done;
}
