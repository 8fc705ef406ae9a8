/*
 * model.h
 *		The model format: opening, validating, encoding, predicting, describing.
 *
 * A model is one flat run of bytes: ArtifactHeader, then sections at the
 * offsets that it names, each 8-byte aligned.  The first four bytes belong to
 * whoever holds the model (PostgreSQL's varlena length); they are never read
 * here and not checksummed, so that the same bytes serve on disk, in memory
 * and as an SQL value.  A Model is a view: pointers into bytes that the
 * caller keeps; opening one allocates nothing.
 *
 * Columns use up CATEGORIES, SLOTS and features one after the other, without
 * gaps; the texts of all levels lie in STRINGS in the order of CATEGORIES
 * (the empty text at 0), each its own.  So a check is one pass.
 *
 * model_open() (model_open.c) takes every byte as hostile.  What it accepted
 * can be used without further checks, from any number of threads.
 */
#ifndef MLOPS_CORE_MODEL_H
#define MLOPS_CORE_MODEL_H

#include "../buffer.h"
#include "../error.h"
#include "../params.h"
#include "recipe.h"
#include "../types.h"

struct Algorithm;

#define ARTIFACT_MAGIC	"MLOP"
#define ARTIFACT_FORMAT 1

typedef enum ArtifactSection
{
	SECTION_COLUMNS = 0,		/* RecipeColumn, one a raw column, in signature order */
	SECTION_STRINGS,			/* names and texts, each ended with 0; offset 0 holds the empty string */
	SECTION_CATEGORIES,			/* uint64 offsets of levels in STRINGS, sorted by bytes within a column */
	SECTION_SLOTS,				/* uint32 hash slots: index of a level + 1, or 0; linear probing from hash64_bytes() */
	SECTION_LABELS,				/* uint64 offsets of class labels in STRINGS, in class order; empty for regression */
	SECTION_PARAMS,				/* ArtifactParam */
	SECTION_METRICS,			/* ArtifactMetric, on held-out rows */
	SECTION_PAYLOAD,			/* the algorithm's own */
	ARTIFACT_SECTIONS
} ArtifactSection;

typedef struct ArtifactRange
{
	uint64_t	offset;			/* from the start of the header; a multiple of 8 */
	uint64_t	size;			/* bytes */
} ArtifactRange;

typedef struct ArtifactHeader
{
	uint32_t	container;		/* not ours, see above */
	char		magic[4];
	uint32_t	format;
	uint32_t	checksum;		/* CRC-32C of all bytes behind this field */
	uint64_t	size;			/* of the whole, this header included */
	uint32_t	algorithm;		/* Algorithm.id */
	uint32_t	task;			/* Task */
	uint32_t	n_columns;
	uint32_t	n_features;
	uint32_t	n_outputs;		/* 1 for regression, else the number of classes */
	uint32_t	label_kind;		/* LabelKind */
	uint64_t	target_name;	/* offset in STRINGS */
	uint64_t	target_type;	/* the same: SQL type of the target */
	uint64_t	n_training_rows;
	ArtifactRange sections[ARTIFACT_SECTIONS];
} ArtifactHeader;

typedef struct ArtifactParam
{
	uint64_t	name;			/* offsets in STRINGS */
	uint64_t	value;			/* as text */
} ArtifactParam;

typedef struct ArtifactMetric
{
	uint64_t	name;			/* offset in STRINGS */
	double		value;			/* NaN: undefined on these rows */
	double		baseline;		/* of the constant predictor; NaN: undefined */
} ArtifactMetric;

/* An opened model. */
typedef struct Model
{
	const ArtifactHeader *header;
	const struct Algorithm *algorithm;
	Task		task;
	uint32_t	n_columns;
	uint32_t	n_features;
	uint32_t	n_outputs;
	const RecipeColumn *columns;
	const char *strings;
	const uint64_t *categories;
	const uint32_t *slots;
	const uint64_t *labels;
	const ArtifactParam *params;
	size_t		n_params;
	const ArtifactMetric *metrics;
	size_t		n_metrics;
	const void *payload;
	size_t		payload_size;
} Model;

/* bytes: 8-byte aligned.  ERROR_CORRUPTED for anything that is not a whole, valid model of this format. */
extern bool model_open(Model *model, const void *bytes, size_t size, Error *error);

/* The view of bytes that model_open() accepted, in whatever process, and that nobody wrote since: in a time that does not depend on their size. */
extern bool model_view(Model *model, const void *bytes, Error *error);

static inline const char *
model_string(const Model *model, uint64_t offset)
{
	return model->strings + offset;
}

/* Class of this label text, or -1; text of a class. */
extern int	model_find_label(const Model *model, const char *label);
extern const char *model_label(const Model *model, uint32_t class_index);

/*
 * The raw value of a text in a category column: the index of its level; NaN
 * where training never saw it.  Whether unseen is an error is decided by
 * recipe_unseen_is_error().
 */
extern double model_category(const Model *model, const RecipeColumn *column, const char *text, size_t length);

static inline bool
recipe_unseen_is_error(const RecipeColumn *column)
{
	return column->unseen == UNSEEN_ERROR;
}

/*
 * raw[n_columns] to features[n_features]: rounding, filling, encoding,
 * scaling, indicators.  Fails only where the recipe refuses a missing value.
 */
extern bool model_encode(const Model *model, const double *raw, double *features, Error *error);

/* The same for the raw value of column i alone. */
extern bool model_encode_column(const Model *model, uint32_t i, double raw, double *features, Error *error);

/*
 * Outputs of one row: the value, or one probability a class.
 * raw[n_columns]; features[n_features] is scratch; out[n_outputs].
 */
extern bool model_predict(const Model *model, const double *raw, double *features, double *out, Error *error);

/* Index of the largest of the probabilities; the first of equal ones. */
extern uint32_t model_best_class(const double *out, uint32_t n_outputs);

/* ---- Writing ---- */

/* What goes into a model beside the recipe; texts are copied. */
typedef struct ModelWriter
{
	Buffer		sections[ARTIFACT_SECTIONS];
	ArtifactHeader header;
} ModelWriter;

extern void model_writer_init(ModelWriter *writer);
extern void model_writer_free(ModelWriter *writer);

/* Enters a text into STRINGS; its offset. */
extern uint64_t model_writer_string(ModelWriter *writer, const char *text, size_t length);

/* Appends a fitted column; levels: sorted by bytes, n of them with lengths. Fills name, type_name, categories, slots, n_categories, n_slots of *column itself. */
extern void model_writer_column(ModelWriter *writer, RecipeColumn *column, const char *name, const char *type_name,
								const char *const *levels, const size_t *lengths, uint32_t n_levels);
extern void model_writer_label(ModelWriter *writer, const char *label);
extern void model_writer_param(ModelWriter *writer, const char *name, const char *value);
extern void model_writer_metric(ModelWriter *writer, const char *name, double value, double baseline);

/* Puts all sections behind the header, checksums, appends the result to out (which must be empty). */
extern bool model_writer_finish(ModelWriter *writer, Buffer *out, Error *error);

#endif
