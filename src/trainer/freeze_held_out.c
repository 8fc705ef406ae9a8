/*
 * freeze_held_out.c
 *		What is frozen of the held-out rows, one thing after the other.
 *
 * A part that fails leaves no record, and the training goes on: monitors
 * then say that there is not enough to compare with.
 */
#include "freeze.h"

#include <math.h>

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

/* Takes back what a part wrote that failed. */
static void
keep(Buffer *reference, size_t before, bool done)
{
	if (!done && !reference->failed)
		reference->size = before;
}

bool
freeze_held_out(const Freeze *freeze, Trainer *trainer, const Table *table, const Target *target, const Model *model, const double *outputs,
				Buffer *reference, Error *error)
{
	Answers		answers = {.trainer = trainer,.model = model,.table = table,.target = target,.range = table->test,.outputs = outputs};
	Arena		scratch;
	Error		ignored;
	size_t		before = reference->size;

	if (!choose_sample(&answers, error))
		return false;
	keep(reference, before, freeze_answers(freeze, &answers, reference, &ignored));
	before = reference->size;
	keep(reference, before, answers.n_sample == 0 || freeze_sample(&answers, reference, &ignored));

	arena_init(&scratch);
	before = reference->size;
	keep(reference, before, freeze_performance(&answers, &scratch, reference, &ignored));
	before = reference->size;
	keep(reference, before, freeze_calibrator(&answers, &scratch, reference, &ignored));
	arena_free(&scratch);
	return buffer_check(reference, error);
}
