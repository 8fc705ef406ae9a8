/*
 * explain.h
 *		Why a model predicts what it does: Shapley values of the raw columns.
 *
 * The margin of a row is base + the sum of its contributions: the score
 * before the link (log odds, a class's score, the logarithm of a rate), and
 * for forests and constants the prediction itself, which has no link.  The
 * players of the game are the encoded features; what the parts of a one-hot
 * column and its indicator of missing values contribute is summed.
 *
 * Trees: the value of a set of features is the mean of the leaves that a row
 * can reach when only those are known, where at any other split both sides
 * count by their share of the training rows (path-dependent; Lundberg, Erion
 * and Lee, arXiv 1802.03888).  Linear models: features do not depend on each
 * other, and an unknown one has its mean over the training rows.
 */
#ifndef MLOPS_CORE_EXPLAIN_H
#define MLOPS_CORE_EXPLAIN_H

#include "../model/model.h"

/* One output of a model made ready: a copy of what it takes, and room for a row; so of one thread at a time. */
typedef struct Explainer Explainer;

/* Whether to give up, asked between blocks of trees. */
typedef bool (*ExplainStop) (void);

/*
 * output: a class (of two, too: the contributions of one are those of the
 * other with the opposite sign); 0 of a regression.  Lives until
 * explainer_free(), whatever becomes of the model.  stop: asked here and for
 * each row, or NULL.  ERROR_MEMORY, ERROR_CANCELLED.
 */
extern Explainer *explainer_create(const Model *model, uint32_t output, ExplainStop stop, Error *error);
extern void explainer_free(Explainer *explainer);

/* Bytes that it takes. */
extern size_t explainer_size(const Explainer *explainer);

/* The mean margin: what is predicted of a row of which nothing is known. */
extern double explainer_base(const Explainer *explainer);

/* features[n_features], encoded; contributions[n_columns] is overwritten.  False where it was stopped; it may be asked again. */
extern bool explain_row(Explainer *explainer, const double *features, double *contributions);

/*
 * Shapley interaction values: matrix[n_columns][n_columns] is overwritten.  A
 * row of it adds up to the column's contribution, half of what two columns do
 * together is in either of their cells, and the diagonal is what a column does
 * alone.  False where it was stopped.
 */
extern bool explain_row_pairs(Explainer *explainer, const double *features, double *matrix);

#endif
