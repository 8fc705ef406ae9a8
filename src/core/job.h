/*
 * job.h
 *		What a backend asks of the trainer, and what it hears back.
 *
 * The backend starts the trainer with these descriptors (all others closed):
 *
 *		TRAINER_FD_SOCKET	messages (stream socket)
 *		TRAINER_FD_JOB		a Job, as job_write() wrote it (memfd)
 *		TRAINER_FD_MATRIX	the rows (memfd, matrix.h)
 *		TRAINER_FD_MODEL	the model: written by a training, with its reference (reference.h) behind it, read by an evaluation (memfd)
 *		TRAINER_FD_INIT		the version that a training goes on from, or that another is compared with, where there is one (memfd)
 *		2 (stderr)			a memfd whose last line is quoted when the trainer dies
 *
 * The trainer is started as soon as the matrix is laid out, and the job is
 * written when its rows are complete.  Until then the backend says over the
 * same socket how far it is, in words of 64 bits: how many rows are complete
 * (at least), at last ROWS_COMPLETE: job and matrix are finished.
 *
 * A message is a frame: uint32 length of the body, uint8 MessageType, body.
 * Both sides are of the same build; bytes are nevertheless read as hostile.
 */
#ifndef MLOPS_CORE_JOB_H
#define MLOPS_CORE_JOB_H

#include "algorithm.h"
#include "buffer.h"
#include "model/recipe.h"

#define TRAINER_FD_SOCKET	3
#define TRAINER_FD_JOB		4
#define TRAINER_FD_MATRIX	5
#define TRAINER_FD_MODEL	6
#define TRAINER_FD_INIT		7
#define TRAINER_FD_LAST		7

#define ROWS_COMPLETE UINT64_MAX

typedef enum JobKind
{
	JOB_TRAIN = 1,
	JOB_EVALUATE = 2,
	JOB_IMPORTANCE = 3,			/* of columns, by permutation */
	JOB_COMPARE = 4				/* a version with an earlier one, on rows that neither was trained on */
} JobKind;

#define METRIC_NAME_SIZE 32
#define REPEATS_MAX 1000		/* permutations of each column */
#define SAMPLE_ROWS_MAX 10000
#define INIT_HASH_SIZE 65		/* SHA-256 in hexadecimal digits, ended with 0 */

/* A job to write or as read; strings and arrays of a read one live in its own malloc'ed memory (job_free). */
typedef struct Job
{
	JobKind		kind;
	uint32_t	algorithm;		/* AlgorithmId */
	uint32_t	task;			/* Task */
	uint32_t	label_kind;		/* LabelKind; numeric labels are ordered by value, others by bytes */
	uint64_t	seed;
	uint32_t	n_threads;
	uint64_t	max_memory;		/* bytes for matrix and trainer together */
	uint32_t	split_kind;		/* SplitKind (fit/table/table.h) */
	double		test;
	double		validation;
	uint32_t	n_features;		/* feature columns of the matrix */
	RecipePlan *plans;			/* n_features, DEFAULTs replaced */
	uint32_t	n_params;
	double	   *params;			/* values in the order of the algorithm's specs */
	bool	   *params_given;
	uint32_t	n_maps;
	const ParamMap *maps;		/* parameters that are objects */
	struct JobMaps *read_maps;	/* of a read job: where they live */
	char		metric[METRIC_NAME_SIZE];	/* JOB_IMPORTANCE: what is compared; empty: the task's own */
	uint32_t	repeats;		/* JOB_IMPORTANCE: permutations of each column */
	uint32_t	sample_rows;	/* JOB_TRAIN: held-out rows that are kept, at most SAMPLE_ROWS_MAX */
	char		init_hash[INIT_HASH_SIZE];	/* JOB_TRAIN: of the version in TRAINER_FD_INIT; empty: there is none */
	uint32_t	n_cuts;			/* JOB_COMPARE: of the test part of the version in TRAINER_FD_INIT: 1, or one a class of its labels */
	uint64_t   *cuts;			/* membership keys below are in it (fit/table/table.h) */
} Job;

