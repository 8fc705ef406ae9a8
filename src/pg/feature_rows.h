/*
 * feature_rows.h
 *		The rows of a source, as features of a model.
 */
#ifndef MLOPS_PG_FEATURE_ROWS_H
#define MLOPS_PG_FEATURE_ROWS_H

#include "postgres.h"

#include "predict.h"

/* Called with each row: predictor->raw is filled; id as text, or NULL.  The current context ends with the row. */
typedef void (*FeatureRow) (void *context, Predictor *predictor, const char *id);

/*
 * Runs a source with the caller's rights, reading only, and calls consume with
 * each row.  id: a column of the source, or NULL.  UNDEFINED_COLUMN where the
 * source lacks what the model needs, before the first row.
 */
extern void feature_rows(Predictor *predictor, const char *source, const char *id, FeatureRow consume, void *context);

#endif
