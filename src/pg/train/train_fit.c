/*
 * train_fit.c
 *		From a checked request to a model: scan, trainer, validation.
 *
 * Descriptors, mappings and the trainer itself belong to the memory context
 * that this is called in.
 */
#include "train_job.h"

#include "utils/memutils.h"

#include "../compat.h"
#include "../report.h"
#include "../settings.h"

/* The plans of the matrix's features: each element of an array has its array's. */
static RecipePlan *
matrix_plans(const TrainColumns *columns, uint32 *n)
{
	RecipePlan *plans;

	*n = 0;
	for (int i = 0; i < columns->n_features; i++)
		*n += OidIsValid(columns->columns[i].element_type) ? (uint32) columns->columns[i].n_elements : 1;
	plans = palloc((*n + 1) * sizeof(RecipePlan));
	*n = 0;
	for (int i = 0; i < columns->n_features; i++)
	{
		int			n_elements = OidIsValid(columns->columns[i].element_type) ? columns->columns[i].n_elements : 1;

		for (int element = 0; element < n_elements; element++)
			plans[(*n)++] = columns->columns[i].plan;
	}
	return plans;
}

/* Reads the model that the trainer wrote, and validates it: what is stored is what predicts; and the reference behind it. */
static void
take_model(TrainedModel *trained, const MemoryFile *file)
{
	size_t		size = trained->outcome->result.model_size;
	size_t		reference_size = trained->outcome->result.reference_size;
	Error		error;

	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the model has %zu bytes, and %zu are the most", size, (size_t) MaxAllocSize),
				 errhint("Use fewer or smaller trees, or fewer categories.")));
	if (size > memory_file_size(file) || reference_size != memory_file_size(file) - size || size < sizeof(ArtifactHeader))
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("the trainer wrote %zu bytes of a model of %zu bytes", memory_file_size(file), size)));
	trained->artifact = palloc(size);
	memory_file_read(file, 0, trained->artifact, size);
	SET_VARSIZE(trained->artifact, size);
	if (!model_open(&trained->model, trained->artifact, size, &error))
		report_error(&error);
	trained->reference = palloc_extended(reference_size + 1, MCXT_ALLOC_HUGE);
	memory_file_read(file, size, trained->reference, reference_size);
}

/* Scans and fits. */
TrainedModel *
train_fit(const TrainRequest *request)
{
	TrainedModel *trained = palloc0(sizeof(TrainedModel));
	TrainColumns *columns = request->columns;
	MemoryFile *model_file = memory_file_create("mlops-model", 0, false);
	ScanResult	scan;
	Job			job = {.kind = JOB_TRAIN};
	Error		error;

	scan_source(request->source, columns->columns, columns->n_columns, settings_memory_bytes(), model_file,
				train_init_file(request, &job), &scan);
	trained->row_security = scan.row_security;
	trained->scan_seconds = scan.seconds;
	trained->task = request->init != NULL ? request->init->model.task
		: task_decide(&request->task_choice, request->algorithm, columns->target, &scan.matrix);
	if (request->algorithm->check != NULL && !request->algorithm->check(request->params, trained->task, &error))
		report_error(&error);
	trained->threads = settings_trainer_threads();

	job.algorithm = request->algorithm->id;
	job.task = trained->task;
	job.label_kind = task_label_kind(trained->task, columns->target);
	job.seed = request->seed;
	job.n_threads = (uint32) trained->threads;
	job.max_memory = settings_memory_bytes();
	job.split_kind = request->split.kind;
	job.test = request->split.test;
	job.validation = request->split.validation;
	job.sample_rows = request->split.sample_rows;
	job.plans = matrix_plans(columns, &job.n_features);
	if (job.n_features == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("there is no feature left beside the target \"%s\"", request->target)));
	job.n_params = (uint32) request->params->n;
	job.params = request->params->values;
	job.params_given = request->params->given;
	job.n_maps = (uint32) request->params->n_maps;
	job.maps = request->params->maps;

	trained->outcome = trainer_finish(scan.trainer, &job, scan.file);
	take_model(trained, model_file);
	return trained;
}
