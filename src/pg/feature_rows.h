/*
 * feature_rows.h
 *		The rows of a source, as features of a model.
 */
#ifndef MLOPS_PG_FEATURE_ROWS_H
#define MLOPS_PG_FEATURE_ROWS_H

#include "postgres.h"

#include "predict.h"
#include "source.h"

/*
 * Called with each row: predictor->raw is filled; id as a text, or NULL; row
 * has the columns that were read, by name.  The
 * current context is that of the rows: returns whether what was allocated for
 * this row and those before it may go.
 */
typedef bool (*FeatureRow) (void *context, Predictor *predictor, TupleTableSlot *row, text *id);

/* Called before the source runs: marks columns that rows are to have beside those that the model needs. */
typedef void (*FeatureColumns) (void *context, const Source *source, bool *wanted);

/*
 * Runs a source with the caller's rights, reading only, and calls consume with
 * each row.  id: a column of the source, or NULL.  columns and planned may be
 * NULL.
 * UNDEFINED_COLUMN, AMBIGUOUS_COLUMN and DATATYPE_MISMATCH where the source
 * does not have what the model needs, before the first row.  What rows
 * allocate, and is not let go, ends with the current context.
 */
extern void feature_rows(Predictor *predictor, const char *source, const char *id, FeatureColumns columns, SourcePlanned planned,
						 FeatureRow consume, void *context);

#endif
