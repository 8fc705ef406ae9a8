/*
 * trainer.h
 *		What the parts of the trainer program share.
 */
#ifndef MLOPS_TRAINER_TRAINER_H
#define MLOPS_TRAINER_TRAINER_H

#include "../core/fit/fit.h"
#include "../core/fit/metrics.h"
#include "../core/fit/summary.h"
#include "../core/job.h"
#include "../core/model/model.h"
#include "channel.h"

/* A column's profile so far. */
typedef struct ColumnTally
{
	Summary		summary;		/* of numbers */
	uint64_t	n_missing;		/* of codes */
} ColumnTally;

/* One job at work.  The arena holds what lives until the result is sent. */
typedef struct Trainer
{
	Channel		channel;
	Job			job;
	const void *matrix_bytes;
	size_t		matrix_size;
	Matrix		matrix;
	HashedBlocks hashed;		/* of the matrix, when it was complete */
	ColumnTally *tallies;		/* one a column: profiles so far, malloc'ed */
	uint64_t	n_profiled;		/* blocks of the matrix in them */
	struct ColumnCounter *counters; /* one a column: the values of those blocks, for its reference; malloc'ed, NULL: they are counted later */
	uint32_t	n_counters;
	ThreadPool *pool;
	Arena		arena;
	const void *init_bytes;
	size_t		init_size;
	Model		init_model;
	const Model *init;			/* the version that a training goes on from, opened; NULL: none */
	JobResult	result;
	double		marked;			/* when the phase began that is timed now */
} Trainer;

/* main.c: the whole of a descriptor, mapped read-only; NULL with an error.  An empty one is an error. */
extern const void *map_descriptor(int fd, const char *what, size_t *size, Error *error);

/* The same: all bytes into a descriptor, where it stands. */
extern bool write_descriptor(int fd, const Buffer *bytes, Error *error);

/* train_job.c, evaluate_job.c, importance_job.c, compare_job.c: fill trainer->result. */
extern bool train_job(Trainer *trainer, Error *error);
extern bool evaluate_job(Trainer *trainer, Error *error);
extern bool importance_job(Trainer *trainer, Error *error);
extern bool compare_job(Trainer *trainer, Error *error);

/* train_job.c: the model alone, with a channel that says nothing; the buffer is the caller's. */
extern bool train_quietly(Trainer *trainer, Buffer *model, Error *error);

/* ---- intake.c: the rows while they come ---- */

/* freeze_ahead.c: counters for a training's columns, where they are not too many; a block of them; and their end. */
extern bool freeze_ahead_begin(Trainer *trainer, const Matrix *matrix, Error *error);
extern void freeze_ahead_block(Trainer *trainer, const Matrix *matrix, uint64_t block);
extern void freeze_ahead_end(Trainer *trainer);

/* Works on them ahead until they are complete, and opens the matrix. */
extern bool intake_rows(Trainer *trainer, Error *error);

/* ---- timing.c: where the time goes ---- */

/* Begins the first phase; ends one, whose name is given, and begins the next; ends that of the table, which timed its steps itself. */
extern void timing_start(Trainer *trainer);
extern void timing_mark(Trainer *trainer, const char *phase);
extern void timing_table(Trainer *trainer, const Table *table);

/* ---- target.c: what is to be learned ---- */

/* The target and weight of the table's rows, ready for a fit. */
typedef struct Target
{
	double	   *values;			/* the number, or the class index */
	double	   *weights;		/* NULL: all 1 */
	uint32_t	n_classes;		/* 0 for a regression */
	const char **labels;		/* texts as the model stores them, in class order */
	uint64_t   *counts;			/* training rows of each class */
} Target;

/* Finds classes in the training rows; checks that there is something to learn. */
extern bool target_learn(Target *target, Table *table, Task task, LabelKind label_kind, ThreadPool *pool, Arena *arena, Error *error);

/* Takes the classes of a model; a label that it does not know is an error. */
extern bool target_of_model(Target *target, Table *table, const Model *model, ThreadPool *pool, Arena *arena, Error *error);

