/*
 * train_compare.c
 *		A new version beside an earlier one, on rows that neither was trained on.
 *
 * The rows of the new version's training are scanned once more, and the
 * trainer splits them as it did then.  What the earlier version held out
 * follows from its run (mlops.run.test_part), whatever has become of its rows.
 */
#include "train_job.h"

#include "utils/builtins.h"

#include "../json_fields.h"
#include "../registry/artifact.h"
#include "../settings.h"

/* How a split comes about, in the words of the argument "split". */
static const char *
split_name(const SplitRequest *split)
{
	return split->key != NULL ? split->key : "random";
}

/* What of its rows a training certainly held out. */
Jsonb *
train_test_part(const TrainRequest *request, const JobResult *result)
{
	JsonbParseState *state = NULL;

	/* what the version before learned from was another split's */
	if (result->n_cuts == 0 || request->init != NULL)
		return NULL;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	json_push_key(&state, "by");
	json_push_text(&state, WJB_VALUE, split_name(&request->split));
	if (request->split.column != NULL)
	{
		json_push_key(&state, "column");
		json_push_text(&state, WJB_VALUE, request->split.column);
	}
	json_push_key(&state, "seed");
	json_push_text(&state, WJB_VALUE, psprintf(UINT64_FORMAT, request->seed));
	json_push_key(&state, "below");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (uint32 i = 0; i < result->n_cuts; i++)
		json_push_text(&state, WJB_ELEM, psprintf(UINT64_FORMAT, result->cuts[i]));
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Reads the cuts; false where the rows of this training are divided in another way. */
static bool
read_test_part(Jsonb *test_part, const TrainRequest *request, Job *job)
{
	int			n;
	JsonField  *fields = json_fields(test_part, "test_part", &n);
	const char *column = NULL;
	const char *seed = psprintf(UINT64_FORMAT, request->seed);

	for (int i = 0; i < n; i++)
	{
		const JsonField *field = &fields[i];

		if (strcmp(field->key, "by") == 0 && strcmp(json_text(field, "test_part"), split_name(&request->split)) != 0)
			return false;
		if (strcmp(field->key, "column") == 0)
			column = json_text(field, "test_part");
		if (strcmp(field->key, "seed") == 0 && strcmp(json_text(field, "test_part"), seed) != 0)
			return false;
		if (strcmp(field->key, "below") == 0)
		{
			JsonbContainer *cuts = field->value.val.binary.data;

			job->n_cuts = JsonContainerSize(cuts);
			job->cuts = palloc((job->n_cuts + 1) * sizeof(uint64_t));
			for (uint32 c = 0; c < job->n_cuts; c++)
			{
				JsonbValue *cut = getIthJsonbValueFromContainer(cuts, c);

				job->cuts[c] = strtoull(pnstrdup(cut->val.string.val, cut->val.string.len), NULL, 10);
			}
		}
	}
	return (column == NULL) == (request->split.column == NULL) && (column == NULL || strcmp(column, request->split.column) == 0);
}

/* Whether two versions read the same columns and predict the same. */
static bool
same_signature(const Model *a, const Model *b)
{
	if (a->task != b->task || a->n_columns != b->n_columns || a->n_outputs != b->n_outputs)
		return false;
	for (uint32 i = 0; i < a->n_columns; i++)
	{
		if (strcmp(model_string(a, a->columns[i].name), model_string(b, b->columns[i].name)) != 0)
			return false;
	}
	for (uint32 i = 0; a->task != TASK_REGRESSION && i < a->n_outputs; i++)
	{
		if (model_find_label(b, model_label(a, i)) < 0)
			return false;
	}
	return strcmp(model_string(a, a->header->target_name), model_string(b, b->header->target_name)) == 0;
}

/* The bytes of a version in a file for the trainer. */
static MemoryFile *
version_file(const struct varlena *artifact)
{
	MemoryFile *file = memory_file_create("mlops-model", 0, false);

	memory_file_write(file, artifact, VARSIZE(artifact));
	memory_file_seal(file, VARSIZE(artifact));
	return file;
}

/* Compares them. */
const JobResult *
train_compare(const TrainRequest *request, int64 model_id, int32 champion, int32 challenger, Jsonb *test_part, const char **why_not)
{
	TrainColumns *columns = request->columns;
	struct varlena *champion_bytes = registry_load(model_id, champion);
	struct varlena *challenger_bytes = registry_load(model_id, challenger);
	Model		champion_model;
	Model		challenger_model;
	ScanResult	scan;
	Job			job = {.kind = JOB_COMPARE};

	artifact_open(&champion_model, champion_bytes);
	artifact_open(&challenger_model, challenger_bytes);
	*why_not = NULL;
	if (test_part == NULL)
		*why_not = psprintf("version %d held no rows out, or was not trained here", champion);
	else if (request->init != NULL)
		*why_not = "the new version goes on from another one, whose rows are not known";
	else if (!same_signature(&champion_model, &challenger_model))
		*why_not = "the versions read other columns, or predict other classes";
	else if (!read_test_part(test_part, request, &job))
		*why_not = psprintf("the rows of version %d were split in another way", champion);
	if (*why_not != NULL)
		return NULL;

	/* nothing is kept of these rows */
	for (int i = 0; i < columns->n_columns; i++)
		columns->columns[i].frozen = false;
	scan_source(request->source, columns->columns, columns->n_columns, settings_memory_bytes(), version_file(challenger_bytes),
				version_file(champion_bytes), &scan);
	job.algorithm = challenger_model.algorithm->id;
	job.task = challenger_model.task;
	job.label_kind = challenger_model.header->label_kind;
	job.seed = request->seed;
	job.n_threads = (uint32) settings_trainer_threads();
	job.max_memory = settings_memory_bytes();
	job.split_kind = request->split.kind;
	job.test = request->split.test;
	job.validation = request->split.validation;
	job.n_features = challenger_model.n_columns;
	job.plans = palloc0((challenger_model.n_columns + 1) * sizeof(RecipePlan));
	return &trainer_finish(scan.trainer, &job, scan.file)->result;
}
