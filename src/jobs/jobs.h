/*
 * jobs.h
 *		Background jobs, as the library's entry sees them.
 */
#ifndef MLOPS_JOBS_JOBS_H
#define MLOPS_JOBS_JOBS_H

/* Defines the settings; where the library is preloaded, asks for memory and for the launcher. */
extern void jobs_init(void);

#endif
