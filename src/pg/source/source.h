/*
 * source.h
 *		What a caller's `source` means: a relation's name or one SELECT.
 */
#ifndef MLOPS_PG_SOURCE_H
#define MLOPS_PG_SOURCE_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "nodes/parsenodes.h"
#include "tcop/dest.h"
#include "utils/jsonb.h"

typedef struct SourceColumn
{
	const char *name;
	AttrNumber	number;			/* in the source, from 1 */
	Oid			type;			/* as the source has it */
	Oid			base_type;		/* the same behind domains */
	int32		typmod;
	Oid			collation;
	const char *type_name;		/* for people */
} SourceColumn;

typedef struct Source
{
	const char *text;			/* as given, or "select * from ..." made of a name */
	const char *relation;		/* its qualified, quoted name; NULL: the source is a SELECT */
	Query	   *query;			/* analysed */
	const char *qualified;		/* its text with qualified names */
	int			n_columns;
	SourceColumn *columns;
	Oid			role;			/* whose rights it runs with; InvalidOid: the caller's */
} Source;

/*
 * Analyses a source under the caller's search_path; locks what it names.
 * UNDEFINED_TABLE (with the nearest name), SYNTAX_ERROR (several statements),
 * FEATURE_NOT_SUPPORTED (anything but a plain SELECT), UNDEFINED_COLUMN (no columns).
 */
extern Source *source_open(const char *text);

/* The column of this name, or NULL; AMBIGUOUS_COLUMN where two have it. */
extern const SourceColumn *source_find(const Source *source, const char *name);

/* The same; UNDEFINED_COLUMN with the list where there is none.  `argument` is what named it. */
extern const SourceColumn *source_column(const Source *source, const char *name, const char *argument);

/* Whether there are columns of this name, one or several. */
extern bool source_has(const Source *source, const char *name);

/* The columns as a row type. */
extern TupleDesc source_row_type(const Source *source);

/* Called with the number of rows that the planner expects, before the first row is fetched; NULL where nobody asks. */
typedef void (*SourcePlanned) (void *context, double rows);

/*
 * Runs the source with the rights of its role in a read-only subtransaction and
 * sends the picked columns, in this order, to dest.  Returns whether row
 * security applied.
 */
extern bool source_run(const Source *source, const SourceColumn *const *picked, int n_picked, DestReceiver *dest,
					   SourcePlanned planned, void *context);

/* Whose rights it runs with. */
extern Oid	source_role(const Source *source);

/* What a source would call with the caller's rights that is neither the caller's nor a superuser's, and whose it is; NULL: nothing. */
extern const char *source_strange(const Source *source, Oid *owner);

/* Rows that the planner expects. */
extern double source_expected_rows(const Source *source);

/* search_path, TimeZone, DateStyle and IntervalStyle of now. */
extern Jsonb *source_settings(void);

/* Sets them again, with temporary tables last in search_path, until the caller's nest level of settings ends. */
extern void source_apply_settings(Jsonb *settings);

#endif
