/*
 * preprocess.h
 *		The argument "preprocess" of train().
 */
#ifndef MLOPS_PG_PREPROCESS_H
#define MLOPS_PG_PREPROCESS_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "../core.h"

/* What is asked for one column. */
typedef struct ColumnRequest
{
	const char *column;			/* "*" for all */
	bool		as_category;	/* "type": "category" */
	bool		as_number;		/* "type": "number" */
	RecipePlan	plan;
	bool		used;			/* set by preprocess_column() */
} ColumnRequest;

typedef struct Preprocess
{
	ColumnRequest *requests;
	int			n_requests;
} Preprocess;

/* Reads the argument; INVALID_PARAMETER_VALUE for unknown keys and words. */
extern Preprocess *preprocess_from_json(Jsonb *object);

/* Whether a column that is no text by its type is to be a category, or a text a number. */
extern bool preprocess_wants_category(const Preprocess *preprocess, const char *column);
extern bool preprocess_wants_number(const Preprocess *preprocess, const char *column);

/*
 * The plan of a column: its own request over that of "*", then the
 * algorithm's defaults.  What "*" asks for and does not fit the kind is left
 * out; the column's own must fit.
 */
extern RecipePlan preprocess_column(Preprocess *preprocess, const Algorithm *algorithm, const char *column, ColumnKind kind);

/* UNDEFINED_COLUMN for a request whose column is no feature. */
extern void preprocess_check_used(const Preprocess *preprocess, const char *const *features, int n_features);

#endif
