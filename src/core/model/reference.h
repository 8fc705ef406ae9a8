/*
 * reference.h
 *		What a training freezes beside its model, on its way to the backend.
 *
 * The trainer appends records to one Buffer, which follows the model in
 * TRAINER_FD_MODEL; the backend reads them one after the other, as hostile,
 * and stores them.  A record is its kind (u8), the size of its body (u64) and
 * the body.
 */
#ifndef MLOPS_CORE_REFERENCE_H
#define MLOPS_CORE_REFERENCE_H

#include "../buffer.h"
#include "../statistics/distribution.h"

#define SEGMENT_SIZE 1024		/* of its name, ended with 0 */

typedef enum ReferenceKind
{
	REFERENCE_PROFILE = 1,
	REFERENCE_SLICES = 2,
	REFERENCE_MODEL = 3,
	REFERENCE_SAMPLE = 4
} ReferenceKind;

/* Which column, and which of its rows. */
typedef struct ReferenceColumn
{
	char		role[16];		/* feature | target | prediction */
	char		name[COLUMN_NAME_MAX + 1];
	char		segment[SEGMENT_SIZE];	/* empty: all rows */
} ReferenceColumn;

/* A column slice by slice. */
typedef struct ReferenceSlices
{
	int64_t		origin;			/* where the first slice begins, microseconds since 2000-01-01 UTC */
	int64_t		width;			/* of each, microseconds */
	uint32_t	n_slices;
	uint32_t	n_cells;		/* of each */
	const void *counts;			/* n_slices x n_cells of uint64_t */
} ReferenceSlices;

/* Something fitted. */
typedef struct ReferenceModel
{
	char		kind[16];		/* calibrator | loss | components | performance */
	char		name[32];		/* of a loss: the metric */
	const char *content;		/* JSON, content_size bytes */
	size_t		content_size;
	const void *artifact;		/* from its header on, artifact_size bytes; 0: none */
	size_t		artifact_size;
} ReferenceModel;

#define SAMPLE_NO_TIME INT64_MIN

/* A row of a sample. */
typedef struct SampleRow
{
	int64_t		at;				/* the middle of its slice, microseconds since 2000-01-01 UTC; SAMPLE_NO_TIME: none */
	const uint8_t *features;	/* as captured.h has them */
	size_t		features_size;
	double		prediction;		/* NaN: none */
	double		probability;	/* NaN: none */
	const char *class;			/* class_size bytes; NULL: none */
	size_t		class_size;
	const char *outcome;
	size_t		outcome_size;
} SampleRow;

/* ---- Writing: failures stay in the buffer ---- */

extern void reference_write_profile(Buffer *out, const ReferenceColumn *column, const Distribution *distribution);
extern void reference_write_slices(Buffer *out, const ReferenceColumn *column, const ReferenceSlices *slices);
extern void reference_write_model(Buffer *out, const ReferenceModel *model);

/* Begins a sample of n rows, which follow; ends it. */
extern size_t reference_begin_sample(Buffer *out, uint32_t n_rows);
extern void reference_write_row(Buffer *out, const SampleRow *row);
extern void reference_end_sample(Buffer *out, size_t begun);

/* ---- Reading ---- */

/* The next record: its kind, and a reader of its body; 0 at the end, and where records->failed. */
extern ReferenceKind reference_next(Reader *records, Reader *body);

/* Each reads a whole body; what is pointed to lies in it, unaligned.  body->failed tells of a damaged one. */
extern void reference_read_profile(Reader *body, ReferenceColumn *column, const void **profile, size_t *size);
extern void reference_read_slices(Reader *body, ReferenceColumn *column, ReferenceSlices *slices);
extern void reference_read_model(Reader *body, ReferenceModel *model);
extern uint32_t reference_read_sample(Reader *body);
extern void reference_read_row(Reader *body, SampleRow *row);

#endif
