/*
 * signature.h
 *		The columns of a model's signature in a source.
 */
#ifndef MLOPS_PG_SIGNATURE_H
#define MLOPS_PG_SIGNATURE_H

#include "postgres.h"

#include "../source/scan.h"
#include "../source/source.h"
#include "../core.h"

/*
 * The features, matched by name and in the model's order; an array counts
 * once.  columns: room for model->n_columns; how many it takes.
 * UNDEFINED_COLUMN, DATATYPE_MISMATCH.
 */
extern int	signature_features(const Source *source, const Model *model, ScanColumn *columns);

/* The target; the same errors. */
extern ScanColumn signature_target(const Source *source, const Model *model);

#endif
