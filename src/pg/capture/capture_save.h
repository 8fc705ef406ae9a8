/*
 * capture_save.h
 *		The queue of captured predictions across a shutdown.
 */
#ifndef MLOPS_PG_CAPTURE_SAVE_H
#define MLOPS_PG_CAPTURE_SAVE_H

#include "postgres.h"

/* Writes what waits to a file: the postmaster's last act, where all ended in order (code 0). */
extern void capture_save(int code, Datum unused);

/* Reads it into the empty queue, and removes the file. */
extern void capture_restore(void);

#endif
