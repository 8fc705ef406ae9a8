/*
 * algorithm.h
 *		The one table of algorithms.
 *
 * To add an algorithm, write its file under fit/, give its payload a
 * validate and a predict (or use those of trees or linear models), and add
 * one entry to the table in algorithm.c.  Parameters, their checks, errors
 * and documentation follow from the entry.
 */
#ifndef MLOPS_CORE_ALGORITHM_H
#define MLOPS_CORE_ALGORITHM_H

#include "model/model.h"
#include "params.h"
#include "model/recipe.h"

struct FitInput;
struct FitOutput;
struct FittedRecipe;

typedef enum AlgorithmId		/* stored in models: append only */
{
	ALGORITHM_BASELINE = 1,
	ALGORITHM_LINEAR_REGRESSION = 2,
	ALGORITHM_LOGISTIC_REGRESSION = 3,
	ALGORITHM_GRADIENT_BOOSTING = 4,
	ALGORITHM_RANDOM_FOREST = 5,
	ALGORITHM_EXTRA_TREES = 6,
	ALGORITHM_DECISION_TREE = 7
} AlgorithmId;

/* What gradient boosting minimises: index in the choices of "objective". */
typedef enum ObjectiveId
{
	OBJECTIVE_AUTO,
	OBJECTIVE_SQUARED_ERROR,
	OBJECTIVE_LOGISTIC,
	OBJECTIVE_SOFTMAX,
	OBJECTIVE_ABSOLUTE_ERROR,
	OBJECTIVE_HUBER,
	OBJECTIVE_QUANTILE,
	OBJECTIVE_POISSON,
	OBJECTIVE_GAMMA,
	OBJECTIVE_TWEEDIE
} ObjectiveId;

#define TASK_BIT(task) (1u << (task))

typedef struct Algorithm
{
	AlgorithmId id;
	const char *name;
	const char *summary;		/* one line, for people */
	unsigned	tasks;			/* TASK_BITs */
	const ParamSpec *params;
	int			n_params;

	/* What DEFAULT means in a RecipePlan: for numbers, and for categories. */
	RecipePlan	numbers;
	RecipePlan	categories;
	bool		native;			/* takes missing values and categories as they are */
	bool		gathers;		/* reads the features' values as arrays in the order of the table */

	/* Checks combinations that ranges cannot express (NULL: none); the task is known. */
	bool		(*check) (const ParamSet *params, Task task, Error *error);

	/* Fits; NULL in the extension, which does not fit. */
	bool		(*fit) (const struct FitInput *input, struct FitOutput *output, Error *error);

	/* Bytes that a fit needs beside the table; NULL in the extension. */
	uint64_t	(*memory) (const ParamSet *params, uint64_t n_rows, const struct FittedRecipe *recipe, uint32_t n_classes, int n_threads);

	/* The payload of an artifact: checks hostile bytes; outputs of one encoded row. */
	bool		(*validate) (const Model *model, Error *error);
	void		(*predict) (const Model *model, const double *features, double *out);
} Algorithm;

extern const Algorithm *const algorithms[];
extern const int n_algorithms;

/* NULL where there is none. */
extern const Algorithm *algorithm_by_id(uint32_t id);

/* By name; ERROR_PARAMETER with the list and the nearest name. */
extern const Algorithm *algorithm_by_name(const char *name, Error *error);

/* The task that an objective in the params implies, or 0: "objective" => "poisson" is a regression. */
extern Task algorithm_objective_task(const Algorithm *algorithm, const ParamSet *params);

/*
 * Parameters of a training that goes on from a version of the same algorithm
 * and task: takes from `was` what is not given.  ERROR_PARAMETER where what is
 * given would make it a model of another kind.
 */
extern bool algorithm_continue(ParamSet *params, const ParamSet *was, Task task, Error *error);

/* Replaces DEFAULTs by the algorithm's own. */
extern RecipePlan algorithm_recipe(const Algorithm *algorithm, ColumnKind kind, RecipePlan plan);

/* Whether the algorithm can use a column of this plan (without DEFAULTs); ERROR_UNSUPPORTED that names the column. */
extern bool algorithm_check_recipe(const Algorithm *algorithm, ColumnKind kind, const RecipePlan *plan, const char *column, Error *error);

#endif
