/*
 * metrics_json.h
 *		Metrics as jsonb, and as rows.
 */
#ifndef MLOPS_PG_METRICS_JSON_H
#define MLOPS_PG_METRICS_JSON_H

#include "postgres.h"

#include "funcapi.h"
#include "utils/jsonb.h"

#include "../core.h"

/*
 * {"roc_auc": ..., "baseline": {"roc_auc": ...}, "confusion_matrix":
 * {"labels": [...], "rows": [[...]]}, "per_class": {"label": {"precision": ...}}};
 * the matrix of a classification only, classes of a multiclass one only.
 * What is not defined is null.  model gives the labels.
 */
extern Jsonb *metrics_to_json(const JobResult *result, const Model *model);

/* Puts such an object into a result set of (metric text, value float8): "roc_auc", "baseline_roc_auc", "precision[label]". */
extern void metrics_to_rows(Jsonb *metrics, ReturnSetInfo *rows);

#endif
