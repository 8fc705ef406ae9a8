/*
 * capture.h
 *		Capturing what deployed models are asked and what they answer.
 *
 * capture.c			which rows of a query are captured
 * capture_hooks.c		planning, EXPLAIN, DROP DATABASE
 * capture_row.c		one row into the queue
 * capture_block.c		rows of predict_batch()
 * capture_error.c		predictions that fail
 * capture_key.c		keys of entities
 * capture_codec.c		its features as bytes
 * capture_ring.c		the queue, in shared memory
 * capture_counters.c	what is counted of each model
 * capture_save.c		the queue across a shutdown
 * capture_parallel.c	numbers of rows in parallel queries
 * capture_tables.c		partitions, layouts, counts
 * capture_settings.c	what a deployment captures
 * capture_status.c		counting, waiting
 * score.c				predicting and capturing in the caller's transaction
 * outcome.c			labels that a query finds
 * src/jobs/capture_*.c	from the queue to the tables
 */
#ifndef MLOPS_PG_CAPTURE_H
#define MLOPS_PG_CAPTURE_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "portability/instr_time.h"

#include "capture_ring.h"
#include "capture_settings.h"
#include "../predict/predict.h"
#include "../registry/registry.h"

/* A category of the row that is being predicted, which training never saw. */
typedef struct UnseenCategory
{
	uint32		column;
	uint32		length;
	char	   *text;			/* in the current context */
} UnseenCategory;

/* What is noted of a row while it is read. */
typedef struct UnseenCategories
{
	int			n;
	int			most;
	UnseenCategory *noted;		/* in the order of columns */
} UnseenCategories;

/* The columns of a row type that are captured beside the model's. */
typedef struct CaptureColumns
{
	MemoryContext context;
	Oid			type;
	int32		typmod;
	uint64		identifier;
	TupleDesc	row_type;
	AttrNumber *numbers;		/* of the key, then of "also"; 0: the row has none */
	Oid		   *types;			/* behind domains */
	FmgrInfo   *outputs;
} CaptureColumns;

/* How one predictor's rows are captured. */
typedef struct CaptureSite
{
	MemoryContext context;		/* that all of it lies in; under the predictor's */
	MemoryContextCallback release;	/* of what it holds */
	struct KnownSettings *known;	/* NULL: there is no deployment */
	const CaptureSettings *settings;
	int64		model_id;
	int64		deployment_id;	/* 0: none */
	int32		version;
	CaptureCounters *counters;	/* NULL in score() */
	struct CaptureQuery *query; /* NULL: rows are only counted */
	pg_atomic_uint64 *only_counted;	/* where, then */
	bool	   *masked;			/* one a column of the model; NULL: none */
	CaptureColumns *columns;	/* of the latest row type; NULL at first */
	UnseenCategories unseen;
	double		weight;			/* of the row that is being captured */
	instr_time	start;
	StringInfoData features;	/* encoded */
	StringInfoData key;
	bool		has_key;
} CaptureSite;

/* Binds what is captured of a model at a call site; query: the memory that ends with the query. */
extern void capture_bind(Predictor *predictor, const ModelRef *ref, MemoryContext query);

/* The site of mlops.score(), which captures every row; in the predictor's memory. */
extern CaptureSite *capture_site_make(const Predictor *predictor, const ModelRef *ref);

/*
 * Whether the row that is about to be predicted is captured, by a predictor
 * that captures.  known: another call of the query predicted it just now.
 * Then the row is to be read and predicted, and given to capture_row().
 */
extern bool capture_wants(Predictor *predictor, const void *row, size_t length, bool known);

/* The same for the next of rows that no other call of the query predicts. */
extern bool capture_wants_next(Predictor *predictor);

/* Puts the row that was predicted into the queue. */
extern void capture_row(Predictor *predictor, Datum features);

/* Begins a row: what reading it notes is noted from here on. */
extern void capture_begin_row(Predictor *predictor, CaptureSite *site);

/* Encodes features and key of the row that was predicted: site->features, site->key. */
extern void capture_encode_row(Predictor *predictor, CaptureSite *site, Datum features);

/* What a row was answered, by the model's outputs for it: the number or NaN, the class or NULL, the probability or NaN. */
extern void capture_answer(const Predictor *predictor, const double *out, double *prediction, const char **class, double *probability);

/* A row that is encoded. */
typedef struct EncodedRow
{
	uint32		row;			/* of a block */
	uint32		key_size;		/* or CAPTURE_NO_KEY */
	uint32		features_size;
	double		weight;
} EncodedRow;

/* Puts it into the queue, with the model's outputs and the microseconds that it took (NaN: unknown). */
extern void capture_put(Predictor *predictor, const double *out, const EncodedRow *encoded, const char *key, const char *features, float latency);

/* A row found no room: the query's next one bears its weight, too. */
extern void capture_pass_on(CaptureSite *site, double weight);

/* Rows of a block that are encoded, until they are answered. */
typedef struct CaptureBlock
{
	StringInfoData bytes;		/* keys and features */
	int			n;
	EncodedRow	rows[READY_ROWS];
} CaptureBlock;

/* In the site's memory. */
extern CaptureBlock *capture_block_make(CaptureSite *site);

/* Adds a row of the block that was read, after capture_wants_next(); puts all of them into the queue. */
extern void capture_block_add(CaptureBlock *block, Predictor *predictor, uint32 row, Datum features);
extern void capture_block_finish(CaptureBlock *block, Predictor *predictor, const double *out);

/* ---- Predictions that fail (capture_error.c) ---- */

/* While one is under way, an error is one of a prediction by this model (NULL: by a value), and counted where that is a deployment's; in the caller's frame. */
typedef ErrorContextCallback ErrorWatch;

extern void capture_error(void *ref);

static inline void
capture_watch(ErrorWatch *watch, const ModelRef *ref)
{
	watch->previous = error_context_stack;
	watch->callback = capture_error;
	watch->arg = unconstify(ModelRef *, ref);
	error_context_stack = watch;
}

static inline void
capture_unwatch(const ErrorWatch *watch)
{
	error_context_stack = watch->previous;
}

/* ---- Keys (capture_key.c) ---- */

#define CAPTURE_LONGEST_KEY 1000	/* bytes */

/* A key as it is stored: what is longer is its beginning and its digest.  *length becomes the result's; palloc'ed where it is another text. */
extern const char *capture_key(const char *key, size_t *length);

/* The same of a text. */
extern text *capture_key_text(text *key);

/* SHA-256 of a key, in hexadecimal digits. */
extern char *capture_key_digest(const char *key, size_t length);

/* Defines mlops.capture_rows_per_query; installs the hooks where the library is preloaded. */
extern void capture_init(void);
extern void capture_hooks_init(void);

/* Whether queries capture nothing now: they are being planned, or explained. */
extern bool capture_is_off(void);

/* How deep this process is in planning and in EXPLAIN; above 0, nothing is captured. */
extern int capture_off_depth;

#endif
