/*
 * boosting.h
 *		The parameters of gradient boosting as its fit takes them.
 */
#ifndef MLOPS_CORE_FIT_BOOSTING_H
#define MLOPS_CORE_FIT_BOOSTING_H

#include "grow.h"

typedef struct BoostingParams
{
	int			n_rounds;
	double		subsample;
	ColumnShares columns;
	uint32_t	max_bin;
	ObjectiveId objective;
	double		shape;			/* of the objective */
	double		base_score;		/* a prediction; NaN: the objective's */
	GrowRules	grow;
} BoostingParams;

extern BoostingParams boosting_read_params(const ParamSet *params);

#endif
