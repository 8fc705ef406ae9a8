/*
 * model_open.c
 *		Opening a model: every byte is hostile until checked here.
 *
 * A forged model may lie about anything, with a correct checksum.  What is
 * established, in this order: the frame (size, checksum, sections inside it),
 * the texts (offsets inside a section that ends with 0), the columns and
 * their features, labels, parameters and metrics, and last the payload, by
 * its algorithm.  Later code relies on all of it and checks nothing.  No
 * part is visited twice, so the work is linear in the size, whatever it says.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../algorithm.h"
#include "../crc32c.h"
#include "model.h"

_Static_assert(sizeof(ArtifactHeader) == 200, "ArtifactHeader is a file format");
_Static_assert(sizeof(ArtifactParam) == 16 && sizeof(ArtifactMetric) == 24, "sections are a file format");

/* Where the checksummed bytes begin: behind the checksum. */
#define CHECKED_OFFSET (offsetof(ArtifactHeader, checksum) + sizeof(uint32_t))

static bool
damaged(Error *error, const char *what)
{
	return error_set(error, ERROR_CORRUPTED, "model is damaged: %s", what);
}

/* Size, magic, format and checksum. */
static bool
check_frame(const ArtifactHeader *header, size_t size, Error *error)
{
	if (size < sizeof(ArtifactHeader))
		return error_set(error, ERROR_CORRUPTED, "model is damaged: %zu bytes are too few", size);
	if (memcmp(header->magic, ARTIFACT_MAGIC, sizeof(header->magic)) != 0)
		return error_set(error, ERROR_CORRUPTED, "these bytes are no model");
	if (header->format != ARTIFACT_FORMAT)
	{
		error_set(error, ERROR_CORRUPTED, "model has format %u, which is unknown here", header->format);
		return error_detail(error, "This version of mlops reads format %u.", ARTIFACT_FORMAT);
	}
	if (header->size != size)
		return error_set(error, ERROR_CORRUPTED, "model is damaged: %zu bytes, expected %llu", size, (unsigned long long) header->size);
	if (crc32c((const uint8_t *) header + CHECKED_OFFSET, size - CHECKED_OFFSET) != header->checksum)
		return damaged(error, "checksum does not match");
	return true;
}

/* One section lies behind the header and holds whole items; its first byte. */
static const void *
section_start(const ArtifactHeader *header, ArtifactSection section, size_t item_size, Error *error)
{
	const ArtifactRange *range = &header->sections[section];

	if (range->offset % 8 != 0 || range->offset < sizeof(ArtifactHeader) || range->offset > header->size ||
		range->size > header->size - range->offset || range->size % item_size != 0)
	{
		error_set(error, ERROR_CORRUPTED, "model is damaged: section %d lies outside of it", (int) section);
		return NULL;
	}
	return (const uint8_t *) header + range->offset;
}

/* Algorithm, task, labels and outputs belong together. */
static bool
check_task(Model *model, Error *error)
{
	const ArtifactHeader *header = model->header;

	model->algorithm = algorithm_by_id(header->algorithm);
	if (model->algorithm == NULL)
		return error_set(error, ERROR_CORRUPTED, "model needs algorithm %u, which is unknown here", header->algorithm);
	if (header->task < TASK_REGRESSION || header->task > TASK_MULTICLASS || !(model->algorithm->tasks & TASK_BIT(header->task)))
		return damaged(error, "its algorithm has no such task");
	model->task = (Task) header->task;

	uint32_t	least = model->task == TASK_REGRESSION ? 1 : 2;
	uint32_t	most = model->task == TASK_MULTICLASS ? MAX_CLASSES : least;

	if (header->n_outputs < least || header->n_outputs > most)
		return damaged(error, "number of outputs does not fit the task");
	model->n_outputs = header->n_outputs;
	if (header->label_kind > LABEL_TEXT || (header->label_kind == LABEL_NONE) != (model->task == TASK_REGRESSION) ||
		(header->label_kind == LABEL_BOOLEAN && model->n_outputs != 2))
		return damaged(error, "kind of labels does not fit the task");
	return true;
}

