/*
 * params_json.h
 *		Parameters of an algorithm as jsonb.
 */
#ifndef MLOPS_PG_PARAMS_JSON_H
#define MLOPS_PG_PARAMS_JSON_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "../core.h"

/* The parameters of an algorithm with those of `object` set; INVALID_PARAMETER_VALUE for unknown ones, types and ranges. */
extern ParamSet *params_from_json(const Algorithm *algorithm, Jsonb *object);

/* All of them, defaults too. */
extern Jsonb *params_to_json(const ParamSet *params);

#endif
