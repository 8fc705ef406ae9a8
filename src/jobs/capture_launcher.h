/*
 * capture_launcher.h
 *		The process that has captured predictions written.
 */
#ifndef MLOPS_JOBS_CAPTURE_LAUNCHER_H
#define MLOPS_JOBS_CAPTURE_LAUNCHER_H

/* Registers it; where the library is preloaded. */
extern void capture_launcher_init(void);

#endif