/* Pointers to all sections, with counts that follow from their sizes. */
static bool
find_sections(Model *model, Error *error)
{
	const ArtifactHeader *header = model->header;
	const ArtifactRange *ranges = header->sections;

	model->columns = section_start(header, SECTION_COLUMNS, sizeof(RecipeColumn), error);
	model->strings = section_start(header, SECTION_STRINGS, 1, error);
	model->categories = section_start(header, SECTION_CATEGORIES, sizeof(uint64_t), error);
	model->slots = section_start(header, SECTION_SLOTS, sizeof(uint32_t), error);
	model->labels = section_start(header, SECTION_LABELS, sizeof(uint64_t), error);
	model->params = section_start(header, SECTION_PARAMS, sizeof(ArtifactParam), error);
	model->metrics = section_start(header, SECTION_METRICS, sizeof(ArtifactMetric), error);
	model->payload = section_start(header, SECTION_PAYLOAD, 1, error);
	if (model->columns == NULL || model->strings == NULL || model->categories == NULL || model->slots == NULL ||
		model->labels == NULL || model->params == NULL || model->metrics == NULL || model->payload == NULL)
		return false;

	if (header->n_columns > MAX_COLUMNS || header->n_columns != ranges[SECTION_COLUMNS].size / sizeof(RecipeColumn))
		return damaged(error, "number of columns");
	if (header->n_features > MAX_FEATURES)
		return damaged(error, "number of features");
	if (ranges[SECTION_LABELS].size != (model->task == TASK_REGRESSION ? 0 : model->n_outputs * sizeof(uint64_t)))
		return damaged(error, "number of labels");
	model->n_columns = header->n_columns;
	model->n_features = header->n_features;
	model->n_params = ranges[SECTION_PARAMS].size / sizeof(ArtifactParam);
	model->n_metrics = ranges[SECTION_METRICS].size / sizeof(ArtifactMetric);
	model->payload_size = ranges[SECTION_PAYLOAD].size;

	/* so that the text at any offset in the section ends within it, and offset 0 is the empty text */
	uint64_t	n = ranges[SECTION_STRINGS].size;

	if (n == 0 || model->strings[0] != '\0' || model->strings[n - 1] != '\0')
		return damaged(error, "texts do not end");
	return true;
}

static bool
is_string(const Model *model, uint64_t offset)
{
	return offset < model->header->sections[SECTION_STRINGS].size;
}

/* A text that can name something: not empty, and not longer than a name. */
static bool
is_name(const Model *model, uint64_t offset, size_t longest)
{
	if (!is_string(model, offset))
		return false;

	size_t		length = strnlen(model_string(model, offset), longest + 1);

	return length > 0 && length <= longest;
}

/* What the columns checked so far have used up; the next column begins there. */
typedef struct Progress
{
	uint32_t	n_features;
	uint64_t	n_categories;
	uint64_t	n_slots;
	uint64_t	last_level;		/* offset of the newest level's text */
} Progress;

/*
 * The levels of a column are sorted, and each is a text of its own behind
 * that of the level before (the empty text alone lies at 0): comparing them
 * all reads the texts once.
 */
static bool
levels_valid(const Model *model, const uint64_t *levels, uint32_t n, uint64_t *last_level)
{
	for (uint32_t i = 0; i < n; i++)
	{
		if (i == 0 && levels[i] == 0)
			continue;
		if (!is_string(model, levels[i]) || levels[i] <= *last_level || model->strings[levels[i] - 1] != '\0')
			return false;
		*last_level = levels[i];
		if (i > 0 && strcmp(model_string(model, levels[i - 1]), model_string(model, levels[i])) >= 0)
			return false;
	}
	return true;
}

/* Levels in order; hash slots that name each, and one that is free, so that probing ends. */
static bool
check_categories(const Model *model, const RecipeColumn *column, Progress *progress, Error *error)
{
	uint64_t	categories_left = model->header->sections[SECTION_CATEGORIES].size / sizeof(uint64_t) - progress->n_categories;
	uint64_t	slots_left = model->header->sections[SECTION_SLOTS].size / sizeof(uint32_t) - progress->n_slots;

	if (column->n_categories > MAX_CATEGORIES || column->n_categories > categories_left || column->n_slots > slots_left ||
		column->categories != progress->n_categories || column->slots != progress->n_slots)
		return damaged(error, "categories of a column");
	progress->n_categories += column->n_categories;
	progress->n_slots += column->n_slots;
	if (column->n_categories == 0)
		return column->n_slots == 0 || damaged(error, "hash slots without categories");
	if (column->n_slots <= column->n_categories || (column->n_slots & (column->n_slots - 1)) != 0)
		return damaged(error, "number of hash slots");
	if (!levels_valid(model, model->categories + column->categories, column->n_categories, &progress->last_level))
		return damaged(error, "texts of categories");

	const uint32_t *slots = model->slots + column->slots;
	uint32_t	used = 0;

	for (uint32_t i = 0; i < column->n_slots; i++)
	{
		if (slots[i] > column->n_categories)
			return damaged(error, "a hash slot");
		used += slots[i] != 0;
	}
	if (used != column->n_categories)
		return damaged(error, "number of used hash slots");
	return true;
}

/* What a missing value becomes is a number, or the index of a category. */
static bool
fill_valid(const RecipeColumn *column)
{
	if (column->missing == MISSING_NATIVE || column->missing == MISSING_ERROR)
		return true;
	if (column->kind == KIND_CATEGORY && column->n_categories > 0)
		return column->fill >= 0 && column->fill < column->n_categories && column->fill == floor(column->fill);
	return isfinite(column->fill);
}

