/*
 * calibration.h
 *		Whether probabilities mean what they say, and making them do so.
 */
#ifndef MLOPS_CORE_CALIBRATION_H
#define MLOPS_CORE_CALIBRATION_H

#include "isotonic.h"

#define CALIBRATION_BINS 10

/* Rows of neighbouring probabilities. */
typedef struct CalibrationBin
{
	double		weight;
	double		probability;	/* mean */
	double		share;			/* of positives */
} CalibrationBin;

typedef struct Calibration
{
	double		ece;			/* mean of |share - probability| over the bins, by their weights */
	double		ece_floor;		/* mean and four standard deviations of it where probabilities are calibrated, in samples like this one */
	double		slope;			/* of the outcomes' log odds by those of the probability: 1 where calibrated, below where too bold */
	double		slope_error;	/* standard error */
	double		intercept;		/* 0 where calibrated */
	double		intercept_error;
	double		p_value;		/* of calibrated probabilities: Hosmer & Lemeshow's statistic, a degree of freedom a bin */
	int			n_bins;
	CalibrationBin bins[CALIBRATION_BINS];
} Calibration;

/*
 * Measures probabilities (0 to 1) against outcomes (0 or 1) in at most ten
 * bins of about equal weight, equal probabilities in one.  What the rows do not define is NaN:
 * all without rows, slope and intercept where outcomes or probabilities are all alike, or
 * where these separate those.  weight may be NULL.  ERROR_MEMORY; ERROR_LIMIT.
 *
 * Hosmer & Lemeshow 1980; Cox 1958 (slope and intercept).
 */
extern bool calibration_measure(Calibration *calibration, size_t n, const double *truth, const double *probability, const double *weight,
								Arena *arena, Error *error);

/*
 * Fits outcomes to scores by isotonic regression, where this lowers the
 * expected calibration error: fitted ten times on nine tenths of the rows, and measured on the
 * tenths left out, all together.  fit->n is 0 where it does not, where there is one class only, and
 * where the scores tell the classes apart (area under the ROC curve above .999).  ERROR_MEMORY; ERROR_LIMIT.
 */
extern bool calibration_fit(Isotonic *fit, size_t n, const double *truth, const double *score, const double *weight, uint64_t seed,
							Arena *arena, Error *error);

#endif
