/*
 * artifact.h
 *		The SQL type mlops.artifact: a trained model as a value.
 */
#ifndef MLOPS_PG_ARTIFACT_H
#define MLOPS_PG_ARTIFACT_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/jsonb.h"

#include "../core.h"

/*
 * Opens an artifact that is whole in memory, 8-byte aligned, with a 4-byte
 * length word: what palloc, detoasting and inline storage give.
 * DATA_CORRUPTED where the bytes are no valid model.
 */
extern void artifact_open(Model *model, const struct varlena *artifact);

/* An argument as such a value: detoasted where it must be, else in place. */
extern struct varlena *artifact_detoast(Datum value);

#define PG_GETARG_ARTIFACT(n) artifact_detoast(PG_GETARG_DATUM(n))

/* Parameters and metrics of a model as the registry keeps them. */
extern Jsonb *artifact_params(const Model *model);
extern Jsonb *artifact_metrics(const Model *model);

#endif
