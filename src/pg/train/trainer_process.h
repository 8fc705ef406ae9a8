/*
 * trainer_process.h
 *		Starting and ending the program mlops-trainer.
 */
#ifndef MLOPS_PG_TRAINER_PROCESS_H
#define MLOPS_PG_TRAINER_PROCESS_H

#include "postgres.h"

#include "../source/memory_file.h"

typedef struct TrainerProcess
{
	pid_t		pid;			/* 0: ended and reaped, or left behind */
	int			socket;			/* our end, does not block; -1: closed */
	int			child_socket;	/* the trainer's end until it is started; -1: closed */
	int			n_external_fds; /* descriptors counted with fd.c */
	MemoryFile *errors;			/* the trainer's stderr */
	MemoryContextCallback cleanup;
} TrainerProcess;

/*
 * Starts a trainer with these files; init may be NULL.  It is killed and reaped, and its
 * descriptors are closed, when the current memory context is reset: an error
 * or a cancellation needs to do nothing else.
 */
extern TrainerProcess *trainer_start(const MemoryFile *job, const MemoryFile *matrix, const MemoryFile *model, const MemoryFile *init);

/* Waits for a trainer that has closed its socket; its wait status. */
extern int	trainer_wait(TrainerProcess *process);

/* ---- trainer_reap.c ---- */

/*
 * Leaves a trainer that has closed its socket behind: nothing waits for its
 * end, and it is reaped within a few times 50 ms of that.
 */
extern void trainer_leave(TrainerProcess *process);

/* Reaps those left behind that are dead. */
extern void trainer_reap(void);

/* ---- trainer_process.c ---- */

/* What a trainer that died said last, and how it died: raises EXTERNAL_ROUTINE_EXCEPTION. */
extern void trainer_report_death(const TrainerProcess *process, int status, const char *phase) __attribute__((noreturn));

#endif
