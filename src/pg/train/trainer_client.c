/*
 * trainer_client.c
 *		Letting the trainer do a job, and hearing what it says.
 *
 * The backend waits on its latch and on the trainer's socket, so that a
 * cancellation is served as soon as its signal arrives, and looks every
 * CLIENT_CHECK_MS whether the client is still there.  Frames are read as
 * hostile; a broken one ends the trainer.
 */
#include "trainer_client.h"

#include <math.h>
#include <sys/socket.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "utils/timestamp.h"

#include "../interrupt.h"
#include "../progress.h"
#include "../report.h"
#include "../settings.h"
#include "trainer_process.h"

#define CLIENT_CHECK_MS 50
#define FRAME_HEADER 5			/* uint32 length of the body, uint8 type */
#define READ_BYTES (64 * 1024)
#define PHASE_MAX 128

struct TrainerClient
{
	TrainerProcess *process;
	TrainerOutcome *outcome;
	MemoryFile *job;			/* empty until the rows are complete */
	StringInfoData received;	/* bytes of frames that are not complete */
	char		phase[PHASE_MAX];
	Error		failure;		/* what the trainer reported; ERROR_NONE: nothing */
	bool		finished;		/* the result is there */
	int			capacity;		/* of outcome->iterations */
	TimestampTz started;		/* of the phase */
	TimestampTz notified;		/* when progress was last told */
	TimestampTz client_checked; /* when the client was last there */
};

static void
outcome_release(void *argument)
{
	result_free(&((TrainerOutcome *) argument)->result);
}

/* Raises: the trainer and this library are not of one build, or its memory was damaged. */
static void
report_broken_message(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
			 errmsg("the trainer sent a message that cannot be read"),
			 errhint("Install the trainer and the library from the same build.")));
}

/* Tells progress at most once a second. */
static void
tell_progress(TrainerClient *client, uint32 total, const TrainerIteration *iteration)
{
	TimestampTz now;
	double		seconds_left;
	StringInfoData text;

	if (!settings_progress_notices)
		return;
	now = GetCurrentTimestamp();
	if (!TimestampDifferenceExceeds(client->notified, now, 1000))
		return;
	client->notified = now;

	seconds_left = (double) (now - client->started) / USECS_PER_SEC / iteration->number * (total - Min(iteration->number, total));
	initStringInfo(&text);
	appendStringInfo(&text, "iteration %u of %u", iteration->number, total);
	if (!isnan(iteration->train_loss))
		appendStringInfo(&text, ", training loss %.6g", iteration->train_loss);
	if (!isnan(iteration->validation_loss))
		appendStringInfo(&text, ", validation loss %.6g", iteration->validation_loss);
	ereport(NOTICE,
			(errmsg("%s, about %.0f s left", text.data, ceil(seconds_left))));
	pfree(text.data);
}

/* MESSAGE_ITERATION */
static void
take_iteration(TrainerClient *client, Reader *body)
{
	TrainerOutcome *outcome = client->outcome;
	TrainerIteration iteration;
	uint32		total;

	iteration.number = reader_u32(body);
	total = reader_u32(body);
	iteration.train_loss = reader_f64(body);
	iteration.validation_loss = reader_f64(body);
	iteration.train_metric = iteration.validation_metric = NAN;
	if (body->failed || iteration.number == 0)
		report_broken_message();

	if (outcome->n_iterations == client->capacity)
	{
		client->capacity = Max(client->capacity * 2, 128);
		outcome->iterations = outcome->iterations == NULL
			? palloc(client->capacity * sizeof(TrainerIteration))
			: repalloc_huge(outcome->iterations, client->capacity * sizeof(TrainerIteration));
	}
	outcome->iterations[outcome->n_iterations++] = iteration;
	progress_set(iteration.number, total);
	tell_progress(client, total, &iteration);
}

/* MESSAGE_METRIC */
static void
take_metric(TrainerOutcome *outcome, Reader *body)
{
	TrainerIteration *iteration;

	if (outcome->n_iterations == 0)
		report_broken_message();
	iteration = &outcome->iterations[outcome->n_iterations - 1];
	reader_string(body, outcome->metric, sizeof(outcome->metric));
	iteration->train_metric = reader_f64(body);
	iteration->validation_metric = reader_f64(body);
	if (body->failed)
		report_broken_message();
}

/* One message. */
static void
take_message(TrainerClient *client, MessageType type, const char *data, uint32 size)
{
	Reader		body;
	char	   *text;
	Error		error;

	reader_init(&body, data, size);
	switch (type)
	{
		case MESSAGE_PHASE:
			reader_string(&body, client->phase, sizeof(client->phase));
			if (body.failed)
				report_broken_message();
			client->started = client->notified = GetCurrentTimestamp();
			progress_phase(client->phase, 0);
			break;
		case MESSAGE_ITERATION:
			take_iteration(client, &body);
			break;
		case MESSAGE_METRIC:
			take_metric(client->outcome, &body);
			break;
		case MESSAGE_NOTICE:
			text = palloc(size + 1);
			reader_string(&body, text, size + 1);
			if (body.failed)
				report_broken_message();
			ereport(NOTICE, (errmsg("%s", text)));
			pfree(text);
			break;
		case MESSAGE_ERROR:
			if (!error_read(&client->failure, data, size) || client->failure.code == ERROR_NONE)
				report_broken_message();
			break;
		case MESSAGE_RESULT:
			if (client->finished || !result_read(&client->outcome->result, data, size, &error))
				report_broken_message();
			client->finished = true;
			break;
		default:
			report_broken_message();
	}
}