static bool
check_column(const Model *model, const RecipeColumn *column, Progress *progress, Error *error)
{
	static const uint8_t zeros[sizeof(column->padding)];
	bool		category = column->kind == KIND_CATEGORY;

	if (!is_name(model, column->name, COLUMN_NAME_MAX) || !is_string(model, column->type_name))
		return damaged(error, "name of a column");
	if (column->kind < KIND_NUMBER || column->kind > KIND_CATEGORY ||
		column->storage < STORAGE_FLOAT32 || column->storage > STORAGE_CODE || category != (column->storage == STORAGE_CODE))
		return damaged(error, "kind of a column");
	if (column->missing < MISSING_NATIVE || column->missing > MISSING_ERROR ||
		column->encoding < ENCODING_NATIVE || column->encoding > ENCODING_ORDINAL ||
		column->scaling < SCALING_NONE || column->scaling > SCALING_MINMAX ||
		column->unseen < UNSEEN_MISSING || column->unseen > UNSEEN_ERROR ||
		column->indicator > 1 || column->reserved != 0 || memcmp(column->padding, zeros, sizeof(zeros)) != 0)
		return damaged(error, "recipe of a column");
	if (!category && (column->encoding == ENCODING_ONEHOT || column->n_categories != 0))
		return damaged(error, "categories of a number");
	if (!check_categories(model, column, progress, error))
		return false;

	uint32_t	n_features = (column->encoding == ENCODING_ONEHOT ? column->n_categories : 1) + column->indicator;

	if (column->n_features != n_features || column->first_feature != progress->n_features ||
		n_features > model->n_features - progress->n_features)
		return damaged(error, "features of a column");
	progress->n_features += n_features;
	if (!fill_valid(column))
		return damaged(error, "fill value of a column");
	if (!isfinite(column->center) || !isfinite(column->scale) || column->scale == 0)
		return damaged(error, "scaling of a column");
	return true;
}

/* The columns, which together use all features, categories and slots. */
static bool
check_columns(const Model *model, Error *error)
{
	Progress	progress = {0};

	for (uint32_t i = 0; i < model->n_columns; i++)
	{
		if (!check_column(model, &model->columns[i], &progress, error))
			return false;
	}
	if (progress.n_features != model->n_features ||
		progress.n_categories != model->header->sections[SECTION_CATEGORIES].size / sizeof(uint64_t) ||
		progress.n_slots != model->header->sections[SECTION_SLOTS].size / sizeof(uint32_t))
		return damaged(error, "number of features or categories");
	return true;
}

#define LABEL_NUMBER_LENGTH 400	/* no double needs more digits than 309 before its point */

/* Numeric labels read as numbers, so that predict() can give the number. */
static bool
label_valid(const Model *model, uint64_t label)
{
	if (!is_string(model, label))
		return false;
	if (model->header->label_kind != LABEL_NUMBER)
		return true;

	const char *text = model_string(model, label);
	char	   *end;

	if (strnlen(text, LABEL_NUMBER_LENGTH + 1) > LABEL_NUMBER_LENGTH)
		return false;

	double		value = strtod(text, &end);

	return end != text && *end == '\0' && isfinite(value);
}

/* Texts that describe the model. */
static bool
check_description(const Model *model, Error *error)
{
	const ArtifactHeader *header = model->header;

	if (!is_string(model, header->target_name) || !is_string(model, header->target_type))
		return damaged(error, "name of the target");
	for (uint32_t i = 0; i < model->n_outputs && model->task != TASK_REGRESSION; i++)
	{
		if (!label_valid(model, model->labels[i]))
			return damaged(error, "a label");
	}
	for (size_t i = 0; i < model->n_params; i++)
	{
		if (!is_string(model, model->params[i].name) || !is_string(model, model->params[i].value))
			return damaged(error, "a parameter");
	}
	for (size_t i = 0; i < model->n_metrics; i++)
	{
		if (!is_string(model, model->metrics[i].name))
			return damaged(error, "a metric");
	}
	return true;
}

bool
model_open(Model *model, const void *bytes, size_t size, Error *error)
{
	memset(model, 0, sizeof(*model));
	if ((uintptr_t) bytes % 8 != 0)
		return error_set(error, ERROR_INTERNAL, "model is not aligned");
	model->header = bytes;
	return check_frame(model->header, size, error) && check_task(model, error) && find_sections(model, error) &&
		check_columns(model, error) && check_description(model, error) && model->algorithm->validate(model, error);
}

/* The checks that are not repeated are those that read the model as a whole. */
bool
model_view(Model *model, const void *bytes, Error *error)
{
	memset(model, 0, sizeof(*model));
	model->header = bytes;
	return check_task(model, error) && find_sections(model, error);
}