extern bool job_write(const Job *job, Buffer *out, Error *error);
extern bool job_read(Job *job, const void *data, size_t size, Error *error);
extern void job_free(Job *job);

typedef enum MessageType
{
	MESSAGE_PHASE = 1,			/* string phase */
	MESSAGE_ITERATION = 2,		/* u32 iteration, u32 total, f64 train loss, f64 validation loss */
	MESSAGE_NOTICE = 3,			/* string text */
	MESSAGE_ERROR = 4,			/* u32 code, string message, detail, hint */
	MESSAGE_RESULT = 5,			/* JobResult; the last message of a job that succeeded */
	MESSAGE_METRIC = 6			/* string name, f64 of training rows, f64 of validation rows: of the iteration told last */
} MessageType;

#define MESSAGE_MAX (64 * 1024 * 1024)	/* bytes of a body */

/* One column of the snapshot, over all rows of the query. */
typedef struct ColumnProfile
{
	char		name[COLUMN_NAME_MAX + 1];
	char		type_name[80];
	uint32_t	role;			/* ColumnRole */
	uint32_t	kind;			/* ColumnKind */
	uint64_t	n_missing;		/* NULL or NaN */
	uint64_t	n_distinct;		/* exact for categories; 0: not counted */
	double		lowest;			/* numbers; NaN where there is none */
	double		highest;
	double		mean;
	double		deviation;		/* standard deviation, n - 1 */
} ColumnProfile;

typedef struct ResultMetric
{
	char		name[METRIC_NAME_SIZE];
	double		value;
	double		baseline;
} ResultMetric;

/* How much worse the metric becomes when a column is permuted: over the repeats. */
typedef struct ResultImportance
{
	double		mean;
	double		deviation;		/* n in the denominator */
} ResultImportance;

#define PHASES_MAX 16

/* Time that a job took for a part of its work. */
typedef struct ResultPhase
{
	char		name[32];
	double		seconds;
} ResultPhase;

/* Metrics on the held-out rows (a training without any: on none) or on the evaluated rows. */
typedef struct JobResult
{
	uint64_t	n_rows;			/* rows of the query */
	uint64_t	n_dropped;
	uint64_t	n_train;
	uint64_t	n_validation;
	uint64_t	n_test;
	uint64_t	fingerprint[2];
	uint32_t	iterations;
	uint32_t	n_features;		/* encoded */
	uint64_t	model_size;		/* bytes in TRAINER_FD_MODEL (JOB_TRAIN) */
	uint64_t	reference_size; /* bytes behind them */
	uint64_t	peak_memory;	/* bytes resident, the trainer's own */
	double		seconds_fit;	/* of the fit alone */
	uint32_t	n_metrics;
	ResultMetric *metrics;		/* malloc'ed */
	uint32_t	n_classes;		/* of the confusion matrix; 0: none */
	double	   *confusion;		/* [truth][prediction], malloc'ed */
	uint32_t	n_columns;
	ColumnProfile *columns;		/* malloc'ed */
	uint32_t	n_importances;	/* columns of the model (JOB_IMPORTANCE) */
	ResultImportance *importances;	/* malloc'ed */
	uint32_t	n_cuts;			/* of the test part (JOB_TRAIN): 0, 1, or one a class of the model's labels */
	uint64_t   *cuts;			/* malloc'ed */
	uint32_t	n_phases;
	ResultPhase phases[PHASES_MAX]; /* in the order of the work */
} JobResult;

extern void result_write(const JobResult *result, Buffer *out);
extern bool result_read(JobResult *result, const void *body, size_t size, Error *error);
extern void result_free(JobResult *result);

/* Body of MESSAGE_ERROR. */
extern void error_write(const Error *error, Buffer *out);
extern bool error_read(Error *out, const void *body, size_t size);

#endif
