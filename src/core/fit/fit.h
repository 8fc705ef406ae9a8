/*
 * fit.h
 *		What an algorithm's fit() is given, and what it gives back.
 */
#ifndef MLOPS_CORE_FIT_FIT_H
#define MLOPS_CORE_FIT_FIT_H

#include "../algorithm.h"
#include "../buffer.h"
#include "metrics.h"
#include "table/recipe_fit.h"
#include "table/table.h"

/* Called from the fitting thread, between iterations. */
typedef struct FitMonitor
{
	void	   *context;

	/* iteration (from 1) of total, with losses (NaN: none) */
	void		(*iteration) (void *context, int iteration, int total, double train_loss, double validation_loss);

	/* something the user should know; a whole sentence, lower case, no full stop */
	void		(*notice) (void *context, const char *text);

	/* a metric of the iteration told last, on both parts (NaN: none); NULL where nobody asks */
	void		(*metric) (void *context, const char *name, double train_value, double validation_value);
} FitMonitor;

typedef struct FitInput
{
	const Table *table;
	const FittedRecipe *recipe;
	Task		task;
	uint32_t	n_classes;		/* 0 for regression */
	const char *const *labels;	/* n_classes, as the model stores them */
	const double *target;		/* table->n_rows: the value, or the class index */
	const double *weight;		/* table->n_rows, > 0 and finite; NULL: all 1 */
	const ParamSet *params;
	uint64_t	seed;
	ThreadPool *pool;
	Arena	   *arena;			/* of the fit */
	const FitMonitor *monitor;
	const Model *init;			/* the version to go on from, whose recipe and classes these are; NULL: none */
	const struct KeptCuts *kept_cuts;	/* cuts that bins must have; NULL: none (kept_cuts.h) */
} FitInput;

typedef struct FitOutput
{
	Buffer		payload;		/* the model's payload; initialised by the caller */
	int			iterations;		/* trees or steps in the model; 0 where that has no meaning */
	Metrics		metrics;		/* the algorithm's own, such as oob_*: names and values only; n = 0: none */
	Metrics		baseline;		/* the same metrics of the constant predictor */
} FitOutput;

/* The constant of least squared error or log loss on rows [range): the weighted mean of the target, or the frequencies of its classes; out[1 or n_classes]. */
extern void baseline_constant(const double *target, const double *weight, uint32_t n_classes, RowRange range, double *out);

extern bool baseline_fit(const FitInput *input, FitOutput *output, Error *error);
extern bool linear_regression_fit(const FitInput *input, FitOutput *output, Error *error);
extern bool logistic_regression_fit(const FitInput *input, FitOutput *output, Error *error);
extern bool boosting_fit(const FitInput *input, FitOutput *output, Error *error);

extern bool random_forest_fit(const FitInput *input, FitOutput *output, Error *error);
extern bool extra_trees_fit(const FitInput *input, FitOutput *output, Error *error);
extern bool decision_tree_fit(const FitInput *input, FitOutput *output, Error *error);

extern uint64_t baseline_memory(const ParamSet *params, uint64_t n_rows, const FittedRecipe *recipe, uint32_t n_classes, int n_threads);
extern uint64_t linear_memory(const ParamSet *params, uint64_t n_rows, const FittedRecipe *recipe, uint32_t n_classes, int n_threads);
extern uint64_t logistic_memory(const ParamSet *params, uint64_t n_rows, const FittedRecipe *recipe, uint32_t n_classes, int n_threads);
extern uint64_t boosting_memory(const ParamSet *params, uint64_t n_rows, const FittedRecipe *recipe, uint32_t n_classes, int n_threads);
extern uint64_t forest_memory(const ParamSet *params, uint64_t n_rows, const FittedRecipe *recipe, uint32_t n_classes, int n_threads);

#endif