/* Takes the complete frames from what was received. */
static void
take_frames(TrainerClient *client)
{
	StringInfo	received = &client->received;
	int			done = 0;

	while (received->len - done >= FRAME_HEADER)
	{
		uint32		size;

		memcpy(&size, received->data + done, sizeof(size));
		if (size > MESSAGE_MAX)
			report_broken_message();
		if ((uint32) (received->len - done - FRAME_HEADER) < size)
			break;
		take_message(client, (MessageType) (uint8) received->data[done + FRAME_HEADER - 1],
					 received->data + done + FRAME_HEADER, size);
		done += FRAME_HEADER + (int) size;
	}
	memmove(received->data, received->data + done, received->len - done);
	received->len -= done;
}

/* Reads what there is; false at the end of the stream. */
static bool
receive(TrainerClient *client)
{
	for (;;)
	{
		StringInfo	received = &client->received;
		ssize_t		got;

		enlargeStringInfo(received, READ_BYTES);
		got = recv(client->process->socket, received->data + received->len, READ_BYTES, 0);
		if (got > 0)
		{
			received->len += (int) got;
			take_frames(client);
		}
		else if (got == 0 || (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK))
			return false;
		else if (errno != EINTR)
			return true;
		CHECK_FOR_INTERRUPTS();
	}
}

/* Looks every CLIENT_CHECK_MS whether the client is still there, however often the trainer speaks. */
static void
check_client(TrainerClient *client)
{
	TimestampTz now = GetCurrentTimestamp();

	if (!TimestampDifferenceExceeds(client->client_checked, now, CLIENT_CHECK_MS))
		return;
	client->client_checked = now;
	interrupt_check_client();
}

/* Waits for the socket, an interrupt or CLIENT_CHECK_MS. */
static void
await(TrainerClient *client, int socket_event)
{
	int			events = WaitLatchOrSocket(MyLatch,
										   WL_LATCH_SET | socket_event | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
										   client->process->socket, CLIENT_CHECK_MS, PG_WAIT_EXTENSION);

	if (events & WL_LATCH_SET)
		ResetLatch(MyLatch);
	check_client(client);
	CHECK_FOR_INTERRUPTS();
}

/* Listens until the trainer closes its socket. */
static void
listen_to_end(TrainerClient *client)
{
	while (receive(client))
		await(client, WL_SOCKET_READABLE);
}

/* A job as the trainer reads it. */
static void
write_job(const MemoryFile *file, const Job *job)
{
	CoreBuffer	buffer;
	Error		error;
	void	   *bytes;
	size_t		size;

	buffer_init(&buffer);
	if (!job_write(job, &buffer, &error))
	{
		buffer_free(&buffer);
		report_error(&error);
	}
	size = buffer.size;
	bytes = palloc_extended(size, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (bytes != NULL)
		memcpy(bytes, buffer.data, size);
	buffer_free(&buffer);
	if (bytes == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory for a job of %zu bytes", size)));
	memory_file_write(file, bytes, size);
	memory_file_seal(file, size);
	pfree(bytes);
}

/* Raises what ended a trainer before its result. */
static void
report_end(TrainerClient *client)
{
	int			status = trainer_wait(client->process);

	CHECK_FOR_INTERRUPTS();
	if (client->failure.code != ERROR_NONE)
		report_error(&client->failure);
	trainer_report_death(client->process, status, client->phase);
}

/* Sends a word; false where there is no room for it now.  Raises the trainer's end. */
static bool
send_word(TrainerClient *client, uint64 word)
{
	for (;;)
	{
		/* a word is taken as a whole or not at all */
		if (send(client->process->socket, &word, sizeof(word), MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t) sizeof(word))
			return true;
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ENOMEM)
			return false;
		if (errno == EINTR)
			continue;
		listen_to_end(client);
		report_end(client);
	}
}

/* Starts a trainer. */
TrainerClient *
trainer_begin(const MemoryFile *matrix, const MemoryFile *model, const MemoryFile *init)
{
	TrainerClient *client = palloc0(sizeof(TrainerClient));
	TrainerOutcome *outcome = palloc0(sizeof(TrainerOutcome));

	outcome->cleanup.func = outcome_release;
	outcome->cleanup.arg = outcome;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &outcome->cleanup);
	initStringInfo(&client->received);
	strlcpy(client->phase, "scan", sizeof(client->phase));
	client->outcome = outcome;
	client->job = memory_file_create("mlops-job", 0, false);
	client->process = trainer_start(client->job, matrix, model, init);
	return client;
}

/* Tells how many rows are complete; where it is busy, a later word says the same. */
void
trainer_tell_rows(TrainerClient *client, uint64 n_rows)
{
	(void) send_word(client, n_rows);
}

/* Runs a job to its end. */
TrainerOutcome *
trainer_finish(TrainerClient *client, const Job *job, MemoryFile *matrix)
{
	write_job(client->job, job);
	strlcpy(client->phase, "start", sizeof(client->phase));
	client->started = client->notified = GetCurrentTimestamp();
	while (!send_word(client, ROWS_COMPLETE))
		await(client, WL_SOCKET_WRITEABLE);

	/* the trainer has its own: so the kernel takes these pages back at the trainer's end, while the result is stored */
	memory_file_close(matrix);
	listen_to_end(client);
	if (!client->finished || client->failure.code != ERROR_NONE)
		report_end(client);
	trainer_leave(client->process);
	CHECK_FOR_INTERRUPTS();
	return client->outcome;
}
