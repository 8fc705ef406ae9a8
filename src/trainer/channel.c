/*
 * channel.c
 *		The trainer's way to talk to the backend that started it.
 *
 * A frame is built in one buffer and written in one go.  Only the main
 * thread talks, so there is nothing to lock.
 */
#include "channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAME_HEADER 5			/* uint32 length, uint8 type */

/* Writes all of it, or ends the program: the backend is gone. */
static void
write_all(const Channel *channel, const uint8_t *bytes, size_t n)
{
	while (n > 0)
	{
		ssize_t		written = write(channel->fd, bytes, n);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			_exit(EXIT_FAILURE);
		bytes += written;
		n -= (size_t) written;
	}
}

/* Starts a frame: leaves room for its header. */
static void
frame_begin(Buffer *frame)
{
	buffer_init(frame);
	buffer_zeros(frame, FRAME_HEADER);
}

/* Fills in the header, sends the frame and frees it; false where it could not be built. */
static bool
frame_send(const Channel *channel, MessageType type, Buffer *frame)
{
	size_t		body = frame->failed ? 0 : frame->size - FRAME_HEADER;
	bool		fits = !frame->failed && body <= MESSAGE_MAX;

	if (fits && channel->fd >= 0)
	{
		uint32_t	length = (uint32_t) body;

		memcpy(frame->data, &length, sizeof(length));
		frame->data[FRAME_HEADER - 1] = (uint8_t) type;
		write_all(channel, frame->data, frame->size);
	}
	buffer_free(frame);
	return fits;
}

void
channel_phase(const Channel *channel, const char *phase)
{
	Buffer		frame;

	frame_begin(&frame);
	buffer_string(&frame, phase);
	frame_send(channel, MESSAGE_PHASE, &frame);
}

void
channel_iteration(const Channel *channel, int iteration, int total, double train_loss, double validation_loss)
{
	Buffer		frame;

	frame_begin(&frame);
	buffer_u32(&frame, (uint32_t) iteration);
	buffer_u32(&frame, (uint32_t) total);
	buffer_f64(&frame, train_loss);
	buffer_f64(&frame, validation_loss);
	frame_send(channel, MESSAGE_ITERATION, &frame);
}

void
channel_metric(const Channel *channel, const char *name, double train_value, double validation_value)
{
	Buffer		frame;

	frame_begin(&frame);
	buffer_string(&frame, name);
	buffer_f64(&frame, train_value);
	buffer_f64(&frame, validation_value);
	frame_send(channel, MESSAGE_METRIC, &frame);
}

void
channel_notice(const Channel *channel, const char *text)
{
	Buffer		frame;

	frame_begin(&frame);
	buffer_string(&frame, text);
	frame_send(channel, MESSAGE_NOTICE, &frame);
}

void
channel_error(const Channel *channel, const Error *error)
{
	Buffer		frame;

	fprintf(stderr, "mlops-trainer: %s\n", error->message);
	fflush(stderr);
	frame_begin(&frame);
	error_write(error, &frame);
	frame_send(channel, MESSAGE_ERROR, &frame);
}

bool
channel_result(const Channel *channel, const JobResult *result, Error *error)
{
	Buffer		frame;

	frame_begin(&frame);
	result_write(result, &frame);
	if (frame.failed)
	{
		buffer_free(&frame);
		return error_set(error, ERROR_MEMORY, "out of memory while the result was written");
	}
	if (!frame_send(channel, MESSAGE_RESULT, &frame))
		return error_set(error, ERROR_LIMIT, "the result is longer than a message of %d bytes", MESSAGE_MAX);
	return true;
}
