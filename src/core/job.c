/*
 * job.c
 *		Jobs as bytes, on their way from the backend to the trainer.
 *
 * Fields follow each other in the order of the structs, without padding.
 * What is read is checked as if a stranger had written it: counts before
 * anything is allocated for them, and all words against their ranges.
 */
#include "job.h"

#include <stdlib.h>
#include <string.h>

#define JOB_MAGIC		UINT32_C(0x4a504c4d)	/* "MLPJ" */

#define PLAN_SIZE		9		/* bytes of a RecipePlan as written */
#define PARAM_SIZE		9
#define ENTRY_SIZE		12		/* least bytes of a ParamEntry */

bool
job_write(const Job *job, Buffer *out, Error *error)
{
	buffer_u32(out, JOB_MAGIC);
	buffer_u32(out, job->kind);
	buffer_u32(out, job->algorithm);
	buffer_u32(out, job->task);
	buffer_u32(out, job->label_kind);
	buffer_u64(out, job->seed);
	buffer_u32(out, job->n_threads);
	buffer_u64(out, job->max_memory);
	buffer_u32(out, job->split_kind);
	buffer_f64(out, job->test);
	buffer_f64(out, job->validation);
	buffer_u32(out, job->n_features);
	buffer_u32(out, job->n_params);
	buffer_string(out, job->metric);
	buffer_u32(out, job->repeats);
	buffer_u32(out, job->sample_rows);
	buffer_string(out, job->init_hash);
	buffer_u32(out, job->n_cuts);
	buffer_u32(out, job->n_maps);
	for (uint32_t m = 0; m < job->n_maps; m++)
	{
		buffer_u32(out, (uint32_t) job->maps[m].param);
		buffer_u32(out, job->maps[m].n);
		for (uint32_t k = 0; k < job->maps[m].n; k++)
		{
			buffer_string(out, job->maps[m].entries[k].key);
			buffer_f64(out, job->maps[m].entries[k].value);
		}
	}
	for (uint32_t i = 0; i < job->n_features; i++)
	{
		const RecipePlan *plan = &job->plans[i];

		buffer_u8(out, plan->missing);
		buffer_u8(out, plan->encoding);
		buffer_u8(out, plan->scaling);
		buffer_u8(out, plan->unseen);
		buffer_u8(out, plan->indicator);
		buffer_u32(out, plan->max_categories);
	}
	for (uint32_t i = 0; i < job->n_params; i++)
	{
		buffer_f64(out, job->params[i]);
		buffer_u8(out, job->params_given[i]);
	}
	for (uint32_t i = 0; i < job->n_cuts; i++)
		buffer_u64(out, job->cuts[i]);
	return buffer_check(out, error);
}

/* What maps of a read job point to. */
typedef struct JobMaps
{
	ParamMap	maps[PARAM_MAPS_MAX];
	ParamEntry *entries[PARAM_MAPS_MAX];
	char	   *keys;			/* all keys, each ended with 0 */
} JobMaps;

/* All words of a plan are policies, and none is left to a default. */
static bool
plan_valid(const RecipePlan *plan)
{
	return plan->missing >= MISSING_NATIVE && plan->missing <= MISSING_ERROR &&
		plan->encoding >= ENCODING_NATIVE && plan->encoding <= ENCODING_ORDINAL &&
		plan->scaling >= SCALING_NONE && plan->scaling <= SCALING_MINMAX &&
		plan->unseen >= UNSEEN_MISSING && plan->unseen <= UNSEEN_ERROR &&
		plan->indicator >= INDICATOR_NEVER && plan->indicator <= INDICATOR_AUTO;
}

