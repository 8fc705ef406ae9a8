/*
 * algorithm_check.h
 *		Combinations of parameters that their ranges cannot express.
 */
#ifndef MLOPS_CORE_ALGORITHM_CHECK_H
#define MLOPS_CORE_ALGORITHM_CHECK_H

#include "algorithm.h"

/* The task that an objective asks for; 0 for auto. */
extern Task objective_task(ObjectiveId objective);

/* Algorithm.check of gradient boosting, and of forests and single trees; ERROR_PARAMETER. */
extern bool gradient_boosting_check(const ParamSet *params, Task task, Error *error);
extern bool forest_check(const ParamSet *params, Task task, Error *error);

#endif
