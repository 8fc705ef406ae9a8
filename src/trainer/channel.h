/*
 * channel.h
 *		The trainer's way to talk to the backend that started it.
 *
 * Frames of job.h, written to a stream socket.  A write that fails means
 * that the backend is gone; the program then ends at once, because nobody
 * is left who could want its result.
 */
#ifndef MLOPS_TRAINER_CHANNEL_H
#define MLOPS_TRAINER_CHANNEL_H

#include "../core/job.h"

typedef struct Channel
{
	int			fd;				/* negative: nobody listens */
} Channel;

extern void channel_phase(const Channel *channel, const char *phase);
extern void channel_iteration(const Channel *channel, int iteration, int total, double train_loss, double validation_loss);
extern void channel_metric(const Channel *channel, const char *name, double train_value, double validation_value);
extern void channel_notice(const Channel *channel, const char *text);

/* Sends an error, and writes its message to stderr as well: the last words. */
extern void channel_error(const Channel *channel, const Error *error);

/* ERROR_LIMIT where a result is longer than a message may be. */
extern bool channel_result(const Channel *channel, const JobResult *result, Error *error);

#endif
