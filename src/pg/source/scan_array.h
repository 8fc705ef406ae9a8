/*
 * scan_array.h
 *		Arrays of features: one column of a source, a column of the matrix an element.
 */
#ifndef MLOPS_PG_SCAN_ARRAY_H
#define MLOPS_PG_SCAN_ARRAY_H

#include "postgres.h"

#include "scan.h"

/* How the arrays of a column are taken apart. */
typedef struct ScanArray
{
	ScanColumn *column;
	int16		element_length;
	bool		element_by_value;
	char		element_align;
} ScanArray;

extern void scan_array_init(ScanArray *array, ScanColumn *column);

/* The elements of one array; those of NULL are all NULL.  DATA_EXCEPTION where it has not the length of the column's others. */
extern void scan_array_take(const ScanArray *array, Datum value, bool is_null, Datum **elements, bool **nulls);

/* Takes the length of a column's arrays from one of them, where it is not known yet; whether it is now.  DATA_EXCEPTION for an empty one. */
extern bool scan_array_learn(ScanColumn *column, Datum value, bool is_null);

#endif
