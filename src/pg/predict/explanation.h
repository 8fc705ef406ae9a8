/*
 * explanation.h
 *		The explain family: why a model predicts what it does.
 *
 * explain.c				explain(), explain_class(), explain_interactions(), explain_batch()
 * explain_text.c			explain_text()
 * explanation.c			the contributions to one row of a call site
 * explainer_cache.c		explainers, kept between statements
 * raw_text.c				raw values as texts
 * feature_rows.c			the rows of a source, as features
 * partial_dependence.c		partial_dependence(), ice()
 * what_if.c				what_if()
 */
#ifndef MLOPS_PG_EXPLANATION_H
#define MLOPS_PG_EXPLANATION_H

#include "postgres.h"

#include "fmgr.h"

#include "predict.h"

struct CachedExplainer;

/* The row that a call site explained last. */
typedef struct Explanation
{
	const Model *model;
	uint32		n_outputs;
	MemoryContextCallback release;
	struct CachedExplainer **explainers;	/* by output; NULL where none was asked for */
	uint32		output;			/* which is explained */
	double		base;
	double	   *contributions;	/* one a column */
	uint32	   *order;			/* columns, the largest contribution first, whatever its sign */
} Explanation;

#define EXPLAIN_PREDICTED	(-1)	/* the output that is predicted; of two classes the second, as predict_proba() has it */

/* Fills predictor->raw from the second argument; false where model or features are NULL. */
extern bool explanation_read(FunctionCallInfo fcinfo, Predictor **predictor);

/* Explains predictor->raw.  Holds until the next call for this predictor; predictor->features are the row's. */
extern Explanation *explanation_make(Predictor *predictor, int output);

/* The explainer of the output. */
extern struct Explainer *explanation_explainer(const Explanation *explanation);

/* The label of the output that is explained; NULL of a regression. */
extern const char *explanation_class(const Explanation *explanation);

/* The output of a class; INVALID_PARAMETER_VALUE with the list, DATATYPE_MISMATCH of a regression; function: for errors. */
extern int	explanation_output(const Model *model, const char *class, const char *function);

/* The argument `top` of a function, by number: INT_MAX where it is NULL; INVALID_PARAMETER_VALUE below 0. */
extern int	explanation_top(FunctionCallInfo fcinfo, int argument);

/* A raw value as a text, as its column has them; NULL where it is missing (a category that training never saw, too). */
extern char *raw_text(const Model *model, uint32 column, double raw);

#endif
