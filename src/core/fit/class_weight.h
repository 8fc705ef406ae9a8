/*
 * class_weight.h
 *		Weights of rows by their class, as the parameters class_weight and scale_pos_weight ask for.
 */
#ifndef MLOPS_CORE_FIT_CLASS_WEIGHT_H
#define MLOPS_CORE_FIT_CLASS_WEIGHT_H

#include "fit.h"

/*
 * Sets *weight to the weights of the fit's rows (input->weight where no
 * parameter asks for others), in the arena.  "balanced" gives each class
 * rows / (classes * rows of the class), counted over the training rows
 * without weights, as scikit-learn does.  An algorithm need not have both
 * parameters.  ERROR_DATA where the sum of the weights is infinite.
 */
extern bool class_weights(const FitInput *input, const double **weight, Error *error);

#endif
