/*
 * boosting_start.h
 *		Where boosting starts: at a constant, or at the trees of a version.
 */
#ifndef MLOPS_CORE_FIT_BOOSTING_START_H
#define MLOPS_CORE_FIT_BOOSTING_START_H

#include "boosting.h"
#include "kept_cuts.h"
#include "objective.h"

/* Trees that are there already. */
extern uint32_t start_trees(const FitInput *input);

/*
 * The scores before the first tree, one a group: the version's; else those of
 * the prediction given, or the objective's.  ERROR_DATA where the version's
 * scores are of another kind.
 */
extern bool start_base(const FitInput *input, const Objective *objective, const BoostingParams *params, double *base, Error *error);

/*
 * Adds the version's trees to the scores of rows [range), which are 0:
 * groups x rows.  Leaves are added one after the other in float, as boosting
 * adds them, so that the scores are those that it would have gone on from.
 */
extern bool start_scores(const FitInput *input, RowRange range, float *scores, Error *error);

#endif
