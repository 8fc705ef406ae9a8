/*
 * score_table.h
 *		Writing a model's predictions for a source into a table.
 */
#ifndef MLOPS_PG_SCORE_TABLE_H
#define MLOPS_PG_SCORE_TABLE_H

#include "postgres.h"

#include "../registry/registry.h"
#include "../source/source.h"

typedef enum ScoreMode
{
	SCORE_REPLACE,				/* the table's rows go, those of the source come, in one transaction */
	SCORE_APPEND,
	SCORE_UPSERT				/* a row of the same key is written over */
} ScoreMode;

/* What is to be written where, with all names resolved. */
typedef struct ScoreTable
{
	const char *model;			/* with the version, which was the live one when the name had none */
	ModelRef	ref;
	Source	   *source;
	const char *destination;	/* qualified and quoted */
	bool		temporary;		/* source or destination is */
	const char *key_name;
	const char *key;			/* the same, quoted */
	const char *key_type;		/* in the source */
	const char *columns;		/* of the destination, quoted, separated by commas: the key first */
	const char *values;			/* what goes there */
	const char *updates;		/* SET clause of an upsert; "": nothing to set */
	ScoreMode	mode;
} ScoreTable;

/*
 * Resolves names and checks rights of the caller.  UNDEFINED_TABLE,
 * UNDEFINED_COLUMN, INVALID_PARAMETER_VALUE, and what resolving a model or a
 * source says.
 */
extern ScoreTable *score_open(const char *model, const char *source, const char *destination, const char *key, const char *mode);

/* Begins to show progress, with the rows that the planner expects. */
extern void score_begin(const ScoreTable *score, uint64 done);

/* Removes the destination's rows. */
extern void score_clear(const ScoreTable *score);

/*
 * Predicts and writes rows in the order of their keys, those behind `after`
 * (NULL: from the first) and at most about `limit` (0: all at once); with the
 * caller's rights.  The number of rows; *last becomes the last key as text.
 */
extern uint64 score_rows(const ScoreTable *score, const char *after, uint64 limit, char **last);

/* Rows without a key, which are left out of what is written in batches. */
extern uint64 score_count_keyless(const ScoreTable *score);

#endif
