/*
 * json_numbers.h
 *		Numbers in a jsonb argument, read once for all rows that it is the same for.
 */
#ifndef MLOPS_PG_JSON_NUMBERS_H
#define MLOPS_PG_JSON_NUMBERS_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/jsonb.h"

/* A field that is an array of numbers, palloc'ed; INVALID_PARAMETER_VALUE naming the argument where it is none. */
extern double *json_numbers_field(Jsonb *json, const char *argument, const char *key, int *n);

/* A field that is an array of such arrays, each of n_columns numbers: row by row, likewise. */
extern double *json_matrix_field(Jsonb *json, const char *argument, const char *key, int n_columns, int *n_rows);

/*
 * What `read` makes of an argument, in memory that lasts as long as the
 * function is called: read again only where the bytes differ from those of the call before.
 * One argument of a function can be kept so.
 */
extern void *json_argument_read(FunctionCallInfo fcinfo, int argument, void *(*read) (Jsonb *json));

#endif
