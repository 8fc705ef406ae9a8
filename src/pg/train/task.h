/*
 * task.h
 *		What a training is to answer: given, or derived from the target.
 */
#ifndef MLOPS_PG_TASK_H
#define MLOPS_PG_TASK_H

#include "postgres.h"

#include "../source/scan.h"

typedef struct TaskChoice
{
	unsigned	possible;		/* TASK_BITs */
	bool		given;			/* by the argument "task" */
	bool		by_objective;	/* by params */
} TaskChoice;

/*
 * What is possible before any row is seen.  name: the argument "task", or
 * NULL.  INVALID_PARAMETER_VALUE for unknown words and for what the algorithm
 * cannot do; DATATYPE_MISMATCH for a regression of texts.
 */
extern TaskChoice task_expect(const char *name, const Algorithm *algorithm, const ParamSet *params, const ScanColumn *target);

/*
 * Decides by the rows, and tells what was derived and why.  DATA_EXCEPTION
 * where there is no row, no target, or too many classes.
 */
extern Task task_decide(const TaskChoice *choice, const Algorithm *algorithm, const ScanColumn *target, const Matrix *matrix);

/* How labels of a target come back. */
extern LabelKind task_label_kind(Task task, const ScanColumn *target);

#endif