/* The fixed part makes sense; what judges an existing model takes task, algorithm and recipe from it. */
static bool
job_valid(const Job *job)
{
	const Algorithm *algorithm = algorithm_by_id(job->algorithm);
	bool		shares = job->test >= 0 && job->validation >= 0 && job->test + job->validation < 1;

	if (job->n_features > MAX_COLUMNS || job->n_threads == 0 || job->sample_rows > SAMPLE_ROWS_MAX || job->n_cuts > MAX_CLASSES || (job->n_cuts > 0) != (job->kind == JOB_COMPARE))
		return false;
	if (job->kind == JOB_COMPARE)
		return job->n_params == 0 && job->n_maps == 0 && shares;
	if (job->kind == JOB_EVALUATE)
		return job->n_params == 0 && job->n_maps == 0;
	if (job->kind == JOB_IMPORTANCE)
		return job->n_params == 0 && job->n_maps == 0 && job->repeats >= 1 && job->repeats <= REPEATS_MAX;
	return job->kind == JOB_TRAIN && algorithm != NULL && job->task >= TASK_REGRESSION && job->task <= TASK_MULTICLASS &&
		job->label_kind <= LABEL_TEXT && shares && job->n_params == (uint32_t) algorithm->n_params &&
		job->n_maps <= PARAM_MAPS_MAX;
}

