/*
 * predict_memo.c
 *		The latest row, which is often asked for twice.
 *
 * A query that wants the class and its probability calls two functions for
 * the same row, and each would predict.  So the outputs of the latest row are
 * kept, for the same model, the same statement and the same bytes; columns
 * that are stored out of line are then the same, too.  There is one place in
 * a process, and its memory stays.
 */
#include "predict.h"

#include "../cache/model_cache.h"

#define LARGEST_ROW 4096		/* bytes; larger ones are rare, and cost more to keep */
#define MOST_OUTPUTS 64

static bool known;				/* there is one */
static uint8 model[REGISTRY_HASH_SIZE];	/* the model's hash */
static StatementKey statement;
static size_t length;
static char row[LARGEST_ROW];
static double outputs[MOST_OUTPUTS];

bool
predict_memo_find(const Predictor *predictor, HeapTupleHeader record)
{
	if (!known || HeapTupleHeaderGetDatumLength(record) != length || memcmp(record, row, length) != 0 ||
		memcmp(model, predictor->cached->sha256, sizeof(model)) != 0 ||
		memcmp(&statement, predictor->statement, sizeof(statement)) != 0)
		return false;
	memcpy(predictor->out, outputs, predictor->model->n_outputs * sizeof(double));
	return true;
}

void
predict_memo_keep(const Predictor *predictor, HeapTupleHeader record)
{
	size_t		record_length = HeapTupleHeaderGetDatumLength(record);
	uint32		n_outputs = predictor->model->n_outputs;

	known = record_length <= LARGEST_ROW && n_outputs <= MOST_OUTPUTS;
	if (!known)
		return;
	length = record_length;
	memcpy(row, record, length);
	memcpy(model, predictor->cached->sha256, sizeof(model));
	statement = *predictor->statement;
	memcpy(outputs, predictor->out, n_outputs * sizeof(double));
}
