/*
 * train_init.c
 *		The version that a training goes on from (the parameter init_model).
 *
 * Reading a payload takes the right that exporting it takes.  The version's
 * columns, recipe and task hold for the new training; what cannot go with
 * them is refused before any row is read.
 */
#include "train_job.h"

#include "../registry/artifact.h"
#include "../report.h"

/* "version 3 of model "m"", for messages. */
static char *
init_name(const InitModel *init)
{
	return psprintf("version %d of model \"%s\"", init->ref.version, init->ref.model_name);
}

/* The reference with the number that it stood for: an alias moves. */
static char *
resolved_reference(const char *given, const ModelRef *ref)
{
	const char *slash = strchr(given, '/');

	return psprintf("%.*s%s@%d", slash != NULL ? (int) (slash - given) + 1 : 0, given, ref->model_name, ref->version);
}

/* The algorithm is the version's; new parameters stand over old ones. */
static void
continue_params(TrainRequest *request, const InitModel *init)
{
	const Algorithm *algorithm = init->model.algorithm;
	Error		error;

	if (algorithm != request->algorithm)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is of algorithm %s, and cannot be continued by %s", init_name(init), algorithm->name, request->algorithm->name),
				 errhint("Name a version of algorithm %s in \"init_model\".", request->algorithm->name)));
	if (!algorithm_continue(request->params, params_from_json(algorithm, artifact_params(&init->model)), init->model.task, &error))
		report_error(&error);
	request->params->model = resolved_reference(request->params->model, &init->ref);
}

/* Arguments that would make another model of it. */
static void
check_arguments(const TrainRequest *request, const InitModel *init)
{
	const char *target = model_string(&init->model, init->model.header->target_name);

	if (request->preprocess->n_requests > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"preprocess\" cannot be given with the parameter \"init_model\""),
				 errdetail("The recipe of %s is kept.", init_name(init)),
				 errhint("Leave \"preprocess\" out, or train anew.")));
	if (strcmp(request->target, target) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the target is \"%s\", but %s predicts \"%s\"", request->target, init_name(init), target),
				 errhint("Name the column \"%s\" in the source query.", target)));
}

/* Loads the version. */
void
train_init_load(TrainRequest *request)
{
	InitModel  *init;

	if (request->params->model == NULL)
		return;
	init = palloc(sizeof(InitModel));
	registry_resolve(request->params->model, BARE_LIVE, RIGHT_TRAIN, &init->ref);
	init->artifact = registry_load(init->ref.model_id, init->ref.version);
	artifact_open(&init->model, init->artifact);
	continue_params(request, init);
	check_arguments(request, init);
	request->init = init;
}

/* Whether the target is a boolean where the version's was, and only there: in a regression both are numbers. */
static bool
same_kind_of_number(const ScanColumn *target, const Model *init)
{
	const char *type = model_string(init, init->header->target_type);

	return strcmp(target->source->type_name, type) == 0 || (target->kind == KIND_BOOLEAN) == (strcmp(type, "boolean") == 0);
}

/* The version's task, where the argument "task" allows it and the target's type gives its labels. */
TaskChoice
train_init_task(const TrainRequest *request)
{
	const InitModel *init = request->init;
	const ScanColumn *target = request->columns->target;
	Task		task = init->model.task;
	TaskChoice	choice = task_expect(request->task != NULL ? request->task : task_name(task), request->algorithm, request->params, target);

	if ((choice.possible & TASK_BIT(task)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the task is %s, but that of %s is %s", request->task, init_name(init), task_name(task)),
				 errhint("Leave \"task\" out: it is the version's.")));
	if (task_label_kind(task, target) != (LabelKind) init->model.header->label_kind || !same_kind_of_number(target, &init->model))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("target column \"%s\" is of type %s, but %s was trained with type %s", target->source->name, target->source->type_name,
						init_name(init), model_string(&init->model, init->model.header->target_type)),
				 errhint("Cast it in the source query.")));
	choice.possible = TASK_BIT(task);
	return choice;
}

/* The version's bytes as a file. */
MemoryFile *
train_init_file(const TrainRequest *request, Job *job)
{
	const InitModel *init = request->init;
	MemoryFile *file;

	StaticAssertStmt(INIT_HASH_SIZE == 2 * REGISTRY_HASH_SIZE + 1, "a hash in hexadecimal digits");
	if (init == NULL)
		return NULL;
	for (int i = 0; i < REGISTRY_HASH_SIZE; i++)
		snprintf(job->init_hash + 2 * i, 3, "%02x", init->ref.sha256[i]);
	file = memory_file_create("mlops-init", 0, false);
	memory_file_write(file, init->artifact, VARSIZE(init->artifact));
	memory_file_seal(file, VARSIZE(init->artifact));
	return file;
}
