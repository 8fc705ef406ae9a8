/*
 * freeze.h
 *		What a version's reference is made of.
 *
 * freeze_parts.c		which rows are counted, and to which slice of time they belong
 * freeze_ahead.c		columns counted while rows still come
 * freeze_columns.c		profiles of features and target over all rows used
 * freeze_record.c		a column that was counted, as records
 * freeze_answers.c		profiles of the model's answers on held-out rows
 * freeze_sample.c		some of those rows, with answers and truth
 * freeze_loss.c			models of the loss
 * freeze_components.c	principal components of features
 * freeze_performance.c	how much metrics on such rows vary, and what makes probabilities honest
 *
 * All of it goes as records (core/model/reference.h) into a buffer.
 */
#ifndef MLOPS_TRAINER_FREEZE_H
#define MLOPS_TRAINER_FREEZE_H

#include "../core/fit/table/column_counter.h"
#include "../core/model/reference.h"
#include "trainer.h"

#define PART_NONE UINT8_MAX		/* of rows that belong to no part */
#define SLICE_NONE UINT16_MAX

/* Parts of the rows, each with profiles of its own. */
typedef struct RowParts
{
	const uint8_t *of_row;		/* in the order of the matrix; NULL: all rows are of part 0 */
	uint32_t	n;
	char		(*segments)[SEGMENT_SIZE];	/* their names; empty: all rows */
} RowParts;

/* Slices of time. */
typedef struct TimeSlices
{
	int64_t		origin;			/* as in ReferenceSlices */
	int64_t		width;
	uint32_t	n;				/* 0: there are none */
	const uint16_t *of_row;		/* in the order of the matrix, SLICE_NONE for rows that are in none */
} TimeSlices;

typedef struct Freeze
{
	RowParts	used;			/* the rows that were used, as one part */
	uint32_t	n_divisions;	/* by segment columns */
	RowParts   *divisions;
	TimeSlices	slices;
} Freeze;

/* Finds parts and slices of a job's rows. */
extern bool freeze_parts(Freeze *freeze, Trainer *trainer, const Table *table, Error *error);

/* Adds one block of a column of numbers to a counter. */
extern void freeze_block(ColumnCounter *counter, const Matrix *matrix, uint32_t column, uint64_t block);

/* Profiles of features and target into reference. */
extern bool freeze_columns(const Freeze *freeze, Trainer *trainer, Buffer *reference, Error *error);

/* Held-out rows, and what the model as it will be stored says of them. */
typedef struct Answers
{
	Trainer    *trainer;
	const Model *model;
	const Table *table;
	const Target *target;
	RowRange	range;			/* rows of the table */
	const double *outputs;		/* of model_predict(), model->n_outputs a row */
	size_t		n_sample;		/* rows of the sample, evenly from the range, which lies in the order of hashes */
	size_t	   *sample;			/* rows of the table */
} Answers;

/* Outputs of a row of the range. */
static inline const double *
answer_outputs(const Answers *answers, size_t row)
{
	return answers->outputs + (row - answers->range.begin) * answers->model->n_outputs;
}

/* All that is frozen of held-out rows into reference; what cannot be is left out. */
extern bool freeze_held_out(const Freeze *freeze, Trainer *trainer, const Table *table, const Target *target, const Model *model,
							const double *outputs, Buffer *reference, Error *error);

extern bool freeze_answers(const Freeze *freeze, const Answers *answers, Buffer *reference, Error *error);
extern bool freeze_sample(const Freeze *freeze, const Answers *answers, Buffer *reference, Error *error);
extern bool freeze_performance(const Answers *answers, Arena *scratch, Buffer *reference, Error *error);
extern bool freeze_calibrator(const Answers *answers, Arena *scratch, Buffer *reference, Error *error);
extern bool freeze_components(const Answers *answers, Arena *scratch, Buffer *reference, Error *error);

/* ---- freeze_loss.c ---- */

#define LOSS_MODELS 3			/* of the absolute error, of its square, of its share of the truth */

/* One of them, on the sample of a regression. */
extern bool freeze_loss(const Answers *answers, uint32_t which, Buffer *reference, Error *error);

/* ---- freeze_record.c: records of a column that was counted ---- */

/* Adds the rows of each slice to counts[slice x n_cells + cell]; groups: cell of each of the counter's cells, or of the context's own. */
typedef void (*SliceCount) (const void *context, const TimeSlices *slices, const ColumnCounter *counter, const uint8_t *groups,
							uint32_t n_cells, uint64_t *counts);

/* A tile of values, each in its slice, added to counts. */
extern void count_slices(const ColumnCounter *counter, const uint8_t *groups, uint32_t n_cells, const double *values, const uint16_t *slices,
						 size_t n, uint64_t *counts);

/* The record of a distribution; where there are slices, count is asked for their counts, and they follow. */
extern bool record_column(Buffer *out, const ReferenceColumn *column, const Distribution *distribution, const ColumnCounter *counter,
						  const TimeSlices *slices, SliceCount count, const void *context, Error *error);

/* The record of something fitted, whose JSON is given and freed. */
extern bool record_model(Buffer *out, const char *kind, Buffer *content, Error *error);

#endif
