/*
 * types.h
 *		The words that matrices, recipes, models and jobs share.
 *
 * All values here are stored in models and travel between processes: append
 * only, never renumber.
 */
#ifndef MLOPS_CORE_TYPES_H
#define MLOPS_CORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "models are little-endian, and read in place"
#endif

/* Longest name of a column in bytes: a PostgreSQL identifier with an array subscript, "x[1600]". */
#define COLUMN_NAME_MAX 79

/* Limits that the validator enforces. */
#define MAX_COLUMNS		65535	/* raw columns of a model */
#define MAX_FEATURES	1048576 /* encoded features of a model */
#define MAX_CLASSES		65535
#define MAX_CATEGORIES	65534	/* levels of one column */

/* What a model answers. */
typedef enum Task
{
	TASK_REGRESSION = 1,
	TASK_BINARY = 2,
	TASK_MULTICLASS = 3
} Task;

/* What a column means; decides how predict() reads a value, and how it is shown. */
typedef enum ColumnKind
{
	KIND_NUMBER = 1,			/* integers, floats, numeric: the number */
	KIND_BOOLEAN = 2,			/* 0 or 1 */
	KIND_DATE = 3,				/* days since 2000-01-01 */
	KIND_TIMESTAMP = 4,			/* microseconds since 2000-01-01, no zone */
	KIND_TIMESTAMPTZ = 5,		/* microseconds since 2000-01-01 UTC */
	KIND_INTERVAL = 6,			/* seconds, by extract(epoch) */
	KIND_CATEGORY = 7			/* text and what is treated as text */
} ColumnKind;

/* How the values of a column lie in the matrix. */
typedef enum ColumnStorage
{
	STORAGE_FLOAT32 = 1,		/* int2, float4; NaN is missing.  predict() rounds to float32 first */
	STORAGE_FLOAT64 = 2,		/* other numbers; NaN is missing */
	STORAGE_CODE = 3			/* uint32 into the column's dictionary; CODE_MISSING is missing */
} ColumnStorage;

#define CODE_MISSING UINT32_MAX

/* What a column is used for. */
typedef enum ColumnRole
{
	ROLE_FEATURE = 1,
	ROLE_TARGET = 2,
	ROLE_WEIGHT = 3,
	ROLE_SPLIT = 4,				/* names the split, time or group; not a feature */
	ROLE_SEGMENT = 5			/* parts the rows that are profiled, and nothing else */
} ColumnRole;

/* How labels of a classification were typed, so that they come back so. */
typedef enum LabelKind
{
	LABEL_NONE = 0,				/* regression */
	LABEL_BOOLEAN = 1,
	LABEL_NUMBER = 2,			/* predict() gives the number */
	LABEL_TEXT = 3				/* predict() is an error; predict_class() gives the text */
} LabelKind;

extern const char *task_name(Task task);
extern const char *kind_name(ColumnKind kind);

#endif
