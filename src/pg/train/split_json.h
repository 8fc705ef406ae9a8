/*
 * split_json.h
 *		The argument "split" of train().
 */
#ifndef MLOPS_PG_SPLIT_JSON_H
#define MLOPS_PG_SPLIT_JSON_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "../../core/fit/table/table.h"
#include "../core.h"

typedef struct SplitRequest
{
	SplitKind	kind;
	double		test;
	double		validation;
	const char *column;			/* that names the part, the time or the group; NULL for SPLIT_RANDOM */
	const char *key;			/* what named it: "column", "time", "group" */
	const char **segments;		/* columns by whose values profiles are kept, too */
	int			n_segments;
	uint32		sample_rows;	/* held-out rows that are kept beside the version */
} SplitRequest;

/* Reads and checks it: {"test": share, "validation": share} and at most one of "column", "time", "group"; "segments": [columns], "reference_sample": rows. */
extern SplitRequest split_from_json(Jsonb *object);

#endif
