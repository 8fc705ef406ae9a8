/*
 * performance_json.h
 *		Performance as jsonb.
 */
#ifndef MLOPS_PG_PERFORMANCE_JSON_H
#define MLOPS_PG_PERFORMANCE_JSON_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "../../core/statistics/performance.h"

/* Metrics as {"name": {"value", "se", "se_component", "n"}}: of n rows alike, se is se_component / sqrt(n).  What is not defined is null. */
extern Jsonb *performance_to_json(const Performance *performance);

#endif
