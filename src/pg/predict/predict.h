/*
 * predict.h
 *		The predict family: from features as SQL values to a model's outputs.
 *
 * predict.c			the SQL functions
 * predict_call.c		which model a call site uses, and how long that holds
 * predict_memo.c		the latest row, which is often asked for twice
 * predict_map.c		which column of a row is which column of the model
 * predict_record.c		features from a row as a value
 * predict_block.c		rows that are predicted together
 * predict_batch.c		rows of a source
 * predict_json.c		features from jsonb
 * predict_array.c		features from float8[]
 * predict_value.c		one SQL value as a raw value of a column
 * predict_error.c		what is wrong with the features
 */
#ifndef MLOPS_PG_PREDICT_H
#define MLOPS_PG_PREDICT_H

#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/jsonb.h"

#include "../report.h"
#include "../core.h"

struct CachedModel;
struct Explanation;
struct RecordMap;
struct CaptureSite;
struct UnseenCategories;

/* How the features come. */
typedef enum FeatureForm
{
	FEATURES_RECORD,
	FEATURES_JSON,
	FEATURES_ARRAY,
	FEATURES_SLOT				/* a row of a source: predict_batch.c reads it */
} FeatureForm;

/*
 * What resolution depends on.  For one xmax the set of running transactions
 * below it only shrinks, so their number stands for the set; the command says
 * which of our own changes are seen, the subtransaction which were undone.
 * Roles and row types follow no snapshot, but have their epochs.  What is
 * evaluated while a statement is planned has the snapshot of its execution,
 * but is not captured.
 */
typedef struct StatementKey
{
	LocalTransactionId transaction;
	SubTransactionId subtransaction;
	CommandId	command;
	TransactionId xmin;
	TransactionId xmax;
	uint32		n_running;
	int32		n_running_sub;
	Oid			user;
	uint64		roles;
	uint64		types;
	uint64		unanswered;		/* 1: this is planning or EXPLAIN, else 0 */
} StatementKey;

/* A model as one call site uses it: opened, with room for a row. */
typedef struct Predictor
{
	const Model *model;
	FeatureForm form;
	bool		by_value;		/* the model came as a value: nothing may depend on a setting */
	MemoryContext context;		/* of what follows */
	struct Predictor *place;	/* in that context, to keep this in between statements */
	struct CachedModel *cached;	/* where it lies; NULL for a value */
	struct Explanation *explanation;	/* of the explain family; NULL at first */
	const StatementKey *statement;	/* of the call site */
	const struct ModelRef *ref; /* what the reference meant; NULL for a value */
	bool		is_ready;		/* ready is open, lanes are there */
	uint32		until_ready;	/* for a value: rows that the ready form is not made for yet */
	Ready		ready;
	uint8	   *lanes;			/* a row, binned */
	double	   *raw;			/* one a column; NaN is missing */
	double	   *features;		/* scratch of core */
	Encoder		encoder;		/* for models without a ready form */
	double	   *out;			/* one an output */
	double	   *class_values;	/* what labels stand for as numbers; NULL where they are texts */
	struct RecordMap *record;	/* the latest row type; NULL at first */
	bool		recheck_types;	/* a new statement: a row type of this name may have changed */
	const char **names;			/* of the columns */
	size_t	   *name_lengths;
	const struct ElementRun **runs;	/* the run that begins at each column, or NULL */
	uint32		asked_class;	/* the latest class that predict_proba() was asked for */
	struct CaptureSite *capture;	/* how rows are captured; NULL: they are not */
	struct CaptureSite *capture_site;	/* the same, kept while they are not */
	struct UnseenCategories *unseen;	/* where categories that training never saw are noted; NULL: nowhere */
} Predictor;

/*
 * Makes room for the rows of a model in an empty predictor, in a context of
 * its own under `parent`; the predictor stays empty (context NULL) where
 * memory runs out.  cached: where the model lies, or NULL for a value.
 */
extern void predict_prepare(Predictor *predictor, const Model *model, struct CachedModel *cached, FeatureForm form,
							MemoryContext parent);

/*
 * The model of this call, its first argument, bound and ready.
 * Holds until the next call at this site.
 */
extern Predictor *predict_bind(FunctionCallInfo fcinfo);

/* Predicts the features of a call, which are not toasted: predictor->out. */
extern void predict_features(Predictor *predictor, Datum features);

/* Makes the ready form of a model that came as a value, for more rows than one. */
extern void predict_make_ready(Predictor *predictor);

/* Outputs of a row: from predictor->raw to predictor->out. */
static inline void
predict_outputs(Predictor *predictor)
{
	Error		error;
	bool		done;

	if (unlikely(predictor->until_ready > 0) && --predictor->until_ready == 0)
		predict_make_ready(predictor);
	if (likely(predictor->is_ready))
	{
		done = ready_bin(&predictor->ready, predictor->raw, predictor->features, predictor->lanes, &error);
		if (likely(done))
			ready_row(&predictor->ready, predictor->lanes, predictor->out);
	}
	else
		done = encoder_predict(&predictor->encoder, predictor->raw, predictor->features, predictor->out, &error);
	if (unlikely(!done))
		report_error(&error);
}

