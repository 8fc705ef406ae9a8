/*
 * lineage.h
 *		Which tables, views and columns a query reads.
 */
#ifndef MLOPS_PG_LINEAGE_H
#define MLOPS_PG_LINEAGE_H

#include "postgres.h"

#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"

#include "../source/columns.h"
#include "../source/source.h"

typedef struct SourceRelation
{
	Oid			id;
	Bitmapset  *columns;		/* numbers of those that are read, in their values or in a condition */
} SourceRelation;

/*
 * What a source reads where these of its columns are used: relations in the
 * order in which they are met, views and then what is behind them.  Locks
 * them.  What functions read that it calls is not followed.
 */
extern List *lineage_of_source(const Source *source, const TrainColumns *columns);

/* Writes it down for a run, as the extension's owner. */
extern void lineage_store(int64 run_id, const Source *source, const TrainColumns *columns);

#endif
