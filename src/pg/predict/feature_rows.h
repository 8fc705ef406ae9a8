/*
 * feature_rows.h
 *		The rows of a source, as features of a model.
 */
#ifndef MLOPS_PG_FEATURE_ROWS_H
#define MLOPS_PG_FEATURE_ROWS_H

#include "postgres.h"

#include "predict.h"
#include "../source/source.h"

/* Who takes the rows.  All but row may be NULL. */
typedef struct FeatureConsumer
{
	/* Before the source runs: marks columns that rows are to have beside those that the model needs. */
	void		(*columns) (void *context, const Source *source, bool *wanted);
	SourcePlanned planned;

	/* Before each row is read. */
	void		(*begin) (void *context, Predictor *predictor);

	/*
	 * With each row: predictor->raw is filled; id as a text, or NULL; slot has
	 * the columns that were read, by name.  The current context is that of the
	 * rows: returns whether what was allocated for this row and those before it
	 * may go.
	 */
	bool		(*row) (void *context, Predictor *predictor, TupleTableSlot *slot, text *id);
} FeatureConsumer;

/*
 * Runs a source with the caller's rights, reading only, and hands each row on.
 * id: a column of the source, or NULL.  UNDEFINED_COLUMN, AMBIGUOUS_COLUMN and
 * DATATYPE_MISMATCH where the source does not have what the model needs, before
 * the first row.  What rows allocate, and is not let go, ends with the current
 * context.
 */
extern void feature_rows(Predictor *predictor, const char *source, const char *id, const FeatureConsumer *consumer, void *context);

#endif
