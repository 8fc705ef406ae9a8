/*
 * continue_job.c
 *		The version that a training goes on from.
 *
 * Its bytes come in a file of their own and stay mapped until the new model
 * is written: the recipe points into them, and so do the classes.  The
 * backend has checked what users can get wrong; here it is checked that the
 * job and the bytes belong together.
 */
#include "trainer.h"

#include <sys/mman.h>

#include "../core/fit/trees/kept_cuts.h"

bool
continue_open(Trainer *trainer, Error *error)
{
	const Job  *job = &trainer->job;
	const Model *model = &trainer->init_model;

	if (job->init_hash[0] == '\0')
		return true;
	trainer->init_bytes = map_descriptor(TRAINER_FD_INIT, "version to continue", &trainer->init_size, error);
	if (trainer->init_bytes == NULL || !model_open(&trainer->init_model, trainer->init_bytes, trainer->init_size, error))
		return false;
	if (model->header->algorithm != job->algorithm || (uint32_t) model->task != job->task || model->header->label_kind != job->label_kind)
		return error_set(error, ERROR_CORRUPTED, "the job is not of the kind of the version that it continues");
	trainer->init = model;
	return true;
}

void
continue_close(Trainer *trainer)
{
	if (trainer->init_bytes != NULL)
		munmap((void *) trainer->init_bytes, trainer->init_size);
	trainer->init_bytes = NULL;
	trainer->init = NULL;
}

/* The bytes, the writer's copy of the trees, the payload made of it, and the bins of the trees. */
uint64_t
continue_memory(const Trainer *trainer)
{
	return trainer->init != NULL ? 3 * (uint64_t) trainer->init_size + kept_cuts_memory(trainer->init) : 0;
}
