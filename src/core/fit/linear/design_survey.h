/*
 * design_survey.h
 *		What the features of the training rows are like, before columns are chosen.
 */
#ifndef MLOPS_CORE_FIT_DESIGN_SURVEY_H
#define MLOPS_CORE_FIT_DESIGN_SURVEY_H

#include "design.h"

/* Doubles of a thread: raw values of a block, a feature, weights. */
#define DESIGN_SURVEY_SCRATCH (3 * DESIGN_BLOCK_ROWS)

/* Of each feature, in the fit's arena. */
typedef struct FeatureSurvey
{
	double	   *sum;			/* weighted */
	double	   *count;			/* of values other than 0 */
	double	   *lowest;
	double	   *highest;
} FeatureSurvey;

/* Sums over all rows, and the sum of their weights into the design; ERROR_DATA where a feature is not finite. */
extern bool design_survey(Design *design, FeatureSurvey *survey, Error *error);

#endif
