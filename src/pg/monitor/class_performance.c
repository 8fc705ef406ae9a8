/*
 * class_performance.c
 *		mlops.class_performance(): how good predictions of many classes were.
 *
 * The state lives in the aggregate's memory: a table of the labels seen, and
 * one of the pairs of true and predicted label.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "common/hashfn.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "../compat.h"
#include "performance_json.h"
#include "../report.h"

#define FIRST_LABELS 16

/* A label, by its text. */
typedef struct LabelEntry
{
	const text *label;			/* key */
	uint32		number;
} LabelEntry;

typedef struct PairKey
{
	uint32		truth;
	uint32		predicted;
} PairKey;

typedef struct PairEntry
{
	PairKey		key;
	double		weight;
	double		squares;
} PairEntry;

typedef struct ClassState
{
	MemoryContext context;
	HTAB	   *labels;
	HTAB	   *pairs;
} ClassState;

PG_FUNCTION_INFO_V1(mlops_class_performance_count);
PG_FUNCTION_INFO_V1(mlops_class_performance_finish);

static uint32
label_hash(const void *key, Size size)
{
	const text *label = *(const text *const *) key;

	return DatumGetUInt32(hash_any((const unsigned char *) VARDATA_ANY(label), (int) VARSIZE_ANY_EXHDR(label)));
}

static int
label_compare(const void *a, const void *b, Size size)
{
	const text *left = *(const text *const *) a;
	const text *right = *(const text *const *) b;

	if (VARSIZE_ANY_EXHDR(left) != VARSIZE_ANY_EXHDR(right))
		return 1;
	return memcmp(VARDATA_ANY(left), VARDATA_ANY(right), VARSIZE_ANY_EXHDR(left));
}

static ClassState *
state_new(MemoryContext context)
{
	ClassState *state = MemoryContextAlloc(context, sizeof(ClassState));
	HASHCTL		labels = {.keysize = sizeof(text *),.entrysize = sizeof(LabelEntry),.hash = label_hash,.match = label_compare,.hcxt = context};
	HASHCTL		pairs = {.keysize = sizeof(PairKey),.entrysize = sizeof(PairEntry),.hcxt = context};

	state->context = context;
	state->labels = hash_create("mlops labels", FIRST_LABELS, &labels, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	state->pairs = hash_create("mlops pairs of labels", FIRST_LABELS, &pairs, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	return state;
}

/* The number of a label, a new one where it was not seen. */
static uint32
label_number(ClassState *state, text *label)
{
	LabelEntry *entry = hash_search(state->labels, &label, HASH_FIND, NULL);
	MemoryContext caller;
	bool		found;

	if (entry != NULL)
		return entry->number;
	caller = MemoryContextSwitchTo(state->context);
	label = (text *) pg_detoast_datum_copy((struct varlena *) label);
	MemoryContextSwitchTo(caller);
	entry = hash_search(state->labels, &label, HASH_ENTER, &found);
	entry->number = (uint32) hash_get_num_entries(state->labels) - 1;
	return entry->number;
}

/* The transition: outcome, class and perhaps a weight; NULLs count for nothing. */
Datum
mlops_class_performance_count(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	ClassState *state;
	PairKey		key;
	PairEntry  *pair;
	double		weight = 1;
	bool		found;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "the transition of mlops.class_performance() was called outside of an aggregate");
	state = PG_ARGISNULL(0) ? state_new(context) : (ClassState *) PG_GETARG_POINTER(0);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || (PG_NARGS() > 3 && PG_ARGISNULL(3)))
		PG_RETURN_POINTER(state);
	if (PG_NARGS() > 3)
		weight = PG_GETARG_FLOAT8(3);
	if (!(weight >= 0 && weight <= DBL_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weight %g is not a finite number of at least 0", weight)));
	key.truth = label_number(state, PG_GETARG_TEXT_PP(1));
	key.predicted = label_number(state, PG_GETARG_TEXT_PP(2));
	pair = hash_search(state->pairs, &key, HASH_ENTER, &found);
	if (!found)
		pair->weight = pair->squares = 0;
	pair->weight += weight;
	pair->squares += weight * weight;
	PG_RETURN_POINTER(state);
}

/* Metrics of the pairs. */
Datum
mlops_class_performance_finish(PG_FUNCTION_ARGS)
{
	ClassState *state;
	ClassCell  *cells;
	size_t		n = 0;
	HASH_SEQ_STATUS scan;
	PairEntry  *pair;
	Performance performance;
	Arena		arena;
	Error		error;
	bool		done;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "the final function of mlops.class_performance() was called outside of an aggregate");
	state = (ClassState *) PG_GETARG_POINTER(0);
	cells = palloc((hash_get_num_entries(state->pairs) + 1) * sizeof(ClassCell));
	hash_seq_init(&scan, state->pairs);
	while ((pair = hash_seq_search(&scan)) != NULL)
		cells[n++] = (ClassCell) {pair->key.truth, pair->key.predicted, pair->weight, pair->squares};

	arena_init(&arena);
	done = performance_classes(&performance, (uint32) hash_get_num_entries(state->labels), n, cells, &arena, &error);
	arena_free(&arena);
	if (!done)
		report_error(&error);
	PG_RETURN_JSONB_P(performance_to_json(&performance));
}