/* The same for rows to train on: there need not be all classes, but something that can be added up. */
extern bool target_continue(Target *target, Table *table, const Model *model, ThreadPool *pool, Arena *arena, Error *error);

/* The number that a label stands for in a column of numbers: as wide as the column. */
extern double target_label_number(const char *label, const TableColumn *column);

/* ---- cuts.c: what a training held out ---- */

/*
 * The cuts of the table's test part in the order of the classes, malloc'ed; *n
 * becomes 0 where there is no test part, 1 where one cut holds for all rows.
 */
extern uint64_t *target_cuts(const Target *target, const Table *table, uint32_t *n, Error *error);

/* ---- continue_job.c: the version that a training goes on from ---- */

/* Opens it, where the job has one, and checks that the job is of its kind; continue_close() in any case. */
extern bool continue_open(Trainer *trainer, Error *error);
extern void continue_close(Trainer *trainer);

/* Bytes that it takes, with the copy of its trees. */
extern uint64_t continue_memory(const Trainer *trainer);

/* ---- scoring.c: how good a model is ---- */

/* Where the raw values of a row come from: a table whose features are the model's columns. */
typedef struct RowSource
{
	const Table *table;
	double	  **raw_of_code;	/* for each feature: the model's raw value of each table code; NULL for numbers */
	const uint32_t *shuffled;	/* rows that the values of one feature come from instead; NULL: none */
	uint32_t	shuffled_feature;
} RowSource;

/* Translates the table's categories; ERROR_COLUMN or ERROR_TYPE where the table's features are not the model's columns. */
extern bool row_source_init(RowSource *source, const Table *table, const Model *model, Arena *arena, Error *error);

/* Outputs of model_predict() of rows [range), n_outputs each, in the arena; NULL with an error. */
extern double *score_rows(const Model *model, const RowSource *source, RowRange range, ThreadPool *pool, Arena *arena, Error *error);

/* Metrics of outputs and, beside each, of the constant; puts them into the result. */
extern bool score_metrics(Trainer *trainer, Task task, const Target *target, RowRange range, const double *outputs,
						  const double *constant, Error *error);

/* Adds metrics that the fit itself found, each beside the constant's, to those in the result. */
extern bool score_add(Trainer *trainer, const Metrics *metrics, const Metrics *baseline, Error *error);

/* ---- evaluate_job.c: an existing model on the rows of a job ---- */

/* All rows, in canonical order, as one range. */
typedef struct ModelRows
{
	Table		table;
	Target		target;
	RowSource	source;
} ModelRows;

/* Opens the job's model and gives it to work. */
extern bool with_model(Trainer *trainer, bool (*work) (Trainer *trainer, const Model *model, Error *error), Error *error);

/* Orders the rows for a model, and says in the result which they are; bytes: what the work on them will take, by name. */
extern bool model_rows_build(ModelRows *rows, Trainer *trainer, const Model *model, uint64_t bytes, const char *work, Error *error);

/* ---- notices.c: what the user should know about the rows ---- */

extern void notice_dropped(const Trainer *trainer, const Table *table);
extern void notice_untested(const Trainer *trainer, const Table *table);
extern void notice_identifiers(const Trainer *trainer, const Table *table);
extern void notice_cut_categories(const Trainer *trainer, const Table *table, const FittedRecipe *recipe);
extern void notice_unknown_categories(const Trainer *trainer, const Table *table, const FittedRecipe *recipe);
extern void notice_uninformative(const Trainer *trainer, const Table *table, const FittedRecipe *recipe);
extern void notice_single_classes(const Trainer *trainer, const Target *target);

/* ---- profile.c: what a snapshot says about each column ---- */

/* Nothing yet, for each column; malloc'ed, NULL without memory. */
extern ColumnTally *profile_begin(uint32_t n_columns);

/* Adds a block of a column: all of them, in order. */
extern void profile_block(ColumnTally *tally, const Matrix *matrix, uint32_t column, uint64_t block);

/* Profiles of all columns over all rows of the query, into the result: the blocks behind n_profiled are added first. */
extern bool profile_columns(Trainer *trainer, Error *error);

#endif