/* One map; its keys come to lie behind those that are used already. */
static bool
read_map(const Job *job, uint32_t m, size_t *used, Reader *reader, Error *error)
{
	const Algorithm *algorithm = algorithm_by_id(job->algorithm);
	JobMaps    *maps = job->read_maps;
	uint32_t	param = reader_u32(reader);
	uint32_t	n = reader_u32(reader);
	bool		known = param < job->n_params;
	ParamType	type = known ? algorithm->params[param].type : 0;

	if (n > (reader->size - reader->position) / ENTRY_SIZE || (type != PARAM_LABEL_MAP && type != PARAM_COLUMN_MAP))
		return error_set(error, ERROR_CORRUPTED, "job is damaged: parameter %u is no object of %u entries", param, n);
	maps->entries[m] = calloc((size_t) n + 1, sizeof(ParamEntry));
	if (maps->entries[m] == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for a parameter of %u entries", n);
	maps->maps[m] = (ParamMap) {.param = (int) param,.n = n,.entries = maps->entries[m]};
	for (uint32_t k = 0; k < n; k++)
	{
		ParamEntry *entry = &maps->entries[m][k];

		entry->key = maps->keys + *used;
		reader_string(reader, maps->keys + *used, reader->size - *used);
		*used += strlen(entry->key) + 1;
		entry->value = reader_f64(reader);
		if (reader->failed || !params_entry_valid(&algorithm->params[param], entry->value))
			return error_set(error, ERROR_CORRUPTED, "job is damaged: parameter \"%s\"", algorithm->params[param].name);
	}
	return true;
}

/* All maps; with its length each key takes more bytes of the job than of their memory. */
static bool
read_maps(Job *job, Reader *reader, Error *error)
{
	size_t		used = 0;

	if (job->n_maps == 0)
		return true;
	job->read_maps = calloc(1, sizeof(JobMaps));
	if (job->read_maps != NULL)
		job->read_maps->keys = malloc(reader->size);
	if (job->read_maps == NULL || job->read_maps->keys == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for a job of %zu bytes", reader->size);
	job->maps = job->read_maps->maps;
	for (uint32_t m = 0; m < job->n_maps; m++)
	{
		if (!read_map(job, m, &used, reader, error))
			return false;
	}
	return true;
}

/* Arrays of n items for what follows, where the bytes for it are there. */
static bool
job_allocate(Job *job, const Reader *reader, Error *error)
{
	size_t		left = reader->size - reader->position;

	if (left != (size_t) job->n_features * PLAN_SIZE + (size_t) job->n_params * PARAM_SIZE + (size_t) job->n_cuts * sizeof(uint64_t))
		return error_set(error, ERROR_CORRUPTED, "job is damaged: %zu bytes do not hold its plans and parameters", left);
	job->plans = calloc(job->n_features + 1, sizeof(RecipePlan));
	job->params = calloc(job->n_params + 1, sizeof(double));
	job->params_given = calloc(job->n_params + 1, sizeof(bool));
	job->cuts = calloc(job->n_cuts + 1, sizeof(uint64_t));
	if (job->plans == NULL || job->params == NULL || job->params_given == NULL || job->cuts == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for a job of %u columns", job->n_features);
	return true;
}

static bool
read_plans(Job *job, Reader *reader, Error *error)
{
	for (uint32_t i = 0; i < job->n_features; i++)
	{
		RecipePlan *plan = &job->plans[i];

		plan->missing = reader_u8(reader);
		plan->encoding = reader_u8(reader);
		plan->scaling = reader_u8(reader);
		plan->unseen = reader_u8(reader);
		plan->indicator = reader_u8(reader);
		plan->max_categories = reader_u32(reader);
		if (job->kind == JOB_TRAIN && !plan_valid(plan))
			return error_set(error, ERROR_CORRUPTED, "job is damaged: recipe of column %u", i + 1);
	}
	return true;
}

/* Values pass the same checks as those that users give. */
static bool
read_params(Job *job, Reader *reader, Error *error)
{
	const Algorithm *algorithm = algorithm_by_id(job->algorithm);

	for (uint32_t i = 0; i < job->n_params; i++)
	{
		const ParamSpec *spec = &algorithm->params[i];

		job->params[i] = reader_f64(reader);
		job->params_given[i] = reader_u8(reader) != 0;
		if (!params_value_valid(spec, job->params[i]))
			return error_set(error, ERROR_CORRUPTED, "job is damaged: parameter \"%s\"", spec->name);
	}
	return true;
}

bool
job_read(Job *job, const void *data, size_t size, Error *error)
{
	Reader		reader;

	memset(job, 0, sizeof(*job));
	reader_init(&reader, data, size);
	if (reader_u32(&reader) != JOB_MAGIC)
		return error_set(error, ERROR_CORRUPTED, "these bytes are no job");
	job->kind = reader_u32(&reader);
	job->algorithm = reader_u32(&reader);
	job->task = reader_u32(&reader);
	job->label_kind = reader_u32(&reader);
	job->seed = reader_u64(&reader);
	job->n_threads = reader_u32(&reader);
	job->max_memory = reader_u64(&reader);
	job->split_kind = reader_u32(&reader);
	job->test = reader_f64(&reader);
	job->validation = reader_f64(&reader);
	job->n_features = reader_u32(&reader);
	job->n_params = reader_u32(&reader);
	reader_string(&reader, job->metric, sizeof(job->metric));
	job->repeats = reader_u32(&reader);
	job->sample_rows = reader_u32(&reader);
	reader_string(&reader, job->init_hash, sizeof(job->init_hash));
	job->n_cuts = reader_u32(&reader);
	job->n_maps = reader_u32(&reader);
	if (!reader_check(&reader, "job", error))
		return false;
	if (!job_valid(job))
		return error_set(error, ERROR_CORRUPTED, "job is damaged: its settings make no sense");
	if (!read_maps(job, &reader, error) || !job_allocate(job, &reader, error) || !read_plans(job, &reader, error) || !read_params(job, &reader, error))
	{
		job_free(job);
		return false;
	}
	for (uint32_t i = 0; i < job->n_cuts; i++)
		job->cuts[i] = reader_u64(&reader);
	return true;
}

void
job_free(Job *job)
{
	free(job->plans);
	free(job->params);
	free(job->params_given);
	free(job->cuts);
	if (job->read_maps != NULL)
	{
		for (int m = 0; m < PARAM_MAPS_MAX; m++)
			free(job->read_maps->entries[m]);
		free(job->read_maps->keys);
		free(job->read_maps);
	}
	job->read_maps = NULL;
	job->maps = NULL;
	job->plans = NULL;
	job->params = NULL;
	job->params_given = NULL;
	job->cuts = NULL;
}
