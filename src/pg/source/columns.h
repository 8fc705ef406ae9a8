/*
 * columns.h
 *		Which columns of a source a training uses, and as what.
 */
#ifndef MLOPS_PG_COLUMNS_H
#define MLOPS_PG_COLUMNS_H

#include "postgres.h"

#include "preprocess.h"
#include "scan.h"
#include "source.h"
#include "../train/split_json.h"

/* What the caller asked for. */
typedef struct ColumnChoice
{
	const char *target;
	const char **features;		/* NULL: all that are not something else */
	int			n_features;
	const char **exclude;
	int			n_exclude;
	const char *weight;			/* or NULL */
	const SplitRequest *split;
	const Model *init;			/* the version to go on from, whose columns are used; or NULL */
} ColumnChoice;

typedef struct TrainColumns
{
	ScanColumn *columns;		/* features, then target, then weight, split column and segments where there are such */
	int			n_columns;
	int			n_features;		/* of them; an array counts once */
	const ScanColumn *target;
} TrainColumns;

/*
 * Chooses them.  UNDEFINED_COLUMN, AMBIGUOUS_COLUMN, DATATYPE_MISMATCH for a
 * listed column whose type cannot be used; others are left out with one NOTICE.
 */
extern TrainColumns *columns_choose(const Source *source, const ColumnChoice *choice, const Algorithm *algorithm, Preprocess *preprocess);

/* Fills kind, storage and element_type of a column by its type; false where it cannot be used. */
extern bool column_by_type(ScanColumn *column);

#endif
