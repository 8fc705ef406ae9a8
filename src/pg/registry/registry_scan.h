/*
 * registry_scan.h
 *		Reading the registry's tables directly: no SPI, no row security, no privileges.
 *
 * Whoever scans has checked the caller's access, or is about to (access.c).
 */
#ifndef MLOPS_PG_REGISTRY_SCAN_H
#define MLOPS_PG_REGISTRY_SCAN_H

#include "postgres.h"

#include "access/genam.h"
#include "utils/relcache.h"

#define REGISTRY_SCAN_KEYS 3

/* A scan under way. */
typedef struct RegistryScan
{
	Relation	relation;
	SysScanDesc scan;
	ScanKeyData keys[REGISTRY_SCAN_KEYS];
	int			n_keys;
	HeapTuple	tuple;			/* the current row */
} RegistryScan;

/* Opens mlops.<table>, locked until registry_scan_close(). */
extern void registry_scan_open(RegistryScan *scan, const char *table);

/* Restricts the scan to rows where a column equals a value; before registry_scan_start(). */
extern void registry_scan_key_int64(RegistryScan *scan, const char *column, int64 value);
extern void registry_scan_key_int32(RegistryScan *scan, const char *column, int32 value);
extern void registry_scan_key_oid(RegistryScan *scan, const char *column, Oid value);
extern void registry_scan_key_text(RegistryScan *scan, const char *column, const char *value);

/* Starts it with the active snapshot, by an index of mlops (which begins with the keys' columns), or over the whole table (NULL). */
extern void registry_scan_start(RegistryScan *scan, const char *index);

/* The same with every state of a row that is still there, also those that are not visible any more. */
extern void registry_scan_start_any(RegistryScan *scan, const char *index);

/* The next row, or false. */
extern bool registry_scan_next(RegistryScan *scan);

/* The number of a column. */
extern AttrNumber registry_scan_column(const RegistryScan *scan, const char *column);

/* A column of the current row, which must not be NULL; valid until the next row. */
extern Datum registry_scan_get(const RegistryScan *scan, AttrNumber column);

/* The same of a column that may be NULL. */
extern Datum registry_scan_value(const RegistryScan *scan, const char *column, bool *null);

/* A column that is not NULL as a palloc'ed string. */
extern char *registry_scan_text(const RegistryScan *scan, AttrNumber column);

extern void registry_scan_close(RegistryScan *scan);

#endif
