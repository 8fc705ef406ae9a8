/*
 * timing.c
 *		Where the time of a job goes: seconds by phase, for the run's record.
 */
#include "trainer.h"

#include <stdio.h>

#include "../core/fit/clock.h"

void
timing_start(Trainer *trainer)
{
	trainer->marked = clock_seconds();
}

/* Enters a phase. */
static void
add_phase(JobResult *result, const char *name, double seconds)
{
	if (result->n_phases == PHASES_MAX)
		return;

	ResultPhase *phase = &result->phases[result->n_phases++];

	snprintf(phase->name, sizeof(phase->name), "%s", name);
	phase->seconds = seconds;
}

void
timing_mark(Trainer *trainer, const char *phase)
{
	double		now = clock_seconds();

	add_phase(&trainer->result, phase, now - trainer->marked);
	trainer->marked = now;
}

void
timing_table(Trainer *trainer, const Table *table)
{
	add_phase(&trainer->result, "hash", table->seconds.hash);
	add_phase(&trainer->result, "order", table->seconds.order);
	add_phase(&trainer->result, "split", table->seconds.split);
	add_phase(&trainer->result, "levels", table->seconds.levels);
	trainer->marked = clock_seconds();
}