/* ---- The latest row, when several calls of a query ask for the same one (predict_memo.c) ---- */

/* Whether this model was asked for this row just now, in this statement; then predictor->out is filled. */
extern bool predict_memo_find(const Predictor *predictor, HeapTupleHeader record);

/* Keeps the outputs of a row. */
extern void predict_memo_keep(const Predictor *predictor, HeapTupleHeader record);

/* Fill predictor->raw. */
extern void predict_from_record(Predictor *predictor, HeapTupleHeader record);
extern void predict_from_json(Predictor *predictor, const Jsonb *features);
extern void predict_from_array(Predictor *predictor, ArrayType *features);

/* Notes a category that training never saw, in predictor->unseen (capture_row.c). */
extern void capture_note_unseen(const Predictor *predictor, uint32 column, const char *text, size_t length);

/* Replaces in predictor->raw what an object names; UNDEFINED_COLUMN for what the model lacks. */
extern void predict_change_from_json(Predictor *predictor, const Jsonb *changes);

/* How a value of an SQL type is read. */
typedef enum ReadAs
{
	READ_INT2,
	READ_INT4,
	READ_INT8,
	READ_FLOAT4,
	READ_FLOAT8,
	READ_NUMERIC,
	READ_BOOLEAN,
	READ_DATE,
	READ_DATE_AS_TIMESTAMP,
	READ_TIMESTAMP,				/* with time zone, too */
	READ_INTERVAL,
	READ_TEXT,					/* text and varchar */
	READ_PADDED_TEXT,			/* char(n) */
	READ_BOOLEAN_TEXT,
	READ_OUTPUT					/* by the type's output function; by-value types through a memo */
} ReadAs;

#define VALUE_MEMO_SIZE 32		/* a power of two */

/* Latest values of a by-value type, and what they are as raw values. */
typedef struct ValueMemo
{
	bool		used[VALUE_MEMO_SIZE];
	Datum		values[VALUE_MEMO_SIZE];
	double		raw[VALUE_MEMO_SIZE];
} ValueMemo;

/* How values of one type become raw values of one column. */
typedef struct ValueReader
{
	ReadAs		as;
	uint32		column;			/* of the model */
	bool		check_boolean;	/* numbers for a boolean: 0 or 1 */
	FmgrInfo	output;			/* READ_OUTPUT */
	ValueMemo  *memo;			/* READ_OUTPUT of by-value types, else NULL */
} ValueReader;

/* Chooses it, in the current context; DATATYPE_MISMATCH. */
extern void value_reader_init(ValueReader *reader, const Predictor *predictor, uint32 column, Oid type);

/* The raw value; value is not NULL. */
extern double value_read(ValueReader *reader, const Predictor *predictor, Datum value);

/* The raw value of a category. */
extern double predict_category(const Predictor *predictor, uint32 column, const char *text, size_t length);

/* A number for a boolean column: must be 0 or 1. */
extern double predict_boolean(const Predictor *predictor, uint32 column, double number);

/* Neighbouring columns x[1] ... x[n]: elements of one array. */
typedef struct ElementRun
{
	char	   *name;			/* of the array */
	size_t		name_length;
	uint32		first;			/* column of the model */
	uint32		n_columns;
	int			n_elements;		/* the array's length */
	int		   *positions;		/* of the columns in it, from 0 */
} ElementRun;

/* Finds the runs among the names of the columns, in the current context. */
extern void predict_find_runs(Predictor *predictor);

/* Where the elements of an array begin; ARR_DATA_PTR() without a change of sign. */
static inline const char *
predict_array_data(const ArrayType *array)
{
	return (const char *) array + (ARR_HASNULL(array) ? (size_t) array->dataoffset : ARR_OVERHEAD_NONULLS(ARR_NDIM(array)));
}

/* ---- Errors ---- */

/* UNDEFINED_COLUMN: columns that the features lack, with those that they have (may be NULL). */
extern void predict_missing_columns(const Predictor *predictor, const bool *lacking, const char *const *given, int n_given) __attribute__((noreturn));

/* DATATYPE_MISMATCH for a column that got values of a type (its name, or the word for a kind of JSON value). */
extern void predict_wrong_type(const Predictor *predictor, uint32 column, const char *type, const char *hint) __attribute__((noreturn));

/* ARRAY_SUBSCRIPT_ERROR for an array of a wrong length, or of the right one in several dimensions. */
extern void predict_wrong_length(const char *name, int n, int expected) __attribute__((noreturn));

/* What a column expects: "a number". */
extern const char *predict_expected(ColumnKind kind);

#endif
