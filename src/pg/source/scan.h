/*
 * scan.h
 *		The rows of a source on their way into a matrix.
 */
#ifndef MLOPS_PG_SCAN_H
#define MLOPS_PG_SCAN_H

#include "postgres.h"

#include "../core.h"
#include "memory_file.h"
#include "source.h"
#include "../train/trainer_client.h"

/* One column of the source that is used; an array becomes one column of the matrix an element. */
typedef struct ScanColumn
{
	const SourceColumn *source;
	ColumnRole	role;
	ColumnKind	kind;
	ColumnStorage storage;
	Oid			element_type;	/* base type of an array's elements; InvalidOid: no array */
	int			n_elements;		/* of an array: 0 lets the first value decide; set by the scan */
	bool		required;		/* an array that never has a value is an error, not left out */
	RecipePlan	plan;			/* of a feature; carried for the caller */
	bool		segment;		/* rows are profiled by its values, too */
	bool		frozen;			/* its values go into a version's reference */
} ScanColumn;

typedef struct ScanResult
{
	MemoryFile *file;			/* the finished matrix, mapped */
	Matrix		matrix;
	TrainerClient *trainer;		/* which knows that it is finished as soon as it gets its job */
	bool		row_security;	/* whether it applied to the query */
	double		seconds;		/* that the query took, its planning included */
} ScanResult;

/*
 * Runs the source and writes its columns in the order given, for a trainer
 * with these files (trainer_begin()), which is started meanwhile.  Everything
 * lives in the current memory context.  DATA_EXCEPTION where there are no
 * rows; PROGRAM_LIMIT_EXCEEDED where they do not fit into max_memory bytes, before the scan where the planner expects
 * at least twice as many.  Tells by NOTICE which values lost digits, and
 * which arrays were left out.
 */
extern void scan_source(const Source *source, ScanColumn *columns, int n_columns, uint64 max_memory,
						const MemoryFile *model, const MemoryFile *init, ScanResult *result);

/* Whether values of a base type can be a number, and how they are then stored. */
extern bool scan_number_type(Oid base_type, ColumnKind *kind, ColumnStorage *storage);

/* Whether values of a base type are texts, taken as categories. */
extern bool scan_text_type(Oid base_type);

/* Whether values of a base type can be taken as categories where the user asks for it. */
extern bool scan_category_type(Oid base_type);

#endif
