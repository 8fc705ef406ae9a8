/*
 * freeze_held_out.c
 *		What is frozen of the held-out rows, one thing after the other.
 *
 * A part that fails leaves no record, and the training goes on: monitors
 * then say that there is not enough to compare with.
 */
#include "freeze.h"

#define N_PARTS (LOSS_MODELS + 5)

/* Rows of the sample, evenly from the range: canonical order is that of hashes. */
static bool
choose_sample(Answers *answers, Error *error)
{
	size_t		n = range_rows(answers->range);
	size_t		most = answers->trainer->job.sample_rows;

	answers->n_sample = n < most ? n : most;
	answers->sample = arena_alloc(&answers->trainer->arena, answers->n_sample, sizeof(size_t), error);
	for (size_t i = 0; answers->sample != NULL && i < answers->n_sample; i++)
		answers->sample[i] = answers->range.begin + i * n / answers->n_sample;
	return answers->sample != NULL;
}

/* One thing that is frozen: its own memory and its own records, so that threads can share them out. */
typedef struct HeldOutWork
{
	const Freeze *freeze;
	const Answers *answers;
	Buffer		records[N_PARTS];
} HeldOutWork;

/* The longest ones come first: the models of the loss, each of which takes one thread. */
static bool
freeze_one(const HeldOutWork *work, size_t part, Arena *scratch, Buffer *records, Error *error)
{
	const Answers *answers = work->answers;

	switch (part)
	{
		case LOSS_MODELS:
			return freeze_performance(answers, scratch, records, error);
		case LOSS_MODELS + 1:
			return freeze_answers(work->freeze, answers, records, error);
		case LOSS_MODELS + 2:
			return freeze_calibrator(answers, scratch, records, error);
		case LOSS_MODELS + 3:
			return freeze_components(answers, scratch, records, error);
		case LOSS_MODELS + 4:
			return answers->n_sample == 0 || freeze_sample(work->freeze, answers, records, error);
		default:
			return freeze_loss(answers, (uint32_t) part, records, error);
	}
}

static void
held_out_task(void *argument, size_t part)
{
	HeldOutWork *work = argument;
	Arena		scratch;
	Error		error;

	arena_init(&scratch);
	if (!freeze_one(work, part, &scratch, &work->records[part], &error))
		work->records[part].size = 0;
	arena_free(&scratch);
}

bool
freeze_held_out(const Freeze *freeze, Trainer *trainer, const Table *table, const Target *target, const Model *model, const double *outputs,
				Buffer *reference, Error *error)
{
	Answers		answers = {.trainer = trainer,.model = model,.table = table,.target = target,.range = table->test,.outputs = outputs};
	HeldOutWork work = {freeze, &answers, {{0}}};

	if (!choose_sample(&answers, error))
		return false;
	for (size_t part = 0; part < N_PARTS; part++)
		buffer_init(&work.records[part]);
	pool_for(trainer->pool, N_PARTS, held_out_task, &work);
	for (size_t part = 0; part < N_PARTS; part++)
	{
		if (!work.records[part].failed)
			buffer_bytes(reference, work.records[part].data, work.records[part].size);
		buffer_free(&work.records[part]);
	}
	return buffer_check(reference, error);
}
