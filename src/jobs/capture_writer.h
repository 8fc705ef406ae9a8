/*
 * capture_writer.h
 *		The process that writes the captured predictions of one database.
 */
#ifndef MLOPS_JOBS_CAPTURE_WRITER_H
#define MLOPS_JOBS_CAPTURE_WRITER_H

/* What the postmaster calls; the database's OID is in bgw_extra. */
#define CAPTURE_WRITER_FUNCTION "mlops_capture_writer_main"

#endif
