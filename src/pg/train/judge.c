/*
 * judge.c
 *		An existing version on the rows of a source.
 *
 * The source is scanned in the columns of the model's signature, matched by
 * name, and the trainer gets rows and model.  Nothing is written, so this
 * works on a standby, too.
 */
#include "judge.h"

#include "../compat.h"
#include "../registry/artifact.h"
#include "../registry/signature.h"
#include "../settings.h"
#include "../source/scan.h"
#include "../source/source.h"
#include "split_json.h"

/* The columns of the model's signature in a source, the target last. */
static ScanColumn *
judged_columns(const Source *source, const Model *model, int *n)
{
	ScanColumn *columns = palloc((model->n_columns + 1) * sizeof(ScanColumn));

	*n = signature_features(source, model, columns);
	columns[(*n)++] = signature_target(source, model);
	return columns;
}

/* Scans the source and lets the trainer do a job with the model. */
Judgement *
judge_run(const ModelRef *ref, const char *source_text, Job *job)
{
	Judgement  *judgement = palloc(sizeof(Judgement));
	struct varlena *artifact = registry_load(ref->model_id, ref->version);
	Model	   *model = &judgement->model;
	Source	   *source;
	ScanColumn *columns;
	int			n_columns;
	ScanResult	scan;
	MemoryFile *model_file = memory_file_create("mlops-model", 0, false);

	artifact_open(model, artifact);
	source = source_open(source_text);
	columns = judged_columns(source, model, &n_columns);
	memory_file_write(model_file, artifact, VARSIZE(artifact));
	memory_file_seal(model_file, VARSIZE(artifact));
	scan_source(source, columns, n_columns, settings_memory_bytes(), model_file, NULL, &scan);

	job->algorithm = model->algorithm->id;
	job->task = model->task;
	job->label_kind = model->header->label_kind;
	job->n_threads = (uint32) settings_trainer_threads();
	job->max_memory = settings_memory_bytes();
	job->split_kind = SPLIT_RANDOM;
	job->n_features = model->n_columns;
	job->plans = palloc0((model->n_columns + 1) * sizeof(RecipePlan));
	judgement->outcome = trainer_finish(scan.trainer, job, scan.file);
	return judgement;
}
